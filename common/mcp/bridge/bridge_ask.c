#include "base/clock.h"
#include "base/log.h"
#include "mcp/bridge/bridge_private.h"

enum {
	RESUMES_MAX = 5, /* in a row that brought nothing */
	RESUME_WAIT_MS = 1000,
	RESUME_WAIT_MAX_MS = 60 * 1000,
};

/* A request under way, over one connection or, resumed, several. */
struct ask {
	struct bridge_job *j;
	struct bridge *b;
	const atomic_bool *cancel;
	struct bridge_session session; /* number 0: none */
	struct bridge_headers headers;
	struct sse_reader events;
	struct strbuf lines;
	struct strbuf why; /* what to say to those that get no answer */
	int64_t until_ms;
	unsigned resumes;
	bool has_begun; /* the session that was asked for */
	bool again;     /* what went out lacked headers that are known now */
};

void bridge_pause(int64_t pause_ms, const atomic_bool *stop)
{
	int64_t until_ms = clock_mono_ms() + pause_ms;

	while (clock_mono_ms() < until_ms && !atomic_load(stop))
		(void)usleep(BRIDGE_STEP_MS * 1000);
}

static int64_t silence_ends_ms(const struct ask *a)
{
	int64_t silence_ms = clock_mono_ms() + BRIDGE_SILENCE_MS;

	return silence_ms < a->until_ms ? silence_ms : a->until_ms;
}

/* ---- What goes out to the client ---- */

/* The session is ours before the client can speak in it. */
static void begin_session(struct ask *a, struct http_client_stream *s)
{
	struct bridge *b = a->b;

	if (a->has_begun || !*a->j->asked.version)
		return;
	if (!bridge_session_begin(b, http_client_stream_header(s, "Mcp-Session-Id", 0),
				  a->j->asked.version)) {
		strbuf_clear(&a->lines);
		bridge_answer_error(&a->lines, a->j->message.id, JSONRPC_INTERNAL_ERROR,
				    "the server's session id cannot be a header");
		return;
	}
	a->has_begun = true;
	strbuf_clear(&b->initialize);
	strbuf_add(&b->initialize, a->j->line, a->j->length);
}

static void deliver(struct ask *a)
{
	if (!strbuf_ok(&a->lines))
		log_warn("bridge_answer_lost", LOG_STR("message", "out of memory"));
	else if (!atomic_load(&a->j->silent))
		bridge_put(a->b, &a->lines);
	strbuf_clear(&a->lines);
}

static void take(struct ask *a, struct http_client_stream *s, const char *text,
		 size_t length)
{
	bridge_answer_take(&a->j->asked, text, length, &a->lines);
	if (a->j->is_initialize)
		begin_session(a, s);
	deliver(a);
}

static void explain_failure(struct ask *a, const struct error *err, bool sent)
{
	const char *hint = *err->hint                             ? err->hint
			   : err->code == ERR_BACKEND_UNAVAILABLE ? a->b->o->down_hint
								  : NULL;

	strbuf_clear(&a->why);
	strbuf_add_string(&a->why, err->message);
	if (sent)
		strbuf_add_string(&a->why, "; the server may have received the request");
	if (hint)
		strbuf_add_format(&a->why, " (%s)", hint);
}

static void explain_status(struct ask *a, int status)
{
	const char *hint = a->b->o->token_hint;

	strbuf_clear(&a->why);
	if (status == 401)
		strbuf_add_format(&a->why, "the server does not accept the token%s%s",
				  hint ? "; " : "", hint ? hint : "");
	else if (status == 403)
		strbuf_add_string(&a->why, "the token does not allow this");
	else if (status >= 200 && status < 300)
		strbuf_add_string(&a->why,
				  "the server ended its answer before the result came");
	else
		strbuf_add_format(&a->why, "the server answered with HTTP status %d",
				  status);
}

/* ---- Replies ---- */

