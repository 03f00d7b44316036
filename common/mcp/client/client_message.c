#include <ctype.h>

#include "mcp/client/client_private.h"

enum { JSONRPC_RESOURCE_NOT_FOUND = -32002 }; /* of legacy servers */

/* ---- Out ---- */

bool client_write_request(const struct mcp_client *c, const struct client_request *r,
			  enum mcp_era era, long long id, struct strbuf *sb,
			  struct error *err)
{
	bool is_modern = era == MCP_ERA_MODERN;
	size_t skip = r->meta.length > 0 ? 1 : 0; /* its first comma */

	strbuf_add_string(sb, "{\"jsonrpc\":\"2.0\"");
	if (id)
		strbuf_add_format(sb, ",\"id\":%lld", id);
	strbuf_add_format(sb, ",\"method\":\"%s\",\"params\":{", r->method);
	if (is_modern) {
		strbuf_add_format(sb, "\"_meta\":{%s", c->envelope);
		strbuf_add(sb, r->meta.data, r->meta.length);
		strbuf_add_char(sb, '}');
		strbuf_add(sb, r->params.data, r->params.length);
	} else {
		strbuf_add_string(sb, skip ? "\"_meta\":{" : "");
		strbuf_add(sb, r->meta.data + skip, r->meta.length - skip);
		strbuf_add_string(sb, skip ? "}" : "");
		if (r->params.length > 0 && !skip)
			strbuf_add(sb, r->params.data + 1, r->params.length - 1);
		else
			strbuf_add(sb, r->params.data, r->params.length);
	}
	strbuf_add_string(sb, "}}");
	return (strbuf_ok(sb) && strbuf_ok(&r->meta) && strbuf_ok(&r->params) &&
		strbuf_ok(&r->mirror)) ||
	       error_oom(err);
}

/* ---- In ---- */

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

bool client_say_error(const json_t *error, int status, struct error *err)
{
	int64_t code = json_get_int64(error, "code", 0);
	char message[200];

	if (code == JSONRPC_UNSUPPORTED_VERSION)
		return say_version(error, err);
	copy_message(error, message, sizeof message);
	error_set(err,
		  status == 401 || status == 403       ? ERR_PERMISSION_DENIED
		  : status >= 500                      ? ERR_BACKEND_UNAVAILABLE
		  : code == JSONRPC_RESOURCE_NOT_FOUND ? ERR_NOT_FOUND
						       : ERR_INVALID_ARGUMENT,
		  "%s", *message ? message : "the server refused the request");
	return error_cause(err, "JSON-RPC %lld, HTTP %d", (long long)code, status);
}

/* A status that speaks for itself; the body holds no JSON-RPC error. */
static bool say_status(int status, struct error *err)
{
	switch (status) {
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
				 status);
	default:
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the server answered HTTP %d and nothing of MCP",
				 status);
	}
}

static bool is_success(int status)
{
	return status == 0 || status == 200;
}

static bool check_type(const json_t *result, bool may_be_task, struct error *err)
{
	const json_t *type = json_object_get(result, "resultType");
	const char *text = json_string_value(type);

	/* Absent means complete; what is not known may mean anything. */
	if (!type || (text && (strcmp(text, "complete") == 0 ||
			       strcmp(text, "input_required") == 0 ||
			       (may_be_task && strcmp(text, "task") == 0))))
		return true;
	return error_set(err, ERR_INVALID_ARGUMENT,
			 "the server's result is of a type that is not known");
}

bool client_is_answer(const struct jsonrpc_message *m, long long id)
{
	if (m->kind == JSONRPC_ERROR && !m->id)
		return true;
	return (m->kind == JSONRPC_RESULT || m->kind == JSONRPC_ERROR) &&
	       json_is_integer(m->id) && json_integer_value(m->id) == id;
}

static bool say_nothing(const struct client_request *r, const char *what,
			struct error *err)
{
	if (!is_success(r->status))
		return say_status(r->status, err);
	error_set(err, ERR_INVALID_ARGUMENT, "%s", what);
	return *r->why ? error_cause(err, "%s", r->why) : false;
}

json_t *client_read_result(struct client_request *r, enum mcp_era era, long long id,
			   struct error *err)
{
	struct jsonrpc_message m;
	const json_t *ignored = NULL;
	struct error why = ERROR_INIT;

	r->code = 0;
	if (!json_is_object(r->answer)) {
		say_nothing(r, "the server's answer is not MCP", err);
		return NULL;
	}
	if (!jsonrpc_read(r->answer, &m, &ignored, &why)) {
		say_nothing(r, "the server's answer is not JSON-RPC", err);
		return NULL;
	}
	if (m.kind == JSONRPC_ERROR) {
		r->code = json_get_int64(m.error, "code", 0);
		client_say_error(m.error, r->status, err);
		return NULL;
	}
	if (m.kind != JSONRPC_RESULT || !client_is_answer(&m, id) ||
	    !json_is_object(m.result)) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the server answered another request");
		return NULL;
	}
	if (era == MCP_ERA_MODERN && !check_type(m.result, r->may_be_task, err))
		return NULL;
	return json_incref(json_object_get(r->answer, "result"));
}
