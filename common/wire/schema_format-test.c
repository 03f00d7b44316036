#include "wire/schema_format.h"

#include "base/testing.h"
#include "wire/schema_uri.h"

struct format_case {
	const char *format;
	const char *text;
	bool wanted;
};

static const struct format_case cases[] = {
	{ "date", "2024-02-29", true },
	{ "date", "2023-02-29", false },
	{ "date", "1900-02-29", false },
	{ "date", "2000-02-29", true },
	{ "date", "2024-13-01", false },
	{ "date", "2024-00-01", false },
	{ "date", "2024-04-31", false },
	{ "date", "2024-1-01", false },
	{ "date", "2024-01-01 ", false },
	{ "date", "", false },
	{ "date-time", "2026-11-22T10:00:00Z", true },
	{ "date-time", "2026-11-22t10:00:00.123456789z", true },
	{ "date-time", "2026-11-22T10:00:00+05:30", true },
	{ "date-time", "2026-11-22 10:00:00Z", false },
	{ "date-time", "2026-11-22T10:00:00", false },
	{ "date-time", "2026-11-22T10:00:00.Z", false },
	{ "date-time", "2026-11-22T24:00:00Z", false },
	{ "date-time", "2026-11-22T10:60:00Z", false },
	{ "date-time", "2026-11-22T10:00:00+24:00", false },
	{ "time", "23:59:60Z", true },
	{ "time", "15:59:60-08:00", true },
	{ "time", "01:29:60+01:30", true },
	{ "time", "22:59:60Z", false },
	{ "time", "10:00:61Z", false },
	{ "duration", "P4DT12H30M5S", true },
	{ "duration", "P1Y2M3D", true },
	{ "duration", "PT36H", true },
	{ "duration", "P2W", true },
	{ "duration", "P", false },
	{ "duration", "PT", false },
	{ "duration", "P1DT", false },
	{ "duration", "P1Y3D", false },
	{ "duration", "P1M2Y", false },
	{ "duration", "P1Y2W", false },
	{ "duration", "P1", false },
	{ "duration", "1D", false },
	{ "email", "joe.bloggs@example.com", true },
	{ "email", "\"joe bloggs\"@example.com", true },
	{ "email", "\"joe@bloggs\"@example.com", true },
	{ "email", "joe@[127.0.0.1]", true },
	{ "email", "joe@[IPv6:::1]", true },
	{ "email", ".joe@example.com", false },
	{ "email", "joe.@example.com", false },
	{ "email", "jo..e@example.com", false },
	{ "email", "joe bloggs@example.com", false },
	{ "email", "joe@example.com\n", false },
	{ "email", "joe@", false },
	{ "email", "@example.com", false },
	{ "email", "j\xc3\xb6@example.com", false },
	{ "idn-email", "j\xc3\xb6@b\xc3\xbc.example", true },
	{ "hostname", "www.example.com", true },
	{ "hostname", "a", true },
	{ "hostname", "-a.example", false },
	{ "hostname", "a-.example", false },
	{ "hostname", "a..b", false },
	{ "hostname", "a.", false },
	{ "hostname", "a_b", false },
	{ "hostname", "", false },
	{ "hostname", "b\xc3\xbc.example", false },
	{ "idn-hostname", "b\xc3\xbc.example", true },
	{ "idn-hostname", "\xe3\x80\xae", false },
	{ "ipv4", "192.168.0.1", true },
	{ "ipv4", "256.0.0.1", false },
	{ "ipv4", "1.2.3", false },
	{ "ipv4", "087.10.0.1", false },
	{ "ipv4", "0x7f.0.0.1", false },
	{ "ipv4", "1.2.3.4\n", false },
	{ "ipv6", "::1", true },
	{ "ipv6", "::ffff:192.168.0.1", true },
	{ "ipv6", "1::2::3", false },
	{ "ipv6", "fe80::1%eth0", false },
	{ "ipv6", "12345::", false },
	{ "uri", "http://user:pw@example.com:80/a?b#c", true },
	{ "uri", "urn:isbn:0451450523", true },
	{ "uri", "http://[::1]/", true },
	{ "uri", "http://[v1.a:b]/", true },
	{ "uri", "mailto:a@b", true },
	{ "uri", "//example.com", false },
	{ "uri", "/a", false },
	{ "uri", "http:// a", false },
	{ "uri", "http://a/%zz", false },
	{ "uri", "http://a/<b>", false },
	{ "uri", "http://a:b/", false },
	{ "uri", "http://[::1/", false },
	{ "uri", "http://[1]/", false },
	{ "uri", "http://a/\xc3\xa9", false },
	{ "uri", "http://a/#b#c", false },
	{ "uri-reference", "", true },
	{ "uri-reference", "a/b?c", true },
	{ "uri-reference", "1a:b", false },
	{ "uri-reference", "\\a", false },
	{ "iri", "http://\xc3\xa9/\xc3\xa9", true },
	{ "iri", "\xc3\xa9", false },
	{ "iri-reference", "\xc3\xa9", true },
	{ "uuid", "2EB8AA08-aa98-11ea-b4aa-73b441d16380", true },
	{ "uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d1638", false },
	{ "uuid", "2eb8aa08aa98-11ea-b4aa-73b441d163800", false },
	{ "uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g", false },
	{ "json-pointer", "/a~1b/~0", true },
	{ "json-pointer", "", true },
	{ "json-pointer", "a", false },
	{ "json-pointer", "/~", false },
	{ "json-pointer", "/~2", false },
	{ "relative-json-pointer", "0#", true },
	{ "relative-json-pointer", "1/a", true },
	{ "relative-json-pointer", "01/a", false },
	{ "relative-json-pointer", "/a", false },
	{ "relative-json-pointer", "0##", false },
	{ "uri-template", "http://a/{b}/{?c,d*,e:3}", true },
	{ "uri-template", "{+a.b,%41_:9999}{;x*}", true },
	{ "uri-template", "it's/{a}", true },
	{ "uri-template", "{a:10000}", false },
	{ "uri-template", "{a.}", false },
	{ "uri-template", "{a,}", false },
	{ "uri-template", "{a*b}", false },
	{ "uri-template", "{%4}", false },
	{ "uri-template", "{", false },
	{ "uri-template", "}", false },
	{ "uri-template", "{b c}", false },
	{ "uri-template", "{}", false },
	{ "uri-template", "{b:0}", false },
	{ "regex", "^a+$", true },
	{ "regex", "^(a", false },
	{ "regex", "\\a", false },
};

