/*
 * turn -- who set something going in Slack, and where: an event, a command or a form, read
 * strictly.
 *
 * Only after its signature was found good. Taken is what one person of one team does and
 * what asks the assistant for something: a mention, a direct message, a command, a
 * shortcut, a form, a button; and that somebody opened App Home, which asks for nothing:
 * then only what is shown there may be read for that person. Edits, other bots, our own messages, and whoever is of
 * another workspace set nothing going. What is asked for is not read here: a turn says in
 * whose name something may be proposed.
 */
#ifndef SLACK_TURN_H
#define SLACK_TURN_H

#include "slack/verify/payload.h"

enum slack_turn_kind {
	SLACK_TURN_MENTION,
	SLACK_TURN_DIRECT,
	SLACK_TURN_COMMAND,
	SLACK_TURN_SHORTCUT,
	SLACK_TURN_FORM,
	SLACK_TURN_BUTTON,
	SLACK_TURN_HOME, /* App Home was opened: nothing is proposed by it */
	SLACK_TURN_KINDS
};

struct slack_turn {
	enum slack_turn_kind kind;
	struct slack_actor actor;
	char channel
		[SLACK_ID_BYTES]; /* "": Slack does not say; then only the person is known */
	char thread[SLACK_TS_BYTES]; /* the message under which an answer goes; "" */
	bool is_shared; /* Slack says that the channel is shared with others */
};

/* "mention", "direct" and so on. */
const char *slack_turn_name(enum slack_turn_kind kind);
/* ERR_INVALID_ARGUMENT says why it is none. */
bool slack_turn_of(const json_t *payload, enum slack_delivery delivery,
		   struct slack_turn *ret, struct error *err);

#endif
