/* Direct clients: what the gate says decides, and without a gate nothing runs. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "fixture/mock_gate.h"

#define PUT "{\"key\":\"colour\",\"reason\":\"because\",\"value\":\"red\"}"

static int set_up(void **state)
{
	*state = mock_gate_open("freed_reads: [echo_text]\n"
				"limits: {calls_per_caller: 3, workers: 8}\n");
	return 0;
}

static int tear_down(void **state)
{
	mock_gate_close(*state);
	return 0;
}

static struct answer call(struct mock_gate *m)
{
	return rig_call(&m->rig, m->rig.alice, "put_value", PUT, NULL, NULL);
}

static void a_call_is_registered_and_waits(void **state)
{
	struct mock_gate *m = *state;
	struct error err = ERROR_INIT;

	mock_gate_say(
		m, 200,
		"{\"approval\":\"A-1\",\"state\":\"pending\",\"where\":\"a terminal\","
		"\"retry_after_ms\":1500}");
	_cleanup_answer_ struct answer a = call(m);
	const json_t *error = json_object_get(
		json_object_get(answer_result(&a), "structuredContent"), "error");
	const json_t *details = json_object_get(error, "details");

	assert_string_equal(answer_code(&a), "approval_required");
	assert_non_null(
		strstr(json_get_string(error, "hint"), "wingman approvals show A-1"));
	assert_string_equal(json_get_string(details, "approval"), "A-1");
	assert_string_equal(json_get_string(details, "state"), "pending");
	assert_int_equal(json_get_int64(details, "retry_after_s", 0), 2);
	assert_string_equal(json_get_string(json_object_get(answer_result(&a), "_meta"),
					    META_APPROVAL),
			    "A-1");
	json_auto_t *sent =
		json_parse(m->registered, strlen(m->registered), JSON_CONTRACT, &err);
	assert_int_equal(json_get_int64(sent, "v", 0), 1);
	assert_string_equal(json_get_string(sent, "tool"), "put_value");
	assert_string_equal(json_get_string(sent, "principal"), "alice@example.org");
	assert_non_null(json_get_string(sent, "client"));
	assert_string_equal(json_get_string(json_object_get(sent, "arguments"), "value"),
			    "red");
	assert_string_equal(m->authorization, "Bearer wm_secret");
	assert_int_equal(rig_runs(&m->rig), 0);
}

static void grant_it(struct mock_gate *m, const char *requester)
{
	_cleanup_strbuf_ struct strbuf reply = STRBUF_INIT;

	mock_gate_grant(m, "A-2", requester, PUT, &reply);
	mock_gate_say(m, 200, "%s", reply.data);
}

static void a_grant_is_carried_out_and_reported(void **state)
{
	struct mock_gate *m = *state;
	struct error err = ERROR_INIT;

	grant_it(m, "alice@example.org");
	_cleanup_answer_ struct answer a = call(m);
	assert_string_equal(answer_state(&a), "succeeded");
	assert_null(json_object_get(answer_result(&a), "isError"));
	assert_int_equal(rig_runs(&m->rig), 1);
	json_auto_t *told =
		json_parse(m->outcome, strlen(m->outcome), JSON_CONTRACT, &err);
	assert_string_equal(m->outcome_path, "/approvals/A-2/outcome");
	assert_string_equal(json_get_string(told, "state"), "succeeded");
	assert_true(digest_is_hex(json_get_string(told, "result_digest")));
	assert_string_equal(
		json_get_string(json_object_get(told, "server_head"), "program"),
		"fixture");
	/* The same grant once more runs nothing. */
	_cleanup_answer_ struct answer again = call(m);
	assert_string_equal(answer_code(&again), "approval_invalid");
	assert_int_equal(rig_runs(&m->rig), 1);
	/* Repeated after it ended: the recorded outcome, to the same person alone. */
	mock_gate_say(m, 200, "{\"approval\":\"A-2\",\"state\":\"succeeded\"}");
	_cleanup_answer_ struct answer later = call(m);
	assert_true(
		json_equal(json_object_get(answer_result(&later), "structuredContent"),
			   json_object_get(answer_result(&a), "structuredContent")));
	assert_int_equal(rig_runs(&m->rig), 1);
}

