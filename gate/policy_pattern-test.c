#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#include <cmocka.h>

#include "gate/policy_pattern.h"

static json_t *parse(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *json = json_parse(text, strlen(text), JSON_CONTRACT, &err);

	if (!json)
		fail_msg("%s: %s", text, err.message);
	return json;
}

static bool matches(const char *pattern, const char *arguments, bool refuses)
{
	json_auto_t *json = parse(pattern);
	json_auto_t *given = arguments ? parse(arguments) : NULL;
	struct policy_pattern p = { .any = false };
	struct error err = ERROR_INIT;
	bool ret;

	if (!policy_pattern_read("a", json, &p, &err))
		fail_msg("%s: %s", pattern, err.message);
	ret = policy_pattern_matches(&p, given, refuses);
	policy_pattern_done(&p);
	return ret;
}

static void test_values(void **state)
{
	static const struct {
		const char *pattern, *arguments;
		bool wanted;
	} cases[] = {
		{ "{\"is\":[\"x\",\"y\"]}", "{\"a\":\"y\"}", true },
		{ "{\"is\":[\"x\"]}", "{\"a\":\"X\"}", false },
		{ "{\"is\":[\"x\"]}", "{\"a\":\"x \"}", false },
		{ "{\"is\":[\"1\"]}", "{\"a\":1}", false },
		{ "{\"is\":[1]}", "{\"a\":1.0}", true },
		{ "{\"is\":[1]}", "{\"a\":true}", false },
		{ "{\"is\":[false]}", "{\"a\":false}", true },
		{ "{\"is\":[false]}", "{\"a\":null}", false },
		{ "{\"prefix\":\"dev-\"}", "{\"a\":\"dev-\"}", true },
		{ "{\"prefix\":\"dev-\"}", "{\"a\":\"dev\"}", false },
		{ "{\"prefix\":\"dev-\"}", "{\"a\":\" dev-1\"}", false },
		{ "{\"prefix\":\"1\"}", "{\"a\":12}", false },
		{ "{\"glob\":\"*@example.test\"}", "{\"a\":\"bob@example.test\"}", true },
		{ "{\"glob\":\"*@example.test\"}", "{\"a\":\"bob@example.test.evil\"}",
		  false },
		{ "{\"min\":1,\"max\":3}", "{\"a\":1}", true },
		{ "{\"min\":1,\"max\":3}", "{\"a\":3}", true },
		{ "{\"min\":1,\"max\":3}", "{\"a\":0.5}", false },
		{ "{\"min\":1,\"max\":3}", "{\"a\":4}", false },
		{ "{\"max\":3}", "{\"a\":\"2\"}", false },
		{ "{\"max\":\"8h\"}", "{\"a\":\"8h\"}", true },
		{ "{\"max\":\"8h\"}", "{\"a\":\"481m\"}", false },
		{ "{\"max\":\"8h\"}", "{\"a\":\"08h\"}", false },
		{ "{\"max\":\"8h\"}", "{\"a\":5}", false },
		/* Lists: every item, unless any is said; an empty one fits nothing. */
		{ "{\"is\":[\"x\",\"y\"]}", "{\"a\":[\"x\",\"y\",\"x\"]}", true },
		{ "{\"is\":[\"x\",\"y\"]}", "{\"a\":[\"x\",\"z\"]}", false },
		{ "{\"is\":[\"x\"],\"items\":\"any\"}", "{\"a\":[\"z\",\"x\"]}", true },
		{ "{\"is\":[\"x\"],\"items\":\"any\"}", "{\"a\":[\"z\"]}", false },
		{ "{\"is\":[\"x\"]}", "{\"a\":[]}", false },
		{ "{\"is\":[\"x\"],\"items\":\"any\"}", "{\"a\":[]}", false },
		{ "{\"glob\":\"*\"}", "{\"a\":{\"b\":\"c\"}}", false },
		{ "{\"glob\":\"*\"}", "{\"a\":[[\"c\"]]}", false },
		/* What is absent fits nothing that lets something happen. */
		{ "{\"glob\":\"*\"}", "{\"b\":\"x\"}", false },
		{ "{\"glob\":\"*\"}", "{}", false },
		{ "{\"glob\":\"*\"}", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (matches(cases[i].pattern, cases[i].arguments, false) !=
		    cases[i].wanted)
			fail_msg("%s on %s", cases[i].pattern, cases[i].arguments);
}

/* For a rule that refuses a doubt is a match. */
static void test_refusing(void **state)
{
	(void)state;
	assert_true(matches("{\"is\":[\"x\"]}", "{}", true));
	assert_true(matches("{\"is\":[\"x\"]}", NULL, true));
	assert_true(matches("{\"is\":[\"x\"]}", "{\"a\":[]}", true));
	assert_true(matches("{\"is\":[\"x\"]}", "{\"a\":[\"y\",\"x\"]}", true));
	assert_true(matches("{\"is\":[\"x\"]}", "{\"a\":{}}", true));
	assert_true(matches("{\"max\":3}", "{\"a\":\"many\"}", true));
	assert_true(matches("{\"prefix\":\"x\"}", "{\"a\":7}", true));
	assert_false(matches("{\"is\":[\"x\"]}", "{\"a\":\"y\"}", true));
	assert_false(matches("{\"max\":3}", "{\"a\":4}", true));
}

static void test_long(void **state)
{
	char text[POLICY_VALUE_MAX + 32];

	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		(void)snprintf(text, sizeof text, "{\"a\":\"%0*d\"}",
			       POLICY_VALUE_MAX + extra, 1);
		assert_int_equal(matches("{\"glob\":\"0*\"}", text, false), !extra);
		assert_true(matches("{\"glob\":\"0*\"}", text, true));
	}
}

static void test_globs(void **state)
{
	static const struct {
		const char *glob, *text;
		bool wanted;
	} cases[] = {
		{ "*", "", true },
		{ "?", "", false },
		{ "?", "x", true },
		{ "?", "\xc3\xa9", true }, /* one character, two bytes */
		{ "??", "\xc3\xa9", false },
		{ "a*b*c", "a--b--c", true },
		{ "a*b*c", "a--b--cd", false },
		{ "*.*", "x.y.z", true },
		{ "**x", "yyx", true },
		{ "a\\*", "a*", true },
		{ "a\\*", "ab", false },
		{ "a\\?b", "a?b", true },
		{ "a\\", "a\\", true }, /* a backslash at the end is one */
		{ "[ab]", "a", false }, /* there are no classes */
		{ "[ab]", "[ab]", true },
		{ "a", "aa", false },
		{ "aa", "a", false },
		{ "*a", "b", false },
	};
	char glob[POLICY_TEXT_MAX + 1], text[POLICY_VALUE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (policy_glob_matches(cases[i].glob, cases[i].text) != cases[i].wanted)
			fail_msg("'%s' on '%s'", cases[i].glob, cases[i].text);
	/* What would take a backtracking matcher for ever. */
	for (size_t i = 0; i < sizeof glob; i++)
		glob[i] = i % 2 ? 'a' : '*';
	(void)snprintf(glob + sizeof glob - 3, 3, "*b");
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_false(policy_glob_matches(glob, text));
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"is\":[]}",
		"{\"is\":[1],\"prefix\":\"x\"}",
		"{\"prefix\":\"x\",\"glob\":\"y\"}",
		"{\"prefix\":\"\"}",
		"{\"min\":3,\"max\":2}",
		"{\"min\":3,\"max\":\"8h\"}",
		"{\"min\":\"soon\"}",
		"{\"is\":[1],\"items\":\"some\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_auto_t *json = parse(bad[i]);
		struct policy_pattern p;
		struct error err = ERROR_INIT;

		if (policy_pattern_read("a", json, &p, &err))
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values), cmocka_unit_test(test_refusing),
		cmocka_unit_test(test_long),   cmocka_unit_test(test_globs),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests_name("policy_pattern", tests, NULL, NULL);
}
