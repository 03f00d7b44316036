/*
 * outage -- what people are told while the store does not answer.
 *
 * Whether something was done before is known to the store alone, so nothing is done without
 * it. Whoever typed, pressed or sent something in reads so, in words that tell nothing else;
 * what Slack sends again by itself (mentions, messages) is left to that, and said once.
 */
#ifndef SLACK_PROCESS_OUTAGE_H
#define SLACK_PROCESS_OUTAGE_H

#include "slack/process/front.h"

/*
 * 'in' could not be claimed. True: acknowledge it with '*ret_ack' (new; may be NULL): who did
 * it has read or will read that nothing was done. False: Slack is to send it again.
 * Takes 'in' where somebody is told later.
 */
bool outage_take(struct front *f, const struct ingress_delivery *from, struct inbound *in,
		 json_t **ret_ack);

/* --- take.c --- */
struct delivery *delivery_new(struct front *f, const struct ingress_delivery *from,
			      struct inbound *in) _must_use_;

#endif
