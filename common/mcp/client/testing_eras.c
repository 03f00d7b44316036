#include "mcp/client/testing_eras.h"

#include "link/http/http_client.h"
#include "mcp/revision.h"

#define JSON   "application/json"
#define EVENTS "text/event-stream"
#define INITIALIZED                                                                      \
	RESULT("\"protocolVersion\":\"2025-06-18\",\"capabilities\":{},"                 \
	       "\"serverInfo\":{\"name\":\"old\",\"version\":\"1\"}")
#define TOOLS                                                                            \
	RESULT("\"resultType\":\"complete\",\"tools\":[{\"name\":\"go\","                \
	       "\"inputSchema\":"                                                        \
	       "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\","       \
	       "\"x-mcp-header\":\"N\"}}}},{\"name\":\"bad\",\"inputSchema\":{\"type\":" \
	       "\"object\",\"properties\":{\"n\":{\"type\":\"number\",\"x-mcp-header\":" \
	       "\"N\"}}}}]")
#define FORM                                                                             \
	"\"method\":\"elicitation/create\",\"params\":{\"message\":\"?\","               \
	"\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"who\":{\"type\":"    \
	"\"string\"},\"age\":{\"type\":\"integer\",\"default\":7}},\"required\":["       \
	"\"who\"]}}"

unsigned eras_count(struct world *w, const char *verb, const char *method)
{
	unsigned n = 0;

	(void)pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->count; i++)
		n += strcmp(w->seen[i].verb, verb) == 0 &&
		     strcmp(w->seen[i].method, method) == 0;
	(void)pthread_mutex_unlock(&w->lock);
	return n;
}

/* The last one of a method; fails if there is none. */
const struct seen *eras_last(struct world *w, const char *verb, const char *method)
{
	for (size_t i = w->count; i-- > 0;)
		if (strcmp(w->seen[i].verb, verb) == 0 &&
		    strcmp(w->seen[i].method, method) == 0)
			return &w->seen[i];
	fail_msg("no %s of '%s' came", verb, method);
	return NULL;
}

static const struct seen *note(struct world *w, struct http_request *req)
{
	struct error err = ERROR_INIT;
	size_t length;
	const char *text = http_request_body(req, &length);

	(void)pthread_mutex_lock(&w->lock);
	assert_true(w->count < SEEN_MAX);
	struct seen *s = &w->seen[w->count++];
	memset(s, 0, sizeof *s);
	(void)snprintf(s->verb, sizeof s->verb, "%s", http_request_method(req));
	(void)snprintf(s->session, sizeof s->session, "%s",
		       http_request_header(req, "Mcp-Session-Id") ?: "");
	(void)snprintf(s->version, sizeof s->version, "%s",
		       http_request_header(req, "MCP-Protocol-Version") ?: "");
	(void)snprintf(s->last_id, sizeof s->last_id, "%s",
		       http_request_header(req, "Last-Event-ID") ?: "");
	s->body = length ? json_parse(text, length, JSON_SYNTAX, &err) : NULL;
	const char *method = json_get_string(s->body, "method");
	(void)snprintf(s->method, sizeof s->method, "%s",
		       method    ? method
		       : s->body ? "response"
				 : "");
	(void)pthread_mutex_unlock(&w->lock);
	return s;
}

static void reply(struct http_request *req, unsigned status, const char *type,
		  const struct http_header *headers, const char *text, int64_t id)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;

	for (const char *mark; (mark = strstr(text, "%ID%")); text = mark + 4) {
		strbuf_add(&body, text, (size_t)(mark - text));
		strbuf_add_int64(&body, id);
	}
	strbuf_add_string(&body, text);
	http_reply(req, status, type, headers, &body);
}

static void on_gone(void *context)
{
	struct world *w = context;

	atomic_store(&w->is_gone, true);
}

static void modern_call(struct world *w, struct http_request *req, const struct seen *s,
			int64_t id)
{
	const char *n = http_request_header(req, "Mcp-Param-N");

	if (w->holds) {
		w->held = req;
		http_request_on_gone(req, on_gone, w);
	} else if (w->stale_headers > 0 || !n || strcmp(n, "42") != 0) {
		w->stale_headers -= w->stale_headers > 0;
		reply(req, 400, JSON, NULL, ERROR("-32020"), id);
	} else if (w->rounds > 0 && !json_object_get(json_object_get(s->body, "params"),
						     "inputResponses")) {
		reply(req, 200, JSON, NULL,
		      RESULT("\"resultType\":\"input_required\",\"requestState\":\"s "
			     "\\\"1\",\"inputRequests\":{\"k\":{" FORM "}}"),
		      id);
	} else {
		reply(req, 200, w->call && *w->call == '{' ? JSON : EVENTS, NULL,
		      w->call ? w->call
			      : PROGRESS PROGRESS PROGRESS "data: " RESULT(
					"\"resultType\":\"complete\",\"n\":1") "\n\n",
		      id);
	}
}

static void serve_modern(struct world *w, struct http_request *req, const struct seen *s,
			 int64_t id)
{
	if (w->refuse_versions > 0) {
		w->refuse_versions--;
		reply(req, 400, JSON, NULL,
		      ERROR_DATA("-32022", "{\"supported\":[\"2026-07-28\"]}"), id);
	} else if (strcmp(s->method, "server/discover") == 0) {
		reply(req, w->probe_status, JSON, NULL, w->probe_body, id);
	} else if (strcmp(s->method, "tools/list") == 0) {
		reply(req, 200, JSON, NULL, TOOLS, id);
	} else {
		modern_call(w, req, s, id);
	}
}

