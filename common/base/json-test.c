#include "base/json.h"

#include <math.h>

#include "base/testing.h"

static json_t *parse(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	testing_no_error(&err);
	return value;
}

static json_t *nested(int depth)
{
	json_t *value = json_integer(1);

	for (int i = 0; i < depth; i++)
		value = json_pack("[o]", value);
	return value;
}

static void test_check_contract(void **state)
{
	static const char *const good[] = { "1",
					    "\"é\"",
					    "{\"a\":[1.5,null,true]}",
					    "1e21",
					    "9007199254740991.0",
					    "-9007199254740991" };
	static const char *const bad[] = { "9007199254740992",
					   "-9007199254740992",
					   "1e16",
					   "-1e20",
					   "[\"\\u0000\"]",
					   "[\"1234567\\u0000\"]",
					   "[\"12345678\\u000012345678\"]",
					   "[\"1234567\\ufdd012345678\"]",
					   "{\"a\\u0000\":1}",
					   "{\"\\uffff\":1}",
					   "[[9007199254740992]]",
					   "{\"a\":{\"b\":\"\\ufdd0\"}}" };
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		json_auto_t *value = parse(good[i]);
		assert_true(json_check_contract(value, &err));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_auto_t *value = parse(bad[i]);
		if (json_check_contract(value, &err))
			fail_msg("'%s' was accepted", bad[i]);
		testing_error(&err, ERR_INVALID_ARGUMENT, NULL);
	}
	json_auto_t *odd = json_stringn_nocheck("1234567\xff", 8);
	assert_false(json_check_contract(odd, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "UTF-8");
	assert_false(json_check_contract(NULL, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, NULL);
}

static void test_depth(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	json_auto_t *most = nested(JSON_DEPTH_MAX), *over = nested(JSON_DEPTH_MAX + 1);
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(json_check_contract(most, &err));
	assert_true(json_write(&sb, most, &err));
	assert_int_equal(sb.length, 2 * JSON_DEPTH_MAX + 1);
	assert_false(json_check_contract(over, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "deeper than 64");
	assert_false(json_write(&sb, over, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "deeper than 64");
	assert_int_equal(sb.length, 2 * JSON_DEPTH_MAX + 1);
}

/* Members in their order; NULs, escapes and large integers survive. */
static void test_write(void **state)
{
	static const char *const texts[] = {
		"null",
		"true",
		"false",
		"0",
		"-7",
		"1.5",
		"\"\"",
		"[]",
		"{}",
		"[1,[2,{}],\"x\"]",
		"{\"b\":1,\"a\":{\"z\":[true,null]},\"\":\"é\"}",
		"\"\\u0000\\n\\\"\\\\\"",
		"{\"a\\u0000b\":1}",
		"9223372036854775807",
		"-9223372036854775808",
		"1e+300",
	};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		json_auto_t *value = parse(texts[i]);
		assert_true(json_write(&sb, value, &err));
		assert_string_equal(sb.data, texts[i]);
	}
}

static void test_write_failed(void **state)
{
	struct strbuf failed = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *value = json_true();

	(void)state;
	assert_false(json_write(&failed, NULL, &err));
	testing_error(&err, ERR_INTERNAL, "memory");
	assert_null(strbuf_reserve(&failed, SIZE_MAX));
	assert_false(json_write(&failed, value, &err));
	testing_error(&err, ERR_INTERNAL, "memory");
	strbuf_done(&failed);
}

struct target {
	const char *name;
	int64_t count;
	bool quick;
	json_t *object, *array, *any;
};

static const struct json_field fields[] = {
	{ "name", JSON_FIELD_STRING, offsetof(struct target, name), JSON_FIELD_REQUIRED },
	{ "count", JSON_FIELD_INT64, offsetof(struct target, count), 0 },
	{ "quick", JSON_FIELD_BOOL, offsetof(struct target, quick), 0 },
	{ "object", JSON_FIELD_OBJECT, offsetof(struct target, object), 0 },
	{ "array", JSON_FIELD_ARRAY, offsetof(struct target, array), 0 },
	{ "any", JSON_FIELD_ANY, offsetof(struct target, any), 0 },
	{ 0 },
};

static void test_decode(void **state)
{
	json_auto_t *all =
		parse("{\"name\":\"n\",\"count\":-5,\"quick\":true,\"object\":{},"
		      "\"array\":[],\"any\":null}");
	json_auto_t *least = parse("{\"name\":\"\",\"count\":2e2}");
	struct target t = { .count = 7, .quick = true };
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(json_decode(least, fields, &t, "thing", &err));
	assert_string_equal(t.name, "");
	assert_int_equal(t.count, 200);
	assert_true(t.quick);
	assert_null(t.object);
	assert_true(json_decode(all, fields, &t, "thing", &err));
	assert_string_equal(t.name, "n");
	assert_int_equal(t.count, -5);
	assert_true(json_is_object(t.object));
	assert_true(json_is_array(t.array));
	assert_true(json_is_null(t.any));
}

static void test_decode_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "[]", "thing must be an object" },
		{ "{}", "thing: 'name' is missing" },
		{ "{\"name\":1}", "thing: 'name' must be a string" },
		{ "{\"name\":null}", "thing: 'name' must be a string" },
		{ "{\"name\":\"a\\u0000b\"}", "thing: 'name' holds a NUL" },
		{ "{\"name\":\"n\",\"count\":\"5\"}", "'count' must be an integer" },
		{ "{\"name\":\"n\",\"count\":1.5}", "'count' must be an integer" },
		{ "{\"name\":\"n\",\"count\":1e300}", "'count' must be an integer" },
		{ "{\"name\":\"n\",\"quick\":1}", "'quick' must be true or false" },
		{ "{\"name\":\"n\",\"object\":[]}", "'object' must be an object" },
		{ "{\"name\":\"n\",\"array\":{}}", "'array' must be an array" },
		{ "{\"name\":\"n\",\"more\":1}", "unknown member 'more'" },
		{ "{\"name\":\"n\",\"count\\u0000x\":1}", "unknown member 'count'" },
	};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct target t = { .count = 7 }, before = t;
		json_auto_t *value = parse(cases[i].text);
		assert_false(json_decode(value, fields, &t, "thing", &err));
		testing_error(&err, ERR_INVALID_ARGUMENT, cases[i].why);
		assert_memory_equal(&t, &before, sizeof t);
	}
	assert_false(json_decode(NULL, fields, NULL, "thing", &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "must be an object");
}

static void test_get(void **state)
{
	json_auto_t *o = parse(
		"{\"s\":\"x\",\"nul\":\"a\\u0000\",\"n\":5,\"r\":2.0,\"half\":2.5}");

	(void)state;
	assert_string_equal(json_get_string(o, "s"), "x");
	assert_null(json_get_string(o, "nul"));
	assert_null(json_get_string(o, "n"));
	assert_null(json_get_string(o, "none"));
	assert_null(json_get_string(NULL, "s"));
	assert_int_equal(json_get_int64(o, "n", 9), 5);
	assert_int_equal(json_get_int64(o, "r", 9), 2);
	assert_int_equal(json_get_int64(o, "half", 9), 9);
	assert_int_equal(json_get_int64(o, "s", 9), 9);
	assert_int_equal(json_get_int64(NULL, "n", 9), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_contract),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_failed),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_decode_refused),
		cmocka_unit_test(test_get),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
