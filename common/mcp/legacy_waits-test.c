/* Requests of sessions that wait for answers: none may come, and there are only so many. */
#include "mcp/legacy_test.h"

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
