/* What Slack says is read as it is meant; what is not for us is nothing to act on. */
#include "slack/inbound/inbound.h"

#include "base/file.h"
#include "base/testing.h"
#include "slack/verify/body.h"

static const char *const teams[] = { "T0ACMESEC1" };
static const struct inbound_self self = { .app = "A0WINGMAN1",
					  .bot_user = "U0WINGMAN1",
					  .teams = teams,
					  .team_count = 1,
					  .command = "/wingman",
					  .responses = "https://hooks.slack.com/" };

typedef bool reader(const json_t *from, const struct inbound_self *self,
		    struct inbound *ret, struct error *err);

static json_t *json(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	testing_no_error(&err);
	return value;
}

/* ---- Text ------------------------------------------------------------------------- */

static void check_text(const char *message_text, const char *wanted)
{
	json_auto_t *message = json(message_text);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	inbound_message_text(&text, message, "U0WINGMAN1");
	assert_string_equal(text.data, wanted);
}

static void test_markup_becomes_text(void **state)
{
	(void)state;
	check_text("{\"text\":\"  <@U0WINGMAN1> block <@U0BOB> \"}", "block <@U0BOB>");
	check_text("{\"text\":\"<@U0WINGMAN1|wingman> hi\"}", "hi");
	check_text("{\"text\":\"a &lt;script&gt; &amp;amp; b\"}", "a <script> &amp; b");
	/* A label cannot hide where it leads. */
	check_text(
		"{\"text\":\"<https://evil.example/?a=1&amp;b=2|https://good.example>\"}",
		"https://evil.example/?a=1&b=2 (labelled \"https://good.example\")");
	check_text("{\"text\":\"<https://a.example|https://a.example>\"}",
		   "https://a.example");
	check_text("{\"text\":\"<mailto:a@b.example|a@b.example>\"}", "a@b.example");
	check_text("{\"text\":\"<!here> <#C1|general> <!subteam^S1|@sec>\"}",
		   "<!here> <#C1> <!subteam^S1>");
	check_text("{\"text\":\"<!date^1^{date}|long ago>\"}", "long ago");
	/* An escape is undone once, and makes no token. */
	check_text("{\"text\":\"&lt;@U0BOB&gt; &amp;lt;\"}", "<@U0BOB> &lt;");
	check_text("{\"text\":\"a < b <unclosed\"}", "a < b <unclosed");
	check_text("{\"text\":\"<a<b>\"}", "<ab");
	check_text("{\"text\":\"<>\"}", "");
	check_text("{}", "");
}

static void test_rich_text_becomes_text(void **state)
{
	(void)state;
	check_text(
		"{\"text\":\"other\",\"blocks\":[{\"type\":\"rich_text\",\"elements\":["
		"{\"type\":\"rich_text_section\",\"elements\":[{\"type\":\"user\","
		"\"user_id\":\"U0WINGMAN1\"},{\"type\":\"text\",\"text\":\" do <b> &amp; "
		"\"},{\"type\":\"link\",\"url\":\"https://a.example\",\"text\":\"x\"}]},"
		"{\"type\":\"rich_text_list\",\"elements\":[{\"type\":\"rich_text_"
		"section\","
		"\"elements\":[{\"type\":\"text\",\"text\":\"one\"}]},{\"type\":"
		"\"rich_text_section\",\"elements\":[{\"type\":\"user\",\"user_id\":"
		"\"U0BOB\"}]"
		"}]},{\"type\":\"rich_text_preformatted\",\"elements\":[{\"type\":"
		"\"text\","
		"\"text\":\"$ ls\"}]}]}]}",
		"do <b> &amp; https://a.example (labelled \"x\")\n- one\n- <@U0BOB>\n$ "
		"ls");
	/* Blocks of an app are not what a person wrote. */
	check_text("{\"text\":\"mine\",\"blocks\":[{\"type\":\"section\"}]}", "mine");
}

static void test_rich_text_is_not_followed_for_ever(void **state)
{
	json_auto_t *deep = json("{\"type\":\"text\",\"text\":\"bottom\"}");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *message = NULL;

	(void)state;
	for (int i = 0; i < 50; i++) {
		json_t *outer =
			json_pack("{s:s, s:[O]}", "type", "rich_text", "elements", deep);

		json_decref(deep);
		deep = outer;
	}
	message = json_pack("{s:[O]}", "blocks", deep);
	inbound_message_text(&text, message, NULL);
	assert_string_equal(text.data, "");
}

