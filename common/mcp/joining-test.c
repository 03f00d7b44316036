/* Which store a process has, as it tells its gate: what it says, how often, and what a no means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/testing.h"
#include "fixture/fixture.h"
#include "fixture/mock_gate.h"
#include "mcp/serving.h"

#define STORE   "store-of-this-one"
#define ANOTHER "another-store"

enum { JOINED_MS = 10 * 1000, REFUSED_MS = 5000, AGAIN_MS = 1000, THREADS = 8 };

/* A process that is nothing but what joining.c asks of it: no thread of its own tells. */
struct lone {
	struct mock_gate *gate;
	char url[64];
	struct mcp_service service;
};

static int set_up(void **state)
{
	struct lone *l = calloc(1, sizeof *l);
	struct mcp_service *s = &l->service;
	struct error err = ERROR_INIT;

	assert_non_null(l);
	l->gate = mock_gate_open("");
	rig_stop(&l->gate->rig);
	l->gate->stores = 0;
	(void)snprintf(l->url, sizeof l->url, "http://127.0.0.1:%u/",
		       httpd_port(l->gate->httpd));
	_cleanup_free_ char *path = statedir_path(l->gate->rig.dir, "lone.db");
	s->server = &fixture_server;
	s->config.gate_url = l->url;
	s->gate_token = secret_new("wm_secret", 9);
	s->http = http_client_new("lone", &err);
	s->store = coord_open_sqlite(path, &err);
	testing_no_error(&err);
	joining_init(&s->joining);
	*state = l;
	return 0;
}

static int tear_down(void **state)
{
	struct lone *l = *state;

	joining_done(&l->service.joining);
	coord_close(l->service.store);
	http_client_free(l->service.http);
	secret_free(l->service.gate_token);
	mock_gate_close(l->gate);
	free(l);
	return 0;
}

static void say(struct lone *l, unsigned status, const char *reply)
{
	pthread_mutex_lock(&l->gate->lock);
	l->gate->store_status = status;
	l->gate->store_reply = reply;
	pthread_mutex_unlock(&l->gate->lock);
}

static unsigned asked(struct lone *l)
{
	pthread_mutex_lock(&l->gate->lock);
	unsigned count = l->gate->stores;
	pthread_mutex_unlock(&l->gate->lock);
	return count;
}

/* What was said of the store, last. */
static void assert_told(struct lone *l, const char *store, const char *was)
{
	struct error err = ERROR_INIT;
	json_auto_t *told = NULL, *wanted = NULL;

	pthread_mutex_lock(&l->gate->lock);
	told = json_parse(l->gate->store, strlen(l->gate->store), JSON_CONTRACT, &err);
	pthread_mutex_unlock(&l->gate->lock);
	testing_no_error(&err);
	wanted = json_pack("{s:i, s:s}", "v", 1, "store", store);
	if (was)
		(void)json_object_set_new(wanted, "was", json_string(was));
	assert_true(json_equal(told, wanted));
}

static bool check(struct lone *l, const char *store)
{
	struct error err = ERROR_INIT;
	bool good = joining_check(&l->service, store, &err);

	assert_int_equal(good, !error_is_set(&err));
	return good;
}

/* As when that much time has passed: all there is of time in it is when to ask again. */
static void is_due(struct lone *l)
{
	l->service.joining.due_ms = 0;
}

static void assert_due_in(const struct lone *l, int64_t ms)
{
	int64_t left_ms = l->service.joining.due_ms - clock_mono_ms();

	assert_in_range(left_ms + ms, 0, 2 * ms); /* a slow machine takes some of it */
}

/* ---- A yes ---- */

static void it_is_told_once(void **state)
{
	struct lone *l = *state;

	assert_true(check(l, STORE));
	assert_told(l, STORE, NULL);
	assert_string_equal(l->gate->authorization, "Bearer wm_secret");
	assert_true(check(l, STORE));
	assert_int_equal(asked(l), 1);
	/* What the gate agreed to holds for calls; it is the ticker that asks again. */
	is_due(l);
	assert_true(check(l, STORE));
	assert_int_equal(asked(l), 1);
}

