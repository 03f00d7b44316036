#include "replay/whole_context.h"

enum { READS_PER_TURN = 25 };

/* JSON is YAML, too. */
static void add_text(struct strbuf *sb, const char *text)
{
	json_auto_t *value = json_string(text);
	_cleanup_free_ char *written =
		value ? json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;

	strbuf_add_string(sb, written ? written : "\"\"");
}

void whole_context_gate(struct strbuf *sb, const json_t *resources)
{
	size_t i;
	json_t *one;

	if (json_array_size(resources) == 0)
		return;
	strbuf_add_format(sb, "context:\n  reads_per_turn: %d\n  templates:\n",
			  READS_PER_TURN);
	json_array_foreach(resources, i, one)
	{
		strbuf_add_format(sb,
				  "    - {server: %s, description: of the record, uri: ",
				  json_get_string(one, "server"));
		add_text(sb, json_get_string(one, "uri"));
		strbuf_add_string(sb, "}\n");
	}
}

void whole_context_server(struct strbuf *sb, const json_t *resources, const char *server)
{
	const char *before = "freed_resources: [";
	size_t i;
	json_t *one;

	json_array_foreach(resources, i, one)
	{
		if (strcmp(json_get_string(one, "server"), server) != 0)
			continue;
		strbuf_add_string(sb, before);
		add_text(sb, json_get_string(one, "uri"));
		before = ", ";
	}
	if (before[0] == ',')
		strbuf_add_string(sb, "]\n");
}

json_t *whole_context_files(const json_t *resources)
{
	json_auto_t *all = json_object();
	size_t i;
	json_t *one;

	json_array_foreach(resources, i, one)
	{
		const char *server = json_get_string(one, "server");
		json_t *list = json_object_get(all, server);

		if (!list && json_object_set_new(all, server, list = json_array()) != 0)
			return NULL;
		if (json_array_append_new(list,
					  json_pack("{s:O, s:O}", "uri",
						    json_object_get(one, "uri"), "text",
						    json_object_get(one, "text"))) != 0)
			return NULL;
	}
	return TAKE(all);
}
