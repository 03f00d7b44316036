#include "mcp/client/client_private.h"
#include "wire/schema.h"

/* Errors, and questions, are of no schema. */
static bool is_to_be_checked(const json_t *result)
{
	const char *type = json_get_string(result, "resultType");

	return (!type || strcmp(type, "complete") == 0) &&
	       !json_is_true(json_object_get(result, "isError"));
}

/* Most servers declare draft 7, and mean what it has in common with 2020-12: it is read as
 * that. What became something else ("items" with a list) does not compile then. */
static void read_as_ours(json_t *declared)
{
	static const char *const dialects[] = {
		"http://json-schema.org/draft-07/schema#",
		"http://json-schema.org/draft-07/schema",
		"https://json-schema.org/draft/2019-09/schema",
	};
	const char *dialect = json_get_string(declared, "$schema");

	for (size_t i = 0; i < ARRAY_SIZE(dialects) && dialect; i++)
		if (strcmp(dialect, dialects[i]) == 0) {
			(void)json_object_del(declared, "$schema");
			return;
		}
}

/* What has neither is of an older server, or asks; but "true" is no failure, and blocks
 * that are none are nobody's to show. */
static bool is_result(const json_t *result)
{
	const json_t *content = json_object_get(result, "content");
	const json_t *failed = json_object_get(result, "isError"), *block;
	size_t i;

	json_array_foreach(content, i, block)
	{
		if (!json_get_string(block, "type"))
			return false;
	}
	return (!content || json_is_array(content)) &&
	       (!failed || json_is_boolean(failed));
}

bool client_check_output(struct mcp_client *c, const char *tool, json_t *result,
			 struct error *err)
{
	json_auto_t *declared = NULL;
	const json_t *value = json_object_get(result, "structuredContent");
	struct schema_fault fault;
	struct error why = ERROR_INIT;

	if (!is_result(result))
		return error_set(err, ERR_UNKNOWN_OUTCOME,
				 "the tool ran, and its result is not MCP");
	if (c->is_plain || !is_to_be_checked(result))
		return true;
	if (!client_tools_output(c, tool, &declared))
		return error_set(
			err, ERR_UNKNOWN_OUTCOME,
			"the tool ran, and there is no memory to check its result");
	if (!declared)
		return true;
	read_as_ours(declared);
	_cleanup_(schema_freep) struct schema *schema =
		schema_compile(NULL, declared, NULL, 0, &why);
	if (!schema) {
		/* Of another dialect, or with references to elsewhere: nobody can say what
		 * it is, and the tool did run. */
		(void)json_object_del(result, "structuredContent");
		return true;
	}
	if (!value)
		error_set(err, ERR_UNKNOWN_OUTCOME,
			  "the tool ran, and its result lacks what it declares");
	else if (!schema_validate(schema, value, &fault))
		error_set(err, ERR_UNKNOWN_OUTCOME,
			  "the tool ran, and its result is not what it declares: '%s' %s",
			  fault.instance, fault.message);
	return !error_is_set(err);
}
