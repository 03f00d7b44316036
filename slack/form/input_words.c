#include "slack/form/input_private.h"

#include "base/text.h"
#include "show/field.h"
#include "slack/form/form.h"
#include "slack/render/blocks.h"
#include "slack/text/text.h"

enum {
	LABEL_UNITS = 150,
	HINT_UNITS = 300,
	CHOICE_UNITS = 75,
	CHOICE_NUMBER_UNITS = 12,
};

static void add_value(struct strbuf *sb, const json_t *value, bool quoted)
{
	struct error ignored = ERROR_INIT;

	if (json_is_string(value) && !quoted)
		strbuf_add(sb, json_string_value(value), json_string_length(value));
	else if (!json_write(sb, value, &ignored))
		sb->failed = true;
}

void input_choice_words(struct strbuf *sb, const struct input *in, size_t index)
{
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT, visible = STRBUF_INIT;
	const char *title;
	const json_t *choice = field_choice(in->chooser, index, &title);

	if (title)
		strbuf_add_format(&whole, "%s (", title);
	add_value(&whole, choice, in->mixed);
	if (title)
		strbuf_add_char(&whole, ')');
	text_visible(&visible, whole.data, whole.length);
	if (visible.length == 0)
		strbuf_add_string(sb, "\"\"");
	else if (slack_text_units(visible.data, visible.length) <= CHOICE_UNITS)
		strbuf_add(sb, visible.data, visible.length);
	else {
		/* Two that begin alike would be cut to the same words. */
		slack_text_words(sb, whole.data, CHOICE_UNITS - CHOICE_NUMBER_UNITS);
		strbuf_add_format(sb, " #%zu", index + 1);
	}
	if (!strbuf_ok(&whole) || !strbuf_ok(&visible))
		sb->failed = true;
}

const json_t *input_items(const struct input *in)
{
	return field_resolve(in->schema, json_object_get(in->property, "items"));
}

/* ---- Words ------------------------------------------------------------------------ */

static json_t *words(const struct strbuf *sb)
{
	return strbuf_ok(sb) ? slack_plain(sb->data) : NULL;
}

json_t *input_label(const struct input *in, const char *more)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	if (!in->name)
		strbuf_add_string(&sb, "More arguments");
	else if (in->title && *in->title)
		slack_text_words(&sb, in->title, LABEL_UNITS);
	else
		slack_text_words(&sb, *in->name ? in->name : "\"\"", LABEL_UNITS);
	strbuf_add_string(&sb, more);
	return words(&sb);
}

static const char *kind_hint(const struct input *in)
{
	switch (in->kind) {
	case INPUT_REST:
		return "As a JSON object.";
	case INPUT_LINES:
		return "One a line, or a JSON list.";
	case INPUT_TEXT:
		return field_allows(in->property, "null") ? "null stands for none."
							  : NULL;
	default:
		return NULL;
	}
}

static bool needs(const json_t *object, const char *name)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(object, "required"), i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

/* "As JSON: a list of objects with step (needed), note." */
static void add_shape(struct strbuf *sb, const struct input *in)
{
	const bool is_list = field_allows(in->property, "array");
	const json_t *object = is_list ? input_items(in) : in->property;
	const json_t *only = json_object_get(in->property, "const");
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT, value = STRBUF_INIT;
	struct error none = ERROR_INIT;
	const char *name;
	json_t *ignored;

	strbuf_add_format(sb, "%sAs JSON%s", sb->length > 0 ? " " : "",
			  is_list ? ": a list" : "");
	json_object_foreach(json_object_get(object, "properties"), name, ignored)
	{
		strbuf_add_format(&names, "%s%s%s", names.length > 0 ? ", " : "", name,
				  needs(object, name) ? " (needed)" : "");
	}
	if (names.length > 0) {
		strbuf_add_string(sb,
				  is_list ? " of objects with " : ": an object with ");
		slack_text_words(sb, names.data, HINT_UNITS);
	}
	strbuf_add_char(sb, '.');
	sb->failed = sb->failed || names.failed;
	if (only && json_write(&value, only, &none)) {
		strbuf_add_string(sb, " It can be nothing but ");
		slack_text_words(sb, value.data, HINT_UNITS);
	}
}

static void add_sentence(struct strbuf *sb, const char *text, size_t units)
{
	if (!text || !*text)
		return;
	if (sb->length > 0)
		strbuf_add_char(sb, ' ');
	slack_text_words(sb, text, units);
}

/* How to type it, where it is typed. */
static const char *example(const struct input *in)
{
	const char *format = json_get_string(in->property, "format");

	switch (in->kind) {
	case INPUT_TEXT:
		return format && strcmp(format, "time") == 0 ? "such as 10:00:00Z"
							     : field_hint(in->property);
	case INPUT_PERSON:
		return field_hint(in->property);
	case INPUT_PEOPLE:
	case INPUT_LINES:
		return field_hint(input_items(in));
	default:
		return NULL;
	}
}

json_t *input_hint(const struct input *in)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT, usual = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	int64_t longest = json_get_int64(in->property, "maxLength", SLACK_FORM_TEXT_MAX);

	add_sentence(&sb, in->help ? in->help : example(in), HINT_UNITS);
	add_sentence(&sb, kind_hint(in), HINT_UNITS);
	if (in->kind == INPUT_JSON)
		add_shape(&sb, in);
	if (in->kind == INPUT_TEXT && longest > SLACK_FORM_TEXT_MAX)
		strbuf_add_format(&sb, "%sAt most %d characters here.",
				  sb.length > 0 ? " " : "", SLACK_FORM_TEXT_MAX);
	if (in->usual && json_write(&usual, in->usual, &ignored)) {
		strbuf_add_format(&sb, "%s%s: ", sb.length > 0 ? " " : "",
				  in->kind == INPUT_BOOLEAN ? "Left out" : "Left empty");
		slack_text_words(&sb, usual.data, HINT_UNITS);
	}
	if (sb.length == 0 && strbuf_ok(&sb))
		return json_null();
	return words(&sb);
}