static void another_store_is_told_at_once(void **state)
{
	struct lone *l = *state;

	assert_true(check(l, STORE));
	assert_true(check(l, ANOTHER));
	assert_told(l, ANOTHER, STORE);
	assert_int_equal(asked(l), 2);
	assert_true(check(l, STORE));
	assert_told(l, STORE, ANOTHER);
}

/* What the gate never agreed to is not what this process had. */
static void what_was_refused_is_not_what_was(void **state)
{
	struct lone *l = *state;

	say(l, 409, NULL);
	assert_false(check(l, STORE));
	say(l, 200, NULL);
	assert_true(check(l, ANOTHER));
	assert_told(l, ANOTHER, NULL);
}

/* ---- A no ---- */

static void a_no_is_one(void **state)
{
	struct lone *l = *state;
	struct error err = ERROR_INIT;

	say(l, 409, NULL);
	assert_false(joining_check(&l->service, STORE, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_string_equal(err.message, "it has another store");
	assert_non_null(strstr(err.hint, "wingman pin fixture"));
	assert_due_in(l, REFUSED_MS);
	error_clear(&err);
	assert_true(joining_is_refused(&l->service, &err));
	/* Until it is asked again nobody asks, and the answer stands. */
	say(l, 200, NULL);
	assert_false(check(l, STORE));
	assert_int_equal(asked(l), 1);
	is_due(l);
	assert_true(check(l, STORE));
	assert_int_equal(asked(l), 2);
}

static void silence_takes_no_no_back(void **state)
{
	struct lone *l = *state;

	say(l, 409, NULL);
	assert_false(check(l, STORE));
	say(l, 503, "{}");
	is_due(l);
	assert_false(check(l, STORE));
	assert_int_equal(asked(l), 2);
	assert_due_in(l, AGAIN_MS);
	/* It was about that store alone. */
	assert_true(check(l, ANOTHER));
}

/* Agreed to, then refused: somebody else's store is the server's now. */
static void a_yes_may_become_a_no(void **state)
{
	struct lone *l = *state;

	assert_true(check(l, STORE));
	say(l, 409, NULL);
	is_due(l);
	assert_int_equal(joining_tick(&l->service), AGAIN_MS);
	/* The ticker speaks of the store that there is. */
	assert_int_equal(asked(l), 2);
	assert_true(joining_is_refused(&l->service, &(struct error)ERROR_INIT));
}

static void words_of_a_no(void **state)
{
	static const char long_words[] =
		"{\"error\":{\"code\":\"conflict\",\"message\":\""
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"\"}}";
	static const char *const odd[] = {
		"", "no JSON", "[]", "{}", "{\"error\":7}", "{\"error\":{\"message\":7}}"
	};
	struct lone *l = *state;

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		struct error err = ERROR_INIT;

		say(l, 409, odd[i]);
		is_due(l);
		assert_false(joining_check(&l->service, STORE, &err));
		assert_string_equal(err.message,
				    "the gate knows another store of this server");
	}
	struct error err = ERROR_INIT;
	say(l, 409, long_words);
	is_due(l);
	assert_false(joining_check(&l->service, STORE, &err));
	assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

/* ---- No answer ---- */

static void nobody_there_is_no_no(void **state)
{
	static const unsigned odd[] = { 201, 400, 401, 403, 404, 429, 500, 503 };
	struct lone *l = *state;

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		say(l, odd[i], "{}");
		is_due(l);
		assert_true(check(l, STORE));
		assert_int_equal(asked(l), i + 1);
		assert_due_in(l, AGAIN_MS);
		/* Not for every call that comes meanwhile. */
		assert_true(check(l, STORE));
		assert_int_equal(asked(l), i + 1);
	}
	httpd_stop(TAKE(l->gate->httpd), 0);
	is_due(l);
	assert_true(check(l, STORE));
}

static void silence_takes_no_yes_back(void **state)
{
	struct lone *l = *state;
	struct error err = ERROR_INIT;
	char store[DIGEST_ID_BYTES];

	assert_true(coord_identity(l->service.store, store, &err));
	assert_true(check(l, store));
	say(l, 500, "{}");
	is_due(l);
	assert_int_equal(joining_tick(&l->service), AGAIN_MS);
	is_due(l);
	assert_true(check(l, store));
	assert_int_equal(asked(l), 2); /* by the ticker, and not by the call */
}

static void without_a_gate(void **state)
{
	struct lone *l = *state;
	struct http_client *http = TAKE(l->service.http);
	struct error err = ERROR_INIT;

	assert_true(check(l, STORE));
	assert_true(joining_start(&l->service, &err));
	assert_int_equal(joining_tick(&l->service), JOINED_MS);
	assert_int_equal(asked(l), 0);
	l->service.http = http;
}

/* ---- Start and tick ---- */

static void it_starts_where_the_gate_agrees(void **state)
{
	struct lone *l = *state;
	struct error err = ERROR_INIT;
	char store[DIGEST_ID_BYTES];

	assert_true(coord_identity(l->service.store, store, &err));
	say(l, 409, NULL);
	assert_false(joining_start(&l->service, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_told(l, store, NULL);
	error_clear(&err);
	say(l, 200, NULL);
	is_due(l);
	assert_true(joining_start(&l->service, &err));
	assert_due_in(l, JOINED_MS);
	/* Not before it is time. */
	int64_t left_ms = joining_tick(&l->service);
	assert_in_range(left_ms, 1, JOINED_MS);
	assert_int_equal(asked(l), 2);
	is_due(l);
	assert_int_equal(joining_tick(&l->service), AGAIN_MS);
	assert_int_equal(asked(l), 3);
	assert_told(l, store, NULL);
}

static void *check_in_thread(void *argument)
{
	struct lone *l = argument;
	struct error err = ERROR_INIT;

	return (void *)(uintptr_t)joining_check(&l->service, STORE, &err);
}

static void many_at_once(void **state)
{
	struct lone *l = *state;
	pthread_t threads[THREADS];

	say(l, 409, NULL);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, check_in_thread, l),
				 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *good;

		assert_int_equal(pthread_join(threads[i], &good), 0);
		assert_null(good);
	}
	assert_in_range(asked(l), 1, THREADS);
}

/* ---- What a service makes of it ---- */

static void a_service_that_is_refused(void **state)
{
	struct mock_gate *m = mock_gate_open("");
	struct mcp_service *s = m->rig.service;

	(void)state;
	pthread_mutex_lock(&m->lock);
	m->store_status = 409;
	pthread_mutex_unlock(&m->lock);
	pthread_mutex_lock(&s->joining.lock);
	s->joining.due_ms = 0;
	pthread_mutex_unlock(&s->joining.lock);
	(void)joining_tick(s);
	_cleanup_answer_ struct answer ready = rig_get(&m->rig, "/readyz");
	assert_int_equal(ready.status, 503);
	assert_non_null(strstr(ready.text, "it has another store"));
	/* A read has no plan: it is the grant that is refused. */
	struct grant g = rig_grant(&m->rig, "get_route", "{}");
	_cleanup_answer_ struct answer a =
		rig_present(&m->rig, &g, m->rig.key, "{}", NULL);
	assert_string_equal(answer_code(&a), "conflict");
	mock_gate_close(m);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_is_told_once),
		TEST(another_store_is_told_at_once),
		TEST(what_was_refused_is_not_what_was),
		TEST(a_no_is_one),
		TEST(silence_takes_no_no_back),
		TEST(a_yes_may_become_a_no),
		TEST(words_of_a_no),
		TEST(nobody_there_is_no_no),
		TEST(silence_takes_no_yes_back),
		TEST(without_a_gate),
		TEST(it_starts_where_the_gate_agrees),
		TEST(many_at_once),
		cmocka_unit_test(a_service_that_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
