#include "wire/httpd_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *const hosts[] = { "wingman.example", "proxy:8443", NULL };
static const char *const origins[] = { "https://console.example", "null", NULL };

static void check_host(const char *host, bool loopback, const char *const *allowed,
		       bool expected)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;

	if (httpd_check_host(host, loopback, allowed, &why) != expected)
		fail_msg("host '%s'", host ? host : "(none)");
	assert_int_equal(why.length > 0, !expected);
	if (!expected)
		assert_non_null(strstr(why.data, "allowed_hosts"));
}

static void hosts_on_loopback(void **state)
{
	static const char *const good[] = {
		"localhost",       "LocalHost:1", "127.0.0.1",
		"127.0.0.1:65535", "[::1]",       "[::1]:8080"
	};
	static const char *const bad[] = {
		"",
		"evil.example",
		"localhost.evil.example",
		"evil.localhost",
		"localhost:",
		"localhost:80:80",
		"localhost:80x",
		"localhost:123456",
		"localhost@evil.example",
		"127.0.0.1.evil.example",
		"[::1",
		"[::1]x",
		"[::1]:",
		"::1",
		"[::2]",
		":80",
		"localhost ",
		"wingman.example",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		check_host(good[i], true, NULL, true);
		check_host(good[i], true, hosts, true);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_host(bad[i], true, NULL, false);
	check_host(NULL, true, NULL, false);
	check_host(NULL, true, hosts, false);
}

static void hosts_of_the_operator(void **state)
{
	(void)state;
	for (int loopback = 0; loopback < 2; loopback++) {
		check_host("wingman.example", loopback, hosts, true);
		check_host("WINGMAN.example:444", loopback, hosts, true);
		check_host("proxy:8443", loopback, hosts, true);
		check_host("proxy:8444", loopback, hosts, false);
		check_host("proxy", loopback, hosts, false);
		check_host("x.wingman.example", loopback, hosts, false);
		check_host("wingman.example.", loopback, hosts, false);
	}
	check_host("localhost", false, hosts, false);
	check_host("anything.example", false, NULL, true);
	check_host(NULL, false, NULL, true);
	check_host(NULL, false, hosts, false);
}

static void origins_are_exact(void **state)
{
	static const struct {
		const char *origin;
		bool listed, unlisted;
	} cases[] = {
		{ NULL, true, true },
		{ "http://localhost", true, true },
		{ "http://localhost:5173", true, true },
		{ "https://127.0.0.1:1", true, true },
		{ "https://[::1]:1", true, true },
		{ "https://console.example", true, false },
		{ "null", true, false },
		{ "", false, false },
		{ "https://console.example:444", false, false },
		{ "http://console.example", false, false },
		{ "https://console.example.evil.example", false, false },
		{ "http://localhost.evil.example", false, false },
		{ "http://localhost:80@evil.example", false, false },
		{ "http://localhost/", false, false },
		{ "http://localhost http://evil.example", false, false },
		{ "ftp://localhost", false, false },
		{ "localhost", false, false },
		{ "file://", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
		if (httpd_check_origin(cases[i].origin, origins, &why) !=
			    cases[i].listed ||
		    httpd_check_origin(cases[i].origin, NULL, &why) != cases[i].unlisted)
			fail_msg("origin '%s'", cases[i].origin);
		if (!cases[i].unlisted)
			assert_non_null(strstr(why.data, "allowed_origins"));
	}
}

static void told_values_are_short_and_plain(void **state)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	char host[2000];

	(void)state;
	memset(host, 'a', sizeof host);
	host[0] = '\n';
	host[1] = (char)0xff;
	host[sizeof host - 1] = '\0';
	assert_false(httpd_check_host(host, true, NULL, &why));
	assert_in_range(why.length, 200, 300);
	assert_non_null(strstr(why.data, "'??aaa"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_on_loopback),
		cmocka_unit_test(hosts_of_the_operator),
		cmocka_unit_test(origins_are_exact),
		cmocka_unit_test(told_values_are_short_and_plain),
	};

	return cmocka_run_group_tests_name("httpd_origin", tests, NULL, NULL);
}
