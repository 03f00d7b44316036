#include "mcp/client.h"

#include <ctype.h>

#include "base/clock.h"
#include "guard/names.h"
#include "mcp/header_value.h"
#include "mcp/revision.h"
#include "mcp/sse_read.h"

enum { PAGES_MAX = 100, TOOLS_MAX = 2000, URL_MAX = 2000 };

struct mcp_client {
	char *url;
	const struct secret *token;
	struct http_client *http;
	char *envelope; /* members of _meta, JSON text */
	atomic_llong next_id;
};

/* One request: what goes out and what belongs to it. */
struct request {
	const char *method;
	const char *name; /* for Mcp-Name; NULL: none */
	const char *traceparent;
	struct strbuf params; /* members of params besides _meta, each behind a comma */
	struct strbuf meta;   /* members of _meta besides the envelope, likewise */
	int64_t timeout_ms;
	const atomic_bool *cancel;
	bool *ret_refused; /* NULL: nobody asks */
};

#define REQUEST_INIT(m)                                                                  \
	{                                                                                \
		.method = (m), .params = STRBUF_INIT, .meta = STRBUF_INIT                \
	}

static void request_done(struct request *r)
{
	strbuf_done(&r->params);
	strbuf_wipe(&r->meta); /* a grant may have been in it */
}

void mcp_client_free(struct mcp_client *c)
{
	if (!c)
		return;
	free(c->url);
	free(c->envelope);
	free(c);
}

static char *make_envelope(const char *client_name)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strbuf_add_string(&sb, "\"" META_PROTOCOL_VERSION "\":\"" REVISION_2026
			       "\",\"" META_CLIENT_CAPABILITIES
			       "\":{},\"" META_CLIENT_INFO "\":{\"name\":");
	strbuf_add_json_string(&sb, client_name, strlen(client_name));
	strbuf_add_string(&sb, ",\"version\":\"" WINGMAN_VERSION "\"}");
	return strbuf_take(&sb);
}

struct mcp_client *mcp_client_new(const char *url, const struct secret *token,
				  struct http_client *http, const char *client_name,
				  struct error *err)
{
	_cleanup_(mcp_client_freep) struct mcp_client *c = calloc(1, sizeof *c);

	if (!url || !*url || strlen(url) > URL_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT, "no URL of an MCP server");
		return NULL;
	}
	if (!c || !(c->url = strdup(url)) ||
	    !(c->envelope = make_envelope(client_name))) {
		error_oom(err);
		return NULL;
	}
	c->token = token;
	c->http = http;
	return TAKE(c);
}

/* ---- Sending ---- */

static bool write_body(const struct mcp_client *c, const struct request *r, long long id,
		       struct strbuf *sb, struct error *err)
{
	strbuf_add_format(
		sb, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"method\":\"%s\",\"params\":{", id,
		r->method);
	strbuf_add_format(sb, "\"_meta\":{%s", c->envelope);
	strbuf_add(sb, r->meta.data, r->meta.length);
	strbuf_add_char(sb, '}');
	strbuf_add(sb, r->params.data, r->params.length);
	strbuf_add_string(sb, "}}");
	return (strbuf_ok(sb) && strbuf_ok(&r->meta) && strbuf_ok(&r->params)) ||
	       error_oom(err);
}

static bool post(const struct mcp_client *c, const struct request *r,
		 const struct strbuf *body, struct http_client_reply *reply,
		 bool *ret_sent, struct error *err)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	struct http_client_header headers[8] = {
		{ "Content-Type", "application/json" },
		{ "Accept", "application/json, text/event-stream" },
		{ "MCP-Protocol-Version", REVISION_2026 },
		{ "Mcp-Method", r->method },
	};
	size_t count = 4;

	if (r->name) {
		header_value_encode(&name, r->name, strlen(r->name));
		if (!strbuf_ok(&name))
			return error_oom(err);
		headers[count++] = (struct http_client_header){ "Mcp-Name", name.data };
	}
	const struct http_client_request request = {
		.method = "POST",
		.url = c->url,
		.headers = headers,
		.bearer = c->token ? secret_bytes(c->token) : NULL,
		.body = body->data,
		.body_bytes = body->length,
		.timeout_ms = r->timeout_ms,
		.cancel = r->cancel,
	};
	return http_client_call(c->http, &request, reply, ret_sent, err);
}

