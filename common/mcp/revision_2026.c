/* All that is particular to revision 2026-07-28. */
#include "mcp/revision.h"

#include "mcp/header_value.h"
#include "mcp/tasks.h"
#include "schemas/schemas.h"

_printf_(2, 0) static void fill_message(struct refusal *r, const char *format,
					va_list args)
{
	(void)vsnprintf(r->message, sizeof r->message, format, args);
}

bool refusal_set(struct refusal *r, unsigned status, int code, const char *format, ...)
{
	va_list args;

	r->status = status;
	r->code = code;
	va_start(args, format);
	fill_message(r, format, args);
	va_end(args);
	return false;
}

/* ---- Which era ---- */

static bool is_date(const char *text)
{
	static const char pattern[] = "dddd-dd-dd";

	for (size_t i = 0; i < sizeof pattern; i++)
		if (pattern[i] == 'd' ? text[i] < '0' || text[i] > '9'
				      : text[i] != pattern[i])
			return false;
	return true;
}

bool revision_is_modern(const char *version)
{
	return version && is_date(version) && strcmp(version, REVISION_2026) >= 0;
}

static json_t *meta_of(const struct jsonrpc_message *m)
{
	return json_object_get(m->params, "_meta");
}

bool revision_2026_is_claimed(const struct jsonrpc_message *m)
{
	return json_object_get(meta_of(m), META_PROTOCOL_VERSION) != NULL;
}

static json_t *versions(const char *requested)
{
	return json_pack("{s:[s], s:s*}", "supported", REVISION_2026, "requested",
			 requested);
}

void revision_2026_refuse_legacy(const struct jsonrpc_message *m, struct refusal *ret)
{
	if (strcmp(m->method, "initialize") == 0)
		refusal_set(ret, 400, JSONRPC_HEADER_MISMATCH,
			    "header MCP-Protocol-Version names a revision that has no "
			    "'initialize'");
	else
		refusal_set(ret, 400, JSONRPC_INVALID_PARAMS,
			    "params._meta lacks \"%s\", which MCP %s has in every "
			    "request",
			    META_PROTOCOL_VERSION, REVISION_2026);
}

/* ---- Envelope and headers ---- */

bool mcp_is_log_level(const char *text)
{
	static const char *const levels[] = {
		"debug", "info",     "notice", "warning",
		"error", "critical", "alert",  "emergency"
	};

	for (size_t i = 0; text && i < ARRAY_SIZE(levels); i++)
		if (strcmp(text, levels[i]) == 0)
			return true;
	return false;
}

static bool check_envelope(const json_t *meta, struct refusal *ret)
{
	const json_t *capabilities = json_object_get(meta, META_CLIENT_CAPABILITIES);
	const json_t *info = json_object_get(meta, META_CLIENT_INFO);
	const json_t *token = json_object_get(meta, "progressToken");
	enum mcp_level level;

	if (!json_is_string(json_object_get(meta, META_PROTOCOL_VERSION)))
		return refusal_set(ret, 400, JSONRPC_INVALID_PARAMS,
				   "params._meta[\"%s\"] must be a string",
				   META_PROTOCOL_VERSION);
	if (!json_is_object(capabilities))
		return refusal_set(ret, 400, JSONRPC_INVALID_PARAMS,
				   "params._meta[\"%s\"] is %s", META_CLIENT_CAPABILITIES,
				   capabilities ? "no object" : "missing");
	if (info && !json_is_object(info))
		return refusal_set(ret, 400, JSONRPC_INVALID_PARAMS,
				   "params._meta[\"%s\"] is no object", META_CLIENT_INFO);
	if (token && !json_is_string(token) && !json_is_integer(token))
		return refusal_set(
			ret, 400, JSONRPC_INVALID_PARAMS,
			"params._meta.progressToken must be a string or an integer");
	if (json_object_get(meta, META_LOG_LEVEL) &&
	    !mcp_level_parse(json_get_string(meta, META_LOG_LEVEL), &level))
		return refusal_set(ret, 400, JSONRPC_INVALID_PARAMS,
				   "params._meta[\"%s\"] is none of the eight levels",
				   META_LOG_LEVEL);
	return true;
}