static void a_grant_for_somebody_else(void **state)
{
	struct mock_gate *m = *state;

	grant_it(m, "dave@example.org");
	_cleanup_answer_ struct answer a = call(m);
	assert_string_equal(answer_code(&a), "approval_invalid");
	assert_non_null(strstr(m->outcome, "\"refused\""));
	assert_int_equal(rig_runs(&m->rig), 0);
}

/* A used grant that comes for another person does not tell what became of it. */
static void an_outcome_is_told_to_who_asked(void **state)
{
	struct mock_gate *m = *state;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct grant g = rig_grant(&m->rig, "get_route", "{}");

	assert_true(grant_sign(&word, &g, m->rig.key, &err));
	mock_gate_say(m, 200,
		      "{\"approval\":\"%s\",\"state\":\"granted\",\"grant\":\"%s\"}",
		      g.id, word.data);
	_cleanup_answer_ struct answer first =
		rig_call(&m->rig, m->rig.alice, "get_route", "{}", NULL, NULL);
	assert_string_equal(answer_state(&first), "succeeded");
	_cleanup_answer_ struct answer same =
		rig_call(&m->rig, m->rig.alice, "get_route", "{}", NULL, NULL);
	assert_string_equal(answer_code(&same), "approval_invalid");
	assert_non_null(strstr(same.text, "\"outcome\""));
	_cleanup_answer_ struct answer other =
		rig_call(&m->rig, m->rig.bob, "get_route", "{}", NULL, NULL);
	assert_string_equal(answer_code(&other), "approval_invalid");
	assert_null(strstr(other.text, "\"outcome\""));
	assert_null(strstr(other.text, "succeeded"));
}

/* A read has no state that would give it away; the grant itself must be for the caller. */
static void a_read_granted_to_somebody_else(void **state)
{
	static const char *const requesters[] = { "dave@example.org",
						  "alice@example.org" };
	struct mock_gate *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(requesters); i++) {
		_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
		struct error err = ERROR_INIT;
		struct grant g = rig_grant(&m->rig, "get_route", "{}");

		(void)snprintf(g.requester, sizeof g.requester, "%s", requesters[i]);
		assert_true(grant_sign(&word, &g, m->rig.key, &err));
		mock_gate_say(
			m, 200,
			"{\"approval\":\"%s\",\"state\":\"granted\",\"grant\":\"%s\"}",
			g.id, word.data);
		_cleanup_answer_ struct answer a =
			rig_call(&m->rig, m->rig.alice, "get_route", "{}", NULL, NULL);
		assert_string_equal(answer_code(&a), i == 0 ? "approval_invalid" : "");
		assert_string_equal(answer_state(&a), i == 0 ? "" : "succeeded");
	}
}

static void states_and_what_they_mean(void **state)
{
	static const struct {
		const char *state, *code;
	} rows[] = {
		{ "proposed", "approval_required" },
		{ "planned", "approval_required" },
		{ "approved", "approval_required" },
		{ "granted", "approval_required" },
		{ "executing", "conflict" },
		{ "succeeded", "conflict" },
		{ "failed", "conflict" },
		{ "unknown", "conflict" },
		{ "denied", "permission_denied" },
		{ "expired", "permission_denied" },
		{ "superseded", "permission_denied" },
		{ "cancelled", "permission_denied" },
		{ "revoked", "permission_denied" },
		{ "lapsed", "permission_denied" },
		{ "refused", "permission_denied" },
		{ "happy", "backend_unavailable" },
		{ "", "backend_unavailable" },
		{ "e", "backend_unavailable" },
	};
	struct mock_gate *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		mock_gate_say(m, 200, "{\"approval\":\"A-3\",\"state\":\"%s\"}",
			      rows[i].state);
		_cleanup_answer_ struct answer a = call(m);
		if (strcmp(answer_code(&a), rows[i].code) != 0)
			print_message("# %s: %s\n", rows[i].state, a.text);
		assert_string_equal(answer_code(&a), rows[i].code);
	}
	assert_int_equal(rig_runs(&m->rig), 0);
}

