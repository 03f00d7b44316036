#include "base/clock.h"
#include "link/http/http_client_stream.h"
#include "mcp/client/client_private.h"
#include "mcp/header_value.h"
#include "mcp/param_headers.h"
#include "wire/sse.h"

enum {
	RESUMES_MAX = 5, /* in a row that brought nothing */
	RESUME_WAIT_MS = 1000,
	RESUME_WAIT_MIN_MS = 20,
	RESUME_WAIT_MAX_MS = 60 * 1000,
	CANCEL_POLL_MS = 10,
	HEADERS_MAX = 10 + PARAM_HEADERS_MAX,
};

/* A request under way, over one connection or, resumed, several. */
struct exchange {
	struct mcp_client *c;
	struct client_request *r;
	enum mcp_era era;
	long long id;
	const struct client_session *session; /* NULL: modern, or initialize */
	struct http_client_header headers[HEADERS_MAX + 1];
	struct strbuf name; /* Mcp-Name, encoded */
	struct sse_reader events;
	size_t bytes; /* of all that came */
	unsigned resumes;
};

size_t client_http_session_headers(const struct client_session *s,
				   struct http_client_header *headers, size_t at)
{
	if (!s)
		return at;
	headers[at++] = (struct http_client_header){ "MCP-Protocol-Version", s->version };
	if (*s->id)
		headers[at++] = (struct http_client_header){ "Mcp-Session-Id", s->id };
	return at;
}

static size_t modern_headers(struct exchange *x, size_t at)
{
	const struct client_request *r = x->r;
	const char *next = r->mirror.data, *end = next + r->mirror.length;

	x->headers[at++] =
		(struct http_client_header){ "MCP-Protocol-Version", REVISION_2026 };
	x->headers[at++] = (struct http_client_header){ "Mcp-Method", r->method };
	if (r->name) {
		header_value_encode(&x->name, r->name, strlen(r->name));
		x->headers[at++] =
			(struct http_client_header){ "Mcp-Name", x->name.data };
	}
	while (next < end && at < HEADERS_MAX) {
		const char *value = next + strlen(next) + 1;

		x->headers[at++] = (struct http_client_header){ next, value };
		next = value + strlen(value) + 1;
	}
	return at;
}

static bool make_headers(struct exchange *x, struct error *err)
{
	size_t at = 0;

	x->headers[at++] =
		(struct http_client_header){ "Content-Type", "application/json" };
	x->headers[at++] = (struct http_client_header){ "Accept", CLIENT_ACCEPT };
	if (x->era == MCP_ERA_MODERN)
		modern_headers(x, at);
	else
		client_http_session_headers(x->session, x->headers, at);
	return strbuf_ok(&x->name) || error_oom(err);
}

static int64_t silence_ends_ms(const struct exchange *x)
{
	int64_t idle_ms = x->r->idle_ms ? clock_mono_ms() + x->r->idle_ms : INT64_MAX;

	return idle_ms < x->r->until_ms ? idle_ms : x->r->until_ms;
}

/* ---- Whole bodies ---- */

static bool read_whole(struct exchange *x, struct http_client_stream *s,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct error why = ERROR_INIT;
	enum http_client_got got;
	const char *bytes;
	size_t length;

	while ((got = http_client_stream_read(s, silence_ends_ms(x), &bytes, &length,
					      err)) == HTTP_CLIENT_DATA) {
		if (length > CLIENT_MESSAGE_MAX - body.length)
			return error_set(err, ERR_UNKNOWN_OUTCOME,
					 "the server's answer is too long");
		strbuf_add(&body, bytes, length);
	}
	if (got == HTTP_CLIENT_FAILED)
		return false;
	if (!strbuf_ok(&body))
		return error_oom(err);
	x->r->answer = json_parse(body.data, body.length, JSON_SYNTAX, &why);
	if (!x->r->answer)
		(void)snprintf(x->r->why, sizeof x->r->why, "%.150s", why.message);
	/* A batch of one is what some servers of 2025-03-26 make of an answer. */
	if (json_array_size(x->r->answer) == 1 && x->era == MCP_ERA_LEGACY) {
		json_t *one = json_incref(json_array_get(x->r->answer, 0));

		json_decref(x->r->answer);
		x->r->answer = one;
	}
	return true;
}

/* ---- Event streams ---- */

