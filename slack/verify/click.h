/*
 * click -- what a person pressed: the body of an interaction, read strictly.
 *
 * Only after its signature was found good. Taken are a press of one of our buttons
 * (slack/render/prompt.h) in a message or in a review, and the form that asks why
 * something is denied; everything else that Slack may send
 * is no click, and neither is one whose parts contradict each other. Of what it says only
 * who pressed what and where is used, and what stood there: the call itself is always the
 * one in the record.
 */
#ifndef SLACK_CLICK_H
#define SLACK_CLICK_H

#include "slack/verify/payload.h"

enum { SLACK_REASON_BYTES = 2001 };

enum slack_action {
	SLACK_APPROVE,
	SLACK_DENY,
	SLACK_REVIEW,
	SLACK_PAGE,   /* another page of the review */
	SLACK_WHY,    /* the form in which a no gets its reason */
	SLACK_CANCEL, /* who asked takes it back */
	SLACK_REVOKE, /* who said yes, or might have, takes that back */
};

struct slack_click {
	enum slack_action action;
	char user[SLACK_ID_BYTES], team[SLACK_ID_BYTES], app[SLACK_ID_BYTES];
	/* Of a message; "" in a review. */
	char channel[SLACK_ID_BYTES], message_ts[SLACK_TS_BYTES];
	char view[SLACK_ID_BYTES]; /* of a review; "" in a message */
	char approval[SLACK_ID_BYTES];
	char shown[DIGEST_HEX_BYTES];
	unsigned page; /* that is wanted, or in a review was pressed on; 0: none */
	char seen
		[DIGEST_HEX_BYTES]; /* of what stood there (seen.h); "": Slack does not say */
	char reason[SLACK_REASON_BYTES]; /* of a no by the form; "" */
};

/* The raw body of the request: "payload=" and a form's encoding of JSON. ERR_INVALID_ARGUMENT
 * says why it is no click. */
bool slack_click_read(const void *body, size_t length, struct slack_click *ret,
		      struct error *err);
/* The same of the payload, which Socket Mode brings without a form. */
bool slack_click_of(const json_t *payload, struct slack_click *ret, struct error *err);

#endif