/* A question, a priming event, and the answer; or half of it, for a resumption. */
static void legacy_call(struct world *w, struct http_request *req, int64_t id)
{
	if (w->breaks_stream)
		reply(req, 200, EVENTS, NULL, "id: s1:0\nretry: 30\ndata:\n\n" PROGRESS,
		      id);
	else
		reply(req, 200, EVENTS, NULL,
		      "data: {\"jsonrpc\":\"2.0\",\"id\":\"q\"," FORM "}\n\n" PROGRESS
		      "data: " RESULT("\"content\":[],\"n\":2") "\n\n",
		      id);
}

static void serve_legacy(struct world *w, struct http_request *req, const struct seen *s,
			 int64_t id)
{
	char session[32];
	const struct http_header headers[] = { { "Mcp-Session-Id", session }, { 0 } };

	(void)snprintf(session, sizeof session, "session-%u", w->sessions + 1);
	if (strcmp(s->method, "initialize") == 0) {
		if (w->initialize_status == 200)
			w->good_session = ++w->sessions;
		reply(req, w->initialize_status, JSON, headers,
		      w->initialize_status == 200 ? INITIALIZED : "no", id);
		return;
	}
	(void)snprintf(session, sizeof session, "session-%u", w->good_session);
	if (strcmp(s->session, session) != 0)
		http_reply_text(req, 404, "text/plain", "no such session");
	else if (id < 0)
		http_reply_text(req, 202, NULL, "");
	else if (strcmp(s->method, "tools/list") == 0)
		reply(req, 200, JSON, NULL, RESULT("\"tools\":[{\"name\":\"go\"}]"), id);
	else
		legacy_call(w, req, id);
}

/* ---- HTTP+SSE ---- */

static void send_event(struct world *w, const char *type, const char *text, int64_t id)
{
	struct strbuf sb = STRBUF_INIT;
	const char *mark = strstr(text, "%ID%");

	strbuf_add_format(&sb, "event: %s\ndata: %.*s", type,
			  mark ? (int)(mark - text) : (int)strlen(text), text);
	if (mark) {
		strbuf_add_int64(&sb, id);
		strbuf_add_string(&sb, mark + 4);
	}
	strbuf_add_string(&sb, "\n\n");
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *b = shared_bytes_take(&sb);
	(void)http_stream_send(w->stream, b);
}

static void serve_sse(struct world *w, struct http_request *req, const struct seen *s,
		      int64_t id)
{
	if (strcmp(s->verb, "GET") == 0) {
		w->stream = http_reply_stream(req, 200, EVENTS, NULL, NULL, NULL);
		send_event(w, "endpoint", "messages?session=1", 0);
	} else if (strcmp(http_request_path(req), "/messages") != 0) {
		http_reply_text(req, 405, "text/plain", "GET");
	} else {
		http_reply_text(req, 202, NULL, "");
		if (strcmp(s->method, "initialize") == 0)
			send_event(w, "message",
				   RESULT("\"protocolVersion\":\"2024-11-05\","
					  "\"capabilities\":{},\"serverInfo\":{}"),
				   id);
		else if (strcmp(s->method, "tools/list") == 0)
			send_event(w, "message", RESULT("\"tools\":[{\"name\":\"go\"}]"),
				   id);
	}
}

static void serve(void *context, struct http_request *req)
{
	struct world *w = context;
	const struct seen *s = note(w, req);
	int64_t id = json_get_int64(s->body, "id", -1);
	const json_t *meta = json_object_get(json_object_get(s->body, "params"), "_meta");

	if (w->is_sse)
		serve_sse(w, req, s, id);
	else if (strcmp(s->verb, "GET") == 0 && w->breaks_for_ever)
		reply(req, 200, EVENTS, NULL, "id: s1:1\nretry: 20\ndata:\n\n" PROGRESS,
		      json_get_int64(eras_last(w, "POST", "tools/call")->body, "id", 0));
	else if (strcmp(s->verb, "GET") == 0 && w->breaks_stream && *s->last_id)
		reply(req, 200, EVENTS, NULL, "id: s1:9\ndata: " RESULT("\"n\":3") "\n\n",
		      json_get_int64(eras_last(w, "POST", "tools/call")->body, "id", 0));
	else if (strcmp(s->verb, "GET") == 0)
		http_reply_text(req, 405, NULL, "");
	else if (strcmp(s->verb, "DELETE") == 0)
		http_reply_text(req, 204, NULL, "");
	else if (json_object_get(meta, META_PROTOCOL_VERSION))
		serve_modern(w, req, s, id);
	else
		serve_legacy(w, req, s, id);
}

int eras_set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	const struct httpd_config config = {
		.address = "127.0.0.1", .loops = 1, .handler = serve, .context = w
	};
	struct error err = ERROR_INIT;

	(void)pthread_mutex_init(&w->lock, NULL);
	w->httpd = httpd_start(&config, &err);
	w->http = http_client_new("test", &err);
	w->probe_status = 200;
	w->probe_body = DISCOVERED;
	w->initialize_status = 200;
	*state = w;
	return w->httpd && w->http ? 0 : -1;
}

int eras_tear_down(void **state)
{
	struct world *w = *state;

	http_client_free(w->http);
	if (w->held)
		http_reply_text(w->held, 500, NULL, "");
	json_decref(w->opened);
	if (w->stream) {
		http_stream_end(w->stream);
		http_stream_unref(w->stream);
	}
	httpd_stop(w->httpd, 1000);
	for (size_t i = 0; i < w->count; i++)
		json_decref(w->seen[i].body);
	free(w);
	return 0;
}
