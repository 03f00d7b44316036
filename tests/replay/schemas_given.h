/*
 * schemas_given -- schemas/schemas.h, with the tools of one server brought by a test.
 */
#ifndef TESTS_REPLAY_SCHEMAS_GIVEN_H
#define TESTS_REPLAY_SCHEMAS_GIVEN_H

#include "schemas/schemas.h"

/* Borrowed until the process ends. Paths are "<server>/<tool>.json"; 'about' is its
 * "<server>/server.json", or NULL. */
void schemas_give(const char *server, const struct schema_file *files, size_t count,
		  const struct schema_file *about);

#endif
