/* HTTP+SSE of 2024-11-05, by raw sockets; and our own client with all that sessions have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "fixture/peer.h"
#include "mcp/client/client.h"
#include "mcp/session_private.h"

#define REQUEST(id, method, params)                                                      \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method                        \
	"\",\"params\":{" params "}}"
#define NAME "{\"action\":\"accept\",\"content\":{\"name\":\"Ada\"}}"
#define SAMPLE                                                                           \
	"{\"role\":\"assistant\",\"model\":\"m\",\"content\":{\"type\":\"text\","        \
	"\"text\":"                                                                      \
	"\"Paris\"}}"

static struct rig rig;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	conform_free(rig.conform);
	rig.conform = NULL;
	rig_config(&rig, "freed_reads: [echo_text, talk_slowly, test_question]\n"
			 "freed_resources: ['fixture://text']\n"
			 "audit_freed_reads: false\nlimits: {body_bytes: 65536}\n");
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

static struct answer send_raw(const char *line, const char *headers, const char *body)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_format(&text,
			  "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s"
			  "Content-Length: %zu\r\n\r\n%s",
			  line, headers, strlen(body), body);
	return rig_send_raw(&rig, text.data, text.length);
}

static struct answer send_as(const struct secret *who, const char *line, const char *more,
			     const char *body)
{
	char headers[512];

	(void)snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n%s",
		       (const char *)secret_bytes(who), more);
	return send_raw(line, headers, body);
}

static void accept_post(const struct peer *p, const char *body)
{
	_cleanup_answer_ struct answer a = peer_post(p, body);

	assert_int_equal(a.status, 202);
	assert_string_equal(a.text, "");
}

static void nap(void)
{
	const struct timespec time = { .tv_nsec = 5 * 1000 * 1000 };

	(void)nanosleep(&time, NULL);
}

static int64_t id_of(const json_t *message)
{
	return json_get_int64(message, "id", -1);
}

/* ---- The transport ---- */

static void a_session_is_its_stream(void **state)
{
	static const char *const versions[] = { "2024-11-05", "2025-03-26", "2025-06-18",
						"2025-11-25" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		_cleanup_peer_ struct peer p;
		struct peer_stream s;

		peer_begin_sse(&p, &s, &rig, rig.alice, versions[i], "{}");
		accept_post(&p, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
				"initialized\"}");
		accept_post(&p, REQUEST("1", "ping", ""));
		json_auto_t *ping = peer_next(&s);
		assert_int_equal(id_of(ping), 1);
		accept_post(&p, REQUEST("2", "tools/list", ""));
		json_auto_t *list = peer_next(&s);
		assert_int_equal(id_of(list), 2);
		accept_post(&p, REQUEST("3", "tools/call",
					"\"name\":\"echo_text\",\"arguments\":{\"text\":"
					"\"hi\"}"));
		json_auto_t *call = peer_next(&s);
		assert_int_equal(id_of(call), 3);
		assert_non_null(json_object_get(call, "result"));
		accept_post(&p, REQUEST("4", "tools/fly", ""));
		json_auto_t *error = peer_next(&s);
		assert_int_equal(
			json_get_int64(json_object_get(error, "error"), "code", 0),
			-32601);
		/* 403 of HTTP is said in band: it was accepted already. */
		accept_post(&p, REQUEST("5", "initialize",
					"\"protocolVersion\":\"2024-11-05\""));
		json_auto_t *twice = peer_next(&s);
		assert_non_null(json_object_get(twice, "error"));
		assert_int_equal(s.primings, 0);
		assert_string_equal(s.last_id, "");
		peer_leave(&s);
		/* And with it, it is gone. */
		for (int status = 202; status != 404; nap()) {
			_cleanup_answer_ struct answer a =
				peer_post(&p, REQUEST("9", "ping", ""));
			status = a.status;
			assert_true(status == 202 || status == 404);
		}
	}
}

static void it_begins_with_initialize(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_connect(&p, &s, &rig, rig.alice);
	accept_post(&p, REQUEST("1", "ping", ""));
	json_auto_t *ping = peer_next(&s);
	assert_non_null(json_object_get(ping, "result"));
	accept_post(&p, REQUEST("2", "tools/list", ""));
	json_auto_t *early = peer_next(&s);
	assert_int_equal(json_get_int64(json_object_get(early, "error"), "code", 0),
			 -32600);
	peer_leave(&s);
}

