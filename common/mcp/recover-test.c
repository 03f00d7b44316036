/* Killed at each step: what a restart knows, and that nothing runs twice. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fixture/rig.h"

#define PUT "{\"key\":\"colour\",\"reason\":\"because\",\"value\":\"red\"}"

struct crash {
	struct rig rig;
	struct grant grant;
	char *state;
	pthread_t thread;
	struct answer answer;
};

static int set_up(void **state)
{
	struct crash *c = calloc(1, sizeof *c);

	rig_open(&c->rig);
	/* The kernel of a test machine may lack what production insists on. */
	rig_config(&c->rig, "allow_missing_landlock: true\nallow_missing_seccomp: true\n"
			    "freed_reads: [echo_text]\n");
	assert_true(rig_spawn(&c->rig));
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	struct crash *c = *state;

	rig_close(&c->rig);
	free(c->state);
	free(c);
	return 0;
}

static struct answer present(const struct crash *c)
{
	return rig_present(&c->rig, &c->grant, c->rig.key, PUT, c->state);
}

static void *present_and_be_cut_off(void *argument)
{
	struct answer a = present(argument);

	answer_done(&a);
	return NULL;
}

/* Present the grant, and kill the server when it comes to 'point'. */
static void die_at(struct crash *c, const char *point)
{
	char hold[32], held[32];

	(void)snprintf(hold, sizeof hold, "hold-%s", point);
	(void)snprintf(held, sizeof held, "held-%s", point);
	rig_plan(&c->rig, PUT, &c->grant, &c->state);
	rig_touch(&c->rig, hold);
	assert_int_equal(pthread_create(&c->thread, NULL, present_and_be_cut_off, c), 0);
	rig_wait_for(&c->rig, held);
	rig_kill(&c->rig, SIGKILL);
	pthread_join(c->thread, NULL);
	rig_remove(&c->rig, hold);
}

static void kill_at(struct crash *c, const char *point)
{
	die_at(c, point);
	assert_true(rig_spawn(&c->rig));
}

static void wait_for_audit(const struct crash *c, const char *event)
{
	int64_t until_ms = clock_mono_ms() + 10000;

	while (rig_count_audit(&c->rig, event) == 0) {
		assert_true(clock_mono_ms() < until_ms);
		(void)usleep(5000);
	}
}

/* After the restart the same grant says 'unknown', and what the backend shows. */
static void assert_unknown(struct crash *c, const char *observed)
{
	wait_for_audit(c, "call.observed");
	/* The log comes first, the record a moment later. */
	(void)usleep(100 * 1000);
	_cleanup_answer_ struct answer a = present(c);
	const json_t *details = json_object_get(
		json_object_get(json_object_get(answer_result(&a), "structuredContent"),
				"error"),
		"details");

	assert_string_equal(answer_code(&a), "approval_invalid");
	assert_string_equal(json_get_string(details, "state"), "unknown");
	assert_string_equal(
		json_get_string(json_object_get(details, "outcome"), "observed"),
		observed);
	assert_int_equal(rig_count_audit(&c->rig, "call.unknown"), 1);
}

static void killed_before_the_burn(void **state)
{
	struct crash *c = *state;

	die_at(c, "plan");
	while (clock_wall_ms() / 1000 <= c->grant.iat)
		(void)usleep(20 * 1000);
	assert_true(rig_spawn(&c->rig));
	assert_int_equal(rig_count_audit(&c->rig, "call.started"), 0);
	assert_int_equal(rig_count_audit(&c->rig, "call.unknown"), 0);
	/* Signed before the store began anew: not good any more, whoever presents it; and
	 * the store knows that nobody had. */
	_cleanup_answer_ struct answer a = present(c);
	assert_string_equal(answer_code(&a), "approval_invalid");
	assert_non_null(strstr(a.text, "\"state\":\"void\""));
	assert_int_equal(rig_runs(&c->rig), 0);
}

static void killed_after_the_burn_before_the_act(void **state)
{
	struct crash *c = *state;

	kill_at(c, "run");
	assert_int_equal(rig_count_audit(&c->rig, "call.started"), 1);
	assert_unknown(c, "it did not happen");
	assert_int_equal(rig_runs(&c->rig), 0);
}

static void killed_after_the_act_before_the_answer(void **state)
{
	struct crash *c = *state;

	kill_at(c, "done");
	assert_unknown(c, "it happened");
	assert_int_equal(rig_runs(&c->rig), 1);
	/* Restarted once more: it stays as it is, and is not told anew. */
	rig_kill(&c->rig, SIGKILL);
	assert_true(rig_spawn(&c->rig));
	assert_unknown(c, "it happened");
	assert_int_equal(rig_runs(&c->rig), 1);
}

static void killed_after_the_answer(void **state)
{
	struct crash *c = *state;

	rig_plan(&c->rig, PUT, &c->grant, &c->state);
	_cleanup_answer_ struct answer a = present(c);
	assert_string_equal(answer_state(&a), "succeeded");
	rig_kill(&c->rig, SIGKILL);
	assert_true(rig_spawn(&c->rig));
	_cleanup_answer_ struct answer again = present(c);
	const json_t *details = json_object_get(
		json_object_get(
			json_object_get(answer_result(&again), "structuredContent"),
			"error"),
		"details");
	assert_string_equal(json_get_string(details, "state"), "succeeded");
	assert_int_equal(rig_runs(&c->rig), 1);
	assert_int_equal(rig_count_audit(&c->rig, "call.unknown"), 0);
}

