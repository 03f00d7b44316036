/* Schemas and values that nobody thinks of first: what a form begins with comes back from
 * it, whatever it is, and what cannot be drawn as a field is JSON. */
#include "slack/form/testing_form.h"

#include "base/testing.h"

/* A tool whose only argument is 'x'. */
static char *tool_with(const char *property, const char *more)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_add_format(&sb,
			  "{\"name\":\"a.b\",\"inputSchema\":{\"type\":\"object\","
			  "\"properties\":{\"x\":%s}%s}}",
			  property, more);
	return strbuf_take(&sb);
}

static void check_comes_back(const char *property, const char *value)
{
	_cleanup_free_ char *tool = tool_with(property, "");
	_cleanup_strbuf_ struct strbuf values = STRBUF_INIT;

	strbuf_add_format(&values, "{\"x\":%s}", value);
	try_kept(tool, values.data);
}

/* --- values that the element of their kind cannot show --- */

static const struct {
	const char *property, *value;
} kept[] = {
	/* Numbers that Slack's element would refuse, with the whole view. */
	{ "{\"type\":\"number\"}", "1e-7" },
	{ "{\"type\":\"number\"}", "1e21" },
	{ "{\"type\":\"number\"}", "-0.5" },
	{ "{\"type\":\"number\"}", "0.1" },
	{ "{\"type\":\"integer\"}", "9007199254740991" },
	{ "{\"type\":\"integer\"}", "-9007199254740991" },
	/* Lists whose lines would be others. */
	{ "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "[\"a\\nb\",\"c\"]" },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "[\" a\",\"\"]" },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "[\"[1]\"]" },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "[\"[::1]\",\"b\"]" },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "[]" },
	{ "{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"integer\"]}}",
	  "[\"7\",7,\"a\"]" },
	{ "{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"null\"]}}",
	  "[\"null\",null]" },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}", "[true,false]" },
	{ "{\"type\":\"array\",\"items\":{\"enum\":[\"a\",\"b\",\"c\"]}}",
	  "[\"c\",\"a\"]" },
	{ "{\"type\":\"array\",\"items\":{\"enum\":[\"a\",\"b\"]}}", "[\"a\",\"a\"]" },
	{ "{\"type\":\"array\",\"items\":{\"enum\":[\"a\",\"b\"]}}", "[]" },
	{ "{\"type\":\"array\"}", "[1,\"a\",[{}]]" },
	/* Texts of several types, and lines in what has one. */
	{ "{\"type\":[\"string\",\"integer\"]}", "\"7\"" },
	{ "{\"type\":[\"string\",\"integer\"]}", "7" },
	{ "{\"type\":[\"string\",\"null\"]}", "\"7\"" },
	{ "{\"type\":[\"string\",\"null\"]}", "\"null\"" },
	{ "{\"type\":[\"string\",\"null\"]}", "\"\\\"quoted\\\"\"" },
	{ "{\"type\":[\"integer\",\"boolean\"]}", "true" },
	{ "{\"type\":\"string\",\"maxLength\":100}", "\"a\\nb\"" },
	{ "{\"type\":\"string\"}", "\"  spaces \"" },
	{ "{\"type\":\"string\"}", "\"\"" },
	{ "{\"type\":\"string\",\"format\":\"date\"}", "\"1969-12-31\"" },
	{ "{\"type\":\"string\",\"format\":\"date-time\"}",
	  "\"2026-11-22T10:00:00+02:00\"" },
	{ "{\"type\":\"string\",\"format\":\"date-time\"}", "\"1969-12-31T00:00:00Z\"" },
	{ "{\"type\":\"string\",\"format\":\"time\"}", "\"10:00:00Z\"" },
	{ "{\"type\":\"string\",\"format\":\"ipv6\"}", "\"2001:db8::1\"" },
	/* Choices of every type; "1" is not 1. */
	{ "{\"enum\":[\"1\",1,true,null,{\"a\":[]},\"\"]}", "\"1\"" },
	{ "{\"enum\":[\"1\",1,true,null,{\"a\":[]},\"\"]}", "1" },
	{ "{\"enum\":[\"1\",1,true,null,{\"a\":[]},\"\"]}", "null" },
	{ "{\"enum\":[\"1\",1,true,null,{\"a\":[]},\"\"]}", "{\"a\":[]}" },
	{ "{\"enum\":[\"1\",1,true,null,{\"a\":[]},\"\"]}", "\"\"" },
	{ "{\"anyOf\":[{\"const\":\"a\"},{\"const\":\"b\",\"title\":\"B\"}]}", "\"b\"" },
	/* What has no element of its own. */
	{ "true", "{\"a\":1}" },
	{ "{}", "null" },
	{ "{\"const\":[1]}", "[1]" },
	{ "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "\"a\"" },
	{ "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"object\"}]}", "{\"b\":2}" },
	{ "{\"$ref\":\"#/properties/x/$defs/n\",\"$defs\":{\"n\":{}}}", "3" },
	{ "{\"not\":{\"type\":\"string\"}}", "[null]" },
	{ "{\"type\":\"object\",\"patternProperties\":{\"^a\":{\"type\":\"integer\"}}}",
	  "{\"ab\":1}" },
	{ "{\"type\":[\"array\",\"object\"]}", "{\"a\":[1]}" },
	{ "{\"type\":\"null\"}", "null" },
	/* People, some of whom cannot be picked. */
	{ ("{\"type\":\"array\",\"items\":{\"type\":\"string\",\"x-wingman-kind\":"
	   "\"person\"}}"),
	  "[]" },
	{ ("{\"type\":\"array\",\"items\":{\"type\":\"string\",\"x-wingman-kind\":"
	   "\"person\"}}"),
	  "[\"<@U0ALICE001>\",\"a\\nb\"]" },
	{ "{\"type\":\"string\",\"x-wingman-kind\":\"person\"}", "\"a\\nb\"" },
};

