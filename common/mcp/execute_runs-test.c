/* Around the run: plans, outcomes that are unknown, slow calls, freed reads. */
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "mcp/testing_execute.h"

#define PUT_BLUE "{\"key\":\"colour\",\"reason\":\"because\",\"value\":\"blue\"}"

/* ---- Plans ---- */

static struct answer ask_plan(const struct rig *rig, const char *requester,
			      const char *ticket_arguments, const char *arguments)
{
	_cleanup_strbuf_ struct strbuf meta = STRBUF_INIT;

	strbuf_add_string(&meta, ",\"" META_REQUESTER "\":\"");
	rig_ticket(rig, requester, "put_value", ticket_arguments, &meta);
	strbuf_add_char(&meta, '"');
	return rig_call(rig, rig->gate, "put_value", arguments, meta.data, NULL);
}

static void plans_want_a_ticket_for_this_call(void **state)
{
	struct plan_case *c = *state;

	assert_refused(c, rig_call(&c->rig, c->rig.gate, "put_value", PUT, NULL, NULL),
		       "approval_required");
	assert_refused(c, rig_call(&c->rig, c->rig.gate, "echo_text", ECHO, NULL, NULL),
		       "approval_required");
	assert_refused(c, ask_plan(&c->rig, "alice@example.org", PUT_BLUE, PUT),
		       "approval_invalid");
	assert_refused(c, ask_plan(&c->rig, "mallory@example.org", PUT, PUT),
		       "permission_denied");
	assert_refused(c,
		       rig_call(&c->rig, c->rig.gate, "put_value", PUT,
				",\"" META_REQUESTER "\":\"nonsense\"", NULL),
		       "approval_invalid");
}

static void a_plan_that_fails_tells_the_gate_why(void **state)
{
	static const char protected[] =
		"{\"key\":\"protected\",\"reason\":\"because\",\"value\":\"red\"}";
	struct plan_case *c = *state;

	_cleanup_answer_ struct answer a =
		ask_plan(&c->rig, "alice@example.org", protected, protected);
	assert_string_equal(answer_code(&a), "protected");
	assert_null(json_object_get(answer_result(&a), "requestState"));
}

static void plans_have_a_rate(void **state)
{
	struct plan_case *c = *state;
	unsigned limited = 0;

	for (int i = 0; i < 25; i++) {
		_cleanup_answer_ struct answer a =
			ask_plan(&c->rig, "alice@example.org", PUT, PUT);

		if (strcmp(answer_code(&a), "rate_limited") == 0) {
			limited++;
			assert_non_null(strstr(a.text, "retry_after_s"));
		}
	}
	assert_in_range(limited, 1, 5);
	/* Others are not held up by it. */
	_cleanup_answer_ struct answer other =
		ask_plan(&c->rig, "dave@example.org", PUT, PUT);
	assert_string_equal(answer_code(&other), "");
}

/* ---- Outcomes ---- */

static struct answer put(struct plan_case *c, const char *arguments)
{
	free(c->state);
	rig_plan(&c->rig, arguments, &c->grant, &c->state);
	return rig_present(&c->rig, &c->grant, c->rig.key, arguments, c->state);
}

static void unknown_outcomes_are_said(void **state)
{
	struct plan_case *c = *state;

	_cleanup_answer_ struct answer broke = put(
		c, "{\"key\":\"colour\",\"reason\":\"because\",\"value\":\"unknown\"}");
	assert_string_equal(answer_code(&broke), "unknown_outcome");
	assert_string_equal(answer_state(&broke), "unknown");
	/* A write that timed out may have happened. */
	_cleanup_answer_ struct answer late = put(
		c, "{\"key\":\"colour\",\"reason\":\"because\",\"value\":\"timeout\"}");
	assert_string_equal(answer_code(&late), "unknown_outcome");
	assert_string_equal(answer_state(&late), "unknown");
}

struct sleeper {
	pthread_t thread;
	const struct rig *rig;
	struct grant grant;
	bool is_refused;
};

