/* A day's tokens, and a person's: asked for, booked, kept, begun anew at midnight UTC; shared
 * by all who have the store, of each kind. */
#include "assistant/budget/budget.h"

#include "link/coordination/testing_redis.h"

static const int64_t day_ms = 24 * 3600 * 1000;
static const int64_t noon = INT64_C(1764000000) * 1000 / (24 * 3600 * 1000) *
				    (24 * 3600 * 1000) +
			    12 * 3600 * 1000;

struct fixture {
	char folder[TESTING_PATH_BYTES], path[TESTING_PATH_BYTES + 16];
	struct documents *documents;
	struct coordination *coordination;
	struct redis_server redis;
	struct error err;
};

static int setup(void **state, const char *name)
{
	struct fixture *f = calloc(1, sizeof *f);

	testing_folder(f->folder);
	(void)snprintf(f->path, sizeof f->path, "%s/%s", f->folder, name);
	*state = f;
	return 0;
}

static int setup_documents(void **state)
{
	struct fixture *f;

	setup(state, "x.db");
	f = *state;
	f->documents = documents_open_sqlite(f->path, &f->err);
	testing_no_error(&f->err);
	return 0;
}

static int setup_embedded(void **state)
{
	struct fixture *f;

	setup(state, "store.db");
	f = *state;
	f->coordination = coord_open_sqlite(f->path, &f->err);
	testing_no_error(&f->err);
	return 0;
}

static int setup_redis(void **state)
{
	struct fixture *f;

	setup(state, "none");
	f = *state;
	redis_server_start(&f->redis);
	f->coordination = redis_server_open(&f->redis, f->redis.port, "t", 1000, &f->err);
	testing_no_error(&f->err);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	documents_close(f->documents);
	coord_close(f->coordination);
	redis_server_stop(&f->redis);
	testing_remove(f->folder);
	free(f);
	return 0;
}

static struct budget *make(struct fixture *f, int64_t per_day, int64_t per_person)
{
	const struct budget_options o = { f->documents, f->coordination, per_day,
					  per_person };
	struct budget *b = budget_new(&o, &f->err);

	testing_no_error(&f->err);
	return b;
}

static int64_t used(struct fixture *f, struct budget *b, const char *who, int64_t now_ms)
{
	int64_t n = -1;

	assert_true(budget_used(b, who, now_ms, &n, &f->err));
	return n;
}

static struct budget_share ask(struct fixture *f, struct budget *b, const char *who,
			       size_t bytes)
{
	struct budget_share share;

	if (!budget_ask(b, who, bytes, noon, &share, &f->err))
		fail_msg("'%s' was refused: %s", who, f->err.message);
	return share;
}

static void refused(struct fixture *f, struct budget *b, const char *who, size_t bytes,
		    const char *words)
{
	struct budget_share share;

	assert_false(budget_ask(b, who, bytes, noon, &share, &f->err));
	testing_error(&f->err, ERR_RATE_LIMITED, words);
}

static void a_person_may_use_up_to_the_limit(void **state)
{
	struct fixture *f = *state;
	_cleanup_(budget_freep) struct budget *b = make(f, 1000, 300);
	struct budget_share share = ask(f, b, "alice", 200);

	/* 200 bytes are estimated at 51 tokens. */
	assert_int_equal(share.tokens, 51);
	assert_true(budget_book(b, "alice", &share, 249, noon, &f->err));
	assert_int_equal(used(f, b, "alice", noon), 249);
	assert_int_equal(used(f, b, NULL, noon), 249);
	share = ask(f, b, "alice", 200); /* 300 */
	assert_true(budget_book(b, "alice", &share, 0, noon, &f->err));
	refused(f, b, "alice", 204, "for one person"); /* 301 */
	assert_int_equal(used(f, b, "alice", noon), 249);
	assert_int_equal(used(f, b, NULL, noon), 249);
	(void)ask(f, b, "bob", 204);
}

