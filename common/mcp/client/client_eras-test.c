/* The client against servers of every era, played by ours in the same process. */
#include <pthread.h>

#include "base/clock.h"
#include "base/testing.h"
#include "mcp/client/client.h"
#include "mcp/revision.h"
#include "wire/http_stream.h"

enum { SEEN_MAX = 64 };

struct seen {
	char verb[8], method[48], session[32], version[16], last_id[32];
	json_t *body;
};

struct world {
	struct httpd *httpd;
	struct http_client *http;
	pthread_mutex_t lock;
	struct seen seen[SEEN_MAX];
	size_t count;
	/* The script. */
	unsigned probe_status;
	const char *probe_body; /* "%ID%" becomes the id */
	unsigned initialize_status;
	unsigned refuse_versions;  /* so many probes get -32022 */
	unsigned sessions;         /* begun */
	unsigned good_session;     /* the one that is not gone */
	unsigned stale_headers;    /* so many calls get -32020 */
	bool breaks_stream;        /* of a legacy call, to be resumed */
	bool breaks_for_ever;      /* each time it is resumed */
	struct http_request *held; /* a modern call that is never answered */
	bool holds;
	atomic_bool is_gone;
	json_t *opened;   /* what elicit_url was given */
	const char *call; /* the answer to a modern tools/call; NULL: complete */
	unsigned rounds;
	bool is_sse;
	struct http_stream *stream; /* of HTTP+SSE */
	unsigned notified;
};

static unsigned count(struct world *w, const char *verb, const char *method)
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
static const struct seen *last(struct world *w, const char *verb, const char *method)
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

#define JSON      "application/json"
#define EVENTS    "text/event-stream"
#define RESULT(r) "{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"result\":{" r "}}"
#define ERROR(code)                                                                      \
	"{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"error\":{\"code\":" code                     \
	",\"message\":\"no\"}}"
#define ERROR_DATA(code, data)                                                           \
	"{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"error\":{\"code\":" code                     \
	",\"message\":\"no\",\"data\":" data "}}"
#define DISCOVERED                                                                       \
	RESULT("\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],"     \
	       "\"capabilities\":{\"tools\":{}}")
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
#define PROGRESS                                                                         \
	"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"   \
	"{\"progressToken\":%ID%,\"progress\":1}}\n\n"
#define FORM                                                                             \
	"\"method\":\"elicitation/create\",\"params\":{\"message\":\"?\","               \
	"\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"who\":{\"type\":"    \
	"\"string\"},\"age\":{\"type\":\"integer\",\"default\":7}},\"required\":["       \
	"\"who\"]}}"

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
		      json_get_int64(last(w, "POST", "tools/call")->body, "id", 0));
	else if (strcmp(s->verb, "GET") == 0 && w->breaks_stream && *s->last_id)
		reply(req, 200, EVENTS, NULL, "id: s1:9\ndata: " RESULT("\"n\":3") "\n\n",
		      json_get_int64(last(w, "POST", "tools/call")->body, "id", 0));
	else if (strcmp(s->verb, "GET") == 0)
		http_reply_text(req, 405, NULL, "");
	else if (strcmp(s->verb, "DELETE") == 0)
		http_reply_text(req, 204, NULL, "");
	else if (json_object_get(meta, META_PROTOCOL_VERSION))
		serve_modern(w, req, s, id);
	else
		serve_legacy(w, req, s, id);
}

static int set_up(void **state)
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

static int tear_down(void **state)
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

static void notified(void *context, const char *method, const json_t *params)
{
	struct world *w = context;

	assert_string_equal(method, "notifications/progress");
	assert_true(json_is_object(params));
	w->notified++;
}

static json_t *fill_form(void *context, const json_t *params, struct error *err)
{
	(void)context, (void)params, (void)err;
	return json_pack("{s:s, s:{s:s}}", "action", "accept", "content", "who", "Ada");
}

static json_t *open_page(void *context, const json_t *params, struct error *err)
{
	struct world *w = context;

	(void)err;
	json_decref(w->opened);
	w->opened = json_deep_copy(params);
	return json_pack("{s:s}", "action", "accept");
}

static struct mcp_client *open_with(struct world *w, bool no_get_stream)
{
	struct error err = ERROR_INIT;
	char url[64];

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/mcp", httpd_port(w->httpd));
	const struct mcp_client_options options = {
		.url = url,
		.http = w->http,
		.name = "test",
		.no_get_stream = no_get_stream,
		.hooks = { .context = w,
			   .notification = notified,
			   .elicit_form = fill_form },
	};
	struct mcp_client *c = mcp_client_open(&options, &err);
	assert_non_null(c);
	return c;
}

