#include "gate/record.h"

static const char *const names[] = {
	[RECORD_PROPOSED] = "proposed",   [RECORD_PLANNED] = "planned",
	[RECORD_PENDING] = "pending",     [RECORD_APPROVED] = "approved",
	[RECORD_GRANTED] = "granted",     [RECORD_EXECUTING] = "executing",
	[RECORD_SUCCEEDED] = "succeeded", [RECORD_FAILED] = "failed",
	[RECORD_UNKNOWN] = "unknown",     [RECORD_DENIED] = "denied",
	[RECORD_EXPIRED] = "expired",     [RECORD_SUPERSEDED] = "superseded",
	[RECORD_CANCELLED] = "cancelled", [RECORD_REVOKED] = "revoked",
	[RECORD_LAPSED] = "lapsed",       [RECORD_REFUSED] = "refused",
};
_Static_assert(ARRAY_SIZE(names) == RECORD_STATE_COUNT, "every state has a name");

#define TO(state) (1U << RECORD_##state)

/*
 * Every transition there is. A call without a plan goes from proposed to pending, a
 * freed read straight to granted. "refused" before a grant means that the server would
 * not plan it, after one that the server says that nothing ran. Once a call has left it
 * is executing, and then ends in one of the three ways that a person can be told.
 */
static const unsigned moves[RECORD_STATE_COUNT] = {
	[RECORD_PROPOSED] = TO(PLANNED) | TO(PENDING) | TO(GRANTED) | TO(REFUSED) |
			    TO(SUPERSEDED) | TO(CANCELLED),
	[RECORD_PLANNED] = TO(PENDING) | TO(REFUSED) | TO(SUPERSEDED) | TO(CANCELLED),
	[RECORD_PENDING] = TO(APPROVED) | TO(DENIED) | TO(EXPIRED) | TO(SUPERSEDED) |
			   TO(CANCELLED),
	[RECORD_APPROVED] = TO(GRANTED) | TO(REVOKED) | TO(LAPSED) | TO(CANCELLED),
	[RECORD_GRANTED] = TO(EXECUTING) | TO(REFUSED) | TO(UNKNOWN),
	[RECORD_EXECUTING] = TO(SUCCEEDED) | TO(FAILED) | TO(UNKNOWN),
};

const char *record_state_name(enum record_state s)
{
	return s < RECORD_STATE_COUNT ? names[s] : "?";
}

bool record_state_parse(const char *text, enum record_state *ret)
{
	for (size_t i = 0; i < RECORD_STATE_COUNT; i++)
		if (strcmp(names[i], text) == 0) {
			*ret = (enum record_state)i;
			return true;
		}
	return false;
}

bool record_state_is_end(enum record_state s)
{
	return s >= RECORD_SUCCEEDED && s < RECORD_STATE_COUNT;
}

bool record_may_move(enum record_state from, enum record_state to)
{
	return from < RECORD_STATE_COUNT && to < RECORD_STATE_COUNT &&
	       (moves[from] & (1U << to));
}

void record_new_id(int64_t now_ms, char ret[static RECORD_ID_BYTES])
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	char random[DIGEST_ID_BYTES];
	uint64_t left = (uint64_t)now_ms;

	digest_random_id(random);
	memcpy(ret, random, RECORD_ID_BYTES);
	for (int i = 9; i >= 0; i--, left >>= 5)
		ret[i] = digits[left & 31];
}

enum record_state record_state_of(const json_t *body)
{
	const char *text = json_get_string(body, "state");
	enum record_state s;

	return text && record_state_parse(text, &s) ? s : RECORD_STATE_COUNT;
}

/* jansson counts references where it only reads. */
static json_t *unconst(const json_t *value)
{
	return (json_t *)(uintptr_t)value;
}

/* A shallow copy shares the members, which nobody changes. */
static json_t *copy(const json_t *body)
{
	return json_copy(unconst(body));
}

static bool add_history(json_t *body, enum record_state to, int64_t now_ms,
			const char *by, const char *why)
{
	const json_t *old = json_object_get(body, "history");
	json_auto_t *history = old ? copy(old) : json_array();
	json_auto_t *line = json_pack("{s:s, s:I}", "state", record_state_name(to), "at",
				      (json_int_t)now_ms);

	if (!history || !line || json_array_size(history) >= RECORD_HISTORY_MAX)
		return false;
	if (by && json_object_set_new(line, "by", json_string(by)) != 0)
		return false;
	if (why && json_object_set_new(line, "why", json_string(why)) != 0)
		return false;
	return json_array_append(history, line) == 0 &&
	       json_object_set(body, "history", history) == 0;
}

json_t *record_next(const json_t *body, enum record_state to, const json_t *changes,
		    int64_t now_ms, const char *by, const char *why, struct error *err)
{
	enum record_state from = record_state_of(body);
	json_auto_t *next = NULL;

	if (!record_may_move(from, to)) {
		error_set(err, ERR_CONFLICT, "approval %s is %s and cannot become %s",
			  json_get_string(body, "id"), record_state_name(from),
			  record_state_name(to));
		return NULL;
	}
	next = copy(body);
	if (!next || (changes && json_object_update(next, unconst(changes)) != 0) ||
	    json_object_set_new(next, "state", json_string(record_state_name(to))) != 0 ||
	    !add_history(next, to, now_ms, by, why) ||
	    (record_state_is_end(to) &&
	     json_object_set_new(next, "ended_at", json_integer((json_int_t)now_ms)) !=
		     0)) {
		error_oom(err);
		return NULL;
	}
	/* That an answer was waited for is over with the answer. */
	if (record_state_is_end(to))
		(void)json_object_del(next, "unanswered");
	return TAKE(next);
}

json_t *record_public(const json_t *body)
{
	json_t *shown = copy(body);

	(void)json_object_del(shown, "grant");
	(void)json_object_del(shown, "request_state");
	return shown;
}

json_t *record_summary(const json_t *body)
{
	static const char *const members[] = { "id",         "state",      "surface",
					       "server",     "tool",       "risk",
					       "requester",  "created_at", "expires_at",
					       "good_until", "ended_at",   "shown",
					       "calls" };
	json_t *summary = json_object();

	for (size_t i = 0; summary && i < ARRAY_SIZE(members); i++) {
		json_t *member = json_object_get(body, members[i]);

		if (member)
			(void)json_object_set(summary, members[i], member);
	}
	return summary;
}

bool record_identity(const json_t *body, char ret_hex[static DIGEST_HEX_BYTES],
		     struct error *err)
{
	static const char *const members[] = { "requester", "surface", "request" };
	json_auto_t *identity = json_object();

	for (size_t i = 0; identity && i < ARRAY_SIZE(members); i++)
		if (json_object_set(identity, members[i],
				    json_object_get(body, members[i])) != 0)
			return error_set(err, ERR_INTERNAL, "a record lacks '%s'",
					 members[i]);
	if (!identity)
		return error_oom(err);
	if (json_object_get(body, "bundle") &&
	    json_object_set(identity, "bundle", json_object_get(body, "bundle")) != 0)
		return error_oom(err);
	return canonical_digest(identity, ret_hex, err);
}
