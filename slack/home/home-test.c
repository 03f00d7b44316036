/* App Home shows what it is given, within Slack's limits, and no text of others as markup. */
#include "slack/home/home.h"

#include "base/testing.h"
#include "render/inert.h"
#include "schemas/schemas.h"
#include "slack/home/view.h"
#include "slack/render/blocks.h"
#include "slack/text/text.h"

#define HOSTILE "<!channel> *b* \\u202e\\u0007 `x` <https://evil.example|good>"

static json_t *json(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	testing_no_error(&err);
	return value;
}

/* Everything in it that is drawn, one text after the other. */
static void gather(struct strbuf *sb, const json_t *value)
{
	const char *name;
	size_t i;
	json_t *member;

	json_array_foreach(value, i, member)
	{
		gather(sb, member);
	}
	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		if (strcmp(name, "text") == 0 && json_is_string(member)) {
			assert_false(inert_has_control(json_string_value(member),
						       json_string_length(member)));
			assert_in_range(slack_text_units(json_string_value(member),
							 json_string_length(member)),
					1, 3000);
			strbuf_add_format(sb, "%s\n", json_string_value(member));
		} else
			gather(sb, member);
	}
}

static void check_ids(const json_t *view)
{
	json_auto_t *seen = json_object();
	size_t i;
	json_t *block;

	json_array_foreach(json_object_get(view, "blocks"), i, block)
	{
		const char *id = json_get_string(block, "block_id");

		if (!id)
			continue;
		assert_in_range(strlen(id), 1, 255);
		assert_null(json_object_get(seen, id));
		json_object_set_new(seen, id, json_true());
	}
}

static void draw(const json_t *home, size_t page, struct strbuf *text)
{
	struct error err = ERROR_INIT;
	json_auto_t *view = slack_home_view(home, page, 0, &err);

	testing_no_error(&err);
	assert_string_equal(json_get_string(view, "type"), "home");
	assert_in_range(json_array_size(json_object_get(view, "blocks")), 1, 100);
	check_ids(view);
	strbuf_clear(text);
	gather(text, view);
}

static json_t *home_with(size_t tools, size_t waiting, size_t recent)
{
	json_t *home =
		json("{\"person\":\"alice@company.com\",\"checked_ms\":1000,"
		     "\"servers\":[{\"name\":\"accounts\",\"up\":true,\"tools\":[]},"
		     "{\"name\":\"logs\",\"up\":false,\"tools\":[]}],"
		     "\"waiting\":[],\"recent\":[]}");
	json_t *list = json_object_get(
		json_array_get(json_object_get(home, "servers"), 0), "tools");
	char name[32];

	for (size_t i = 0; i < tools; i++) {
		(void)snprintf(name, sizeof name, "tool_%zu_end", i);
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s}", "name", name, "title",
						"A <title>", "risk", "read"));
	}
	for (size_t i = 0; i < waiting; i++) {
		(void)snprintf(name, sizeof name, "a%zu", i);
		json_array_append_new(json_object_get(home, "waiting"),
				      json_pack("{s:s, s:s, s:s, s:s, s:i}", "approval",
						name, "server", "accounts", "tool",
						"block_account", "requester", "bob@x",
						"expires_ms", 5000));
	}
	for (size_t i = 0; i < recent; i++)
		json_array_append_new(
			json_object_get(home, "recent"),
			json_pack("{s:s, s:s, s:s, s:i, s:s}", "server", "accounts",
				  "tool", "get_account", "state", "succeeded", "at_ms",
				  (int)i * 1000, "digest", "0123456789abcdef"));
	return home;
}

static void test_all_of_it_is_there(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *home = home_with(3, 2, 1);

	(void)state;
	draw(home, 1, &text);
	assert_non_null(strstr(text.data, "alice@company.com"));
	assert_non_null(strstr(text.data, "accounts: up, 3 tools\nlogs: DOWN, 0 tools"));
	assert_non_null(strstr(text.data, "accounts.tool_2_end\nread: A <title>"));
	assert_non_null(strstr(text.data, "accounts.block_account, asked by bob@x"));
	assert_non_null(
		strstr(text.data, "accounts.get_account: succeeded  0123456789ab\n"));
	assert_null(strstr(text.data, "Page"));
}

