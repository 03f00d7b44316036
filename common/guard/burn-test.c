#include "guard/burn.h"

#include <pthread.h>

#include "base/testing.h"

#define D1 "1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "2222222222222222222222222222222222222222222222222222222222222222"

struct store {
	char folder[TESTING_PATH_BYTES];
	char path[TESTING_PATH_BYTES + 16];
	struct coordination *c;
};

static void reopen(struct store *s)
{
	struct error err = ERROR_INIT;

	coord_close(s->c);
	s->c = coord_open_sqlite(s->path, &err);
	testing_no_error(&err);
}

static int set_up(void **state)
{
	struct store *s = calloc(1, sizeof *s);

	testing_folder(s->folder);
	(void)snprintf(s->path, sizeof s->path, "%s/coord.db", s->folder);
	reopen(s);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct store *s = *state;

	coord_close(s->c);
	testing_remove(s->folder);
	free(s);
	return 0;
}

static struct grant grant(const char *id)
{
	struct grant g = { .server = "accounts",
			   .tool = "block_account",
			   .args = D1,
			   .requester = "alice" };

	(void)snprintf(g.id, sizeof g.id, "%s", id);
	return g;
}

/* Whether it was first; what is known otherwise goes to 'ret_record'. */
static bool start(struct coordination *c, const struct grant *g, json_t **ret_record)
{
	json_auto_t *plan = json_pack("{s:s}", "summary", "block");
	struct error err = ERROR_INIT;
	bool first = false;

	if (!burn_start(c, g, "t-1", plan, 1000, &first, ret_record, &err))
		fail_msg("%s", err.message);
	return first;
}

static void assert_state(struct coordination *c, const char *id, const char *state)
{
	struct error err = ERROR_INIT;
	json_auto_t *record = NULL;

	assert_true(burn_find(c, id, &record, &err));
	if (state)
		assert_string_equal(json_get_string(record, "state"), state);
	else
		assert_null(record);
}

static void test_once(void **state)
{
	struct store *s = *state;
	struct grant g = grant("a1");
	struct error err = ERROR_INIT;
	json_t *record = NULL;

	assert_state(s->c, "a1", NULL);
	assert_true(start(s->c, &g, &record));
	assert_null(record);
	assert_false(start(s->c, &g, &record));
	json_auto_t *expected = json_pack(
		"{s:i, s:s, s:s, s:s, s:s, s:s, s:{s:s}, s:s, s:i}", "v", 1, "id", "a1",
		"tool", "block_account", "requester", "alice", "client", "t-1", "args",
		D1, "plan", "summary", "block", "state", "started", "at", 1000);
	assert_true(json_equal(record, expected));
	json_decref(record);

	json_auto_t *result = json_pack("{s:b}", "blocked", 1);
	assert_true(burn_finish(s->c, "a1", "succeeded", result, 2000, &err));
	assert_false(start(s->c, &g, &record));
	assert_string_equal(json_get_string(record, "state"), "succeeded");
	assert_int_equal(json_get_int64(record, "finished_at", 0), 2000);
	assert_true(json_equal(json_object_get(record, "result"), result));
	json_decref(record);
}