/* These two never use the base64 form. White space around a value does not count. */
static bool header_equals(const char *header, const json_t *text)
{
	size_t length = strlen(header);

	while (length > 0 && (header[length - 1] == ' ' || header[length - 1] == '\t'))
		length--;
	while (length > 0 && (*header == ' ' || *header == '\t'))
		header++, length--;
	return length == json_string_length(text) &&
	       memcmp(header, json_string_value(text), length) == 0;
}

static bool check_version(const json_t *meta, const struct http_request *http,
			  struct refusal *ret)
{
	const json_t *version = json_object_get(meta, META_PROTOCOL_VERSION);
	const char *header = http_request_header(http, "MCP-Protocol-Version");

	if (!header || !header_equals(header, version))
		return refusal_set(ret, 400, JSONRPC_HEADER_MISMATCH,
				   "header MCP-Protocol-Version %s",
				   header ? "differs from the body" : "is missing");
	if (strcmp(json_string_value(version), REVISION_2026) != 0) {
		ret->data = versions(json_string_value(version));
		return refusal_set(ret, 400, JSONRPC_UNSUPPORTED_VERSION,
				   "Unsupported protocol version: this server speaks %s",
				   REVISION_2026);
	}
	return true;
}

/* The parameter that Mcp-Name repeats; NULL for methods without. */
static const char *name_member(const char *method)
{
	static const struct {
		const char *method, *member;
	} rows[] = {
		{ "tools/call", "name" },     { "prompts/get", "name" },
		{ "resources/read", "uri" },  { "tasks/get", "taskId" },
		{ "tasks/update", "taskId" }, { "tasks/cancel", "taskId" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(method, rows[i].method) == 0)
			return rows[i].member;
	return NULL;
}

static bool check_name(const struct jsonrpc_message *m, const struct http_request *http,
		       struct refusal *ret)
{
	const char *member = name_member(m->method);
	const char *header = member ? http_request_header(http, "Mcp-Name") : NULL;
	const json_t *name = member ? json_object_get(m->params, member) : NULL;

	if (!member ||
	    (!header && !json_is_string(name))) /* a missing name is judged later */
		return true;
	if (!header)
		return refusal_set(ret, 400, JSONRPC_HEADER_MISMATCH,
				   "header Mcp-Name is missing");
	if (!json_is_string(name) ||
	    !header_value_is(header, json_string_value(name), json_string_length(name)))
		return refusal_set(ret, 400, JSONRPC_HEADER_MISMATCH,
				   "header Mcp-Name differs from params.%s", member);
	return true;
}

static bool check_method(const struct jsonrpc_message *m, const struct http_request *http,
			 struct refusal *ret)
{
	const char *header = http_request_header(http, "Mcp-Method");
	json_auto_t *method = json_string(m->method);

	if (!header || !method || !header_equals(header, method))
		return refusal_set(ret, 400, JSONRPC_HEADER_MISMATCH,
				   "header Mcp-Method %s",
				   header ? "differs from the body" : "is missing");
	return check_name(m, http, ret);
}

bool revision_2026_check(const struct jsonrpc_message *m, const struct http_request *http,
			 struct refusal *ret)
{
	const json_t *meta = meta_of(m);

	return check_envelope(meta, ret) && check_version(meta, http, ret) &&
	       check_method(m, http, ret);
}

void revision_2026_wants(const struct jsonrpc_message *m, json_t **ret_token,
			 bool *ret_log, enum mcp_level *ret_level)
{
	const json_t *meta = meta_of(m);

	json_t *token = json_object_get(meta, "progressToken");

	/* No other could be said in a notification; older revisions do not refuse it. */
	*ret_token = json_is_string(token) || json_is_integer(token) ? token : NULL;
	*ret_log = mcp_level_parse(json_get_string(meta, META_LOG_LEVEL), ret_level);
}

bool revision_2026_declares(const struct jsonrpc_message *m, const char *extension)
{
	const json_t *capabilities =
		json_object_get(meta_of(m), META_CLIENT_CAPABILITIES);

	return json_is_object(
		json_object_get(json_object_get(capabilities, "extensions"), extension));
}

static const struct method {
	const char *name;
	unsigned feature; /* 0: always there */
} methods[MCP_METHOD_COUNT] = {
	[MCP_DISCOVER] = { "server/discover", 0 },
	[MCP_TOOLS_LIST] = { "tools/list", 0 },
	[MCP_TOOLS_CALL] = { "tools/call", 0 },
	[MCP_RESOURCES_LIST] = { "resources/list", MCP_HAS_RESOURCES },
	[MCP_TEMPLATES_LIST] = { "resources/templates/list", MCP_HAS_RESOURCES },
	[MCP_RESOURCES_READ] = { "resources/read", MCP_HAS_RESOURCES },
	[MCP_PROMPTS_LIST] = { "prompts/list", MCP_HAS_PROMPTS },
	[MCP_PROMPTS_GET] = { "prompts/get", MCP_HAS_PROMPTS },
	[MCP_COMPLETE] = { "completion/complete", MCP_HAS_COMPLETION },
	[MCP_LISTEN] = { "subscriptions/listen", MCP_HAS_CHANGES },
	[MCP_TASKS_GET] = { "tasks/get", MCP_HAS_TASKS },
	[MCP_TASKS_UPDATE] = { "tasks/update", MCP_HAS_TASKS },
	[MCP_TASKS_CANCEL] = { "tasks/cancel", MCP_HAS_TASKS },
};

const char *mcp_method_name(enum mcp_method method)
{
	return method < MCP_METHOD_COUNT ? methods[method].name : "other";
}

enum mcp_method revision_2026_method(const struct jsonrpc_message *m, unsigned features,
				     struct refusal *ret)
{
	for (int i = 0; i < MCP_METHOD_COUNT; i++)
		if (strcmp(m->method, methods[i].name) == 0 &&
		    (methods[i].feature & ~features) == 0)
			return (enum mcp_method)i;
	refusal_set(ret, 404, JSONRPC_METHOD_NOT_FOUND, "Method not found");
	return MCP_METHOD_COUNT;
}

/* ---- Results ---- */

bool mcp_identity_read(struct mcp_identity *me, const char *server, struct error *err)
{
	_cleanup_strbuf_ struct strbuf info = STRBUF_INIT;
	json_auto_t *about = NULL;
	char path[64];

	(void)snprintf(path, sizeof path, "%s/server.json", server);
	const struct schema_file *file = schemas_find(path);
	if (file && !(about = json_parse(file->text, file->length, JSON_CONTRACT, err)))
		return false;
	const char *instructions = json_get_string(about, "instructions");

	(void)snprintf(path, sizeof path, "wingman-%s", server);
	json_auto_t *value = json_pack("{s:s, s:s*, s:s}", "name", path, "title",
				       json_get_string(about, "title"), "version",
				       WINGMAN_VERSION);
	if (!value)
		return error_oom(err);
	strbuf_add_string(&info, "\"" META_SERVER_INFO "\":");
	if (!json_write(&info, value, err))
		return false;
	me->server_info = strbuf_take(&info);
	me->instructions = instructions ? strdup(instructions) : NULL;
	if (!me->server_info || (instructions && !me->instructions))
		return error_oom(err);
	return true;
}

void mcp_identity_done(struct mcp_identity *me)
{
	free(me->server_info);
	free(me->instructions);
	*me = (struct mcp_identity){ 0 };
}

static void add_hints(struct strbuf *sb, bool is_public, int64_t ttl_ms)
{
	strbuf_add_format(sb, ",\"ttlMs\":%lld,\"cacheScope\":\"%s\"", (long long)ttl_ms,
			  is_public ? "public" : "private");
}

static void add_capabilities(struct strbuf *sb, unsigned features)
{
	bool lists = features & MCP_HAS_RESOURCE_CHANGES,
	     contents = features & MCP_HAS_SUBSCRIPTIONS;

	strbuf_add_format(sb, ",\"capabilities\":{\"tools\":{%s}",
			  features & MCP_HAS_TOOL_CHANGES ? "\"listChanged\":true" : "");
	if (features & MCP_HAS_RESOURCES)
		strbuf_add_format(sb, ",\"resources\":{%s%s%s}",
				  contents ? "\"subscribe\":true" : "",
				  contents && lists ? "," : "",
				  lists ? "\"listChanged\":true" : "");
	if (features & MCP_HAS_PROMPTS)
		strbuf_add_format(
			sb, ",\"prompts\":{%s}",
			features & MCP_HAS_PROMPT_CHANGES ? "\"listChanged\":true" : "");
	if (features & MCP_HAS_COMPLETION)
		strbuf_add_string(sb, ",\"completions\":{}");
	if (features & MCP_HAS_LOGGING)
		strbuf_add_string(sb, ",\"logging\":{}");
	if (features & MCP_HAS_TASKS)
		strbuf_add_string(sb, ",\"extensions\":{\"" TASKS_EXTENSION "\":{}}");
	strbuf_add_char(sb, '}');
}

char *revision_2026_discover(const struct mcp_identity *me, unsigned features)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strbuf_add_string(&sb, "\"supportedVersions\":[\"" REVISION_2026 "\"]");
	add_capabilities(&sb, features);
	if (me->instructions) {
		strbuf_add_string(&sb, ",\"instructions\":");
		strbuf_add_json_string(&sb, me->instructions, strlen(me->instructions));
	}
	return strbuf_take(&sb);
}

