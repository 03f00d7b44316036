#include "slack/form/form.h"

#include "slack/form/form_private.h"
#include "slack/form/input_private.h"
#include "slack/text/text.h"
#include "slack/render/blocks.h"

enum {
	DESCRIPTION_UNITS = 1500,
	UNIT_BYTES_MAX = 6, /* of a character as JSON: an escape */
};

/* ---- Which inputs, on which pages ------------------------------------------------- */

static bool is_required(const json_t *schema, const char *name)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(schema, "required"), i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

/* It wants a member that is no property of its own. */
static bool wants_more(const json_t *schema)
{
	const json_t *properties = json_object_get(schema, "properties");
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(schema, "required"), i, one)
	{
		if (json_is_string(one) &&
		    !json_object_get(properties, json_string_value(one)))
			return true;
	}
	return false;
}

/* Whether it says something of members that are no properties, itself or by way of others. */
static bool takes_more(const json_t *schema)
{
	static const char *const others[] = {
		"patternProperties",
		"allOf",
		"anyOf",
		"oneOf",
		"if",
		"dependentSchemas",
		"dependentRequired",
		"propertyNames",
		"unevaluatedProperties",
		"$ref",
		"$dynamicRef",
	};
	const json_t *more = json_object_get(schema, "additionalProperties");

	if (more ? !json_is_false(more)
		 : !json_object_get(schema, "properties") && json_object_size(schema) > 0)
		return true;
	if (json_object_get(schema, "patternProperties") || wants_more(schema))
		return true;
	for (size_t i = 0; !more && i < ARRAY_SIZE(others); i++)
		if (json_object_get(schema, others[i]))
			return true;
	return false;
}

static void add_inputs(struct slack_form *f)
{
	json_t *properties = json_object_get(f->schema, "properties");
	const char *name;
	json_t *property;

	for (int pass = 0; pass < 2; pass++) {
		json_object_foreach(properties, name, property)
		{
			bool required = is_required(f->schema, name);

			if (required != (pass == 0))
				continue;
			f->inputs[f->count] =
				input_of(f->schema, name, property, required, f->count);
			f->count++;
		}
	}
	if (takes_more(f->schema)) {
		f->inputs[f->count] = input_of(f->schema, NULL, NULL, false, f->count);
		f->count++;
	}
}

static bool measure(const struct input *in, size_t *ret_bytes, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct input_draft empty = { .value = NULL };
	json_auto_t *blocks = json_array();

	if (!blocks)
		return error_oom(err);
	if (!input_draw(in, &empty, blocks, err) || !json_write(&text, blocks, err))
		return false;
	/* And full: of a menu at most all of it once more, of text as much as it takes. */
	*ret_bytes = text.length +
		     (in->kind == INPUT_CHOICE || in->kind == INPUT_CHOICES
			      ? text.length
			      : (size_t)SLACK_FORM_TEXT_MAX * UNIT_BYTES_MAX);
	return true;
}

static bool lay_out(struct slack_form *f, struct error *err)
{
	size_t inputs = 0, bytes = 0;

	f->pages = 1;
	for (size_t i = 0; i < f->count; i++) {
		size_t own = 0;

		if (!measure(&f->inputs[i], &own, err))
			return false;
		if (inputs == SLACK_FORM_INPUTS_MAX ||
		    (inputs > 0 && bytes + own > SLACK_FORM_PAGE_BYTES_MAX)) {
			f->pages++;
			inputs = 0;
			bytes = 0;
		}
		f->page_of[i] = f->pages;
		inputs++;
		bytes += own;
	}
	return true;
}

struct slack_form *slack_form_new(const json_t *tool, struct error *err)
{
	_cleanup_(slack_form_freep) struct slack_form *f = calloc(1, sizeof *f);
	size_t count;

	if (f)
		f->tool = json_deep_copy(tool);
	if (!f || !f->tool) {
		error_oom(err);
		return NULL;
	}
	f->schema = json_object_get(f->tool, "inputSchema");
	count = json_object_size(json_object_get(f->schema, "properties"));
	if (!json_get_string(f->tool, "name") || !json_is_object(f->schema) ||
	    count > SLACK_FORM_PROPERTIES_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "this is no tool with at most %d arguments",
			  SLACK_FORM_PROPERTIES_MAX);
		return NULL;
	}
	f->inputs = calloc(count + 1, sizeof *f->inputs);
	f->page_of = calloc(count + 1, sizeof *f->page_of);
	if (!f->inputs || !f->page_of) {
		error_oom(err);
		return NULL;
	}
	f->compiled = schema_compile(NULL, f->schema, NULL, SCHEMA_ASSERT_FORMAT, err);
	if (!f->compiled)
		return NULL;
	add_inputs(f);
	return lay_out(f, err) ? TAKE(f) : NULL;
}

void slack_form_free(struct slack_form *f)
{
	if (!f)
		return;
	json_decref(f->tool);
	schema_free(f->compiled);
	free(f->inputs);
	free(f->page_of);
	free(f);
}

size_t slack_form_pages(const struct slack_form *f)
{
	return f->pages;
}

/* ---- A page ----------------------------------------------------------------------- */

json_t *form_rest(const struct slack_form *f, const json_t *values)
{
	json_t *properties = json_object_get(f->schema, "properties");
	json_auto_t *rest = json_object();
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)values, name, value)
	{
		if (!json_object_get(properties, name) &&
		    json_object_set(rest, name, value) != 0)
			return NULL;
	}
	return TAKE(rest);
}

