/* What is said about a request of a session before its response; cancelling it. */
#include "mcp/legacy_stream_test.h"

/* ---- Saying ---- */

static void every_revision_hears_in_its_words(void **state)
{
	static const char *const versions[] = { "2024-11-05", "2025-03-26", "2025-06-18",
						"2025-11-25" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		_cleanup_peer_ struct peer p;
		struct peer_stream s;

		peer_begin(&p, &rig, rig.alice, versions[i], "{}");
		set_level(&p, LEVEL("error"));
		peer_open(&s, &p, "tools/call", TALK("") TOKEN);
		for (int step = 0; step <= 3; step++) {
			json_auto_t *progress = peer_expect(&s, "notifications/progress");
			json_auto_t *log = peer_expect(&s, "notifications/message");
			const json_t *params = json_object_get(progress, "params");

			assert_string_equal(json_get_string(params, "progressToken"),
					    "p");
			assert_int_equal(json_get_int64(params, "progress", -1), step);
			assert_int_equal(json_object_get(params, "message") != NULL,
					 i >= 1);
			assert_string_equal(
				json_get_string(json_object_get(log, "params"), "level"),
				"error");
		}
		assert_string_equal(s.last_id, "2:8");
		json_auto_t *response = peer_next(&s);
		assert_int_equal(said(response), i >= 2 ? 3 : -1);
		assert_non_null(json_object_get(response, "result"));
		assert_string_equal(s.last_id, "2:9");
		assert_int_equal(s.primings, i == 3 ? 1 : 0);
		peer_expect_end(&s);
		peer_leave(&s);
	}
}

static void who_asks_for_nothing_hears_no_progress(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", "{}");
	set_level(&p, LEVEL("emergency"));
	peer_open(&s, &p, "tools/call", TALK(""));
	assert_false(s.is_events);
	json_auto_t *response = peer_next(&s);
	assert_int_equal(said(response), 3);
	peer_leave(&s);
}

/* A notification could not say them. */
static void tokens_that_are_none_are_ignored(void **state)
{
	static const char *const rows[] = {
		(TALK("") ",\"_meta\":{\"progressToken\":null}"),
		(TALK("") ",\"_meta\":{\"progressToken\":1.5}"),
		(TALK("") ",\"_meta\":{\"progressToken\":true}"),
		(TALK("") ",\"_meta\":{\"progressToken\":{}}"),
		(TALK("") ",\"_meta\":{\"progressToken\":[\"p\"]}"),
	};
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-06-18", "{}");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		peer_open(&s, &p, "tools/call", rows[i]);
		assert_int_equal(count(&s, "notifications/progress"), 0);
		peer_leave(&s);
	}
	peer_open(&s, &p, "tools/call", TALK("") ",\"_meta\":{\"progressToken\":0}");
	assert_true(count(&s, "notifications/progress") > 0);
	peer_leave(&s);
}

static void a_level_is_its_sessions(void **state)
{
	static const struct {
		const char *level;
		size_t messages;
	} rows[] = {
		{ NULL, 8 }, /* info, until the client says otherwise */
		{ LEVEL("debug"), 8 }, { LEVEL("info"), 8 },     { LEVEL("notice"), 4 },
		{ LEVEL("error"), 4 }, { LEVEL("critical"), 0 }, { LEVEL("info"), 8 },
	};
	_cleanup_peer_ struct peer p, other;
	struct peer_stream s;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-06-18", "{}");
	peer_begin(&other, &rig, rig.alice, "2025-06-18", "{}");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].level)
			set_level(&p, rows[i].level);
		peer_open(&s, &p, "tools/call", TALK(""));
		assert_int_equal(count(&s, "notifications/message"), rows[i].messages);
		peer_leave(&s);
		peer_open(&s, &other, "tools/call", TALK(""));
		assert_int_equal(count(&s, "notifications/message"), 8);
		peer_leave(&s);
	}
}

/* S-55 */
static void what_is_said_of_a_request_is_on_its_stream_alone(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s, standing;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-06-18", "{}");
	peer_listen(&standing, &p, NULL);
	peer_open(&s, &p, "tools/call", TALK("") TOKEN);
	assert_int_equal(count(&s, "notifications/progress"), 4);
	peer_leave(&s);
	/* The first that is heard there is this, which is on no other. */
	mcp_service_changed(rig.service, MCP_CHANGED_TOOLS, NULL);
	json_decref(peer_expect(&standing, "notifications/tools/list_changed"));
	assert_string_equal(standing.last_id, "1:1");
	peer_leave(&standing);
}

static void without_events_there_is_the_response_alone(void **state)
{
	_cleanup_peer_ struct peer p;
	char headers[256];

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", "{}");
	(void)snprintf(headers, sizeof headers,
		       "Content-Type: application/json\r\nAccept: application/json\r\n"
		       "Mcp-Session-Id: %s\r\n",
		       p.session);
	_cleanup_answer_ struct answer a =
		rig_post(&rig, rig.alice, headers,
			 "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\","
			 "\"params\":{" TALK("") TOKEN "}}");
	assert_int_equal(a.status, 200);
	assert_null(a.events);
	assert_int_equal(said(a.body), 3);
}

/* ---- Cancelling ---- */

