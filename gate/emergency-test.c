/* Break-glass: what counts as down, and what no emergency reaches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#include <cmocka.h>

#include "gate/emergency.h"

static void test_health(void **state)
{
	struct surface_health h = { 0 };
	int64_t t = 1000;

	(void)state;
	assert_int_equal(surface_health_down_ms(&h, t), 0);
	for (; t <= 1000 + EMERGENCY_DOWN_MS; t += EMERGENCY_PROBE_MS)
		surface_health_note(&h, false, t);
	t -= EMERGENCY_PROBE_MS;
	assert_int_equal(surface_health_down_ms(&h, t), EMERGENCY_DOWN_MS);
	/* Nobody looks any more: nothing is known. */
	assert_true(surface_health_down_ms(&h, t + EMERGENCY_GAP_MS) > 0);
	assert_int_equal(surface_health_down_ms(&h, t + EMERGENCY_GAP_MS + 1), 0);
	/* After a gap it counts anew. */
	surface_health_note(&h, false, t + EMERGENCY_GAP_MS + 1);
	assert_int_equal(surface_health_down_ms(&h, t + EMERGENCY_GAP_MS + 1), 0);
	/* One good look ends it. */
	surface_health_note(&h, true, t + EMERGENCY_GAP_MS + 2);
	surface_health_note(&h, false, t + EMERGENCY_GAP_MS + 3);
	assert_int_equal(surface_health_down_ms(&h, t + EMERGENCY_GAP_MS + 10), 7);
}

static void test_never(void **state)
{
	(void)state;
	assert_true(emergency_is_never("gate", "pin_server"));
	assert_true(emergency_is_never("gate", "rotate_key"));
	assert_true(emergency_is_never("gate", "several"));
	assert_true(emergency_is_never("people", "link_identity"));
	assert_true(emergency_is_never("people", "unlink_identity"));
	assert_true(emergency_is_never(NULL, "x"));
	assert_false(emergency_is_never("people", "find_person"));
	assert_false(emergency_is_never("accounts", "block_account"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_health),
		cmocka_unit_test(test_never),
	};

	return cmocka_run_group_tests_name("gate-emergency", tests, NULL, NULL);
}