static void test_nothing_is_lost_when_there_is_much(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *home = home_with(95, SLACK_HOME_WAITING + 1, SLACK_HOME_RECENT + 5);

	(void)state;
	for (size_t i = 0; i < 95; i++) {
		char name[40];

		draw(home, i / SLACK_HOME_TOOLS + 1, &text);
		(void)snprintf(name, sizeof name, "accounts.tool_%zu_end\n", i);
		if (!strstr(text.data, name))
			fail_msg("%s is not on page %zu", name, i / SLACK_HOME_TOOLS + 1);
	}
	assert_non_null(strstr(text.data, "Page 10 of 10."));
	assert_non_null(strstr(text.data, "And 1 more"));
	draw(home, 11, &text);
	assert_non_null(strstr(text.data, "Page 10 of 10."));
	draw(home, 0, &text);
	assert_non_null(strstr(text.data, "Page 1 of 10."));
}

static void test_words_of_others_are_shown_as_they_are(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *home = home_with(1, 1, 0);
	json_t *waiting = json_array_get(json_object_get(home, "waiting"), 0);
	json_t *tool = json_array_get(
		json_object_get(json_array_get(json_object_get(home, "servers"), 0),
				"tools"),
		0);
	struct error err = ERROR_INIT;

	(void)state;
	json_object_set_new(waiting, "requester", json("\"a\\n<@U1>\""));
	/* Without a title the first line of what its server says, cut where it is long. */
	json_object_del(tool, "title");
	json_object_set_new(tool, "description",
			    json("\"" HOSTILE "\\nApproved by <@U0BOSS>\""));
	draw(home, 1, &text);
	assert_non_null(strstr(text.data, "asked by a\\n<@U1>"));
	assert_non_null(strstr(text.data, "read: <!channel> *b* \\u202E\\u0007 `x` "
					  "<https://evil.example|good> …\n"));
	assert_null(strstr(text.data, "U0BOSS"));
	/* A name that could be markup, or no name, makes no button. */
	json_object_set_new(waiting, "approval", json_string("a <!here>"));
	assert_null(slack_home_view(home, 1, 0, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
}

/* ---- What somebody may do --------------------------------------------------------- */

static void test_what_somebody_may_do(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *home = home_with(3, 0, 0);

	(void)state;
	draw(home, 1, &text);
	assert_null(strstr(text.data, "you may"));
	json_object_set_new(
		home, "rights",
		json("{\"accounts.tool_0_end\":{\"call\":true,\"approve\":true,"
		     "\"free\":false},\"accounts.tool_1_end\":{\"call\":true,"
		     "\"approve\":false,\"free\":true},\"accounts.tool_2_end\":{"
		     "\"call\":false,\"approve\":false,\"free\":false}}"));
	draw(home, 1, &text);
	assert_non_null(strstr(text.data, "you may run 2 of 3 tools, 1 of them without a "
					  "yes, and decide about 1"));
	assert_non_null(strstr(text.data, "you may ask for it, and decide about it"));
	assert_non_null(strstr(text.data, "you may run it without a yes\n"));
	assert_non_null(strstr(text.data, "not for you"));
}

static void test_a_link_to_the_message(void **state)
{
	json_auto_t *home = home_with(0, 1, 0);
	json_auto_t *view = NULL;
	_cleanup_free_ char *text = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	json_object_set_new(json_array_get(json_object_get(home, "waiting"), 0), "link",
			    json_string("https://acme.slack.com/archives/C1/p17"));
	view = slack_home_view(home, 1, 0, &err);
	testing_no_error(&err);
	text = json_dumps(view, JSON_COMPACT);
	assert_non_null(strstr(text, "\"url\":\"https://acme.slack.com/archives/C1/"
				     "p17\""));
}

/* ---- Times ------------------------------------------------------------------------- */

static bool has_moment(const char *text, long long seconds, const char *fallback)
{
	char wanted[160];

	(void)snprintf(wanted, sizeof wanted,
		       "{\"type\":\"date\",\"timestamp\":%lld,\"format\":\"{date_num} "
		       "{time_secs}\",\"fallback\":\"%s\"}",
		       seconds, fallback);
	return strstr(text, wanted) != NULL;
}

/* In the zone of whoever reads; what Slack cannot show is in UTC. */
static void test_times(void **state)
{
	json_auto_t *home = home_with(0, 1, 2);
	json_auto_t *view = NULL;
	_cleanup_free_ char *text = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	view = slack_home_view(home, 1, 0, &err);
	testing_no_error(&err);
	text = json_dumps(view, JSON_COMPACT);
	assert_true(
		has_moment(text, 1, "1970-01-01T00:00:01Z")); /* checked, and a call */
	assert_true(has_moment(text, 5, "1970-01-01T00:00:05Z"));
	assert_true(has_moment(text, 0, "1970-01-01T00:00:00Z"));
	assert_null(strstr(text, "  1970"));
}

/* ---- Panels ----------------------------------------------------------------------- */

static json_t *panel(const char *text, bool is_cut)
{
	const struct slack_home_read read = { "Open <incidents>", "incidents", text,
					      is_cut, 1000 };
	struct error err = ERROR_INIT;
	json_t *made = slack_home_panel(&read, &err);

	testing_no_error(&err);
	return made;
}

static void draw_panel(json_t *made, struct strbuf *text)
{
	json_auto_t *home = home_with(0, 0, 0);

	json_object_set_new(home, "panels", json_pack("[o]", made));
	draw(home, 1, text);
}

static void test_a_panel_is_literal(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "INC-1 phishing\r\n\n \t\nINC-2 theft",
		  "INC-1 phishing\nINC-2 theft\n" },
		{ "# Title\n* [click](https://evil.example)\n<!channel> *b* `x`",
		  "# Title\n* [click](https://evil.example)\n<!channel> *b* `x`\n" },
		{ "{\"b\":\"<@U1>\",\"a\":[1]}",
		  "{\n  \"b\": \"<@U1>\",\n  \"a\": [\n    1\n  ]\n}\n" },
		{ "{\"b\": not JSON", "{\"b\": not JSON\n" },
		{ "a\xe2\x80\xae"
		  "b\x1b[0m\xe2\x80\x8b",
		  "a\\u202Eb\\u001B[0m\\u200B\n" },
		{ "", "(nothing)\n" },
		{ "\n \n", "(nothing)\n" },
	};
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		draw_panel(panel(cases[i].text, false), &text);
		if (!strstr(text.data, cases[i].shown))
			fail_msg("%zu: %s", i, text.data);
		assert_non_null(strstr(text.data, "Open <incidents>\n"));
		assert_non_null(strstr(text.data, "From the server incidents, read "));
	}
}

