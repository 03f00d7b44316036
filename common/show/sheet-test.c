/* Everything is said, in its order, and nothing that is not known passes in silence. */
#include "show/sheet.h"

#include "base/testing.h"

static const char good[] =
	"{\"v\":1,\"approval\":\"ap1\",\"server\":\"accounts\",\"address\":\"http://a/"
	"mcp\","
	"\"tool\":\"block_account\",\"title\":\"Block\",\"risk\":\"destructive\","
	"\"requester\":\"alice@x\",\"surface\":\"console\",\"asked_at\":1000,"
	"\"expires_at\":600000,\"good_for_s\":300,\"last_run\":500,"
	"\"approvers\":{\"needed\":1,\"who\":[\"bob@x\"],\"four_eyes\":true},"
	"\"outcome_to\":\"this terminal\","
	"\"arguments\":[{\"name\":\"person\",\"value\":\"john\",\"text\":"
	"\"\\\"john\\\"\","
	"\"note\":\"John "
	"Doe\"},{\"name\":\"pin\",\"value\":1,\"text\":\"1\",\"sensitive\":true},"
	"{\"name\":\"all\",\"value\":true,\"text\":\"true\",\"default\":true}],"
	"\"effects\":[{\"system\":\"ldap\",\"target\":\"uid=john\",\"from\":\"on\","
	"\"to\":\"off\","
	"\"reversible\":false}],\"warnings\":[\"accounts says: look\"],"
	"\"free_text\":[{\"by\":\"server\",\"name\":\"summary\",\"text\":\"\\\"s\\\"\"},"
	"{\"by\":\"assistant\",\"name\":\"reason\",\"text\":\"\\\"left\\\"\"}],"
	"\"pin\":\"aaaaaaaaaaaaaaaa\",\"args\":\"bbbbbbbbbbbbbbbb\","
	"\"plan_digest\":\"cccccccccccccccc\",\"data\":{\"dn\":\"a\\\\u202Eb\"}}";

static json_t *parse(void)
{
	struct error err = ERROR_INIT;
	json_t *prompt = json_parse(good, sizeof good - 1, JSON_CONTRACT, &err);

	testing_no_error(&err);
	return prompt;
}

static json_t *build(const json_t *prompt, bool others)
{
	const struct sheet_view view = { .now_ms = 2000, .others_read_along = others };
	struct error err = ERROR_INIT;
	json_t *sheet = sheet_build(prompt, &view, &err);

	testing_no_error(&err);
	return sheet;
}

static char *text_of(const json_t *sheet)
{
	return json_dumps(sheet, JSON_COMPACT | JSON_SORT_KEYS);
}

static void test_order(void **state)
{
	static const char *const headings[] = { "The call",
						"Arguments",
						"What will change",
						"Warnings",
						"Details that the server will act on",
						"Terms",
						"Written by the assistant",
						"Written by the server",
						"What the tool calls itself, as pinned" };
	json_auto_t *prompt = parse();
	json_auto_t *sheet = build(prompt, false);
	const json_t *sections = json_object_get(sheet, "sections");

	(void)state;
	assert_int_equal(json_array_size(sections), ARRAY_SIZE(headings));
	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		assert_string_equal(
			json_get_string(json_array_get(sections, i), "heading"),
			headings[i]);
	assert_string_equal(json_get_string(sheet, "question"), "Approve a change?");
	assert_true(json_is_true(json_object_get(sheet, "whole")));
	/* A prompt of what ran before begins with that. */
	assert_string_equal(
		json_get_string(
			json_array_get(
				json_object_get(json_array_get(sections, 0), "items"), 0),
			"label"),
		"RAN BEFORE");
}

static void test_everything_is_said(void **state)
{
	static const char *const wanted[] = {
		"accounts.block_account",
		"accounts at http://a/mcp",
		"alice@x, console",
		"John Doe",
		"uid=john",
		"CANNOT BE UNDONE",
		"accounts says: look",
		"1 of: bob@x (not the requester)",
		"this terminal",
		"300 seconds",
		"1970-01-01T00:10:00Z",
		"aaaaaaaaaaaa",
		"cccccccccccc",
		"left out; not part of the call",
		"destructive",
		"ap1",
	};
	json_auto_t *prompt = parse();
	json_auto_t *sheet = build(prompt, false);
	_cleanup_free_ char *text = text_of(sheet);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!strstr(text, wanted[i]))
			fail_msg("'%s' is not in %s", wanted[i], text);
}

