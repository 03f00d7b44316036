/* base/text.h but for the flags and the redaction: shown, escaped, folded, measured. */
#include "base/text.h"

#include "base/testing.h"

static void assert_visible(const char *text, const char *visible, const char *escaped)
{
	_cleanup_strbuf_ struct strbuf v = STRBUF_INIT, e = STRBUF_INIT,
				       back = STRBUF_INIT;
	struct error err = ERROR_INIT;
	size_t length = strlen(text);

	text_visible(&v, text, length);
	assert_string_equal(v.data, visible);
	text_escaped(&e, text, length);
	assert_string_equal(e.data, escaped);
	assert_true(text_unescape(&back, v.data, v.length, &err));
	assert_string_equal(back.data, text);
	strbuf_clear(&back);
	assert_true(text_unescape(&back, e.data, e.length, &err));
	assert_string_equal(back.data, text);
}

static void test_utf8(void **state)
{
	(void)state;
	assert_true(text_is_utf8("", 0));
	assert_true(text_is_utf8("aé€\xf0\x9f\x98\x80", 10));
	assert_false(text_is_utf8("\xc3", 1));
	assert_false(text_is_utf8("a\x80", 2));
	assert_false(text_is_utf8("\xed\xa0\x80", 3));
	assert_false(text_is_utf8("\xf4\x90\x80\x80", 4));
	assert_true(text_is_utf8("\0", 1));
}

static void test_letters_stay(void **state)
{
	(void)state;
	assert_visible("", "", "");
	assert_visible("plain text, {\"x\": 1}!", "plain text, {\"x\": 1}!",
		       "plain text, {\"x\": 1}!");
	assert_visible("Jürgen", "Jürgen", "J\\u00FCrgen");
	assert_visible("Иван 李 ひ", "Иван 李 ひ",
		       "\\u0418\\u0432\\u0430\\u043D \\u674E \\u3072");
	assert_visible("ok \xf0\x9f\x98\x80", "ok \xf0\x9f\x98\x80", "ok \\U0001F600");
	assert_visible("e\xcc\x81", "e\xcc\x81", "e\\u0301");
}

static void test_unseen(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "a\nb\rc\td", "a\\nb\\rc\\td" },
		{ "\\", "\\\\" },
		{ "\\u0041", "\\\\u0041" },
		{ "\x01\x1b[2J\x7f", "\\u0001\\u001B[2J\\u007F" },
		{ "\xc2\x85\xc2\x9b", "\\u0085\\u009B" },
		{ "\xe2\x80\xaekooc", "\\u202Ekooc" },
		{ "a\xc2\xad"
		  "b",
		  "a\\u00ADb" },
		{ "\xe2\x80\x8b\xe2\x80\x8d\xef\xbb\xbf", "\\u200B\\u200D\\uFEFF" },
		{ "\xc2\xa0\xe2\x80\x83\xe3\x80\x80\xe1\x9a\x80",
		  "\\u00A0\\u2003\\u3000\\u1680" },
		{ "\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029" },
		{ "\xee\x80\x80", "\\uE000" },
		{ "\xcd\x8f", "\\u034F" },
		{ "\xe3\x85\xa4\xe1\x85\x9f", "\\u3164\\u115F" },
		{ "\xef\xb8\x8f", "\\uFE0F" },
		{ "\xe2\xa0\x80", "\\u2800" },
		{ "\xf3\xa0\x80\x81\xf3\xa0\x81\x81", "\\U000E0001\\U000E0041" },
		{ "\xf3\xa0\x84\x80", "\\U000E0100" },
		{ "\xcd\xb8\xef\xbf\xbf", "\\u0378\\uFFFF" },
		{ "\xf4\x80\x80\x80", "\\U00100000" },
		{ "\xd8\x9c", "\\u061C" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_visible(cases[i].text, cases[i].shown, cases[i].shown);
}

/* Bytes that are no UTF-8 are the caller's fault, and draw nothing even so. */
static void test_bad_bytes(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	(void)state;
	text_visible(&sb, "a\xff\xe2\x82", 4);
	assert_string_equal(sb.data, "a\\uFFFD\\uFFFD\\uFFFD");
	strbuf_clear(&sb);
	text_visible(&sb, "a\0b", 3);
	assert_string_equal(sb.data, "a\\u0000b");
}

