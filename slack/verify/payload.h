/*
 * payload -- the JSON that a request of Slack's carries, read strictly from its bytes.
 *
 * Over HTTP an event is JSON, an interaction a form with the one field "payload", and a
 * command a form of plain fields. Over Socket Mode each comes in an envelope, whose payload
 * is what HTTP would have carried. Either way one JSON object comes out, and a word on what
 * it is. Only after its signature was found good, or where none is asked for.
 */
#ifndef SLACK_PAYLOAD_H
#define SLACK_PAYLOAD_H

#include "base/digest.h"
#include "base/json.h"

enum { SLACK_ID_BYTES = 65, SLACK_TS_BYTES = 33 };

enum slack_delivery {
	SLACK_EVENT,       /* {type: event_callback, event, ...} */
	SLACK_INTERACTION, /* {type: block_actions | view_submission | ...} */
	SLACK_COMMAND,     /* the fields of the form, each a string */
};

/* The body of an HTTP request. ERR_INVALID_ARGUMENT: it is none of these. New reference. */
json_t *slack_payload_read(const void *body, size_t length, enum slack_delivery *ret,
			   struct error *err) _must_use_;
/* A frame of Socket Mode. New reference to its payload. */
json_t *slack_envelope_read(const void *frame, size_t length, enum slack_delivery *ret,
			    struct error *err) _must_use_;
/* The same of a frame that was parsed; '*ret_payload' is borrowed. */
bool slack_envelope_payload(const json_t *envelope, enum slack_delivery *ret,
			    json_t **ret_payload, struct error *err);
/* Whether a frame of this "type" is an envelope around one of the three. */
bool slack_envelope_is_known(const char *type);

/* The digest of a payload that had no bytes of its own: a repeated delivery over Socket
 * Mode has another envelope around the same payload. */
bool slack_payload_digest(const json_t *payload, char ret[static DIGEST_HEX_BYTES],
			  struct error *err);

/* An id or a time as Slack writes them: 1 to size-1 of [A-Za-z0-9._-], copied. */
bool slack_payload_id(char *to, size_t size, const json_t *object, const char *member);
/* Who did it, for which app and in which team: of an interaction or a command. */
struct slack_actor {
	char user[SLACK_ID_BYTES], team[SLACK_ID_BYTES], app[SLACK_ID_BYTES];
};
bool slack_payload_actor(const json_t *payload, struct slack_actor *ret,
			 struct error *err);

#endif
