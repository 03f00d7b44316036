/* What a server does by itself: soon, again and again, and no more once it stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/testing.h"
#include "fixture/fixture.h"
#include "fixture/rig.h"

enum { PATIENCE_MS = 20000 };

/* Of the one test that runs; a server's context is the fixture's own. */
static atomic_int ticks, inside, overlaps, stopped_inside;
static atomic_bool is_slow;
static atomic_llong last_ms;

static void count_tick(void *context, const struct mcp_tick *tick)
{
	struct error err = ERROR_INIT;

	assert_non_null(context);
	if (atomic_fetch_add(&inside, 1) != 0)
		atomic_fetch_add(&overlaps, 1);
	atomic_store(&last_ms, tick->now_ms);
	(void)audit_append(tick->audit, "fixture.ticked", json_object(), NULL, &err);
	testing_no_error(&err);
	while (atomic_load(&is_slow) && !atomic_load(tick->stopping))
		(void)usleep(1000);
	if (atomic_load(tick->stopping))
		atomic_fetch_add(&stopped_inside, 1);
	atomic_fetch_sub(&inside, 1);
	atomic_fetch_add(&ticks, 1);
}

static void wait_for(const atomic_int *what, int least)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (atomic_load(what) < least) {
		assert_true(clock_mono_ms() < until_ms);
		(void)usleep(1000);
	}
}

static struct mcp_server ticking(unsigned every_ms)
{
	struct mcp_server server = fixture_server;

	server.tick = count_tick;
	server.tick_ms = every_ms;
	return server;
}

static void start(struct rig *rig, const struct mcp_server *server)
{
	struct error err = ERROR_INIT;

	rig->service = mcp_service_prepare(server, rig->dir, &err);
	testing_no_error(&err);
	assert_int_equal(atomic_load(&ticks), 0); /* no thread yet: the sandbox comes */
	assert_true(mcp_service_start(rig->service, &err));
}

static void it_ticks_until_it_stops(void **state)
{
	const struct mcp_server server = ticking(10);
	struct rig *rig = *state;
	int64_t before_ms = clock_wall_ms();

	start(rig, &server);
	wait_for(&ticks, 5);
	assert_int_equal(atomic_load(&overlaps), 0);
	assert_true(atomic_load(&last_ms) >= before_ms - 1000);
	assert_true(atomic_load(&last_ms) <= clock_wall_ms() + 1000);
	rig_stop(rig);
	int after = atomic_load(&ticks);
	(void)usleep(50 * 1000);
	assert_int_equal(atomic_load(&ticks), after);
	assert_int_equal(rig_count_audit(rig, "fixture.ticked"), after);
}

static void the_first_does_not_wait(void **state)
{
	const struct mcp_server server = ticking(3600 * 1000);
	struct rig *rig = *state;
	int64_t began_ms;

	start(rig, &server);
	wait_for(&ticks, 1);
	/* Nor does stopping wait for the second. */
	began_ms = clock_mono_ms();
	rig_stop(rig);
	assert_true(clock_mono_ms() - began_ms < PATIENCE_MS);
	assert_int_equal(atomic_load(&ticks), 1);
}

static void a_tick_is_told_to_stop_and_waited_for(void **state)
{
	const struct mcp_server server = ticking(1);
	struct rig *rig = *state;

	atomic_store(&is_slow, true);
	start(rig, &server);
	wait_for(&inside, 1);
	rig_stop(rig);
	assert_int_equal(atomic_load(&stopped_inside), 1);
	assert_int_equal(atomic_load(&inside), 0);
	assert_int_equal(atomic_load(&ticks), 1);
}

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	rig_open(rig);
	*state = rig;
	atomic_store(&ticks, 0);
	atomic_store(&inside, 0);
	atomic_store(&stopped_inside, 0);
	atomic_store(&is_slow, false);
	return 0;
}

static int tear_down(void **state)
{
	rig_close(*state);
	free(*state);
	return 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_ticks_until_it_stops),
		TEST(the_first_does_not_wait),
		TEST(a_tick_is_told_to_stop_and_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
