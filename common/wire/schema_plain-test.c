#include "wire/schema_plain.h"

#include "base/strbuf.h"
#include "base/testing.h"
#include "wire/schema_regex.h"

static bool is_plain(const char *pattern)
{
	_cleanup_(plain_freep) struct plain *plain = plain_new(pattern, strlen(pattern));

	return plain != NULL;
}

/* By ICU: a group without a number around it is not plain, and means the same. */
static struct regex *by_icu(const char *pattern)
{
	_cleanup_strbuf_ struct strbuf grouped = STRBUF_INIT;
	struct error err = ERROR_INIT;

	strbuf_add_format(&grouped, "(?:%s)", pattern);
	assert_false(is_plain(grouped.data));
	struct regex *regex = regex_new(grouped.data, grouped.length, &err);
	if (!regex)
		fail_msg("'%s' is plain, and to ICU: %s", pattern, err.message);
	return regex;
}

static void test_which(void **state)
{
	static const char *const plain[] = {
		"^",
		"^$",
		"^/",
		"^wingman:",
		"^[a-z][a-z0-9_]{0,63}$",
		"^[!#-&(-\\[\\]-~]{1,128}$",
		"^(/[!-~]{1,106}|[A-Za-z0-9._:-]{1,255})$",
		"^(a|)$",
		"^(keys/|credential:)[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}$",
		"^x(a|b*)c",
		"^[-a][a-]$",
		"^[[]$",
		"^[^#]*#?$",
		"^[^ -~]+$",
		"^a{3}b{2,}c{0}$",
		"^https?://[^/ ]{1,255}$",
		"^[a-c]?[d-f]?[g-i]?$",
		"^a+",
		"^https?://[!-~]{1,500}[!-.0-~]$",
		"^(a*a|c?b*[ab]{3})$",
	};
	static const char *const others[] = {
		"",
		"a",
		"a$",
		"^a*a", /* what it may take, the next may take too */
		"^a*a*$",
		"^a?b*[ab]{3}$",
		"^a*b?a$",
		"^a?[^b]",
		"^[^a]*[^b]",
		"^(a*ab|c)",
		"^a|b$",
		"^(a)(b)$",
		"^(a*|b)a",
		"^a*(a|b)",
		"^(a|b){2}$",
		"^(a|b$)",
		"^(a|b",
		"^(a)+$",
		"^(?:a)$",
		"^(a|b|c|d|e)$",
		"^((a))$",
		"^a+?$",
		"^a$b",
		"^a^",
		"^.$",
		"^\\d$",
		"^[\\d]$",
		"^\\u0041$",
		"^\\n$",
		"^\xc3\xa9$",
		"^[\xc3\xa9]$",
		"^\t$",
		/* and what is wrong: others say so */
		"^[",
		"^[]$",
		"^[^]$",
		"^[b-a]$",
		"^[a-\\d]$",
		"^a**$",
		"^a{2}{3}$",
		"^a{,2}$",
		"^a{2,1}$",
		"^a{100001}$",
		"^a{4294967297}$",
		"^{2}$",
		"^]$",
		"^}$",
		"^(a$",
		"^a)$",
		"^a\\",
		"^\\a$",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (!is_plain(plain[i]))
			fail_msg("'%s' is plain", plain[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (is_plain(others[i]))
			fail_msg("'%s' is not plain", others[i]);
}

static void test_limits(void **state)
{
	_cleanup_strbuf_ struct strbuf pattern = STRBUF_INIT;
	const unsigned most = 32;

	(void)state;
	strbuf_add_char(&pattern, '^');
	for (unsigned i = 0; i < most; i++)
		strbuf_add_char(&pattern, 'a');
	assert_true(is_plain(pattern.data));
	strbuf_add_char(&pattern, 'a');
	assert_false(is_plain(pattern.data));
	assert_true(is_plain("^(a|b|c|d)$"));
	assert_true(is_plain("^a{100000}$"));
}

static void test_meaning(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool found;
	} cases[] = {
		{ "^$", "", true },
		{ "^$", "\n", false },
		{ "^/", "/a", true },
		{ "^/", "a/", false },
		{ "^a+", "aab", true },
		{ "^[a-z]{2,3}$", "a", false },
		{ "^[a-z]{2,3}$", "ab", true },
		{ "^[a-z]{2,3}$", "abc", true },
		{ "^[a-z]{2,3}$", "abcd", false },
		{ "^[a-z]+$", "abc\n", false },
		{ "^[^a]{2}$", "\xc3\xa9\xf0\x9f\x98\x80", true },
		{ "^[^a]{3}$", "\xc3\xa9\xf0\x9f\x98\x80", false },
		{ "^[a]$", "\xc3\xa9", false },
		{ "^(/[!-~]{1,4}|[a-z]{1,2})$", "/ab", true },
		{ "^(/[!-~]{1,4}|[a-z]{1,2})$", "ab", true },
		{ "^(/[!-~]{1,4}|[a-z]{1,2})$", "abc", false },
		{ "^x(a|b*)c$", "xac", true },
		{ "^x(a|b*)c$", "xbbc", true },
		{ "^x(a|b*)c$", "xc", true },
		{ "^x(a|b*)c$", "xabc", false },
		{ "^(a|ab)$", "ab", true },
		{ "^(a|ab)", "ac", true },
		{ "^a*a$", "aaa", true },
		{ "^a*a$", "", false },
		{ "^a{0,2}a$", "aaaa", false },
		{ "^[^b]*\\.$", "\xc3\xa9..", true },
		{ "^[^b]*\\.$", "\xc3\xa9.\xc3\xa9", false },
		{ "^[\\[\\]-~]$", "]", true },
		{ "^[\\[\\]-~]$", "\\", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(plain_freep) struct plain *plain =
			plain_new(cases[i].pattern, strlen(cases[i].pattern));

		if (!plain || plain_matches(plain, cases[i].text,
					    strlen(cases[i].text)) != cases[i].found)
			fail_msg("%s on '%s'", cases[i].pattern, cases[i].text);
	}
}

/* ---- Whatever is plain means what ICU says that it means ---- */

static unsigned below(uint64_t *seed, unsigned limit)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(*seed >> 33) % limit;
}

static void make(uint64_t *seed, const char *const *pieces, unsigned count, unsigned most,
		 struct strbuf *sb)
{
	for (unsigned left = below(seed, most); left > 0; left--)
		strbuf_add_string(sb, pieces[below(seed, count)]);
}

static void test_as_icu(void **state)
{
	static const char *const parts[] = {
		"a",    "b",      "[ab]", "[b-d]", "[^ab]",   "[^c]", "\\.",  "-",
		"[-a]", "[a\\]]", "?",    "*",     "+",       "{2}",  "{1,}", "{0,2}",
		"|",    "(",      ")",    "$",     "[\\--0]", "[]",
	};
	static const char *const letters[] = { "a",    "b",           "c", "d",
					       ".",    "-",           "]", "/",
					       "\n",   "\xc3\xa9",    "(", "\t",
					       "\x7f", "\xe2\x80\xa8" };
	enum { PATTERNS = 40000, TEXTS = 24 };
	uint64_t seed = 20261123;
	unsigned compared = 0;

	(void)state;
	for (unsigned i = 0; i < PATTERNS; i++) {
		_cleanup_strbuf_ struct strbuf pattern = STRBUF_INIT;

		strbuf_add_string(&pattern, i % 4 ? "^" : "^(");
		make(&seed, parts, ARRAY_SIZE(parts), 7, &pattern);
		strbuf_add_string(&pattern, i % 4 ? i % 2 ? "$" : "" : ")$");
		_cleanup_(plain_freep) struct plain *plain =
			plain_new(pattern.data, pattern.length);
		if (!plain)
			continue;
		_cleanup_(regex_freep) struct regex *icu = by_icu(pattern.data);
		for (unsigned n = 0; n < TEXTS; n++) {
			_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

			strbuf_add_string(&text, "");
			make(&seed, letters, ARRAY_SIZE(letters), 6, &text);
			bool found = plain_matches(plain, text.data, text.length);
			if (found !=
			    (regex_search(icu, text.data, text.length) == REGEX_FOUND))
				fail_msg("%s on '%s': %d", pattern.data, text.data,
					 found);
			compared += found;
		}
	}
	assert_true(compared > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_meaning),
		cmocka_unit_test(test_as_icu),
	};

	return cmocka_run_group_tests_name("schema_plain", tests, NULL, NULL);
}