/* ---- Events ----------------------------------------------------------------------- */

/* A mention, with members of the envelope and of the event added or replaced. */
static void check_mention(const char *event_more, const char *envelope_more,
			  enum inbound_kind wanted, bool outside)
{
	json_auto_t *e = json("{\"type\":\"event_callback\",\"team_id\":\"T0ACMESEC1\","
			      "\"api_app_id\":\"A0WINGMAN1\",\"event_id\":\"Ev1\","
			      "\"event\":{\"type\":\"app_mention\",\"user\":\"U0ALICE\","
			      "\"text\":\"<@U0WINGMAN1> hi\",\"ts\":\"1.2\","
			      "\"channel\":\"C0SEC\",\"team\":\"T0ACMESEC1\"}}");
	json_auto_t *of_event = json(event_more), *of_envelope = json(envelope_more);
	_cleanup_(inbound_done) struct inbound in = { 0 };
	struct error err = ERROR_INIT;

	json_object_update(json_object_get(e, "event"), of_event);
	json_object_update(e, of_envelope);
	assert_true(inbound_read_event(e, &self, &in, &err));
	if (in.kind != wanted)
		fail_msg("%s %s: kind %d, %s", event_more, envelope_more, (int)in.kind,
			 in.why);
	assert_int_equal(in.outside, outside);
	if (wanted == INBOUND_MENTION)
		assert_string_equal(in.text, "hi");
}

static void test_whose_messages_count(void **state)
{
	static const char *const nothing[] = {
		"{\"bot_id\":\"B1\"}",
		"{\"bot_profile\":{}}",
		"{\"user\":\"U0WINGMAN1\"}",
		"{\"user\":null}",
		"{\"edited\":{}}",
		"{\"hidden\":true}",
		"{\"subtype\":\"message_changed\"}",
		"{\"subtype\":\"thread_broadcast\"}",
		"{\"subtype\":7}",
		"{\"type\":\"message\"}",
		"{\"type\":\"message\",\"channel_type\":\"channel\"}",
		"{\"type\":\"reaction_added\"}",
	};

	(void)state;
	check_mention("{}", "{}", INBOUND_MENTION, false);
	check_mention("{\"subtype\":\"file_share\"}", "{}", INBOUND_MENTION, false);
	check_mention("{\"type\":\"message\",\"channel_type\":\"im\"}", "{}",
		      INBOUND_MESSAGE, false);
	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++)
		check_mention(nothing[i], "{}", INBOUND_NOTHING, false);
	check_mention("{\"user_team\":\"T0OTHER\"}", "{}", INBOUND_MENTION, true);
	check_mention("{\"source_team\":\"T0OTHER\"}", "{}", INBOUND_MENTION, true);
	check_mention("{\"team\":\"T0OTHER\"}", "{}", INBOUND_MENTION, true);
	check_mention("{\"team\":[]}", "{}", INBOUND_MENTION, true);
	check_mention("{\"user_profile\":{\"team\":\"T0OTHER\"}}", "{}", INBOUND_MENTION,
		      true);
}

static void check_refused(reader *read, const char *text, enum error_code code)
{
	json_auto_t *from = json(text);
	_cleanup_(inbound_done) struct inbound in = { 0 };
	struct error err = ERROR_INIT;

	if (read(from, &self, &in, &err))
		fail_msg("%s was taken", text);
	assert_int_equal(err.code, code);
}