static void test_a_panel_is_bounded(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, lines = STRBUF_INIT;

	(void)state;
	for (int i = 1; i <= SLACK_HOME_PANEL_LINES; i++) {
		strbuf_add_format(&lines, "line %d ", i);
		for (int j = 0; j < 300; j++)
			strbuf_add_string(&lines, "\xf0\x9f\x98\x80");
		strbuf_add_string(&lines, "\n");
	}
	draw_panel(panel(lines.data, false), &text);
	assert_non_null(strstr(text.data, "line 20 "));
	assert_null(strstr(text.data, "more lines"));
	strbuf_add_string(&lines, "one more\nand another\n");
	draw_panel(panel(lines.data, true), &text);
	assert_null(strstr(text.data, "one more"));
	assert_non_null(strstr(text.data, "... and 2 more lines\n... and more than"));
}

static void test_a_panel_that_failed_is_a_line(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	draw_panel(slack_home_panel_fault("Incidents", "down\n<!channel> \x07", &err),
		   &text);
	assert_non_null(strstr(text.data, "Incidents: down\\n<!channel> \\u0007\n"));
}

/* All that there can be at once, and one block more than a view takes. */
static void test_the_fullest_home(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, lines = STRBUF_INIT;
	json_auto_t *home = home_with(45, 11, 10);
	json_t *panels = json_array();
	json_t *waiting = json_object_get(home, "waiting");
	struct error err = ERROR_INIT;
	json_auto_t *blocks = json_array();
	json_t *view;

	(void)state;
	for (int i = 0; i < 300; i++)
		strbuf_add_string(&lines, "words that fill a line of a panel, again and "
					  "again, until it is cut somewhere\n");
	for (int i = 0; i <= SLACK_HOME_PANELS; i++)
		json_array_append_new(panels, panel(lines.data, true));
	json_object_set_new(home, "panels", panels);
	for (size_t i = 0; i < json_array_size(waiting); i++)
		json_object_set_new(json_array_get(waiting, i), "link",
				    json_string("https://acme.slack.com/archives/C/p1"));
	for (size_t page = 1; page <= 5; page++)
		draw(home, page, &text);
	assert_non_null(strstr(text.data, "tool_44_end"));
	for (int i = 0; i < SLACK_VIEW_BLOCKS_MAX; i++)
		json_array_append_new(blocks, slack_words("x"));
	view = view_home(json_deep_copy(blocks), &err);
	assert_non_null(view);
	json_decref(view);
	json_array_append_new(blocks, slack_words("x"));
	assert_null(view_home(json_deep_copy(blocks), &err));
	assert_int_equal(err.code, ERR_INTERNAL);
}

