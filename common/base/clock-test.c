#include "base/clock.h"

#include "base/testing.h"

static void test_clocks(void **state)
{
	(void)state;
	int64_t wall = clock_wall_ms(), mono = clock_mono_ms();
	assert_true(wall > INT64_C(1600000000000));
	assert_true(mono >= 0);
	assert_true(clock_mono_ms() >= mono);
}

static void test_format(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
		const char *text_ms;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z" },
		{ 999, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.999Z" },
		{ INT64_C(951782400123), "2000-02-29T00:00:00Z",
		  "2000-02-29T00:00:00.123Z" },
		{ INT64_C(1795341600000), "2026-11-22T10:00:00Z",
		  "2026-11-22T10:00:00.000Z" },
		{ INT64_C(4107542399000), "2100-02-28T23:59:59Z",
		  "2100-02-28T23:59:59.000Z" },
		{ INT64_C(4107542400000), "2100-03-01T00:00:00Z",
		  "2100-03-01T00:00:00.000Z" },
		{ INT64_C(253402300799999), "9999-12-31T23:59:59Z",
		  "9999-12-31T23:59:59.999Z" },
		{ -1, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z" },
		{ INT64_MAX, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z" },
		{ INT64_MIN, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z" },
	};
	char text[CLOCK_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_string_equal(clock_format(cases[i].ms, text), cases[i].text);
		assert_string_equal(clock_format_ms(cases[i].ms, text), cases[i].text_ms);
	}
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-22T10:00:00Z", INT64_C(1795341600000) },
		{ "2026-11-22t10:00:00z", INT64_C(1795341600000) },
		{ "2026-11-22T12:00:00+02:00", INT64_C(1795341600000) },
		{ "2026-11-21T23:00:00-11:00", INT64_C(1795341600000) },
		{ "2026-11-22T10:00:00-00:00", INT64_C(1795341600000) },
		{ "2026-11-22T10:00:00.1Z", INT64_C(1795341600100) },
		{ "2026-11-22T10:00:00.1239999999Z", INT64_C(1795341600123) },
		{ "2000-02-29T00:00:00Z", INT64_C(951782400000) },
		{ "2016-12-31T23:59:60Z", INT64_C(1483228800000) },
		{ "2016-12-31T15:59:60-08:00", INT64_C(1483228800000) },
		{ "9999-12-31T23:59:59.999Z", INT64_C(253402300799999) },
	};
	static const char *const bad[] = {
		"",
		"2026",
		"2026-11-22",
		"2026-11-22T10:00:00",
		"2026-11-22 10:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-11-31T00:00:00Z",
		"2026-11-00T00:00:00Z",
		"2025-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-11-22T24:00:00Z",
		"2026-11-22T10:60:00Z",
		"2026-11-22T10:00:61Z",
		"2026-11-22T10:00:60Z",
		"2016-12-31T23:59:60+01:00",
		"2026-11-22T10:00Z",
		"2026-11-22T10:00:00.Z",
		"2026-11-22T10:00:00+0200",
		"2026-11-22T10:00:00+24:00",
		"2026-11-22T10:00:00+02:60",
		"2026-11-22T10:00:00Zx",
		"2026-11-22T10:00:00ZZ",
		" 2026-11-22T10:00:00Z",
		"26-11-22T10:00:00Z",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
		"20266-11-22T10:00:00Z",
		"2026-1-22T10:00:00Z",
		"+026-11-22T10:00:00Z",
		"now",
	};
	struct error err = ERROR_INIT;
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(clock_parse(good[i].text, &ms, &err));
		assert_true(ms == good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ms = 42;
		if (clock_parse(bad[i], &ms, &err))
			fail_msg("'%s' was accepted", bad[i]);
		assert_true(ms == 42);
		testing_error(&err, ERR_INVALID_ARGUMENT, "no time");
	}
}

/* Every day of four centuries comes back, and is the day after the one before. */
static void test_calendar(void **state)
{
	struct error err = ERROR_INIT;
	char text[CLOCK_TEXT_BYTES], before[CLOCK_TEXT_BYTES] = "";

	(void)state;
	for (int64_t day = 0; day < 146097; day++) {
		int64_t back, ms = day * INT64_C(86400000) + 86399000;
		clock_format(ms, text);
		assert_true(strcmp(before, text) < 0);
		assert_true(clock_parse(text, &back, &err));
		assert_true(back == ms);
		memcpy(before, text, sizeof text);
	}
	assert_string_equal(text, "2369-12-31T23:59:59Z");
}

static void test_duration(void **state)
{
	static const char *const bad[] = {
		"",   "m",   "0m",  "05m", "-5m",  "+5m",   "5", "5s",
		"5M", "5mm", "5 m", " 5m", "1.5h", "1h30m", "d", "99999999999999999999d"
	};
	struct error err = ERROR_INIT;
	int64_t ms;

	(void)state;
	assert_true(clock_parse_duration("30m", &ms, &err) && ms == 1800000);
	assert_true(clock_parse_duration("8h", &ms, &err) && ms == 28800000);
	assert_true(clock_parse_duration("14d", &ms, &err) && ms == 1209600000);
	assert_true(clock_parse_duration("3650d", &ms, &err) &&
		    ms == INT64_C(315360000000));
	assert_true(clock_parse_duration("5256000m", &ms, &err) &&
		    ms == INT64_C(315360000000));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (clock_parse_duration(bad[i], &ms, &err))
			fail_msg("'%s' was accepted", bad[i]);
		testing_error(&err, ERR_INVALID_ARGUMENT, "duration");
	}
	assert_false(clock_parse_duration("3651d", &ms, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "longer than 3650 days");
	assert_false(clock_parse_duration("5256001m", &ms, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "longer than 3650 days");
}

static void test_relative(void **state)
{
	static const int64_t now = INT64_C(1795341600000);
	static const struct {
		int64_t delta_s;
		const char *text;
	} cases[] = {
		{ 0, "now" },
		{ 1, "in 1 second" },
		{ -1, "1 second ago" },
		{ 59, "in 59 seconds" },
		{ 60, "in 1 minute" },
		{ 240, "in 4 minutes" },
		{ -10800, "3 hours ago" },
		{ 86399, "in 23 hours" },
		{ 86400, "in 1 day" },
		{ -864000, "10 days ago" },
	};
	char text[CLOCK_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(
			clock_relative(now + cases[i].delta_s * 1000, now, text),
			cases[i].text);
	assert_string_equal(clock_relative(INT64_MAX, INT64_MIN, text),
			    "in 2932897 days");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clocks),   cmocka_unit_test(test_format),
		cmocka_unit_test(test_parse),    cmocka_unit_test(test_calendar),
		cmocka_unit_test(test_duration), cmocka_unit_test(test_relative),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
