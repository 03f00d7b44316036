#include "console/bridge_headers.h"

#include "base/digest.h"

static const char MARK_BEGIN[] = "=?base64?";
static const char MARK_END[] = "?=";

static void add(struct bridge_headers *h, const char *name, const char *value)
{
	h->list[h->count++] = (struct http_client_header){ name, value };
}

/* Visible ASCII with single inner spaces may stand as it is; a marker may not. */
static bool is_bare(const char *text, size_t length)
{
	size_t begin = strlen(MARK_BEGIN), end = strlen(MARK_END);

	if (length == 0 || text[0] == ' ' || text[length - 1] == ' ')
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return length < begin + end || memcmp(text, MARK_BEGIN, begin) != 0 ||
	       memcmp(text + length - end, MARK_END, end) != 0;
}

static void encode(struct strbuf *sb, const char *text, size_t length)
{
	if (is_bare(text, length)) {
		strbuf_add(sb, text, length);
		return;
	}
	strbuf_add_string(sb, MARK_BEGIN);
	digest_base64(sb, text, length);
	strbuf_add_string(sb, MARK_END);
}

/* The member of params that Mcp-Name repeats, or NULL. */
static const json_t *subject(const struct jsonrpc_message *m)
{
	static const struct {
		const char *method, *member;
	} rows[] = {
		{ "tools/call", "name" },     { "prompts/get", "name" },
		{ "resources/read", "uri" },  { "tasks/get", "taskId" },
		{ "tasks/update", "taskId" }, { "tasks/cancel", "taskId" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const json_t *value = json_object_get(m->params, rows[i].member);

		if (strcmp(rows[i].method, m->method) == 0)
			return json_is_string(value) ? value : NULL;
	}
	return NULL;
}

void bridge_headers_init(struct bridge_headers *h, const struct jsonrpc_message *message)
{
	const json_t *meta = json_object_get(message->params, "_meta");
	const char *version =
		json_get_string(meta, "io.modelcontextprotocol/protocolVersion");
	const json_t *about = subject(message);

	*h = (struct bridge_headers){ .name = STRBUF_INIT };
	add(h, "Content-Type", "application/json");
	add(h, "Accept", "application/json, text/event-stream");
	if (!version)
		return;
	add(h, "MCP-Protocol-Version", version);
	add(h, "Mcp-Method", message->method);
	if (!about)
		return;
	encode(&h->name, json_string_value(about), json_string_length(about));
	add(h, "Mcp-Name", h->name.data);
}

void bridge_headers_done(struct bridge_headers *h)
{
	strbuf_done(&h->name);
}
