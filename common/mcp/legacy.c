#include "mcp/legacy.h"

#include "base/clock.h"
#include "mcp/serving.h"

enum { EVENT_ID_MAX = 64 };

static void refuse(struct exchange *x, unsigned status, int code, const char *message)
{
	struct refusal refusal = { 0 };

	refusal_set(&refusal, status, code, "%s", message);
	exchange_refuse(x, &refusal);
}

/* ---- Headers: whose session, which revision ---- */

static struct session *find_session(const struct exchange *x)
{
	const char *id = http_request_header(x->http, "Mcp-Session-Id");

	return id ? session_find(x->service->sessions, id, &x->caller, clock_mono_ms())
		  : NULL;
}

enum legacy_revision legacy_peer(const struct exchange *x)
{
	const char *version = http_request_header(x->http, "MCP-Protocol-Version");

	if (x->revision != LEGACY_NONE || version)
		return x->revision ? x->revision : legacy_revision_find(version);
	_cleanup_(session_unrefp) struct session *s = find_session(x);
	return s ? session_revision(s) : LEGACY_NONE;
}

/* False, and replied, for a revision that is none. */
static bool check_version(struct exchange *x)
{
	const char *version = http_request_header(x->http, "MCP-Protocol-Version");

	if (!version || legacy_revision_find(version) != LEGACY_NONE)
		return true;
	refuse(x, 400, JSONRPC_INVALID_REQUEST,
	       "Unsupported protocol version in the header MCP-Protocol-Version");
	return false;
}

/* Missing: 400. Unknown, ended or another's: 404, which makes clients begin anew. */
static bool enter_session(struct exchange *x)
{
	if (!http_request_header(x->http, "Mcp-Session-Id")) {
		refuse(x, 400, JSONRPC_INVALID_REQUEST,
		       "Mcp-Session-Id is missing: begin with 'initialize', or send "
		       "params._meta of MCP " REVISION_2026);
		return false;
	}
	x->session = find_session(x);
	if (!x->session) {
		refuse(x, 404, JSONRPC_INVALID_REQUEST, "Session not found");
		return false;
	}
	x->revision = session_revision(x->session);
	return check_version(x);
}

/* ---- GET and DELETE ---- */

static bool check_stream(struct exchange *x, const char *last_event_id)
{
	const char *accept = http_request_header(x->http, "Accept");

	if (!exchange_accepts(accept, "text/event-stream", "text/*")) {
		refuse(x, 406, JSONRPC_INVALID_REQUEST,
		       "Accept must list text/event-stream");
		return false;
	}
	if (last_event_id && (strlen(last_event_id) >= EVENT_ID_MAX ||
			      !session_can_resume(x->session, last_event_id))) {
		refuse(x, 400, JSONRPC_INVALID_REQUEST,
		       "no stream can go on behind this Last-Event-ID");
		return false;
	}
	return true;
}

void legacy_get(struct exchange *x)
{
	char last[EVENT_ID_MAX] = "";

	if (!enter_session(x))
		return;
	const char *given = http_request_header(x->http, "Last-Event-ID");
	if (!check_stream(x, given))
		return;
	(void)snprintf(last, sizeof last, "%s", given ? given : "");
	_cleanup_(session_unrefp) struct session *session = TAKE(x->session);
	struct http_request *http = exchange_leave(x, 200);
	struct http_stream *stream =
		http_reply_stream(http, 200, "text/event-stream", NULL, NULL, NULL);
	if (stream)
		session_attach(session, stream, *last ? last : NULL);
}

void legacy_delete(struct exchange *x)
{
	if (!enter_session(x))
		return;
	session_end(x->session);
	exchange_send(x, 200, NULL, NULL);
}

/* ---- initialize ---- */

static void reply_session(struct exchange *x, struct session *session)
{
	_cleanup_strbuf_ struct strbuf result = STRBUF_INIT, body = STRBUF_INIT;
	struct mcp_service *s = x->service;
	char id[64];
	const struct http_header headers[] = { { "Mcp-Session-Id", id }, { NULL, NULL } };

	(void)snprintf(id, sizeof id, "%s", session_id(session));
	x->session = session;
	x->revision = session_revision(session);
	legacy_write_initialize(&result, x->revision, &s->identity, s->features);
	jsonrpc_write_result(&body, x->message.id, result.data, result.length);
	if (!strbuf_ok(&result)) {
		session_end(session);
		refuse(x, 500, JSONRPC_INTERNAL_ERROR, "out of memory");
		return;
	}
	exchange_send(x, 200, headers, &body);
}

static void initialize(struct exchange *x)
{
	const char *wanted = json_get_string(x->message.params, "protocolVersion");
	struct error err = ERROR_INIT;

	if (!check_version(x))
		return;
	if (x->from_gate) {
		/* Grants and plans are words of the newest revision. */
		refuse(x, 400, JSONRPC_INVALID_REQUEST, "the gate speaks " REVISION_2026);
		return;
	}
	x->revision = legacy_revision_negotiate(wanted);
	if (!wanted) {
		refuse(x, 200, JSONRPC_INVALID_PARAMS,
		       "params.protocolVersion must be a string");
		return;
	}
	struct session *session = session_start(x->service->sessions, &x->caller,
						x->revision, clock_mono_ms(), &err);
	if (session)
		reply_session(x, session);
	else
		refuse(x, 503, JSONRPC_INTERNAL_ERROR, err.message);
}

/* ---- Requests within a session ---- */

static void reply_empty(struct exchange *x)
{
	const struct mcp_body nothing = { .members = "" };

	exchange_body(x, &nothing);
}