static void take_message(struct exchange *x, json_t *body)
{
	_cleanup_strbuf_ struct strbuf reply = STRBUF_INIT;
	struct error why = ERROR_INIT;
	struct jsonrpc_message m;
	const json_t *id = NULL;

	if (!jsonrpc_read(body, &m, &id, &why))
		return;
	if (m.kind == JSONRPC_NOTIFICATION && x->r->heard) {
		x->r->heard(x->r->heard_context, &m, x->id);
	} else if (m.kind == JSONRPC_NOTIFICATION) {
		client_notified(x->c, &m);
	} else if (m.kind == JSONRPC_REQUEST) {
		/* A modern server has no business asking (C-15). */
		if (x->era != MCP_ERA_LEGACY)
			return;
		client_serve(x->c, &m, &reply);
		client_legacy_tell(x->c, &reply);
	} else if (client_is_answer(&m, x->id) || x->era == MCP_ERA_MODERN) {
		x->r->answer = json_incref(body);
	}
}

static void take_event(struct exchange *x, const struct sse_event *e)
{
	struct error why = ERROR_INIT;
	json_auto_t *body = NULL;
	json_t *one;
	size_t i;

	if (e->length == 0)
		return;
	body = json_parse(e->data, e->length, JSON_SYNTAX, &why);
	if (!json_is_array(body)) {
		take_message(x, body);
		return;
	}
	json_array_foreach(body, i, one)
	{
		if (!x->r->answer)
			take_message(x, one);
	}
}

/* Until the answer, or the end of this stream; false: it broke. */
static bool read_events(struct exchange *x, struct http_client_stream *s,
			struct error *err)
{
	enum http_client_got got;
	struct sse_event e;
	const char *bytes;
	size_t length;

	while ((got = http_client_stream_read(s, silence_ends_ms(x), &bytes, &length,
					      err)) == HTTP_CLIENT_DATA) {
		enum sse_got event;

		x->bytes += length;
		if (x->bytes > CLIENT_STREAM_MAX)
			return error_set(err, ERR_UNKNOWN_OUTCOME,
					 "the server's answer has no end");
		sse_reader_feed(&x->events, bytes, length);
		while ((event = sse_reader_next(&x->events, &e, err)) == SSE_EVENT) {
			x->resumes = 0;
			take_event(x, &e);
			if (x->r->answer)
				return true;
		}
		if (event == SSE_BAD)
			return false;
	}
	return got == HTTP_CLIENT_END;
}

static bool is_cancelled(const struct client_request *r)
{
	return r->cancel && atomic_load_explicit(r->cancel, memory_order_relaxed);
}

/* Sleep, unless there is no time for it or nobody waits. */
static bool wait_to_resume(const struct exchange *x)
{
	int64_t wait_ms = x->events.retry_ms < 0                    ? RESUME_WAIT_MS
			  : x->events.retry_ms > RESUME_WAIT_MAX_MS ? RESUME_WAIT_MAX_MS
								    : x->events.retry_ms;
	int64_t until_ms = clock_mono_ms() +
			   (wait_ms < RESUME_WAIT_MIN_MS ? RESUME_WAIT_MIN_MS : wait_ms);

	while (clock_mono_ms() < until_ms) {
		if (is_cancelled(x->r) || clock_mono_ms() >= x->r->until_ms)
			return false;
		(void)usleep(CANCEL_POLL_MS * 1000);
	}
	return true;
}

static int64_t left_ms(const struct client_request *r)
{
	int64_t left = r->until_ms - clock_mono_ms();

	return left < 1 ? 1 : left > INT32_MAX ? INT32_MAX : left;
}

/* Forget what the broken stream left unfinished, but not where it was. */
static void renew_reader(struct exchange *x, struct strbuf *last_id)
{
	int64_t retry_ms = x->events.retry_ms;

	strbuf_clear(last_id);
	strbuf_add(last_id, x->events.last_id.data, x->events.last_id.length);
	sse_reader_done(&x->events);
	sse_reader_init(&x->events, CLIENT_MESSAGE_MAX);
	x->events.retry_ms = retry_ms;
	strbuf_add(&x->events.last_id, last_id->data, last_id->length);
}