static struct mcp_client *open_client(struct world *w)
{
	return open_with(w, true);
}

/* C-01: of all that came. */
static void ids_are_unique(struct world *w)
{
	for (size_t i = 0; i < w->count; i++)
		for (size_t k = 0; k < i; k++) {
			const json_t *id = json_object_get(w->seen[i].body, "id");

			assert_false(
				id && json_object_get(w->seen[i].body, "method") &&
				json_equal(id, json_object_get(w->seen[k].body, "id")));
		}
}

static json_t *call_go(struct mcp_client *c, struct error *err)
{
	const struct mcp_client_call call = { .tool = "go",
					      .arguments = "{\"n\":42}",
					      .timeout_ms = 5000 };

	return mcp_client_call(c, &call, NULL, err);
}

/* ---- The table of PROTOCOL 4.2 ---- */

static void verdicts(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum mcp_era era; /* UNKNOWN: an error */
	} rows[] = {
		{ 200, DISCOVERED, MCP_ERA_MODERN },
		{ 400, ERROR("-32020"), MCP_ERA_MODERN },
		{ 400, ERROR("-32021"), MCP_ERA_MODERN },
		{ 400, ERROR_DATA("-32022", "{\"supported\":[\"2025-11-25\"]}"),
		  MCP_ERA_LEGACY },
		{ 400, ERROR_DATA("-32022", "{\"supported\":[\"2031-01-01\"]}"),
		  MCP_ERA_UNKNOWN },
		{ 400, ERROR_DATA("-32022", "{\"supported\":[\"2026-07-28\"]}"),
		  MCP_ERA_UNKNOWN }, /* again and again */
		{ 400, ERROR("-32022"), MCP_ERA_LEGACY },
		{ 400, "", MCP_ERA_LEGACY },
		{ 400, "<html>", MCP_ERA_LEGACY },
		{ 404, "<html>", MCP_ERA_LEGACY },
		{ 405, "", MCP_ERA_LEGACY },
		{ 400,
		  "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,"
		  "\"message\":\"Bad Request: No valid session ID\"}}",
		  MCP_ERA_LEGACY },
		{ 404, ERROR("-32001"), MCP_ERA_LEGACY },
		{ 400, ERROR("-32600"), MCP_ERA_LEGACY },
		{ 404, ERROR("-32601"), MCP_ERA_LEGACY },
		{ 200, ERROR("-32601"), MCP_ERA_LEGACY },
		{ 200, "<html>", MCP_ERA_LEGACY },
		{ 401, "", MCP_ERA_UNKNOWN },
		{ 403, ERROR("-32000"), MCP_ERA_UNKNOWN },
		{ 429, "", MCP_ERA_UNKNOWN },
		{ 302, "", MCP_ERA_UNKNOWN },
		{ 500, "", MCP_ERA_UNKNOWN },
		{ 503, ERROR("-32601"), MCP_ERA_UNKNOWN },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		struct mcp_client *c = open_client(w);

		for (size_t k = 0; k < w->count; k++)
			json_decref(w->seen[k].body);
		w->count = 0;
		w->probe_status = (unsigned)rows[i].status;
		w->probe_body = rows[i].body;
		json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
		if (mcp_client_era(c, NULL) != rows[i].era ||
		    !tools != (rows[i].era == MCP_ERA_UNKNOWN) ||
		    count(w, "POST", "initialize") != (rows[i].era == MCP_ERA_LEGACY))
			fail_msg("row %zu: %s: era %d, %s", i, rows[i].body,
				 mcp_client_era(c, NULL), err.message);
		mcp_client_free(c);
	}
}

static void a_version_refused_once(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_client(w);

	w->refuse_versions = 1;
	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	assert_non_null(tools);
	assert_int_equal(count(w, "POST", "server/discover"), 2);
	/* Later, too: nothing began. */
	w->refuse_versions = 1;
	json_auto_t *again = mcp_client_list_tools(c, 5000, &err);
	testing_no_error(&err);
	assert_non_null(again);
	assert_int_equal(count(w, "POST", "initialize"), 0);
}

/* ---- Modern ---- */

