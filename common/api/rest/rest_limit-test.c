/* When a vendor may be asked again. */
#include "api/rest/rest_limit.h"

#include "base/testing.h"

static void a_bucket_is_closed_until_its_time(void **state)
{
	struct rest_limits l;

	(void)state;
	rest_limits_init(&l);
	assert_int_equal(rest_limits_wait(&l, "a", 100), 0);
	rest_limits_close(&l, "a", 500);
	assert_int_equal(rest_limits_wait(&l, "a", 100), 400);
	assert_int_equal(rest_limits_wait(&l, "b", 100), 0);
	rest_limits_close(&l, "a", 300);
	assert_int_equal(rest_limits_wait(&l, "a", 100), 400);
	assert_int_equal(rest_limits_wait(&l, "a", 500), 0);
	assert_int_equal(rest_limits_longest(&l, 100), 400);
	rest_limits_done(&l);
}

static void the_earliest_is_forgotten_for_a_new_one(void **state)
{
	struct rest_limits l;
	char name[16];

	(void)state;
	rest_limits_init(&l);
	for (int i = 0; i < REST_LIMIT_BUCKETS_MAX; i++) {
		(void)snprintf(name, sizeof name, "b%d", i);
		rest_limits_close(&l, name, 1000 + i);
	}
	assert_int_equal(rest_limits_wait(&l, "b0", 0), 1000);
	rest_limits_close(&l, "new", 5000);
	assert_int_equal(rest_limits_wait(&l, "b0", 0), 0);
	assert_int_equal(rest_limits_wait(&l, "b1", 0), 1001);
	assert_int_equal(rest_limits_wait(&l, "new", 0), 5000);
	rest_limits_done(&l);
}

static void turns_are_taken_within_a_patience(void **state)
{
	struct rest_limits l;

	(void)state;
	rest_limits_init(&l);
	assert_int_equal(rest_limits_take_write(&l, 1000, 50, 0), 0);
	assert_int_equal(rest_limits_take_write(&l, 1000, 50, 999), -1);
	assert_int_equal(rest_limits_take_write(&l, 1000, 50, 1000), 1000);
	assert_int_equal(rest_limits_take_write(&l, 1000, 50, 5000), 2000);
	assert_int_equal(rest_limits_take_write(&l, 1000, 9000, 0), 0);
	assert_int_equal(rest_limits_take_write(&l, 0, 9000, 0), 0);
	rest_limits_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_is_closed_until_its_time),
		cmocka_unit_test(the_earliest_is_forgotten_for_a_new_one),
		cmocka_unit_test(turns_are_taken_within_a_patience),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
