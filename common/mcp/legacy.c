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
	if (x->revision != LEGACY_NONE)
		return x->revision;
	const char *version = http_request_header(x->http, "MCP-Protocol-Version");
	if (version)
		return legacy_revision_find(version);
	_cleanup_(session_unrefp) struct session *s = find_session(x);
	return s ? session_client(s).revision : LEGACY_NONE;
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
bool legacy_enter(struct exchange *x)
{
	if (!http_request_header(x->http, "Mcp-Session-Id")) {
		refuse(x, 400, JSONRPC_INVALID_REQUEST,
		       "Mcp-Session-Id is missing: begin with 'initialize', or send "
		       "params._meta of MCP " REVISION_2026);
		return false;
	}
	x->session = find_session(x);
	if (!x->session || session_is_sse(x->session)) {
		refuse(x, 404, JSONRPC_INVALID_REQUEST, "Session not found");
		return false;
	}
	x->revision = session_client(x->session).revision;
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

	if (!legacy_enter(x))
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
	if (!legacy_enter(x))
		return;
	session_end(x->session);
	exchange_send(x, 200, NULL, NULL);
}

/* ---- initialize ---- */

/* The answer to it, which is the first word of a session. */
static void welcome(struct exchange *x)
{
	_cleanup_strbuf_ struct strbuf result = STRBUF_INIT, body = STRBUF_INIT;
	struct mcp_service *s = x->service;
	char id[64];
	const struct http_header headers[] = { { "Mcp-Session-Id", id }, { NULL, NULL } };

	(void)snprintf(id, sizeof id, "%s", session_id(x->session));
	legacy_write_initialize(&result, x->revision, &s->identity, s->features);
	jsonrpc_write_result(&body, x->message.id, result.data, result.length);
	if (!strbuf_ok(&result)) {
		session_end(x->session);
		refuse(x, 500, JSONRPC_INTERNAL_ERROR, "out of memory");
		return;
	}
	exchange_send(x, 200, headers, &body);
}

/* One of HTTP+SSE is there already, and waits to be told who its client is. */
static void begin(struct exchange *x, const struct session_client *client)
{
	struct error err = ERROR_INIT;

	if (x->session && !session_settle(x->session, client)) {
		refuse(x, 200, JSONRPC_INVALID_REQUEST, "the session has begun already");
		return;
	}
	if (!x->session)
		x->session = session_start(x->service->sessions, &x->caller, client,
					   clock_mono_ms(), &err);
	if (x->session)
		welcome(x);
	else
		refuse(x, 503, JSONRPC_INTERNAL_ERROR, err.message);
}

static void initialize(struct exchange *x)
{
	const json_t *params = x->message.params;
	const char *wanted = json_get_string(params, "protocolVersion");

	if (!x->session && !check_version(x))
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
	json_auto_t *can =
		legacy_capabilities(x->revision, json_object_get(params, "capabilities"));
	const struct session_client client = { x->revision, can };
	begin(x, &client);
}

/* ---- Requests within a session ---- */

static void reply_empty(struct exchange *x)
{
	const struct mcp_body nothing = { .members = "" };

	exchange_body(x, &nothing);
}

static void set_level(struct exchange *x)
{
	enum mcp_level level;

	if (!mcp_level_parse(json_get_string(x->message.params, "level"), &level)) {
		refuse(x, 200, JSONRPC_INVALID_PARAMS,
		       "params.level is none of the eight levels");
		return;
	}
	session_set_level(x->session, level);
	reply_empty(x);
}

/* What only sessions have; NULL: none of these, or not offered. */
static void (*own_method(const struct exchange *x))(struct exchange *)
{
	static const struct {
		const char *name;
		unsigned feature; /* 0: always there */
		void (*run)(struct exchange *x);
	} rows[] = {
		{ "ping", 0, reply_empty },
		{ "logging/setLevel", MCP_HAS_LOGGING, set_level },
		{ "resources/subscribe", MCP_HAS_SUBSCRIPTIONS, legacy_subscribe },
		{ "resources/unsubscribe", MCP_HAS_SUBSCRIPTIONS, legacy_unsubscribe },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(x->message.method, rows[i].name) == 0 &&
		    (x->service->features & rows[i].feature) == rows[i].feature)
			return rows[i].run;
	return NULL;
}

/* What is said meanwhile: as the session was told, and as this request asks. */
static void read_wishes(struct exchange *x)
{
	bool ignored;

	revision_2026_wants(&x->message, &x->progress_token, &ignored, &x->log_level);
	x->wants_log = true;
	x->log_level = session_level(x->session);
}

void legacy_request(struct exchange *x)
{
	void (*run)(struct exchange *) = own_method(x);

	if (run) {
		run(x);
		return;
	}
	x->method = legacy_method(&x->message, x->service->features);
	if (x->method == MCP_METHOD_COUNT) {
		refuse(x, 200, JSONRPC_METHOD_NOT_FOUND, "Method not found");
		return;
	}
	read_wishes(x);
	legacy_begin(x);
	dispatch_run(x);
}

/* Notifications and responses: none is ever answered, not even with an error. */
static void take_note(struct exchange *x, const struct jsonrpc_message *m)
{
	if (m->kind != JSONRPC_NOTIFICATION)
		legacy_answer(x->session, m);
	else if (strcmp(m->method, "notifications/cancelled") == 0)
		legacy_cancel(x->session, m->params);
	exchange_send(x, 202, NULL, NULL);
}

void legacy_message(struct exchange *x)
{
	const struct jsonrpc_message m = x->message;

	if (m.kind != JSONRPC_REQUEST) {
		x->message.id = NULL; /* of our request, not of theirs */
		take_note(x, &m);
	} else if (strcmp(m.method, "initialize") == 0) {
		initialize(x);
	} else if (!session_is_settled(x->session) && strcmp(m.method, "ping") != 0) {
		refuse(x, 200, JSONRPC_INVALID_REQUEST, "begin with 'initialize'");
	} else {
		legacy_request(x);
	}
}

void legacy_post(struct exchange *x)
{
	const json_t *id = x->message.id;

	if (x->message.kind == JSONRPC_REQUEST &&
	    strcmp(x->message.method, "initialize") == 0) {
		initialize(x);
		return;
	}
	if (x->message.kind != JSONRPC_REQUEST)
		x->message.id = NULL;
	if (!legacy_enter(x))
		return;
	x->message.id = id;
	legacy_message(x);
}
