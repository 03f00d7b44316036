/* The tasks extension over real HTTP: PROTOCOL 7, T-01 to T-10. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "fixture/mock_gate.h"

#define CAN                                                                              \
	",\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{},"           \
	"\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}"
#define CANNOT ",\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}}"
#define PUT    "{\"key\":\"colour\",\"reason\":\"because\",\"value\":\"red\"}"
#define NAME   "\"name\":{\"action\":\"accept\",\"content\":{\"name\":\"Ada\"}}"
#define AGAIN  "\"again\":{\"action\":\"accept\",\"content\":{\"name\":\"Eve\"}}"

/* Without a gate a freed read runs at once. */
static int set_up(void **state)
{
	struct mock_gate *m = calloc(1, sizeof *m);

	rig_open(&m->rig);
	rig_config(&m->rig, "freed_reads: [test_task]\n");
	rig_start(&m->rig);
	*state = m;
	return 0;
}

static int set_up_gate(void **state)
{
	*state = mock_gate_open("");
	return 0;
}

static int tear_down(void **state)
{
	mock_gate_close(*state);
	return 0;
}

/* ---- Speaking ---- */

static struct answer call(struct mock_gate *m, const char *kind, int ms, const char *can)
{
	char params[256];

	(void)snprintf(params, sizeof params,
		       "\"name\":\"test_task\",\"task\":{\"ttl\":1},"
		       "\"arguments\":{\"kind\":\"%s\",\"ms\":%d}",
		       kind, ms);
	return rig_ask(&m->rig, m->rig.alice, "tools/call", "test_task", params, can);
}

static struct answer put(struct mock_gate *m)
{
	return rig_ask(&m->rig, m->rig.alice, "tools/call", "put_value",
		       "\"name\":\"put_value\",\"arguments\":" PUT, CAN);
}

static struct answer about(struct mock_gate *m, const struct secret *who,
			   const char *method, const char *id, const char *more,
			   const char *can)
{
	char params[1024];

	(void)snprintf(params, sizeof params, "\"taskId\":\"%s\"%s", id, more);
	return rig_ask(&m->rig, who, method, id, params, can);
}

static const char *status_of(const struct answer *a)
{
	return json_get_string(answer_result(a), "status") ?: "";
}

static int64_t code_of(const struct answer *a)
{
	return json_get_int64(json_object_get(a->body, "error"), "code", 0);
}

/* The id of the task that this answer makes; to be freed. */
static char *task_of(const struct answer *a)
{
	const json_t *r = answer_result(a);
	const char *id = json_get_string(r, "taskId");

	if (!id)
		fail_msg("no task: %s", a->text);
	assert_string_equal(json_get_string(r, "resultType"), "task");
	assert_string_equal(json_get_string(r, "status"), "working");
	/* T-06 */
	assert_true(json_is_integer(json_object_get(r, "ttlMs")));
	assert_true(json_is_integer(json_object_get(r, "pollIntervalMs")));
	assert_non_null(json_get_string(r, "createdAt"));
	assert_non_null(json_get_string(r, "lastUpdatedAt"));
	assert_null(json_object_get(r, "requestState"));
	assert_null(json_object_get(r, "inputRequests"));
	assert_null(json_object_get(r, "ttl"));
	assert_null(json_object_get(r, "task"));
	assert_true(id && strlen(id) >= 26);
	return id ? strdup(id) : NULL;
}

static struct answer await(struct mock_gate *m, const char *id, const char *status)
{
	int64_t until_ms = clock_mono_ms() + 20000;

	for (;;) {
		struct answer a = about(m, m->rig.alice, "tasks/get", id, "", CAN);

		assert_string_equal(json_get_string(answer_result(&a), "resultType"),
				    "complete");
		if (strcmp(status_of(&a), status) == 0)
			return a;
		if (clock_mono_ms() > until_ms || strcmp(status_of(&a), "working") != 0)
			fail_msg("%s instead of %s", a.text, status);
		answer_done(&a);
		(void)usleep(20000);
	}
}

/* ---- Functions that go on ---- */