/* ---- Reading ---- */

/*
 * The text of a server's error, which is a stranger's: control characters go, and it
 * is cut to what an error holds.
 */
static void copy_message(const json_t *error, char *to, size_t size)
{
	const char *text = json_get_string(error, "message");
	size_t at = 0;

	for (; text && *text && at + 1 < size; text++)
		to[at++] = iscntrl((unsigned char)*text) ? ' ' : *text;
	to[at] = '\0';
}

static bool say_version(const json_t *error, struct error *err)
{
	const json_t *supported =
		json_object_get(json_object_get(error, "data"), "supported");
	_cleanup_strbuf_ struct strbuf list = STRBUF_INIT;
	const json_t *one;
	size_t i;

	json_array_foreach(supported, i, one)
	{
		const char *version = json_string_value(one);

		if (version && strlen(version) <= 16 && list.length < 128)
			strbuf_add_format(&list, "%s%s", list.length ? ", " : "",
					  version);
	}
	error_set(err, ERR_INVALID_ARGUMENT,
		  "the server does not speak MCP %s; it names %s", REVISION_2026,
		  list.length ? list.data : "no version");
	return error_hint(err, "this client speaks %s alone", REVISION_2026);
}

static bool say_error(const json_t *error, int status, struct error *err)
{
	int64_t code = json_get_int64(error, "code", 0);
	char message[200];

	if (code == JSONRPC_UNSUPPORTED_VERSION)
		return say_version(error, err);
	copy_message(error, message, sizeof message);
	error_set(err,
		  status == 401 || status == 403 ? ERR_PERMISSION_DENIED
		  : status >= 500                ? ERR_BACKEND_UNAVAILABLE
						 : ERR_INVALID_ARGUMENT,
		  "%s", *message ? message : "the server refused the request");
	return error_cause(err, "JSON-RPC %lld, HTTP %d", (long long)code, status);
}

/* A status that speaks for itself; the body holds no JSON-RPC error. */
static bool say_status(const struct http_client_reply *reply, struct error *err)
{
	switch (reply->status) {
	case 401:
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the server does not accept this token");
	case 403:
		return error_set(err, ERR_PERMISSION_DENIED,
				 "this token may not do that with the server");
	case 429:
	case 503:
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the server is too busy or about to stop (HTTP %d)",
				 reply->status);
	default:
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the server answered HTTP %d and nothing of MCP",
				 reply->status);
	}
}

static json_t *parse(const struct http_client_reply *reply, struct error *err)
{
	struct error why = ERROR_INIT;
	bool is_stream = strcmp(reply->content_type, "text/event-stream") == 0;
	json_t *body =
		is_stream ? sse_read_response(reply->body.data, reply->body.length, &why)
			  : json_parse(reply->body.data, reply->body.length, JSON_SYNTAX,
				       &why);

	if (body && json_is_object(body))
		return body;
	json_decref(body);
	if (reply->status == 200) {
		error_set(err, ERR_INVALID_ARGUMENT, "the server's answer is not MCP");
		error_cause(err, "%s", why.message);
	} else {
		say_status(reply, err);
	}
	return NULL;
}

static bool check_type(const json_t *result, struct error *err)
{
	const json_t *type = json_object_get(result, "resultType");
	const char *text = json_string_value(type);

	/* Absent means complete; what is not known may mean anything. */
	if (!type || (text && (strcmp(text, "complete") == 0 ||
			       strcmp(text, "input_required") == 0)))
		return true;
	return error_set(err, ERR_INVALID_ARGUMENT,
			 "the server's result is of a type that is not known");
}

static json_t *read_result(const struct http_client_reply *reply, long long id,
			   struct error *err)
{
	json_auto_t *body = parse(reply, err);
	struct jsonrpc_message message;
	const json_t *ignored = NULL;
	struct error why = ERROR_INIT;

	if (!body)
		return NULL;
	if (!jsonrpc_read(body, &message, &ignored, &why)) {
		if (reply->status == 200)
			error_set(err, ERR_INVALID_ARGUMENT,
				  "the server's answer is not JSON-RPC");
		else
			say_status(reply, err);
		return NULL;
	}
	if (message.kind == JSONRPC_ERROR) {
		say_error(message.error, reply->status, err);
		return NULL;
	}
	if (message.kind != JSONRPC_RESULT || !json_is_integer(message.id) ||
	    json_integer_value(message.id) != id || !json_is_object(message.result)) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the server answered another request");
		return NULL;
	}
	return check_type(message.result, err)
		       ? json_incref(json_object_get(body, "result"))
		       : NULL;
}

