/* Shares of what was counted, to about three percent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bench/histogram.h"

static void check(double got, double wanted)
{
	/* At most one step above it, and never below. */
	if (got < wanted || got > wanted * 1.04 + 1)
		fail_msg("%f, not about %f", got, wanted);
}

static void test_nothing(void **state)
{
	static struct histogram h;

	(void)state;
	assert_true(histogram_at(&h, 0.5) <= 0);
}

static void test_one(void **state)
{
	static const uint64_t values[] = { 0,  1,  31,   32,        33,
					   63, 64, 1000, 123456789, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		static struct histogram h;

		h = (struct histogram){ 0 };
		histogram_add(&h, values[i]);
		check(histogram_at(&h, 0.001), (double)values[i]);
		check(histogram_at(&h, 1), (double)values[i]);
	}
}

static void test_shares(void **state)
{
	static struct histogram h;

	(void)state;
	for (uint64_t i = 1; i <= 100000; i++)
		histogram_add(&h, i);
	check(histogram_at(&h, 0.5), 50000);
	check(histogram_at(&h, 0.99), 99000);
	check(histogram_at(&h, 0.999), 99900);
	histogram_add(&h, 10000000);
	check(histogram_at(&h, 0.99), 99000);
	check(histogram_at(&h, 1), 10000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