static void read_whole(struct ask *a, struct http_client_stream *s)
{
	const struct bridge_job *j = a->j;
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct error err = ERROR_INIT;
	enum http_client_got got;
	const char *bytes;
	size_t length;
	int status = http_client_stream_status(s);

	while ((got = http_client_stream_read(s, silence_ends_ms(a), &bytes, &length,
					      &err)) == HTTP_CLIENT_DATA) {
		if (length > STDIO_BRIDGE_MESSAGE_MAX - body.length) {
			strbuf_add_string(&a->why, "the server's answer is too long");
			return;
		}
		strbuf_add(&body, bytes, length);
	}
	if (got == HTTP_CLIENT_FAILED) {
		explain_failure(a, &err, true);
		return;
	}
	explain_status(a, status);
	if (!strbuf_ok(&body))
		return;
	/* 401 is ours to explain: the client cannot do anything about our token. */
	if (status == 401 && a->b->o->token_hint)
		return;
	a->again = status == 400 && j->is_modern &&
		   strcmp(j->message.method, "tools/call") == 0 &&
		   bridge_answer_code(body.data, body.length) ==
			   JSONRPC_HEADER_MISMATCH &&
		   !a->resumes++ && bridge_tools_learn(a->b);
	if (!a->again)
		take(a, s, body.data, body.length);
}

/* Until all is answered, or the end of this stream; false: it broke. */
static bool read_events(struct ask *a, struct http_client_stream *s, struct error *err)
{
	enum http_client_got got;
	struct sse_event e;
	const char *bytes;
	size_t length;

	while ((got = http_client_stream_read(s, silence_ends_ms(a), &bytes, &length,
					      err)) == HTTP_CLIENT_DATA) {
		enum sse_got event;

		sse_reader_feed(&a->events, bytes, length);
		while ((event = sse_reader_next(&a->events, &e, err)) == SSE_EVENT) {
			a->resumes = 0;
			if (e.length > 0)
				take(a, s, e.data, e.length);
			if (!bridge_asked_is_open(&a->j->asked))
				return true;
		}
		if (event == SSE_BAD)
			return false;
	}
	return got == HTTP_CLIENT_END;
}

/* Forget what the broken stream left unfinished, but not where it was. */
static void renew_reader(struct ask *a, struct strbuf *last_id)
{
	int64_t retry_ms = a->events.retry_ms;

	strbuf_clear(last_id);
	strbuf_add(last_id, a->events.last_id.data, a->events.last_id.length);
	sse_reader_done(&a->events);
	sse_reader_init(&a->events, STDIO_BRIDGE_MESSAGE_MAX);
	a->events.retry_ms = retry_ms;
	strbuf_add(&a->events.last_id, last_id->data, last_id->length);
}

/* The rest of a stream that ended early, where the server gave its events ids. */
static bool resume(struct ask *a, const char *last_id, struct error *err)
{
	struct http_client_header headers[5] = { { "Accept", "text/event-stream" },
						 { "Last-Event-ID", last_id },
						 { "MCP-Protocol-Version",
						   a->session.version } };
	const struct http_client_request req = {
		.method = "GET",
		.url = a->b->o->url,
		.headers = headers,
		.bearer = bridge_bearer(a->b),
		.timeout_ms = BRIDGE_BEGIN_MS,
		.cancel = a->cancel,
	};

	if (*a->session.id)
		headers[3] =
			(struct http_client_header){ "Mcp-Session-Id", a->session.id };
	_cleanup_(http_client_stream_closep) struct http_client_stream *s =
		http_client_stream_open(a->b->http, &req, NULL, err);
	if (!s)
		return false;
	if (http_client_stream_status(s) != 200 ||
	    strcmp(http_client_stream_type(s), "text/event-stream") != 0) {
		a->resumes = RESUMES_MAX;
		return error_set(err, ERR_UNKNOWN_OUTCOME,
				 "the server does not go on with its answer (HTTP %d)",
				 http_client_stream_status(s));
	}
	return read_events(a, s, err);
}

static int64_t resume_wait_ms(const struct ask *a)
{
	int64_t wait_ms = a->events.retry_ms;

	return wait_ms < 0                    ? RESUME_WAIT_MS
	       : wait_ms > RESUME_WAIT_MAX_MS ? RESUME_WAIT_MAX_MS
	       : wait_ms < BRIDGE_STEP_MS     ? BRIDGE_STEP_MS
					      : wait_ms;
}

static void read_stream(struct ask *a, struct http_client_stream *s)
{
	_cleanup_strbuf_ struct strbuf last_id = STRBUF_INIT;
	struct error err = ERROR_INIT;
	bool good = read_events(a, s, &err);

	while (bridge_asked_is_open(&a->j->asked) && a->session.number &&
	       a->events.last_id.length > 0 && !a->events.is_bad &&
	       a->resumes++ < RESUMES_MAX && clock_mono_ms() < a->until_ms) {
		bridge_pause(resume_wait_ms(a), a->cancel);
		if (atomic_load(a->cancel))
			break;
		error_clear(&err);
		renew_reader(a, &last_id);
		good = resume(a, last_id.data, &err);
	}
	if (good)
		explain_status(a, 200);
	else
		explain_failure(a, &err, true);
}