static void test_what_it_begins_with_comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		check_comes_back(kept[i].property, kept[i].value);
}

/* A suggestion may be of any type: it is shown, and what is wrong is said where it is. */
static void test_values_of_another_type(void **state)
{
	static const char *const properties[] = {
		"{\"type\":\"string\"}",
		"{\"type\":\"integer\",\"minimum\":1,\"maximum\":5}",
		"{\"type\":\"number\"}",
		"{\"type\":\"boolean\"}",
		"{\"enum\":[\"a\",\"b\"]}",
		"{\"type\":\"array\",\"items\":{\"enum\":[\"a\",\"b\"]}}",
		"{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}",
		"{\"type\":\"string\",\"format\":\"date\"}",
		"{\"type\":\"string\",\"format\":\"date-time\"}",
		"{\"type\":\"string\",\"x-wingman-kind\":\"person\"}",
		("{\"type\":\"array\",\"items\":{\"type\":\"string\",\"x-wingman-kind\":"
		 "\"person\"}}"),
		"{\"type\":\"object\"}",
	};
	static const char *const values[] = {
		"\"abcdefghij\"", "7",       "-1.5",      "true",           "null",
		"[\"a\",\"c\"]",  "[1,[2]]", "{\"a\":1}", "\"2026-02-30\"", "\"\"",
		"[\"\"]"
	};

	(void)state;
	for (size_t p = 0; p < ARRAY_SIZE(properties); p++)
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			_cleanup_free_ char *tool = tool_with(properties[p], "");
			_cleanup_(slack_form_freep) struct slack_form *f = try_form(tool);
			_cleanup_(slack_form_result_done) struct slack_form_result r = {
				0
			};
			json_auto_t *values_now = json_object(), *wanted = NULL,
				    *view = NULL, *sent = NULL;
			struct error err = ERROR_INIT;

			json_object_set_new(values_now, "x", try_json(values[v]));
			wanted = json_deep_copy(values_now);
			view = try_draw(f, 1, values_now);
			sent = try_state(view);
			assert_true(slack_form_submit(f, 1, sent, values_now, NULL, &r,
						      &err));
			assert_null(r.faults);
			/* Taken as it is, or refused at an input; never another. */
			if (!json_equal(values_now, wanted) ||
			    (r.errors && json_object_size(r.errors) != 1))
				fail_msg("%s with %s", properties[p], values[v]);
		}
}

/* --- numbers --- */

