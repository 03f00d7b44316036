#include "slack/socket/address.h"

#include "base/testing.h"

#include <stdio.h>

static bool reads(const char *url, bool loopback, struct socket_address *a)
{
	struct error err = ERROR_INIT;
	const bool good = socket_address_read(url, loopback, a, &err);

	assert_true(good || err.code == ERR_INVALID_ARGUMENT);
	assert_null(strstr(err.message, "ticket"));
	return good;
}

static void slack_alone_is_dialled(void **state)
{
	static const char *const good[] = {
		"wss://wss-primary.slack.com/link/?ticket=1&app_id=2",
		"wss://wss-primary.slack.com:443/link/?ticket=1",
		"wss://slack.com/?ticket=1",
		"wss://a.b.slack-gov.com/link/?ticket=1",
	};
	static const char *const bad[] = {
		"ws://wss-primary.slack.com/?ticket=1", /* no TLS */
		"ws://wss-primary.slack.com:443/?ticket=1",
		"https://slack.com/?ticket=1",
		"wss://slack.com:8443/?ticket=1",
		"wss://notslack.com/?ticket=1",
		"wss://slack.com.example.test/?ticket=1",
		"wss://.slack.com.example.test/?ticket=1",
		"wss://slack.com@example.test/?ticket=1",
		"wss://example.test/slack.com/?ticket=1",
		"wss://example.test\\.slack.com/?ticket=1",
		"wss://SLACK.COM/?ticket=1", /* Slack does not write so */
		"wss://slack.com",
		"wss://slack.com?ticket=1",
		"wss://slack.com:/?ticket=1",
		"wss://slack.com:0/?ticket=1",
		"wss://slack.com:443443/?ticket=1",
		"wss://slack.com:-443/?ticket=1",
		"wss:///?ticket=1",
		"wss://slack.com/?ticket=1\r\nX-Evil: 1",
		"wss://slack.com/?ticket=1 2",
		"wss://slack.com/?ticket=1#x",
		"wss://slack.com/\x7f",
		"wss://slack.com/\xc3\xa9",
		"wss://127.0.0.1:443/?ticket=1",
		"wss://localhost:443/?ticket=1",
		"",
	};
	struct socket_address a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(reads(good[i], false, &a));
		assert_true(a.is_tls);
		assert_int_equal(a.port, 443);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (reads(bad[i], false, &a))
			fail_msg("taken: %s", bad[i]);
}

static void this_machine_only_where_the_api_is(void **state)
{
	static const char *const good[] = { "ws://127.0.0.1:4650/link/?ticket=1",
					    "ws://localhost:1/", "wss://localhost:65535/",
					    "wss://localhost/", "wss://slack.com/" };
	static const char *const bad[] = {
		"ws://localhost/", /* no port of its own */
		"ws://localhost:65536/", "ws://localhost.test:1/", "ws://127.0.0.2:1/",
		"ws://slack.com:1/",     "ws://192.0.2.1:1/",      "wss://192.0.2.1/"
	};
	struct socket_address a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (!reads(good[i], true, &a))
			fail_msg("refused: %s", good[i]);
		if (i < 2)
			assert_false(reads(good[i], false, &a));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (reads(bad[i], true, &a))
			fail_msg("taken: %s", bad[i]);
}

static void its_parts(void **state)
{
	struct socket_address a = { 0 };

	(void)state;
	assert_true(reads("ws://localhost:4650/link/?ticket=1&x=:/", true, &a));
	assert_false(a.is_tls);
	assert_string_equal(a.host, "localhost");
	assert_int_equal(a.port, 4650);
	assert_string_equal(a.path, "/link/?ticket=1&x=:/");
}

/* A URL of 'length' bytes, and a host of 'host' bytes. */
static bool reads_long(size_t length, size_t host)
{
	static char url[SOCKET_URL_MAX + 16];
	struct socket_address a = { 0 };
	const size_t label = host - strlen(".slack.com");
	const int begin =
		snprintf(url, sizeof url, "wss://%.*s.slack.com/", (int)label,
			 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			 "aaaaaaaaaa");

	for (size_t i = (size_t)begin; i < length; i++)
		url[i] = 'p';
	url[length > (size_t)begin ? length : (size_t)begin] = '\0';
	return reads(url, false, &a);
}

static void lengths(void **state)
{
	(void)state;
	assert_true(reads_long(SOCKET_URL_MAX, 20));
	assert_false(reads_long(SOCKET_URL_MAX + 1, 20));
	assert_true(reads_long(0, SOCKET_HOST_BYTES - 1));
	assert_false(reads_long(0, SOCKET_HOST_BYTES));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(slack_alone_is_dialled),
		cmocka_unit_test(this_machine_only_where_the_api_is),
		cmocka_unit_test(its_parts),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
