/* A form takes what its schema takes, says what is wrong where it is wrong, loses nothing. */
#include "slack/form/testing_form.h"

#include "base/testing.h"
#include "schemas/schemas.h"

static const char every_kind[] =
	"{\"name\":\"fixture.every_kind\",\"description\":\"Does <!channel> *things*\","
	"\"inputSchema\":{\"type\":\"object\",\"properties\":{"
	"\"note\":{\"type\":\"string\",\"maxLength\":5000,\"default\":\"none\"},"
	"\"person\":{\"type\":\"string\",\"minLength\":3,\"x-wingman-kind\":\"person\"},"
	"\"people\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"x-wingman-"
	"kind\":"
	"\"person\"}},"
	"\"systems\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/system\"},"
	"\"uniqueItems\":true},"
	"\"system\":{\"$ref\":\"#/$defs/system\"},"
	"\"revoke\":{\"type\":\"boolean\"},"
	"\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":200},"
	"\"ratio\":{\"type\":\"number\"},"
	"\"level\":{\"oneOf\":[{\"const\":1,\"title\":\"low\"},{\"const\":2,\"title\":"
	"\"high\"}]},"
	"\"at\":{\"type\":\"string\",\"format\":\"date-time\"},"
	"\"day\":{\"type\":\"string\",\"format\":\"date\"},"
	"\"ports\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}},"
	"\"either\":{\"type\":[\"string\",\"integer\"]},"
	"\"nested\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},"
	"\"required\":[\"a\"]}},"
	"\"required\":[\"person\"],\"dependentRequired\":{\"limit\":[\"note\"]},"
	"\"additionalProperties\":false,"
	"\"$defs\":{\"system\":{\"type\":\"string\",\"enum\":[\"ldap\",\"okta\"]}}}}";

static void test_what_is_given_comes_back(void **state)
{
	(void)state;
	try_kept(every_kind, "{\"person\":\"john.doe@example.com\"}");
	try_kept(every_kind, "{\"person\":\"<@U0ALICE001>\"}");
	try_kept(every_kind, "{\"person\":\"<@nobody>\"}");
	try_kept(every_kind,
		 "{\"person\":\"<!everyone> & *b*\",\"note\":\"a\\nb <x> & y\"}");
	try_kept(every_kind,
		 "{\"person\":\"abc\",\"people\":[\"<@U0ALICE001>\",\"bob\"]}");
	try_kept(every_kind, "{\"person\":\"abc\",\"systems\":[\"ldap\",\"okta\"],"
			     "\"system\":\"okta\",\"revoke\":false}");
	try_kept(every_kind, "{\"person\":\"abc\",\"revoke\":true,\"limit\":200,"
			     "\"note\":\"x\",\"ratio\":-0.5,\"level\":2}");
	try_kept(every_kind, "{\"person\":\"abc\",\"at\":\"2026-11-22T10:00:00Z\","
			     "\"day\":\"2026-02-28\"}");
	/* No picker shows seconds: it is text then, and nothing is rounded. */
	try_kept(every_kind, "{\"person\":\"abc\",\"at\":\"2026-11-22T10:00:07Z\"}");
	try_kept(every_kind, "{\"person\":\"abc\",\"ports\":[22,443],\"either\":7,"
			     "\"nested\":{\"a\":1}}");
	try_kept(every_kind, "{\"person\":\"abc\",\"either\":\"seven\"}");
}

static void test_a_text_too_long_for_an_input_is_kept(void **state)
{
	static const char begins[] = "{\"person\":\"abc\",\"note\":\"";
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	(void)state;
	for (int length = SLACK_FORM_TEXT_MAX; length <= SLACK_FORM_TEXT_MAX + 1;
	     length++) {
		strbuf_clear(&text);
		strbuf_add_string(&text, begins);
		for (int i = 0; i < length; i++)
			strbuf_add_char(&text, (char)('a' + i % 26));
		strbuf_add_string(&text, "\"}");
		try_kept(every_kind, text.data);
	}
}

