#include "slack/verify/replay.h"

#include "base/testing.h"

static bool take(struct slack_replay *r, unsigned number, int64_t now_s,
		 struct error *err)
{
	return slack_replay_take(r, &number, sizeof number, now_s, err);
}

static void test_once(void **state)
{
	_cleanup_(slack_replay_freep) struct slack_replay *r = slack_replay_new(4);
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(take(r, 1, 1000, &err));
	assert_true(take(r, 2, 1000, &err));
	assert_false(take(r, 1, 1000, &err));
	testing_error(&err, ERR_CONFLICT, "before");
	/* To the last second in which its signature could be taken. */
	assert_false(take(r, 1, 1000 + SLACK_REPLAY_S, &err));
	testing_error(&err, ERR_CONFLICT, "before");
	assert_true(take(r, 1, 1000 + SLACK_REPLAY_S + 1, &err));
}

static void test_full(void **state)
{
	_cleanup_(slack_replay_freep) struct slack_replay *r = slack_replay_new(3);
	struct error err = ERROR_INIT;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(take(r, i, 1000 + i, &err));
	assert_false(take(r, 3, 1010, &err));
	testing_error(&err, ERR_RATE_LIMITED, NULL);
	for (unsigned i = 0; i < 3; i++) {
		assert_false(take(r, i, 1010, &err));
		testing_error(&err, ERR_CONFLICT, NULL);
	}
	assert_true(take(r, 3, 1000 + SLACK_REPLAY_S + 1, &err));
	assert_false(take(r, 4, 1000 + SLACK_REPLAY_S + 1, &err));
	testing_error(&err, ERR_RATE_LIMITED, NULL);
}

/* What could not be taken may come once more, until its signature ends. */
static void test_forgotten(void **state)
{
	_cleanup_(slack_replay_freep) struct slack_replay *r = slack_replay_new(2);
	const unsigned numbers[] = { 1, 7 };
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(take(r, 1, 1000, &err));
	slack_replay_forget(r, &numbers[1], sizeof numbers[1]); /* never taken */
	assert_false(take(r, 1, 1000, &err));
	testing_error(&err, ERR_CONFLICT, NULL);
	for (int i = 0; i < 3; i++) {
		slack_replay_forget(r, &numbers[0], sizeof numbers[0]);
		assert_true(take(r, 1, 1001, &err));
		assert_false(take(r, 1, 1001, &err));
		testing_error(&err, ERR_CONFLICT, NULL);
	}
	/* It takes no other place in the ring, and leaves when it would have left. */
	assert_true(take(r, 2, 1001, &err));
	assert_false(take(r, 3, 1000 + SLACK_REPLAY_S, &err));
	testing_error(&err, ERR_RATE_LIMITED, NULL);
	slack_replay_forget(r, &numbers[0], sizeof numbers[0]);
	assert_true(take(r, 3, 1000 + SLACK_REPLAY_S + 1, &err));
}

static void test_clock_that_goes_back(void **state)
{
	_cleanup_(slack_replay_freep) struct slack_replay *r = slack_replay_new(4);
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(take(r, 1, 5000, &err));
	assert_true(take(r, 2, 1000, &err));
	assert_false(take(r, 1, 1000, &err));
	testing_error(&err, ERR_CONFLICT, NULL);
	assert_false(take(r, 2, 5000 + SLACK_REPLAY_S, &err));
	testing_error(&err, ERR_CONFLICT, NULL);
}

/* Against a list that forgets nothing. */
static void test_many(void **state)
{
	enum { CAPACITY = 97, NUMBERS = 300 };
	_cleanup_(slack_replay_freep) struct slack_replay *r = slack_replay_new(CAPACITY);
	int64_t taken_s[NUMBERS] = { 0 }, now_s = 10000;
	uint64_t seed = 88172645463325252U;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct error err = ERROR_INIT;
		size_t live = 0;

		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		now_s += (int64_t)(seed >> 60);
		for (size_t n = 0; n < NUMBERS; n++)
			live += taken_s[n] && taken_s[n] + SLACK_REPLAY_S >= now_s;
		unsigned number = (unsigned)((seed >> 20) % NUMBERS);
		bool is_live = taken_s[number] &&
			       taken_s[number] + SLACK_REPLAY_S >= now_s;
		bool ok = take(r, number, now_s, &err);
		assert_int_equal(ok, !is_live && live < CAPACITY);
		if (ok)
			taken_s[number] = now_s;
	}
}

static void test_sizes(void **state)
{
	(void)state;
	assert_null(slack_replay_new(0));
	assert_null(slack_replay_new((size_t)SLACK_REPLAY_MAX + 1));
	slack_replay_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_clock_that_goes_back),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests_name("slack-replay", tests, NULL, NULL);
}