static void the_extension_is_advertised(void **state)
{
	struct mock_gate *m = *state;
	_cleanup_answer_ struct answer a =
		rig_ask(&m->rig, m->rig.alice, "server/discover", NULL, "", NULL);
	const json_t *can = json_object_get(answer_result(&a), "capabilities");

	assert_true(json_is_object(json_object_get(json_object_get(can, "extensions"),
						   "io.modelcontextprotocol/tasks")));
	assert_null(json_object_get(can, "tasks"));
}

static void a_task_completes(void **state)
{
	struct mock_gate *m = *state;
	_cleanup_answer_ struct answer a = call(m, "slow", 100, CAN);
	_cleanup_free_ char *id = task_of(&a);
	_cleanup_answer_ struct answer done = await(m, id, "completed");
	const json_t *result = json_object_get(answer_result(&done), "result");

	assert_string_equal(
		json_get_string(json_array_get(json_object_get(result, "content"), 0),
				"text"),
		"Done.");
	assert_true(json_is_false(json_object_get(result, "isError")));
	assert_null(json_object_get(answer_result(&done), "error"));
	/* It stays readable. */
	__attribute__((unused))
	_cleanup_answer_ struct answer again = await(m, id, "completed");
	/* Its result is one of tools/call. */
	json_auto_t *whole =
		json_pack("{s:s, s:i, s:O}", "jsonrpc", "2.0", "id", 1, "result", result);
	json_object_set_new(json_object_get(whole, "result"), "resultType",
			    json_string("complete"));
	assert_true(!m->rig.conform ||
		    conform_response(m->rig.conform, "tools/call", whole));
}

/* T-05 */
static void failures_of_tools_complete(void **state)
{
	struct mock_gate *m = *state;
	_cleanup_answer_ struct answer a = call(m, "fail", 0, CAN);
	_cleanup_free_ char *id = task_of(&a);
	_cleanup_answer_ struct answer done = await(m, id, "completed");
	const json_t *result = json_object_get(answer_result(&done), "result");

	assert_true(json_is_true(json_object_get(result, "isError")));
	_cleanup_answer_ struct answer b = call(m, "protocol", 0, CAN);
	_cleanup_free_ char *other = task_of(&b);
	_cleanup_answer_ struct answer failed = await(m, other, "failed");
	const json_t *error = json_object_get(answer_result(&failed), "error");
	assert_int_equal(json_get_int64(error, "code", 0), 77);
	assert_string_equal(json_get_string(error, "message"), "broken as asked");
	assert_null(json_object_get(answer_result(&failed), "result"));
}

/* T-04 */
static void who_declares_nothing_gets_no_tasks(void **state)
{
	static const char *const methods[] = { "tasks/get", "tasks/update",
					       "tasks/cancel" };
	struct mock_gate *m = *state;

	_cleanup_answer_ struct answer a = call(m, "slow", 10, CANNOT);
	assert_string_equal(json_get_string(answer_result(&a), "resultType"), "complete");
	assert_null(json_object_get(answer_result(&a), "taskId"));
	_cleanup_answer_ struct answer never = call(m, "never", 0, CAN);
	assert_string_equal(json_get_string(answer_result(&never), "resultType"),
			    "complete");
	_cleanup_answer_ struct answer only = call(m, "only", 0, CANNOT);
	assert_int_equal(only.status, 400);
	assert_int_equal(code_of(&only), -32021);
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		_cleanup_answer_ struct answer r =
			about(m, m->rig.alice, methods[i], "x", "", CANNOT);
		const json_t *needed = json_object_get(
			json_object_get(json_object_get(r.body, "error"), "data"),
			"requiredCapabilities");

		assert_int_equal(r.status, 400);
		assert_int_equal(code_of(&r), -32021);
		assert_true(json_is_object(
			json_object_get(json_object_get(needed, "extensions"),
					"io.modelcontextprotocol/tasks")));
	}
	/* A protocol error of a call without a task. */
	_cleanup_answer_ struct answer protocol = call(m, "protocol", 0, CANNOT);
	assert_int_equal(code_of(&protocol), 77);
}

