#include "mcp/tool_table.h"

void tool_table_done(struct tool_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		tool_definition_free(t->entries[i].definition);
		param_headers_free(t->entries[i].headers);
	}
	free(t->entries);
	*t = (struct tool_table){ 0 };
}

static int compare_entries(const void *a, const void *b)
{
	const struct tool_entry *left = a, *right = b;

	return strcmp(left->row->name, right->row->name);
}

static int compare_name(const void *name, const void *entry)
{
	const struct tool_entry *e = entry;

	return strcmp(name, e->row->name);
}

static struct tool_entry *find(const struct tool_table *t, const char *name)
{
	return bsearch(name, t->entries, t->count, sizeof *t->entries, compare_name);
}

const struct tool_entry *tool_table_find(const struct tool_table *t, const char *name)
{
	return find(t, name);
}

static bool fill(struct tool_entry *e, struct schema_set *set, const char *server,
		 const struct mcp_tool *row, struct error *err)
{
	struct error why = ERROR_INIT;

	e->row = row;
	e->definition = tool_definition_load_with(set, server, row->name, &why);
	if (!e->definition && why.code == ERR_NOT_FOUND)
		return error_set(
			err, ERR_INTERNAL,
			"the tool '%s' has a row but no schema (schemas/%s/%s.json)",
			row->name, server, row->name);
	if (!e->definition)
		return error_set(err, why.code, "%s", why.message);
	e->headers = param_headers_new(
		json_object_get(e->definition->json, "inputSchema"), &why);
	if (!e->headers)
		return error_set(err, ERR_INTERNAL, "schemas/%s/%s.json: %s", server,
				 row->name, why.message);
	bool is_read = e->definition->risk == RISK_READ;
	if (!row->run || is_read != !row->plan)
		return error_set(
			err, ERR_INTERNAL,
			"the row of '%s' lacks its run function, or has a plan function "
			"and the risk '%s'",
			row->name, risk_name(e->definition->risk));
	return true;
}

static bool check_schemas_have_rows(const struct tool_table *t, const char *server,
				    struct error *err)
{
	_cleanup_free_ const char **names = tool_definition_names(server);

	if (!names)
		return error_oom(err);
	for (size_t i = 0; names[i]; i++)
		if (!find(t, names[i]))
			return error_set(
				err, ERR_INTERNAL,
				"the schema schemas/%s/%s.json has no row in the table",
				server, names[i]);
	return true;
}

static bool check_unique(const struct tool_table *t, struct error *err)
{
	for (size_t i = 1; i < t->count; i++)
		if (compare_entries(&t->entries[i - 1], &t->entries[i]) == 0)
			return error_set(err, ERR_INTERNAL, "the tool '%s' has two rows",
					 t->entries[i].row->name);
	return true;
}

static bool free_reads(struct tool_table *t, const json_t *freed, struct error *err)
{
	const json_t *name;
	size_t i;

	json_array_foreach(freed, i, name)
	{
		struct tool_entry *e = find(t, json_string_value(name) ?: "");

		if (!e || e->definition->risk != RISK_READ)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "freed_reads names '%.64s', which is no read of "
					 "this server",
					 json_string_value(name) ?: "?");
		e->is_freed = true;
	}
	return true;
}

bool tool_table_refuse_emergency(struct tool_table *t, const json_t *names,
				 struct error *err)
{
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		struct tool_entry *e = find(t, json_string_value(name) ?: "");

		if (!e)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "refuse_emergency names '%.64s', which is no "
					 "tool of this server",
					 json_string_value(name) ?: "?");
		e->refuses_emergency = true;
	}
	return true;
}

bool tool_table_build(struct tool_table *t, const char *server,
		      const struct mcp_tool *rows, size_t row_count, const json_t *freed,
		      struct error *err)
{
	struct tool_table made = { .entries =
					   calloc(row_count + 1, sizeof *made.entries) };
	_cleanup_(schema_set_freep) struct schema_set *set = schema_set_new();
	bool good = true;

	if (!made.entries || !set) {
		free(made.entries);
		return error_oom(err);
	}
	for (size_t i = 0; good && i < row_count; i++) {
		made.count++; /* counted first: what fill leaves half-made is freed too */
		good = fill(&made.entries[i], set, server, &rows[i], err);
	}
	if (good)
		qsort(made.entries, made.count, sizeof *made.entries, compare_entries);
	good = good && check_unique(&made, err) &&
	       check_schemas_have_rows(&made, server, err) &&
	       free_reads(&made, freed, err);
	if (good)
		*t = made;
	else
		tool_table_done(&made);
	return good;
}

json_t *tool_table_list(const struct tool_table *t)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < t->count; i++)
		if (!list || json_array_append(list, t->entries[i].definition->json) != 0)
			return NULL;
	return TAKE(list);
}
