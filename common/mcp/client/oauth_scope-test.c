/* Sets of scopes, and which are asked for. */
#include "mcp/client/oauth_scope.h"

#include "base/testing.h"

static void sets(void **state)
{
	char set[OAUTH_SCOPE_MAX + 1] = "";
	static const char *const bad[] = { "a\"", "a\\b", "\x7f", "a\tb", "\xc3\xa4" };

	(void)state;
	assert_true(oauth_scope_add(set, NULL));
	assert_true(oauth_scope_add(set, "  a:b  c a:b "));
	assert_string_equal(set, "a:b c");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(oauth_scope_add(set, bad[i]));
	assert_false(oauth_scope_add(set, "new a\"b"));
	assert_string_equal(set, "a:b c");
	assert_true(oauth_scope_has(set, "c"));
	assert_false(oauth_scope_has(set, "a"));
	assert_false(oauth_scope_has(set, ""));
	assert_false(oauth_scope_has("", "a"));
	assert_true(oauth_scope_has_all(set, " c a:b"));
	assert_true(oauth_scope_has_all("", ""));
	assert_false(oauth_scope_has_all(set, "c d"));
}

static void lists(void **state)
{
	static const char *const bad[] = { "{}",          "\"a\"",
					   "[1]",         "[\"\"]",
					   "[\"a b\"]",   "[\"a\",null]",
					   "[\"a\\\"\"]", "[\"a\\u0000b\"]" };
	char set[OAUTH_SCOPE_MAX + 1] = "x";

	(void)state;
	json_auto_t *good = json_pack("[s,s,s]", "a", "x", "b");
	assert_true(oauth_scope_add_list(set, NULL));
	assert_true(oauth_scope_add_list(set, good));
	assert_string_equal(set, "x a b");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_auto_t *list =
			json_loads(bad[i], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

		assert_non_null(list);
		if (oauth_scope_add_list(set, list))
			fail_msg("taken: %s", bad[i]);
		assert_string_equal(set, "x a b");
	}
}

static void a_set_has_a_limit(void **state)
{
	char set[OAUTH_SCOPE_MAX + 1] = "", more[OAUTH_SCOPE_MAX + 2];

	(void)state;
	memset(more, 'a', sizeof more);
	more[OAUTH_SCOPE_MAX + 1] = '\0';
	assert_false(oauth_scope_add(set, more));
	assert_string_equal(set, "");
	more[OAUTH_SCOPE_MAX] = '\0';
	assert_true(oauth_scope_add(set, more));
	assert_int_equal(strlen(set), OAUTH_SCOPE_MAX);
	assert_false(oauth_scope_add(set, "b"));
	more[OAUTH_SCOPE_MAX - 2] = '\0';
	*set = '\0';
	assert_true(oauth_scope_add(set, more));
	assert_false(oauth_scope_add(set, "bb"));
	assert_true(oauth_scope_add(set, "b"));
	assert_int_equal(strlen(set), OAUTH_SCOPE_MAX);
}

static void which_to_ask_for(void **state)
{
	static const struct {
		struct oauth_scope_rules rules;
		const char *want;
	} rows[] = {
		{ { "", "", "", false }, "" },
		{ { "a", "b c", "", false }, "a" },
		{ { "", "b c", "", false }, "b c" },
		{ { "w", "", "r", false }, "r w" },
		{ { "r w", "x", "r", false }, "r w" },
		{ { "", "b", "r", false }, "r b" },
		{ { "a", "", "", true }, "a offline_access" },
		{ { "", "", "", true }, "" },
		{ { "offline_access a", "", "", true }, "a offline_access" },
		{ { "offline_access a", "", "", false }, "a" },
		{ { "", "a offline_access", "", false }, "a" },
		{ { "", "offline_access", "", true }, "" },
		{ { "b", "", "a offline_access", true }, "a b offline_access" },
		{ { "b", "", "a offline_access", false }, "a b" },
		{ { "offline_access2", "", "", false }, "offline_access2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char set[OAUTH_SCOPE_MAX + 1];

		assert_true(oauth_scope_choose(&rows[i].rules, set));
		assert_string_equal(set, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets),
		cmocka_unit_test(lists),
		cmocka_unit_test(a_set_has_a_limit),
		cmocka_unit_test(which_to_ask_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