/* T-08 */
static void unknown_tasks_and_those_of_others(void **state)
{
	static const char *const methods[] = { "tasks/get", "tasks/update",
					       "tasks/cancel" };
	struct mock_gate *m = *state;
	_cleanup_answer_ struct answer a = call(m, "slow", 300, CAN);
	_cleanup_free_ char *id = task_of(&a);

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		_cleanup_answer_ struct answer none =
			about(m, m->rig.alice, methods[i], "nope",
			      ",\"inputResponses\":{}", CAN);
		assert_int_equal(code_of(&none), -32602);
		_cleanup_answer_ struct answer bob = about(m, m->rig.bob, methods[i], id,
							   ",\"inputResponses\":{}", CAN);
		assert_int_equal(code_of(&bob), -32602);
	}
	_cleanup_answer_ struct answer done = await(m, id, "completed");
	assert_int_equal(done.status, 200);
	/* T-10 */
	char params[128];
	(void)snprintf(params, sizeof params, "\"taskId\":\"%s\"", id);
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		_cleanup_answer_ struct answer wrong =
			rig_ask(&m->rig, m->rig.alice, methods[i], "else", params, CAN);
		assert_int_equal(code_of(&wrong), -32020);
		_cleanup_answer_ struct answer missing =
			rig_ask(&m->rig, m->rig.alice, methods[i], NULL, params, CAN);
		assert_int_equal(code_of(&missing), -32020);
	}
	/* T-09 */
	_cleanup_answer_ struct answer list =
		rig_ask(&m->rig, m->rig.alice, "tasks/list", NULL, "", CAN);
	assert_int_equal(list.status, 404);
	_cleanup_answer_ struct answer result =
		rig_ask(&m->rig, m->rig.alice, "tasks/result", NULL, params, CAN);
	assert_int_equal(code_of(&result), -32601);
}

static void cancelling_ends_it_once(void **state)
{
	struct mock_gate *m = *state;
	_cleanup_answer_ struct answer a = call(m, "slow", 60000, CAN);
	_cleanup_free_ char *id = task_of(&a);

	for (int i = 0; i < 2; i++) {
		_cleanup_answer_ struct answer c =
			about(m, m->rig.alice, "tasks/cancel", id, "", CAN);
		assert_string_equal(json_get_string(answer_result(&c), "resultType"),
				    "complete");
		assert_null(json_object_get(answer_result(&c), "status"));
	}
	_cleanup_answer_ struct answer done = await(m, id, "cancelled");
	assert_null(json_object_get(answer_result(&done), "result"));
}

/* T-07 */
static void tasks_ask_and_are_answered_in_parts(void **state)
{
	struct mock_gate *m = *state;
	_cleanup_answer_ struct answer a = call(m, "two", 0, CAN);
	_cleanup_free_ char *id = task_of(&a);
	_cleanup_answer_ struct answer asked = await(m, id, "input_required");
	const json_t *requests = json_object_get(answer_result(&asked), "inputRequests");

	assert_int_equal(json_object_size(requests), 2);
	assert_null(json_object_get(answer_result(&asked), "requestState"));
	_cleanup_answer_ struct answer part =
		about(m, m->rig.alice, "tasks/update", id,
		      ",\"inputResponses\":{" NAME ",\"other\":{},\"again\":{}}", CAN);
	assert_string_equal(json_get_string(answer_result(&part), "resultType"),
			    "complete");
	_cleanup_answer_ struct answer half = await(m, id, "input_required");
	requests = json_object_get(answer_result(&half), "inputRequests");
	assert_int_equal(json_object_size(requests), 1);
	assert_non_null(json_object_get(requests, "again"));
	__attribute__((unused)) _cleanup_answer_ struct answer rest =
		about(m, m->rig.alice, "tasks/update", id,
		      ",\"inputResponses\":{" AGAIN "}", CAN);
	_cleanup_answer_ struct answer done = await(m, id, "completed");
	assert_non_null(strstr(done.text, "Ada"));
	_cleanup_answer_ struct answer late = about(m, m->rig.alice, "tasks/update", id,
						    ",\"inputResponses\":{" AGAIN "}",
						    CAN);
	assert_non_null(answer_result(&late));
	_cleanup_answer_ struct answer bad =
		about(m, m->rig.alice, "tasks/update", id, ",\"inputResponses\":[]", CAN);
	assert_int_equal(code_of(&bad), -32602);
}