/* What goes on standing says when, and not how long that is from now. */
static void test_times(void **state)
{
	const struct sheet_view now = { .now_ms = 2000 },
				later = { .now_ms = 2000, .stands = true };
	struct error err = ERROR_INIT;
	json_auto_t *prompt = parse();
	json_auto_t *told = sheet_build(prompt, &now, &err);
	json_auto_t *kept = sheet_build(prompt, &later, &err);
	_cleanup_free_ char *one = json_dumps(told, 0);
	_cleanup_free_ char *other = json_dumps(kept, 0);

	(void)state;
	testing_no_error(&err);
	assert_non_null(strstr(one, "1970-01-01T00:10:00Z (in 9 minutes)"));
	assert_non_null(strstr(other, "1970-01-01T00:10:00Z"));
	assert_null(strstr(other, "Z ("));
}

/* What is not said of a member that is not known would not be seen. */
static void test_unknown_members(void **state)
{
	static const char *const lists[] = { "arguments", "effects", "free_text" };
	const struct sheet_view view = { .now_ms = 2000 };
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		json_auto_t *prompt = parse();
		json_t *entry = json_array_get(json_object_get(prompt, lists[i]), 0);

		(void)json_object_set_new(entry, "really", json_string("root"));
		assert_null(sheet_build(prompt, &view, &err));
		testing_error(&err, ERR_INTERNAL, "cannot be shown");
	}
	json_auto_t *prompt = parse();
	(void)json_object_set_new(json_object_get(prompt, "approvers"), "also",
				  json_true());
	assert_null(sheet_build(prompt, &view, &err));
	testing_error(&err, ERR_INTERNAL, "cannot be shown");
	json_auto_t *other = parse();
	(void)json_object_set_new(json_array_get(json_object_get(other, "free_text"), 0),
				  "by", json_string("the gate"));
	assert_null(sheet_build(other, &view, &err));
	testing_error(&err, ERR_INTERNAL, "lacks something");
}

static void test_odd_without_escaped_line(void **state)
{
	const struct sheet_view view = { .now_ms = 2000 };
	struct error err = ERROR_INIT;
	json_auto_t *prompt = parse();

	(void)state;
	(void)json_object_set_new(json_array_get(json_object_get(prompt, "arguments"), 0),
				  "flags", json_pack("[s]", "bidi"));
	assert_null(sheet_build(prompt, &view, &err));
	testing_error(&err, ERR_INTERNAL, "lacks something");
}

static void test_others_read_along(void **state)
{
	static const char *const secrets[] = {
		"John Doe", "uid=john", "look", "dn", "\"text\":\"1\"", "\\\"s\\\""
	};
	json_auto_t *prompt = parse();
	json_auto_t *sheet = build(prompt, true);
	_cleanup_free_ char *text = text_of(sheet);

	(void)state;
	assert_false(json_is_true(json_object_get(sheet, "whole")));
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		if (strstr(text, secrets[i]))
			fail_msg("'%s' is in %s", secrets[i], text);
	assert_non_null(strstr(text, "\\\"john\\\""));
	assert_non_null(strstr(text, "approvers see it in Review"));
	/* Without anything sensitive there is nothing to keep back. */
	(void)json_object_del(json_array_get(json_object_get(prompt, "arguments"), 1),
			      "sensitive");
	json_auto_t *open = build(prompt, true);
	assert_true(json_is_true(json_object_get(open, "whole")));
}