static void a_day_begins_at_midnight(void **state)
{
	struct fixture *f = *state;
	_cleanup_(budget_freep) struct budget *b = make(f, 1000, 300);
	const int64_t last = noon + day_ms / 2 - 1;
	struct budget_share share;

	assert_true(budget_book(b, "alice", NULL, 280, noon, &f->err));
	assert_false(budget_ask(b, "alice", 80, last, &share, &f->err)); /* 301 */
	error_clear(&f->err);
	assert_true(budget_ask(b, "alice", 76, last, &share, &f->err)); /* 300 */
	/* What began before midnight is of that day, whenever it ends. */
	assert_true(budget_book(b, "alice", &share, 19, last + 1, &f->err));
	assert_int_equal(used(f, b, "alice", last), 299);
	assert_int_equal(used(f, b, "alice", last + 1), 0);
	assert_true(budget_ask(b, "alice", 80, last + 1, &share, &f->err));
}

static void the_day_is_everybodys(void **state)
{
	struct fixture *f = *state;
	_cleanup_(budget_freep) struct budget *b = make(f, 100, 0);
	struct budget_share share = ask(f, b, "alice", 4);

	assert_true(budget_book(b, "alice", &share, 90, noon, &f->err));
	refused(f, b, "bob", 40, "today's budget of 100 tokens is spent");
	(void)ask(f, b, "bob", 36);
	assert_int_equal(used(f, b, "alice", noon), 0); /* nobody's own is limited */
}

static void several_at_once_cannot_each_take_the_last(void **state)
{
	struct fixture *f = *state;
	_cleanup_(budget_freep) struct budget *b = make(f, 100, 60);
	/* another replica, or another terminal */
	_cleanup_(budget_freep) struct budget *other = make(f, 100, 60);
	struct budget_share share;

	(void)ask(f, b, "alice", 196);                      /* 50 */
	refused(f, other, "alice", 40, "for one person");   /* 61 */
	share = ask(f, other, "bob", 196);                  /* 100 in all */
	refused(f, b, "carol", 0, "today's budget of 100"); /* 101 */
	assert_true(budget_book(other, "bob", &share, 0, noon, &f->err));
	(void)ask(f, b, "carol", 0);
	assert_int_equal(used(f, other, NULL, noon), 51);
}

static void what_a_killed_process_took_stays_taken(void **state)
{
	struct fixture *f = *state;
	struct budget *b = make(f, 100, 60);

	(void)ask(f, b, "alice", 196);
	budget_free(b);
	b = make(f, 100, 60);
	refused(f, b, "alice", 40, "for one person");
	budget_free(b);
}

static void it_survives_a_restart_and_old_days_go(void **state)
{
	struct fixture *f = *state;
	struct budget *b = make(f, 100, 100);

	assert_true(budget_book(b, "alice", NULL, 7, noon, &f->err));
	budget_free(b);
	documents_close(f->documents);
	f->documents = documents_open_sqlite(f->path, &f->err);
	b = make(f, 100, 100);
	assert_int_equal(used(f, b, "alice", noon), 7);
	assert_true(budget_sweep(b, noon + BUDGET_KEEP_DAYS * day_ms, &f->err));
	assert_int_equal(used(f, b, "alice", noon), 7);
	assert_true(budget_sweep(b, noon + (BUDGET_KEEP_DAYS + 1) * day_ms, &f->err));
	assert_int_equal(used(f, b, "alice", noon), 0);
	budget_free(b);
}

static void a_restarted_store_has_not_forgotten(void **state)
{
	struct fixture *f = *state;
	struct budget *b = make(f, 100, 60);

	assert_true(budget_book(b, "alice", NULL, 50, noon, &f->err));
	budget_free(b);
	coord_close(f->coordination);
	if (f->redis.pid) {
		redis_server_restart(&f->redis);
		f->coordination =
			redis_server_open(&f->redis, f->redis.port, "t", 1000, &f->err);
	} else {
		f->coordination = coord_open_sqlite(f->path, &f->err);
	}
	testing_no_error(&f->err);
	b = make(f, 100, 60);
	refused(f, b, "alice", 40, "for one person");
	budget_free(b);
}