static void odd_answers_run_nothing(void **state)
{
	static const struct {
		unsigned status;
		const char *reply, *code;
	} rows[] = {
		{ 200, "", "backend_unavailable" },
		{ 200, "[]", "backend_unavailable" },
		{ 200, "{}", "backend_unavailable" },
		{ 200, "{\"approval\":7,\"state\":\"granted\"}", "backend_unavailable" },
		{ 200, "{\"approval\":\"../../x\",\"state\":\"pending\"}",
		  "backend_unavailable" },
		{ 200, "{\"approval\":\"A\",\"state\":\"granted\",\"grant\":\"junk\"}",
		  "approval_invalid" },
		{ 200, "{\"approval\":\"A\",\"state\":\"granted\",\"grant\":7}",
		  "approval_required" },
		{ 500, "{\"approval\":\"A\",\"state\":\"granted\",\"grant\":\"x.y\"}",
		  "backend_unavailable" },
		{ 401, "{}", "backend_unavailable" },
		{ 403, "{}", "backend_unavailable" },
		{ 200, "{\"error\":{\"code\":\"ambiguous\"}}", "ambiguous" },
		{ 422, "{\"error\":{\"code\":\"protected\"}}", "protected" },
		{ 200, "{\"error\":{\"code\":\"no such code\"}}", "backend_unavailable" },
		{ 200, "{\"error\":{\"code\":\"none\"}}", "backend_unavailable" },
	};
	struct mock_gate *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		mock_gate_say(m, rows[i].status, "%s", rows[i].reply);
		_cleanup_answer_ struct answer a = call(m);
		if (strcmp(answer_code(&a), rows[i].code) != 0)
			print_message("# %s: %s\n", rows[i].reply, a.text);
		assert_string_equal(answer_code(&a), rows[i].code);
		assert_true(json_is_true(json_object_get(answer_result(&a), "isError")));
	}
	assert_int_equal(rig_runs(&m->rig), 0);
}

/* A read that is freed here is asked of the gate all the same, where there is one. */
static void a_freed_read_wants_the_gate(void **state)
{
	struct mock_gate *m = *state;

	mock_gate_say(m, 200, "{\"approval\":\"A-4\",\"state\":\"pending\"}");
	_cleanup_answer_ struct answer a = rig_call(&m->rig, m->rig.bob, "echo_text",
						    "{\"text\":\"x\"}", NULL, NULL);
	assert_string_equal(answer_code(&a), "approval_required");
}

static void a_gate_that_is_gone(void **state)
{
	struct mock_gate *m = *state;

	httpd_stop(TAKE(m->httpd), 0);
	_cleanup_answer_ struct answer a = call(m);
	assert_string_equal(answer_code(&a), "backend_unavailable");
	assert_int_equal(rig_runs(&m->rig), 0);
}

static void *call_slowly(void *argument)
{
	struct answer a = call(argument);

	answer_done(&a);
	return NULL;
}

/* Three wait for a slow gate; the fourth of the same client is told to come back. */
static void calls_of_one_client_have_a_number(void **state)
{
	struct mock_gate *m = *state;
	pthread_t threads[3];

	mock_gate_say(m, 200, "{\"approval\":\"A-5\",\"state\":\"pending\"}");
	m->delay_ms = 500;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_slowly, m), 0);
	(void)usleep(200 * 1000);
	_cleanup_answer_ struct answer a = call(m);
	assert_string_equal(answer_code(&a), "rate_limited");
	/* Another client is served. */
	_cleanup_answer_ struct answer other = rig_call(&m->rig, m->rig.bob, "echo_text",
							"{\"text\":\"x\"}", NULL, NULL);
	assert_string_equal(answer_code(&other), "approval_required");
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	m->delay_ms = 0;
	_cleanup_answer_ struct answer later = call(m);
	assert_string_equal(answer_code(&later), "approval_required");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_call_is_registered_and_waits),
		TEST(a_grant_is_carried_out_and_reported),
		TEST(a_grant_for_somebody_else),
		TEST(an_outcome_is_told_to_who_asked),
		TEST(a_read_granted_to_somebody_else),
		TEST(states_and_what_they_mean),
		TEST(odd_answers_run_nothing),
		TEST(a_freed_read_wants_the_gate),
		TEST(a_gate_that_is_gone),
		TEST(calls_of_one_client_have_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
