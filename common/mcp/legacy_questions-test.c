/* Questions of a function to the client of a session, and what becomes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fixture/peer.h"
#include "mcp/session_private.h"

#define ASK(kind) "\"name\":\"test_question\",\"arguments\":{\"kind\":\"" kind "\"}"
#define NAME      "{\"action\":\"accept\",\"content\":{\"name\":\"Ada\"}}"
#define SAMPLE                                                                           \
	"{\"role\":\"assistant\",\"model\":\"m\",\"content\":{\"type\":\"text\","        \
	"\"text\":"                                                                      \
	"\"Paris\"}}"
#define CANCEL                                                                           \
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"       \
	"\"requestId\":7}}"

static struct rig rig;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	conform_free(rig.conform);
	rig.conform = NULL;
	rig_config(&rig, "freed_reads: [echo_text, test_question]\n"
			 "freed_prompts: [greet_person]\n"
			 "audit_freed_reads: true\nlimits: {calls_per_caller: 40, "
			 "body_bytes: 65536}\n");
	rig_start(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

/* ---- Helpers ---- */

static const json_t *heard(const json_t *response)
{
	const json_t *result = json_object_get(response, "result");

	return json_object_get(json_object_get(result, "structuredContent"), "heard");
}

/* What the result of a tool that failed says. */
static const char *failure(const json_t *response)
{
	const json_t *result = json_object_get(response, "result");

	if (!json_is_true(json_object_get(result, "isError")))
		return "";
	return json_get_string(json_array_get(json_object_get(result, "content"), 0),
			       "text")
		       ?: "";
}

static bool says(const json_t *response, const char *word)
{
	bool good = strstr(failure(response), word) != NULL;

	if (!good)
		print_message("# no '%s' in '%s'\n", word, failure(response));
	return good;
}

static void refuse(const struct peer *p, const json_t *request)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;

	strbuf_add_format(&body,
			  "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"error\":{\"code\":-1,"
			  "\"message\":\"no\"}}",
			  json_get_string(request, "id"));
	_cleanup_answer_ struct answer a = peer_post(p, body.data);
	assert_int_equal(a.status, 202);
}

static struct session *find(const struct peer *p)
{
	struct caller caller;
	struct error err = ERROR_INIT;

	assert_true(token_index_find(rig.service->tokens, secret_bytes(p->token),
				     clock_wall_ms(), &caller, &err));
	struct session *s =
		session_find(rig.service->sessions, p->session, &caller, clock_mono_ms());
	assert_non_null(s);
	return s;
}

static size_t open_questions(const struct peer *p)
{
	_cleanup_(session_unrefp) struct session *s = find(p);

	session_lock(s);
	size_t count = s->question_count;
	session_unlock(s);
	return count;
}

static void nap(void)
{
	const struct timespec time = { .tv_nsec = 5 * 1000 * 1000 };

	(void)nanosleep(&time, NULL);
}

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

/* ---- No answer ---- */

static void cancelled_while_it_waits(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", PEER_ALL);
	peer_open(&s, &p, "tools/call", ASK("form"));
	json_auto_t *form = peer_expect(&s, "elicitation/create");
	_cleanup_answer_ struct answer a = peer_post(&p, CANCEL);
	assert_int_equal(a.status, 202);
	json_decref(peer_expect(&s, "notifications/cancelled"));
	peer_expect_end(&s);
	peer_leave(&s);
	peer_answer(&p, form, NAME); /* late */
	assert_int_equal(open_questions(&p), 0);
}

static void patience_ends(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;
	int64_t asked_ms;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", PEER_ALL);
	asked_ms = clock_mono_ms();
	peer_open(&s, &p, "tools/call", ASK("form"));
	json_auto_t *form = peer_expect(&s, "elicitation/create");
	(void)sessions_sweep(rig.service->sessions, asked_ms + LEGACY_ANSWER_MS - 1);
	assert_int_equal(open_questions(&p), 1);
	(void)sessions_sweep(rig.service->sessions, clock_mono_ms() + LEGACY_ANSWER_MS);
	json_decref(peer_expect(&s, "notifications/cancelled"));
	json_auto_t *response = peer_next(&s);
	assert_true(says(response, "did not answer in time"));
	peer_leave(&s);
	peer_answer(&p, form, NAME);
	assert_int_equal(open_questions(&p), 0);
}