static void tools_with_headers(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	char pin[DIGEST_HEX_BYTES] = "";
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_client(w);

	/* Never listed, so without the header at first; refused; listed; sent again. */
	json_auto_t *result = call_go(c, &err);
	testing_no_error(&err);
	assert_int_equal(json_get_int64(result, "n", 0), 1);
	assert_int_equal(count(w, "POST", "tools/call"), 2);
	assert_int_equal(w->notified, 3);
	ids_are_unique(w);
	/* Once, and not for ever. */
	w->stale_headers = 2;
	assert_null(call_go(c, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	assert_int_equal(count(w, "POST", "tools/call"), 4);
	/* The one with a bad annotation is left out. */
	error_clear(&err);
	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	assert_int_equal(json_array_size(tools), 1);
	assert_true(mcp_client_pin(c, "go", pin));
	assert_false(mcp_client_pin(c, "bad", pin));
	/* A definition that is not the one that was judged. */
	struct mcp_client_call call = {
		.tool = "go", .arguments = "{\"n\":42}", .timeout_ms = 5000, .pin = pin
	};
	json_auto_t *pinned = mcp_client_call(c, &call, NULL, &err);
	assert_non_null(pinned);
	pin[0] = pin[0] == '0' ? '1' : '0';
	assert_null(mcp_client_call(c, &call, NULL, &err));
	testing_error(&err, ERR_PRECONDITION_FAILED, "changed");
	assert_int_equal(count(w, "POST", "tools/call"), 5);
}

static void questions_are_answered(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_client(w);

	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	assert_non_null(tools);
	assert_non_null(tools);
	w->rounds = 1;
	json_auto_t *result = call_go(c, &err);
	testing_no_error(&err);
	assert_int_equal(json_get_int64(result, "n", 0), 1);
	const json_t *params =
		json_object_get(last(w, "POST", "tools/call")->body, "params");
	assert_string_equal(json_get_string(params, "requestState"), "s \"1");
	const json_t *answer =
		json_object_get(json_object_get(params, "inputResponses"), "k");
	assert_string_equal(json_get_string(answer, "action"), "accept");
	const json_t *content = json_object_get(answer, "content");
	assert_string_equal(json_get_string(content, "who"), "Ada");
	assert_int_equal(json_get_int64(content, "age", 0), 7);
	/* New ids; nothing of the state in the next call. */
	ids_are_unique(w);
	w->rounds = 0;
	json_auto_t *next = call_go(c, &err);
	assert_non_null(next);
	assert_non_null(next);
	params = json_object_get(last(w, "POST", "tools/call")->body, "params");
	assert_null(json_object_get(params, "requestState"));
	assert_null(json_object_get(params, "inputResponses"));
}

#define ASK_URL(url)                                                                     \
	RESULT("\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{"            \
	       "\"method\":\"elicitation/create\",\"params\":{\"mode\":\"url\","         \
	       "\"message\":\"?\",\"url\":\"" url "\"}}}")

/* C-23: a person sees where it leads; nobody looks there first. */
static void pages_are_opened_by_a_person(void **state)
{
	static const char *const bad[] = {
		ASK_URL("http://a.example/"),   ASK_URL("javascript:alert(1)"),
		ASK_URL("file:///etc/passwd"),  ASK_URL("https://a.example/ b"),
		ASK_URL("https://u@a.example"), ASK_URL(""),
	};
	struct world *w = *state;
	struct error err = ERROR_INIT;
	char url[64], good[512];

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/page?a=b",
		       httpd_port(w->httpd));
	(void)snprintf(good, sizeof good,
		       "{\"jsonrpc\":\"2.0\",\"id\":%%ID%%,\"result\":{\"resultType\":"
		       "\"input_required\",\"inputRequests\":{\"k\":{\"method\":"
		       "\"elicitation/create\",\"params\":{\"mode\":\"url\",\"message\":"
		       "\"?\",\"url\":\"%s\"}}}}}",
		       url);
	char base[64];
	(void)snprintf(base, sizeof base, "http://127.0.0.1:%u/mcp",
		       httpd_port(w->httpd));
	const struct mcp_client_options options = {
		.url = base,
		.http = w->http,
		.name = "test",
		.hooks = { .context = w, .elicit_url = open_page },
	};
	_cleanup_(mcp_client_freep) struct mcp_client *c =
		mcp_client_open(&options, &err);
	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	assert_non_null(tools);
	w->call = good; /* for ever, so that it is given up in the end */
	assert_null(call_go(c, &err));
	assert_string_equal(json_get_string(w->opened, "url"), url);
	assert_int_equal(count(w, "GET", ""), 0);
	json_decref(w->opened);
	w->opened = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		error_clear(&err);
		w->call = bad[i];
		assert_null(call_go(c, &err));
		testing_error(&err, ERR_INVALID_ARGUMENT, "may not be");
		assert_null(w->opened);
	}
}