static void test_formats(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct format *format = format_find(cases[i].format);

		assert_non_null(format);
		if (format->is_valid(cases[i].text, strlen(cases[i].text)) !=
		    cases[i].wanted)
			fail_msg("%s: '%s'", cases[i].format, cases[i].text);
	}
	assert_null(format_find("zip-code"));
	assert_null(format_find(""));
}

/* What follows a NUL counts. */
static void test_nul_is_in_no_format(void **state)
{
	static const char *const good[] = {
		"date",
		"2024-02-29",
		"time",
		"10:00:00Z",
		"date-time",
		"2026-11-22T10:00:00Z",
		"duration",
		"P1D",
		"email",
		"a@b",
		"hostname",
		"a",
		"ipv4",
		"1.2.3.4",
		"ipv6",
		"::1",
		"uri",
		"a:b",
		"uri-reference",
		"a",
		"uuid",
		"2eb8aa08-aa98-11ea-b4aa-73b441d16380",
		"uri-template",
		"a",
		"relative-json-pointer",
		"1",
		"idn-hostname",
		"a",
		"idn-email",
		"a@b",
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i += 2) {
		const struct format *format = format_find(good[i]);
		size_t length = strlen(good[i + 1]);

		memcpy(text, good[i + 1], length + 1);
		assert_true(format->is_valid(text, length));
		if (format->is_valid(text, length + 1))
			fail_msg("%s with a NUL", good[i]);
	}
}

static void test_lengths(void **state)
{
	char label[64], name[256];

	(void)state;
	memset(label, 'a', sizeof label);
	assert_true(format_is_hostname(label, 63));
	assert_false(format_is_hostname(label, 64));
	for (size_t i = 0; i < sizeof name; i++)
		name[i] = i % 2 ? '.' : 'a';
	assert_true(format_is_hostname(name, 253));
	assert_false(format_is_hostname(name, 255));
}

/* RFC 3986, sections 5.4.1 and 5.4.2. */
static void test_resolution(void **state)
{
	static const char *const pairs[][2] = {
		{ "g:h", "g:h" },
		{ "g", "http://a/b/c/g" },
		{ "./g", "http://a/b/c/g" },
		{ "g/", "http://a/b/c/g/" },
		{ "/g", "http://a/g" },
		{ "//g", "http://g" },
		{ "?y", "http://a/b/c/d;p?y" },
		{ "g?y", "http://a/b/c/g?y" },
		{ ";x", "http://a/b/c/;x" },
		{ "g;x", "http://a/b/c/g;x" },
		{ "", "http://a/b/c/d;p?q" },
		{ ".", "http://a/b/c/" },
		{ "./", "http://a/b/c/" },
		{ "..", "http://a/b/" },
		{ "../", "http://a/b/" },
		{ "../g", "http://a/b/g" },
		{ "../..", "http://a/" },
		{ "../../g", "http://a/g" },
		{ "../../../g", "http://a/g" },
		{ "/./g", "http://a/g" },
		{ "/../g", "http://a/g" },
		{ "g.", "http://a/b/c/g." },
		{ ".g", "http://a/b/c/.g" },
		{ "g..", "http://a/b/c/g.." },
		{ "./../g", "http://a/b/g" },
		{ "./g/.", "http://a/b/c/g/" },
		{ "g/./h", "http://a/b/c/g/h" },
		{ "g/../h", "http://a/b/c/h" },
		{ "g;x=1/../y", "http://a/b/c/y" },
	};
	static const char *const others[][3] = {
		{ "", "a.json", "a.json" },
		{ "x/y.json", "a.json", "x/a.json" },
		{ "urn:x:y", "", "urn:x:y" },
		{ "http://a", "b", "http://a/b" },
		{ "file:///c:/f/g.json", "h.json", "file:///c:/f/h.json" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;

		uri_resolve(&got, "http://a/b/c/d;p?q", pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(got.data, pairs[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;

		uri_resolve(&got, others[i][0], others[i][1], strlen(others[i][1]));
		assert_string_equal(got.data, others[i][2]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_nul_is_in_no_format),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_resolution),
	};

	return cmocka_run_group_tests_name("schema_format", tests, NULL, NULL);
}
