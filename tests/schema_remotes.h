/*
 * schema_remotes -- a folder of schemas, as if it were served.
 *
 * For schema-check and schema-suite: every file below 'dir' becomes known as
 * http://localhost:1234/<path below dir>, the way the public test suite names them.
 */
#ifndef TESTS_SCHEMA_REMOTES_H
#define TESTS_SCHEMA_REMOTES_H

#include "wire/schema.h"

bool schema_remotes_add(struct schema_set *set, const char *dir, struct error *err);

/* Read a whole JSON file; NULL with an error. */
json_t *schema_remotes_read(const char *path, struct error *err);

#endif
