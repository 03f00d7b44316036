#include "slack/text/text.h"

#include "base/testing.h"
#include "slack/text/near.h"

static void test_escape(void **state)
{
	static const struct {
		const char *text, *escaped;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "<!here> <@U123>", "&lt;!here&gt; &lt;@U123&gt;" },
		{ "&lt;", "&amp;lt;" },
		{ "<https://a|b>", "&lt;https://a|b&gt;" },
		{ "<!date^1^{date}|x>", "&lt;!date^1^{date}|x&gt;" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		slack_text_escape(&sb, cases[i].text, strlen(cases[i].text));
		assert_string_equal(sb.data, cases[i].escaped);
	}
}

static void test_plain(void **state)
{
	static const char *const plain[] = { "accounts", "block_account", "a",
					     "a.b-c_d9" };
	static const char *const marked[] = { "",    "_a_", "a__b", "*a*",  ":a:",
					      "a b", "<a>", "`a`",  "~a~",  "@here",
					      "#a",  ".a",  "a-",   "a._b", "\xd0\xb0" };
	char text[66];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		assert_true(slack_text_is_plain(plain[i]));
	for (size_t i = 0; i < ARRAY_SIZE(marked); i++)
		if (slack_text_is_plain(marked[i]))
			fail_msg("'%s' is taken for plain", marked[i]);
	memset(text, 'x', sizeof text);
	text[64] = '\0';
	assert_true(slack_text_is_plain(text));
	text[64] = 'x';
	text[65] = '\0';
	assert_false(slack_text_is_plain(text));
}

static void test_units(void **state)
{
	(void)state;
	assert_int_equal(slack_text_units("", 0), 0);
	assert_int_equal(slack_text_units("abc", 3), 3);
	assert_int_equal(slack_text_units("\xc3\xa9", 2), 1);
	assert_int_equal(slack_text_units("\xf0\x9f\x98\x80", 4), 2);
	assert_int_equal(slack_text_units("\xff\xff", 2), 2);
}

static void test_ids(void **state)
{
	(void)state;
	assert_true(slack_text_is_user("U0ALICE001"));
	assert_true(slack_text_is_user("W123"));
	assert_false(slack_text_is_user("C0OPS"));
	assert_false(slack_text_is_user("u0alice"));
	assert_false(slack_text_is_user("U1"));
	assert_false(slack_text_is_user("U0ALICE001>"));
	assert_false(slack_text_is_user(""));
	assert_true(slack_text_is_channel("C0OPS"));
	assert_true(slack_text_is_channel("D0ALICEDM1"));
	assert_false(slack_text_is_channel("U0ALICE001"));
}

static const char *near_of(const char *typed, const char *a, const char *b)
{
	static struct near n;

	n = (struct near)NEAR_OF(typed);
	near_try(&n, a);
	near_try(&n, b);
	return near_best(&n);
}

static void test_near(void **state)
{
	char longest[NEAR_BYTES + 1];

	(void)state;
	assert_string_equal(near_of("tolos", "docs", "tools"), "tools");
	assert_string_equal(near_of("TOOL", "docs", "tools"), "tools");
	assert_string_equal(near_of("stauts", "approvals", "status"), "status");
	assert_string_equal(near_of("accounts.block_acount", "accounts.unblock_account",
				    "accounts.block_account"),
			    "accounts.block_account");
	assert_null(near_of("block everybody", "docs", "tools"));
	assert_null(near_of("", "a", "b"));
	assert_null(near_of("a", "b", ""));
	assert_null(near_of("ab", "cd", "ef"));
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_null(near_of(longest, longest, "b"));
	longest[NEAR_BYTES - 1] = '\0';
	assert_string_equal(near_of(longest, longest, "b"), longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape), cmocka_unit_test(test_plain),
		cmocka_unit_test(test_units),  cmocka_unit_test(test_ids),
		cmocka_unit_test(test_near),
	};

	return cmocka_run_group_tests_name("slack-text", tests, NULL, NULL);
}
