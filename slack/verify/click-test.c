/* A press is read; what is anything else, or contradicts itself, is not. */
#include "slack/verify/click.h"

#include "base/json.h"
#include "base/testing.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char on_message[] =
	"{\"type\":\"block_actions\",\"api_app_id\":\"A0WINGMAN1\","
	"\"team\":{\"id\":\"T0ACME\",\"domain\":\"acme\"},"
	"\"user\":{\"id\":\"U0ALICE001\",\"name\":\"alice\",\"team_id\":\"T0ACME\"},"
	"\"container\":{\"type\":\"message\",\"message_ts\":\"1795371200.000900\","
	"\"channel_id\":\"C0SECOPS01\",\"is_ephemeral\":false},"
	"\"channel\":{\"id\":\"C0SECOPS01\",\"name\":\"secops\"},"
	"\"message\":{\"text\":\"whatever it says\"},\"arguments\":{\"person\":\"root\"},"
	"\"actions\":[{\"type\":\"button\",\"action_id\":\"wingman.approve\","
	"\"block_id\":\"x\",\"value\":\"01k " SHA "\"}]}";
static const char in_review[] =
	"{\"type\":\"block_actions\",\"api_app_id\":\"A0WINGMAN1\",\"team\":null,"
	"\"user\":{\"id\":\"U0ALICE001\",\"team_id\":\"T0ACME\"},"
	"\"container\":{\"type\":\"view\",\"view_id\":\"V0A\"},"
	"\"view\":{\"id\":\"V0A\",\"private_metadata\":\"01k " SHA " 3\"},"
	"\"actions\":[{\"type\":\"button\",\"action_id\":\"wingman.approve\","
	"\"value\":\"01k " SHA "\"}]}";

static void encode(struct strbuf *sb, const char *text, size_t length)
{
	strbuf_add_string(sb, "payload=");
	for (size_t i = 0; i < length; i++) {
		if (text[i] == ' ')
			strbuf_add_char(sb, '+');
		else if (strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", text[i]) &&
			 text[i])
			strbuf_add_char(sb, text[i]);
		else
			strbuf_add_format(sb, "%%%02X", (unsigned char)text[i]);
	}
}

static bool read_text(const char *json, struct slack_click *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;

	encode(&body, json, strlen(json));
	return slack_click_read(body.data, body.length, ret, err);
}

static void test_message(void **state)
{
	struct slack_click c;
	struct error err = ERROR_INIT;

	(void)state;
	if (!read_text(on_message, &c, &err))
		fail_msg("%s", err.message);
	assert_int_equal(c.action, SLACK_APPROVE);
	assert_string_equal(c.user, "U0ALICE001");
	assert_string_equal(c.team, "T0ACME");
	assert_string_equal(c.app, "A0WINGMAN1");
	assert_string_equal(c.channel, "C0SECOPS01");
	assert_string_equal(c.message_ts, "1795371200.000900");
	assert_string_equal(c.view, "");
	assert_string_equal(c.approval, "01k");
	assert_string_equal(c.shown, SHA);
	assert_int_equal(c.page, 0);
}

static void test_review(void **state)
{
	struct slack_click c;
	struct error err = ERROR_INIT;

	(void)state;
	if (!read_text(in_review, &c, &err))
		fail_msg("%s", err.message);
	assert_int_equal(c.action, SLACK_APPROVE);
	assert_string_equal(c.team, "T0ACME");
	assert_string_equal(c.view, "V0A");
	assert_string_equal(c.channel, "");
	assert_int_equal(c.page, 3);
}

/* One thing in the text replaced. */
static void assert_refused(const char *json, const char *what, const char *with)
{
	const char *at = strstr(json, what);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct slack_click c;
	struct error err = ERROR_INIT;

	assert_non_null(at);
	strbuf_add(&text, json, (size_t)(at - json));
	strbuf_add_string(&text, with);
	strbuf_add_string(&text, at + strlen(what));
	if (read_text(text.data, &c, &err))
		fail_msg("with '%s' it is a click", with);
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
}

static const char why[] =
	"{\"type\":\"view_submission\",\"api_app_id\":\"A0WINGMAN1\",\"team\":null,"
	"\"user\":{\"id\":\"U0ALICE001\",\"team_id\":\"T0ACME\"},"
	"\"view\":{\"id\":\"V0A\",\"callback_id\":\"wingman.deny_why\","
	"\"private_metadata\":\"01k " SHA "\",\"state\":{\"values\":{\"why\":"
	"{\"why\":{\"type\":\"plain_text_input\",\"value\":\"too early\"}}}}}}";

static void test_why(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct slack_click c;
	struct error err = ERROR_INIT;

	(void)state;
	if (!read_text(why, &c, &err))
		fail_msg("%s", err.message);
	assert_int_equal(c.action, SLACK_DENY);
	assert_string_equal(c.approval, "01k");
	assert_string_equal(c.shown, SHA);
	assert_string_equal(c.reason, "too early");
	assert_string_equal(c.view, "V0A");
	assert_refused(why, "wingman.deny_why", "wingman.approve");
	assert_refused(why, "wingman.deny_why", "tool.invoke");
	assert_refused(why, "01k " SHA, "01k");
	assert_refused(why, "\"why\":{\"type\"", "\"other\":{\"type\"");
	assert_refused(why, "\"too early\"", "7");
	assert_refused(why, "\"id\":\"V0A\",", "");
	/* As long as may be, and one more. */
	for (size_t n = SLACK_REASON_BYTES - 1; n <= SLACK_REASON_BYTES; n++) {
		const char *at = strstr(why, "too early");

		strbuf_clear(&text);
		strbuf_add(&text, why, (size_t)(at - why));
		for (size_t i = 0; i < n; i++)
			strbuf_add_char(&text, 'x');
		strbuf_add_string(&text, at + strlen("too early"));
		assert_int_equal(read_text(text.data, &c, &err),
				 n == SLACK_REASON_BYTES - 1);
	}
}

