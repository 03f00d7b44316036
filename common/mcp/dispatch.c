/*
 * From a request's bytes to its method, in the order of PROTOCOL 2.3. Host, Origin
 * and size were judged before (wire/httpd).
 */
#include "mcp/serving.h"

#include <strings.h>

enum {
	RESULT_MAX = 8 * 1024 * 1024,
	LIST_TTL_MS = 300000,
	REPLY_ROOM = 480, /* bytes that most replies need, got at once */
};

static const char JSON_TYPE[] = "application/json", EVENTS_TYPE[] = "text/event-stream";

/* ---- Ends of an exchange ---- */

void exchange_drop(struct exchange *x)
{
	legacy_leave(x);
	session_unref(x->session);
	if (x->is_entered)
		callers_leave(&x->service->callers, x->caller.client);
	atomic_fetch_sub(&x->service->metrics.in_flight, 1);
	ask_done(&x->asking);
	json_decref(x->arguments);
	strbuf_done(&x->canonical);
	json_decref(x->body);
	free(x);
}

/* The last word of a reply that became a stream. */
static void end_stream(struct exchange *x, const struct strbuf *body)
{
	if (body)
		(void)exchange_send_event(x, body);
	http_stream_end(x->stream);
	http_stream_unref(x->stream);
	x->stream = NULL;
}

/* What is an answer by itself, for a client whose Accept has nothing but events. */
static void begin_stream(struct exchange *x, const struct http_header *headers)
{
	x->stream =
		http_reply_stream(TAKE(x->http), 200, EVENTS_TYPE, headers, NULL, NULL);
}

struct http_request *exchange_leave(struct exchange *x, unsigned status)
{
	struct http_request *http = TAKE(x->http);

	metrics_count_request(&x->service->metrics, x->method, status);
	exchange_drop(x);
	return http;
}

void exchange_send(struct exchange *x, unsigned status, const struct http_header *headers,
		   struct strbuf *body)
{
	struct legacy_batch *batch = x->batch;
	size_t index = x->index;

	if (batch) {
		bool is_silent = legacy_is_silenced(x);

		(void)exchange_leave(x, status);
		legacy_collect(batch, index, is_silent ? NULL : body);
		return;
	}
	if (body && !strbuf_ok(body)) {
		/* Out of memory while writing: say so with what needs none. */
		strbuf_done(body);
		status = 500;
	}
	if (x->session && legacy_send(x, status, body))
		return;
	if (x->wants_events && x->http && status == 200 && body)
		begin_stream(x, headers);
	if (x->stream) {
		end_stream(x, body);
		status = 200;
	}
	/* Freed before the reply, so that a client's next call finds its place free. */
	struct http_request *http = exchange_leave(x, status);
	if (http)
		http_reply(http, status, body && body->length ? JSON_TYPE : NULL, headers,
			   body);
}

void exchange_refuse(struct exchange *x, struct refusal *refusal)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	json_auto_t *null = json_null();
	bool is_null = !x->message.id && legacy_has_null_id(legacy_peer(x));

	if (x->revision != LEGACY_NONE)
		legacy_translate(refusal, x->method);
	jsonrpc_write_error(&body, is_null ? null : x->message.id, refusal->code,
			    refusal->message, refusal->data);
	refusal_done(refusal);
	exchange_send(x, refusal->status, NULL, &body);
}

static void refuse(struct exchange *x, unsigned status, int code, const char *message)
{
	struct refusal refusal = { 0 };

	refusal_set(&refusal, status, code, "%s", message);
	exchange_refuse(x, &refusal);
}

void exchange_challenge(struct exchange *x, unsigned status, const char *challenge)
{
	const struct http_header headers[] = { { "WWW-Authenticate", challenge },
					       { NULL, NULL } };

	if (x->batch || !x->http) /* has one status for all, or none any more */
		refuse(x, status, JSONRPC_INVALID_REQUEST, "the token does not allow it");
	else
		exchange_send(x, status, headers, NULL);
}

/* Errors of JSON-RPC are said in their place when the result is too long. */
void exchange_body(struct exchange *x, const struct mcp_body *body)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (x->revision != LEGACY_NONE)
		legacy_write_body(&text, x->revision, x->method, x->message.id, body);
	else
		revision_2026_write_body(&text, &x->service->identity, x->message.id,
					 body);
	if (text.length > RESULT_MAX) {
		refuse(x, 200, JSONRPC_INTERNAL_ERROR, "the result is too long");
		return;
	}
	exchange_send(x, 200, NULL, &text);
}

