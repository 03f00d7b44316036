#include "gate/sensitive.h"

/* Of an object's members, but for one. */
static bool is_of_members(const json_t *schema, const char *but)
{
	/* jansson's loops want an object that they could change, and do not. */
	json_t *object = (json_t *)(uintptr_t)schema;

	for (void *at = json_object_iter(object); at;
	     at = json_object_iter_next(object, at))
		if ((!but || strcmp(json_object_iter_key(at), but) != 0) &&
		    sensitive_is(json_object_iter_value(at)))
			return true;
	return json_is_true(json_object_get(schema, "x-wingman-sensitive"));
}

bool sensitive_is(const json_t *schema)
{
	size_t i;
	json_t *member;

	json_array_foreach(schema, i, member)
	{
		if (sensitive_is(member))
			return true;
	}
	return json_is_object(schema) && is_of_members(schema, NULL);
}

bool sensitive_is_any(const json_t *input_schema)
{
	return is_of_members(input_schema, "properties");
}
