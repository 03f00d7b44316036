/* A form takes what its schema takes, says what is wrong where it is wrong, loses nothing. */
#include "slack/form/form.h"

#include "base/testing.h"
#include "schemas/schemas.h"
#include "slack/render/blocks.h"
#include "slack/text/text.h"

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

static json_t *json(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	testing_no_error(&err);
	return value;
}

static struct slack_form *form_new(const char *tool_text)
{
	struct error err = ERROR_INIT;
	json_auto_t *tool = json(tool_text);
	struct slack_form *f = slack_form_new(tool, &err);

	testing_no_error(&err);
	return f;
}

/* ---- What Slack would send back --------------------------------------------------- */

static json_t *initial(const json_t *e, const char *member)
{
	json_t *value = json_object_get(e, member);

	return value ? json_incref(value) : json_null();
}

/* The state of an element that nobody touched. */
static json_t *untouched(const json_t *e)
{
	const char *type = json_get_string(e, "type");
	static const struct {
		const char *type, *says, *begins;
	} kinds[] = {
		{ "plain_text_input", "value", "initial_value" },
		{ "number_input", "value", "initial_value" },
		{ "static_select", "selected_option", "initial_option" },
		{ "external_select", "selected_option", "initial_option" },
		{ "radio_buttons", "selected_option", "initial_option" },
		{ "multi_static_select", "selected_options", "initial_options" },
		{ "multi_external_select", "selected_options", "initial_options" },
		{ "users_select", "selected_user", "initial_user" },
		{ "multi_users_select", "selected_users", "initial_users" },
		{ "datepicker", "selected_date", "initial_date" },
		{ "datetimepicker", "selected_date_time", "initial_date_time" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return json_pack("{s:s, s:o}", "type", type, kinds[i].says,
					 initial(e, kinds[i].begins));
	fail_msg("Slack has no element %s", type);
	return NULL;
}

static json_t *state_of(const json_t *view)
{
	json_t *state = json_object(), *block;
	size_t i;

	json_array_foreach(json_object_get(view, "blocks"), i, block)
	{
		if (strcmp(json_get_string(block, "type"), "input") == 0)
			json_object_set_new(
				state, json_get_string(block, "block_id"),
				json_pack("{s:o}", "v",
					  untouched(json_object_get(block, "element"))));
	}
	return state;
}

/* The block with this label, and what it says becomes 'value'. */
static void fill(const json_t *view, json_t *state, const char *label, const char *member,
		 json_t *value)
{
	size_t i;
	json_t *block;

	json_array_foreach(json_object_get(view, "blocks"), i, block)
	{
		const char *own =
			json_get_string(json_object_get(block, "label"), "text");

		if (!own || strcmp(own, label) != 0)
			continue;
		json_object_set_new(
			json_object_get(
				json_object_get(state,
						json_get_string(block, "block_id")),
				"v"),
			member, value);
		return;
	}
	fail_msg("there is no input '%s'", label);
}

/* ---- Slack's limits --------------------------------------------------------------- */

static void check_text(const json_t *object, size_t units)
{
	const char *text = json_get_string(object, "text");

	assert_non_null(text);
	assert_string_equal(json_get_string(object, "type"), "plain_text");
	assert_true(json_is_false(json_object_get(object, "emoji")));
	assert_in_range(slack_text_units(text, strlen(text)), 1, units);
}

static void check_element(const json_t *e)
{
	json_t *options = json_object_get(e, "options"), *option;
	json_auto_t *texts = json_object(), *values = json_object();
	size_t i;

	if (options)
		assert_in_range(json_array_size(options), 1, 100);
	json_array_foreach(options, i, option)
	{
		check_text(json_object_get(option, "text"), 75);
		json_object_set_new(
			texts, json_get_string(json_object_get(option, "text"), "text"),
			json_true());
		json_object_set_new(values, json_get_string(option, "value"),
				    json_true());
	}
	assert_int_equal(json_object_size(texts), json_array_size(options));
	assert_int_equal(json_object_size(values), json_array_size(options));
}

static void check_view(const json_t *view)
{
	json_auto_t *ids = json_object();
	json_t *blocks = json_object_get(view, "blocks"), *block;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	size_t i;

	assert_true(json_write(&text, view, &err));
	assert_in_range(text.length, 1, 250 * 1000);
	assert_in_range(json_array_size(blocks), 1, 100);
	check_text(json_object_get(view, "title"), 24);
	check_text(json_object_get(view, "submit"), 24);
	json_array_foreach(blocks, i, block)
	{
		const char *id = json_get_string(block, "block_id");

		if (strcmp(json_get_string(block, "type"), "input") != 0)
			continue;
		assert_null(json_object_get(ids, id));
		json_object_set_new(ids, id, json_true());
		check_text(json_object_get(block, "label"), 2000);
		if (json_object_get(block, "hint"))
			check_text(json_object_get(block, "hint"), 2000);
		check_element(json_object_get(block, "element"));
	}
}

static json_t *draw(const struct slack_form *f, size_t page, const json_t *values)
{
	const struct slack_form_view view = { .page = page,
					      .values = values,
					      .metadata = "draft" };
	struct error err = ERROR_INIT;
	json_t *drawn = slack_form_view(f, &view, &err);

	testing_no_error(&err);
	check_view(drawn);
	return drawn;
}

/* ---- Going through it ------------------------------------------------------------- */

/* Draws every page with 'wanted' in it, sends it in untouched, and gets 'wanted'. */
static void check_kept(const char *tool, const char *wanted_text)
{
	_cleanup_(slack_form_freep) struct slack_form *f = form_new(tool);
	json_auto_t *wanted = json(wanted_text), *values = json_deep_copy(wanted);
	struct error err = ERROR_INIT;

	for (size_t page = 1; page <= slack_form_pages(f); page++) {
		_cleanup_(slack_form_result_done) struct slack_form_result r = { 0 };
		json_auto_t *view = draw(f, page, values), *state = state_of(view);

		assert_true(slack_form_submit(f, page, state, values, &r, &err));
		if (r.errors)
			fail_msg("%s: %s", wanted_text, json_dumps(r.errors, 0));
		assert_null(r.faults);
		assert_int_equal(r.page, page < slack_form_pages(f) ? page + 1 : 0);
	}
	if (!json_equal(values, wanted))
		fail_msg("%s became %s", wanted_text, json_dumps(values, 0));
}

static void test_what_is_given_comes_back(void **state)
{
	(void)state;
	check_kept(every_kind, "{\"person\":\"john.doe@example.com\"}");
	check_kept(every_kind, "{\"person\":\"<@U0ALICE001>\"}");
	check_kept(every_kind, "{\"person\":\"<@nobody>\"}");
	check_kept(every_kind,
		   "{\"person\":\"<!everyone> & *b*\",\"note\":\"a\\nb <x> & y\"}");
	check_kept(every_kind,
		   "{\"person\":\"abc\",\"people\":[\"<@U0ALICE001>\",\"bob\"]}");
	check_kept(every_kind, "{\"person\":\"abc\",\"systems\":[\"ldap\",\"okta\"],"
			       "\"system\":\"okta\",\"revoke\":false}");
	check_kept(every_kind, "{\"person\":\"abc\",\"revoke\":true,\"limit\":200,"
			       "\"note\":\"x\",\"ratio\":-0.5,\"level\":2}");
	check_kept(every_kind, "{\"person\":\"abc\",\"at\":\"2026-11-22T10:00:00Z\","
			       "\"day\":\"2026-02-28\"}");
	/* No picker shows seconds: it is text then, and nothing is rounded. */
	check_kept(every_kind, "{\"person\":\"abc\",\"at\":\"2026-11-22T10:00:07Z\"}");
	check_kept(every_kind, "{\"person\":\"abc\",\"ports\":[22,443],\"either\":7,"
			       "\"nested\":{\"a\":1}}");
	check_kept(every_kind, "{\"person\":\"abc\",\"either\":\"seven\"}");
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
		check_kept(every_kind, text.data);
	}
}

/* A page filled in: what comes of it goes to 'ret'. */
struct
try {
	struct slack_form *form;
	json_t *values, *view, *state;
	struct slack_form_result result;
};

static struct try try_new(const char *tool)
{
	struct try t = { .form = form_new(tool), .values = json_object() };

	t.view = draw(t.form, 1, NULL);
	t.state = state_of(t.view);
	return t;
}

static void try_done(struct try *t)
{
	slack_form_free(t->form);
	json_decref(t->values);
	json_decref(t->view);
	json_decref(t->state);
	slack_form_result_done(&t->result);
}

static void submit(struct try *t, size_t page)
{
	struct error err = ERROR_INIT;

	slack_form_result_done(&t->result);
	assert_true(
		slack_form_submit(t->form, page, t->state, t->values, &t->result, &err));
}

static void check_value(const json_t *values, const char *name, const char *wanted_text)
{
	json_auto_t *wanted = json(wanted_text);

	assert_true(json_equal(json_object_get(values, name), wanted));
}

static void check_error(const struct try *t, const char *words)
{
	const char *block;
	json_t *said;

	if (!t->result.errors)
		fail_msg("'%s' was expected, and nothing was said", words);
	json_object_foreach(t->result.errors, block, said)
	{
		assert_non_null(json_object_get(t->state, block));
		if (strstr(json_string_value(said), words))
			return;
	}
	fail_msg("'%s' was expected in %s", words, json_dumps(t->result.errors, 0));
}

static void test_errors_stand_at_their_input(void **state)
{
	_cleanup_(try_done) struct try t = try_new(every_kind);

	(void)state;
	submit(&t, 1);
	check_error(&t, "is needed");
	assert_int_equal(json_object_size(t.values), 0);
	fill(t.view, t.state, "person, or typed", "value", json_string("jo"));
	submit(&t, 1);
	check_error(&t, "at least 3");
	fill(t.view, t.state, "person", "selected_user", json_string("U0ALICE001"));
	submit(&t, 1);
	check_error(&t, "not both");
	fill(t.view, t.state, "person, or typed", "value", json_null());
	fill(t.view, t.state, "limit", "value", json_string("1e400"));
	submit(&t, 1);
	check_error(&t, "must be a number");
	fill(t.view, t.state, "limit", "value", json_string("201"));
	submit(&t, 1);
	check_error(&t, "200");
	fill(t.view, t.state, "limit", "value", json_string("200"));
	fill(t.view, t.state, "ports", "value", json_string("22\nx"));
	submit(&t, 1);
	assert_non_null(t.result.errors);
	fill(t.view, t.state, "ports", "value", json_string(" 22 \n\n443\n"));
	submit(&t, 1);
	check_error(&t, "must have 'note' because");
	fill(t.view, t.state, "note", "value", json_string("as asked"));
	submit(&t, 1);
	assert_null(t.result.errors);
	assert_int_equal(t.result.page, 2);
	check_value(t.values, "ports", "[22,443]");
	assert_string_equal(json_get_string(t.values, "person"), "<@U0ALICE001>");
}

static void test_values_that_no_menu_offers_are_refused(void **state)
{
	static const char *const bad[] = { "2", "-1", "00x", "", "99999999999999999999" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(try_done) struct try t = try_new(every_kind);

		fill(t.view, t.state, "system", "selected_option",
		     json_pack("{s:s}", "value", bad[i]));
		submit(&t, 1);
		check_error(&t, "none of the choices");
	}
}

/* limit wants note: the fault is of the whole, found on the last page, shown on the first. */
static void test_what_does_not_fit_together_leads_back(void **state)
{
	_cleanup_(slack_form_freep) struct slack_form *f = form_new(every_kind);
	json_auto_t *values = json("{\"person\":\"abc\",\"limit\":3}");
	_cleanup_(slack_form_result_done) struct slack_form_result r = { 0 };
	json_auto_t *view = draw(f, 2, values), *sent = state_of(view);
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(slack_form_pages(f), 2);
	assert_true(slack_form_submit(f, 2, sent, values, &r, &err));
	assert_null(r.errors);
	assert_int_equal(r.page, 1);
	assert_non_null(json_object_get(r.faults, "note"));
}

static void test_going_back_keeps_what_can_be_read(void **state)
{
	_cleanup_(try_done) struct try t = try_new(every_kind);
	struct error err = ERROR_INIT;

	(void)state;
	fill(t.view, t.state, "ratio", "value", json_string("0.25"));
	fill(t.view, t.state, "limit", "value", json_string("many"));
	assert_true(slack_form_keep(t.form, 1, t.state, t.values, &err));
	assert_int_equal(json_object_size(t.values), 1);
	check_value(t.values, "ratio", "0.25");
	assert_false(slack_form_keep(t.form, 3, t.state, t.values, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
}

/* ---- Sizes ------------------------------------------------------------------------ */

/* A tool with 'count' properties of this schema. */
static char *tool_of(int count, const char *property)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_add_string(&sb, "{\"name\":\"a.b\",\"inputSchema\":{\"type\":\"object\","
			       "\"additionalProperties\":false,\"properties\":{");
	for (int i = 0; i < count; i++)
		strbuf_add_format(&sb, "%s\"p%d\":%s", i ? "," : "", i, property);
	strbuf_add_string(&sb, "}}}");
	return strbuf_take(&sb);
}

static size_t pages_of(int count, const char *property)
{
	_cleanup_free_ char *tool = tool_of(count, property);
	_cleanup_(slack_form_freep) struct slack_form *f = form_new(tool);

	for (size_t page = 1; page <= slack_form_pages(f); page++)
		json_decref(draw(f, page, NULL));
	return slack_form_pages(f);
}

static void test_pages(void **state)
{
	_cleanup_free_ char *tool =
		tool_of(SLACK_FORM_PROPERTIES_MAX + 1, "{\"type\":\"string\"}");
	json_auto_t *parsed = json(tool);
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
	_cleanup_free_ char *few_tool = tool_of(1, few), *many_tool = tool_of(1, many);
	_cleanup_(try_done) struct try t = try_new(many_tool), u = try_new(few_tool);
	struct error err = ERROR_INIT;
	json_auto_t *all = slack_form_options(t.form, "f0", "", &err);
	json_auto_t *one = slack_form_options(t.form, "f0", "#101", &err);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(all, "options")), 100);
	assert_int_equal(json_array_size(json_object_get(one, "options")), 1);
	assert_null(slack_form_options(t.form, "f1", "", &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	fill(t.view, t.state, "p0", "selected_option",
	     json_incref(json_array_get(json_object_get(one, "options"), 0)));
	submit(&t, 1);
	assert_null(t.result.errors);
	assert_int_equal(t.result.page, 0);
	assert_int_equal(strlen(json_get_string(t.values, "p0")), 100);
	submit(&u, 1);
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
	check_kept(tool, "{\"x\":1,\"y\":2}");
	fill(t.view, t.state, "More arguments", "value", json_string("{\"x\":3}"));
	submit(&t, 1);
	check_error(&t, "an input of its own");
	fill(t.view, t.state, "More arguments", "value", json_string("[3]"));
	submit(&t, 1);
	check_error(&t, "a JSON object");
	fill(t.view, t.state, "More arguments", "value", json_string("{\"y\":\"3\"}"));
	submit(&t, 1);
	check_error(&t, "whole number");
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
		json_auto_t *tool = json(files[i].text);
		_cleanup_(slack_form_freep) struct slack_form *f = NULL;

		if (!json_object_get(tool, "inputSchema"))
			continue;
		f = slack_form_new(tool, &err);
		testing_no_error(&err);
		for (size_t page = 1; page <= slack_form_pages(f); page++)
			json_decref(draw(f, page, NULL));
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
