/* [schema, instance, ...]: compile the first, hold the others against it, both ways. */
#include "tests/fuzz/fuzz.h"

#include <assert.h>

#include "base/json.h"
#include "wire/schema.h"

enum { FAULTS = 4 };

static void check_fault(const struct schema_fault *fault)
{
	assert(memchr(fault->instance, '\0', sizeof fault->instance));
	assert(memchr(fault->schema, '\0', sizeof fault->schema));
	assert(memchr(fault->member, '\0', sizeof fault->member));
	assert(memchr(fault->message, '\0', sizeof fault->message) && *fault->message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	json_auto_t *all = json_parse((const char *)data, size, JSON_SYNTAX, &err);
	_cleanup_(schema_freep) struct schema *schema = NULL;
	struct schema_fault faults[FAULTS];

	if (!json_is_array(all) || json_array_size(all) == 0)
		return 0;
	schema = schema_compile(NULL, json_array_get(all, 0), "http://localhost/a",
				SCHEMA_ASSERT_FORMAT, &err);
	assert(!schema == error_is_set(&err));
	for (size_t i = 1; schema && i < json_array_size(all); i++) {
		const json_t *instance = json_array_get(all, i);
		size_t count = schema_validate_all(schema, instance, faults, FAULTS);

		assert(count <= FAULTS);
		for (size_t f = 0; f < count; f++)
			check_fault(&faults[f]);
	}
	return 0;
}
