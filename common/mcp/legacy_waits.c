/* Requests of sessions that wait for their client's answers: how many there may be, and
 * those to which none will come. */
#include "mcp/serving.h"
#include "mcp/session_private.h"

/* ---- Room for one more; all under the lock ---- */

/* Somebody reads its stream, as far as is known. */
static bool is_read(const struct legacy_wait *w)
{
	const struct outlet *outlet = legacy_outlet(w->x);

	if (!outlet)
		outlet = &w->x->session->standing;
	return outlet->stream && !http_stream_is_closed(outlet->stream);
}

size_t legacy_waits_forsaken(const struct session *s)
{
	const struct legacy_wait *w;
	size_t count = 0;

	LIST_FOREACH(w, &s->waits, entry)
	{
		count += !is_read(w);
	}
	return count;
}

/* How many of this client wait, and the one that has done so longest with nobody there. */
static size_t count_waits(const struct session *of, struct legacy_wait **ret_forsaken)
{
	struct legacy_wait *w;
	struct session *s;
	size_t count = 0;

	*ret_forsaken = NULL;
	for (size_t i = 0; i < SESSION_BUCKETS; i++)
		LIST_FOREACH(s, &of->all->buckets[i], in_bucket)
		{
			if (strcmp(s->principal, of->principal) != 0 ||
			    strcmp(s->client_id, of->client_id) != 0)
				continue;
			LIST_FOREACH(w, &s->waits, entry)
			{
				count++;
				if (!is_read(w) &&
				    (!*ret_forsaken ||
				     w->until_ms < (*ret_forsaken)->until_ms))
					*ret_forsaken = w;
			}
		}
	return count;
}

bool legacy_waits_have_room(struct session *s, struct legacy_waits *ret_given_up,
			    struct error *err)
{
	struct legacy_wait *forsaken;

	if (count_waits(s, &forsaken) < LEGACY_WAITS_MAX)
		return true;
	if (!forsaken)
		return error_set(err, ERR_RATE_LIMITED,
				 "this client has too many calls that wait for its "
				 "answers already");
	legacy_waits_take_one(forsaken->x, ret_given_up);
	return true;
}

/* ---- None will come ---- */

void legacy_wait_take(struct session *s, struct legacy_wait *w)
{
	LIST_REMOVE(w, entry);
	s->question_count -= json_object_size(w->keys);
}

void legacy_waits_take_one(struct exchange *x, struct legacy_waits *ret)
{
	struct legacy_wait *w;

	LIST_FOREACH(w, &x->session->waits, entry)
	{
		if (w->x == x)
			break;
	}
	if (!w)
		return;
	legacy_wait_take(x->session, w);
	LIST_INSERT_HEAD(ret, w, entry);
}

void legacy_waits_take(struct session *s, struct legacy_waits *ret)
{
	struct legacy_wait *w;

	while ((w = LIST_FIRST(&s->waits)))
		legacy_waits_take_one(w->x, ret);
}

void legacy_waits_take_late(struct session *s, int64_t now_ms, struct legacy_waits *ret,
			    int64_t *next_ms)
{
	struct legacy_wait *w, *next;

	for (w = LIST_FIRST(&s->waits); w; w = next) {
		next = LIST_NEXT(w, entry);
		if (now_ms >= w->until_ms)
			legacy_waits_take_one(w->x, ret);
		else if (w->until_ms < *next_ms)
			*next_ms = w->until_ms;
	}
}

/* The client need not show them any more. */
void legacy_wait_withdraw(struct exchange *x, const char *why)
{
	const char *id;
	json_t *key;

	json_object_foreach(x->wait.keys, id, key)
	{
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		strbuf_add_format(&text,
				  "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
				  "cancelled\",\"params\":{\"requestId\":\"%s\","
				  "\"reason\":\"%s\"}}",
				  id, why);
		if (strbuf_ok(&text))
			(void)legacy_talk(x, &text);
	}
}

void legacy_waits_fail(struct legacy_waits *waits, const char *why)
{
	struct legacy_wait *w;

	while ((w = LIST_FIRST(waits))) {
		struct exchange *x = w->x;
		struct error err = ERROR_INIT;

		LIST_REMOVE(w, entry);
		legacy_wait_withdraw(x, why);
		error_set(&err, ERR_TIMEOUT, "%s, so nothing was done", why);
		legacy_fail(x, &err);
	}
}
