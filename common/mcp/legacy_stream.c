/* Talking about a request of a session before its response, and giving that. */
#include "mcp/serving.h"
#include "mcp/session_private.h"

static const char EVENTS[] = "text/event-stream";

bool legacy_is_silenced(const struct exchange *x)
{
	return atomic_load(&x->is_cancelled) && !x->is_committed;
}

/* ---- Under way ---- */

void legacy_begin(struct exchange *x)
{
	session_lock(x->session);
	LIST_INSERT_HEAD(&x->session->runs, x, in_session);
	x->is_listed = true;
	session_unlock(x->session);
}

static void unlist(struct exchange *x)
{
	struct session *s = x->session;

	session_lock(s);
	LIST_REMOVE(x, in_session);
	x->is_listed = false;
	/* It ended before, but let this one be answered. */
	if (s->has_ended && LIST_EMPTY(&s->runs))
		outlet_hang_up(&s->standing);
	session_unlock(s);
}

void legacy_leave(struct exchange *x)
{
	if (x->is_listed)
		unlist(x);
	if (x->outlet)
		(void)session_finish(x->session, TAKE(x->outlet), NULL, 0);
	json_decref(x->wait.keys);
	json_decref(x->wait.answers);
	json_decref(x->responses);
}

/* ---- Its stream ---- */

struct outlet *legacy_outlet(const struct exchange *x)
{
	return x->batch ? legacy_batch_whole(x->batch)->outlet : x->outlet;
}

bool legacy_open(struct exchange *x)
{
	if (x->batch)
		return legacy_batch_open(x->batch);
	if (x->outlet || session_is_sse(x->session))
		return true;
	if (!x->http ||
	    !exchange_accepts(http_request_header(x->http, "Accept"), EVENTS, "text/*"))
		return false;
	x->outlet = session_open(x->session);
	if (!x->outlet)
		return false;
	struct http_stream *stream =
		http_reply_stream(TAKE(x->http), 200, EVENTS, NULL, NULL, NULL);
	/* Without one the client was told that the server is too busy, and will not come
	 * back for this. */
	if (!stream)
		atomic_store(&x->is_cancelled, true);
	session_join(x->session, x->outlet, stream);
	return true;
}

bool legacy_talk(const struct exchange *x, const struct strbuf *message)
{
	struct outlet *c = legacy_outlet(x);

	return c ? session_say(x->session, c, OUTLET_LIGHT, message->data,
			       message->length)
		 : session_send(x->session, message->data, message->length);
}

bool legacy_say(struct exchange *x, const struct strbuf *message)
{
	if (!strbuf_ok(message) || legacy_is_silenced(x) || !legacy_open(x))
		return false;
	return legacy_talk(x, message);
}

void legacy_hang_up(struct exchange *x)
{
	/* Who was given no event to come back with would wait in vain. */
	if (legacy_has_priming(x->revision) && !session_is_sse(x->session) &&
	    legacy_open(x))
		session_hang_up(x->session, legacy_outlet(x));
}

/* ---- The response ---- */

static const char *const too_long =
	"it was done, but the response is too long to be kept "
	"until the client comes back";

/* False: there is nobody who reads it now, and it is too long to be kept. */
static bool say_last(struct exchange *x, const struct strbuf *body)
{
	if (x->outlet)
		return session_finish(x->session, x->outlet, body ? body->data : NULL,
				      body ? body->length : 0);
	if (body)
		(void)session_send(x->session, body->data, body->length);
	return true;
}

/* 'body' NULL: the request has no response. One that could not be written is empty. */
static void finish(struct exchange *x, const struct strbuf *body)
{
	_cleanup_strbuf_ struct strbuf excuse = STRBUF_INIT;
	const char *why = "out of memory";

	if (!body || legacy_is_silenced(x)) {
		(void)say_last(x, NULL);
		return;
	}
	if (strbuf_ok(body) && body->length > 0) {
		if (say_last(x, body))
			return;
		why = too_long;
	}
	jsonrpc_write_error(&excuse, x->message.id, JSONRPC_INTERNAL_ERROR, why, NULL);
	if (!strbuf_ok(&excuse) || !say_last(x, &excuse))
		(void)say_last(x, NULL);
}

/* Cancelled: there is a reply, but no response in it. */
static void reply_nothing(struct exchange *x)
{
	struct http_stream *stream =
		http_reply_stream(exchange_leave(x, 200), 200, EVENTS, NULL, NULL, NULL);

	if (!stream)
		return;
	http_stream_end(stream);
	http_stream_unref(stream);
}

bool legacy_send(struct exchange *x, unsigned status, const struct strbuf *body)
{
	if (x->is_listed && x->http && legacy_is_silenced(x)) {
		reply_nothing(x);
		return true;
	}
	if (x->http)
		return false;
	/* First, so that a client's next call finds its place free. */
	if (x->is_entered)
		callers_leave(&x->service->callers, x->caller.client);
	x->is_entered = false;
	finish(x, body);
	x->outlet = NULL; /* the session's, and perhaps gone */
	(void)exchange_leave(x, status);
	return true;
}

/* ---- notifications/cancelled ---- */

/* One that waits has no thread, and is ours to end. */
static struct exchange *find(struct session *s, const json_t *id)
{
	union {
		const json_t *in;
		json_t *out;
	} wanted = { .in = id }, of = { 0 };
	struct exchange *x;

	LIST_FOREACH(x, &s->runs, in_session)
	{
		of.in = x->message.id;
		if (json_equal(of.out, wanted.out))
			return x;
	}
	return NULL;
}

void legacy_cancel(struct session *s, const json_t *params)
{
	const json_t *id = json_object_get(params, "requestId");
	struct legacy_waits waits;

	LIST_INIT(&waits);
	if (!id)
		return;
	session_lock(s);
	struct exchange *x = find(s, id);
	if (x) {
		atomic_store(&x->is_cancelled, true);
		legacy_waits_take_one(x, &waits);
	}
	session_unlock(s);
	legacy_waits_fail(&waits, "the request was cancelled");
}
