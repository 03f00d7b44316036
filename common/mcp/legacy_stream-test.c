/* What is said about a request of a session before its response; cancelling; coming back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "fixture/peer.h"
#include "mcp/serving.h"

#define TALK(arguments) "\"name\":\"talk_slowly\",\"arguments\":{" arguments "}"
#define TOKEN           ",\"_meta\":{\"progressToken\":\"p\"}"
#define LEVEL(level)    "\"level\":\"" level "\""
#define CANCEL(id)                                                                       \
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"       \
	"\"requestId\":" id "}}"

static struct rig rig;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	/* That judges by the newest revision; here it is each by its own. */
	conform_free(rig.conform);
	rig.conform = NULL;
	rig_config(&rig, "freed_reads: [echo_text, talk_slowly]\n"
			 "audit_freed_reads: false\nlimits: {calls_per_caller: 8}\n");
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

static void set_level(const struct peer *p, const char *params)
{
	_cleanup_answer_ struct answer a = peer_ask(p, "logging/setLevel", params);

	assert_int_equal(a.status, 200);
}

static int64_t said(const json_t *response)
{
	const json_t *result = json_object_get(response, "result");

	return json_get_int64(json_object_get(result, "structuredContent"), "said", -1);
}

/* Reads to the end: how many of this notification, and that the response came last. */
static size_t count(struct peer_stream *s, const char *method)
{
	json_t *message, *last = NULL;
	size_t found = 0;

	while ((message = peer_next(s))) {
		found += strcmp(json_get_string(message, "method") ?: "", method) == 0;
		json_decref(last);
		last = message;
	}
	assert_int_equal(json_get_int64(last, "id", 0), 7);
	assert_non_null(json_object_get(last, "result"));
	json_decref(last);
	return found;
}

static int resume(const struct peer *p, const char *id)
{
	char headers[160];

	(void)snprintf(headers, sizeof headers,
		       "Accept: text/event-stream\r\nLast-Event-ID: %s\r\n", id);
	_cleanup_answer_ struct answer a = peer_verb(p, "GET", headers);
	return a.status;
}

static void nap(void)
{
	const struct timespec time = { .tv_nsec = 5 * 1000 * 1000 };

	(void)nanosleep(&time, NULL);
}

/* Every request has been answered, to somebody or to nobody. */
static void wait_until_idle(void)
{
	while (atomic_load(&rig.service->metrics.in_flight) > 0)
		nap();
}

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

/* ---- Coming back ---- */

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
	wait_until_idle();
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
	wait_until_idle();
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
		cmocka_unit_test(every_revision_hears_in_its_words),
		cmocka_unit_test(who_asks_for_nothing_hears_no_progress),
		cmocka_unit_test(a_level_is_its_sessions),
		cmocka_unit_test(what_is_said_of_a_request_is_on_its_stream_alone),
		cmocka_unit_test(without_events_there_is_the_response_alone),
		cmocka_unit_test(cancelled_ends_a_request),
		cmocka_unit_test(cancelled_without_a_word_is_no_response_either),
		cmocka_unit_test(leaving_cancels_nothing),
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
