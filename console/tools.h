/*
 * tools -- the tools that the gate knows, listed and explained.
 *
 * Definitions come from the gate (its pins), never from a server directly: what
 * is shown here is what a call will be judged by.
 */
#ifndef CONSOLE_TOOLS_H
#define CONSOLE_TOOLS_H

#include "console/console.h"
#include "console/gate_link.h"

/* Array of {name, url, up, pinned, tools}; new reference. 'server' NULL: all. */
json_t *tools_fetch(struct gate_link *g, const char *server,
		    struct error *err) _must_use_;
/* The definition of "server.tool" (or "tool") and its server's name, borrowed; NULL if
 * there is none. */
const json_t *tools_find(const json_t *servers, const char *full_name,
			 const char **ret_server);
/* The tool that 'name' ("server.tool" or "tool") probably means; new string, NULL: none. */
char *tools_nearest(const json_t *servers, const char *name) _must_use_;
/* What to do about the gate's refusal of a tool, or of its arguments, if nobody said yet. */
void tools_hint(struct gate_link *g, const char *name, struct error *err);
/* The same of a server: which there are. */
void tools_hint_server(struct gate_link *g, struct error *err);
const char *tools_risk(const json_t *tool);
/* What a property wants, for people: its x-wingman-kind or its type. */
const char *tools_type(const json_t *property);
bool tools_is_required(const json_t *schema, const char *name);

void tools_print_servers(const struct console *c, const json_t *servers);
void tools_print_list(const struct console *c, const json_t *servers);
void tools_print_docs(const struct console *c, const char *full_name, const json_t *tool);

#endif
