#include "mcp/bridge/bridge_headers.h"

#include "mcp/header_value.h"
#include "mcp/revision.h"

static void add(struct bridge_headers *h, const char *name, const char *value)
{
	if (h->count < BRIDGE_HEADERS_MAX)
		h->list[h->count++] = (struct http_client_header){ name, value };
}

void bridge_headers_init(struct bridge_headers *h)
{
	*h = (struct bridge_headers){ .name = STRBUF_INIT, .mirror = STRBUF_INIT };
	add(h, "Content-Type", "application/json");
	add(h, "Accept", "application/json, text/event-stream");
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

static void add_mirrored(struct bridge_headers *h)
{
	const char *next = h->mirror.data, *end = next + h->mirror.length;

	while (next < end) {
		const char *value = next + strlen(next) + 1;

		add(h, next, value);
		next = value + strlen(value) + 1;
	}
}

void bridge_headers_modern(struct bridge_headers *h,
			   const struct jsonrpc_message *message)
{
	const json_t *meta = json_object_get(message->params, "_meta");
	const char *version = json_get_string(meta, META_PROTOCOL_VERSION);
	const json_t *about = subject(message);

	/* What is no text is the server's to refuse. */
	if (version)
		add(h, "MCP-Protocol-Version", version);
	add(h, "Mcp-Method", message->method);
	if (about) {
		header_value_encode(&h->name, json_string_value(about),
				    json_string_length(about));
		add(h, "Mcp-Name", h->name.data);
	}
	add_mirrored(h);
}

void bridge_headers_session(struct bridge_headers *h, const char *version, const char *id)
{
	add(h, "MCP-Protocol-Version", version);
	if (*id)
		add(h, "Mcp-Session-Id", id);
}

void bridge_headers_done(struct bridge_headers *h)
{
	strbuf_done(&h->name);
	strbuf_done(&h->mirror);
}