static json_t *send(struct mcp_client *c, struct request *r, bool *ret_sent,
		    struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	long long id = atomic_fetch_add(&c->next_id, 1) + 1;
	json_t *result = NULL;

	if (r->traceparent) {
		strbuf_add_string(&r->meta, ",\"traceparent\":");
		strbuf_add_json_string(&r->meta, r->traceparent, strlen(r->traceparent));
	}
	if (ret_sent)
		*ret_sent = false;
	if (write_body(c, r, id, &body, err) && post(c, r, &body, &reply, ret_sent, err))
		result = read_result(&reply, id, err);
	if (r->ret_refused)
		*r->ret_refused = !result && reply.status >= 400 && reply.status < 500;
	strbuf_wipe(&body);
	http_client_reply_done(&reply);
	return result;
}

/* ---- The verbs ---- */

json_t *mcp_client_discover(struct mcp_client *c, int64_t timeout_ms, struct error *err)
{
	struct request r = REQUEST_INIT("server/discover");

	r.timeout_ms = timeout_ms;
	json_t *result = send(c, &r, NULL, err);
	request_done(&r);
	if (result && !json_is_array(json_object_get(result, "supportedVersions"))) {
		json_decref(result);
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the server names no supported versions");
		return NULL;
	}
	return result;
}

/* One page; '*cursor' is that of the next, NULL after the last. */
static json_t *list_page(struct mcp_client *c, json_t **cursor, int64_t timeout_ms,
			 struct error *err)
{
	struct request r = REQUEST_INIT("tools/list");

	r.timeout_ms = timeout_ms;
	if (*cursor) {
		strbuf_add_string(&r.params, ",\"cursor\":");
		strbuf_add_json_string(&r.params, json_string_value(*cursor),
				       json_string_length(*cursor));
	}
	json_t *result = send(c, &r, NULL, err);
	request_done(&r);
	json_decref(*cursor);
	*cursor = json_incref(json_object_get(result, "nextCursor"));
	return result;
}

json_t *mcp_client_list_tools(struct mcp_client *c, int64_t timeout_ms, struct error *err)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	json_auto_t *tools = json_array();
	json_auto_t *cursor = NULL;

	for (int page = 0; tools && page < PAGES_MAX; page++) {
		int64_t left_ms = until_ms - clock_mono_ms();
		json_auto_t *result =
			list_page(c, &cursor, left_ms > 1 ? left_ms : 1, err);

		if (!result)
			return NULL;
		json_t *some = json_object_get(result, "tools");
		if (!json_is_array(some) || (cursor && !json_is_string(cursor)) ||
		    json_array_size(tools) + json_array_size(some) > TOOLS_MAX) {
			error_set(err, ERR_INVALID_ARGUMENT,
				  "the server's list of tools is malformed or too long");
			return NULL;
		}
		if (json_array_extend(tools, some) != 0)
			break;
		if (!cursor)
			return TAKE(tools);
	}
	error_set(err, ERR_INVALID_ARGUMENT, "the server's list of tools has no end");
	return NULL;
}

static void add_text(struct strbuf *sb, const char *name, const char *text)
{
	if (!text)
		return;
	strbuf_add_format(sb, ",\"%s\":", name);
	strbuf_add_json_string(sb, text, strlen(text));
}

json_t *mcp_client_call(struct mcp_client *c, const struct mcp_client_call *call,
			bool *ret_sent, struct error *err)
{
	struct request r = REQUEST_INIT("tools/call");

	r.name = call->tool;
	r.traceparent = call->traceparent;
	r.timeout_ms = call->timeout_ms;
	r.cancel = call->cancel;
	r.ret_refused = call->ret_refused;
	add_text(&r.params, "name", call->tool);
	strbuf_add_string(&r.params, ",\"arguments\":");
	strbuf_add_string(&r.params, call->arguments ? call->arguments : "{}");
	add_text(&r.params, "requestState", call->request_state);
	add_text(&r.meta, META_GRANT, call->grant);
	add_text(&r.meta, META_REQUESTER, call->ticket);
	json_t *result = send(c, &r, ret_sent, err);
	request_done(&r);
	return result;
}
