/* Direct clients that can show a page and know no tasks: rounds, and the error of 2025-11-25. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture/mock_gate.h"
#include "fixture/peer.h"
#include "mcp/approvals_page.h"

#define CAN(what)                                                                        \
	",\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":" what "}"
#define URL  CAN("{\"url\":{}}")
#define PUT  "{\"key\":\"colour\",\"reason\":\"because\",\"value\":\"red\"}"
#define PAGE "https://gate.example/a/1234567890123456789012"
#define PENDING                                                                          \
	("{\"approval\":\"A-1\",\"state\":\"pending\",\"where\":\"a terminal\","         \
	 "\"retry_after_ms\":1000,\"page\":\"" PAGE "\"}")

static int set_up(void **state)
{
	*state = mock_gate_open("");
	return 0;
}

static int tear_down(void **state)
{
	mock_gate_close(*state);
	return 0;
}

/* 'more' are members of params. */
static struct answer put(struct mock_gate *m, const char *can, const char *more)
{
	_cleanup_strbuf_ struct strbuf params = STRBUF_INIT;

	strbuf_add_format(&params, "\"name\":\"put_value\",\"arguments\":" PUT "%s",
			  more);
	return rig_ask(&m->rig, m->rig.alice, "tools/call", "put_value", params.data,
		       can);
}

/* The call once more, with this word, and the answer to the page (NULL: none). */
static struct answer again(struct mock_gate *m, const char *word, const char *action)
{
	_cleanup_strbuf_ struct strbuf more = STRBUF_INIT;

	strbuf_add_format(&more, ",\"requestState\":\"%s\"", word);
	if (action)
		strbuf_add_format(
			&more, ",\"inputResponses\":{\"approval\":{\"action\":\"%s\"}}",
			action);
	return put(m, URL, more.data);
}

static const char *word_of(const struct answer *a)
{
	const char *word = json_get_string(answer_result(a), "requestState");

	if (!word)
		fail_msg("no requestState: %s", a->text);
	return word;
}

static void grant_later(struct mock_gate *m, unsigned after)
{
	_cleanup_strbuf_ struct strbuf reply = STRBUF_INIT;

	mock_gate_grant(m, "A-1", "alice@example.org", PUT, &reply);
	mock_gate_say_later(m, after, "%s", reply.data);
}

static void a_page_is_shown_and_the_call_comes_again(void **state)
{
	struct mock_gate *m = *state;

	mock_gate_say(m, 200, PENDING);
	_cleanup_answer_ struct answer a = put(m, URL, "");
	const json_t *asked = json_object_get(
		json_object_get(answer_result(&a), "inputRequests"), "approval");
	const json_t *params = json_object_get(asked, "params");

	assert_string_equal(json_get_string(answer_result(&a), "resultType"),
			    "input_required");
	assert_string_equal(json_get_string(asked, "method"), "elicitation/create");
	assert_string_equal(json_get_string(params, "mode"), "url");
	assert_string_equal(json_get_string(params, "url"), PAGE);
	assert_non_null(strstr(json_get_string(params, "message"), "A-1"));
	assert_null(strstr(a.text, "because")); /* nothing of the call */

	grant_later(m, 2); /* waits, is asked again, runs */
	_cleanup_answer_ struct answer done = again(m, word_of(&a), "accept");
	assert_string_equal(answer_state(&done), "succeeded");
	assert_int_equal(rig_runs(&m->rig), 1);
	assert_non_null(strstr(m->registered, "\"approval\":\"A-1\""));
	assert_string_equal(m->outcome_path, "/approvals/A-1/outcome");
}

/* That a page was opened means nothing. */
static void accept_is_no_yes(void **state)
{
	struct mock_gate *m = *state;

	mock_gate_say(m, 200, PENDING);
	_cleanup_answer_ struct answer a = put(m, URL, "");
	mock_gate_say(m, 200, "{\"approval\":\"A-1\",\"state\":\"denied\"}");
	_cleanup_answer_ struct answer done = again(m, word_of(&a), "accept");
	assert_string_equal(answer_code(&done), "permission_denied");
	assert_int_equal(rig_runs(&m->rig), 0);
}

static void decline_takes_it_back(void **state)
{
	struct mock_gate *m = *state;

	mock_gate_say(m, 200, PENDING);
	_cleanup_answer_ struct answer a = put(m, URL, "");
	mock_gate_say(m, 200, "{\"approval\":\"A-1\",\"state\":\"cancelled\"}");
	_cleanup_answer_ struct answer done = again(m, word_of(&a), "decline");
	assert_string_equal(m->cancelled, "/approvals/A-1/cancel");
	assert_string_equal(answer_code(&done), "permission_denied");
	assert_int_equal(rig_runs(&m->rig), 0);
}