static void write_call(struct exchange *x, struct mcp_result *r, struct strbuf *body)
{
	if (x->revision != LEGACY_NONE)
		legacy_write_call(body, x->revision, x->message.id, r);
	else
		revision_2026_write_call(body, &x->service->identity, x->message.id, r);
}

/* What ran has run, and that is said; only its result is not sent. */
static void shorten(struct exchange *x, struct mcp_result *r, struct strbuf *body)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERR_INTERNAL, "'%s' ran, but its result has more than %d bytes",
		  x->tool->definition->name, RESULT_MAX);
	error_hint(&err, "ask for less at once");
	mcp_result_error(r, &err, NULL);
	strbuf_clear(body);
	write_call(x, r, body);
}

void exchange_refuse_missing(struct exchange *x, json_t *missing)
{
	struct refusal refusal = { 0 };

	if (x->session) {
		legacy_refuse_missing(x, missing);
		return;
	}
	refusal.data = json_pack("{s:o}", "requiredCapabilities", missing);
	refusal_set(&refusal, 400, JSONRPC_MISSING_CAPABILITY,
		    "the client did not declare a capability that this needs");
	exchange_refuse(x, &refusal);
}

static void reply_task(struct exchange *x, const json_t *task)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (!json_write(&sb, task, &err) || sb.length < 2) {
		refuse(x, 200, JSONRPC_INTERNAL_ERROR, "the task could not be written");
		return;
	}
	exchange_body(x, &(struct mcp_body){ .type = "task",
					     .members = sb.data + 1,
					     .length = sb.length - 2 });
}

void exchange_finish(struct exchange *x, struct mcp_result *r)
{
	if (r->task) {
		json_auto_t *task = TAKE(r->task);

		mcp_result_done(r);
		reply_task(x, task);
		return;
	}
	if (r->protocol_code) {
		struct refusal refusal = { 0 };

		refusal.data = TAKE(r->protocol_data);
		refusal_set(&refusal, 200, r->protocol_code, "%s", r->text.data);
		mcp_result_done(r);
		exchange_refuse(x, &refusal);
		return;
	}
	if (r->missing) {
		json_t *missing = TAKE(r->missing);

		mcp_result_done(r);
		exchange_refuse_missing(x, missing);
		return;
	}
	if (r->input_requests && x->session) {
		legacy_ask(x, r);
		return;
	}
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct metrics *m = &x->service->metrics;

	if (r->request_state || r->input_requests)
		atomic_fetch_add(&m->input_required, 1);
	else if (r->failed && r->code == ERR_NONE)
		atomic_fetch_add(&m->failed, 1);
	else
		metrics_count_call(m, r->code);
	(void)strbuf_reserve(&body, REPLY_ROOM);
	write_call(x, r, &body);
	if (body.length > RESULT_MAX)
		shorten(x, r, &body);
	mcp_result_done(r);
	exchange_send(x, 200, NULL, &body);
}

/* ---- Step 3: verb and media types ---- */

/* Whether a media type, parameters and white space aside, is 'type'. */
static bool media_is(const char *text, size_t length, const char *type)
{
	const char *end = memchr(text, ';', length);

	if (end)
		length = (size_t)(end - text);
	while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	while (length > 0 && (*text == ' ' || *text == '\t'))
		text++, length--;
	return length == strlen(type) && strncasecmp(text, type, length) == 0;
}

bool exchange_accepts(const char *accept, const char *type, const char *range)
{
	for (const char *at = accept; at; at = strchr(at, ',')) {
		at += *at == ',';
		size_t length = strcspn(at, ",");

		if (media_is(at, length, type) || media_is(at, length, range) ||
		    media_is(at, length, "*/*"))
			return true;
		at += length;
		if (!*at)
			break;
	}
	return !accept;
}