static void run_request(struct exchange *x)
{
	const char *method = x->message.method;

	x->method = legacy_method(&x->message, x->service->features);
	if (x->method != MCP_METHOD_COUNT)
		dispatch_run(x);
	else if (strcmp(method, "ping") == 0)
		reply_empty(x);
	else if (strcmp(method, "logging/setLevel") != 0)
		refuse(x, 200, JSONRPC_METHOD_NOT_FOUND, "Method not found");
	else if (mcp_is_log_level(json_get_string(x->message.params, "level")))
		reply_empty(x);
	else
		refuse(x, 200, JSONRPC_INVALID_PARAMS,
		       "params.level is none of the eight levels");
}

void legacy_post(struct exchange *x)
{
	bool is_request = x->message.kind == JSONRPC_REQUEST;

	if (is_request && strcmp(x->message.method, "initialize") == 0) {
		initialize(x);
		return;
	}
	if (!is_request)
		x->message.id = NULL; /* of our request, not of theirs */
	if (!enter_session(x))
		return;
	if (is_request)
		run_request(x);
	else /* nothing was asked of clients, and no notification makes us act */
		exchange_send(x, 202, NULL, NULL);
}

/* ---- Batches: 2025-03-26 alone ---- */

enum { BATCH_MAX = 32, BATCH_BYTES_MAX = 16 * 1024 * 1024 };

struct legacy_batch {
	struct exchange *whole;
	atomic_size_t left; /* without an answer, and one while the batch is begun */
	size_t count;
	struct strbuf answers[BATCH_MAX];
};

static void finish_batch(struct legacy_batch *b)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct exchange *x = b->whole;

	for (size_t i = 0; i < b->count; i++) {
		struct strbuf *answer = &b->answers[i];

		if (!strbuf_ok(answer) || body.length + answer->length > BATCH_BYTES_MAX)
			body.failed = true;
		if (answer->length > 0 && !body.failed) {
			strbuf_add_char(&body, body.length ? ',' : '[');
			strbuf_add(&body, answer->data, answer->length);
		}
		strbuf_done(answer);
	}
	free(b);
	if (!strbuf_ok(&body)) {
		refuse(x, 500, JSONRPC_INTERNAL_ERROR,
		       "the answers are too long for one reply");
	} else if (body.length == 0) {
		exchange_send(x, 202, NULL, NULL);
	} else {
		strbuf_add_char(&body, ']');
		exchange_send(x, 200, NULL, &body);
	}
}

void legacy_collect(struct legacy_batch *batch, size_t index, struct strbuf *body)
{
	if (body) {
		batch->answers[index] = *body;
		strbuf_init(body);
	}
	if (atomic_fetch_sub(&batch->left, 1) == 1)
		finish_batch(batch);
}

static void run_member(struct exchange *m, const json_t *value)
{
	struct error err = ERROR_INIT;
	const json_t *id = NULL;

	if (!jsonrpc_read(value, &m->message, &id, &err)) {
		m->message = (struct jsonrpc_message){ .id = id };
		refuse(m, 400, JSONRPC_INVALID_REQUEST, err.message);
	} else if (revision_2026_is_claimed(&m->message)) {
		refuse(m, 400, JSONRPC_INVALID_REQUEST,
		       "MCP " REVISION_2026 " has no batches");
	} else if (m->message.kind != JSONRPC_REQUEST) {
		exchange_send(m, 202, NULL, NULL);
	} else if (strcmp(m->message.method, "initialize") == 0) {
		refuse(m, 400, JSONRPC_INVALID_REQUEST, "'initialize' stands alone");
	} else {
		run_request(m);
	}
}

static void begin_member(struct legacy_batch *b, size_t index, json_t *value)
{
	struct exchange *x = b->whole;
	struct exchange *m = exchange_new(x->service, x->http);

	if (!m) {
		b->answers[index].failed = true;
		legacy_collect(b, index, NULL);
		return;
	}
	m->batch = b;
	m->index = index;
	m->caller = x->caller;
	m->is_oauth = x->is_oauth;
	m->revision = x->revision;
	m->contract = x->contract;
	m->body = json_incref(value);
	run_member(m, value);
}

/* Replies itself when it returns false. */
static bool check_batch(struct exchange *x)
{
	const char *fault = NULL;

	if (revision_is_modern(http_request_header(x->http, "MCP-Protocol-Version")) ||
	    !legacy_has_batches(legacy_peer(x)))
		fault = "batches are not supported";
	else if (json_array_size(x->body) == 0)
		fault = "a batch must not be empty";
	else if (json_array_size(x->body) > BATCH_MAX)
		fault = "a batch has at most 32 messages";
	if (fault)
		refuse(x, 400, JSONRPC_INVALID_REQUEST, fault);
	return !fault && enter_session(x);
}

void legacy_post_batch(struct exchange *x)
{
	if (!check_batch(x))
		return;
	if (!legacy_has_batches(x->revision)) {
		refuse(x, 400, JSONRPC_INVALID_REQUEST, "batches are not supported");
		return;
	}
	struct legacy_batch *b = calloc(1, sizeof *b);
	if (!b) {
		refuse(x, 503, JSONRPC_INTERNAL_ERROR, "out of memory");
		return;
	}
	b->whole = x;
	b->count = json_array_size(x->body);
	atomic_init(&b->left, b->count + 1);
	for (size_t i = 0; i < b->count; i++)
		strbuf_init(&b->answers[i]);
	for (size_t i = 0, count = b->count; i < count; i++)
		begin_member(b, i, json_array_get(x->body, i));
	legacy_collect(b, 0, NULL);
}
