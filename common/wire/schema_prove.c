/*
 * schema-prove -- hold schemas against their metaschema and compile them, for the build.
 *
 * A line of JSON each on standard input: {"schema": ..., "asserts_format": true}. As many
 * lines come back: "ready" (sound, and its patterns do without ICU), "sound", or what is
 * wrong. What is compiled in was here, so a program that starts need not do it again.
 */
#include <stdlib.h>

#include "base/json.h"
#include "wire/schema.h"

static bool prove(const char *line, size_t length, struct error *err)
{
	json_auto_t *asked = json_parse(line, length, JSON_SYNTAX, err);
	const unsigned flags = json_is_true(json_object_get(asked, "asserts_format"))
				       ? SCHEMA_ASSERT_FORMAT
				       : 0;
	const json_t *document = json_object_get(asked, "schema");

	if (!document)
		return error_set(err, ERR_INVALID_ARGUMENT, "there is no schema");
	_cleanup_(schema_freep) struct schema *schema =
		schema_compile(NULL, document, NULL, flags, err);
	if (!schema)
		return false;
	(void)puts(schema_needs_icu(schema) ? "sound" : "ready");
	return true;
}

int main(void)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t length;

	while ((length = getline(&line, &size, stdin)) > 0) {
		struct error err = ERROR_INIT;

		if (!prove(line, (size_t)length, &err))
			(void)puts(err.message);
	}
	return ferror(stdin) || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
