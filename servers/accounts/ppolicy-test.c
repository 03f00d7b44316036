#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "servers/accounts/ppolicy.h"

#define NOW INT64_C(1795341600000) /* 2026-11-22T10:00:00Z */
enum { MINUTE = 60 * 1000 };

static void test_time(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "20261122100000Z", NOW },
		{ "20261122100000.5Z", NOW },
		{ "20261122100000.123456Z", NOW },
		{ "19700101000001Z", 1000 },
	};
	static const char *const bad[] = {
		"",
		"Z",
		"20261122100000",
		"20261122100000.Z",
		"2026112210000Z",
		"202611221000000Z",
		"20261322100000Z",
		"20261122100000Z ",
		"20261122100000+0100",
		"2026112210000xZ",
		PPOLICY_LOCKED_FOR_EVER,
	};
	int64_t ms = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct error err = ERROR_INIT;

		assert_true(ppolicy_parse_time(good[i].text, &ms, &err));
		assert_true(ms == good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = ERROR_INIT;

		if (ppolicy_parse_time(bad[i], &ms, &err))
			fail_msg("accepted '%s'", bad[i]);
	}
}

static void test_judge(void **state)
{
	const struct ppolicy obeys = { .found = true,
				       .lockout = true,
				       .duration_ms = 15 * MINUTE };
	const struct ppolicy for_ever = { .found = true, .lockout = true };
	const struct ppolicy ignores = { .found = true }, none = { 0 };
	const struct {
		const char *lock;
		const struct ppolicy *policy;
		enum account_state state;
		bool permanent, obeyed;
		int64_t until_ms;
	} cases[] = {
		{ "", &obeys, ACCOUNT_ACTIVE, false, true, 0 },
		{ "", &none, ACCOUNT_ACTIVE, false, false, 0 },
		{ PPOLICY_LOCKED_FOR_EVER, &obeys, ACCOUNT_BLOCKED, true, true, 0 },
		{ PPOLICY_LOCKED_FOR_EVER, &ignores, ACCOUNT_ACTIVE, false, false, 0 },
		{ PPOLICY_LOCKED_FOR_EVER, &none, ACCOUNT_ACTIVE, false, false, 0 },
		/* Ten minutes ago, for fifteen. */
		{ "20261122095000Z", &obeys, ACCOUNT_BLOCKED, false, true,
		  NOW + 5 * MINUTE },
		{ "20261122095000Z", &for_ever, ACCOUNT_BLOCKED, false, true, 0 },
		{ "20261122094500Z", &obeys, ACCOUNT_ACTIVE, false, true, 0 },
		{ "20261122094501Z", &obeys, ACCOUNT_BLOCKED, false, true, NOW + 1000 },
		{ "20261122095000Z", &ignores, ACCOUNT_ACTIVE, false, false, 0 },
		/* The future is no lock yet. */
		{ "20261122100001Z", &for_ever, ACCOUNT_ACTIVE, false, true, 0 },
		{ "nonsense", &obeys, ACCOUNT_UNKNOWN, false, true, 0 },
		{ "012345678901234567890123456789012345678901234567890123456789012345678"
		  "9",
		  &obeys, ACCOUNT_UNKNOWN, false, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf detail = STRBUF_INIT;
		struct account a = { 0 };

		ppolicy_judge(cases[i].lock, cases[i].policy, NOW, &a, &detail);
		if (a.state != cases[i].state || a.permanent != cases[i].permanent ||
		    a.obeyed != cases[i].obeyed || a.until_ms != cases[i].until_ms)
			fail_msg("case %zu: '%s'", i, cases[i].lock);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_judge),
	};

	return cmocka_run_group_tests_name("ppolicy", tests, NULL, NULL);
}
