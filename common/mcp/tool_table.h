/*
 * tool_table -- a server's rows beside their compiled-in schemas.
 *
 * Every row has a schema and every schema a row, or the table is not made and the
 * message names what is missing. A write has a plan function and a read has none.
 * Never changes after it was made.
 */
#ifndef MCP_TOOL_TABLE_H
#define MCP_TOOL_TABLE_H

#include "mcp/definition.h"
#include "mcp/param_headers.h"
#include "mcp/tool.h"

struct tool_entry {
	const struct mcp_tool *row;
	struct tool_definition *definition;
	struct param_headers *headers;
	bool is_freed; /* a read that the configuration lets run without a person */
	bool refuses_emergency; /* takes no grant that was approved by break-glass */
};

struct tool_table {
	struct tool_entry *entries; /* by name */
	size_t count;
};

/* 'freed' (an array of tool names, or NULL) may name reads of this table only. */
bool tool_table_build(struct tool_table *t, const char *server,
		      const struct mcp_tool *rows, size_t row_count, const json_t *freed,
		      struct error *err);
/* 'names' (an array, or NULL): tools of this table that take no emergency grant. */
bool tool_table_refuse_emergency(struct tool_table *t, const json_t *names,
				 struct error *err);
void tool_table_done(struct tool_table *t);

/* Borrowed; NULL for an unknown name. */
const struct tool_entry *tool_table_find(const struct tool_table *t, const char *name);
/* What tools/list shows, a new array. */
json_t *tool_table_list(const struct tool_table *t) _must_use_;

#endif
