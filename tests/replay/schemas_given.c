/*
 * The compiled-in schemas, but that the tools of one server are those that were given: for a
 * server that stands in, whose table is whatever a file of records has.
 */
#include "schemas/embedded.h"

#include <stdbool.h>
#include <string.h>

#include "replay/schemas_given.h"

/* Where the signatures of schemas.h leave no other place; set once, before any thread. */
static struct {
	const char *server;
	const struct schema_file *files;
	size_t count;
	const struct schema_file *about; /* NULL: it says nothing of itself */
} given;

void schemas_give(const char *server, const struct schema_file *files, size_t count,
		  const struct schema_file *about)
{
	given.about = about;
	given.server = server;
	given.files = files;
	given.count = count;
}

static bool is_of(const char *path, const char *server)
{
	size_t length = strlen(server);

	return strncmp(path, server, length) == 0 && path[length] == '/';
}

const struct schema_file *schemas_find(const char *path)
{
	for (size_t i = 0; i < given.count; i++)
		if (strcmp(given.files[i].path, path) == 0)
			return &given.files[i];
	if (given.about && strcmp(given.about->path, path) == 0)
		return given.about;
	/* Nor what the real one says of itself: its resources and prompts are not here. */
	if (given.server && is_of(path, given.server))
		return NULL;
	for (size_t i = 0; i < schemas_embedded_count; i++)
		if (strcmp(schemas_embedded[i].path, path) == 0)
			return &schemas_embedded[i];
	return NULL;
}

const struct schema_file *schemas_list(const char *server, size_t *ret_count)
{
	bool is_given = given.server && strcmp(server, given.server) == 0;

	*ret_count = is_given ? given.count : 0;
	return is_given ? given.files : NULL;
}

const struct schema_file *schemas_all(size_t *ret_count)
{
	*ret_count = schemas_embedded_count;
	return schemas_embedded;
}