/* C-14: to close the stream is to cancel, and nothing else says so. */
static void who_gives_up_hangs_up(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_client(w);
	const struct mcp_client_call call = { .tool = "go", .timeout_ms = 200 };

	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	assert_non_null(tools);
	w->holds = true;
	assert_null(mcp_client_call(c, &call, NULL, &err));
	testing_error(&err, ERR_TIMEOUT, "in time");
	while (!atomic_load(&w->is_gone))
		(void)usleep(1000);
	assert_int_equal(count(w, "POST", "tools/call"), 1);
	assert_int_equal(count(w, "POST", "notifications/cancelled"), 0);
}

/* C-15, C-16: not answered, not resumed, not sent again. */
static void modern_streams_are_only_read(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_with(w, false);

	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	assert_non_null(tools);
	w->call = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n\n"
		  "data: " RESULT("\"n\":4") "\n\n";
	json_auto_t *result = call_go(c, &err);
	testing_no_error(&err);
	assert_int_equal(json_get_int64(result, "n", 0), 4);
	w->call = "id: 7\nretry: 10\n" PROGRESS;
	assert_null(call_go(c, &err));
	assert_true(error_is_set(&err));
	assert_int_equal(count(w, "POST", "tools/call"), 2);
	assert_int_equal(count(w, "POST", "response"), 0);
	assert_int_equal(count(w, "GET", ""), 0);
	for (size_t i = 0; i < w->count; i++)
		assert_string_equal(w->seen[i].session, "");
	/* C-17: what the server does not let us keep is asked for again. */
	error_clear(&err);
	json_auto_t *again = mcp_client_list_tools(c, 5000, &err);
	assert_non_null(again);
	assert_int_equal(count(w, "POST", "tools/list"), 2);
	ids_are_unique(w);
}

static void bad_questions(void **state)
{
	static const char *const bad[] = {
		RESULT("\"resultType\":\"input_required\""),
		RESULT("\"resultType\":\"input_required\",\"requestState\":\"x\""),
		RESULT("\"resultType\":\"input_required\",\"requestState\":7"),
		RESULT("\"resultType\":\"input_required\",\"inputRequests\":{\"k\":7}"),
		RESULT("\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{"
		       "\"method\":\"roots/list\"}}"),
		RESULT("\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{"
		       "\"method\":\"elicitation/create\",\"params\":{\"mode\":\"url\","
		       "\"url\":\"https://a.example/\"}}}"),
		RESULT("\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{"
		       "\"method\":\"elicitation/create\",\"params\":{"
		       "\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"a\":{"
		       "\"type\":\"object\"}}}}}}"),
		RESULT("\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{"
		       "\"method\":\"elicitation/create\",\"params\":{"
		       "\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"who\":"
		       "{\"type\":\"string\",\"maxLength\":2}}}}}}"),
	};
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_client(w);
	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);

	assert_non_null(tools);
	assert_non_null(tools);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t before = count(w, "POST", "tools/call");

		w->call = bad[i];
		assert_null(call_go(c, &err));
		assert_true(error_is_set(&err));
		/* The one with a state and no question goes round; not for ever. */
		assert_int_equal(count(w, "POST", "tools/call") - before,
				 i == 1 ? 16 : 1);
		error_clear(&err);
	}
}

/* ---- Legacy ---- */

static struct mcp_client *open_legacy(struct world *w)
{
	w->probe_status = 400;
	w->probe_body = "Bad Request";
	return open_client(w);
}

