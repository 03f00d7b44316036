#include "mcp/revision_legacy.h"

enum { RESOURCE_NOT_FOUND = -32002 };

static const char *const dates[] = {
	[LEGACY_NONE] = "",
	[LEGACY_2024_11_05] = "2024-11-05",
	[LEGACY_2025_03_26] = "2025-03-26",
	[LEGACY_2025_06_18] = "2025-06-18",
	[LEGACY_2025_11_25] = "2025-11-25",
};

enum legacy_revision legacy_revision_find(const char *version)
{
	for (size_t i = LEGACY_NONE + 1; version && i < ARRAY_SIZE(dates); i++)
		if (strcmp(version, dates[i]) == 0)
			return (enum legacy_revision)i;
	return LEGACY_NONE;
}

enum legacy_revision legacy_revision_negotiate(const char *wanted)
{
	enum legacy_revision r = legacy_revision_find(wanted);

	return r == LEGACY_NONE ? LEGACY_2025_11_25 : r;
}

enum mcp_method legacy_method(const struct jsonrpc_message *m, unsigned features)
{
	struct refusal unused = { 0 };
	enum mcp_method method = revision_2026_method(m, features, &unused);

	refusal_done(&unused);
	return method == MCP_DISCOVER || method >= MCP_LISTEN ? MCP_METHOD_COUNT : method;
}

/* ---- initialize ---- */

/* {"name":...}, out of "META_SERVER_INFO":{"name":...}. */
static json_t *server_info(enum legacy_revision r, const struct mcp_identity *me)
{
	const char *text = me->server_info + strlen("\"" META_SERVER_INFO "\":");
	struct error err = ERROR_INIT;
	json_t *info = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	if (r < LEGACY_2025_06_18)
		(void)json_object_del(info, "title");
	return info;
}

static void write_capability(struct strbuf *sb, const char *name, bool is_subscribed,
			     bool is_changing)
{
	strbuf_add_format(sb, ",\"%s\":{%s%s%s}", name,
			  is_subscribed ? "\"subscribe\":true" : "",
			  is_subscribed && is_changing ? "," : "",
			  is_changing ? "\"listChanged\":true" : "");
}

static void write_capabilities(struct strbuf *sb, enum legacy_revision r,
			       unsigned features)
{
	strbuf_add_format(sb, "{\"tools\":{%s}",
			  features & MCP_HAS_TOOL_CHANGES ? "\"listChanged\":true" : "");
	if (features & MCP_HAS_LOGGING)
		write_capability(sb, "logging", false, false);
	if (features & MCP_HAS_RESOURCES)
		write_capability(sb, "resources", features & MCP_HAS_SUBSCRIPTIONS,
				 features & MCP_HAS_RESOURCE_CHANGES);
	if (features & MCP_HAS_PROMPTS)
		write_capability(sb, "prompts", false, features & MCP_HAS_PROMPT_CHANGES);
	if (features & MCP_HAS_COMPLETION && r > LEGACY_2024_11_05)
		write_capability(sb, "completions", false, false);
	strbuf_add_char(sb, '}');
}

void legacy_write_initialize(struct strbuf *sb, enum legacy_revision r,
			     const struct mcp_identity *me, unsigned features)
{
	json_auto_t *info = server_info(r, me);
	struct error err = ERROR_INIT;

	strbuf_add_format(sb, "{\"protocolVersion\":\"%s\",\"capabilities\":", dates[r]);
	write_capabilities(sb, r, features);
	strbuf_add_string(sb, ",\"serverInfo\":");
	if (!info || !json_write(sb, info, &err))
		sb->failed = true;
	if (me->instructions) {
		strbuf_add_string(sb, ",\"instructions\":");
		strbuf_add_json_string(sb, me->instructions, strlen(me->instructions));
	}
	strbuf_add_char(sb, '}');
}

/* ---- Lists ---- */

static const char *list_member(enum mcp_method method)
{
	switch (method) {
	case MCP_TOOLS_LIST:
		return "tools";
	case MCP_RESOURCES_LIST:
		return "resources";
	case MCP_TEMPLATES_LIST:
		return "resourceTemplates";
	case MCP_PROMPTS_LIST:
		return "prompts";
	default:
		return NULL;
	}
}

static void drop_titles(json_t *item)
{
	json_t *argument;
	size_t i;

	(void)json_object_del(item, "title");
	json_array_foreach(json_object_get(item, "arguments"), i, argument)(void)
		json_object_del(argument, "title");
}

/* Leave out what the revision has no word for. */
static void adapt_item(json_t *item, enum legacy_revision r)
{
	const json_t *output = json_object_get(item, "outputSchema");
	const char *type = json_get_string(output, "type");

	(void)json_object_del(item, "execution");
	if (output && (r < LEGACY_2025_06_18 || !type || strcmp(type, "object") != 0))
		(void)json_object_del(item, "outputSchema");
	if (r < LEGACY_2025_11_25)
		(void)json_object_del(item, "icons");
	if (r < LEGACY_2025_06_18) {
		drop_titles(item);
		(void)json_object_del(item, "_meta");
	}
	if (r < LEGACY_2025_03_26 && json_object_get(item, "inputSchema"))
		(void)json_object_del(item, "annotations");
}

