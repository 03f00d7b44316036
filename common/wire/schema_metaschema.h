/*
 * schema_metaschema -- the metaschemas of draft 2020-12 as text, from metaschema/.
 *
 * Written by schema_metaschema.py. Each document's $id is its URI.
 */
#ifndef WIRE_SCHEMA_METASCHEMA_H
#define WIRE_SCHEMA_METASCHEMA_H

struct schema_metaschema {
	const char *uri, *text;
};
/* Ends with a row of NULLs. */
extern const struct schema_metaschema schema_metaschemas[];

#endif
