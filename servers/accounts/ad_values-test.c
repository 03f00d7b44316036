#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "servers/accounts/ad_values.h"

static void test_control(void **state)
{
	static const struct {
		const char *text, *again;
		uint32_t value;
		bool good;
	} cases[] = {
		{ "512", "512", 512, true },
		{ "66050", "66050", 66050, true },
		{ "0", "0", 0, true },
		{ "-2147483136", "-2147483136", UINT32_C(0x80000200), true },
		{ "2147484160", "-2147483136", UINT32_C(0x80000200), true },
		{ "4294967295", "-1", UINT32_MAX, true },
		{ "4294967296", NULL, 0, false },
		{ "-2147483649", NULL, 0, false },
		{ "99999999999999999999", NULL, 0, false },
		{ "", NULL, 0, false },
		{ "-", NULL, 0, false },
		{ "+512", NULL, 0, false },
		{ " 512", NULL, 0, false },
		{ "512 ", NULL, 0, false },
		{ "0x200", NULL, 0, false },
		{ "5-12", NULL, 0, false },
	};
	char text[AD_NUMBER_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t value = 7;

		if (ad_control_parse(cases[i].text, &value) != cases[i].good)
			fail_msg("'%s'", cases[i].text);
		assert_int_equal(value, cases[i].good ? cases[i].value : 7);
		if (cases[i].good)
			assert_string_equal(ad_control_format(value, text),
					    cases[i].again);
	}
}

static void test_time(void **state)
{
	(void)state;
	/* 2026-11-22T10:00:00Z */
	assert_true(ad_time_ms("134397612000000000") == INT64_C(1795287600000));
	assert_true(ad_time_ms("116444736000000000") == 0);
	assert_true(ad_time_ms("116444736000010000") == 1);
	assert_true(ad_time_ms("0") == 0);
	assert_true(ad_time_ms("-1") == 0);
	assert_true(ad_time_ms("9223372036854775807") == 0);
	assert_true(ad_time_ms("9223372036854775808") == 0);
	assert_true(ad_time_ms("") == 0);
	assert_true(ad_time_ms("soon") == 0);
}

static void test_guid(void **state)
{
	static const char hex[] = "00112233445566778899aabbccddeeff";
	static const char guid[] = "33221100-5544-7766-8899-aabbccddeeff";
	static const char *const bad[] = {
		"",
		"33221100",
		"33221100-5544-7766-8899-aabbccddeef",
		"33221100-5544-7766-8899-aabbccddeeff0",
		"33221100-5544-7766-8899-aabbccddeefg",
		"33221100x5544-7766-8899-aabbccddeeff",
		"33221100-5544-7766-8899-AABBCCDDEEFF",
		"33221100>)(x=*7766-8899-aabbccddeeff",
	};
	char text[AD_GUID_BYTES];

	(void)state;
	assert_true(ad_guid_format(hex, text));
	assert_string_equal(text, guid);
	assert_true(ad_guid_parse(guid, text));
	assert_string_equal(text, hex);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (ad_guid_parse(bad[i], text))
			fail_msg("'%s'", bad[i]);
	assert_false(ad_guid_format("00112233445566778899aabbccddeef", text));
	assert_false(ad_guid_format("00112233445566778899aabbccddeeff0", text));
	assert_false(ad_guid_format("00112233445566778899aabbccddeefg", text));
}

static void test_same_name(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "john.doe", "John.DOE", true },
		{ "Zo\xc3\xab", "ZO\xc3\x8b", true },
		{ "Zo\xc3\xab", "Zoe\xcc\x88", true }, /* composed or not */
		{ "Zo\xc3\xab", "Zoe", false },
		{ "M\xc3\xbcller", "Muller", false },
		{ "john", "john ", false },
		{ "john", "joh", false },
		{ "j\xd0\xbehn", "john", false }, /* a Cyrillic o */
		{ "john\xff", "john\xff", false },
		{ "", "", true },
	};
	char longest[1500];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (ad_same_name(cases[i].a, cases[i].b) != cases[i].same)
			fail_msg("'%s' and '%s'", cases[i].a, cases[i].b);
	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_false(ad_same_name(longest, longest));
	longest[1025] = '\0';
	assert_false(ad_same_name(longest, longest));
	longest[1024] = '\0';
	assert_true(ad_same_name(longest, longest));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_guid),
		cmocka_unit_test(test_same_name),
	};

	return cmocka_run_group_tests_name("ad_values", tests, NULL, NULL);
}
