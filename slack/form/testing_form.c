/* A form as somebody goes through it, for tests: what Slack would take and send back. */
#include "slack/form/testing_form.h"

#include "base/testing.h"
#include "slack/render/blocks.h"
#include "slack/text/text.h"

json_t *try_json(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	testing_no_error(&err);
	return value;
}

struct slack_form *try_form(const char *tool_text)
{
	struct error err = ERROR_INIT;
	json_auto_t *tool = try_json(tool_text);
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

json_t *try_state(const json_t *view)
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
void try_fill(const json_t *view, json_t *state, const char *label, const char *member,
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

json_t *try_draw(const struct slack_form *f, size_t page, const json_t *values)
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
void try_kept(const char *tool, const char *wanted_text)
{
	_cleanup_(slack_form_freep) struct slack_form *f = try_form(tool);
	json_auto_t *wanted = try_json(wanted_text), *values = json_deep_copy(wanted);
	struct error err = ERROR_INIT;

	for (size_t page = 1; page <= slack_form_pages(f); page++) {
		_cleanup_(slack_form_result_done) struct slack_form_result r = { 0 };
		json_auto_t *view = try_draw(f, page, values), *state = try_state(view);

		assert_true(slack_form_submit(f, page, state, values, NULL, &r, &err));
		if (r.errors)
			fail_msg("%s: %s", wanted_text, json_dumps(r.errors, 0));
		assert_null(r.faults);
		assert_int_equal(r.page, page < slack_form_pages(f) ? page + 1 : 0);
	}
	if (!json_equal(values, wanted))
		fail_msg("%s became %s", wanted_text, json_dumps(values, 0));
}

struct try try_new(const char *tool)
{
	struct try t = { .form = try_form(tool),
			 .values = json_object(),
			 .unread = json_object() };

	t.view = try_draw(t.form, 1, NULL);
	t.state = try_state(t.view);
	return t;
}

void try_done(struct try *t)
{
	slack_form_free(t->form);
	json_decref(t->values);
	json_decref(t->unread);
	json_decref(t->view);
	json_decref(t->state);
	slack_form_result_done(&t->result);
}

void try_submit(struct try *t, size_t page)
{
	struct error err = ERROR_INIT;

	slack_form_result_done(&t->result);
	assert_true(slack_form_submit(t->form, page, t->state, t->values, t->unread,
				      &t->result, &err));
}

void try_value(const json_t *values, const char *name, const char *wanted_text)
{
	json_auto_t *wanted = try_json(wanted_text);

	assert_true(json_equal(json_object_get(values, name), wanted));
}

void try_error(const struct try *t, const char *words)
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

/* ---- Sizes ------------------------------------------------------------------------ */

/* A tool with 'count' properties of this schema. */
char *try_tool(int count, const char *property)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_add_string(&sb, "{\"name\":\"a.b\",\"inputSchema\":{\"type\":\"object\","
			       "\"additionalProperties\":false,\"properties\":{");
	for (int i = 0; i < count; i++)
		strbuf_add_format(&sb, "%s\"p%d\":%s", i ? "," : "", i, property);
	strbuf_add_string(&sb, "}}}");
	return strbuf_take(&sb);
}
