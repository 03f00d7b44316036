/*
 * outbox_send -- one item said, or found to have been. Private to slack/outbox.
 */
#ifndef SLACK_OUTBOX_SEND_H
#define SLACK_OUTBOX_SEND_H

#include "slack/outbox/outbox_item.h"

enum outbox_step {
	OUTBOX_END, /* 'state' says how; 'place', 'ts' and 'why' are set */
	OUTBOX_AGAIN, /* nothing came of it; the same later. 'state' is what to come back to */
	OUTBOX_REST, /* as OUTBOX_AGAIN, and sooner is of no use: the token is not good */
};

/* What came of it; item_send changes no item. */
struct outbox_result {
	enum outbox_state state;
	char place[OUTBOX_PLACE_BYTES], ts[OUTBOX_TS_BYTES];
	char why[256];
	json_t *answer;
};
void outbox_result_done(struct outbox_result *r);

/* Whether a post of this item may stand in Slack already, and nobody knows. */
bool item_may_stand(const struct item *it);

/* Look for it, in what Slack remembers since 'begun_ms'. OUTBOX_END: it was found, or
 * nobody can tell and it is not to be said twice. OUTBOX_AGAIN with state
 * OUTBOX_WAITING: it is not there, or must arrive in any case: say it now; with
 * OUTBOX_SENDING: ask again later. */
enum outbox_step item_look(const struct item *it, const json_t *arguments,
			   const struct outbox_options *options,
			   const atomic_bool *cancel, struct outbox_result *ret);

/* Say it. */
enum outbox_step item_send(const struct item *it, const json_t *arguments,
			   const struct outbox_options *options,
			   const atomic_bool *cancel, struct outbox_result *ret);

#endif