/* Every character that there is comes back, and its visible form has nothing unseen. */
static void test_every_character(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	for (uint32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 7) {
		_cleanup_strbuf_ struct strbuf raw = STRBUF_INIT, shown = STRBUF_INIT;
		_cleanup_strbuf_ struct strbuf again = STRBUF_INIT, back = STRBUF_INIT;
		char bytes[4];
		if (c >= 0xD800 && c <= 0xDFFF)
			continue;
		size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
		for (size_t i = 0; i < n; i++)
			bytes[i] =
				(char)((i ? 0x80 : lead[n]) |
				       (c >> (6 * (n - 1 - i)) &
					(i || n == 1 ? (n == 1 ? 0x7F : 0x3F) : 0x3F)));
		strbuf_add(&raw, bytes, n);
		assert_true(text_is_utf8(raw.data, raw.length));
		text_visible(&shown, raw.data, raw.length);
		assert_true(text_unescape(&back, shown.data, shown.length, &err));
		assert_int_equal(back.length, n);
		assert_memory_equal(back.data, bytes, n);
		if (c != '\\' && shown.data[0] != '\\')
			text_visible(&again, shown.data, shown.length);
		if (again.length)
			assert_string_equal(again.data, shown.data);
	}
}

/* Marks that pile up, enclose, or stand on nothing would draw over their neighbours. */
static void test_marks(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "a\xcc\x81\xcc\x82", "a\xcc\x81\xcc\x82" },
		{ "a\xcc\x81\xcc\x82\xcc\x83\xcc\x84",
		  "a\xcc\x81\xcc\x82\\u0303\\u0304" },
		{ "\xcc\x81z", "\\u0301z" },
		{ "a\xe2\x80\x8b\xcc\x81", "a\\u200B\\u0301" },
		{ "a\xe2\x83\x9d", "a\\u20DD" },
		{ "\\\xcc\x81", "\\\\\\u0301" },
		{ "\n\xcc\x81", "\\n\\u0301" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf v = STRBUF_INIT, back = STRBUF_INIT;
		struct error err = ERROR_INIT;

		text_visible(&v, cases[i].text, strlen(cases[i].text));
		assert_string_equal(v.data, cases[i].shown);
		assert_true(text_unescape(&back, v.data, v.length, &err));
		assert_string_equal(back.data, cases[i].text);
	}
}

static void test_clusters(void **state)
{
	static const struct {
		const char *text;
		size_t first;
	} cases[] = {
		{ "", 0 },
		{ "ab", 1 },
		{ "e\xcc\x81x", 3 },
		{ "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8x", 9 },
		{ "\xe0\xa4\x95\xe0\xa4\xbex", 6 },
		{ "\xff\xff", 1 },
		{ "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(text_cluster(cases[i].text, strlen(cases[i].text)),
				 cases[i].first);
}

static void test_unescape_refused(void **state)
{
	static const char *const bad[] = { "\\",          "a\\",         "\\x41",
					   "\\u12",       "\\u12G4",     "\\ud800",
					   "\\uDFFF",     "\\U00000041", "\\U0000FFFF",
					   "\\U00110000", "\\U0010FFF",  "\\U",
					   "\\u",         "\\\"",        "\\a",
					   "\\\\\\",      "\\N" };
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	strbuf_add_string(&sb, "kept");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (text_unescape(&sb, bad[i], strlen(bad[i]), &err))
			fail_msg("'%s' was accepted", bad[i]);
		testing_error(&err, ERR_INVALID_ARGUMENT, "escape at byte");
		assert_string_equal(sb.data, "kept");
	}
	assert_true(text_unescape(&sb, "\\u00e9\\U0001f600", 16, &err));
	assert_string_equal(sb.data, "kepté\xf0\x9f\x98\x80");
}