void revision_2026_write_body(struct strbuf *sb, const struct mcp_identity *me,
			      const json_t *id, const struct mcp_body *b)
{
	strbuf_add_string(sb, "{\"jsonrpc\":\"2.0\",\"id\":");
	jsonrpc_write_id(sb, id);
	strbuf_add_format(sb, ",\"result\":{\"resultType\":\"%s\"",
			  b->type ? b->type : "complete");
	if (b->length > 0) {
		strbuf_add_char(sb, ',');
		strbuf_add(sb, b->members, b->length);
	}
	if (b->is_cacheable)
		add_hints(sb, b->is_public, b->ttl_ms);
	strbuf_add_format(sb, ",\"_meta\":{%s}}}", me->server_info);
}

/* A text, unless there are blocks instead of it. */
static void write_content(struct strbuf *sb, const struct mcp_result *r,
			  struct error *err)
{
	bool has_text = mcp_result_has_text(r);
	const json_t *block;
	size_t i;

	strbuf_add_string(sb, ",\"content\":[");
	if (has_text) {
		strbuf_add_string(sb, "{\"type\":\"text\",\"text\":");
		strbuf_add_json_string(sb, r->text.data, r->text.length);
		strbuf_add_char(sb, '}');
	}
	json_array_foreach(r->blocks, i, block)
	{
		if (i > 0 || has_text)
			strbuf_add_char(sb, ',');
		(void)json_write(sb, block, err);
	}
	strbuf_add_char(sb, ']');
	if (r->structured) {
		strbuf_add_string(sb, ",\"structuredContent\":");
		(void)json_write(sb, r->structured, err);
	}
	if (r->failed)
		strbuf_add_string(sb, ",\"isError\":true");
}