/* The click was first: what the gate granted runs, whatever the client declined. */
static void a_decline_may_be_too_late(void **state)
{
	struct mock_gate *m = *state;

	mock_gate_say(m, 200, PENDING);
	m->cancel_status = 409;
	_cleanup_answer_ struct answer a = put(m, URL, "");
	grant_later(m, 1);
	_cleanup_answer_ struct answer done = again(m, word_of(&a), "decline");
	assert_string_equal(answer_state(&done), "succeeded");
}

static void rounds_end(void **state)
{
	struct mock_gate *m = *state;
	_cleanup_free_ char *word = NULL;
	int rounds = 0;

	/* Far fewer workers than waits: nobody waits, and everybody is told to come again. */
	mock_gate_say(m, 200, PENDING);
	_cleanup_answer_ struct answer first = put(m, URL, "");
	word = strdup(word_of(&first));
	for (;;) {
		_cleanup_answer_ struct answer a =
			again(m, word, rounds ? NULL : "accept");
		const char *next = json_get_string(answer_result(&a), "requestState");

		if (!next) {
			assert_string_equal(answer_code(&a), "approval_required");
			break;
		}
		assert_null(json_object_get(answer_result(&a), "inputRequests"));
		free(word);
		word = strdup(next);
		rounds++;
	}
	assert_int_equal(rounds, PAGE_ROUNDS_MAX - 1);
	assert_int_equal(rig_runs(&m->rig), 0);
}

static int set_up_busy(void **state)
{
	/* A quarter of three workers is none. */
	*state = mock_gate_open("limits: {workers: 3}\n");
	return 0;
}

static void who_cannot_show_one_is_told_where(void **state)
{
	static const char *const rows[] = { CAN("{}"), CAN("{\"form\":{}}"),
					    CAN("{\"url\":true}") };
	struct mock_gate *m = *state;

	mock_gate_say(m, 200, PENDING);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_answer_ struct answer a = put(m, rows[i], "");
		assert_string_equal(answer_code(&a), "approval_required");
	}
	mock_gate_say(m, 200, "{\"approval\":\"A-1\",\"state\":\"pending\"}");
	_cleanup_answer_ struct answer without = put(m, URL, "");
	assert_string_equal(answer_code(&without), "approval_required");
}

/* A word is its caller's and its call's. */
static void a_word_of_another_call_is_refused(void **state)
{
	struct mock_gate *m = *state;

	mock_gate_say(m, 200, PENDING);
	_cleanup_answer_ struct answer a = put(m, URL, "");
	_cleanup_strbuf_ struct strbuf params = STRBUF_INIT;
	grant_later(m, 1);
	strbuf_add_format(
		&params,
		"\"name\":\"put_value\",\"arguments\":{\"key\":\"colour\","
		"\"reason\":\"because\",\"value\":\"blue\"},\"requestState\":\"%s\"",
		word_of(&a));
	_cleanup_answer_ struct answer other = rig_ask(
		&m->rig, m->rig.alice, "tools/call", "put_value", params.data, URL);
	assert_non_null(strstr(other.text, "requestState"));
	assert_null(answer_result(&other));
	assert_int_equal(rig_runs(&m->rig), 0);
}

/* ---- 2025-11-25 ---- */

static struct answer put_in(struct mock_gate *m, const char *version)
{
	_cleanup_peer_ struct peer p;

	peer_begin(&p, &m->rig, m->rig.alice, version, PEER_ALL);
	return peer_ask(&p, "tools/call", "\"name\":\"put_value\",\"arguments\":" PUT);
}

static void the_error_of_2025_11_25(void **state)
{
	struct mock_gate *m = *state;

	conform_free(m->rig.conform); /* of 2026-07-28; peers have their own */
	m->rig.conform = NULL;
	mock_gate_say(m, 200, PENDING);
	_cleanup_answer_ struct answer a = put_in(m, "2025-11-25");
	const json_t *error = json_object_get(a.body, "error");
	const json_t *one = json_array_get(
		json_object_get(json_object_get(error, "data"), "elicitations"), 0);

	assert_int_equal(json_get_int64(error, "code", 0), JSONRPC_URL_ELICITATION);
	assert_string_equal(json_get_string(one, "mode"), "url");
	assert_string_equal(json_get_string(one, "url"), PAGE);
	assert_string_equal(json_get_string(one, "elicitationId"), "A-1");
	_cleanup_answer_ struct answer older = put_in(m, "2025-06-18");
	assert_string_equal(answer_code(&older), "approval_required");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_page_is_shown_and_the_call_comes_again),
		TEST(accept_is_no_yes),
		TEST(decline_takes_it_back),
		TEST(a_decline_may_be_too_late),
		cmocka_unit_test_setup_teardown(rounds_end, set_up_busy, tear_down),
		TEST(who_cannot_show_one_is_told_where),
		TEST(a_word_of_another_call_is_refused),
		TEST(the_error_of_2025_11_25),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
