/* Streams of requests that are read on by another connection, what is kept of them, and
 * how they end. */
#include "mcp/legacy_stream_test.h"

static void a_function_hangs_up_and_goes_on(void **state)
{
	_cleanup_peer_ struct peer p, old;
	struct peer_stream s, again;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", "{}");
	set_level(&p, LEVEL("emergency"));
	peer_open(&s, &p, "tools/call", TALK("\"away\":true") TOKEN);
	json_decref(peer_expect(&s, "notifications/progress"));
	peer_expect_end(&s);
	assert_int_equal(s.primings, 1);
	assert_int_equal(s.events.retry_ms, OUTLET_RETRY_MS);
	peer_leave(&s);
	peer_listen(&again, &p, s.last_id);
	json_auto_t *response = peer_response(&again);
	assert_int_equal(said(response), 3);
	peer_expect_end(&again);
	peer_leave(&again);

	/* Who has said nothing by then, too. */
	peer_open(&s, &p, "tools/call", TALK("\"away\":true"));
	peer_expect_end(&s);
	assert_string_equal(s.last_id, "3:0");
	peer_leave(&s);
	peer_listen(&again, &p, s.last_id);
	json_auto_t *other = peer_next(&again);
	assert_int_equal(said(other), 3);
	peer_leave(&again);

	/* An older client would not come back. */
	peer_begin(&old, &rig, rig.alice, "2025-06-18", "{}");
	peer_open(&s, &old, "tools/call", TALK("\"away\":true") TOKEN);
	json_auto_t *here = peer_response(&s);
	assert_int_equal(said(here), 3);
	peer_leave(&s);
}

/* S-57 */
static void a_response_is_kept_for_its_own_session(void **state)
{
	_cleanup_peer_ struct peer p, other, theirs;
	struct peer_stream s;
	static const char *const odd[] = { "2:10", "3:0",  "0:0",
					   "-2:0", "2:-1", "2:00",
					   "02:0", "2",    "2:99999999999999999999" };

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-06-18", "{}");
	peer_begin(&other, &rig, rig.alice, "2025-06-18", "{}");
	peer_begin(&theirs, &rig, rig.bob, "2025-06-18", "{}");
	set_level(&p, LEVEL("error"));
	peer_open(&s, &p, "tools/call", TALK("") TOKEN);
	json_decref(peer_response(&s));
	peer_leave(&s);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		if (resume(&p, odd[i]) != 400)
			fail_msg("%s", odd[i]);
	assert_int_equal(resume(&other, "2:0"), 400);
	assert_int_equal(resume(&theirs, "2:0"), 400);
	/* Again and again. */
	for (int i = 0; i < 2; i++) {
		peer_listen(&s, &p, "2:7");
		json_decref(peer_expect(&s, "notifications/message"));
		json_auto_t *response = peer_next(&s);
		assert_int_equal(said(response), 3);
		peer_expect_end(&s);
		peer_leave(&s);
	}
	peer_listen(&s, &p, "2:9");
	peer_expect_end(&s);
	peer_leave(&s);
}

/* ---- Limits ---- */

static void old_streams_make_room(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;
	char id[32];

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-06-18", "{}");
	for (int i = 0; i < SESSION_STREAMS_MAX + 1; i++) {
		peer_open(&s, &p, "tools/call", TALK("\"steps\":0,\"gap_ms\":0"));
		json_decref(peer_response(&s));
		peer_leave(&s);
	}
	(void)snprintf(id, sizeof id, "%d:0", SESSION_STREAMS_MAX + 2);
	assert_int_equal(resume(&p, id), 200);
	assert_int_equal(resume(&p, "3:0"), 200);
	assert_int_equal(resume(&p, "2:0"), 400);
}

static void of_much_that_was_said_the_response_is_kept(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;
	size_t events = 0;
	json_t *message;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-06-18", "{}");
	peer_open(&s, &p, "tools/call", TALK("\"steps\":99,\"gap_ms\":0"));
	assert_int_equal(count(&s, "notifications/message"), 200);
	peer_leave(&s);
	peer_listen(&s, &p, "2:0");
	while ((message = peer_next(&s))) {
		events++;
		json_decref(message);
	}
	assert_string_equal(s.last_id, "2:201");
	assert_int_equal(events, SESSION_EVENTS_MAX);
	peer_leave(&s);
}

static void a_long_response_is_not_kept(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", "{}");
	/* To who is there it is sent, */
	peer_open(&s, &p, "tools/call", TALK("\"steps\":0,\"pad\":300000"));
	json_auto_t *whole = peer_response(&s);
	assert_int_equal(said(whole), 0);
	peer_expect_end(&s);
	peer_leave(&s);
	assert_int_equal(resume(&p, "2:0"), 400);
	assert_int_equal(resume(&p, s.last_id), 200);
	/* who is away learns why not; */
	set_level(&p, LEVEL("emergency"));
	peer_open(&s, &p, "tools/call",
		  TALK("\"steps\":3,\"gap_ms\":1,\"pad\":300000,\"away\":true"));
	peer_expect_end(&s);
	peer_leave(&s);
	wait_until_idle(&rig);
	peer_listen(&s, &p, s.last_id);
	json_auto_t *error = peer_response(&s);
	assert_int_equal(json_get_int64(json_object_get(error, "error"), "code", 0),
			 -32603);
	peer_leave(&s);
	/* what fits waits. */
	peer_open(&s, &p, "tools/call",
		  TALK("\"steps\":3,\"gap_ms\":1,\"pad\":200000,\"away\":true"));
	peer_expect_end(&s);
	peer_leave(&s);
	wait_until_idle(&rig);
	peer_listen(&s, &p, s.last_id);
	json_auto_t *short_one = peer_response(&s);
	assert_int_equal(said(short_one), 3);
	peer_leave(&s);
}

static void delete_closes_every_stream(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s, standing;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", "{}");
	set_level(&p, LEVEL("emergency"));
	rig_remove(&rig, "noticed");
	peer_listen(&standing, &p, NULL);
	peer_open(&s, &p, "tools/call", TALK("\"steps\":60,\"gap_ms\":20") TOKEN);
	json_decref(peer_expect(&s, "notifications/progress"));
	_cleanup_answer_ struct answer end = peer_verb(&p, "DELETE", "");
	assert_int_equal(end.status, 200);
	peer_expect_end(&standing);
	json_t *message;
	while ((message = peer_next(&s))) {
		assert_null(json_object_get(message, "result"));
		json_decref(message);
	}
	peer_leave(&s);
	peer_leave(&standing);
}

static void stopping_lets_requests_end(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", "{}");
	peer_open(&s, &p, "tools/call", TALK("\"steps\":5,\"gap_ms\":20") TOKEN);
	json_decref(peer_expect(&s, "notifications/progress"));
	mcp_service_stop(rig.service, 10000);
	json_auto_t *response = peer_response(&s);
	assert_int_equal(said(response), 5);
	peer_leave(&s);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_function_hangs_up_and_goes_on),
		cmocka_unit_test(a_response_is_kept_for_its_own_session),
		cmocka_unit_test(old_streams_make_room),
		cmocka_unit_test(of_much_that_was_said_the_response_is_kept),
		cmocka_unit_test(a_long_response_is_not_kept),
		cmocka_unit_test(delete_closes_every_stream),
		cmocka_unit_test(stopping_lets_requests_end),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
