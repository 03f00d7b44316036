/*
 * fields -- the members of every message, decoded by table.
 *
 * One struct for all: a message fills what its row names, everything else is NULL, 0 or
 * false. What a row does not name is refused, so a message is read to its last member.
 * Used by both ends of the caller's channel and by the keeper for surfaces.
 */
#ifndef GATE_FIELDS_H
#define GATE_FIELDS_H

#include "base/json.h"
#include "gate/messages.h"

/* All borrowed from the message. */
struct fields {
	const char *m;
	json_t *id; /* of a surface's request: integer */
	const char *approval, *server, *tool, *shown, *pin, *old, *reason, *state,
		*decision;
	const char *conversation, *as, *action, *arguments_text, *ticket, *grant,
		*request_state;
	const char *url, *page, *notice, *word, *uri;
	const char *surface, *raw, *timestamp, *signature, *begun, *turn, *user, *channel,
		*message_ts, *model;
	json_t *arguments, *choices, *plan, *error, *result, *tools, *body, *calls,
		*words_from, *assumes, *outsiders, *users, *sources;
	int64_t limit, v, request, status, people, drawn_at;
	bool sent, up, look, revoke, listen;
};

/* ERR_INVALID_ARGUMENT names the member. */
bool fields_decode(enum message m, const json_t *message, struct fields *ret,
		   struct error *err);

/* An error as messages carry it: {code, message, hint?, details?}. 'details' is shared, may be NULL. */
json_t *fields_error(const struct error *err, const json_t *details) _must_use_;

#endif
