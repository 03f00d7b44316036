/*
 * click -- whether a press of a button in Slack stands where its prompt does. Pure: what was
 * pressed and where the prompt was posted in, a judgement out.
 *
 * That Slack signed it, that it is of our app and team, who the person is, whether the same
 * request was taken before, what stood there, and whether this person may decide this now
 * is judged elsewhere (keeper_slack*.c, decide.h).
 */
#ifndef GATE_CLICK_H
#define GATE_CLICK_H

#include "slack/verify/click.h"

/* Where a prompt was posted, and how many pages its review has. NULL: nowhere. */
struct click_place {
	const char *channel, *message_ts;
	unsigned pages;
};

/* Whether a decision (approve or deny) was pressed where this prompt stands: in its message,
 * where that shows all of it, or in its review; a yes there on the last page alone. */
bool click_is_at(const struct slack_click *c, const struct click_place *place,
		 bool message_can_approve, struct error *err);

#endif