static void test_other_apps_and_teams_are_refused(void **state)
{
	(void)state;
	check_refused(inbound_read_event,
		      "{\"type\":\"event_callback\",\"team_id\":\"T0ACMESEC1\","
		      "\"api_app_id\":\"A0OTHER\",\"event_id\":\"E\",\"event\":{}}",
		      ERR_PERMISSION_DENIED);
	check_refused(inbound_read_event,
		      "{\"type\":\"event_callback\",\"team_id\":\"T0ACMESEC1\","
		      "\"event_id\":\"E\",\"event\":{}}",
		      ERR_PERMISSION_DENIED);
	check_refused(inbound_read_event,
		      "{\"type\":\"event_callback\",\"team_id\":\"T0OTHER\","
		      "\"api_app_id\":\"A0WINGMAN1\",\"event_id\":\"E\",\"event\":{}}",
		      ERR_PERMISSION_DENIED);
	check_refused(inbound_read_interaction,
		      "{\"type\":\"shortcut\",\"team\":{\"id\":\"T0OTHER\"},"
		      "\"user\":{\"id\":\"U1\"},\"callback_id\":\"x\"}",
		      ERR_PERMISSION_DENIED);
	check_refused(inbound_read_interaction,
		      "{\"type\":\"view_submission\",\"team\":{\"id\":\"T0ACMESEC1\"},"
		      "\"user\":{\"id\":\"U1\"}}",
		      ERR_PERMISSION_DENIED);
	check_refused(
		inbound_read_command,
		"{\"command\":\"/wingman\",\"team_id\":\"T0OTHER\",\"user_id\":\"U1\","
		"\"channel_id\":\"C1\",\"api_app_id\":\"A0WINGMAN1\"}",
		ERR_PERMISSION_DENIED);
}

static void test_what_slack_never_sends(void **state)
{
	(void)state;
	check_refused(
		inbound_read_event,
		"{\"type\":\"event_callback\",\"team_id\":\"T0ACMESEC1\","
		"\"api_app_id\":\"A0WINGMAN1\",\"event\":{\"type\":\"app_mention\"}}",
		ERR_INVALID_ARGUMENT);
	check_refused(
		inbound_read_event,
		"{\"type\":\"event_callback\",\"team_id\":\"T0ACMESEC1\","
		"\"api_app_id\":\"A0WINGMAN1\",\"event_id\":\"E\",\"event\":{\"type\":"
		"\"app_mention\",\"user\":\"U1\",\"channel\":\"C1 "
		"<!here>\",\"ts\":\"1\"}}",
		ERR_INVALID_ARGUMENT);
	check_refused(inbound_read_event, "{\"type\":\"url_verification\"}",
		      ERR_INVALID_ARGUMENT);
	check_refused(
		inbound_read_interaction,
		"{\"type\":\"block_actions\",\"api_app_id\":\"A0WINGMAN1\",\"team\":"
		"{\"id\":\"T0ACMESEC1\"},\"user\":{\"id\":\"U1\"},\"actions\":[]}",
		ERR_INVALID_ARGUMENT);
	check_refused(inbound_read_interaction,
		      "{\"type\":\"shortcut\",\"callback_id\":\"x\"}",
		      ERR_INVALID_ARGUMENT);
}

static void test_a_text_of_any_length(void **state)
{
	(void)state;
	for (int more = 0; more <= 1; more++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		_cleanup_(inbound_done) struct inbound in = { 0 };
		struct error err = ERROR_INIT;
		json_auto_t *fields = NULL;

		for (int i = 0; i < INBOUND_TEXT_MAX + more; i++)
			strbuf_add_char(&text, 'x');
		fields = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "command",
				   "/wingman", "team_id", "T0ACMESEC1", "user_id", "U1",
				   "channel_id", "C1", "api_app_id", "A0WINGMAN1", "text",
				   text.data);
		assert_true(inbound_read_command(fields, &self, &in, &err));
		assert_int_equal(in.too_long, more == 1);
		assert_int_equal(strlen(in.text), more ? 0 : INBOUND_TEXT_MAX);
	}
}