static void messages_and_questions_come_on_it(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin_sse(&p, &s, &rig, rig.alice, "2025-06-18", PEER_ALL);
	accept_post(&p, REQUEST("1", "logging/setLevel", "\"level\":\"error\""));
	json_decref(peer_next(&s));
	accept_post(&p, REQUEST("2", "tools/call",
				"\"name\":\"talk_slowly\",\"arguments\":{\"away\":true},"
				"\"_meta\":{\"progressToken\":7}"));
	for (int i = 0; i <= 3; i++) {
		json_decref(peer_expect(&s, "notifications/progress"));
		json_decref(peer_expect(&s, "notifications/message"));
	}
	json_auto_t *said = peer_next(&s);
	assert_int_equal(id_of(said), 2);

	accept_post(&p, REQUEST("3", "tools/call",
				"\"name\":\"test_question\",\"arguments\":{\"kind\":"
				"\"two\"}"));
	json_auto_t *form = peer_expect(&s, "elicitation/create");
	peer_answer(&p, form, NAME);
	json_auto_t *sample = peer_expect(&s, "sampling/createMessage");
	peer_answer(&p, sample, SAMPLE);
	json_auto_t *heard = peer_next(&s);
	assert_int_equal(id_of(heard), 3);

	accept_post(&p, REQUEST("4", "tools/call",
				"\"name\":\"test_question\",\"arguments\":{\"kind\":"
				"\"form\"}"));
	json_auto_t *open = peer_expect(&s, "elicitation/create");
	accept_post(&p, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
			"\"params\":{\"requestId\":4}}");
	json_auto_t *gone = peer_expect(&s, "notifications/cancelled");
	assert_string_equal(json_get_string(json_object_get(gone, "params"), "requestId"),
			    json_get_string(open, "id"));

	accept_post(&p,
		    REQUEST("5", "resources/subscribe", "\"uri\":\"fixture://text\""));
	json_auto_t *subscribed = peer_next(&s);
	assert_int_equal(id_of(subscribed), 5); /* and not 4 */
	mcp_service_changed(rig.service, MCP_CHANGED_RESOURCE, "fixture://text");
	json_decref(peer_expect(&s, "notifications/resources/updated"));
	peer_leave(&s);
}

static void batches_are_answered_one_by_one(void **state)
{
	static const char batch[] = "[" REQUEST("1", "ping", "") ",7," REQUEST(
		"2", "initialize", "\"protocolVersion\":\"2025-03-26\"") "]";
	_cleanup_peer_ struct peer p, old;
	_cleanup_strbuf_ struct strbuf many = STRBUF_INIT;
	struct peer_stream s;

	(void)state;
	peer_begin_sse(&p, &s, &rig, rig.alice, "2025-03-26", "{}");
	accept_post(&p, batch);
	json_auto_t *ping = peer_next(&s);
	assert_int_equal(id_of(ping), 1);
	/* The schema has no word for it: PROTOCOL 10.13. */
	struct conform *official = TAKE(p.conform);
	json_auto_t *odd = peer_next(&s);
	p.conform = official;
	assert_true(json_is_null(json_object_get(odd, "id")));
	json_auto_t *twice = peer_next(&s);
	assert_int_equal(id_of(twice), 2);
	assert_non_null(json_object_get(twice, "error"));
	for (size_t extra = 0; extra < 2; extra++) {
		strbuf_clear(&many);
		for (size_t i = 0; i < LEGACY_BATCH_MAX + extra; i++)
			strbuf_add_format(&many, "%s%s", i ? "," : "[",
					  REQUEST("1", "ping", ""));
		strbuf_add_char(&many, ']');
		_cleanup_answer_ struct answer a = peer_post(&p, many.data);
		assert_int_equal(a.status, extra ? 400 : 202);
	}
	_cleanup_answer_ struct answer empty = peer_post(&p, "[]");
	assert_int_equal(empty.status, 400);
	peer_leave(&s);
	peer_begin_sse(&old, &s, &rig, rig.alice, "2024-11-05", "{}");
	_cleanup_answer_ struct answer none = peer_post(&old, batch);
	assert_int_equal(none.status, 400);
	peer_leave(&s);
}

/* ---- Whom it is for ---- */

