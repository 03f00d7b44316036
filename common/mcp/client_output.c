#include "mcp/client_private.h"
#include "wire/schema.h"

/* Errors, and questions, are of no schema. */
static bool is_to_be_checked(const json_t *result)
{
	const char *type = json_get_string(result, "resultType");

	return (!type || strcmp(type, "complete") == 0) &&
	       !json_is_true(json_object_get(result, "isError"));
}

bool client_check_output(struct mcp_client *c, const char *tool, json_t *result,
			 struct error *err)
{
	json_auto_t *declared = NULL;
	const json_t *value = json_object_get(result, "structuredContent");
	struct schema_fault fault;
	struct error why = ERROR_INIT;

	if (c->is_plain || !is_to_be_checked(result) ||
	    !(declared = client_tools_output(c, tool)))
		return true;
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
