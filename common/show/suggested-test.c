#include "show/suggested.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void check_read(const char *text, const char *page, int64_t step)
{
	_cleanup_free_ char *found = NULL;
	struct error err = ERROR_INIT;
	int64_t number = -1;

	if (!page) {
		assert_false(suggested_read(text, &found, &number, &err));
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
		assert_null(found);
		return;
	}
	assert_true(suggested_read(text, &found, &number, &err));
	assert_string_equal(found, page);
	assert_int_equal(number, step);
}

static void test_page_and_step(void **state)
{
	char longest[512 + 2 + 1];

	(void)state;
	check_read("phishing.md 4", "phishing.md", 4);
	check_read("phishing.md", "phishing.md", 0);
	check_read("first steps.md  12", "first steps.md", 12);
	check_read("ir/2026", "ir/2026", 0);
	check_read("7", "7", 0); /* a page of a wiki is a number */
	check_read("7 7", "7", 7);
	check_read("a 999999", "a", 999999);
	check_read("a 1000000", "a 1000000", 0);
	check_read("a -1", "a -1", 0);
	check_read("a 0", NULL, 0);
	check_read("", NULL, 0);
	check_read(" 4", NULL, 0);
	memset(longest, 'a', sizeof longest);
	memcpy(longest + 512, " 1", 3);
	longest[514] = '\0';
	check_read(longest, strndupa(longest, 512), 1);
	longest[512] = 'a';
	longest[513] = '\0';
	check_read(longest, NULL, 0);
}

static json_t *read_json(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	assert_non_null(value);
	return value;
}

static void test_what_a_step_suggests(void **state)
{
	json_auto_t *answer = read_json(
		"{\"steps\":[{\"step\":1,\"text\":\"look\"},"
		"{\"step\":3,\"suggestion\":{\"tool\":\"a.b\",\"arguments\":{\"c\":1}}},"
		"{\"step\":4,\"suggestion\":{\"tool\":\"a.b\",\"arguments\":{},"
		"\"fault\":\"no such tool\"}},"
		"{\"step\":5,\"suggestion\":{\"tool\":\"\",\"arguments\":{}}},"
		"{\"step\":6,\"suggestion\":{\"tool\":\"a.b\",\"arguments\":[]}},"
		"{\"step\":7,\"suggestion\":\"a.b\"}]}");
	static const enum error_code wanted[] = {
		ERR_NOT_FOUND,        ERR_NOT_FOUND,        0,
		ERR_INVALID_ARGUMENT, ERR_INVALID_ARGUMENT, ERR_INVALID_ARGUMENT,
		ERR_INVALID_ARGUMENT
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct error err = ERROR_INIT;
		const json_t *step = suggested_step(answer, (int64_t)i + 1, &err);
		const json_t *call = step ? suggested_call(step, &err) : NULL;

		assert_int_equal(err.code, wanted[i]);
		assert_int_equal(call != NULL, i == 2);
	}
}

static void test_what_a_form_begins_with(void **state)
{
	json_auto_t *schema = read_json("{\"properties\":{\"person\":{},\"reason\":{},"
					"\"for\":{},\"note\":{},\"few\":{}}}");
	json_auto_t *call = read_json(
		"{\"tool\":\"a.b\",\"arguments\":{\"person\":\"<person>\","
		"\"reason\":\"a <b> c\",\"for\":\"<>\",\"note\":\"<a> and <b>\","
		"\"few\":[\"<x>\"],\"more\":1}}");
	json_auto_t *wanted = read_json("{\"reason\":\"a <b> c\",\"for\":\"<>\","
					"\"note\":\"<a> and <b>\",\"few\":[\"<x>\"]}");
	json_auto_t *found = suggested_arguments(schema, call);

	(void)state;
	assert_true(json_equal(found, wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_and_step),
		cmocka_unit_test(test_what_a_step_suggests),
		cmocka_unit_test(test_what_a_form_begins_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