static void strangers_get_nothing(void **state)
{
	static const struct {
		const char *line, *headers, *body;
		int status;
	} rows[] = {
		{ "GET /sse", "Accept: application/json\r\n", "", 406 },
		{ "POST /sse", "Content-Type: application/json\r\n", "{}", 405 },
		{ "DELETE /sse", "", "", 405 },
		{ "GET /messages", "", "", 405 },
		{ "DELETE /messages", "", "", 405 },
		{ "POST /messages", "Content-Type: application/json\r\n",
		  REQUEST("1", "ping", ""), 400 },
		{ "POST /messages?sessionId=gone", "Content-Type: application/json\r\n",
		  REQUEST("1", "ping", ""), 404 },
		{ "POST /messages?sessionId=", "Content-Type: application/json\r\n",
		  REQUEST("1", "ping", ""), 404 },
		{ "POST /messages?sessionId=gone", "Content-Type: text/plain\r\n",
		  REQUEST("1", "ping", ""), 415 },
		{ "GET /sse", "Origin: http://evil.example\r\n", "", 403 },
		{ "POST /messages?sessionId=gone",
		  "Content-Type: application/json\r\nOrigin: http://evil.example\r\n",
		  REQUEST("1", "ping", ""), 403 },
		{ "GET /sse/", "", "", 404 },
		{ "GET /messages/", "", "", 404 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_answer_ struct answer a =
			send_as(rig.alice, rows[i].line, rows[i].headers, rows[i].body);
		if (a.status != rows[i].status)
			fail_msg("%s %s: %d", rows[i].line, rows[i].headers, a.status);
	}
	_cleanup_answer_ struct answer nobody =
		send_raw("GET /sse", "Accept: text/event-stream\r\n", "");
	assert_int_equal(nobody.status, 401);
	_cleanup_answer_ struct answer post =
		send_raw("POST /messages?sessionId=gone",
			 "Content-Type: application/json\r\n", REQUEST("1", "ping", ""));
	assert_int_equal(post.status, 401);
	_cleanup_answer_ struct answer gate =
		send_as(rig.gate, "GET /sse", "Accept: text/event-stream\r\n", "");
	assert_int_equal(gate.status, 400);
}

static void the_endpoint_is_its_principals(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;
	char line[256], header[160];

	(void)state;
	peer_begin_sse(&p, &s, &rig, rig.alice, "2024-11-05", "{}");
	(void)snprintf(line, sizeof line, "POST %s", p.endpoint);
	_cleanup_answer_ struct answer theirs =
		send_as(rig.bob, line, "Content-Type: application/json\r\n",
			REQUEST("1", "ping", ""));
	assert_int_equal(theirs.status, 404);
	/* Each transport has its own sessions. */
	(void)snprintf(header, sizeof header,
		       "Content-Type: application/json\r\nMcp-Session-Id: %s\r\n",
		       strchr(p.endpoint, '=') + 1);
	_cleanup_answer_ struct answer other =
		send_as(rig.alice, "POST /mcp", header, REQUEST("1", "ping", ""));
	assert_int_equal(other.status, 404);
	_cleanup_answer_ struct answer delete =
		send_as(rig.alice, "DELETE /mcp", header, "");
	assert_int_equal(delete.status, 404);
	_cleanup_peer_ struct peer http;
	peer_begin(&http, &rig, rig.alice, "2025-06-18", "{}");
	(void)snprintf(line, sizeof line, "POST /messages?sessionId=%s", http.session);
	_cleanup_answer_ struct answer mixed =
		send_as(rig.alice, line, "Content-Type: application/json\r\n",
			REQUEST("1", "ping", ""));
	assert_int_equal(mixed.status, 404);
	/* What is no message is refused at once. */
	_cleanup_answer_ struct answer broken = peer_post(&p, "{");
	assert_int_equal(broken.status, 400);
	_cleanup_answer_ struct answer shape = peer_post(&p, "{\"a\":1}");
	assert_int_equal(shape.status, 400);
	_cleanup_strbuf_ struct strbuf long_one = STRBUF_INIT;
	strbuf_add_string(&long_one, REQUEST("1", "ping", ""));
	while (long_one.length <= 65536)
		strbuf_add_char(&long_one, ' ');
	_cleanup_answer_ struct answer big = peer_post(&p, long_one.data);
	assert_int_equal(big.status, 413);
	peer_leave(&s);
}

static void sessions_of_it_count_too(void **state)
{
	struct peer p[SESSIONS_PER_CLIENT_MAX];
	struct peer_stream s[SESSIONS_PER_CLIENT_MAX];

	(void)state;
	/* Those of earlier tests end with their connections. */
	while (sessions_count(rig.service->sessions) > 0) {
		(void)sessions_sweep(rig.service->sessions, INT64_MAX / 2);
		nap();
	}
	for (size_t i = 0; i < SESSIONS_PER_CLIENT_MAX; i++)
		peer_connect(&p[i], &s[i], &rig, rig.bob);
	_cleanup_answer_ struct answer more =
		send_as(rig.bob, "GET /sse", "Accept: text/event-stream\r\n", "");
	assert_int_equal(more.status, 503);
	for (size_t i = 0; i < SESSIONS_PER_CLIENT_MAX; i++)
		peer_leave(&s[i]);
}

/* ---- Our own client ---- */

struct heard {
	atomic_int notifications, questions;
};

static void on_notification(void *context, const char *method, const json_t *params)
{
	struct heard *h = context;

	(void)method;
	(void)params;
	(void)atomic_fetch_add(&h->notifications, 1);
}

static json_t *parse(const char *text)
{
	struct error err = ERROR_INIT;

	return json_parse(text, strlen(text), JSON_SYNTAX, &err);
}

static json_t *on_form(void *context, const json_t *params, struct error *err)
{
	struct heard *h = context;

	(void)params;
	(void)err;
	(void)atomic_fetch_add(&h->questions, 1);
	return parse(NAME);
}

static json_t *on_sample(void *context, const json_t *params, struct error *err)
{
	struct heard *h = context;

	(void)params;
	(void)err;
	(void)atomic_fetch_add(&h->questions, 1);
	return parse(SAMPLE);
}

static void it_answers(struct mcp_client *c, const char *tool, const char *arguments)
{
	const struct mcp_client_call call = { .tool = tool,
					      .arguments = arguments,
					      .timeout_ms = 15000 };
	struct error err = ERROR_INIT;
	json_auto_t *result = mcp_client_call(c, &call, NULL, &err);

	if (!result || json_is_true(json_object_get(result, "isError")))
		fail_msg("%s: %s", tool, result ? "isError" : err.message);
}

static void our_client_speaks_every_revision(void **state)
{
	static const struct {
		const char *path, *version, *question;
		int questions;
	} rows[] = {
		{ "sse", "2024-11-05", "{\"kind\":\"sample\"}", 1 },
		{ "sse", "2025-06-18", "{\"kind\":\"both\"}", 2 },
		{ "mcp", "2025-03-26", "{\"kind\":\"sample\"}", 1 },
		{ "mcp", "2025-06-18", "{\"kind\":\"two\"}", 2 },
		{ "mcp", "2025-11-25", "{\"kind\":\"both\"}", 2 },
	};
	struct error err = ERROR_INIT;
	struct http_client *http = http_client_new("test", &err);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct heard heard = { 0 };
		char url[64];
		const struct mcp_client_options options = {
			.url = url,
			.token = rig.alice,
			.http = http,
			.name = "test",
			.log_level = "error",
			.legacy_version = rows[i].version,
			.era = MCP_ERA_LEGACY,
			.hooks = { .context = &heard,
				   .notification = on_notification,
				   .elicit_form = on_form,
				   .sample = on_sample },
		};

		(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/%s", rig.port,
			       rows[i].path);
		struct mcp_client *c = mcp_client_open(&options, &err);
		assert_non_null(c);
		json_auto_t *found = mcp_client_discover(c, 15000, &err);
		if (!found)
			fail_msg("%s: %s", rows[i].version, err.message);
		const char *version = json_string_value(
			json_array_get(json_object_get(found, "supportedVersions"), 0));
		assert_string_equal(version, rows[i].version);
		it_answers(c, "talk_slowly", "{\"steps\":2}");
		assert_true(atomic_load(&heard.notifications) >= 3);
		it_answers(c, "test_question", rows[i].question);
		assert_int_equal(atomic_load(&heard.questions), rows[i].questions);
		mcp_client_free(c);
	}
	http_client_free(http);
}

static void stopping_ends_it(void **state)
{
	_cleanup_peer_ struct peer p;
	struct peer_stream s;

	(void)state;
	peer_begin_sse(&p, &s, &rig, rig.alice, "2024-11-05", "{}");
	accept_post(&p, REQUEST("1", "tools/call",
				"\"name\":\"talk_slowly\",\"arguments\":{\"steps\":5},"
				"\"_meta\":{\"progressToken\":7}"));
	json_decref(peer_next(&s));
	mcp_service_stop(rig.service, 10000);
	/* What had begun is answered. */
	json_auto_t *response = peer_response(&s);
	assert_int_equal(id_of(response), 1);
	peer_expect_end(&s);
	peer_leave(&s);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_its_stream),
		cmocka_unit_test(it_begins_with_initialize),
		cmocka_unit_test(messages_and_questions_come_on_it),
		cmocka_unit_test(batches_are_answered_one_by_one),
		cmocka_unit_test(strangers_get_nothing),
		cmocka_unit_test(the_endpoint_is_its_principals),
		cmocka_unit_test(sessions_of_it_count_too),
		cmocka_unit_test(our_client_speaks_every_revision),
		cmocka_unit_test(stopping_ends_it),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
