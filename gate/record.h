/*
 * record -- an approval as the gate keeps it, and the states it may pass through.
 *
 *   proposed -> planned -> pending -> approved -> granted -> executing -> succeeded | failed | unknown
 *
 * One table says which transition is allowed; record_next refuses every other.
 * A record's body is JSON (docs/formats.md) and is never changed in place: a
 * transition makes a new body, and whoever stores it swaps the two afterwards.
 * Pure: knows no store, no clock, no audit chain.
 */
#ifndef GATE_RECORD_H
#define GATE_RECORD_H

#include "base/canonical.h"

enum record_state {
	RECORD_PROPOSED,
	RECORD_PLANNED,
	RECORD_PENDING,
	RECORD_APPROVED,
	RECORD_GRANTED,
	RECORD_EXECUTING,
	/* ends */
	RECORD_SUCCEEDED,
	RECORD_FAILED,
	RECORD_UNKNOWN,
	RECORD_DENIED,
	RECORD_EXPIRED,
	RECORD_SUPERSEDED,
	RECORD_CANCELLED,
	RECORD_REVOKED,
	RECORD_LAPSED,
	RECORD_REFUSED,
	RECORD_STATE_COUNT
};

enum {
	RECORD_ID_BYTES = 27,
	RECORD_KEY_BYTES = 32, /* room for such an id, or that of one call of several */
	RECORD_HISTORY_MAX = 64,
	RECORD_ARGUMENTS_MAX = 64 * 1024, /* canonical bytes */
};

const char *record_state_name(enum record_state s);
bool record_state_parse(const char *text, enum record_state *ret);
bool record_state_is_end(enum record_state s);
bool record_may_move(enum record_state from, enum record_state to);

/* 26 characters: milliseconds, then 80 random bits, so that ids sort by their making. */
void record_new_id(int64_t now_ms, char ret[static RECORD_ID_BYTES]);

/* The state in a body; RECORD_STATE_COUNT if there is none. */
enum record_state record_state_of(const json_t *body);

/*
 * The body after a transition: 'changes' (an object, borrowed; may be NULL) over
 * the old members, the new state, one more line of history, and "ended_at" at an
 * end. ERR_CONFLICT when the table has no such transition. New reference.
 */
json_t *record_next(const json_t *body, enum record_state to, const json_t *changes,
		    int64_t now_ms, const char *by, const char *why,
		    struct error *err) _must_use_;

/* What a person may see of it: without grant and requestState. New reference. */
json_t *record_public(const json_t *body) _must_use_;
/* One line of a list: {id, state, server, tool, risk, requester, surface, created_at, expires_at?, ...}. */
json_t *record_summary(const json_t *body) _must_use_;

/*
 * Digest of what makes two proposals identical: requester, surface (kind, client,
 * session, conversation) and request. One call of several is identical to nothing else.
 */
bool record_identity(const json_t *body, char ret_hex[static DIGEST_HEX_BYTES],
		     struct error *err);

#endif
