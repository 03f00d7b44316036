/*
 * click -- what a person pressed: the body of an interaction, read strictly.
 *
 * Only after its signature was found good. Taken are a press of one of our buttons
 * (slack/render/prompt.h) in a message or in a review; everything else that Slack may send
 * is no click, and neither is one whose parts contradict each other. Of what it says only
 * who pressed what and where is used: the call itself is always the one in the record.
 */
#ifndef SLACK_CLICK_H
#define SLACK_CLICK_H

#include "base/digest.h"

enum { SLACK_ID_BYTES = 65, SLACK_TS_BYTES = 33 };

enum slack_action {
	SLACK_APPROVE,
	SLACK_DENY,
	SLACK_REVIEW,
	SLACK_PAGE, /* another page of the review */
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
};

/* The raw body of the request: "payload=" and a form's encoding of JSON. ERR_INVALID_ARGUMENT
 * says why it is no click. */
bool slack_click_read(const void *body, size_t length, struct slack_click *ret,
		      struct error *err);

#endif
