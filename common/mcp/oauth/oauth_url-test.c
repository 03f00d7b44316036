/* Which URLs are taken, and where their metadata is. */
#include "mcp/oauth/oauth_url.h"

#include "base/testing.h"

static void good_ones(void **state)
{
	static const struct {
		const char *url, *origin, *path;
		bool has_query;
	} rows[] = {
		{ "https://a.example", "https://a.example", "", false },
		{ "https://a.example/", "https://a.example", "/", false },
		{ "https://a.example:8443/x/y", "https://a.example:8443", "/x/y", false },
		{ "https://a.example?x=1", "https://a.example", "?x=1", true },
		{ "https://a.example/x?y", "https://a.example", "/x?y", true },
		{ "https://[2001:db8::1]:1/x", "https://[2001:db8::1]:1", "/x", false },
		{ "http://localhost/x", "http://localhost", "/x", false },
		{ "http://127.0.0.1:65535/x", "http://127.0.0.1:65535", "/x", false },
		{ "http://127.255.0.9", "http://127.255.0.9", "", false },
		{ "http://[::1]:8/x", "http://[::1]:8", "/x", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		struct http_url u;

		if (!oauth_url_read(rows[i].url, &u, &err))
			fail_msg("%s: %s", rows[i].url, err.message);
		assert_int_equal(u.origin_bytes, strlen(rows[i].origin));
		assert_string_equal(u.path, rows[i].path);
		assert_int_equal(u.has_query, rows[i].has_query);
		assert_int_equal(u.is_https, rows[i].url[4] == 's');
	}
}

static void bad_ones(void **state)
{
	static const char *const rows[] = {
		"",
		"https://",
		"https:///x",
		"https://:80",
		"https://?x",
		"HTTPS://a.example",
		"ftp://a.example",
		"file:///etc/passwd",
		"//a.example",
		"a.example",
		" https://a.example",
		"https://a.example/x y",
		"https://a.example/\"x",
		"https://a.example/\\x",
		"https://a.example/\r\nX: y",
		"https://a.example/\xc3\xa4",
		"https://a.example#x",
		"https://a.example/x#",
		"https://u@a.example",
		"https://u:p@a.example/",
		"https://a%2eexample/",
		"https://a.example:",
		"https://a.example:0",
		"https://a.example:65536",
		"https://a.example:080",
		"https://a.example:8x",
		"https://a.example:-1",
		"https://a.example:1:2",
		"https://[::1",
		"https://[::1]x",
		"https://a[::1]",
		"https://a]b/",
		"http://a.example",
		"http://127.0.0.1.example",
		"http://127.1",
		"http://0x7f000001",
		"http://2130706433",
		"http://0177.0.0.1",
		"http://128.0.0.1",
		"http://0.0.0.0",
		"http://[::]",
		"http://[::ffff:127.0.0.1]",
		"http://localhost.example",
		"http://LOCALHOST",
		"http://127.0.0.1@evil.example",
	};
	char url[OAUTH_URL_MAX + 16];
	struct http_url u;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;

		if (oauth_url_read(rows[i], &u, &err))
			fail_msg("was taken: %s", rows[i]);
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	}
	for (int extra = 0; extra < 2; extra++) {
		struct error err = ERROR_INIT;

		(void)snprintf(url, sizeof url, "https://a.example/%0*d",
			       OAUTH_URL_MAX + extra - (int)strlen("https://a.example/"),
			       0);
		assert_int_equal(oauth_url_read(url, &u, &err), !extra);
	}
}

static void where_metadata_is(void **state)
{
	static const struct {
		const char *url, *before, *behind;
	} rows[] = {
		{ "https://a.example", "https://a.example/.well-known/w",
		  "https://a.example/.well-known/w" },
		{ "https://a.example/", "https://a.example/.well-known/w",
		  "https://a.example/.well-known/w" },
		{ "https://a.example:1/t/x", "https://a.example:1/.well-known/w/t/x",
		  "https://a.example:1/t/x/.well-known/w" },
		{ "https://a.example/t/", "https://a.example/.well-known/w/t",
		  "https://a.example/t/.well-known/w" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf before = STRBUF_INIT, behind = STRBUF_INIT;

		oauth_url_well_known(&before, rows[i].url, "w");
		oauth_url_well_known_behind(&behind, rows[i].url, "w");
		assert_string_equal(before.data, rows[i].before);
		assert_string_equal(behind.data, rows[i].behind);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(where_metadata_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