static void check_number(const char *type, const char *typed, const char *wanted)
{
	_cleanup_strbuf_ struct strbuf property = STRBUF_INIT;

	strbuf_add_format(&property, "{\"type\":\"%s\"}", type);
	_cleanup_free_ char *tool = tool_with(property.data, "");
	_cleanup_(try_done) struct try t = try_new(tool);

	try_fill(t.view, t.state, "x", "value", json_string(typed));
	try_submit(&t, 1);
	if (wanted[0] != '!') {
		if (t.result.errors)
			fail_msg("%s: %s", typed, json_dumps(t.result.errors, 0));
		try_value(t.values, "x", wanted);
	} else {
		try_error(&t, wanted + 1);
		assert_int_equal(json_object_size(t.values), 0);
	}
}

static void test_numbers(void **state)
{
	(void)state;
	check_number("integer", "9007199254740991", "9007199254740991");
	check_number("integer", "9007199254740992", "!the largest number");
	check_number("integer", "-9007199254740992", "!the largest number");
	check_number("integer", "18446744073709551616", "!the largest number");
	check_number("integer", " 12 ", "12");
	check_number("integer", "1e2", "1e2");
	check_number("integer", "1.5", "!whole number");
	check_number("integer", "007", "!must be a number");
	check_number("integer", "+5", "!must be a number");
	check_number("integer", "0x10", "!must be a number");
	check_number("integer", "12 13", "!must be a number");
	check_number("integer", "1,000", "!must be a number");
	check_number("integer", "NaN", "!must be a number");
	check_number("integer", "\"5\"", "!must be a number");
	check_number("integer", "-0", "0");
	check_number("number", "-0.0", "-0.0");
	check_number("number", "1e400", "!must be a number");
	check_number("number", "0.10000000000000000001", "!fewer digits");
	check_number("number", "1e16", "!fewer digits");
	check_number("number", ".5", "!must be a number");
	check_number("number", "5.", "!must be a number");
}

/* --- null --- */

static void test_null_where_it_must_be_said(void **state)
{
	_cleanup_free_ char *tool =
		tool_with("{\"type\":[\"integer\",\"null\"]}", ",\"required\":[\"x\"]");
	_cleanup_(try_done) struct try t = try_new(tool);

	(void)state;
	try_submit(&t, 1);
	try_error(&t, "is needed");
	try_fill(t.view, t.state, "x", "value", json_string("null"));
	try_submit(&t, 1);
	assert_null(t.result.errors);
	try_value(t.values, "x", "null");
	try_fill(t.view, t.state, "x", "value", json_string("seven"));
	try_submit(&t, 1);
	assert_non_null(t.result.errors);
}

/* --- arguments that have no property --- */

static void check_more(const char *schema, bool wanted)
{
	_cleanup_strbuf_ struct strbuf tool = STRBUF_INIT;

	strbuf_add_format(&tool, "{\"name\":\"a.b\",\"inputSchema\":%s}", schema);
	_cleanup_(slack_form_freep) struct slack_form *f = try_form(tool.data);
	json_auto_t *view = try_draw(f, 1, NULL);
	_cleanup_free_ char *text = json_dumps(view, 0);

	if ((strstr(text, "More arguments") != NULL) != wanted)
		fail_msg("%s", schema);
}

static void test_no_argument_is_missing(void **state)
{
	(void)state;
	check_more("{\"type\":\"object\",\"properties\":{\"a\":{}}}", false);
	check_more("{\"type\":\"object\",\"properties\":{\"a\":{}},"
		   "\"additionalProperties\":false}",
		   false);
	check_more("{\"type\":\"object\",\"properties\":{\"a\":{}},"
		   "\"additionalProperties\":false,\"anyOf\":[{\"required\":[\"a\"]}]}",
		   false);
	check_more("{\"type\":\"object\"}", true);
	check_more("{}", false);
	check_more("{\"type\":\"object\",\"additionalProperties\":true}", true);
	check_more("{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"b\"]}",
		   true);
	check_more("{\"properties\":{\"a\":{}},\"patternProperties\":{\"^b\":{}}}", true);
	check_more("{\"properties\":{\"a\":{}},\"oneOf\":[{\"required\":[\"b\"]}]}",
		   true);
	check_more("{\"properties\":{\"a\":{}},\"allOf\":[{\"properties\":{\"b\":{}}}]}",
		   true);
	check_more("{\"$ref\":\"#/$defs/t\",\"$defs\":{\"t\":{\"required\":[\"b\"]}}}",
		   true);
	check_more(
		"{\"properties\":{\"a\":{}},\"if\":{},\"then\":{\"required\":[\"b\"]}}",
		true);
}

