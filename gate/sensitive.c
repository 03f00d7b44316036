#include "gate/sensitive.h"

bool sensitive_is(const json_t *schema)
{
	size_t i;
	json_t *member;

	json_array_foreach(schema, i, member)
	{
		if (sensitive_is(member))
			return true;
	}
	if (!json_is_object(schema))
		return false;
	if (json_is_true(json_object_get(schema, "x-wingman-sensitive")))
		return true;
	/* jansson's loops want an object that they could change, and do not. */
	for (void *at = json_object_iter((json_t *)(uintptr_t)schema); at;
	     at = json_object_iter_next((json_t *)(uintptr_t)schema, at))
		if (sensitive_is(json_object_iter_value(at)))
			return true;
	return false;
}

bool sensitive_is_any(const json_t *input_schema)
{
	json_auto_t *rest = json_copy((json_t *)(uintptr_t)input_schema);

	(void)json_object_del(rest, "properties");
	return !rest || sensitive_is(rest);
}