/* Refused while the store is down, and what was used meanwhile is booked afterwards. */
static void a_store_that_is_down_refuses(void **state)
{
	struct fixture *f = *state;
	_cleanup_(budget_freep) struct budget *b = make(f, 100, 60);
	_cleanup_(budget_freep) struct budget *free_one = make(f, 0, 0);
	struct budget_share share = ask(f, b, "alice", 4), none;
	int64_t spent = 0;

	redis_server_kill(&f->redis);
	assert_false(budget_ask(b, "bob", 4, noon, &none, &f->err));
	testing_error(&f->err, ERR_BACKEND_UNAVAILABLE, NULL);
	error_clear(&f->err);
	assert_false(budget_book(b, "alice", &share, 52, noon, &f->err));
	testing_error(&f->err, ERR_BACKEND_UNAVAILABLE, NULL);
	error_clear(&f->err);
	assert_false(budget_used(b, "alice", noon, &spent, &f->err));
	error_clear(&f->err);
	/* Where nothing is limited nobody asks. */
	assert_true(budget_ask(free_one, "bob", 4, noon, &none, &f->err));
	assert_true(budget_book(free_one, "bob", &none, 52, noon, &f->err));
	redis_server_restart(&f->redis);
	refused(f, b, "alice", 32, "for one person"); /* 61 */
	(void)ask(f, b, "alice", 28);
	assert_int_equal(used(f, b, NULL, noon), 60);
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

static void who_is_nobody_is_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_(budget_freep) struct budget *b = make(f, 100, 60);
	char name[ASSISTANT_NAME_MAX + 2] = { 0 };
	struct budget_share share;

	memset(name, 'a', ASSISTANT_NAME_MAX + 1);
	assert_false(budget_ask(b, name, 0, noon, &share, &f->err));
	testing_error(&f->err, ERR_INVALID_ARGUMENT, NULL);
	error_clear(&f->err);
	assert_false(budget_ask(b, "", 0, noon, &share, &f->err));
	error_clear(&f->err);
	name[ASSISTANT_NAME_MAX] = '\0';
	(void)ask(f, b, name, 0);
	assert_int_equal(used(f, b, name, noon), 1);
	(void)ask(f, b, "\xf0\x9f\x98\x80 / :", 0); /* whatever somebody is called */
}

static void a_record_that_is_none_refuses(void **state)
{
	struct fixture *f = *state;
	_cleanup_(budget_freep) struct budget *b = make(f, 100, 60);
	json_auto_t *odd = json_pack("{s:i}", "tokens", -5);
	struct budget_share share;
	int64_t revision = 0;

	assert_true(documents_put(f->documents, "assistant_budget", "2025-11-24 all", odd,
				  DOCUMENT_NEW, &revision, &f->err));
	assert_false(budget_ask(b, "alice", 0, noon, &share, &f->err));
	testing_error(&f->err, ERR_INTERNAL, "no budget's");
}

int main(void)
{
#define OF_DOCUMENTS(test)                                                               \
	cmocka_unit_test_setup_teardown(test, setup_documents, teardown)
#define EMBEDDED(test) cmocka_unit_test_setup_teardown(test, setup_embedded, teardown)
#define REDIS(test)    cmocka_unit_test_setup_teardown(test, setup_redis, teardown)
#define BOTH(test)     OF_DOCUMENTS(test), EMBEDDED(test)
	enum { ON_REDIS = 6 };
	const struct CMUnitTest tests[] = {
		BOTH(a_person_may_use_up_to_the_limit),
		BOTH(the_day_is_everybodys),
		BOTH(several_at_once_cannot_each_take_the_last),
		BOTH(what_a_killed_process_took_stays_taken),
		BOTH(who_is_nobody_is_refused),
		OF_DOCUMENTS(a_day_begins_at_midnight),
		OF_DOCUMENTS(it_survives_a_restart_and_old_days_go),
		OF_DOCUMENTS(a_record_that_is_none_refuses),
		EMBEDDED(a_restarted_store_has_not_forgotten),
		cmocka_unit_test(a_worker_is_believed_only_upwards),
		/* Where there is one. */
		REDIS(a_person_may_use_up_to_the_limit),
		REDIS(the_day_is_everybodys),
		REDIS(several_at_once_cannot_each_take_the_last),
		REDIS(what_a_killed_process_took_stays_taken),
		REDIS(a_restarted_store_has_not_forgotten),
		REDIS(a_store_that_is_down_refuses),
	};
	size_t count = ARRAY_SIZE(tests) - (redis_server_exists() ? 0 : ON_REDIS);

	return _cmocka_run_group_tests("assistant-budget", tests, count, NULL, NULL);
}