static bool add_top(const struct slack_form *f, json_t *blocks, struct error *err)
{
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT, description = STRBUF_INIT;
	const char *text = json_get_string(f->tool, "description");
	json_auto_t *texts = json_array();

	slack_text_words(&words, json_get_string(f->tool, "name"),
			 SLACK_HEADER_CHARACTERS_MAX);
	if (text && *text)
		slack_text_words(&description, text, DESCRIPTION_UNITS);
	if (!texts || !strbuf_ok(&words) || !strbuf_ok(&description) ||
	    (description.length > 0 &&
	     json_array_append_new(texts, json_string(description.data)) != 0))
		return error_oom(err);
	return json_array_append_new(blocks, slack_section(words.data, texts)) == 0 ||
	       error_oom(err);
}

static bool add_note(const char *note, json_t *blocks, struct error *err)
{
	json_auto_t *texts = NULL;
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

	if (!note)
		return true;
	slack_text_words(&words, note, FORM_FAULT_UNITS);
	texts = strbuf_ok(&words) ? json_pack("[s]", words.data) : NULL;
	return (texts &&
		json_array_append_new(blocks,
				      slack_section("Filled in from what somebody else "
						    "wrote: read every value.",
						    texts)) == 0) ||
	       error_oom(err);
}

static bool add_fault(const char *name, const json_t *said, json_t *blocks,
		      struct error *err)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	json_auto_t *texts = NULL;

	slack_text_words(&line, name, FORM_ERROR_UNITS);
	strbuf_add_string(&line, *name ? ": " : "");
	slack_text_words(&line, json_is_string(said) ? json_string_value(said) : "",
			 FORM_FAULT_UNITS);
	texts = strbuf_ok(&line) ? json_pack("[s]", line.data) : NULL;
	return (texts && json_array_append_new(
				 blocks, slack_section("To be mended:", texts)) == 0) ||
	       error_oom(err);
}

static bool is_on_page(const struct slack_form *f, size_t page, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->page_of[i] == page && f->inputs[i].name &&
		    strcmp(f->inputs[i].name, name) == 0)
			return true;
	return false;
}

/* Those that belong to no input of the page, on top. */
static bool add_faults(const struct slack_form *f, const struct slack_form_view *view,
		       json_t *blocks, struct error *err)
{
	size_t count = 0;
	const char *name;
	json_t *said;

	json_object_foreach((json_t *)(uintptr_t)view->faults, name, said)
	{
		if (!is_on_page(f, view->page, name) && count++ < FORM_FAULTS_SHOWN &&
		    !add_fault(name, said, blocks, err))
			return false;
	}
	return true;
}

static bool draw(const struct slack_form *f, const struct input *in,
		 const struct slack_form_view *view, json_t *blocks, struct error *err)
{
	const json_t *fault = in->name ? json_object_get(view->faults, in->name) : NULL;
	char id[INPUT_BLOCK_BYTES];
	struct input_draft draft = {
		.unread = json_get_string(view->unread, input_block(in, id)),
	};
	json_auto_t *rest = NULL;

	if (fault && !add_fault("", fault, blocks, err))
		return false;
	if (in->name) {
		draft.value = json_object_get(view->values, in->name);
		return input_draw(in, &draft, blocks, err);
	}
	rest = form_rest(f, view->values);
	if (!rest)
		return error_oom(err);
	draft.value = json_object_size(rest) > 0 ? rest : NULL;
	return input_draw(in, &draft, blocks, err);
}

static bool add_back(size_t page, json_t *blocks, struct error *err)
{
	const struct slack_button back = { .action = SLACK_FORM_ACTION_BACK,
					   .words = "Back",
					   .value = "back" };

	return page == 1 || json_array_append_new(blocks, slack_actions(&back, 1)) == 0 ||
	       error_oom(err);
}

static json_t *wrap(const struct slack_form *f, const struct slack_form_view *view,
		    json_t *blocks, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	/* At most "Page 26 of 26": SLACK_FORM_PROPERTIES_MAX sees to it. */
	char title[2 * SLACK_VIEW_TITLE_CHARACTERS_MAX + 8] = "Fill in";
	bool last = view->page == f->pages;
	json_auto_t *whole = NULL;

	if (f->pages > 1)
		(void)snprintf(title, sizeof title, "Page %zu of %zu", view->page,
			       f->pages);
	whole = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:O}", "type", "modal",
			  "callback_id", SLACK_FORM_CALLBACK, "private_metadata",
			  view->metadata, "title", slack_plain(title), "submit",
			  slack_plain(last ? "Review" : "Next"), "close",
			  slack_plain("Cancel"), "blocks", blocks);
	if (!whole || !json_write(&text, whole, err)) {
		error_oom(err);
		return NULL;
	}
	if (text.length > SLACK_VIEW_BYTES_MAX) {
		error_set(err, ERR_INTERNAL, "a page of the form is too large for Slack");
		return NULL;
	}
	return TAKE(whole);
}

json_t *slack_form_view(const struct slack_form *f, const struct slack_form_view *view,
			struct error *err)
{
	json_auto_t *blocks = json_array();

	if (view->page < 1 || view->page > f->pages) {
		error_set(err, ERR_NOT_FOUND, "the form has no page %zu", view->page);
		return NULL;
	}
	if (!blocks) {
		error_oom(err);
		return NULL;
	}
	if (!add_top(f, blocks, err) || !add_note(view->note, blocks, err) ||
	    !add_faults(f, view, blocks, err))
		return NULL;
	for (size_t i = 0; i < f->count; i++)
		if (f->page_of[i] == view->page &&
		    !draw(f, &f->inputs[i], view, blocks, err))
			return NULL;
	return add_back(view->page, blocks, err) ? wrap(f, view, blocks, err) : NULL;
}