static void questions_before_the_task(void **state)
{
	struct mock_gate *m = *state;
	_cleanup_answer_ struct answer first = call(m, "early", 0, CAN);
	assert_string_equal(json_get_string(answer_result(&first), "resultType"),
			    "input_required");
	assert_null(json_object_get(answer_result(&first), "taskId"));
	_cleanup_answer_ struct answer second = rig_ask(
		&m->rig, m->rig.alice, "tools/call", "test_task",
		"\"name\":\"test_task\",\"arguments\":{\"kind\":\"early\",\"ms\":0},"
		"\"inputResponses\":{" NAME "}",
		CAN);
	_cleanup_free_ char *id = task_of(&second);
	_cleanup_answer_ struct answer done = await(m, id, "completed");
	assert_non_null(strstr(done.text, "Ada"));
}

static void who_listens_is_told(void **state)
{
	struct mock_gate *m = *state;
	_cleanup_answer_ struct answer a = call(m, "slow", 300, CAN);
	_cleanup_free_ char *id = task_of(&a);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char body[1024], chunk[4096];
	ssize_t n;

	(void)snprintf(
		body, sizeof body,
		"{\"jsonrpc\":\"2.0\",\"id\":\"L\",\"method\":\"subscriptions/listen\","
		"\"params\":{\"notifications\":{\"taskIds\":[\"%s\",\"nope\"]},"
		"\"_meta\":{\"io.modelcontextprotocol/"
		"protocolVersion\":\"2026-07-28\"" CAN "}}}",
		id);
	int fd = rig_open_post(&m->rig, m->rig.alice,
			       "Content-Type: application/json\r\n"
			       "MCP-Protocol-Version: 2026-07-28\r\n"
			       "Mcp-Method: subscriptions/listen\r\n",
			       body);
	while (!strstr(text.data, "completed") &&
	       (n = recv(fd, chunk, sizeof chunk, 0)) > 0)
		strbuf_add(&text, chunk, (size_t)n);
	(void)close(fd);
	_cleanup_answer_ struct answer heard = answer_read(&text);
	rig_judge(&m->rig, "subscriptions/listen", &heard);
	assert_int_equal(json_array_size(heard.events), 2);
	const json_t *ack = json_object_get(json_array_get(heard.events, 0), "params");
	assert_int_equal(json_array_size(json_object_get(
				 json_object_get(ack, "notifications"), "taskIds")),
			 1);
	const json_t *told = json_array_get(heard.events, 1);
	assert_string_equal(json_get_string(told, "method"), "notifications/tasks");
	const json_t *params = json_object_get(told, "params");
	assert_string_equal(json_get_string(params, "taskId"), id);
	assert_string_equal(json_get_string(params, "status"), "completed");
	assert_non_null(json_object_get(params, "result"));
	assert_string_equal(json_get_string(json_object_get(params, "_meta"),
					    "io.modelcontextprotocol/subscriptionId"),
			    "L");
}

static void a_restart_ends_what_ran(void **state)
{
	struct mock_gate *m = *state;
	_cleanup_answer_ struct answer slow = call(m, "slow", 60000, CAN);
	_cleanup_free_ char *id = task_of(&slow);
	_cleanup_answer_ struct answer quick = call(m, "slow", 0, CAN);
	_cleanup_free_ char *done_id = task_of(&quick);
	__attribute__((unused))
	_cleanup_answer_ struct answer done = await(m, done_id, "completed");

	rig_stop(&m->rig);
	rig_start(&m->rig);
	/* What was done is still there; what ran was told to end, or is known to have. */
	__attribute__((unused))
	_cleanup_answer_ struct answer still = await(m, done_id, "completed");
	_cleanup_answer_ struct answer a =
		about(m, m->rig.alice, "tasks/get", id, "", CAN);
	assert_true(strcmp(status_of(&a), "failed") == 0 ||
		    strcmp(status_of(&a), "completed") == 0);
}

/* ---- Calls that wait for a person ---- */

static const char PENDING[] =
	"{\"approval\":\"A-1\",\"state\":\"pending\",\"where\":\"a terminal\"}";

static void grant_it(struct mock_gate *m)
{
	_cleanup_strbuf_ struct strbuf reply = STRBUF_INIT;

	mock_gate_grant(m, "A-1", "alice@example.org", PUT, &reply);
	mock_gate_say(m, 200, "%s", reply.data);
}

