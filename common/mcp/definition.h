/*
 * definition -- a tool as its schema file declares it, compiled in.
 *
 * Known to servers (which enforce it) and to the gate (whose first pin it is).
 * 'pin' is the SHA-256 of the canonical bytes of the tool as tools/list shows it:
 * {name, title, description, inputSchema, outputSchema, annotations, _meta}.
 */
#ifndef MCP_DEFINITION_H
#define MCP_DEFINITION_H

#include "base/canonical.h"
#include "guard/names.h"
#include "wire/schema.h"

struct tool_schemas {
	struct schema *input;  /* asserts formats */
	struct schema *output; /* NULL when there is no outputSchema */
	char pin[DIGEST_HEX_BYTES];
};

struct schema_file;

struct tool_definition {
	char server[33];
	char name[65];
	json_t *json; /* the tool as listed; owned */
	enum risk risk;
	char pin[DIGEST_HEX_BYTES]; /* "" of tool_definition_load_with, mostly */
	/* Below belongs to definition.c: what tool_definition_schemas gives, and from where. */
	struct tool_schemas *_Atomic schemas;
	const struct schema_file *file;
};

/* Compiled in; ERR_NOT_FOUND if there is no such schema; broken schemas are ERR_INTERNAL.
 * One that the build has compiled already (is_ready in schemas/schemas.h) is compiled
 * here when its schemas are first asked for. */
struct tool_definition *tool_definition_load(const char *server, const char *tool,
					     struct error *err) _must_use_;
/* The same for one of many: the metaschemas are compiled once for all that share 'set',
 * to which nothing else was added. Where schemas are left for later the pin is, too: it
 * stands beside them. */
struct tool_definition *tool_definition_load_with(struct schema_set *set,
						  const char *server, const char *tool,
						  struct error *err) _must_use_;
/* From a tools/list entry of somebody's server: untrusted, fully checked, names restricted. */
struct tool_definition *tool_definition_read(const char *server, const json_t *listed,
					     struct error *err) _must_use_;
void tool_definition_free(struct tool_definition *d);
DEFINE_CLEANUP(struct tool_definition, tool_definition_free);

/* Any number of threads. NULL only without memory. */
const struct tool_schemas *tool_definition_schemas(const struct tool_definition *d,
						   struct error *err);

/* Names of the compiled-in tools of a server, in order of schema file; NULL-terminated, free() it. */
const char **tool_definition_names(const char *server) _must_use_;

/*
 * Parse arguments text under JSON_CONTRACT, check them against the input schema,
 * give the canonical bytes. ERR_INVALID_ARGUMENT names the place and the rule.
 * '*ret_json' and 'ret_canonical' may be NULL.
 */
bool tool_definition_accept(const struct tool_definition *d, const json_t *arguments,
			    struct strbuf *ret_canonical,
			    char ret_digest[DIGEST_HEX_BYTES], struct error *err);

#endif