bool exchange_check_media(struct exchange *x)
{
	static const struct http_header allow[] = { { "Allow", "GET, POST, DELETE" },
						    { NULL, NULL } };
	const char *type = http_request_header(x->http, "Content-Type");
	const char *coding = http_request_header(x->http, "Content-Encoding");

	if (strcmp(http_request_method(x->http), "POST") != 0) {
		exchange_send(x, 405, allow, NULL);
		return false;
	}
	if (!type || !media_is(type, strlen(type), JSON_TYPE)) {
		refuse(x, 415, JSONRPC_INVALID_REQUEST,
		       "Content-Type must be application/json");
		return false;
	}
	/* What is packed is not unpacked: a few bytes could become a gigabyte. */
	if (coding && strcasecmp(coding, "identity") != 0) {
		refuse(x, 415, JSONRPC_INVALID_REQUEST,
		       "a body with Content-Encoding is not read");
		return false;
	}
	/* Our answers are JSON, and where the client takes nothing else, events of it. */
	const char *accept = http_request_header(x->http, "Accept");

	x->wants_events = !exchange_accepts(accept, JSON_TYPE, "application/*");
	if (x->wants_events && !exchange_accepts(accept, EVENTS_TYPE, "text/*")) {
		refuse(x, 406, JSONRPC_INVALID_REQUEST,
		       "Accept must list application/json and text/event-stream");
		return false;
	}
	return true;
}

/* ---- Steps 4 and 5: parse, shape, era ---- */

bool exchange_parse(struct exchange *x)
{
	struct error err = ERROR_INIT;
	size_t length;
	const char *text = http_request_body(x->http, &length);

	x->body = json_parse(text, length, JSON_CONTRACT, &x->contract);
	/* What is JSON at least gets the answer that its method gives. */
	if (!x->body)
		x->body = json_parse(text, length, JSON_SYNTAX, &err);
	if (!x->body) {
		refuse(x, 400, JSONRPC_PARSE_ERROR, err.message);
		return false;
	}
	return true;
}

bool exchange_read(struct exchange *x)
{
	struct error err = ERROR_INIT;
	const json_t *id = NULL;

	if (!jsonrpc_read(x->body, &x->message, &id, &err)) {
		x->message.id = id;
		refuse(x, 400, JSONRPC_INVALID_REQUEST, err.message);
		return false;
	}
	return true;
}

/* Table 4.1 of PROTOCOL. False: it is not for the modern era, and replied to. */
static bool check_era(struct exchange *x)
{
	const char *version = http_request_header(x->http, "MCP-Protocol-Version");
	bool is_claimed = revision_2026_is_claimed(&x->message);
	struct refusal refusal = { 0 };

	if (!is_claimed && !revision_is_modern(version)) {
		legacy_post(x);
		return false;
	}

	switch (x->message.kind) {
	case JSONRPC_NOTIFICATION:
		/* There is none that a server here acts on, and none is ever answered. */
		exchange_send(x, 202, NULL, NULL);
		return false;
	case JSONRPC_RESULT:
	case JSONRPC_ERROR:
		x->message.id = NULL;
		refuse(x, 400, JSONRPC_INVALID_REQUEST,
		       "a server asks nothing, so nothing is answered");
		return false;
	case JSONRPC_REQUEST:
		break;
	}
	if (is_claimed)
		return true;
	revision_2026_refuse_legacy(&x->message, &refusal);
	exchange_refuse(x, &refusal);
	return false;
}

/* ---- From step 6 on ---- */

/* Lists change with the program alone, and a program that restarts is asked again. */
static void reply_fixed(struct exchange *x, const char *members)
{
	const struct mcp_body body = {
		.members = members,
		.length = strlen(members),
		.is_cacheable = true,
		.is_public = true,
		.ttl_ms = LIST_TTL_MS,
	};

	exchange_body(x, &body);
}

static void reply_page(struct exchange *x, const struct listing *list)
{
	const char *page =
		listing_page(list, json_object_get(x->message.params, "cursor"));

	if (page)
		reply_fixed(x, page);
	else
		refuse(x, 200, JSONRPC_INVALID_PARAMS, "no such cursor");
}