static void a_session_lives(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	struct mcp_client *c = open_legacy(w);
	int64_t since_ms = 0;

	json_auto_t *about = mcp_client_discover(c, 5000, &err);
	testing_no_error(&err);
	assert_int_equal(mcp_client_era(c, &since_ms), MCP_ERA_LEGACY);
	assert_true(clock_wall_ms() - since_ms < 60000);
	assert_string_equal(json_get_string(about, "protocolVersion"), "2025-06-18");
	const struct seen *begun = last(w, "POST", "initialize");
	assert_string_equal(begun->version, "");
	assert_string_equal(begun->session, "");
	assert_string_equal(last(w, "POST", "notifications/initialized")->session,
			    "session-1");
	/* A question on the stream is answered by a POST; the call goes on. */
	json_auto_t *result = call_go(c, &err);
	testing_no_error(&err);
	assert_int_equal(json_get_int64(result, "n", 0), 2);
	const struct seen *called = last(w, "POST", "tools/call");
	assert_string_equal(called->session, "session-1");
	assert_string_equal(called->version, "2025-06-18");
	const json_t *answer =
		json_object_get(last(w, "POST", "response")->body, "result");
	assert_int_equal(json_get_int64(json_object_get(answer, "content"), "age", 0), 7);
	assert_int_equal(w->notified, 1);
	/* The server forgot us: once more from the start. */
	w->good_session = 77;
	json_auto_t *again = call_go(c, &err);
	testing_no_error(&err);
	assert_non_null(again);
	assert_int_equal(count(w, "POST", "initialize"), 2);
	assert_string_equal(last(w, "POST", "tools/call")->session, "session-2");
	ids_are_unique(w);
	mcp_client_free(c);
	assert_string_equal(last(w, "DELETE", "")->session, "session-2");
}

static void a_broken_stream_is_resumed(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_legacy(w);

	w->breaks_stream = true;
	int64_t began_ms = clock_mono_ms();
	json_auto_t *result = call_go(c, &err);
	testing_no_error(&err);
	assert_int_equal(json_get_int64(result, "n", 0), 3);
	assert_true(clock_mono_ms() - began_ms >= 30);
	assert_string_equal(last(w, "GET", "")->last_id, "s1:0");
	assert_string_equal(last(w, "GET", "")->session, "session-1");
	assert_int_equal(count(w, "POST", "tools/call"), 1);
}

/* C-30: what goes on for ever is given up, however much is heard meanwhile. */
static void progress_does_not_stop_the_clock(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_legacy(w);
	const struct mcp_client_call call = { .tool = "go", .timeout_ms = 300 };

	w->breaks_stream = true;
	w->breaks_for_ever = true;
	int64_t began_ms = clock_mono_ms();
	assert_null(mcp_client_call(c, &call, NULL, &err));
	assert_true(error_is_set(&err));
	assert_true(clock_mono_ms() - began_ms < 10000);
	assert_true(w->notified >= 2);
}

/* C-27 */
static void no_standing_stream_is_no_fault(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;

	w->probe_status = 400;
	w->probe_body = "Bad Request";
	struct mcp_client *c = open_with(w, false);
	for (int i = 0; i < 2; i++) {
		json_auto_t *result = call_go(c, &err);
		testing_no_error(&err);
		assert_int_equal(json_get_int64(result, "n", 0), 2);
	}
	while (count(w, "GET", "") == 0)
		(void)usleep(1000);
	mcp_client_free(c);
	assert_int_equal(count(w, "GET", ""), 1);
}

static void a_session_that_cannot_begin(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_legacy(w);

	w->initialize_status = 404;
	assert_null(call_go(c, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "HTTP 404");
	assert_int_equal(count(w, "GET", ""), 1);
	assert_int_equal(mcp_client_era(c, NULL), MCP_ERA_UNKNOWN);
	assert_int_equal(count(w, "POST", "tools/call"), 0);
}

static void the_oldest_transport(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_client(w);

	w->is_sse = true;
	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	testing_no_error(&err);
	assert_int_equal(json_array_size(tools), 1);
	assert_string_equal(last(w, "POST", "notifications/initialized")->session, "");
	/* An answer that never comes. */
	const struct mcp_client_call call = { .tool = "go", .timeout_ms = 200 };
	bool sent = false;
	assert_null(mcp_client_call(c, &call, &sent, &err));
	assert_true(sent);
	testing_error(&err, ERR_TIMEOUT, "in time");
	assert_int_equal(count(w, "POST", "notifications/cancelled"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(verdicts),
		TEST(a_version_refused_once),
		TEST(tools_with_headers),
		TEST(questions_are_answered),
		TEST(pages_are_opened_by_a_person),
		TEST(who_gives_up_hangs_up),
		TEST(modern_streams_are_only_read),
		TEST(bad_questions),
		TEST(a_session_lives),
		TEST(a_broken_stream_is_resumed),
		TEST(progress_does_not_stop_the_clock),
		TEST(no_standing_stream_is_no_fault),
		TEST(a_session_that_cannot_begin),
		TEST(the_oldest_transport),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
