/* A day's tokens, and a person's: asked for, booked, kept, begun anew at midnight UTC. */
#include "assistant/budget/budget.h"

#include "base/testing.h"

static const int64_t day_ms = 24 * 3600 * 1000;
static const int64_t noon = INT64_C(1764000000) * 1000 / (24 * 3600 * 1000) *
				    (24 * 3600 * 1000) +
			    12 * 3600 * 1000;

struct fixture {
	char folder[TESTING_PATH_BYTES], path[TESTING_PATH_BYTES + 16];
	struct documents *documents;
	struct error err;
};

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	testing_folder(f->folder);
	(void)snprintf(f->path, sizeof f->path, "%s/x.db", f->folder);
	f->documents = documents_open_sqlite(f->path, &f->err);
	testing_no_error(&f->err);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	documents_close(f->documents);
	testing_remove(f->folder);
	free(f);
	return 0;
}

static int64_t used(struct fixture *f, struct budget *b, const char *who, int64_t now_ms)
{
	int64_t n = -1;

	assert_true(budget_used(b, who, now_ms, &n, &f->err));
	return n;
}

static void a_person_may_use_up_to_the_limit(void **state)
{
	struct fixture *f = *state;
	_cleanup_(budget_freep) struct budget *b =
		budget_new(f->documents, 1000, 300, &f->err);
	const struct assistant_usage u = { .input = 199, .output = 50 };
	int64_t reserved = 0;

	/* 200 bytes are estimated at 51 tokens. */
	assert_true(budget_ask(b, "alice", 200, noon, &reserved, &f->err));
	assert_int_equal(reserved, 51);
	assert_true(budget_book(b, "alice", reserved, &u, 200, 0, noon, &f->err));
	assert_int_equal(used(f, b, "alice", noon), 249);
	assert_int_equal(used(f, b, NULL, noon), 249);
	assert_true(budget_ask(b, "alice", 200, noon, &reserved, &f->err)); /* 300 */
	assert_true(budget_book(b, "alice", reserved, NULL, 0, 0, noon, &f->err));
	assert_false(budget_ask(b, "alice", 204, noon, &reserved, &f->err)); /* 301 */
	testing_error(&f->err, ERR_RATE_LIMITED, "one person");
	assert_true(budget_ask(b, "bob", 204, noon, &reserved, &f->err));
	/* at midnight all is new */
	assert_true(budget_ask(b, "alice", 204, noon + day_ms, &reserved, &f->err));
	assert_int_equal(used(f, b, "alice", noon + day_ms), 0);
}

static void the_day_is_everybodys(void **state)
{
	struct fixture *f = *state;
	_cleanup_(budget_freep) struct budget *b =
		budget_new(f->documents, 100, 0, &f->err);
	const struct assistant_usage u = { .output = 90 };
	int64_t reserved = 0;

	assert_true(budget_ask(b, "alice", 4, noon, &reserved, &f->err));
	assert_true(budget_book(b, "alice", reserved, &u, 4, 0, noon, &f->err));
	assert_false(budget_ask(b, "bob", 40, noon, &reserved, &f->err));
	testing_error(&f->err, ERR_RATE_LIMITED, "today's budget of 100 tokens is spent");
	assert_true(budget_ask(b, "bob", 36, noon, &reserved, &f->err));
}

static void several_at_once_cannot_each_take_the_last(void **state)
{
	struct fixture *f = *state;
	_cleanup_(budget_freep) struct budget *b =
		budget_new(f->documents, 100, 60, &f->err);
	int64_t first = 0, second = 0, third = 0;

	assert_true(budget_ask(b, "alice", 196, noon, &first, &f->err));  /* 50 */
	assert_false(budget_ask(b, "alice", 40, noon, &second, &f->err)); /* 61 */
	testing_error(&f->err, ERR_RATE_LIMITED, "one person");
	assert_true(budget_ask(b, "bob", 196, noon, &second, &f->err)); /* 100 in all */
	assert_false(budget_ask(b, "carol", 0, noon, &third, &f->err));
	testing_error(&f->err, ERR_RATE_LIMITED, "today's");
	assert_true(budget_book(b, "bob", second, NULL, 0, 0, noon, &f->err));
	assert_true(budget_ask(b, "carol", 0, noon, &third, &f->err));
}

static void it_survives_a_restart_and_old_days_go(void **state)
{
	struct fixture *f = *state;
	struct budget *b = budget_new(f->documents, 0, 0, &f->err);
	const struct assistant_usage u = { .input = 7 };

	assert_true(budget_book(b, "alice", 0, &u, 0, 0, noon, &f->err));
	budget_free(b);
	documents_close(f->documents);
	f->documents = documents_open_sqlite(f->path, &f->err);
	b = budget_new(f->documents, 0, 0, &f->err);
	assert_int_equal(used(f, b, "alice", noon), 7);
	assert_true(budget_sweep(b, noon + BUDGET_KEEP_DAYS * day_ms, &f->err));
	assert_int_equal(used(f, b, "alice", noon), 7);
	assert_true(budget_sweep(b, noon + (BUDGET_KEEP_DAYS + 1) * day_ms, &f->err));
	assert_int_equal(used(f, b, "alice", noon), 0);
	budget_free(b);
}

static void a_worker_is_believed_only_upwards(void **state)
{
	const struct assistant_usage nothing = { 0 }, some = { 10, 20, 100, 5, 1 };

	(void)state;
	assert_int_equal(budget_cost(NULL, 800, 0), 100);
	assert_int_equal(budget_cost(&nothing, 800, 1280), 110);
	assert_int_equal(budget_cost(&some, 0, 0), 45);
	assert_int_equal(budget_cost(&some, 8000, 0), 100); /* cached: a tenth of 1000 */
}

static void a_record_that_is_none_refuses(void **state)
{
	struct fixture *f = *state;
	_cleanup_(budget_freep) struct budget *b =
		budget_new(f->documents, 100, 60, &f->err);
	json_auto_t *odd = json_pack("{s:i}", "tokens", -5);
	int64_t revision = 0, reserved = 0;
	char long_name[ASSISTANT_NAME_MAX + 2] = { 0 };

	memset(long_name, 'a', ASSISTANT_NAME_MAX + 1);
	assert_false(budget_ask(b, long_name, 0, noon, &reserved, &f->err));
	error_clear(&f->err);
	assert_false(budget_ask(b, "", 0, noon, &reserved, &f->err));
	error_clear(&f->err);
	assert_true(documents_put(f->documents, "assistant_budget", "2025-11-24 all", odd,
				  DOCUMENT_NEW, &revision, &f->err));
	assert_false(budget_ask(b, "alice", 0, noon, &reserved, &f->err));
	testing_error(&f->err, ERR_INTERNAL, "no budget's");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_person_may_use_up_to_the_limit, begin,
						end),
		cmocka_unit_test_setup_teardown(the_day_is_everybodys, begin, end),
		cmocka_unit_test_setup_teardown(several_at_once_cannot_each_take_the_last,
						begin, end),
		cmocka_unit_test_setup_teardown(it_survives_a_restart_and_old_days_go,
						begin, end),
		cmocka_unit_test(a_worker_is_believed_only_upwards),
		cmocka_unit_test_setup_teardown(a_record_that_is_none_refuses, begin,
						end),
	};

	return cmocka_run_group_tests_name("assistant-budget", tests, NULL, NULL);
}
