/* The edges of what is no address of the public internet. */
#include "link/http/http_address.h"

#include "base/testing.h"

static void public_ones(void **state)
{
	static const char *const rows[] = {
		"1.0.0.0",         "9.255.255.255",   "11.0.0.0",       "100.63.255.255",
		"100.128.0.0",     "126.255.255.255", "128.0.0.0",      "169.253.255.255",
		"169.255.0.0",     "172.15.255.255",  "172.32.0.0",     "192.0.1.0",
		"192.167.255.255", "192.169.0.0",     "198.17.255.255", "198.20.0.0",
		"223.255.255.255", "2606:4700::1",    "2001:200::1",    "2a00::1",
		"2003::1",         "3ffe:ffff::1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!http_address_is_public(rows[i]))
			fail_msg("%s is refused", rows[i]);
}

static void others(void **state)
{
	static const char *const rows[] = {
		"0.0.0.0",
		"0.255.255.255",
		"10.0.0.0",
		"10.255.255.255",
		"100.64.0.0",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.255",
		"169.254.169.254",
		"172.16.0.0",
		"172.31.255.255",
		"192.0.0.1",
		"192.0.2.1",
		"192.168.0.0",
		"192.168.255.255",
		"198.18.0.0",
		"198.19.255.255",
		"198.51.100.1",
		"203.0.113.1",
		"224.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::ffff:1.1.1.1",
		"::ffff:127.0.0.1",
		"64:ff9b::a00:1",
		"fc00::1",
		"fdff::1",
		"fe80::1",
		"fe80::1%lo",
		"ff02::1",
		"2001::1",
		"2001:1ff::1",
		"2001:db8::1",
		"2002:a00:1::",
		"3fff::1",
		"",
		"localhost",
		"1.2.3",
		"01.2.3.4.5",
		" 1.2.3.4",
	};

	(void)state;
	assert_false(http_address_is_public(NULL));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (http_address_is_public(rows[i]))
			fail_msg("%s is taken", rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_ones),
		cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
