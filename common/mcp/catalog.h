/*
 * catalog -- a server's resources, templates and prompts: rows beside what
 * schemas/<server>/server.json declares.
 *
 * Made once, like tool_table, and as strict: each declaration has one row and each
 * row a declaration; what the configuration frees must be there. Never changes.
 */
#ifndef MCP_CATALOG_H
#define MCP_CATALOG_H

#include "mcp/listing.h"
#include "mcp/resource.h"

struct resource_entry {
	const struct mcp_resource *row;
	json_t *declared; /* borrowed from 'about' */
	bool is_template;
	bool is_freed;
};

struct prompt_entry {
	const struct mcp_prompt *row;
	json_t *declared;
	bool is_freed;
};

struct catalog {
	json_t *about; /* server.json; owned, NULL: there is none */
	struct resource_entry *resources;
	size_t resource_count;
	struct prompt_entry *prompts;
	size_t prompt_count;
	bool has_completion;
	bool has_lists; /* some freed template lists what there is */
	struct listing resource_pages, template_pages, prompt_pages;
};

struct catalog_rows {
	const struct mcp_resource *resources;
	size_t resource_count;
	const struct mcp_prompt *prompts;
	size_t prompt_count;
	const json_t *freed_resources, *freed_prompts; /* NULL: none */
	size_t page_size;
};

bool catalog_build(struct catalog *c, const char *server, const struct catalog_rows *rows,
		   struct error *err);
void catalog_done(struct catalog *c);

/* The row that reads this uri, and the values of its template ('*ret_values', new, may
 * be an empty object). NULL: there is none. */
const struct resource_entry *catalog_resource(const struct catalog *c, const char *uri,
					      json_t **ret_values);
/* By uri or uriTemplate as declared. */
const struct resource_entry *catalog_declared(const struct catalog *c, const char *uri);
const struct prompt_entry *catalog_prompt(const struct catalog *c, const char *name);
/* Declared fixed resources, a new array. */
json_t *catalog_fixed(const struct catalog *c) _must_use_;

#endif
