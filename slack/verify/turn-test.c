/* Who set something going, and where; and what sets nothing going. */
#include "slack/verify/turn.h"

#include "base/testing.h"
#include "slack/verify/signature.h"

static const char mention[] =
	"{\"type\":\"event_callback\",\"api_app_id\":\"A0W\",\"team_id\":\"T0A\","
	"\"is_ext_shared_channel\":false,\"event\":{\"type\":\"app_mention\","
	"\"user\":\"U0A\",\"text\":\"please\",\"ts\":\"17.000100\",\"team\":\"T0A\","
	"\"channel\":\"C0A\"}}";
static const char direct[] =
	"{\"type\":\"event_callback\",\"api_app_id\":\"A0W\",\"team_id\":\"T0A\","
	"\"event\":{\"type\":\"message\",\"channel_type\":\"im\",\"user\":\"U0A\","
	"\"text\":\"please\",\"ts\":\"17.2\",\"thread_ts\":\"17.1\",\"channel\":\"D0A\"}"
	"}";
static const char home[] =
	"{\"type\":\"event_callback\",\"api_app_id\":\"A0W\",\"team_id\":\"T0A\","
	"\"event\":{\"type\":\"app_home_opened\",\"user\":\"U0A\",\"channel\":\"D0A\","
	"\"tab\":\"home\"}}";
static const char command[] = "token=x&team_id=T0A&channel_id=C0A&user_id=U0A&"
			      "command=%2Fwingman&text=run+it&api_app_id=A0W";
static const char form[] = "payload=%7B%22type%22:%22view_submission%22,%22user%22:%7B"
			   "%22id%22:%22U0A%22%7D,%22team%22:%7B%22id%22:%22T0A%22%7D,"
			   "%22api_app_id%22:%22A0W%22,%22view%22:%7B%7D%7D";
static const char shortcut[] =
	"payload=%7B%22type%22:%22message_action%22,%22user%22:%7B"
	"%22id%22:%22U0A%22%7D,%22team%22:%7B%22id%22:%22T0A%22%7D,"
	"%22api_app_id%22:%22A0W%22,%22channel%22:%7B%22id%22:%22C0A%22%7D,"
	"%22message_ts%22:%2217.3%22%7D";

static bool read_turn(const char *body, struct slack_turn *ret, struct error *err)
{
	enum slack_delivery delivery;
	json_auto_t *payload = slack_payload_read(body, strlen(body), &delivery, err);

	return payload && slack_turn_of(payload, delivery, ret, err);
}

