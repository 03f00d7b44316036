#include "base/log.h"
#include "mcp/bridge/bridge_private.h"
#include "mcp/client/client.h"

enum { LIST_MS = 5000 };

struct bridge_tools {
	size_t count;
	struct row {
		char *name;
		struct param_headers *headers;
	} rows[];
};

void bridge_tools_free(struct bridge_tools *t)
{
	for (size_t i = 0; t && i < t->count; i++) {
		free(t->rows[i].name);
		param_headers_free(t->rows[i].headers);
	}
	free(t);
}

/* Those that ask for headers; what cannot be kept is not mirrored. */
static struct bridge_tools *note(const json_t *tools)
{
	size_t count = json_array_size(tools);
	struct bridge_tools *t = calloc(1, sizeof *t + count * sizeof t->rows[0]);

	for (size_t i = 0; t && i < count; i++) {
		const json_t *tool = json_array_get(tools, i);
		const char *name = json_get_string(tool, "name");
		struct error ignored = ERROR_INIT;
		struct row row = { .headers = param_headers_new(
					   json_object_get(tool, "inputSchema"),
					   &ignored) };

		if (name && row.headers && param_headers_count(row.headers) > 0)
			row.name = strdup(name);
		if (row.name)
			t->rows[t->count++] = row;
		else
			param_headers_free(row.headers);
	}
	return t;
}

bool bridge_tools_learn(struct bridge *b)
{
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c =
		mcp_client_new(b->o->url, b->o->token, b->http, "wingman-bridge", &err);
	json_auto_t *tools = c ? mcp_client_list_tools(c, LIST_MS, &err) : NULL;
	struct bridge_tools *t = tools ? note(tools) : NULL;

	if (!t) {
		log_failure("bridge_tools", &err);
		return false;
	}
	(void)pthread_mutex_lock(&b->lock);
	struct bridge_tools *before = b->tools;
	b->tools = t;
	(void)pthread_mutex_unlock(&b->lock);
	bridge_tools_free(before);
	return true;
}

void bridge_tools_mirror(struct bridge *b, const struct jsonrpc_message *m,
			 struct strbuf *sb)
{
	const char *name = json_get_string(m->params, "name");

	if (strcmp(m->method, "tools/call") != 0 || !name)
		return;
	(void)pthread_mutex_lock(&b->lock);
	for (size_t i = 0; b->tools && i < b->tools->count; i++)
		if (strcmp(b->tools->rows[i].name, name) == 0)
			param_headers_write(b->tools->rows[i].headers,
					    json_object_get(m->params, "arguments"), sb);
	(void)pthread_mutex_unlock(&b->lock);
}
