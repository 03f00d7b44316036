/*
 * HTTP+SSE, the transport of 2024-11-05: GET /sse is the session, whose first event names
 * where to POST; every message to the server is posted there and accepted with 202; every
 * message of the server comes on the stream. The session ends with the stream.
 */
#include "mcp/serving.h"

#include "base/clock.h"
#include "wire/sse.h"

static const char EVENTS[] = "text/event-stream";
static const char QUERY[] = "sessionId";

static void refuse(struct exchange *x, unsigned status, int code, const char *message)
{
	struct refusal refusal = { 0 };

	refusal_set(&refusal, status, code, "%s", message);
	exchange_refuse(x, &refusal);
}

static void refuse_method(struct exchange *x, const char *allowed)
{
	const struct http_header allow[] = { { "Allow", allowed }, { NULL, NULL } };

	exchange_send(x, 405, allow, NULL);
}

/* ---- GET /sse ---- */

static void on_closed(void *context, enum http_stream_why why)
{
	struct session *s = context;

	(void)why;
	session_end(s);
	session_unref(s);
}

static bool send_endpoint(struct http_stream *stream, const char *id)
{
	_cleanup_strbuf_ struct strbuf uri = STRBUF_INIT, event = STRBUF_INIT;

	strbuf_add_format(&uri, "/messages?%s=%s", QUERY, id);
	sse_write(&event, "endpoint", NULL, -1, uri.data, uri.length);
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *bytes =
		strbuf_ok(&uri) ? shared_bytes_take(&event) : NULL;
	return bytes && http_stream_send(stream, bytes);
}

static void open_session(struct exchange *x)
{
	struct error err = ERROR_INIT;
	_cleanup_(session_unrefp) struct session *s = session_start(
		x->service->sessions, &x->caller, NULL, clock_mono_ms(), &err);

	if (!s) {
		refuse(x, 503, JSONRPC_INTERNAL_ERROR, err.message);
		return;
	}
	struct http_request *http = exchange_leave(x, 200);
	struct http_stream *stream =
		http_reply_stream(http, 200, EVENTS, NULL, on_closed, session_ref(s));
	if (!stream) { /* and on_closed will not be called */
		session_end(s);
		session_unref(s);
		return;
	}
	if (!send_endpoint(stream, session_id(s)))
		session_end(s);
	session_attach(s, stream, NULL);
}

static void get(struct exchange *x)
{
	if (x->from_gate)
		refuse(x, 400, JSONRPC_INVALID_REQUEST, "the gate speaks " REVISION_2026);
	else if (!exchange_accepts(http_request_header(x->http, "Accept"), EVENTS,
				   "text/*"))
		refuse(x, 406, JSONRPC_INVALID_REQUEST,
		       "Accept must list text/event-stream");
	else
		open_session(x);
}

/* ---- POST /messages ---- */

static bool enter(struct exchange *x)
{
	const char *id = http_request_query(x->http, QUERY);

	x->revision = LEGACY_2024_11_05;
	if (!id) {
		refuse(x, 400, JSONRPC_INVALID_REQUEST,
		       "the query names no session: begin with GET /sse");
		return false;
	}
	x->session = session_find(x->service->sessions, id, &x->caller, clock_mono_ms());
	if (!x->session || !session_is_sse(x->session)) {
		refuse(x, 404, JSONRPC_INVALID_REQUEST, "Session not found");
		return false;
	}
	x->revision = session_client(x->session).revision;
	return true;
}

/* Each is answered by itself on the stream. */
static void post_batch(struct exchange *x)
{
	struct http_request *http = TAKE(x->http);
	json_t *value;
	size_t i;

	json_array_foreach(x->body, i, value)
	{
		struct exchange *m = exchange_new(x->service, NULL);

		if (!m)
			break; /* the client waits for what it gets no answer to */
		(void)snprintf(m->request, sizeof m->request, "%s", x->request);
		m->caller = x->caller;
		m->is_oauth = x->is_oauth;
		m->revision = x->revision;
		m->contract = x->contract;
		m->session = session_ref(x->session);
		m->body = json_incref(value);
		legacy_member(m, value);
	}
	exchange_drop(x);
	http_reply(http, 202, NULL, NULL, NULL);
}

static bool check_batch(struct exchange *x)
{
	size_t count = json_array_size(x->body);

	if (legacy_has_batches(x->revision) && count > 0 && count <= LEGACY_BATCH_MAX)
		return true;
	refuse(x, 400, JSONRPC_INVALID_REQUEST,
	       "only 2025-03-26 has batches, of 1 to 32 messages");
	return false;
}

static void post(struct exchange *x)
{
	if (!exchange_check_media(x) || !enter(x) || !exchange_parse(x))
		return;
	if (json_is_array(x->body)) {
		if (check_batch(x))
			post_batch(x);
		return;
	}
	if (!exchange_read(x))
		return;
	/* Accepted; from here on all is said on the stream. */
	http_reply(TAKE(x->http), 202, NULL, NULL, NULL);
	legacy_message(x);
}

void legacy_sse(struct exchange *x)
{
	const char *path = http_request_path(x->http);
	const char *verb = http_request_method(x->http);

	if (strcmp(path, "/sse") == 0 && strcmp(verb, "GET") == 0)
		get(x);
	else if (strcmp(path, "/sse") == 0)
		refuse_method(x, "GET");
	else if (strcmp(verb, "POST") == 0)
		post(x);
	else
		refuse_method(x, "POST");
}
