/*
 * schemas -- the contract, compiled in.
 *
 * Every file of this folder, checked and made compact by embed.py when the
 * project is built, as text: "<server>/<tool>.json", "<server>/server.json" and
 * "<what>.schema.json"; and "config.schema.json#<server>" is what the configuration of
 * that server is judged by, without what is for other programs. A tool's outputSchema
 * stands in its file as the success alone; here it is {"type":"object","anyOf":
 * [<success>,<failure>]}. The text is static and NUL-terminated, and nobody frees it.
 * Knows no JSON library: whoever needs a tree parses the text. Below everything, like base.
 */
#ifndef SCHEMAS_SCHEMAS_H
#define SCHEMAS_SCHEMAS_H

#include <stdbool.h>
#include <stddef.h>

struct schema_file {
	const char *path; /* "accounts/block_account.json" */
	const char *text;
	size_t length; /* without the NUL */
	/* Its schemas were held against their metaschema and compiled by the build
	 * (common/wire/schema_prove.c), so that a program need not do it at its start. */
	bool is_proven;
	/* And they need nothing that must be loaded before a sandbox closes: they may be
	 * compiled when they are first used. */
	bool is_ready;
};

/* The file of exactly this path, or NULL. */
const struct schema_file *schemas_find(const char *path);

/* The tools of a server ("accounts"), by name; server.json is not among them.
 * NULL and a count of 0 when there are none. */
const struct schema_file *schemas_list(const char *server, size_t *ret_count);

/* Everything there is, in the order of folders and names. */
const struct schema_file *schemas_all(size_t *ret_count);

#endif