static void *sleep_long(void *argument)
{
	struct sleeper *s = argument;
	struct answer a =
		rig_present(s->rig, &s->grant, s->rig->key, "{\"ms\":1500}", NULL);

	s->is_refused = strcmp(answer_code(&a), "rate_limited") == 0;
	answer_done(&a);
	return NULL;
}

static void a_slow_call_delays_nobody(void **state)
{
	struct plan_case *c = *state;
	struct sleeper sleepers[16];

	for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++) {
		sleepers[i] = (struct sleeper){ .rig = &c->rig };
		sleepers[i].grant = rig_grant(&c->rig, "sleep_for", "{\"ms\":1500}");
		assert_int_equal(pthread_create(&sleepers[i].thread, NULL, sleep_long,
						&sleepers[i]),
				 0);
	}
	(void)usleep(300 * 1000);
	int64_t start_ms = clock_mono_ms();
	_cleanup_answer_ struct answer quick =
		rig_call(&c->rig, c->rig.bob, "echo_text", ECHO, NULL, NULL);
	assert_int_equal(quick.status, 200);
	c->grant = rig_grant(&c->rig, "get_route", "{}");
	_cleanup_answer_ struct answer read =
		rig_present(&c->rig, &c->grant, c->rig.key, "{}", NULL);
	assert_string_equal(answer_state(&read), "succeeded");
	assert_true(clock_mono_ms() - start_ms < 1000);
	for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++)
		pthread_join(sleepers[i].thread, NULL);
}

/* Two workers and one place in the queue: who comes then is told so at once. */
static void a_full_queue_refuses(void **state)
{
	struct plan_case *c = *state;
	struct sleeper sleepers[8];
	unsigned refused = 0;

	rig_stop(&c->rig);
	rig_config(&c->rig, "limits: {workers: 2, queue: 1}\n");
	rig_start(&c->rig);
	for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++) {
		sleepers[i] = (struct sleeper){ .rig = &c->rig };
		sleepers[i].grant = rig_grant(&c->rig, "sleep_for", "{\"ms\":1500}");
		assert_int_equal(pthread_create(&sleepers[i].thread, NULL, sleep_long,
						&sleepers[i]),
				 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++) {
		pthread_join(sleepers[i].thread, NULL);
		refused += sleepers[i].is_refused;
	}
	assert_in_range(refused, 1, 6);
}

/* ---- Freed reads ---- */

enum { READERS = 8, READS = 25 };

struct reader {
	pthread_t thread;
	const struct rig *rig;
	unsigned good;
};

static void *read_often(void *argument)
{
	struct reader *r = argument;

	for (int i = 0; i < READS; i++) {
		struct answer a =
			rig_call(r->rig, r->rig->bob, "echo_text", ECHO, NULL, NULL);
		const json_t *structured =
			json_object_get(answer_result(&a), "structuredContent");
		const char *text = json_get_string(structured, "text");

		r->good += text && strcmp(text, "hi") == 0;
		answer_done(&a);
	}
	return NULL;
}

/* Written together, and yet a line each. */
static void freed_reads_leave_their_lines(void **state)
{
	struct plan_case *c = *state;
	struct reader readers[READERS];

	for (size_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader){ .rig = &c->rig };
		assert_int_equal(
			pthread_create(&readers[i].thread, NULL, read_often, &readers[i]),
			0);
	}
	for (size_t i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		assert_int_equal(readers[i].good, READS);
	}
	assert_int_equal(rig_count_audit(&c->rig, "call.free_read"), READERS * READS);
	/* What does not fit is refused before it leaves one. */
	_cleanup_answer_ struct answer bad =
		rig_call(&c->rig, c->rig.bob, "echo_text", "{}", NULL, NULL);
	assert_string_equal(answer_code(&bad), "invalid_argument");
	assert_int_equal(rig_count_audit(&c->rig, "call.free_read"), READERS * READS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CASE(plans_want_a_ticket_for_this_call),
		WITH_CASE(a_plan_that_fails_tells_the_gate_why),
		WITH_CASE(plans_have_a_rate),
		WITH_CASE(unknown_outcomes_are_said),
		WITH_CASE(a_slow_call_delays_nobody),
		WITH_CASE(a_full_queue_refuses),
		WITH_CASE(freed_reads_leave_their_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
