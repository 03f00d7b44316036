/*
 * click -- whether a press of a button in Slack is evidence of a decision. Pure: the raw
 * request, what the configuration trusts, where the prompt was posted, and the time in;
 * what was pressed, or why it counts for nothing, out.
 *
 * The signature is recomputed here, over the bytes as they came; nobody's word that it was
 * good counts. Then the press must be of our app and one of our teams, and in the message,
 * or a review of the prompt, that the record knows. Who the person is, whether the same
 * request was taken before, and whether this person may decide this now (decide.h) is
 * judged elsewhere. Socket Mode carries no signature and never comes here.
 */
#ifndef GATE_CLICK_H
#define GATE_CLICK_H

#include "slack/verify/click.h"
#include "slack/verify/signature.h"

enum { CLICK_TEAMS_MAX = 32 };

/* What the gate's configuration trusts. All borrowed. */
struct click_trust {
	const struct secret *const *secrets;
	size_t secret_count; /* 1 to SLACK_SECRETS_MAX */
	const char *app;
	const char *const *teams;
	size_t team_count;
};

/* ERR_PERMISSION_DENIED: it is not Slack's, or not of ours. ERR_INVALID_ARGUMENT: it is no
 * press of a button of ours. */
bool click_read(const struct slack_evidence *e, const struct click_trust *trust,
		int64_t now_s, struct slack_click *ret, struct error *err);

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