static void a_call_that_waits_is_a_task(void **state)
{
	struct mock_gate *m = *state;

	mock_gate_say(m, 200, PENDING);
	_cleanup_answer_ struct answer a = put(m);
	_cleanup_free_ char *id = task_of(&a);
	_cleanup_answer_ struct answer waits =
		about(m, m->rig.alice, "tasks/get", id, "", CAN);
	assert_string_equal(status_of(&waits), "working");
	assert_int_equal(rig_runs(&m->rig), 0);
	grant_it(m);
	_cleanup_answer_ struct answer done = await(m, id, "completed");
	assert_int_equal(rig_runs(&m->rig), 1);
	assert_non_null(strstr(done.text, "succeeded"));
	/* It asked about this one, and proposes no other. */
	assert_non_null(strstr(m->registered, "\"approval\":\"A-1\""));
}

static void a_denial_completes_as_an_error(void **state)
{
	struct mock_gate *m = *state;

	mock_gate_say(m, 200, PENDING);
	_cleanup_answer_ struct answer a = put(m);
	_cleanup_free_ char *id = task_of(&a);
	mock_gate_say(
		m, 200,
		"{\"approval\":\"A-1\",\"state\":\"denied\",\"where\":\"a terminal\"}");
	_cleanup_answer_ struct answer done = await(m, id, "completed");
	assert_non_null(strstr(done.text, "permission_denied"));
	assert_int_equal(rig_runs(&m->rig), 0);
}

/* Of click and cancel the first counts, and the gate says which. */
static void cancelling_asks_the_gate(void **state)
{
	struct mock_gate *m = *state;

	mock_gate_say(m, 200, PENDING);
	_cleanup_answer_ struct answer a = put(m);
	_cleanup_free_ char *id = task_of(&a);
	_cleanup_answer_ struct answer c =
		about(m, m->rig.alice, "tasks/cancel", id, "", CAN);
	assert_non_null(answer_result(&c));
	assert_string_equal(m->cancelled, "/approvals/A-1/cancel");
	_cleanup_answer_ struct answer done = await(m, id, "cancelled");
	assert_int_equal(done.status, 200);
	assert_int_equal(rig_runs(&m->rig), 0);
}

static void a_task_that_waits_survives_a_restart(void **state)
{
	struct mock_gate *m = *state;

	mock_gate_say(m, 200, PENDING);
	_cleanup_answer_ struct answer a = put(m);
	_cleanup_free_ char *id = task_of(&a);
	rig_stop(&m->rig);
	rig_start(&m->rig);
	(void)usleep(1100 * 1000); /* grants from before the store's epoch are refused */
	grant_it(m);
	_cleanup_answer_ struct answer done = await(m, id, "completed");
	assert_int_equal(done.status, 200);
	assert_int_equal(rig_runs(&m->rig), 1);
}

static void a_gate_that_is_away_is_waited_for(void **state)
{
	struct mock_gate *m = *state;

	mock_gate_say(m, 200, PENDING);
	_cleanup_answer_ struct answer a = put(m);
	_cleanup_free_ char *id = task_of(&a);
	mock_gate_say(m, 200, "nonsense");
	(void)usleep(1500 * 1000);
	__attribute__((unused))
	_cleanup_answer_ struct answer waits = await(m, id, "working");
	grant_it(m);
	_cleanup_answer_ struct answer done = await(m, id, "completed");
	assert_int_equal(done.status, 200);
	assert_int_equal(rig_runs(&m->rig), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define GATE(f) cmocka_unit_test_setup_teardown(f, set_up_gate, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_extension_is_advertised),
		TEST(a_task_completes),
		TEST(failures_of_tools_complete),
		TEST(who_declares_nothing_gets_no_tasks),
		TEST(unknown_tasks_and_those_of_others),
		TEST(cancelling_ends_it_once),
		TEST(tasks_ask_and_are_answered_in_parts),
		TEST(questions_before_the_task),
		TEST(who_listens_is_told),
		TEST(a_restart_ends_what_ran),
		GATE(a_call_that_waits_is_a_task),
		GATE(a_denial_completes_as_an_error),
		GATE(cancelling_asks_the_gate),
		GATE(a_task_that_waits_survives_a_restart),
		GATE(a_gate_that_is_away_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