static void test_fold(void **state)
{
	static const char *const same[][2] = {
		{ "Jürgen", "jurgen" },
		{ "JURGEN", "jurgen" },
		{ "Ju\xcc\x88rgen", "jurgen" },
		{ "O'Brien", "obrien" },
		{ "O’Brien", "obrien" },
		{ "Łukasz", "lukasz" },
		{ "Søren Æble", "soren aeble" },
		{ "Straße", "strasse" },
		{ "ＡＢＣ", "abc" },
		{ "ﬁle", "file" },
		{ "Ελλάδα", "ελλαδα" },
		{ "Семён", "семен" },
		{ "がか", "がか" },
		{ "한국", "한국" },
		{ "Nguyễn", "nguyen" },
		{ "a\xc2\xad"
		  "b",
		  "ab" },
		{ "", "" },
		{ "İstanbul Iğdır", "istanbul igdir" },
	};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		_cleanup_strbuf_ struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;
		assert_true(text_fold(&once, same[i][0], strlen(same[i][0]), &err));
		assert_string_equal(once.data, same[i][1]);
		assert_true(text_fold(&twice, once.data, once.length, &err));
		assert_string_equal(twice.data, once.data);
	}
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	assert_false(text_fold(&sb, "\xff", 1, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "UTF-8");
	assert_true(text_fold(&sb, "A\0B", 3, &err));
	assert_int_equal(sb.length, 3);
}

static void test_fold_case(void **state)
{
	static const char *const same[][2] = {
		{ "John.DOE", "john.doe" },     { "MÜLLER", "müller" },
		{ "mu\xcc\x88ller", "müller" }, { "Straße", "strasse" },
		{ "ΣΊΣΥΦΟΣ", "σίσυφοσ" },       { "", "" },
	};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		assert_true(text_fold_case(&sb, same[i][0], strlen(same[i][0]), &err));
		assert_string_equal(sb.data, same[i][1]);
	}
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	/* What only looks like letters is not made into them. */
	assert_true(text_fold_case(&sb, "ｊｏ", strlen("ｊｏ"), &err));
	assert_string_equal(sb.data, "ｊｏ");
	assert_false(text_fold_case(&sb, "\xff", 1, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "UTF-8");
}

static void test_host_ascii(void **state)
{
	static const struct {
		const char *host, *ascii;
	} hosts[] = {
		{ "docs.x.com", "docs.x.com" },
		{ "B\xC3\xBC"
		  "cher.Example",
		  "xn--bcher-kva.example" },
		{ "d\xD0\xBE"
		  "cs.x.com",
		  "xn--dcs-sed.x.com" },
		{ "xn--dcs-sed.x.com", "xn--dcs-sed.x.com" },
		{ "a\xE3\x80\x82"
		  "b",
		  "a.b" },
		{ "a b.x", NULL },
		{ "xn--\xC3\xBC.x", NULL },
		{ "a_b\xC3\xBC.x", NULL },
		{ "\xFF.x", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		const bool good =
			text_host_ascii(&sb, hosts[i].host, strlen(hosts[i].host));

		assert_int_equal(good, hosts[i].ascii != NULL);
		assert_string_equal(sb.data, good ? hosts[i].ascii : "");
	}
}

static void test_scripts(void **state)
{
	static const struct {
		const char *text;
		unsigned scripts;
	} cases[] = {
		{ "", 0 },
		{ "12 .-", 0 },
		{ "john", TEXT_LATIN },
		{ "Søren", TEXT_LATIN },
		{ "Иван", TEXT_CYRILLIC },
		{ "Ωμέγα", TEXT_GREEK },
		{ "m\xd0\xb0rk", TEXT_LATIN | TEXT_CYRILLIC },
		{ "Ωmega", TEXT_LATIN | TEXT_GREEK },
		{ "李 Li", TEXT_LATIN },
		{ "\xff", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(text_scripts(cases[i].text, strlen(cases[i].text)),
				 cases[i].scripts);
}

static void test_columns(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
	} cases[] = {
		{ "", 0 },     { "abc", 3 },
		{ "é", 1 },    { "e\xcc\x81", 1 },
		{ "李明", 4 }, { "ＡＢ", 4 },
		{ "ｱ", 1 },    { "\xf0\x9f\x98\x80", 2 },
		{ "한", 2 },   { "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 2 },
		{ "Иван", 4 }, { "\xe2\x80\x8b", 0 },
		{ "\xff", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(text_columns(cases[i].text, strlen(cases[i].text)),
				 cases[i].columns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_letters_stay),
		cmocka_unit_test(test_unseen),
		cmocka_unit_test(test_bad_bytes),
		cmocka_unit_test(test_every_character),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_clusters),
		cmocka_unit_test(test_unescape_refused),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_fold_case),
		cmocka_unit_test(test_host_ascii),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
