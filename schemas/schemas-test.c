#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/error.h"
#include "schemas/schemas.h"

static void find_wants_the_exact_path(void **state)
{
	const struct schema_file *file = schemas_find("accounts/block_account.json");

	(void)state;
	assert_non_null(file);
	assert_string_equal(file->path, "accounts/block_account.json");
	assert_null(schemas_find("accounts/block_account"));
	assert_null(schemas_find("block_account.json"));
	assert_null(schemas_find("accounts/"));
	assert_null(schemas_find("/accounts/block_account.json"));
	assert_null(schemas_find(""));
}

static void list_has_the_tools_alone(void **state)
{
	size_t count = 0;
	const struct schema_file *tools = schemas_list("accounts", &count);

	(void)state;
	assert_non_null(tools);
	assert_true(count >= 4);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(strncmp(tools[i].path, "accounts/", 9), 0);
		assert_string_not_equal(tools[i].path, "accounts/server.json");
		if (i > 0)
			assert_true(strcmp(tools[i - 1].path, tools[i].path) < 0);
	}
	assert_null(schemas_list("account", &count));
	assert_int_equal(count, 0);
	assert_null(schemas_list("", &count));
	assert_null(schemas_list("accounts/", &count));
}

static void every_text_is_one_compact_object(void **state)
{
	size_t count = 0;
	const struct schema_file *files = schemas_all(&count);

	(void)state;
	assert_true(count > 0);
	for (size_t i = 0; i < count; i++) {
		json_auto_t *value = json_loadb(files[i].text, files[i].length,
						JSON_REJECT_DUPLICATES, NULL);

		assert_true(json_is_object(value));
		assert_int_equal(strlen(files[i].text), files[i].length);
		assert_null(strchr(files[i].text, '\n'));
	}
}

/* The failure that embed.py adds knows the codes of struct error, all and no others. */
static void failures_have_the_codes_of_errors(void **state)
{
	size_t count = 0;
	const struct schema_file *tools = schemas_list("accounts", &count);

	(void)state;
	assert_true(count > 0);
	for (size_t i = 0; i < count; i++) {
		json_auto_t *tool = json_loads(tools[i].text, 0, NULL);
		json_t *any_of = NULL, *failure, *codes = NULL;

		assert_int_equal(json_unpack(tool, "{s:{s:s, s:o}}", "outputSchema",
					     "type", &(const char *){ NULL }, "anyOf",
					     &any_of),
				 0);
		assert_int_equal(json_array_size(any_of), 2);
		failure = json_array_get(any_of, 1);
		assert_int_equal(json_unpack(failure, "{s:{s:{s:{s:{s:o}}}}}",
					     "properties", "error", "properties", "code",
					     "enum", &codes),
				 0);
		assert_int_equal(json_array_size(codes), ERR_CODE_COUNT - 1);
		for (size_t k = 0; k < json_array_size(codes); k++)
			assert_int_not_equal(error_from_name(json_string_value(
						     json_array_get(codes, k))),
					     ERR_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(find_wants_the_exact_path),
		cmocka_unit_test(list_has_the_tools_alone),
		cmocka_unit_test(every_text_is_one_compact_object),
		cmocka_unit_test(failures_have_the_codes_of_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