/* The rest of a stream that ended early, where the server gave its events ids. */
static bool resume(struct exchange *x, struct strbuf *last_id, struct error *err)
{
	struct http_client_header headers[6] = { { "Accept", "text/event-stream" },
						 { "Last-Event-ID", last_id->data } };
	_cleanup_(secret_freep) struct secret *owner = NULL;
	struct http_client_request req = {
		.method = "GET",
		.url = x->c->url,
		.headers = headers,
		.timeout_ms = left_ms(x->r),
		.cancel = x->r->cancel,
	};

	client_http_session_headers(x->session, headers, 2);
	if (!client_bearer(x->c, NULL, x->r->cancel, x->r->until_ms, &req.bearer, &owner,
			   err))
		return false;
	_cleanup_(http_client_stream_closep) struct http_client_stream *s =
		http_client_stream_open(x->c->http, &req, NULL, err);
	if (!s)
		return false;
	if (http_client_stream_status(s) != 200 ||
	    strcmp(http_client_stream_type(s), "text/event-stream") != 0) {
		x->resumes = RESUMES_MAX;
		return error_set(err, ERR_UNKNOWN_OUTCOME,
				 "the server does not go on with its answer (HTTP %d)",
				 http_client_stream_status(s));
	}
	return read_events(x, s, err);
}

/* '*good': whether the stream ended in order. */
static bool read_to_the_answer(struct exchange *x, struct http_client_stream *s,
			       struct error *err)
{
	_cleanup_strbuf_ struct strbuf last_id = STRBUF_INIT;
	bool good = read_events(x, s, err);

	while (!x->r->answer && x->session && x->events.last_id.length > 0 &&
	       !x->events.is_bad && x->resumes++ < RESUMES_MAX && wait_to_resume(x)) {
		error_clear(err);
		renew_reader(x, &last_id);
		good = resume(x, &last_id, err);
	}
	if (!x->r->answer && good)
		(void)snprintf(x->r->why, sizeof x->r->why,
			       "the stream ended before the response");
	return x->r->answer || good;
}

static bool run(struct exchange *x, const struct strbuf *body, char *ret_session,
		struct error *err)
{
	struct client_request *r = x->r;
	_cleanup_(secret_freep) struct secret *owner = NULL;
	const char *bearer = NULL;

	if (!client_bearer(x->c, &r->authorization, r->cancel, r->until_ms, &bearer,
			   &owner, err))
		return false;
	const struct http_client_request req = {
		.method = "POST",
		.url = x->c->url,
		.headers = x->headers,
		.bearer = bearer,
		.body = body->data,
		.body_bytes = body->length,
		.timeout_ms = r->idle_ms && r->idle_ms < left_ms(r) ? r->idle_ms
								    : left_ms(r),
		.cancel = r->cancel,
	};
	_cleanup_(http_client_stream_closep) struct http_client_stream *s =
		http_client_stream_open(x->c->http, &req, &r->sent, err);

	if (!s)
		return false;
	r->status = http_client_stream_status(s);
	if (x->c->oauth)
		client_oauth_note(x->c->oauth, &r->authorization, s);
	if (ret_session) {
		const char *id = http_client_stream_header(s, "Mcp-Session-Id", 0);

		(void)snprintf(ret_session, CLIENT_SESSION_MAX + 1, "%s",
			       id && strlen(id) <= CLIENT_SESSION_MAX ? id : "");
	}
	if (strcmp(http_client_stream_type(s), "text/event-stream") == 0)
		return read_to_the_answer(x, s, err);
	return read_whole(x, s, err);
}

static bool exchange(struct mcp_client *c, struct client_request *r, enum mcp_era era,
		     long long id, const struct strbuf *body,
		     const struct client_session *session, char *ret_session,
		     struct error *err)
{
	struct exchange x = { .c = c,
			      .r = r,
			      .era = era,
			      .id = id,
			      .session = session,
			      .name = STRBUF_INIT };
	bool good;

	sse_reader_init(&x.events, CLIENT_MESSAGE_MAX);
	good = make_headers(&x, err) && run(&x, body, ret_session, err);
	sse_reader_done(&x.events);
	strbuf_done(&x.name);
	return good;
}

bool client_http_exchange(struct mcp_client *c, struct client_request *r,
			  enum mcp_era era, long long id, const struct strbuf *body,
			  struct error *err)
{
	struct client_session session;
	bool in_session = era == MCP_ERA_LEGACY && client_legacy_session(c, &session);

	return exchange(c, r, era, id, body, in_session ? &session : NULL, NULL, err);
}

bool client_http_initialize(struct mcp_client *c, struct client_request *r, long long id,
			    const struct strbuf *body,
			    char ret_id[CLIENT_SESSION_MAX + 1], struct error *err)
{
	return exchange(c, r, MCP_ERA_LEGACY, id, body, NULL, ret_id, err);
}
