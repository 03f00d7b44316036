#include "slack/socket/frame.h"

#include "base/file.h"
#include "base/testing.h"

static bool reads(const char *text, struct socket_frame *f)
{
	struct error err = ERROR_INIT;
	const bool good = socket_frame_read(text, strlen(text), f, &err);

	assert_true(good || err.code == ERR_INVALID_ARGUMENT);
	return good;
}

static void hello_and_disconnect(void **state)
{
	static const struct {
		const char *text;
		enum socket_reason reason;
	} rows[] = {
		{ "{\"type\":\"disconnect\",\"reason\":\"warning\"}", SOCKET_WARNING },
		{ "{\"type\":\"disconnect\",\"reason\":\"refresh_requested\"}",
		  SOCKET_REFRESH },
		{ "{\"type\":\"disconnect\",\"reason\":\"link_disabled\"}",
		  SOCKET_DISABLED },
		{ "{\"type\":\"disconnect\",\"reason\":\"too_many_websockets\"}",
		  SOCKET_TOO_MANY },
		{ "{\"type\":\"disconnect\",\"reason\":\"of tomorrow\"}",
		  SOCKET_REFRESH },
		{ "{\"type\":\"disconnect\",\"reason\":7}", SOCKET_REFRESH },
		{ "{\"type\":\"disconnect\"}", SOCKET_REFRESH },
	};
	struct socket_frame f;

	(void)state;
	assert_true(reads("{\"type\":\"hello\",\"num_connections\":1,"
			  "\"connection_info\":{\"app_id\":\"A0WINGMAN1\"}}",
			  &f));
	assert_int_equal(f.kind, SOCKET_FRAME_HELLO);
	assert_string_equal(f.app, "A0WINGMAN1");
	assert_true(reads("{\"type\":\"hello\"}", &f));
	assert_string_equal(f.app, "");
	assert_false(reads(
		"{\"type\":\"hello\",\"connection_info\":{\"app_id\":\"A B\"}}", &f));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(reads(rows[i].text, &f));
		assert_int_equal(f.kind, SOCKET_FRAME_DISCONNECT);
		assert_int_equal(f.reason, rows[i].reason);
		assert_string_equal(f.envelope, "");
	}
}

static void envelopes(void **state)
{
	static const struct {
		const char *type;
		enum slack_delivery delivery;
	} rows[] = { { "events_api", SLACK_EVENT },
		     { "interactive", SLACK_INTERACTION },
		     { "slash_commands", SLACK_COMMAND } };
	char text[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_socket_frame_ struct socket_frame f = { 0 };

		(void)snprintf(text, sizeof text,
			       "{\"envelope_id\":\"e-1\",\"type\":\"%s\","
			       "\"accepts_response_payload\":%s,\"retry_attempt\":2,"
			       "\"payload\":{\"a\":1}}",
			       rows[i].type, i ? "true" : "false");
		assert_true(reads(text, &f));
		assert_int_equal(f.kind, SOCKET_FRAME_ENVELOPE);
		assert_int_equal(f.delivery, rows[i].delivery);
		assert_string_equal(f.envelope, "e-1");
		assert_int_equal(f.takes_payload, i > 0);
		assert_int_equal(f.attempt, 2);
		assert_int_equal(json_get_int64(f.payload, "a", 0), 1);
	}
}

static void what_is_none(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"\"hello\"",
		"null",
		"{}",
		"{\"type\":1}",
		"{\"type\":\"events_api\"}",
		"{\"type\":\"events_api\",\"payload\":{}}",
		"{\"type\":\"events_api\",\"payload\":[],\"envelope_id\":\"e\"}",
		"{\"type\":\"events_api\",\"payload\":{},\"envelope_id\":7}",
		"{\"type\":\"events_api\",\"payload\":{},\"envelope_id\":null}",
		"{\"type\":\"events_api\",\"payload\":{},\"envelope_id\":\"\"}",
		"{\"type\":\"events_api\",\"payload\":{},\"envelope_id\":\"a\\\"b\"}",
		"{\"type\":\"events_api\",\"payload\":{},\"envelope_id\":\"a\\u0000b\"}",
		"{\"type\":\"hello\",\"type\":\"events_api\"}",
		("{\"type\":\"events_api\",\"payload\":{\"a\":1,\"a\":2},"
		 "\"envelope_id\":\"e\"}"),
		"{\"type\":\"events_api\",\"payload\":{},\"envelope_id\":\"e\"} {}",
		"{\"type\":\"hello\xff\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_socket_frame_ struct socket_frame f = { 0 };

		if (reads(bad[i], &f))
			fail_msg("taken: %s", bad[i]);
	}
}

static void what_is_not_known_can_be_acknowledged(void **state)
{
	struct socket_frame f;

	(void)state;
	assert_true(
		reads("{\"type\":\"new\",\"envelope_id\":\"e-9\",\"payload\":{}}", &f));
	assert_int_equal(f.kind, SOCKET_FRAME_UNKNOWN);
	assert_string_equal(f.envelope, "e-9");
	assert_null(f.payload);
	assert_true(reads("{\"type\":\"new\"}", &f));
	assert_string_equal(f.envelope, "");
}