static void who_left_comes_back_and_answers(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", PEER_ALL);
	peer_open(&s, &p, "tools/call", ASK("two"));
	json_auto_t *form = peer_expect(&s, "elicitation/create");
	peer_leave(&s);
	peer_answer(&p, form, NAME);
	while (open_questions(&p) == 0)
		nap();
	peer_listen(&s, &p, s.last_id);
	json_auto_t *sample = peer_expect(&s, "sampling/createMessage");
	peer_answer(&p, sample, SAMPLE);
	json_auto_t *response = peer_response(&s);
	assert_non_null(heard(response));
	peer_leave(&s);
	/* All of it can be read again. */
	peer_listen(&s, &p, "2:0");
	json_auto_t *again = peer_expect(&s, "elicitation/create");
	assert_true(json_equal(again, form));
	json_auto_t *same = peer_response(&s);
	assert_true(json_equal(same, response));
	peer_leave(&s);
}

/* ---- Limits ---- */

static void questions_have_a_limit(void **state)
{
	enum { CALLS = SESSION_QUESTIONS_MAX / 2 };
	_cleanup_peer_ struct peer p;
	struct peer_stream s[CALLS];

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", PEER_ALL);
	for (int i = 0; i < CALLS; i++) {
		peer_open(&s[i], &p, "tools/call", ASK("both"));
		json_decref(peer_expect(&s[i], "elicitation/create"));
		json_decref(peer_expect(&s[i], "sampling/createMessage"));
	}
	assert_int_equal(open_questions(&p), SESSION_QUESTIONS_MAX);
	_cleanup_answer_ struct answer more = peer_ask(&p, "tools/call", ASK("form"));
	assert_true(says(more.body, "too many questions"));
	/* One ends, and another can begin. All have the same id: it may have met the one
	 * that was refused. */
	while (open_questions(&p) == SESSION_QUESTIONS_MAX) {
		_cleanup_answer_ struct answer cancel = peer_post(&p, CANCEL);
		assert_int_equal(cancel.status, 202);
	}
	assert_int_equal(open_questions(&p), SESSION_QUESTIONS_MAX - 2);
	struct peer_stream again;
	peer_open(&again, &p, "tools/call", ASK("both"));
	json_decref(peer_expect(&again, "elicitation/create"));
	peer_leave(&again);
	_cleanup_answer_ struct answer end = peer_verb(&p, "DELETE", "");
	assert_int_equal(end.status, 200);
	for (int i = 0; i < CALLS; i++)
		peer_leave(&s[i]);
}

