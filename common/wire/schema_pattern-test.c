#include "wire/schema_regex.h"

#include "base/testing.h"
#include "wire/schema.h"

static struct regex *open_pattern(const char *pattern)
{
	struct error err = ERROR_INIT;
	struct regex *regex = regex_new(pattern, strlen(pattern), &err);

	if (!regex)
		fail_msg("%s: %s", pattern, err.message);
	return regex;
}

/* What ECMA-262 says, where ICU by itself would say something else or nothing. */
static void test_meaning(void **state)
{
	static const struct {
		const char *pattern;
		const char *text;
		bool found;
	} cases[] = {
		{ "", "", true },
		{ "^[a-z]+$", "abc", true },
		{ "^[a-z]+$", "abc\n", false },
		{ "a$", "a\n", false },
		{ "^b", "a\nb", false },
		{ "^.$", "\xc2\x85", true },
		{ "^.$", "\xe2\x80\xa8", false },
		{ "^.$", "\r", false },
		{ "^.$", "\v", true },
		{ "^.$", "\xf0\x9f\x98\x80", true },
		{ "^\\d$", "1", true },
		{ "^\\d$", "\xd9\xa1", false },
		{ "^\\D$", "\xd9\xa1", true },
		{ "^\\w+$", "aZ_9", true },
		{ "^\\w$", "\xc3\xa9", false },
		{ "^\\W$", "\xc3\xa9", true },
		{ "^\\s$", "\xc2\xa0", true },
		{ "^\\s$", "\xef\xbb\xbf", true },
		{ "^\\s$", "\v", true },
		{ "^\\S$", "\xe2\x80\x8b", true },
		{ "^\\v$", "\v", true },
		{ "^\\v$", "\n", false },
		{ "\\bcat\\b", "a cat sat", true },
		{ "\\bcat\\b", "concat", false },
		{ "\\bcat\\b",
		  "\xc3\xa9"
		  "cat",
		  true },
		{ "\\Bcat", "concat", true },
		{ "\\Bcat", "cat", false },
		{ "^[\\d\\s]+$", "1 2", true },
		{ "^[^\\d\\s]$", "1", false },
		{ "^[^\\d\\s]$", "x", true },
		{ "^[\\D]$", "1", false },
		{ "^[\\W]$", "a", false },
		{ "^[\\p{L}\\-]+$", "\xc3\xa9-a", true },
		{ "^[[]$", "[", true },
		{ "^[[:alpha:]\\]$", ":]", true },
		{ "^[[:alpha:]\\]$", "b]", false },
		{ "^[a&&b]$", "&", true },
		{ "^[a&&b]$", "a", true },
		{ "^[+--]$", ",", true },
		{ "^[a-]$", "-", true },
		{ "^[-a]$", "-", true },
		{ "^[\\]\\\\^]+$", "]\\^", true },
		{ "^[\\b]$", "\b", true },
		{ "[]", "a", false },
		{ "^[^]$", "\n", true },
		{ "^\\u0041\\x42\\u{43}$", "ABC", true },
		{ "^\\u{1F600}$", "\xf0\x9f\x98\x80", true },
		{ "^\\ud83d\\ude00$", "\xf0\x9f\x98\x80", true },
		{ "^[\\ud83d\\ude00-\\ud83d\\ude02]$", "\xf0\x9f\x98\x81", true },
		{ "^[\xf0\x9f\x98\x80-\xf0\x9f\x98\x82]$", "\xf0\x9f\x98\x81", true },
		{ "^\xf0\x9f\x98\x80{2}$", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", true },
		{ "^\\cA$", "\x01", true },
		{ "^\\/\\-\\@\\_$", "/-@_", true },
		{ "^\\p{Script=Greek}+$", "\xcf\x80", true },
		{ "^\\p{Lu}\\P{Lu}$", "Aa", true },
		{ "^(?<year>\\d{4})-\\k<year>$", "2026-2026", true },
		{ "^(?<_a$>x)(y)\\2\\k<_a$>$", "xyyx", true },
		{ "^(?:a|b)(c)\\1$", "acc", true },
		{ "^(c)\\10$", "cc0", false },
		{ "(?<=a)b(?!c)", "abd", true },
		{ "(?<!a)b(?=c)", "abc", false },
		{ "^a{2}$", "aa", true },
		{ "^a{2,}$", "aaa", true },
		{ "^a{1,2}?$", "aaa", false },
		{ "^a#b$", "a#b", true },
		{ "^a b$", "a b", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		struct regex *regex =
			regex_new(cases[i].pattern, strlen(cases[i].pattern), &err);
		bool refers_too_far = !strcmp(cases[i].pattern, "^(c)\\10$");

		if (refers_too_far) {
			assert_null(regex);
			continue;
		}
		if (!regex)
			fail_msg("%s: %s", cases[i].pattern, err.message);
		if ((regex_search(regex, cases[i].text, strlen(cases[i].text)) ==
		     REGEX_FOUND) != cases[i].found)
			fail_msg("%s on '%s'", cases[i].pattern, cases[i].text);
		regex_free(regex);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[] = {
		"[",
		"(",
		")",
		"]",
		"}",
		"{",
		"a{",
		"a{,2}",
		"a{2",
		"a{2,1}",
		"a{100001}",
		"*",
		"+a",
		"?",
		"a**",
		"a++",
		"a?+",
		"a*+",
		"a{2}{3}",
		"^*",
		"$*",
		"\\b*",
		"(?=a)*",
		"(?!a){2}",
		"(*a)",
		"(|*)",
		"(?>a)",
		"(?i)a",
		"(?i:a)",
		"(?#a)",
		"(?P<n>a)",
		"(?<>a)",
		"(?<1>a)",
		"(?<a",
		"(?<a>b)(?<a>c)",
		"\\k<a>",
		"\\k",
		"\\1",
		"(a)\\2",
		"\\",
		"a\\",
		"[a",
		"[a\\",
		"[z-a]",
		"[\\d-z]",
		"[a-\\d]",
		"\\a",
		"\\e",
		"\\A",
		"\\Z",
		"\\z",
		"\\G",
		"\\Qa\\E",
		"\\X",
		"\\R",
		"\\h",
		"\\N{DIGIT ONE}",
		"\\x4",
		"\\xg0",
		"\\u12",
		"\\u{110000}",
		"\\u{}",
		"\\u{41",
		"\\c1",
		"\\c",
		"\\01",
		"\\08",
		"\\p",
		"\\pL",
		"\\p{",
		"\\p{}",
		"\\p{No Such}",
		"\\p{NoSuchThing}",
		"\\p{Script=Klingonese}",
		"[\\p{NoSuchThing}]",
		"(a",
		"a)",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;

		if (regex_new(cases[i], strlen(cases[i]), &err))
			fail_msg("accepted: %s", cases[i]);
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	}
}

static void test_length_limit(void **state)
{
	_cleanup_free_ char *pattern = malloc(SCHEMA_PATTERN_MAX + 1);
	struct error err = ERROR_INIT;
	struct regex *regex;

	(void)state;
	assert_non_null(pattern);
	memset(pattern, 'a', SCHEMA_PATTERN_MAX + 1);
	regex = regex_new(pattern, SCHEMA_PATTERN_MAX, &err);
	assert_non_null(regex);
	regex_free(regex);
	assert_null(regex_new(pattern, SCHEMA_PATTERN_MAX + 1, &err));
}

static void test_nul_is_a_character(void **state)
{
	struct regex *regex = open_pattern("^a.b$");

	(void)state;
	assert_int_equal(regex_search(regex, "a\0b", 3), REGEX_FOUND);
	assert_int_equal(regex_search(regex, "a\0b", 2), REGEX_NOT_FOUND);
	regex_free(regex);
}

/* Patterns that take forever, or all memory, end with an answer that is no "no". */
static void test_hostile(void **state)
{
	enum { LENGTH = SCHEMA_PATTERN_TEXT_MAX };
	static const char *const patterns[] = { "^(a+)+$", "(a|a)*b", "(a*)*c",
						"(.*)(.*)(.*)(.*)d" };
	_cleanup_free_ char *text = malloc(LENGTH + 1);
	struct regex *regex;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', LENGTH + 1);
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		regex = open_pattern(patterns[i]);
		text[40] = '!';
		assert_int_equal(regex_search(regex, text, 40),
				 i == 0   ? REGEX_FOUND
				 : i == 3 ? REGEX_NOT_FOUND
					  : REGEX_TOO_COMPLEX);
		text[40] = 'a';
		if (i > 0)
			assert_int_equal(regex_search(regex, text, LENGTH),
					 REGEX_TOO_COMPLEX);
		regex_free(regex);
	}
	regex = open_pattern("a");
	assert_int_equal(regex_search(regex, text, LENGTH), REGEX_FOUND);
	assert_int_equal(regex_search(regex, text, LENGTH + 1), REGEX_TOO_COMPLEX);
	/* Still usable after all that. */
	assert_int_equal(regex_search(regex, "xax", 3), REGEX_FOUND);
	regex_free(regex);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meaning),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_length_limit),
		cmocka_unit_test(test_nul_is_a_character),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("schema_pattern", tests, NULL, NULL);
}