static void test_good(void **state)
{
	static const struct {
		const char *body;
		enum slack_turn_kind kind;
		const char *channel, *thread;
	} cases[] = {
		{ mention, SLACK_TURN_MENTION, "C0A", "17.000100" },
		{ direct, SLACK_TURN_DIRECT, "D0A", "17.1" },
		{ home, SLACK_TURN_HOME, "", "" },
		{ command, SLACK_TURN_COMMAND, "C0A", "" },
		{ form, SLACK_TURN_FORM, "", "" },
		{ shortcut, SLACK_TURN_SHORTCUT, "C0A", "17.3" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slack_turn t;
		struct error err = ERROR_INIT;

		if (!read_turn(cases[i].body, &t, &err))
			fail_msg("%zu: %s", i, err.message);
		assert_int_equal(t.kind, cases[i].kind);
		assert_string_equal(t.actor.user, "U0A");
		assert_string_equal(t.actor.team, "T0A");
		assert_string_equal(t.actor.app, "A0W");
		assert_string_equal(t.channel, cases[i].channel);
		assert_string_equal(t.thread, cases[i].thread);
		assert_false(t.is_shared);
	}
	assert_string_equal(slack_turn_name(SLACK_TURN_DIRECT), "direct");
	assert_string_equal(slack_turn_name(SLACK_TURN_KINDS), "?");
}

/* One thing in the text replaced. */
static bool read_changed(const char *body, const char *what, const char *with,
			 struct slack_turn *ret, struct error *err)
{
	const char *at = strstr(body, what);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	assert_non_null(at);
	strbuf_add(&text, body, (size_t)(at - body));
	strbuf_add_string(&text, with);
	strbuf_add_string(&text, at + strlen(what));
	return read_turn(text.data, ret, err);
}

static void test_nothing(void **state)
{
	static const struct {
		const char *body, *what, *with;
	} cases[] = {
		{ mention, "app_mention", "message" },
		{ mention, "app_mention", "member_joined_channel" },
		{ mention, "event_callback", "url_verification" },
		{ mention, "\"user\":\"U0A\",", "" },
		{ mention, "\"user\":\"U0A\"", "\"user\":\"U0A B\"" },
		{ mention, "\"user\":\"U0A\"", "\"user\":{\"id\":\"U0A\"}" },
		{ mention, "\"user\":\"U0A\"", "\"user\":\"U0A\",\"bot_id\":\"B0\"" },
		{ mention, "\"user\":\"U0A\"", "\"user\":\"U0A\",\"bot_profile\":{}" },
		{ mention, "\"user\":\"U0A\"",
		  "\"user\":\"U0A\",\"edited\":{\"ts\":\"1\"}" },
		{ mention, "\"user\":\"U0A\"", "\"user\":\"U0A\",\"hidden\":true" },
		{ mention, "\"user\":\"U0A\"",
		  "\"user\":\"U0A\",\"subtype\":\"message_changed\"" },
		{ mention, "\"team\":\"T0A\"", "\"team\":\"T0B\"" },
		{ mention, "\"team\":\"T0A\"", "\"team\":\"T0A\",\"user_team\":\"T0B\"" },
		{ mention, "\"team\":\"T0A\"", "\"source_team\":\"T0B\"" },
		{ mention, "\"team\":\"T0A\"", "\"user_profile\":{\"team\":\"T0B\"}" },
		{ mention, "\"team_id\":\"T0A\",", "" },
		{ mention, "\"api_app_id\":\"A0W\",", "" },
		{ mention, "\"channel\":\"C0A\"", "\"channel\":null" },
		{ mention, "\"ts\":\"17.000100\",", "" },
		{ direct, "\"im\"", "\"channel\"" },
		{ command, "user_id=U0A&", "" },
		{ command, "user_id=U0A", "user_id=U0A&user_id=U0B" },
		{ command, "channel_id=C0A&", "" },
		{ command, "command=", "command_=" },
		{ form, "view_submission", "view_closed" },
		{ form, "payload=", "payload=%7B%7D&payload=" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slack_turn t;
		struct error err = ERROR_INIT;

		if (read_changed(cases[i].body, cases[i].what, cases[i].with, &t, &err))
			fail_msg("with '%s' it is a turn", cases[i].with);
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	}
}

static void test_may_be(void **state)
{
	struct slack_turn t;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(read_changed(mention, "\"user\":\"U0A\"",
				 "\"user\":\"U0A\",\"subtype\":\"file_share\"", &t,
				 &err));
	assert_true(read_changed(mention, "\"is_ext_shared_channel\":false",
				 "\"is_ext_shared_channel\":true", &t, &err));
	assert_true(t.is_shared);
	assert_true(read_changed(mention, "\"is_ext_shared_channel\":false",
				 "\"is_ext_shared_channel\":\"perhaps\"", &t, &err));
	assert_true(t.is_shared);
}

/* --- payloads --- */

static void test_envelope(void **state)
{
	static const char frame[] = "{\"envelope_id\":\"e\",\"type\":\"events_api\","
				    "\"payload\":{\"b\":1,\"a\":[2]}}";
	static const char other[] = "{\"type\":\"events_api\",\"envelope_id\":\"f\","
				    "\"payload\":{\"a\":[2],\"b\":1}}";
	static const char *const none[] = {
		"{\"type\":\"hello\"}",
		"{\"type\":\"events_api\"}",
		"{\"type\":\"events_api\",\"payload\":[]}",
		"[]",
		"",
		"{\"type\":\"interactive\",\"payload\":null}"
	};
	enum slack_delivery delivery;
	struct error err = ERROR_INIT;
	char one[DIGEST_HEX_BYTES], two[DIGEST_HEX_BYTES];
	json_auto_t *a = slack_envelope_read(frame, sizeof frame - 1, &delivery, &err);
	json_auto_t *b = slack_envelope_read(other, sizeof other - 1, &delivery, &err);

	(void)state;
	testing_no_error(&err);
	assert_int_equal(delivery, SLACK_EVENT);
	assert_true(slack_payload_digest(a, one, &err));
	assert_true(slack_payload_digest(b, two, &err));
	assert_string_equal(one, two);
	(void)json_object_set_new(b, "b", json_integer(2));
	assert_true(slack_payload_digest(b, two, &err));
	assert_string_not_equal(one, two);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		assert_null(
			slack_envelope_read(none[i], strlen(none[i]), &delivery, &err));
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
		error_clear(&err);
	}
}

/* The longest that is read, and one more. */
static void test_length(void **state)
{
	char *body = malloc(SLACK_BODY_MAX + 2);
	enum slack_delivery delivery;
	struct error err = ERROR_INIT;
	json_t *payload;

	(void)state;
	assert_non_null(body);
	memset(body, ' ', SLACK_BODY_MAX + 1);
	body[0] = '{';
	body[SLACK_BODY_MAX - 1] = '}';
	payload = slack_payload_read(body, SLACK_BODY_MAX, &delivery, &err);
	testing_no_error(&err);
	json_decref(payload);
	assert_null(slack_payload_read(body, SLACK_BODY_MAX + 1, &delivery, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "too long");
	error_clear(&err);
	assert_null(slack_payload_read(body, 0, &delivery, &err));
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),   cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_may_be), cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests_name("slack-turn", tests, NULL, NULL);
}