/* Who waits is no call meanwhile, and still there are only so many. */
static void a_client_has_so_many_that_wait(void **state)
{
	enum { EACH = LEGACY_WAITS_MAX / 4 };
	struct peer p[4];
	struct peer_stream s[LEGACY_WAITS_MAX], more;
	bool is_asked = false;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		peer_begin(&p[i], &rig, rig.bob, "2025-11-25", PEER_ALL);
	for (size_t i = 0; i < LEGACY_WAITS_MAX; i++) {
		peer_open(&s[i], &p[i / EACH], "tools/call", ASK("form"));
		json_decref(peer_expect(&s[i], "elicitation/create"));
	}
	_cleanup_answer_ struct answer call =
		peer_ask(&p[0], "tools/call",
			 "\"name\":\"echo_text\",\"arguments\":{\"text\":\"x\"}");
	assert_non_null(answer_result(&call));
	/* While all of them are read, one more is refused; */
	_cleanup_answer_ struct answer full = peer_ask(&p[0], "tools/call", ASK("form"));
	assert_true(says(full.body, "too many calls that wait"));
	/* somebody else's is not; */
	_cleanup_peer_ struct peer other;
	peer_begin(&other, &rig, rig.alice, "2025-11-25", PEER_ALL);
	peer_open(&more, &other, "tools/call", ASK("form"));
	json_decref(peer_expect(&more, "elicitation/create"));
	peer_leave(&more);
	/* one that nobody reads gives way, once that is noticed. */
	peer_leave(&s[EACH]);
	while (!is_asked) {
		peer_open(&more, &p[0], "tools/call", ASK("form"));
		json_auto_t *first = peer_next(&more);
		is_asked = json_object_get(first, "method") != NULL;
		if (!is_asked)
			peer_leave(&more);
	}
	assert_int_equal(open_questions(&p[0]), EACH + 1);
	assert_int_equal(open_questions(&p[1]), EACH - 1);
	peer_leave(&more);
	for (size_t i = 0; i < 4; i++) {
		_cleanup_answer_ struct answer end = peer_verb(&p[i], "DELETE", "");
		assert_int_equal(end.status, 200);
		peer_done(&p[i]);
	}
	for (size_t i = 0; i < LEGACY_WAITS_MAX; i++)
		if (i != EACH)
			peer_leave(&s[i]);
}

/* A client that asks for things and leaves can begin anew for ever. */
static void questions_that_nobody_reads_keep_no_session(void **state)
{
	struct peer p;
	struct peer_stream s;
	char first[64] = "";

	(void)state;
	for (int i = 0; i < SESSIONS_PER_CLIENT_MAX + 4; i++) {
		peer_begin(&p, &rig, rig.bob, "2025-11-25", PEER_ALL);
		if (!*first)
			(void)snprintf(first, sizeof first, "%s", p.session);
		peer_open(&s, &p, "tools/call", ASK("form"));
		json_decref(peer_expect(&s, "elicitation/create"));
		{
			_cleanup_(session_unrefp) struct session *held = find(&p);

			peer_leave(&s);
			/* Until that is noticed. */
			for (bool is_read = true; is_read; nap()) {
				session_lock(held);
				is_read = legacy_waits_forsaken(held) == 0;
				session_unlock(held);
			}
		}
		peer_done(&p);
	}
	/* The oldest had to go. */
	(void)snprintf(p.session, sizeof p.session, "%s", first);
	_cleanup_answer_ struct answer gone = peer_ask(&p, "ping", "");
	assert_int_equal(gone.status, 404);
}

static void stopping_ends_who_waits(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", PEER_ALL);
	peer_open(&s, &p, "tools/call", ASK("form"));
	json_decref(peer_expect(&s, "elicitation/create"));
	mcp_service_stop(rig.service, 10000);
	json_auto_t *response = peer_response(&s);
	assert_true(says(response, "about to stop"));
	peer_expect_end(&s);
	peer_leave(&s);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_asked_and_heard),
		cmocka_unit_test(rounds_follow_each_other),
		cmocka_unit_test(several_are_answered_in_any_order),
		cmocka_unit_test(prompts_ask_too),
		cmocka_unit_test(nobody_is_asked_what_they_cannot),
		cmocka_unit_test(members_of_a_batch_share_a_stream),
		cmocka_unit_test(what_does_not_fit_is_asked_again_but_not_for_ever),
		cmocka_unit_test(an_error_ends_the_call_and_withdraws_the_rest),
		cmocka_unit_test(all_answers_together_have_a_limit),
		cmocka_unit_test(answers_are_of_their_session),
		cmocka_unit_test(cancelled_while_it_waits),
		cmocka_unit_test(patience_ends),
		cmocka_unit_test(who_left_comes_back_and_answers),
		cmocka_unit_test(questions_have_a_limit),
		cmocka_unit_test(a_client_has_so_many_that_wait),
		cmocka_unit_test(questions_that_nobody_reads_keep_no_session),
		cmocka_unit_test(stopping_ends_who_waits),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
