/* The streams of a session: one standing, and one for each request that has something to
 * say before its response. */
#include "mcp/session_private.h"

/* ---- Under the lock ---- */

static void forget(struct session *s, struct outlet *c)
{
	TAILQ_REMOVE(&s->outlets, c, entry);
	s->outlet_count--;
	outlet_done(c);
	free(c);
}

void session_free_streams(struct session *s)
{
	struct outlet *c;

	outlet_done(&s->standing);
	while ((c = TAILQ_FIRST(&s->outlets)))
		forget(s, c);
}

void session_end_streams(struct session *s, bool is_graceful)
{
	struct outlet *c;

	/* The responses of HTTP+SSE come on the standing one. */
	if (!is_graceful || !s->is_sse || LIST_EMPTY(&s->runs))
		outlet_hang_up(&s->standing);
	TAILQ_FOREACH(c, &s->outlets, entry)
	{
		if (!is_graceful)
			outlet_hang_up(c);
	}
}

/* The oldest that is over, rather one that was read to its end; NULL: none. */
static struct outlet *over(const struct session *s, const struct outlet *but)
{
	struct outlet *c, *found = NULL;

	TAILQ_FOREACH(c, &s->outlets, entry)
	{
		if (!c->is_over || (but && c->number == but->number))
			continue;
		if (c->sent == c->last)
			return c;
		if (!found)
			found = c;
	}
	return found;
}

static size_t kept_bytes(const struct session *s)
{
	const struct outlet *c;
	size_t bytes = s->standing.bytes;

	TAILQ_FOREACH(c, &s->outlets, entry)
	{
		bytes += c->bytes;
	}
	return bytes;
}

/* Something was said on 'c': within the limits again, at the cost of what is over. */
static void trim(struct session *s, struct outlet *c)
{
	struct outlet *old;
	size_t bytes;

	outlet_trim(c, SESSION_EVENTS_MAX, SESSION_EVENT_BYTES_MAX);
	while ((bytes = kept_bytes(s)) > SESSION_EVENT_BYTES_MAX && (old = over(s, c)))
		forget(s, old);
	if (bytes > SESSION_EVENT_BYTES_MAX) {
		size_t others = bytes - c->bytes;

		outlet_trim(c, SESSION_EVENTS_MAX,
			    others < SESSION_EVENT_BYTES_MAX
				    ? SESSION_EVENT_BYTES_MAX - others
				    : 0);
	}
}

bool session_say_locked(struct session *s, struct outlet *c, enum outlet_kind kind,
			const char *message, size_t length)
{
	/* Sent first: a long one is kept no longer than it takes to send it. */
	bool good = outlet_say(c, kind, message, length);

	trim(s, c);
	return good && (c->is_bare || outlet_has_newest(c));
}

/* ---- Of requests ---- */

struct outlet *session_open(struct session *s)
{
	struct outlet *c = NULL, *old;

	session_lock(s);
	if (s->outlet_count >= SESSION_STREAMS_MAX && (old = over(s, NULL)))
		forget(s, old);
	if (!s->has_ended && s->outlet_count < SESSION_STREAMS_MAX)
		c = calloc(1, sizeof *c);
	if (c) {
		outlet_init(c, ++s->last_outlet);
		c->is_primed = legacy_has_priming(s->client.revision);
		TAILQ_INSERT_TAIL(&s->outlets, c, entry);
		s->outlet_count++;
	}
	session_unlock(s);
	return c;
}

void session_join(struct session *s, struct outlet *c, struct http_stream *stream)
{
	session_lock(s);
	if (stream)
		outlet_attach(c, stream, -1);
	session_unlock(s);
}

bool session_say(struct session *s, struct outlet *c, enum outlet_kind kind,
		 const char *message, size_t length)
{
	session_lock(s);
	bool good = session_say_locked(s, c, kind, message, length);
	session_unlock(s);
	return good;
}

void session_hang_up(struct session *s, struct outlet *c)
{
	session_lock(s);
	outlet_hang_up(c);
	session_unlock(s);
}

bool session_finish(struct session *s, struct outlet *c, const char *message,
		    size_t length)
{
	session_lock(s);
	bool good = !message || session_say_locked(s, c, OUTLET_WEIGHTY, message, length);
	if (good)
		outlet_finish(c);
	session_unlock(s);
	return good;
}

/* ---- The standing one, and reading on ---- */

/* The stream that an event is of; NULL: of none, or it cannot go on behind it. */
static struct outlet *find(struct session *s, const char *last_event_id,
			   int64_t *ret_number)
{
	int64_t outlet;
	struct outlet *c = &s->standing;

	if (!outlet_read_id(last_event_id, &outlet, ret_number))
		return NULL;
	if (outlet != OUTLET_STANDING)
		TAILQ_FOREACH(c, &s->outlets, entry)
		{
			if (c->number == outlet)
				break;
		}
	return c && outlet_can_resume(c, *ret_number) ? c : NULL;
}

bool session_can_resume(struct session *s, const char *last_event_id)
{
	int64_t number;

	session_lock(s);
	bool good = find(s, last_event_id, &number) != NULL;
	session_unlock(s);
	return good;
}

void session_attach(struct session *s, struct http_stream *stream,
		    const char *last_event_id)
{
	struct outlet *c = &s->standing;
	int64_t number = -1;

	session_lock(s);
	/* Judged before; what was forgotten since then is gone. */
	if (last_event_id)
		c = find(s, last_event_id, &number);
	if (!c || s->has_ended) {
		http_stream_end(stream);
		http_stream_unref(stream);
	} else {
		outlet_attach(c, stream, number);
	}
	session_unlock(s);
}

bool session_send(struct session *s, const char *message, size_t length)
{
	session_lock(s);
	bool good = (!s->has_ended || s->is_sse) &&
		    outlet_say(&s->standing, OUTLET_WEIGHTY, message, length);
	if (good)
		trim(s, &s->standing);
	session_unlock(s);
	return good;
}
