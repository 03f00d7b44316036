#include "wire/schema_number.h"

#include "base/json.h"
#include "base/testing.h"
#include "wire/schema_value.h"

enum { PLENTY = 1000000 };

static json_t *parse(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	testing_no_error(&err);
	return value;
}

static void test_compare(void **state)
{
	static const struct {
		const char *a, *b;
		int wanted;
	} cases[] = {
		{ "1", "1.0", 0 },
		{ "0", "-0.0", 0 },
		{ "1", "1.5", -1 },
		{ "-1", "-1.5", 1 },
		{ "2", "1.5", 1 },
		{ "9007199254740993", "9007199254740992.0", 1 },
		{ "9007199254740992", "9007199254740992.0", 0 },
		{ "9223372036854775807", "9223372036854775808.0", -1 },
		{ "-9223372036854775808", "-9223372036854775808.0", 0 },
		{ "-9223372036854775808", "-9223372036854777856.0", 1 },
		{ "9223372036854775807", "1e300", -1 },
		{ "9223372036854775807", "-1e300", 1 },
		{ "0", "5e-324", -1 },
		{ "98249283749234923498293171823948729348710298301928331",
		  "98249283749234923498293171823948729348710298301928331", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *a = parse(cases[i].a), *b = parse(cases[i].b);
		unsigned steps = PLENTY;

		assert_int_equal(number_compare(a, b), cases[i].wanted);
		assert_int_equal(number_compare(b, a), -cases[i].wanted);
		assert_int_equal(value_equal(a, b, &steps), cases[i].wanted == 0);
		assert_int_equal(number_hash(a, 7) == number_hash(b, 7),
				 cases[i].wanted == 0);
	}
}

static void test_multiple(void **state)
{
	static const struct {
		const char *number, *divisor;
		bool wanted;
	} cases[] = {
		{ "0", "3", true },
		{ "-0.0", "3", true },
		{ "10", "2", true },
		{ "7", "2", false },
		{ "-4.5", "1.5", true },
		{ "35", "1.5", false },
		{ "0.3", "0.1", true },
		{ "1.1", "0.1", true },
		{ "19.99", "0.01", true },
		{ "19.999", "0.01", false },
		{ "0.0075", "0.0001", true },
		{ "0.00751", "0.0001", false },
		{ "12391239123", "1e-8", true },
		{ "1e308", "0.123456789", false },
		{ "1e308", "1e-324", false }, /* underflows to 0 below */
		{ "1e308", "5e-324", true },
		{ "5e-324", "1e308", false },
		{ "5e-324", "5e-324", true },
		{ "1.7976931348623157e308", "2", true },
		{ "9007199254740993", "2", false },
		{ "-9223372036854775808", "2", true },
		{ "-9223372036854775808", "3", false },
		{ "9223372036854775807", "7", true },
		{ "9223372036854775807", "9223372036854775807", true },
		{ "1e22", "9223372036854775807", false },
		{ "1e19", "1e18", true },
		{ "1", "1e1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *number = parse(cases[i].number),
			    *divisor = parse(cases[i].divisor);
		struct decimal d = number_decimal(divisor);

		if (d.digits == 0)
			continue;
		if (decimal_is_multiple(number_decimal(number), d) != cases[i].wanted)
			fail_msg("%s of %s", cases[i].number, cases[i].divisor);
	}
}

static void test_size(void **state)
{
	size_t size = 7;

	(void)state;
	for (int i = 0; i < 5; i++) {
		static const char *const bad[] = { "-1", "1.5", "-1.0", "\"1\"", "null" };
		json_auto_t *value = parse(bad[i]);

		assert_false(number_to_size(value, &size));
		assert_int_equal(size, 7);
	}
	json_auto_t *two = parse("2.0"), *huge = parse("1e300"),
		    *many = parse("9223372036854775807");

	assert_true(number_to_size(two, &size) && size == 2);
	assert_true(number_to_size(huge, &size) && size == SIZE_MAX);
	assert_true(number_to_size(many, &size) && size == INT64_MAX);
}

static void test_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool wanted;
	} cases[] = {
		{ "false", "0", false },
		{ "true", "1", false },
		{ "null", "false", false },
		{ "\"1\"", "1", false },
		{ "{\"a\": 1, \"b\": [2.0]}", "{\"b\": [2], \"a\": 1.0}", true },
		{ "{\"a\": 1}", "{\"a\": 1, \"b\": 2}", false },
		{ "{\"a\": null}", "{\"b\": null}", false },
		{ "[1, 2]", "[2, 1]", false },
		{ "[[], {}]", "[[], {}]", true },
		{ "\"a\\u0000b\"", "\"a\\u0000c\"", false },
		{ "{\"a\\u0000b\": 1}", "{\"a\": 1}", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *a = parse(cases[i].a), *b = parse(cases[i].b);
		json_auto_t *pair = json_pack("[O, O]", a, b);
		unsigned steps = PLENTY;
		size_t first, second;

		assert_int_equal(value_equal(a, b, &steps), cases[i].wanted);
		assert_int_equal(value_unique(pair, 99, &steps, &first, &second),
				 cases[i].wanted ? VALUE_REPEATED : VALUE_UNIQUE);
	}
}

static void test_steps(void **state)
{
	json_auto_t *a = parse("[1, 2, 3]"), *b = parse("[1, 2, 3]");
	unsigned steps = 4;

	(void)state;
	assert_false(value_equal(a, b, &steps));
	assert_int_equal(steps, 0);
	steps = 5;
	assert_true(value_equal(a, b, &steps));
	assert_int_equal(steps, 1);
}

/* 200,000 items would take minutes if each were compared with each. */
static void test_unique_is_linear(void **state)
{
	enum { COUNT = 200000 };
	json_auto_t *array = json_array();
	unsigned steps = PLENTY;
	size_t first, second;

	(void)state;
	for (int i = 0; i < COUNT; i++)
		json_array_append_new(array, json_pack("{s:i}", "n", i));
	assert_int_equal(value_unique(array, 5, &steps, &first, &second), VALUE_UNIQUE);
	assert_in_range(steps, PLENTY - 3 * COUNT, PLENTY);
	json_array_append_new(array, json_pack("{s:f}", "n", 77.0));
	steps = PLENTY;
	assert_int_equal(value_unique(array, 5, &steps, &first, &second), VALUE_REPEATED);
	assert_int_equal(first, 77);
	assert_int_equal(second, COUNT);
	steps = COUNT;
	assert_int_equal(value_unique(array, 5, &steps, &first, &second),
			 VALUE_TOO_COMPLEX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare), cmocka_unit_test(test_multiple),
		cmocka_unit_test(test_size),    cmocka_unit_test(test_equal),
		cmocka_unit_test(test_steps),   cmocka_unit_test(test_unique_is_linear),
	};

	return cmocka_run_group_tests_name("schema_number", tests, NULL, NULL);
}