static void test_errors_stand_at_their_input(void **state)
{
	_cleanup_(try_done) struct try t = try_new(every_kind);

	(void)state;
	try_submit(&t, 1);
	try_error(&t, "is needed");
	assert_int_equal(json_object_size(t.values), 0);
	try_fill(t.view, t.state, "person, or typed", "value", json_string("jo"));
	try_submit(&t, 1);
	try_error(&t, "at least 3");
	try_fill(t.view, t.state, "person", "selected_user", json_string("U0ALICE001"));
	try_submit(&t, 1);
	try_error(&t, "not both");
	try_fill(t.view, t.state, "person, or typed", "value", json_null());
	try_fill(t.view, t.state, "limit", "value", json_string("1e400"));
	try_submit(&t, 1);
	try_error(&t, "must be a number");
	try_fill(t.view, t.state, "limit", "value", json_string("201"));
	try_submit(&t, 1);
	try_error(&t, "200");
	try_fill(t.view, t.state, "limit", "value", json_string("200"));
	try_fill(t.view, t.state, "ports", "value", json_string("22\nx"));
	try_submit(&t, 1);
	assert_non_null(t.result.errors);
	try_fill(t.view, t.state, "ports", "value", json_string(" 22 \n\n443\n"));
	try_submit(&t, 1);
	try_error(&t, "must have 'note' because");
	try_fill(t.view, t.state, "note", "value", json_string("as asked"));
	try_submit(&t, 1);
	assert_null(t.result.errors);
	assert_int_equal(t.result.page, 2);
	try_value(t.values, "ports", "[22,443]");
	assert_string_equal(json_get_string(t.values, "person"), "<@U0ALICE001>");
}

static void test_values_that_no_menu_offers_are_refused(void **state)
{
	static const char *const bad[] = { "2", "-1", "00x", "", "99999999999999999999" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(try_done) struct try t = try_new(every_kind);

		try_fill(t.view, t.state, "system", "selected_option",
			 json_pack("{s:s}", "value", bad[i]));
		try_submit(&t, 1);
		try_error(&t, "none of the choices");
	}
}

/* limit wants note: the fault is of the whole, found on the last page, shown on the first. */
static void test_what_does_not_fit_together_leads_back(void **state)
{
	_cleanup_(slack_form_freep) struct slack_form *f = try_form(every_kind);
	json_auto_t *values = try_json("{\"person\":\"abc\",\"limit\":3}");
	_cleanup_(slack_form_result_done) struct slack_form_result r = { 0 };
	json_auto_t *view = try_draw(f, 2, values), *sent = try_state(view);
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(slack_form_pages(f), 2);
	assert_true(slack_form_submit(f, 2, sent, values, NULL, &r, &err));
	assert_null(r.errors);
	assert_int_equal(r.page, 1);
	assert_non_null(json_object_get(r.faults, "note"));
}