/* --- long text --- */

static char *long_text(size_t length)
{
	char *text = malloc(length + 1);

	memset(text, 'x', length);
	text[length] = '\0';
	return text;
}

/* Kept, unless something is typed in its place; a fault of it is said there. */
static void test_something_instead_of_long_text(void **state)
{
	_cleanup_free_ char *tool =
		tool_with("{\"type\":\"string\",\"maxLength\":500}", "");
	_cleanup_free_ char *text = long_text(SLACK_FORM_TEXT_MAX + 1);
	_cleanup_(try_done) struct try t = try_new(tool);

	(void)state;
	json_object_set_new(t.values, "x", json_string(text));
	json_decref(t.view);
	json_decref(t.state);
	t.view = try_draw(t.form, 1, t.values);
	t.state = try_state(t.view);
	try_submit(&t, 1);
	try_error(&t, "500");
	try_fill(t.view, t.state, "x, instead", "value", json_string("shorter"));
	try_submit(&t, 1);
	assert_null(t.result.errors);
	try_value(t.values, "x", "\"shorter\"");
}

/* Twelve texts as long as they may be, of what takes most room: within Slack's 250 kB. */
static void test_a_page_of_the_worst_text(void **state)
{
	_cleanup_free_ char *tool =
		try_tool(SLACK_FORM_INPUTS_MAX, "{\"type\":\"string\"}");
	_cleanup_(slack_form_freep) struct slack_form *f = try_form(tool);
	_cleanup_free_ char *text = long_text(SLACK_FORM_TEXT_MAX);
	json_auto_t *values = json_object();

	(void)state;
	memset(text, '\001', SLACK_FORM_TEXT_MAX);
	for (int i = 0; i < SLACK_FORM_INPUTS_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "p%d", i);
		json_object_set_new(values, name, json_string(text));
	}
	for (size_t page = 1; page <= slack_form_pages(f); page++)
		json_decref(try_draw(f, page, values));
}

/* Slack's limit on the words of an option: what is longer is cut and numbered, and is still
 * the whole choice. */
static void test_words_of_options(void **state)
{
	for (size_t length = 75; length <= 76; length++) {
		_cleanup_free_ char *text = long_text(length);
		_cleanup_strbuf_ struct strbuf property = STRBUF_INIT,
					       values = STRBUF_INIT;

		strbuf_add_format(&property, "{\"enum\":[\"%s\",\"b\"]}", text);
		strbuf_add_format(&values, "{\"x\":\"%s\"}", text);
		_cleanup_free_ char *tool = tool_with(property.data, "");
		_cleanup_(try_done) struct try t = try_new(tool);
		_cleanup_free_ char *drawn = json_dumps(t.view, 0);

		assert_int_equal(strstr(drawn, text) != NULL, length == 75);
		assert_int_equal(strstr(drawn, "#1\"") != NULL, length == 76);
		try_kept(tool, values.data);
	}
	(void)state;
}

/* As many members as a picker takes, and one more. */
static void test_many_people(void **state)
{
	_cleanup_free_ char *tool =
		tool_with("{\"type\":\"array\",\"items\":{\"type\":\"string\","
			  "\"x-wingman-kind\":\"person\"}}",
			  "");

	(void)state;
	for (int count = 50; count <= 51; count++) {
		_cleanup_strbuf_ struct strbuf values = STRBUF_INIT;

		strbuf_add_string(&values, "{\"x\":[");
		for (int i = 0; i < count; i++)
			strbuf_add_format(&values, "%s\"<@U0PERSON%03d>\"", i ? "," : "",
					  i);
		strbuf_add_string(&values, "]}");
		try_kept(tool, values.data);

		_cleanup_(slack_form_freep) struct slack_form *f = try_form(tool);
		json_auto_t *given = try_json(values.data);
		json_auto_t *view = try_draw(f, 1, given);
		_cleanup_free_ char *drawn = json_dumps(view, 0);

		assert_int_equal(strstr(drawn, "initial_users") != NULL, count == 50);
	}
}

/* --- back and forth --- */