/* ---- Sending ---- */

static void make_headers(struct ask *a)
{
	bridge_headers_init(&a->headers);
	if (a->j->is_modern) {
		bridge_tools_mirror(a->b, &a->j->message, &a->headers.mirror);
		bridge_headers_modern(&a->headers, &a->j->message);
	} else if (a->session.number) {
		bridge_headers_session(&a->headers, a->session.version, a->session.id);
	}
}

static void lose_session(struct ask *a)
{
	if (bridge_session_renew(a->b, a->session.number))
		strbuf_add_string(&a->why,
				  "the server has forgotten the session, as it does when "
				  "it is restarted; there is a new one, so send this "
				  "again (log level and subscriptions are to be set "
				  "anew)");
	else
		strbuf_add_string(
			&a->why,
			"the server has forgotten the session and does not begin "
			"another like it; send this again later, or start this "
			"connection anew");
}

static void send_once(struct ask *a)
{
	const struct bridge_job *j = a->j;
	const struct http_client_request req = {
		.method = "POST",
		.url = a->b->o->url,
		.headers = a->headers.list,
		.bearer = bridge_bearer(a->b),
		.body = j->line,
		.body_bytes = j->length,
		.timeout_ms = j->is_initialize ? BRIDGE_BEGIN_MS : BRIDGE_HEAD_MS,
		.cancel = a->cancel,
	};
	struct error err = ERROR_INIT;
	bool sent = false;
	_cleanup_(http_client_stream_closep) struct http_client_stream *s =
		http_client_stream_open(a->b->http, &req, &sent, &err);

	if (!s)
		explain_failure(a, &err, sent);
	else if (http_client_stream_status(s) == 404 && a->session.number)
		lose_session(a);
	else if (strcmp(http_client_stream_type(s), "text/event-stream") == 0)
		read_stream(a, s);
	else
		read_whole(a, s);
}

static bool run(struct ask *a)
{
	struct bridge_job *j = a->j;

	a->until_ms = j->asked.is_listen ? INT64_MAX : clock_mono_ms() + BRIDGE_REPLY_MS;
	sse_reader_init(&a->events, STDIO_BRIDGE_MESSAGE_MAX);
	if (!j->is_modern && !j->is_initialize)
		(void)bridge_session_get(a->b, &a->session);
	do {
		a->again = false;
		strbuf_clear(&a->why);
		make_headers(a);
		send_once(a);
		bridge_headers_done(&a->headers);
	} while (a->again && !atomic_load(a->cancel));
	if (atomic_load(a->cancel)) {
		strbuf_clear(&a->why);
		strbuf_add_string(&a->why, "the bridge ends before the answer came");
	}
	bridge_answer_fail(&j->asked, JSONRPC_INTERNAL_ERROR, a->why.data, &a->lines);
	if (!atomic_load(&a->b->stopping))
		deliver(a);
	sse_reader_done(&a->events);
	strbuf_done(&a->lines);
	strbuf_done(&a->why);
	return a->has_begun;
}

void bridge_ask(struct bridge_job *j)
{
	struct ask a = { .j = j,
			 .b = j->b,
			 .cancel = &j->cancel,
			 .lines = STRBUF_INIT,
			 .why = STRBUF_INIT };

	if (j->is_initialize)
		bridge_session_prepare(j->b);
	(void)run(&a);
	if (j->is_initialize)
		bridge_session_release(j->b);
}

bool bridge_ask_again(struct bridge *b)
{
	struct bridge_job j = { .b = b,
				.length = b->initialize.length,
				.is_initialize = true,
				.silent = true,
				.asked = { .is_legacy = true, .is_initialize = true } };
	struct ask a = { .j = &j,
			 .b = b,
			 .cancel = &b->stopping,
			 .lines = STRBUF_INIT,
			 .why = STRBUF_INIT };
	struct error err = ERROR_INIT;
	const json_t *id;
	bool good = false;

	j.line = malloc(j.length + 1);
	if (j.line) {
		memcpy(j.line, b->initialize.data, j.length + 1);
		j.body = json_parse(j.line, j.length, JSON_SYNTAX, &err);
	}
	if (j.body && jsonrpc_read(j.body, &j.message, &id, &err) &&
	    bridge_asked_add(&j.asked, id))
		good = run(&a);
	bridge_asked_done(&j.asked);
	json_decref(j.body);
	free(j.line);
	return good;
}