static void test_going_back_keeps_what_can_be_read(void **state)
{
	_cleanup_(try_done) struct try t = try_new(every_kind);
	struct error err = ERROR_INIT;

	(void)state;
	try_fill(t.view, t.state, "ratio", "value", json_string("0.25"));
	try_fill(t.view, t.state, "limit", "value", json_string("many"));
	assert_true(slack_form_keep(t.form, 1, t.state, t.values, t.unread, &err));
	assert_int_equal(json_object_size(t.values), 1);
	try_value(t.values, "ratio", "0.25");
	assert_false(slack_form_keep(t.form, 3, t.state, t.values, t.unread, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
}

/* ---- Sizes ------------------------------------------------------------------------ */

static size_t pages_of(int count, const char *property)
{
	_cleanup_free_ char *tool = try_tool(count, property);
	_cleanup_(slack_form_freep) struct slack_form *f = try_form(tool);

	for (size_t page = 1; page <= slack_form_pages(f); page++)
		json_decref(try_draw(f, page, NULL));
	return slack_form_pages(f);
}

static void test_pages(void **state)
{
	_cleanup_free_ char *tool =
		try_tool(SLACK_FORM_PROPERTIES_MAX + 1, "{\"type\":\"string\"}");
	json_auto_t *parsed = try_json(tool);
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(pages_of(0, "true"), 1);
	assert_int_equal(pages_of(SLACK_FORM_INPUTS_MAX, "{\"type\":\"string\"}"), 1);
	assert_int_equal(pages_of(SLACK_FORM_INPUTS_MAX + 1, "{\"type\":\"string\"}"), 2);
	assert_int_equal(pages_of(SLACK_FORM_PROPERTIES_MAX, "{\"type\":\"integer\"}"),
			 25);
	assert_null(slack_form_new(parsed, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
}

/* An enum of 'count' texts that differ only behind what a menu shows. */
static char *menu_of(int count)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_add_string(&sb, "{\"enum\":[");
	for (int i = 0; i < count; i++)
		strbuf_add_format(&sb, "%s\"%0100d\"", i ? "," : "", i);
	strbuf_add_string(&sb, "],\"type\":\"string\"}");
	return strbuf_take(&sb);
}

static void test_long_menus_are_searched(void **state)
{
	_cleanup_free_ char *few = menu_of(SLACK_FORM_CHOICES_MAX),
			    *many = menu_of(SLACK_FORM_CHOICES_MAX + 1);
	_cleanup_free_ char *few_tool = try_tool(1, few), *many_tool = try_tool(1, many);
	_cleanup_(try_done) struct try t = try_new(many_tool), u = try_new(few_tool);
	struct error err = ERROR_INIT;
	json_auto_t *all = slack_form_options(t.form, "f0", "", &err);
	json_auto_t *one = slack_form_options(t.form, "f0", "#101", &err);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(all, "options")), 100);
	assert_int_equal(json_array_size(json_object_get(one, "options")), 1);
	assert_null(slack_form_options(t.form, "f1", "", &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	try_fill(t.view, t.state, "p0", "selected_option",
		 json_incref(json_array_get(json_object_get(one, "options"), 0)));
	try_submit(&t, 1);
	assert_null(t.result.errors);
	assert_int_equal(t.result.page, 0);
	assert_int_equal(strlen(json_get_string(t.values, "p0")), 100);
	try_submit(&u, 1);
	assert_null(u.result.errors);
}

static void test_arguments_without_a_property(void **state)
{
	static const char tool[] =
		"{\"name\":\"a.b\",\"inputSchema\":{\"type\":\"object\","
		"\"properties\":{\"x\":{\"type\":\"integer\"}},"
		"\"additionalProperties\":{\"type\":\"integer\"}}}";
	_cleanup_(try_done) struct try t = try_new(tool);

	(void)state;
	try_kept(tool, "{\"x\":1,\"y\":2}");
	try_fill(t.view, t.state, "More arguments", "value", json_string("{\"x\":3}"));
	try_submit(&t, 1);
	try_error(&t, "an input of its own");
	try_fill(t.view, t.state, "More arguments", "value", json_string("[3]"));
	try_submit(&t, 1);
	try_error(&t, "a JSON object");
	try_fill(t.view, t.state, "More arguments", "value",
		 json_string("{\"y\":\"3\"}"));
	try_submit(&t, 1);
	try_error(&t, "whole number");
}

/* Every tool that is compiled in has a form, and what its schema gives as examples comes
 * back from it. */
static void test_every_tool_has_a_form(void **state)
{
	size_t count = 0, tools = 0;
	const struct schema_file *files = schemas_all(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct error err = ERROR_INIT;
		json_auto_t *tool = try_json(files[i].text);
		_cleanup_(slack_form_freep) struct slack_form *f = NULL;

		if (!json_object_get(tool, "inputSchema"))
			continue;
		f = slack_form_new(tool, &err);
		testing_no_error(&err);
		for (size_t page = 1; page <= slack_form_pages(f); page++)
			json_decref(try_draw(f, page, NULL));
		tools++;
	}
	assert_true(tools > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_given_comes_back),
		cmocka_unit_test(test_a_text_too_long_for_an_input_is_kept),
		cmocka_unit_test(test_errors_stand_at_their_input),
		cmocka_unit_test(test_values_that_no_menu_offers_are_refused),
		cmocka_unit_test(test_what_does_not_fit_together_leads_back),
		cmocka_unit_test(test_going_back_keeps_what_can_be_read),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_long_menus_are_searched),
		cmocka_unit_test(test_arguments_without_a_property),
		cmocka_unit_test(test_every_tool_has_a_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