static void test_strangers_learn_nothing(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *view = slack_home_stranger(&err);

	(void)state;
	testing_no_error(&err);
	gather(&text, view);
	assert_null(strstr(text.data, "accounts"));
	assert_null(strstr(text.data, "Run"));
}

static void test_search(void **state)
{
	json_auto_t *home = home_with(150, 0, 0);
	struct error err = ERROR_INIT;
	json_auto_t *all = slack_home_options(home, "", &err);
	json_auto_t *some = slack_home_options(home, "TOOL_14", &err);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(all, "options")), 100);
	assert_int_equal(json_array_size(json_object_get(some, "options")), 11);
}

static void check_docs(const char *tool_text, const char *holds)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *tool = json(tool_text);
	struct error err = ERROR_INIT;
	json_auto_t *view = slack_docs_view(tool, &err);

	testing_no_error(&err);
	assert_in_range(json_array_size(json_object_get(view, "blocks")), 1, 100);
	gather(&text, view);
	if (!strstr(text.data, holds))
		fail_msg("'%s' is not in %s", holds, text.data);
}

static void test_docs(void **state)
{
	size_t count = 0;
	const struct schema_file *files = schemas_all(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		if (strstr(files[i].text, "\"inputSchema\""))
			check_docs(files[i].text, "Tool");
	check_docs("{\"name\":\"a.b\",\"inputSchema\":{\"properties\":{\"p\":{\"type\":"
		   "\"string\",\"enum\":[\"x\",\"<y>\"],\"default\":\"x\"}},\"required\":"
		   "[\"p\"]}}",
		   "p  string, required, default \"x\"\n    one of \"x\", \"<y>\"");
	check_docs("{\"name\":\"a.b\",\"description\":\"" HOSTILE
		   "\",\"inputSchema\":{}}",
		   "It has no arguments.");
}

static void test_docs_of_many_arguments(void **state)
{
	_cleanup_strbuf_ struct strbuf tool = STRBUF_INIT;

	(void)state;
	strbuf_add_string(&tool, "{\"name\":\"a.b\",\"inputSchema\":{\"properties\":{");
	for (int i = 0; i < 300; i++) {
		strbuf_add_format(&tool,
				  "%s\"p%d\":{\"type\":\"string\",\"description\":\"",
				  i ? "," : "", i);
		for (int j = 0; j < 40; j++)
			strbuf_add_string(&tool, "long words ");
		strbuf_add_string(&tool, "\"}");
	}
	strbuf_add_string(&tool, "}}}");
	check_docs(tool.data, " more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it_is_there),
		cmocka_unit_test(test_nothing_is_lost_when_there_is_much),
		cmocka_unit_test(test_words_of_others_are_shown_as_they_are),
		cmocka_unit_test(test_what_somebody_may_do),
		cmocka_unit_test(test_a_link_to_the_message),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_a_panel_is_literal),
		cmocka_unit_test(test_a_panel_is_bounded),
		cmocka_unit_test(test_a_panel_that_failed_is_a_line),
		cmocka_unit_test(test_the_fullest_home),
		cmocka_unit_test(test_strangers_learn_nothing),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_docs),
		cmocka_unit_test(test_docs_of_many_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
