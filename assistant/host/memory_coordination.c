/*
 * Conversations in the coordination store, which lets each expire by itself:
 *   talk/ID         the body
 *   talk-at/ID      when it was last changed: small, to be looked through
 *   talk-lock/ID    a lease of whoever changes it
 */
#include "assistant/host/memory_private.h"

#include <string.h>
#include <time.h>

/* Longer than the lease of one that was killed. */
enum { LOCK_TRIES = 2 * MEMORY_LOCK_MS / 50, LOCK_PAUSE_MS = 50, NUMBER_BYTES = 24 };

static const char at_prefix[] = "talk-at/";

static bool make_key(char ret[static COORD_KEY_MAX + 1], const char *prefix,
		     const char *id, struct error *err)
{
	int length = snprintf(ret, COORD_KEY_MAX + 1, "%s%s", prefix, id);

	return (length > 0 && length <= COORD_KEY_MAX) ||
	       error_set(err, ERR_INVALID_ARGUMENT, "a conversation's name is too long");
}

static bool get(struct memory *m, const char *id, json_t **ret, struct error *err)
{
	char key[COORD_KEY_MAX + 1];
	_cleanup_free_ char *text = NULL;
	struct error ignored = ERROR_INIT;
	json_auto_t *body = NULL;

	*ret = NULL;
	if (!make_key(key, "talk/", id, err) ||
	    !coord_get(m->o.coordination, key, &text, err))
		return false;
	if (text)
		body = json_parse(text, strlen(text), JSON_CONTRACT, &ignored);
	/* What cannot be read is as nothing, and is written anew. */
	if (conversation_is_body(body))
		*ret = TAKE(body);
	return true;
}

/* --- no more than so many --- */

struct oldest {
	char id[COORD_KEY_MAX + 1];
	int64_t at_ms, count;
	const char *but; /* the one that is being written */
};

static bool compare(void *context, const char *key, const char *value)
{
	struct oldest *o = context;
	const char *id = key + sizeof at_prefix - 1;
	int64_t at_ms = strtoll(value, NULL, 10);

	o->count++;
	if (strcmp(id, o->but) != 0 && (!o->id[0] || at_ms < o->at_ms)) {
		o->at_ms = at_ms;
		(void)snprintf(o->id, sizeof o->id, "%s", id);
	}
	return true;
}

static bool drop(struct memory *m, const char *id, struct error *err)
{
	char key[COORD_KEY_MAX + 1], at[COORD_KEY_MAX + 1];
	char *text = NULL;
	bool ok;

	if (!make_key(key, "talk/", id, err) || !make_key(at, at_prefix, id, err))
		return false;
	ok = coord_take(m->o.coordination, key, &text, err);
	free(text);
	text = NULL;
	ok = ok && coord_take(m->o.coordination, at, &text, err);
	free(text);
	return ok;
}

static bool make_room(struct memory *m, const char *but, struct error *err)
{
	for (;;) {
		struct oldest o = { .but = but };

		if (!coord_scan(m->o.coordination, at_prefix, compare, &o, err))
			return false;
		if (o.count <= m->o.at_most || !o.id[0])
			return true;
		if (!drop(m, o.id, err))
			return false;
	}
}

static bool put(struct memory *m, const char *id, const json_t *body, struct error *err)
{
	char key[COORD_KEY_MAX + 1], at[COORD_KEY_MAX + 1], now[NUMBER_BYTES];
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	bool is_new = false;
	int64_t now_ms;

	if (!make_key(key, "talk/", id, err) || !make_key(at, at_prefix, id, err) ||
	    !json_write(&text, body, err) ||
	    !coord_now_ms(m->o.coordination, &now_ms, err))
		return false;
	(void)snprintf(now, sizeof now, "%lld", (long long)now_ms);
	if (!coord_claim(m->o.coordination, at, now, m->o.keep_ms, &is_new, NULL, err) ||
	    !coord_put(m->o.coordination, key, text.data, m->o.keep_ms, err) ||
	    !coord_put(m->o.coordination, at, now, m->o.keep_ms, err))
		return false;
	return !is_new || m->o.at_most == 0 || make_room(m, id, err);
}

/* --- one at a time --- */

static bool lock(struct memory *m, const char *id, int64_t *ret_fence, struct error *err)
{
	char name[COORD_KEY_MAX + 1];
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };

	if (!make_key(name, "talk-lock/", id, err))
		return false;
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!coord_lease(m->o.coordination, name, m->holder, MEMORY_LOCK_MS,
				 ret_fence, err))
			return false;
		if (*ret_fence != 0)
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return error_set(err, ERR_BACKEND_UNAVAILABLE,
			 "another process has the conversation '%s'", id);
}

static void unlock(struct memory *m, const char *id, int64_t fence)
{
	char name[COORD_KEY_MAX + 1];
	struct error ignored = ERROR_INIT;

	if (make_key(name, "talk-lock/", id, &ignored))
		(void)coord_lease_release(m->o.coordination, name, fence, &ignored);
}

static bool add_id(void *context, const char *key, const char *value)
{
	(void)value;
	return json_array_append_new(context, json_string(key + sizeof at_prefix - 1)) ==
	       0;
}

static bool list(struct memory *m, const char *prefix, json_t *ids, struct error *err)
{
	char key[COORD_KEY_MAX + 1];

	return make_key(key, at_prefix, prefix, err) &&
	       coord_scan(m->o.coordination, key, add_id, ids, err);
}

static bool sweep(struct memory *m, struct error *err)
{
	(void)m;
	(void)err;
	return true;
}

const struct memory_store memory_coordination = { get, put, lock, unlock, list, sweep };