static void test_texts(void **state)
{
	static const struct {
		const char *name, *shown;
	} names[] = {
		{ "person", "person" },
		{ "a b", "\"a b\"" },
		{ "", "\"\"" },
		{ "\"", "\"\"\"" },
		{ "a=b", "\"a=b\"" },
		{ "x.y-z_1", "x.y-z_1" },
		{ "\xd0\xb0", "\"\xd0\xb0\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT, back = STRBUF_INIT;

		sheet_name(&sb, names[i].name);
		assert_string_equal(sb.data, names[i].shown);
		assert_true(sheet_name_read(&back, sb.data));
		assert_string_equal(back.data, names[i].name);
	}
	_cleanup_strbuf_ struct strbuf no = STRBUF_INIT;
	assert_false(sheet_name_read(&no, "a b"));
	assert_false(sheet_name_read(&no, "\""));
	assert_false(sheet_name_read(&no, ""));
	assert_int_equal(sheet_step("\\u202Ex"), 6);
	assert_int_equal(sheet_step("\\U000E0041x"), 10);
	assert_int_equal(sheet_step("\\\\x"), 2);
	assert_int_equal(sheet_step("\\u20"), 1);
	assert_int_equal(sheet_step("e\xcc\x81x"), 3);
	assert_int_equal(sheet_step(""), 0);
}

/* The server's data are JSON, whose backslashes are not those of visible text. */
static void test_data_is_exact(void **state)
{
	json_auto_t *prompt = parse();
	json_auto_t *sheet = build(prompt, false);
	const json_t *section = json_array_get(json_object_get(sheet, "sections"), 4);
	const json_t *item = json_array_get(json_object_get(section, "items"), 0);

	(void)state;
	assert_string_equal(json_get_string(item, "text"),
			    "{\"dn\":\"a\\\\\\\\u202Eb\"}");
}

static json_t *several(void)
{
	return json_pack(
		"{s:i, s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:{s:i, s:[s], s:b}, s:[s], "
		"s:[{s:i, s:o}, {s:i, s:o}]}",
		"v", 1, "approval", "ap1", "requester", "alice@x", "surface", "console",
		"asked_at", 1000, "expires_at", 600000, "good_for_s", 300, "outcome_to",
		"here", "approvers", "needed", 1, "who", "bob@x", "four_eyes", 1,
		"warnings", "one yes for all", "calls", "run", 2, "prompt", parse(),
		"run", 1, "prompt", parse());
}

/* Every call has all of its own sections, and what is not known makes no sheet. */
static void test_several(void **state)
{
	json_auto_t *prompt = several();
	json_auto_t *sheet = build(prompt, false);
	json_auto_t *hidden = build(prompt, true);
	const json_t *sections = json_object_get(sheet, "sections");
	struct sheet_view view = { .now_ms = 2000 };

	(void)state;
	assert_int_equal(json_array_size(sections), 2 + 9 + 9 + 1);
	assert_string_equal(json_get_string(json_array_get(sections, 2), "heading"),
			    "Call 2: The call");
	assert_string_equal(json_get_string(json_array_get(sections, 12), "heading"),
			    "Call 1: Arguments");
	assert_true(json_is_true(json_object_get(sheet, "whole")));
	assert_false(json_is_true(json_object_get(hidden, "whole")));
	for (int i = 0; i < 5; i++) {
		json_auto_t *bad = json_deep_copy(prompt);
		json_t *list = json_object_get(bad, "calls");
		struct error err = ERROR_INIT;

		if (i == 0)
			json_object_set_new(bad, "also", json_true());
		else if (i == 1) /* two that run as the first */
			json_object_set_new(json_array_get(list, 0), "run",
					    json_integer(1));
		else if (i == 2) /* one within one */
			json_object_set(json_array_get(list, 0), "prompt", prompt);
		else if (i == 3)
			json_object_del(
				json_object_get(json_array_get(list, 1), "prompt"),
				"effects");
		else
			json_array_remove(list, 0);
		assert_null(sheet_build(bad, &view, &err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_everything_is_said),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_unknown_members),
		cmocka_unit_test(test_odd_without_escaped_line),
		cmocka_unit_test(test_others_read_along),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_data_is_exact),
		cmocka_unit_test(test_several),
	};

	return cmocka_run_group_tests_name("sheet", tests, NULL, NULL);
}