static void with_events_alone_each_response_is_one(void **state)
{
	_cleanup_peer_ struct peer p;
	char headers[256];

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-06-18", "{}");
	_cleanup_answer_ struct answer a = rig_post(
		&rig, rig.alice,
		"Content-Type: application/json\r\nAccept: text/event-stream\r\n",
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"initialize\",\"params\":{"
		"\"protocolVersion\":\"2025-06-18\",\"capabilities\":{},"
		"\"clientInfo\":{\"name\":\"test\",\"version\":\"1\"}}}");
	assert_int_equal(a.status, 200);
	assert_non_null(strcasestr(a.head, "Mcp-Session-Id:"));
	assert_non_null(strcasestr(a.head, "Content-Type: text/event-stream"));
	assert_string_equal(json_get_string(answer_result(&a), "protocolVersion"),
			    "2025-06-18");
	(void)snprintf(headers, sizeof headers,
		       "Content-Type: application/json\r\nAccept: text/event-stream\r\n"
		       "Mcp-Session-Id: %s\r\n",
		       p.session);
	_cleanup_answer_ struct answer ping =
		rig_post(&rig, rig.alice, headers,
			 "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}");
	assert_non_null(strcasestr(ping.head, "Content-Type: text/event-stream"));
	assert_int_equal(json_object_size(answer_result(&ping)), 0);
	/* Nothing to say is no stream. */
	_cleanup_answer_ struct answer note = rig_post(
		&rig, rig.alice, headers,
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
	assert_int_equal(note.status, 202);
}

static void cancelled_ends_a_request(void **state)
{
	_cleanup_peer_ struct peer p, other;
	struct peer_stream s;
	static const char *const others[] = { CANCEL("\"7\""), CANCEL("8"),
					      CANCEL("null"), CANCEL("{}"),
					      CANCEL("7.0") };

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-11-25", "{}");
	peer_begin(&other, &rig, rig.alice, "2025-11-25", "{}");
	rig_remove(&rig, "noticed");
	peer_open(&s, &p, "tools/call", TALK("\"steps\":1000,\"gap_ms\":10") TOKEN);
	json_decref(peer_expect(&s, "notifications/progress"));
	/* Neither what is no id of it, nor anybody else. */
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_answer_ struct answer a = peer_post(&p, others[i]);
		assert_int_equal(a.status, 202);
	}
	_cleanup_answer_ struct answer theirs = peer_post(&other, CANCEL("7"));
	assert_int_equal(theirs.status, 202);
	_cleanup_answer_ struct answer none = peer_post(
		&p, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}");
	assert_int_equal(none.status, 202);
	for (int i = 0; i < 4; i++)
		json_decref(peer_next(&s));
	assert_false(rig_has(&rig, "noticed"));
	_cleanup_answer_ struct answer a = peer_post(&p, CANCEL("7"));
	assert_int_equal(a.status, 202);
	rig_wait_for(&rig, "noticed");
	/* What was said before is read, a response is not. */
	json_t *message;
	while ((message = peer_next(&s))) {
		assert_non_null(json_object_get(message, "method"));
		json_decref(message);
	}
	peer_leave(&s);
	_cleanup_answer_ struct answer late = peer_post(&p, CANCEL("7"));
	assert_int_equal(late.status, 202);
}

static void cancelled_without_a_word_is_no_response_either(void **state)
{
	_cleanup_peer_ struct peer p;
	_cleanup_close_ int fd = -1;
	_cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
	char headers[256], piece[1024];
	ssize_t n;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-06-18", "{}");
	set_level(&p, LEVEL("emergency"));
	rig_remove(&rig, "noticed");
	(void)snprintf(headers, sizeof headers,
		       "Content-Type: application/json\r\nMcp-Session-Id: %s\r\n",
		       p.session);
	fd = rig_open_post(&rig, rig.alice, headers,
			   "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/call\","
			   "\"params\":{" TALK("\"steps\":1000,\"gap_ms\":10") "}}");
	/* It may not have begun. */
	while (!rig_has(&rig, "noticed")) {
		_cleanup_answer_ struct answer a = peer_post(&p, CANCEL("\"a\""));
		assert_int_equal(a.status, 202);
		nap();
	}
	while ((n = recv(fd, piece, sizeof piece, 0)) > 0)
		strbuf_add(&all, piece, (size_t)n);
	_cleanup_answer_ struct answer a = answer_read(&all);
	assert_int_equal(a.status, 200);
	assert_non_null(strcasestr(a.head, "Content-Type: text/event-stream"));
	assert_null(a.body);
	assert_null(strstr(a.text, "data"));
}

/* S-56 */
static void leaving_cancels_nothing(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s, again;

	(void)state;
	peer_begin(&p, &rig, rig.alice, "2025-06-18", "{}");
	set_level(&p, LEVEL("emergency"));
	rig_remove(&rig, "noticed");
	peer_open(&s, &p, "tools/call", TALK("\"steps\":12,\"gap_ms\":20") TOKEN);
	json_decref(peer_expect(&s, "notifications/progress"));
	peer_leave(&s);
	peer_listen(&again, &p, s.last_id);
	json_auto_t *next = peer_expect(&again, "notifications/progress");
	assert_int_equal(json_get_int64(json_object_get(next, "params"), "progress", -1),
			 1);
	json_auto_t *response = peer_response(&again);
	assert_int_equal(said(response), 12);
	peer_expect_end(&again);
	peer_leave(&again);
	assert_false(rig_has(&rig, "noticed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_revision_hears_in_its_words),
		cmocka_unit_test(who_asks_for_nothing_hears_no_progress),
		cmocka_unit_test(tokens_that_are_none_are_ignored),
		cmocka_unit_test(a_level_is_its_sessions),
		cmocka_unit_test(what_is_said_of_a_request_is_on_its_stream_alone),
		cmocka_unit_test(without_events_there_is_the_response_alone),
		cmocka_unit_test(with_events_alone_each_response_is_one),
		cmocka_unit_test(cancelled_ends_a_request),
		cmocka_unit_test(cancelled_without_a_word_is_no_response_either),
		cmocka_unit_test(leaving_cancels_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