/* An envelope of 'length' bytes with an id of 'id' bytes. */
static bool reads_long(size_t length, size_t id)
{
	static char text[SOCKET_FRAME_MAX + 2];
	_cleanup_socket_frame_ struct socket_frame f = { 0 };
	struct error err = ERROR_INIT;
	const int begin = snprintf(
		text, sizeof text,
		"{\"type\":\"interactive\",\"payload\":{},\"envelope_id\":\"%.*s\"}",
		(int)id,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");

	if (length < (size_t)begin)
		length = (size_t)begin;
	memset(text + begin, ' ', length - (size_t)begin);
	return socket_frame_read(text, length, &f, &err);
}

static void lengths(void **state)
{
	(void)state;
	assert_true(reads_long(SOCKET_FRAME_MAX, 1));
	assert_false(reads_long(SOCKET_FRAME_MAX + 1, 1));
	assert_true(reads_long(0, SLACK_ID_BYTES - 1));
	assert_false(reads_long(0, SLACK_ID_BYTES));
}

static void answers(void **state)
{
	struct socket_frame f = { .envelope = "e-1" };
	json_auto_t *payload = json_pack("{s:s}", "text", "\"\n");
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(socket_frame_answer(&f, payload, &sb, &err));
	assert_string_equal(sb.data, "{\"envelope_id\":\"e-1\"}");
	strbuf_clear(&sb);
	f.takes_payload = true;
	assert_true(socket_frame_answer(&f, NULL, &sb, &err));
	assert_string_equal(sb.data, "{\"envelope_id\":\"e-1\"}");
	strbuf_clear(&sb);
	assert_true(socket_frame_answer(&f, payload, &sb, &err));
	assert_string_equal(
		sb.data, "{\"envelope_id\":\"e-1\",\"payload\":{\"text\":\"\\\"\\n\"}}");
}

static void an_answer_has_a_limit(void **state)
{
	static char text[SOCKET_ACK_MAX];
	const size_t around =
		strlen("{\"envelope_id\":\"e-1\",\"payload\":{\"t\":\"\"}}");

	(void)state;
	memset(text, 'x', sizeof text);
	for (size_t over = 0; over < 2; over++) {
		struct socket_frame f = { .envelope = "e-1", .takes_payload = true };
		json_auto_t *payload =
			json_pack("{s:s%}", "t", text, SOCKET_ACK_MAX - around + over);
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		struct error err = ERROR_INIT;

		assert_int_equal(socket_frame_answer(&f, payload, &sb, &err), over == 0);
		assert_int_equal(sb.length, over ? 0 : SOCKET_ACK_MAX);
	}
}

/* ---- The frames that stand beside the project ------------------------------------- */

static json_t *load(const char *name)
{
	const char *source = getenv("WINGMAN_SOURCE");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	char path[1024];
	json_t *value;

	(void)snprintf(path, sizeof path, "%s/../shared/slack/fixtures/%s",
		       source ? source : ".", name);
	if (!file_exists(path))
		return NULL;
	assert_true(file_read(path, SOCKET_FRAME_MAX, &text, &err));
	value = json_parse(text.data, text.length, JSON_SYNTAX, &err);
	testing_no_error(&err);
	return value;
}

static bool reads_fixture(const char *name, struct socket_frame *f)
{
	json_auto_t *frame = load(name);
	_cleanup_free_ char *text = frame ? json_dumps(frame, JSON_COMPACT) : NULL;

	if (!text) {
		print_message("# no %s: it is not asked\n", name);
		return false;
	}
	assert_true(reads(text, f));
	return true;
}

static void fixtures_of_the_connection(void **state)
{
	static const struct {
		const char *name;
		enum socket_reason reason;
	} rows[] = {
		{ "socket_disconnect_warning.json", SOCKET_WARNING },
		{ "socket_disconnect_refresh_requested.json", SOCKET_REFRESH },
		{ "socket_disconnect_link_disabled.json", SOCKET_DISABLED },
		{ "socket_disconnect_too_many_websockets.json", SOCKET_TOO_MANY },
	};
	struct socket_frame f;

	(void)state;
	if (reads_fixture("socket_hello.json", &f)) {
		assert_int_equal(f.kind, SOCKET_FRAME_HELLO);
		assert_string_equal(f.app, "A0WINGMAN1");
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (reads_fixture(rows[i].name, &f)) {
			assert_int_equal(f.kind, SOCKET_FRAME_DISCONNECT);
			assert_int_equal(f.reason, rows[i].reason);
		}
}

/* What we acknowledge each with is what stands beside it. */
static void fixtures_of_answers(void **state)
{
	static const struct {
		const char *frame, *answer;
	} rows[] = {
		{ "socket_events_api_app_mention.json", "socket_ack_plain.json" },
		{ "socket_slash_commands.json", "socket_ack_slash_command.json" },
		{ "socket_interactive_view_submission.json",
		  "socket_ack_view_errors.json" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_auto_t *wanted = load(rows[i].answer);
		_cleanup_socket_frame_ struct socket_frame f = { .payload = NULL };
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		struct error err = ERROR_INIT;
		json_auto_t *got = NULL;

		if (!wanted || !reads_fixture(rows[i].frame, &f))
			continue;
		assert_int_equal(f.kind, SOCKET_FRAME_ENVELOPE);
		assert_true(socket_frame_answer(&f, json_object_get(wanted, "payload"),
						&text, &err));
		got = json_parse(text.data, text.length, JSON_SYNTAX, &err);
		testing_no_error(&err);
		assert_true(json_equal(got, wanted));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_and_disconnect),
		cmocka_unit_test(envelopes),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(what_is_not_known_can_be_acknowledged),
		cmocka_unit_test(lengths),
		cmocka_unit_test(answers),
		cmocka_unit_test(an_answer_has_a_limit),
		cmocka_unit_test(fixtures_of_the_connection),
		cmocka_unit_test(fixtures_of_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
