#include "mcp/catalog.h"

#include "mcp/uri_template.h"
#include "schemas/schemas.h"

void catalog_done(struct catalog *c)
{
	listing_done(&c->resource_pages);
	listing_done(&c->template_pages);
	listing_done(&c->prompt_pages);
	free(c->resources);
	free(c->prompts);
	json_decref(c->about);
	*c = (struct catalog){ 0 };
}

/* ---- Looking up ---- */

const struct resource_entry *catalog_declared(const struct catalog *c, const char *uri)
{
	for (size_t i = 0; i < c->resource_count; i++)
		if (strcmp(c->resources[i].row->uri, uri) == 0)
			return &c->resources[i];
	return NULL;
}

const struct resource_entry *catalog_resource(const struct catalog *c, const char *uri,
					      json_t **ret_values)
{
	const struct resource_entry *e = catalog_declared(c, uri);

	if (e && !e->is_template) {
		*ret_values = json_object();
		return *ret_values ? e : NULL;
	}
	for (size_t i = 0; i < c->resource_count; i++)
		if (c->resources[i].is_template &&
		    (*ret_values = uri_template_match(c->resources[i].row->uri, uri)))
			return &c->resources[i];
	return NULL;
}

const struct prompt_entry *catalog_prompt(const struct catalog *c, const char *name)
{
	for (size_t i = 0; i < c->prompt_count; i++)
		if (strcmp(c->prompts[i].row->name, name) == 0)
			return &c->prompts[i];
	return NULL;
}

json_t *catalog_fixed(const struct catalog *c)
{
	json_t *list = json_object_get(c->about, "resources");

	return list ? json_copy(list) : json_array();
}

/* ---- Building ---- */

static bool read_about(struct catalog *c, const char *server, struct error *err)
{
	struct error why = ERROR_INIT;
	char path[64];

	(void)snprintf(path, sizeof path, "%s/server.json", server);
	const struct schema_file *file = schemas_find(path);
	if (!file)
		return true;
	c->about = json_parse(file->text, file->length, JSON_CONTRACT, &why);
	return c->about ||
	       error_set(err, ERR_INTERNAL, "schemas/%s: %s", path, why.message);
}

/* The one element of 'list' whose 'member' is 'name'. */
static json_t *find_declared(const struct catalog *c, const char *list,
			     const char *member, const char *name, struct error *err)
{
	json_t *found = NULL, *one;
	size_t i;

	json_array_foreach(json_object_get(c->about, list), i, one)
	{
		if (strcmp(json_get_string(one, member) ?: "", name) != 0)
			continue;
		if (found) {
			error_set(err, ERR_INTERNAL,
				  "server.json declares '%s' twice under '%s'", name,
				  list);
			return NULL;
		}
		found = one;
	}
	if (!found)
		error_set(err, ERR_INTERNAL,
			  "'%s' has a row but stands not under '%s' of server.json", name,
			  list);
	return found;
}

/* As many declarations as rows that were found: none is left without. */
static bool check_count(const struct catalog *c, const char *list, size_t rows,
			struct error *err)
{
	const json_t *declared = json_object_get(c->about, list);

	if (declared && !json_is_array(declared))
		return error_set(err, ERR_INTERNAL, "server.json: '%s' is no array",
				 list);
	return json_array_size(declared) == rows ||
	       error_set(err, ERR_INTERNAL,
			 "server.json declares %zu under '%s', and %zu have a row",
			 json_array_size(declared), list, rows);
}

static bool fill_resource(struct catalog *c, const struct mcp_resource *row,
			  struct error *err)
{
	bool is_template = uri_template_is(row->uri);
	struct error why = ERROR_INIT;

