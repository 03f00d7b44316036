#include "guard/limits.h"

#include <pthread.h>

#include "base/testing.h"

/* Takes; returns 0, or after how many milliseconds to try again. */
static int64_t take(struct limiter *l, const char *key, int64_t now_ms)
{
	struct error err = ERROR_INIT;
	int64_t after = 0;

	if (limiter_take(l, key, now_ms, &after, &err)) {
		assert_int_equal(after, 0);
		return 0;
	}
	testing_error(&err, ERR_RATE_LIMITED, "too many calls");
	assert_true(after > 0);
	return after;
}

static void test_burst_and_refill(void **state)
{
	_cleanup_(limiter_freep) struct limiter *l = limiter_new(3, 60);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(l, "alice", 1000), 0);
	assert_int_equal(take(l, "alice", 1000), 1000);
	assert_int_equal(take(l, "alice", 1999), 1);
	assert_int_equal(take(l, "alice", 2000), 0);
	assert_int_equal(take(l, "alice", 2000), 1000);
	/* A long rest brings no more than the burst. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(l, "alice", INT64_MAX), 0);
	assert_int_equal(take(l, "alice", INT64_MAX), 1000);
}

static void test_keys_are_apart(void **state)
{
	_cleanup_(limiter_freep) struct limiter *l = limiter_new(1, 1);

	(void)state;
	assert_int_equal(take(l, "alice", 0), 0);
	assert_int_equal(take(l, "bob", 0), 0);
	assert_int_equal(take(l, "alice", 0), 60000);
	assert_int_equal(take(l, "", 0), 0);
	assert_int_equal(take(l, "", 0), 60000);
}

static void test_retry_after_is_enough(void **state)
{
	_cleanup_(limiter_freep) struct limiter *l = limiter_new(1, 7);
	int64_t now_ms = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(take(l, "alice", now_ms), 0);
		int64_t after = take(l, "alice", now_ms);
		assert_int_equal(take(l, "alice", now_ms + after - 1), 1);
		now_ms += after;
	}
}

static void test_clock_that_stands(void **state)
{
	_cleanup_(limiter_freep) struct limiter *l = limiter_new(1, 60);

	(void)state;
	assert_int_equal(take(l, "alice", 5000), 0);
	assert_int_equal(take(l, "alice", 4000), 1000);
	assert_int_equal(take(l, "alice", 5999), 1);
}

static void test_the_idlest_is_forgotten(void **state)
{
	_cleanup_(limiter_freep) struct limiter *l = limiter_new(1, 1);
	char key[16];

	(void)state;
	for (int i = 0; i < 4096; i++) {
		(void)snprintf(key, sizeof key, "k%d", i);
		assert_int_equal(take(l, key, 0), 0);
	}
	assert_true(take(l, "k0", 0) > 0); /* used again: k1 is the idlest now */
	assert_int_equal(take(l, "new", 0), 0);
	assert_true(take(l, "k0", 0) > 0);
	assert_true(take(l, "k4095", 0) > 0);
	assert_int_equal(take(l, "k1", 0), 0);
	/* Many more keys than entries: every chain is taken apart and built again. */
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(key, sizeof key, "m%d", i);
		assert_int_equal(take(l, key, 0), 0);
		assert_true(take(l, key, 0) > 0);
	}
}

struct racer {
	struct limiter *l;
	int taken;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	struct error err = ERROR_INIT;
	int64_t after;

	for (int i = 0; i < 1000; i++, error_clear(&err))
		r->taken += limiter_take(r->l, "shared", 0, &after, &err);
	return NULL;
}

static void test_threads(void **state)
{
	_cleanup_(limiter_freep) struct limiter *l = limiter_new(1500, 1);
	struct racer racers[4];
	pthread_t threads[4];
	int taken = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		racers[i] = (struct racer){ .l = l };
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		taken += racers[i].taken;
	}
	assert_int_equal(taken, 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_and_refill),
		cmocka_unit_test(test_keys_are_apart),
		cmocka_unit_test(test_retry_after_is_enough),
		cmocka_unit_test(test_clock_that_stands),
		cmocka_unit_test(test_the_idlest_is_forgotten),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
