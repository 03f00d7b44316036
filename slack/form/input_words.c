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

static void add_value(struct strbuf *sb, const json_t *value)
{
	struct error ignored = ERROR_INIT;

	if (json_is_string(value))
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
	add_value(&whole, choice);
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
	case INPUT_JSON:
		return "As JSON.";
	case INPUT_REST:
		return "As a JSON object.";
	case INPUT_LINES:
		return "One a line.";
	default:
		return NULL;
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

json_t *input_hint(const struct input *in)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT, usual = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	int64_t longest = json_get_int64(in->property, "maxLength", SLACK_FORM_TEXT_MAX);

	add_sentence(&sb, in->help, HINT_UNITS);
	add_sentence(&sb, kind_hint(in), HINT_UNITS);
	if (in->kind == INPUT_TEXT && longest > SLACK_FORM_TEXT_MAX)
		strbuf_add_format(&sb, "%sAt most %d characters here.",
				  sb.length > 0 ? " " : "", SLACK_FORM_TEXT_MAX);
	if (in->usual && json_write(&usual, in->usual, &ignored)) {
		strbuf_add_string(&sb, sb.length > 0 ? " Left empty: " : "Left empty: ");
		slack_text_words(&sb, usual.data, HINT_UNITS);
	}
	if (sb.length == 0 && strbuf_ok(&sb))
		return json_null();
	return words(&sb);
}