static void test_what_cannot_be_read_is_shown_again(void **state)
{
	_cleanup_free_ char *tool = try_tool(
		SLACK_FORM_INPUTS_MAX + 1,
		"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}");
	_cleanup_(try_done) struct try t = try_new(tool);
	const struct slack_form_view again = {
		.page = 1, .values = t.values, .unread = t.unread, .metadata = "m"
	};
	struct error err = ERROR_INIT;
	json_auto_t *view = NULL, *sent = NULL;

	(void)state;
	try_fill(t.view, t.state, "p0", "value", json_string("{\"a\": 1"));
	try_fill(t.view, t.state, "p1", "value", json_string("{\"a\": 2}"));
	assert_true(slack_form_keep(t.form, 1, t.state, t.values, t.unread, &err));
	try_value(t.values, "p1", "{\"a\":2}");
	view = slack_form_view(t.form, &again, &err);
	assert_non_null(view);
	json_decref(t.state);
	t.state = try_state(view);
	sent = json_deep_copy(json_object_get(json_object_get(t.state, "f0"), "v"));
	assert_string_equal(json_get_string(sent, "value"), "{\"a\": 1");
	try_submit(&t, 1);
	assert_non_null(json_object_get(t.result.errors, "f0"));
	try_fill(view, t.state, "p0", "value", json_string("{\"a\": 1}"));
	try_submit(&t, 1);
	assert_null(t.result.errors);
	assert_int_equal(json_object_size(t.unread), 0);
	try_value(t.values, "p0", "{\"a\":1}");
}

static void test_both_ways_of_naming_a_person_are_kept(void **state)
{
	static const char tool[] =
		"{\"name\":\"a.b\",\"inputSchema\":{\"properties\":{\"x\":"
		"{\"type\":\"string\",\"x-wingman-kind\":\"person\"}}}}";
	_cleanup_(try_done) struct try t = try_new(tool);
	const struct slack_form_view again = {
		.page = 1, .values = t.values, .unread = t.unread, .metadata = "m"
	};
	struct error err = ERROR_INIT;
	json_auto_t *view = NULL, *sent = NULL;

	(void)state;
	try_fill(t.view, t.state, "x", "selected_user", json_string("U0ALICE001"));
	try_fill(t.view, t.state, "x, or typed", "value", json_string("bob"));
	assert_true(slack_form_keep(t.form, 1, t.state, t.values, t.unread, &err));
	view = slack_form_view(t.form, &again, &err);
	sent = try_state(view);
	if (!json_equal(sent, t.state))
		fail_msg("%s", json_dumps(sent, 0));
}

/* --- what a server says of the arguments --- */

static void check_place(const char *message, const char *name, size_t page)
{
	_cleanup_free_ char *tool =
		try_tool(SLACK_FORM_INPUTS_MAX + 1, "{\"type\":\"string\"}");
	_cleanup_(slack_form_freep) struct slack_form *f = try_form(tool);
	json_auto_t *values = try_json("{\"p0\":\"bob\",\"p2\":\"eve\",\"p12\":\"bob\"}");
	size_t at = 0;
	json_auto_t *faults = slack_form_fault_of(f, values, message, &at);

	if (!json_object_get(faults, name) || at != page)
		fail_msg("'%s' is on page %zu: %s", message, at, json_dumps(faults, 0));
}

static void test_where_a_fault_of_the_plan_stands(void **state)
{
	(void)state;
	check_place("nobody is known as 'eve'", "p2", 1);
	check_place("nobody is known as 'bob'", "", 2);
	check_place("'p12' is in the past", "p12", 2);
	check_place("p1 and more", "p1", 1);
	check_place("p12345", "", 2);
	check_place("", "", 2);
	check_place("out of order", "", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_begins_with_comes_back),
		cmocka_unit_test(test_values_of_another_type),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_null_where_it_must_be_said),
		cmocka_unit_test(test_no_argument_is_missing),
		cmocka_unit_test(test_something_instead_of_long_text),
		cmocka_unit_test(test_a_page_of_the_worst_text),
		cmocka_unit_test(test_words_of_options),
		cmocka_unit_test(test_many_people),
		cmocka_unit_test(test_what_cannot_be_read_is_shown_again),
		cmocka_unit_test(test_both_ways_of_naming_a_person_are_kept),
		cmocka_unit_test(test_where_a_fault_of_the_plan_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