static void write_questions(struct strbuf *sb, const struct mcp_result *r,
			    struct error *err)
{
	if (r->input_requests) {
		strbuf_add_string(sb, ",\"inputRequests\":");
		(void)json_write(sb, r->input_requests, err);
	}
	if (r->request_state) {
		strbuf_add_string(sb, ",\"requestState\":");
		strbuf_add_json_string(sb, r->request_state, strlen(r->request_state));
	}
}

static void write_meta(struct strbuf *sb, const struct mcp_identity *me,
		       const struct mcp_result *r, struct error *err)
{
	const char *name;
	json_t *value;

	strbuf_add_string(sb, ",\"_meta\":{");
	strbuf_add_string(sb, me->server_info);
	json_object_foreach(r->meta, name, value)
	{
		strbuf_add_char(sb, ',');
		strbuf_add_json_string(sb, name, strlen(name));
		strbuf_add_char(sb, ':');
		(void)json_write(sb, value, err);
	}
	strbuf_add_string(sb, "}}}");
}

void revision_2026_write_call(struct strbuf *sb, const struct mcp_identity *me,
			      const json_t *id, const struct mcp_result *r)
{
	struct error err = ERROR_INIT;
	size_t start = sb->length;

	strbuf_add_string(sb, "{\"jsonrpc\":\"2.0\",\"id\":");
	jsonrpc_write_id(sb, id);
	strbuf_add_string(sb, ",\"result\":{\"resultType\":");
	if (r->request_state || r->input_requests) {
		strbuf_add_string(sb, "\"input_required\"");
		write_questions(sb, r, &err);
	} else {
		strbuf_add_string(sb, "\"complete\"");
		write_content(sb, r, &err);
	}
	write_meta(sb, me, r, &err);
	if (!error_is_set(&err) && !r->broken)
		return;
	/* No half of a result goes out. */
	strbuf_truncate(sb, start);
	jsonrpc_write_error(sb, id, JSONRPC_INTERNAL_ERROR,
			    "the result could not be written", NULL);
}