static void test_other_buttons(void **state)
{
	static const struct {
		const char *name;
		enum slack_action action;
	} cases[] = { { "wingman.deny_why", SLACK_WHY },
		      { "wingman.cancel", SLACK_CANCEL },
		      { "wingman.revoke", SLACK_REVOKE } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *at = strstr(on_message, "wingman.approve");
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		struct slack_click c;
		struct error err = ERROR_INIT;

		strbuf_add(&text, on_message, (size_t)(at - on_message));
		strbuf_add_string(&text, cases[i].name);
		strbuf_add_string(&text, at + strlen("wingman.approve"));
		assert_true(read_text(text.data, &c, &err));
		assert_int_equal(c.action, cases[i].action);
	}
}

static void test_seen(void **state)
{
	static const char blocks[] = "\"message\":{\"blocks\":[{\"type\":\"divider\"}],";
	const char *at = strstr(on_message, "\"message\":{");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct slack_click c;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(read_text(on_message, &c, &err));
	assert_string_equal(c.seen, "");
	strbuf_add(&text, on_message, (size_t)(at - on_message));
	strbuf_add_string(&text, blocks);
	strbuf_add_string(&text, at + strlen("\"message\":{"));
	assert_true(read_text(text.data, &c, &err));
	assert_true(digest_is_hex(c.seen));
}

static void test_contradictions(void **state)
{
	static const struct {
		const char *json, *what, *with;
	} cases[] = {
		{ on_message, "block_actions", "view_submission" },
		{ on_message, "wingman.approve", "wingman.approve_all" },
		{ on_message, "wingman.approve", "confirm.approve" },
		{ on_message, "wingman.approve", "wingman.page.next" },
		{ on_message, "wingman.approve", "wingman.review" },
		{ on_message, "\"button\"", "\"static_select\"" },
		{ on_message, "01k " SHA, "01k" },
		{ on_message, "01k " SHA, "01k " SHA " 0" },
		{ on_message, "01k " SHA, "01k " SHA " 2" },
		{ on_message, "01k " SHA, "01k " SHA "0" },
		{ on_message, "01k " SHA, " " SHA },
		{ on_message, "01k 0123456789a", "01k 0123456789A" },
		{ on_message, "\"channel\":{\"id\":\"C0SECOPS01\"",
		  "\"channel\":{\"id\":\"C0OTHER\"" },
		{ on_message, "\"is_ephemeral\":false", "\"is_ephemeral\":true" },
		{ on_message, "\"type\":\"message\"", "\"type\":\"message_attachment\"" },
		{ on_message, "\"id\":\"T0ACME\"", "\"id\":\"T0EVIL\"" },
		{ on_message, "{\"id\":\"U0ALICE001\",", "{\"id\":\"\"," },
		{ on_message, "{\"id\":\"U0ALICE001\",", "{\"id\":[\"U0ALICE001\"]," },
		{ on_message, "{\"id\":\"U0ALICE001\",", "{\"id\":\"U0 ALICE\"," },
		{ on_message, "{\"id\":\"U0ALICE001\",",
		  "{\"id\":\"U0ALICE001\",\"id\":\"U0BOB\"," },
		{ on_message, "\"api_app_id\":\"A0WINGMAN1\",", "" },
		{ on_message, "\"actions\":[", "\"actions\":[{}," },
		{ in_review, "\"id\":\"V0A\"", "\"id\":\"V0B\"" },
		{ in_review, "\"01k " SHA " 3\"", "\"01j " SHA " 3\"" },
		{ in_review, "\"01k " SHA " 3\"", "\"\"" },
		{ in_review, "wingman.approve", "wingman.review" },
		{ in_review, "\"team_id\":\"T0ACME\"", "\"name\":\"alice\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].json, cases[i].what, cases[i].with);
}

static void test_forms(void **state)
{
	static const char *const bodies[] = { "",
					      "payload=",
					      "payload",
					      "payload=%7B",
					      "payload=%7B%7D&payload=%7B%7D",
					      "payload=%7B%7D&x=1",
					      "x=1&payload=%7B%7D",
					      "payload=%7",
					      "payload=%",
					      "payload=%GG",
					      "payload=%7B%7D%00",
					      "payload=%FF",
					      "payload=[]",
					      "{\"type\":\"block_actions\"}" };
	struct slack_click c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct error err = ERROR_INIT;

		if (slack_click_read(bodies[i], strlen(bodies[i]), &c, &err))
			fail_msg("'%s' is a click", bodies[i]);
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	}
}

/* Every prefix of a good one, and every one with a byte changed: read or refused, no more. */
static void test_cuts(void **state)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct slack_click c;

	(void)state;
	encode(&body, on_message, sizeof on_message - 1);
	for (size_t i = 0; i < body.length; i++) {
		struct error err = ERROR_INIT;
		_cleanup_free_ char *cut = malloc(i + 1);

		memcpy(cut, body.data, i);
		assert_false(slack_click_read(cut, i, &c, &err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message), cmocka_unit_test(test_review),
		cmocka_unit_test(test_why),     cmocka_unit_test(test_other_buttons),
		cmocka_unit_test(test_seen),    cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_forms),   cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests_name("slack-click", tests, NULL, NULL);
}