static void test_another_call_with_that_id(void **state)
{
	struct store *s = *state;
	struct grant g = grant("a1");
	json_t *record = NULL;
	struct error err = ERROR_INIT;
	bool first = true;

	assert_true(start(s->c, &g, &record));
	memcpy(g.args, D2, sizeof g.args);
	assert_false(burn_start(s->c, &g, "t-1", NULL, 0, &first, &record, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "another call");
	g = grant("a1");
	(void)snprintf(g.requester, sizeof g.requester, "mallory");
	assert_false(burn_start(s->c, &g, "t-1", NULL, 0, &first, &record, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "another call");
	assert_null(record);
}

static void test_finish_once(void **state)
{
	struct store *s = *state;
	struct grant g = grant("a1");
	struct error err = ERROR_INIT;
	json_t *record = NULL;

	assert_false(burn_finish(s->c, "a1", "failed", NULL, 0, &err));
	testing_error(&err, ERR_NOT_FOUND, "never started");
	assert_true(start(s->c, &g, &record));
	assert_false(burn_finish(s->c, "a1", "started", NULL, 0, &err));
	testing_error(&err, ERR_INTERNAL, "no end");
	assert_true(burn_finish(s->c, "a1", "failed", NULL, 0, &err));
	assert_false(burn_finish(s->c, "a1", "succeeded", NULL, 0, &err));
	testing_error(&err, ERR_CONFLICT, "ended already");
	assert_state(s->c, "a1", "failed");
	assert_false(burn_finish(s->c, "../a", "failed", NULL, 0, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "malformed");
}

static void test_a_result_too_long_is_left_out(void **state)
{
	struct store *s = *state;
	struct error err = ERROR_INIT;
	json_t *record = NULL;

	for (size_t extra = 0; extra <= 1; extra++) {
		const char *id = extra ? "long" : "fits";
		struct grant g = grant(id);
		const size_t length = BURN_RESULT_MAX - 2 + extra; /* and two quotes */
		_cleanup_free_ char *text = calloc(1, length + 1);
		memset(text, 'x', length);
		json_auto_t *result = json_string(text);
		assert_true(start(s->c, &g, &record));
		assert_true(burn_finish(s->c, id, "succeeded", result, 0, &err));
		json_auto_t *known = NULL;
		assert_true(burn_find(s->c, id, &known, &err));
		assert_string_equal(json_get_string(known, "state"), "succeeded");
		assert_int_equal(json_object_get(known, "result") != NULL, extra == 0);
	}
}

struct racer {
	struct coordination *c;
	int firsts;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	char id[16];

	for (int i = 0; i < 20; i++) {
		json_t *record = NULL;
		(void)snprintf(id, sizeof id, "r%d", i);
		struct grant g = grant(id);
		r->firsts += start(r->c, &g, &record);
		json_decref(record);
	}
	return NULL;
}

static void test_of_many_one_is_first(void **state)
{
	struct store *s = *state;
	struct racer racers[8];
	pthread_t threads[8];
	int firsts = 0;

	for (size_t i = 0; i < 8; i++) {
		racers[i] = (struct racer){ .c = s->c };
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		firsts += racers[i].firsts;
	}
	assert_int_equal(firsts, 20);
}

static void count(void *context, const json_t *record)
{
	assert_string_equal(json_get_string(record, "state"), "unknown");
	(*(size_t *)context)++;
}

static void test_recover(void **state)
{
	struct store *s = *state;
	struct grant done = grant("done"), died = grant("died"), too = grant("too");
	struct error err = ERROR_INIT;
	json_t *record = NULL;
	size_t recovered = 99, told = 0;

	/* A result that looks like the text of a started record deceives nobody. */
	json_auto_t *result = json_pack("{s:s}", "state", "started");
	assert_true(start(s->c, &done, &record));
	assert_true(burn_finish(s->c, "done", "succeeded", result, 0, &err));
	assert_true(start(s->c, &died, &record));
	assert_true(start(s->c, &too, &record));
	reopen(s);
	assert_true(burn_recover(s->c, 5000, count, &told, &recovered, &err));
	assert_int_equal(recovered, 2);
	assert_int_equal(told, 2);
	assert_state(s->c, "done", "succeeded");
	assert_state(s->c, "too", "unknown");
	assert_false(start(s->c, &died, &record));
	assert_string_equal(json_get_string(record, "state"), "unknown");
	assert_int_equal(json_get_int64(record, "finished_at", 0), 5000);
	assert_non_null(json_get_string(record, "error"));
	json_decref(record);
	assert_false(burn_finish(s->c, "died", "succeeded", NULL, 0, &err));
	testing_error(&err, ERR_CONFLICT, "ended already");
	assert_true(burn_recover(s->c, 6000, NULL, NULL, &recovered, &err));
	assert_int_equal(recovered, 0);
}

static void test_observe(void **state)
{
	struct store *s = *state;
	struct grant g = grant("a1");
	struct error err = ERROR_INIT;
	json_auto_t *found = NULL;
	json_t *record = NULL;
	size_t recovered = 0;

	assert_false(burn_observe(s->c, "a1", "locked", &err));
	testing_error(&err, ERR_NOT_FOUND, "never started");
	assert_true(start(s->c, &g, &record));
	assert_false(burn_observe(s->c, "a1", "locked", &err));
	testing_error(&err, ERR_CONFLICT, NULL);
	assert_true(burn_recover(s->c, 5000, NULL, NULL, &recovered, &err));
	assert_true(burn_observe(s->c, "a1", "locked", &err));
	/* What was seen is told, and the outcome stays unknown. */
	assert_true(burn_find(s->c, "a1", &found, &err));
	assert_string_equal(json_get_string(found, "state"), "unknown");
	assert_string_equal(json_get_string(json_object_get(found, "result"), "observed"),
			    "locked");
}

static void test_damaged_record_stays_burnt(void **state)
{
	struct store *s = *state;
	struct grant g = grant("a1");
	struct error err = ERROR_INIT;
	json_t *record = NULL;
	bool first = true;

	assert_true(coord_put(s->c, "burn/a1", "{\"state\":\"started\",", 60000, &err));
	assert_false(burn_start(s->c, &g, "t-1", NULL, 0, &first, &record, &err));
	testing_error(&err, ERR_INTERNAL, "damaged");
	size_t recovered = 0;
	assert_false(burn_recover(s->c, 0, NULL, NULL, &recovered, &err));
	testing_error(&err, ERR_INTERNAL, "a1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_once),
		TEST(test_another_call_with_that_id),
		TEST(test_finish_once),
		TEST(test_a_result_too_long_is_left_out),
		TEST(test_of_many_one_is_first),
		TEST(test_recover),
		TEST(test_observe),
		TEST(test_damaged_record_stays_burnt),
	};

	return cmocka_run_group_tests_name("burn", tests, NULL, NULL);
}