/* SIGTERM: what runs is finished and recorded, and the client hears of it. */
static void a_stop_finishes_what_runs(void **state)
{
	struct crash *c = *state;

	rig_plan(&c->rig, PUT, &c->grant, &c->state);
	rig_touch(&c->rig, "hold-run");
	assert_int_equal(pthread_create(&c->thread, NULL, present_and_be_cut_off, c), 0);
	rig_wait_for(&c->rig, "held-run");
	assert_int_equal(kill(c->rig.pid, SIGTERM), 0);
	(void)usleep(200 * 1000);
	rig_remove(&c->rig, "hold-run");
	pthread_join(c->thread, NULL);
	rig_kill(&c->rig, 0);
	assert_int_equal(rig_runs(&c->rig), 1);
	assert_int_equal(rig_count_audit(&c->rig, "call.finished"), 1);
}

static void a_second_server_on_one_folder_does_not_start(void **state)
{
	struct crash *c = *state;
	struct rig twin = c->rig;

	twin.pid = 0;
	twin.out = -1;
	assert_false(rig_spawn(&twin));
}

/* ---- Nothing can be written: as on a full disk ---- */

static void forbid_growth(const struct crash *c)
{
	const struct rlimit none = { 1, RLIM_INFINITY };

	assert_int_equal(prlimit(c->rig.pid, RLIMIT_FSIZE, &none, NULL), 0);
}

static void allow_growth(const struct crash *c)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	assert_int_equal(prlimit(c->rig.pid, RLIMIT_FSIZE, &all, NULL), 0);
}

static void a_log_that_cannot_be_written_stops_everything(void **state)
{
	struct crash *c = *state;

	rig_plan(&c->rig, PUT, &c->grant, &c->state);
	forbid_growth(c);
	_cleanup_answer_ struct answer a = present(c);
	assert_true(json_is_true(json_object_get(answer_result(&a), "isError")));
	assert_non_null(strstr(a.text, "audit log of this server cannot be written"));
	assert_int_equal(rig_runs(&c->rig), 0);
	_cleanup_answer_ struct answer ready = rig_get(&c->rig, "/readyz");
	assert_int_equal(ready.status, 503);
	_cleanup_answer_ struct answer read = rig_call(&c->rig, c->rig.bob, "echo_text",
						       "{\"text\":\"x\"}", NULL, NULL);
	assert_true(json_is_true(json_object_get(answer_result(&read), "isError")));
	/* Not by itself, even where there is room again: a chain with a hole is none. */
	allow_growth(c);
	_cleanup_answer_ struct answer later = present(c);
	assert_true(json_is_true(json_object_get(answer_result(&later), "isError")));
	assert_int_equal(rig_runs(&c->rig), 0);
	/* Nothing was burned: after a restart a new approval is what it takes. */
	rig_kill(&c->rig, SIGKILL);
	assert_true(rig_spawn(&c->rig));
	free(c->state);
	rig_plan(&c->rig, PUT, &c->grant, &c->state);
	_cleanup_answer_ struct answer again = present(c);
	assert_string_equal(answer_state(&again), "succeeded");
}

static void *present_and_keep(void *argument)
{
	struct crash *c = argument;

	c->answer = present(c);
	return NULL;
}

static void what_happened_is_said_though_it_cannot_be_logged(void **state)
{
	struct crash *c = *state;

	rig_plan(&c->rig, PUT, &c->grant, &c->state);
	rig_touch(&c->rig, "hold-done");
	assert_int_equal(pthread_create(&c->thread, NULL, present_and_keep, c), 0);
	rig_wait_for(&c->rig, "held-done");
	forbid_growth(c);
	rig_remove(&c->rig, "hold-done");
	pthread_join(c->thread, NULL);
	const json_t *outcome = json_object_get(
		json_object_get(answer_result(&c->answer), "_meta"), META_OUTCOME);
	assert_string_equal(answer_state(&c->answer), "succeeded");
	assert_string_equal(json_get_string(outcome, "audit"), "broken");
	assert_null(json_object_get(answer_result(&c->answer), "isError"));
	answer_done(&c->answer);
	/* Everything later is refused. */
	_cleanup_answer_ struct answer later = present(c);
	assert_non_null(strstr(later.text, "cannot be written"));
	/* The record was not ended either: 'unknown' after a restart, and never again. */
	rig_kill(&c->rig, SIGKILL);
	assert_true(rig_spawn(&c->rig));
	_cleanup_answer_ struct answer again = present(c);
	assert_string_equal(answer_code(&again), "approval_invalid");
	assert_int_equal(rig_runs(&c->rig), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(killed_before_the_burn),
		TEST(killed_after_the_burn_before_the_act),
		TEST(killed_after_the_act_before_the_answer),
		TEST(killed_after_the_answer),
		TEST(a_stop_finishes_what_runs),
		TEST(a_second_server_on_one_folder_does_not_start),
		TEST(a_log_that_cannot_be_written_stops_everything),
		TEST(what_happened_is_said_though_it_cannot_be_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