	if (catalog_declared(c, row->uri))
		return error_set(err, ERR_INTERNAL, "'%s' has two rows", row->uri);
	if (is_template && !uri_template_check(row->uri, &why))
		return error_set(err, ERR_INTERNAL, "'%s': %s", row->uri, why.message);
	if (!row->read || (!is_template && (row->list || row->complete)))
		return error_set(err, ERR_INTERNAL,
				 "the row of '%s' lacks its read function, or is no "
				 "template and lists or completes",
				 row->uri);
	json_t *declared =
		find_declared(c, is_template ? "resourceTemplates" : "resources",
			      is_template ? "uriTemplate" : "uri", row->uri, err);
	if (!declared)
		return false;
	if (!json_get_string(declared, "name"))
		return error_set(err, ERR_INTERNAL, "'%s' has no name in server.json",
				 row->uri);
	c->has_completion |= row->complete != NULL;
	c->resources[c->resource_count++] = (struct resource_entry){
		.row = row, .declared = declared, .is_template = is_template
	};
	return true;
}

static bool fill_prompt(struct catalog *c, const struct mcp_prompt *row,
			struct error *err)
{
	if (catalog_prompt(c, row->name))
		return error_set(err, ERR_INTERNAL, "'%s' has two rows", row->name);
	if (!row->get)
		return error_set(err, ERR_INTERNAL, "'%s' lacks its get function",
				 row->name);
	json_t *declared = find_declared(c, "prompts", "name", row->name, err);
	if (!declared)
		return false;
	c->has_completion |= row->complete != NULL;
	c->prompts[c->prompt_count++] =
		(struct prompt_entry){ .row = row, .declared = declared };
	return true;
}

static bool fill(struct catalog *c, const struct catalog_rows *rows, struct error *err)
{
	size_t templates = 0;

	c->resources = calloc(rows->resource_count + 1, sizeof *c->resources);
	c->prompts = calloc(rows->prompt_count + 1, sizeof *c->prompts);
	if (!c->resources || !c->prompts)
		return error_oom(err);
	for (size_t i = 0; i < rows->resource_count; i++) {
		if (!fill_resource(c, &rows->resources[i], err))
			return false;
		templates += c->resources[i].is_template;
	}
	for (size_t i = 0; i < rows->prompt_count; i++)
		if (!fill_prompt(c, &rows->prompts[i], err))
			return false;
	return check_count(c, "resources", c->resource_count - templates, err) &&
	       check_count(c, "resourceTemplates", templates, err) &&
	       check_count(c, "prompts", c->prompt_count, err);
}

/* ERR_INVALID_ARGUMENT: the configuration's fault. */
static bool set_free(struct catalog *c, const struct catalog_rows *rows,
		     struct error *err)
{
	const json_t *name;
	size_t i;

	json_array_foreach(rows->freed_resources, i, name)
	{
		const char *uri = json_string_value(name) ?: "?";
		const struct resource_entry *e = catalog_declared(c, uri);

		if (!e)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "freed_resources names '%.200s', which this "
					 "server does not declare",
					 uri);
		c->resources[e - c->resources].is_freed = true;
		c->has_lists |= e->row->list != NULL;
	}
	json_array_foreach(rows->freed_prompts, i, name)
	{
		const char *prompt = json_string_value(name) ?: "?";
		const struct prompt_entry *e = catalog_prompt(c, prompt);

		if (!e)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "freed_prompts names '%.128s', which this "
					 "server does not declare",
					 prompt);
		c->prompts[e - c->prompts].is_freed = true;
	}
	return true;
}

static bool make_pages(struct catalog *c, size_t page_size, struct error *err)
{
	return listing_make(&c->resource_pages, "resources",
			    json_object_get(c->about, "resources"), page_size, err) &&
	       listing_make(&c->template_pages, "resourceTemplates",
			    json_object_get(c->about, "resourceTemplates"), page_size,
			    err) &&
	       listing_make(&c->prompt_pages, "prompts",
			    json_object_get(c->about, "prompts"), page_size, err);
}

bool catalog_build(struct catalog *c, const char *server, const struct catalog_rows *rows,
		   struct error *err)
{
	struct catalog made = { 0 };

	if (read_about(&made, server, err) && fill(&made, rows, err) &&
	    set_free(&made, rows, err) && make_pages(&made, rows->page_size, err)) {
		*c = made;
		return true;
	}
	catalog_done(&made);
	return false;
}
