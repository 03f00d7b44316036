#include "schemas/schemas.h"

#include <stdbool.h>
#include <string.h>

#include "schemas/embedded.h"

static bool is_tool_of(const struct schema_file *file, const char *server)
{
	size_t length = strlen(server);

	return strncmp(file->path, server, length) == 0 && file->path[length] == '/' &&
	       strcmp(file->path + length, "/server.json") != 0;
}

const struct schema_file *schemas_find(const char *path)
{
	for (size_t i = 0; i < schemas_embedded_count; i++)
		if (strcmp(schemas_embedded[i].path, path) == 0)
			return &schemas_embedded[i];
	return NULL;
}

const struct schema_file *schemas_list(const char *server, size_t *ret_count)
{
	const struct schema_file *first = NULL;
	size_t count = 0;

	/* embed.py puts server.json behind a folder's tools, so these are neighbours. */
	for (size_t i = 0; i < schemas_embedded_count; i++) {
		if (!is_tool_of(&schemas_embedded[i], server))
			continue;
		if (!first)
			first = &schemas_embedded[i];
		count++;
	}
	*ret_count = count;
	return first;
}

const struct schema_file *schemas_all(size_t *ret_count)
{
	*ret_count = schemas_embedded_count;
	return schemas_embedded;
}