static void test_response_urls(void **state)
{
	static const char slack[] = "https://hooks.slack.com/";
	static const char *const good[] = {
		"https://hooks.slack.com/actions/T/1/x",
		"https://hooks.slack.com/commands/T0/1/a_-.?x=1"
	};
	static const char *const bad[] = {
		"https://hooks.slack.com",
		"https://hooks.slack.com/",
		"https://hooks.slack.com:443/actions/x",
		"https://hooks.slack.com:8443/actions/x",
		"https://hooks.slack.com.evil.example/",
		"https://hooks.slack.com@evil.example/",
		"https://u@hooks.slack.com/actions/x",
		"https://u:p@hooks.slack.com/actions/x",
		"https://hooks.slack.com/a@evil.example/",
		"https://hooks.slack.com\\@evil.example/",
		"https://hooks.slack.com/\\evil.example/",
		"https://hooks.slack.com/actions#x",
		"https://evilhooks.slack.com/x",
		"https://slack.com/x",
		"https://hooks.slack-gov.com/x",
		"http://hooks.slack.com/x",
		"HTTPS://hooks.slack.com/x",
		"https:/hooks.slack.com/x",
		"//hooks.slack.com/x",
		" https://hooks.slack.com/x",
		"https://127.0.0.1/",
		"file:///etc/passwd",
		"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(inbound_is_response_url(good[i], slack));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (inbound_is_response_url(bad[i], slack))
			fail_msg("'%s' would be called", bad[i]);
	assert_true(inbound_is_response_url("https://hooks.slack-gov.com/x",
					    "https://hooks.slack-gov.com/"));
	assert_false(inbound_is_response_url("https://hooks.slack.com/x", NULL));
	/* What has no slash at its end would let a host go on. */
	assert_false(inbound_is_response_url("https://hooks.slack.com.evil.example/x",
					     "https://hooks.slack.com"));
}

/* 511 bytes and one more. */
static void test_a_response_url_that_is_too_long(void **state)
{
	char url[INBOUND_URL_BYTES + 1] = "https://hooks.slack.com/";

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		json_auto_t *fields = NULL;
		struct error err = ERROR_INIT;
		struct inbound in;

		memset(url + strlen("https://hooks.slack.com/"), 'x',
		       sizeof url - strlen("https://hooks.slack.com/"));
		url[INBOUND_URL_BYTES - 1 + more] = '\0';
		fields = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "team_id",
				   teams[0], "user_id", "U0A", "channel_id", "C0A",
				   "command", "/wingman", "text", "help", "api_app_id",
				   "A0WINGMAN1", "response_url", url);
		assert_true(inbound_read_command(fields, &self, &in, &err));
		assert_string_equal(in.response_url, more ? "" : url);
		inbound_done(&in);
	}
}

/* ---- The fixtures that stand beside the project ----------------------------------- */

static json_t *load(const char *name)
{
	const char *source = getenv("WINGMAN_SOURCE");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	char path[1024];

	(void)snprintf(path, sizeof path, "%s/../shared/slack/fixtures/%s",
		       source ? source : ".", name);
	if (!file_exists(path))
		return NULL;
	assert_true(file_read(path, 1 << 20, &text, &err));
	if (!strstr(name, ".txt"))
		return json(text.data);
	while (text.length > 0 && text.data[text.length - 1] == '\n')
		strbuf_truncate(&text, text.length - 1);
	return strstr(name, "slash") ? slack_body_fields(text.data, text.length, &err)
				     : slack_body_payload(text.data, text.length, &err);
}