void dispatch_run(struct exchange *x)
{
	const struct mcp_service *s = x->service;

	switch (x->method) {
	case MCP_DISCOVER:
		reply_fixed(x, s->discover_members);
		return;
	case MCP_TOOLS_LIST:
		reply_page(x, &s->tool_pages);
		return;
	case MCP_TOOLS_CALL:
		tools_call(x);
		return;
	case MCP_RESOURCES_LIST:
		if (s->catalog.has_lists)
			context_list(x);
		else
			reply_page(x, &s->catalog.resource_pages);
		return;
	case MCP_TEMPLATES_LIST:
		reply_page(x, &s->catalog.template_pages);
		return;
	case MCP_RESOURCES_READ:
		context_read(x);
		return;
	case MCP_PROMPTS_LIST:
		reply_page(x, &s->catalog.prompt_pages);
		return;
	case MCP_PROMPTS_GET:
		context_prompt(x);
		return;
	case MCP_COMPLETE:
		context_complete(x);
		return;
	case MCP_LISTEN:
		listen_begin(x);
		return;
	case MCP_TASKS_GET:
		tasks_get(x);
		return;
	case MCP_TASKS_UPDATE:
		tasks_update(x);
		return;
	case MCP_TASKS_CANCEL:
		tasks_cancel(x);
		return;
	case MCP_METHOD_COUNT:
		refuse(x, 404, JSONRPC_METHOD_NOT_FOUND, "Method not found");
		return;
	}
}

void dispatch_again(struct exchange *x)
{
	struct asking *a = &x->asking;

	json_decref(a->requests);
	json_decref(a->missing);
	*a = (struct asking){ .answers = a->answers, .memory = a->memory };
	json_decref(TAKE(x->arguments));
	strbuf_done(&x->canonical);
	strbuf_init(&x->canonical);
	x->tool = NULL;
	x->resource = NULL;
	x->prompt = NULL;
	x->name = NULL;
	x->next = NULL;
	x->wants_task = false;
	dispatch_run(x);
}

static void dispatch_method(struct exchange *x)
{
	struct refusal refusal = { 0 };

	if (!revision_2026_check(&x->message, x->http, &refusal)) {
		exchange_refuse(x, &refusal);
		return;
	}
	x->is_ended_by_leaving = true;
	x->has_tasks = revision_2026_declares(&x->message, TASKS_EXTENSION);
	revision_2026_wants(&x->message, &x->progress_token, &x->wants_log,
			    &x->log_level);
	x->method = revision_2026_method(&x->message, x->service->features, &refusal);
	if (x->method == MCP_METHOD_COUNT)
		exchange_refuse(x, &refusal);
	else
		dispatch_run(x);
}

static void go_on_body(struct exchange *x)
{
	if (json_is_array(x->body))
		legacy_post_batch(x);
	else if (exchange_read(x) && check_era(x))
		dispatch_method(x);
}

/* Step 2 is done: 'caller' is known, and may enter. */
static void go_on(struct exchange *x)
{
	const char *verb = http_request_method(x->http);

	if (strcmp(verb, "GET") == 0)
		legacy_get(x);
	else if (strcmp(verb, "DELETE") == 0)
		legacy_delete(x);
	else if (exchange_check_media(x) && exchange_parse(x))
		go_on_body(x);
}

struct exchange *exchange_new(struct mcp_service *s, struct http_request *http)
{
	struct exchange *x = calloc(1, sizeof *x);

	if (!x)
		return NULL;
	x->service = s;
	x->http = http;
	x->method = MCP_METHOD_COUNT;
	strbuf_init(&x->canonical);
	if (http)
		(void)snprintf(x->request, sizeof x->request, "%s",
			       http_request_id(http));
	atomic_fetch_add(&s->metrics.in_flight, 1);
	return x;
}

static void begin(struct mcp_service *s, struct http_request *http,
		  void (*then)(struct exchange *x))
{
	struct exchange *x = exchange_new(s, http);

	if (!x) {
		http_reply_text(http, 503, NULL, "");
		return;
	}
	/* Nobody needs to be told: who works for it looks. */
	http_request_on_gone(http, NULL, NULL);
	if (atomic_load(&s->is_stopping))
		refuse(x, 503, JSONRPC_INTERNAL_ERROR, "the server is about to stop");
	else
		authorize(x, then);
}

void dispatch_request(void *context, struct http_request *http)
{
	struct mcp_service *s = context;
	const char *path = http_request_path(http);

	log_set_request(http_request_id(http));
	if (strcmp(path, "/mcp") == 0)
		begin(s, http, go_on);
	else if (strcmp(path, "/sse") == 0 || strcmp(path, "/messages") == 0)
		begin(s, http, legacy_sse);
	else if (!status_request(s, http) && !authorize_metadata(s, http))
		http_reply_text(http, 404, "text/plain", "not found\n");
	log_set_request(NULL);
}