static bool write_list(struct strbuf *sb, enum legacy_revision r, const char *member,
		       const struct mcp_body *b)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_t *item;
	size_t i;

	strbuf_add_char(&text, '{');
	strbuf_add(&text, b->members, b->length);
	strbuf_add_char(&text, '}');
	json_auto_t *result =
		strbuf_ok(&text) ? json_parse(text.data, text.length, JSON_SYNTAX, &err)
				 : NULL;
	if (!result)
		return false;
	json_array_foreach(json_object_get(result, member), i, item) adapt_item(item, r);
	return json_write(sb, result, &err);
}

static void write_head(struct strbuf *sb, const json_t *id)
{
	strbuf_add_string(sb, "{\"jsonrpc\":\"2.0\",\"id\":");
	jsonrpc_write_id(sb, id);
	strbuf_add_string(sb, ",\"result\":");
}

static void write_nothing(struct strbuf *sb, size_t start, const json_t *id)
{
	/* No half of a result goes out. */
	strbuf_truncate(sb, start);
	jsonrpc_write_error(sb, id, JSONRPC_INTERNAL_ERROR,
			    "the result could not be written", NULL);
}

void legacy_write_body(struct strbuf *sb, enum legacy_revision r, enum mcp_method method,
		       const json_t *id, const struct mcp_body *b)
{
	const char *member = list_member(method);
	size_t start = sb->length;
	bool good = true;

	write_head(sb, id);
	if (member) {
		good = write_list(sb, r, member, b);
	} else {
		strbuf_add_char(sb, '{');
		strbuf_add(sb, b->members, b->length);
		strbuf_add_char(sb, '}');
	}
	strbuf_add_char(sb, '}');
	if (!good)
		write_nothing(sb, start, id);
}

/* ---- tools/call ---- */

static bool add_text(json_t *content, const char *text, size_t length)
{
	json_t *block = json_pack("{s:s, s:s%}", "type", "text", "text", text, length);

	return block && json_array_append_new(content, block) == 0;
}

static bool add_structure(json_t *content, const json_t *structured)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	return json_write(&text, structured, &err) && strbuf_ok(&text) &&
	       add_text(content, text.data, text.length);
}

static bool add_link(json_t *content, const json_t *block)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_format(&text, "%s: %s", json_get_string(block, "name") ?: "resource",
			  json_get_string(block, "uri") ?: "");
	return strbuf_ok(&text) && add_text(content, text.data, text.length);
}

static bool add_block(json_t *content, json_t *block, enum legacy_revision r)
{
	const char *type = json_get_string(block, "type");

	if (type && strcmp(type, "resource_link") == 0 && r < LEGACY_2025_06_18)
		return add_link(content, block);
	if (type && strcmp(type, "audio") == 0 && r < LEGACY_2025_03_26)
		return add_text(content, "(audio)", strlen("(audio)"));
	return json_array_append(content, block) == 0;
}

static json_t *make_content(enum legacy_revision r, const struct mcp_result *result)
{
	json_auto_t *content = json_array();
	json_t *block;
	size_t i;

	if (!content || (mcp_result_has_text(result) &&
			 !add_text(content, result->text.data, result->text.length)))
		return NULL;
	/* What later clients read beside the text, these have as a text of its own. */
	if (result->structured && r < LEGACY_2025_06_18 &&
	    !add_structure(content, result->structured))
		return NULL;
	json_array_foreach(result->blocks, i, block)
	{
		if (!add_block(content, block, r))
			return NULL;
	}
	return TAKE(content);
}

static json_t *make_call(enum legacy_revision r, const struct mcp_result *result)
{
	bool is_structured = r >= LEGACY_2025_06_18 && json_is_object(result->structured);

	return json_pack("{s:o, s:O*, s:o*, s:O*}", "content", make_content(r, result),
			 "structuredContent", is_structured ? result->structured : NULL,
			 "isError", result->failed ? json_true() : NULL, "_meta",
			 result->meta);
}

void legacy_write_call(struct strbuf *sb, enum legacy_revision r, const json_t *id,
		       const struct mcp_result *result)
{
	/* There is no way to ask these clients for anything within a result. */
	json_auto_t *made =
		result->broken || result->request_state ? NULL : make_call(r, result);
	struct error err = ERROR_INIT;
	size_t start = sb->length;

	write_head(sb, id);
	if (!made || !json_write(sb, made, &err))
		write_nothing(sb, start, id);
	else
		strbuf_add_char(sb, '}');
}

/* ---- Refusals ---- */

void legacy_translate(struct refusal *refusal, enum mcp_method method)
{
	if (method == MCP_RESOURCES_READ && refusal->code == REVISION_2026_NOT_FOUND &&
	    json_object_get(refusal->data, "uri"))
		refusal->code = RESOURCE_NOT_FOUND;
	/* In band; what went wrong before there was a session keeps its status. */
	if (refusal->code == JSONRPC_METHOD_NOT_FOUND)
		refusal->status = 200;
}