static void test_fixtures(void **state)
{
	static const struct {
		const char *name;
		enum inbound_kind kind;
		const char *user, *text;
	} cases[] = {
		{ "url_verification.json", INBOUND_CHALLENGE, NULL, NULL },
		{ "event_app_mention.json", INBOUND_MENTION, "U0ALICE001",
		  "is 203.0.113.7 malicious? see https://intel.example/ip?a=1&b=2 "
		  "(labelled \"report\") <script>" },
		{ "event_app_mention_external_user.json", INBOUND_MENTION, "U0EXTERN01",
		  "approve it" },
		{ "event_app_mention_thread.json", INBOUND_MENTION, "U0ALICE001",
		  "list tools" },
		{ "event_message_im.json", INBOUND_MESSAGE, "U0ALICE001", NULL },
		{ "event_message_im_thread_with_context.json", INBOUND_MESSAGE,
		  "U0ALICE001", "and the newest one?" },
		{ "event_message_im_from_self.json", INBOUND_NOTHING, NULL, NULL },
		{ "event_message_changed.json", INBOUND_NOTHING, NULL, NULL },
		{ "event_message_deleted.json", INBOUND_NOTHING, NULL, NULL },
		{ "event_app_home_opened_home.json", INBOUND_HOME, "U0ALICE001", NULL },
		{ "event_app_home_opened_home_first_time.json", INBOUND_HOME, NULL,
		  NULL },
		{ "event_app_home_opened_messages.json", INBOUND_AGENT, "U0ALICE001",
		  NULL },
		{ "event_app_context_changed.json", INBOUND_CONTEXT, "U0ALICE001", NULL },
		{ "event_agent_session_stopped.json", INBOUND_STOP, "U0ALICE001", NULL },
		{ "event_assistant_thread_started.json", INBOUND_AGENT, "U0ALICE001",
		  NULL },
		{ "event_assistant_thread_context_changed.json", INBOUND_CONTEXT, NULL,
		  NULL },
		{ "event_subteam_members_changed.json", INBOUND_TEAM, NULL, NULL },
		{ "event_user_change_deactivated.json", INBOUND_TEAM, "U0ALICE001",
		  NULL },
		{ "event_app_uninstalled.json", INBOUND_GONE, NULL, NULL },
		{ "event_tokens_revoked.json", INBOUND_GONE, NULL, NULL },
		{ "event_app_rate_limited.json", INBOUND_SLOWED, NULL, NULL },
		{ "event_member_joined_channel.json", INBOUND_NOTHING, NULL, NULL },
		{ "interaction_block_actions_approve.json", INBOUND_PRESS, "U0ALICE001",
		  NULL },
		{ "interaction_block_actions_approve.form.txt", INBOUND_PRESS,
		  "U0ALICE001", NULL },
		{ "interaction_block_actions_deny.json", INBOUND_PRESS, NULL, NULL },
		{ "interaction_block_actions_ephemeral.json", INBOUND_PRESS, NULL, NULL },
		{ "interaction_block_actions_feedback.json", INBOUND_PRESS, NULL, NULL },
		{ "interaction_block_actions_home.json", INBOUND_PRESS, NULL, NULL },
		{ "interaction_block_actions_modal_select.json", INBOUND_PRESS, NULL,
		  NULL },
		{ "interaction_block_suggestion.json", INBOUND_OPTIONS, "U0ALICE001",
		  "block" },
		{ "interaction_view_submission.json", INBOUND_SUBMIT, "U0ALICE001",
		  NULL },
		{ "interaction_view_submission.form.txt", INBOUND_SUBMIT, NULL, NULL },
		{ "interaction_view_closed.json", INBOUND_CLOSE, NULL, NULL },
		{ "interaction_message_action.json", INBOUND_ON_MESSAGE, "U0ALICE001",
		  "found 203.0.113.7 in the proxy log" },
		{ "interaction_shortcut.json", INBOUND_SHORTCUT, "U0ALICE001", NULL },
		{ "slash_command.txt", INBOUND_COMMAND, "U0ALICE001",
		  "tools é & <@U0BOBOUT01>" },
		{ "slash_command_ssl_check.txt", INBOUND_NOTHING, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *from = load(cases[i].name);
		_cleanup_(inbound_done) struct inbound in = { 0 };
		struct error err = ERROR_INIT;
		reader *read = strncmp(cases[i].name, "slash", 5) == 0
				       ? inbound_read_command
			       : strncmp(cases[i].name, "inter", 5) == 0
				       ? inbound_read_interaction
				       : inbound_read_event;

		if (!from) {
			print_message("# no %s: the fixtures are not asked\n",
				      cases[i].name);
			skip();
		}
		if (!read(from, &self, &in, &err))
			fail_msg("%s: %s", cases[i].name, err.message);
		if (in.kind != cases[i].kind)
			fail_msg("%s: kind %d, %s", cases[i].name, (int)in.kind,
				 in.why ? in.why : "");
		if (cases[i].user)
			assert_string_equal(in.user, cases[i].user);
		if (cases[i].text)
			assert_string_equal(in.text, cases[i].text);
		assert_int_equal(in.outside, strstr(cases[i].name, "external") != NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_markup_becomes_text),
		cmocka_unit_test(test_rich_text_becomes_text),
		cmocka_unit_test(test_rich_text_is_not_followed_for_ever),
		cmocka_unit_test(test_whose_messages_count),
		cmocka_unit_test(test_other_apps_and_teams_are_refused),
		cmocka_unit_test(test_what_slack_never_sends),
		cmocka_unit_test(test_a_text_of_any_length),
		cmocka_unit_test(test_response_urls),
		cmocka_unit_test(test_a_response_url_that_is_too_long),
		cmocka_unit_test(test_fixtures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
