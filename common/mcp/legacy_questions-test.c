/* Questions of a function to the client of a session, and its answers. */
#include "mcp/legacy_test.h"

/* ---- Asked and heard ---- */

static void each_kind_is_asked_and_heard(void **state)
{
	static const struct {
		const char *kind, *version, *method, *answer;
	} rows[] = {
		{ ASK("form"), "2025-11-25", "elicitation/create", NAME },
		{ ASK("form"), "2025-11-25", "elicitation/create",
		  "{\"action\":\"decline\"}" },
		{ ASK("form"), "2025-06-18", "elicitation/create", NAME },
		{ ASK("url"), "2025-11-25", "elicitation/create",
		  "{\"action\":\"accept\"}" },
		{ ASK("sample"), "2025-11-25", "sampling/createMessage", SAMPLE },
		{ ASK("sample"), "2025-03-26", "sampling/createMessage", SAMPLE },
		{ ASK("sample"), "2024-11-05", "sampling/createMessage", SAMPLE },
		{ ASK("roots"), "2025-06-18", "roots/list",
		  "{\"roots\":[{\"uri\":\"file:///a\"}]}" },
		{ ASK("roots"), "2024-11-05", "roots/list", "{\"roots\":[]}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_peer_ struct peer p;
		struct peer_stream s;

		peer_begin(&p, &rig, rig.alice, rows[i].version, PEER_ALL);
		peer_open(&s, &p, "tools/call", rows[i].kind);
		json_auto_t *request = peer_expect(&s, rows[i].method);
		const json_t *params = json_object_get(request, "params");
		bool is_newest = strcmp(rows[i].version, "2025-11-25") == 0;
		bool is_url = strstr(rows[i].kind, "url") != NULL;

		assert_int_equal(json_object_get(params, "elicitationId") != NULL,
				 is_url);
		assert_int_equal(json_object_get(params, "mode") != NULL,
				 is_newest && strstr(rows[i].method, "elicit"));
		assert_int_equal(open_questions(&p), 1);
		peer_answer(&p, request, rows[i].answer);
		json_auto_t *response = peer_next(&s);
		assert_int_equal(json_get_int64(response, "id", 0), 7);
		assert_non_null(json_object_get(response, "result"));
		if (strcmp(rows[i].version, "2025-06-18") >= 0)
			assert_non_null(heard(response));
		peer_expect_end(&s);
		peer_leave(&s);
		assert_int_equal(open_questions(&p), 0);
	}
}

static void rounds_follow_each_other(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;
	size_t lines;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", PEER_ALL);
	lines = rig_count_audit(&rig, "call.free_read");
	peer_open(&s, &p, "tools/call", ASK("two"));
	json_auto_t *first = peer_expect(&s, "elicitation/create");
	peer_answer(&p, first, NAME);
	json_auto_t *second = peer_expect(&s, "sampling/createMessage");
	peer_answer(&p, second, SAMPLE);
	json_auto_t *response = peer_next(&s);
	assert_int_equal(json_get_int64(heard(response), "rounds", 0), 1);
	assert_non_null(json_object_get(heard(response), "second"));
	peer_leave(&s);
	/* Each round is a read. */
	assert_int_equal(rig_count_audit(&rig, "call.free_read") - lines, 3);
}

static void several_are_answered_in_any_order(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", PEER_ALL);
	peer_open(&s, &p, "tools/call", ASK("both"));
	json_auto_t *form = peer_expect(&s, "elicitation/create");
	json_auto_t *sample = peer_expect(&s, "sampling/createMessage");
	assert_string_not_equal(json_get_string(form, "id"),
				json_get_string(sample, "id"));
	peer_answer(&p, sample, SAMPLE);
	/* Once is enough, and nobody asked for these. */
	peer_answer(&p, sample, "{}");
	refuse(&p, sample);
	_cleanup_answer_ struct answer odd =
		peer_post(&p, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
	assert_int_equal(odd.status, 202);
	assert_int_equal(open_questions(&p), 1);
	peer_answer(&p, form, NAME);
	json_auto_t *response = peer_next(&s);
	assert_non_null(json_object_get(heard(response), "second"));
	peer_leave(&s);
}

static void prompts_ask_too(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", PEER_ALL);
	peer_open(&s, &p, "prompts/get",
		  "\"name\":\"greet_person\",\"arguments\":{\"name\":\"x\",\"tone\":"
		  "\"ask\"}");
	json_auto_t *form = peer_expect(&s, "elicitation/create");
	peer_answer(&p, form, NAME);
	json_auto_t *response = peer_next(&s);
	assert_non_null(json_object_get(json_object_get(response, "result"), "messages"));
	peer_leave(&s);
	peer_open(&s, &p, "prompts/get",
		  "\"name\":\"greet_person\",\"arguments\":{\"name\":\"x\",\"tone\":"
		  "\"ask\"}");
	json_auto_t *again = peer_expect(&s, "elicitation/create");
	refuse(&p, again);
	json_auto_t *error = peer_next(&s);
	assert_non_null(json_object_get(error, "error"));
	peer_leave(&s);
}

/* ---- Whom to ask ---- */

static void nobody_is_asked_what_they_cannot(void **state)
{
	static const struct {
		const char *kind, *version, *capabilities, *missing;
	} rows[] = {
		{ ASK("form"), "2025-11-25", "{}", "elicitation" },
		{ ASK("form"), "2025-11-25", "{\"elicitation\":{\"url\":{}}}",
		  "elicitation" },
		{ ASK("url"), "2025-11-25", "{\"elicitation\":{}}", "elicitation" },
		{ ASK("url"), "2025-06-18", PEER_ALL, "elicitation" },
		{ ASK("form"), "2025-03-26", PEER_ALL, "elicitation" },
		{ ASK("form"), "2024-11-05", PEER_ALL, "elicitation" },
		{ ASK("sample"), "2025-11-25", "{\"elicitation\":{}}", "sampling" },
		{ ASK("sample"), "2025-06-18", "{\"sampling\":7}", "sampling" },
		{ ASK("roots"), "2025-06-18", "{\"roots\":null}", "roots" },
		{ ASK("both"), "2025-11-25", "{\"elicitation\":{}}", "sampling" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_peer_ struct peer p;

		peer_begin(&p, &rig, rig.alice, rows[i].version, rows[i].capabilities);
		_cleanup_answer_ struct answer a =
			peer_ask(&p, "tools/call", rows[i].kind);
		assert_int_equal(a.status, 200);
		assert_null(a.events);
		assert_true(says(a.body, rows[i].missing));
		assert_true(conform_is(p.conform, "CallToolResult", answer_result(&a)));
	}
}

/* A session has no tasks: what need not be one is done at once. */
static void what_could_be_a_task_is_a_call(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", PEER_ALL);
	peer_open(&s, &p, "tools/call",
		  "\"name\":\"test_task\",\"arguments\":{\"kind\":\"ask\"},\"task\":{}");
	json_auto_t *form = peer_expect(&s, "elicitation/create");
	peer_answer(&p, form, NAME);
	json_auto_t *response = peer_next(&s);
	assert_non_null(json_object_get(heard(response), "name"));
	peer_leave(&s);
	_cleanup_answer_ struct answer only =
		peer_ask(&p, "tools/call",
			 "\"name\":\"test_task\",\"arguments\":{\"kind\":\"only\"}");
	assert_true(says(only.body, "extensions"));
	_cleanup_answer_ struct answer get =
		peer_ask(&p, "tasks/get", "\"taskId\":\"x\"");
	assert_int_equal(json_get_int64(json_object_get(get.body, "error"), "code", 0),
			 -32601);
}

static void a_prompt_that_cannot_ask_is_an_error(void **state)
{
	_cleanup_peer_ struct peer p;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-06-18", "{}");
	_cleanup_answer_ struct answer a =
		peer_ask(&p, "prompts/get",
			 "\"name\":\"greet_person\",\"arguments\":{\"name\":\"x\","
			 "\"tone\":\"ask\"}");
	const json_t *error = json_object_get(a.body, "error");
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(json_get_string(error, "message"), "elicitation"));
	/* No code that this revision does not have. */
	assert_int_equal(json_get_int64(error, "code", 0), 1);
	assert_true(conform_is(p.conform, "JSONRPCError", a.body));
}

static json_t *next_event(struct peer_stream *s)
{
	/* An array is no message of the schema. */
	union {
		const struct peer *in;
		struct peer *out;
	} p = { .in = s->p };
	struct conform *official = TAKE(p.out->conform);
	json_t *event = peer_next(s);

	p.out->conform = official;
	return event;
}

static void members_of_a_batch_share_a_stream(void **state)
{
	static const char body[] =
		"[{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/"
		"call\",\"params\":{" ASK(
			"sample") "}},{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\"},"
				  "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/"
				  "call\",\"params\":{" ASK(
					  "sample") "}},{\"jsonrpc\":\"2.0\",\"id\":10,"
						    "\"method\":\"tools/call\","
						    "\"params\":{" ASK("form") "}}]";
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-03-26", PEER_ALL);
	peer_open_body(&s, &p, body);
	json_auto_t *first = peer_expect(&s, "sampling/createMessage");
	json_auto_t *second = peer_expect(&s, "sampling/createMessage");
	assert_false(json_equal(first, second));
	peer_answer(&p, second, SAMPLE);
	_cleanup_answer_ struct answer cancel =
		peer_post(&p, "[" CANCEL "," CANCEL "]"); /* by a batch, too */
	assert_int_equal(cancel.status, 202);
	while (open_questions(&p) > 0)
		peer_answer(&p, first, SAMPLE);
	json_t *event;
	while ((event = next_event(&s)) && !json_is_array(event))
		json_decref(event); /* that a question was withdrawn */
	assert_in_range(json_array_size(event), 3, 4);
	/* In their order; 7 was cancelled, unless it was answered before. */
	size_t ping = json_array_size(event) - 3;
	assert_int_equal(json_get_int64(json_array_get(event, ping), "id", 0), 8);
	assert_true(says(json_array_get(event, ping + 2), "elicitation"));
	json_decref(event);
	peer_expect_end(&s);
	peer_leave(&s);
}

/* ---- Odd answers ---- */

static void what_does_not_fit_is_asked_again_but_not_for_ever(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", PEER_ALL);
	for (int good_at = LEGACY_ROUNDS_MAX; good_at <= LEGACY_ROUNDS_MAX + 1;
	     good_at++) {
		peer_open(&s, &p, "tools/call", ASK("form"));
		for (int round = 1; round <= LEGACY_ROUNDS_MAX; round++) {
			json_auto_t *form = peer_expect(&s, "elicitation/create");

			peer_answer(&p, form,
				    round == good_at
					    ? NAME
					    : "{\"action\":\"accept\",\"content\":{"
					      "\"name\":7}}");
		}
		json_auto_t *response = peer_next(&s);
		if (good_at == LEGACY_ROUNDS_MAX)
			assert_non_null(heard(response));
		else
			assert_true(says(response, "16 times"));
		peer_leave(&s);
	}
}

static void an_error_ends_the_call_and_withdraws_the_rest(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", PEER_ALL);
	peer_open(&s, &p, "tools/call", ASK("both"));
	json_auto_t *form = peer_expect(&s, "elicitation/create");
	json_auto_t *sample = peer_expect(&s, "sampling/createMessage");
	refuse(&p, form);
	json_auto_t *gone = peer_expect(&s, "notifications/cancelled");
	assert_string_equal(json_get_string(json_object_get(gone, "params"), "requestId"),
			    json_get_string(sample, "id"));
	json_auto_t *response = peer_next(&s);
	assert_true(says(response, "an error"));
	peer_expect_end(&s);
	peer_leave(&s);
	assert_int_equal(open_questions(&p), 0);
}

static void write_long(struct strbuf *sb, const char *head, size_t length,
		       const char *tail)
{
	strbuf_clear(sb);
	strbuf_add_string(sb, head);
	while (length-- > 0)
		strbuf_add_char(sb, 'x');
	strbuf_add_string(sb, tail);
}

static void all_answers_together_have_a_limit(void **state)
{
	static const char form_head[] = "{\"action\":\"accept\",\"content\":{\"name\":\"";
	static const char sample_head[] = "{\"role\":\"assistant\",\"model\":\"m\","
					  "\"content\":{\"type\":\"text\",\"text\":\"";
	const size_t around = strlen(form_head) + strlen(sample_head) + 2 * 3;
	_cleanup_peer_ struct peer p;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", PEER_ALL);
	for (size_t extra = 0; extra < 2; extra++) {
		peer_open(&s, &p, "tools/call", ASK("two"));
		json_auto_t *form = peer_expect(&s, "elicitation/create");
		write_long(&text, form_head, 30000, "\"}}");
		peer_answer(&p, form, text.data);
		json_auto_t *sample = peer_expect(&s, "sampling/createMessage");
		write_long(&text, sample_head, 65536 - 30000 - around + extra, "\"}}");
		peer_answer(&p, sample, text.data);
		json_auto_t *response = peer_next(&s);
		if (extra)
			assert_true(says(response, "too long"));
		else
			assert_non_null(heard(response));
		peer_leave(&s);
	}
}

static void answers_are_of_their_session(void **state)
{
	_cleanup_peer_ struct peer p, other, bob;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", PEER_ALL);
	peer_begin(&other, &rig, rig.alice, "2025-11-25", PEER_ALL);
	peer_begin(&bob, &rig, rig.bob, "2025-11-25", PEER_ALL);
	peer_open(&s, &p, "tools/call", ASK("form"));
	json_auto_t *form = peer_expect(&s, "elicitation/create");
	peer_answer(&other, form, NAME);
	peer_answer(&bob, form, NAME);
	/* Nor does it help to name the session. */
	(void)snprintf(bob.session, sizeof bob.session, "%s", p.session);
	_cleanup_answer_ struct answer theirs = peer_ask(&bob, "ping", "");
	assert_int_equal(theirs.status, 404);
	assert_int_equal(open_questions(&p), 1);
	peer_answer(&p, form, NAME);
	json_auto_t *response = peer_next(&s);
	assert_non_null(heard(response));
	peer_leave(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_asked_and_heard),
		cmocka_unit_test(rounds_follow_each_other),
		cmocka_unit_test(several_are_answered_in_any_order),
		cmocka_unit_test(prompts_ask_too),
		cmocka_unit_test(nobody_is_asked_what_they_cannot),
		cmocka_unit_test(what_could_be_a_task_is_a_call),
		cmocka_unit_test(a_prompt_that_cannot_ask_is_an_error),
		cmocka_unit_test(members_of_a_batch_share_a_stream),
		cmocka_unit_test(what_does_not_fit_is_asked_again_but_not_for_ever),
		cmocka_unit_test(an_error_ends_the_call_and_withdraws_the_rest),
		cmocka_unit_test(all_answers_together_have_a_limit),
		cmocka_unit_test(answers_are_of_their_session),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
