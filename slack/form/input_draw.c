#include "slack/form/input_private.h"

#include "base/clock.h"
#include "show/field.h"
#include "slack/form/form.h"
#include "slack/render/blocks.h"
#include "slack/text/text.h"

enum {
	LABEL_UNITS = 150,
	HELP_UNITS = 300,
	ONE_LINE_UNITS = 150, /* what may be longer gets more than one line */
	NUMBER_DIGITS_MAX = 16,
	PEOPLE_MAX = 50,
	DATE_CHARACTERS = 10,
	MINUTE_MS = 60 * 1000,
};

/* ---- Elements --------------------------------------------------------------------- */

static json_t *element(const char *type)
{
	return json_pack("{s:s, s:s}", "type", type, "action_id", INPUT_ACTION);
}

static bool set(json_t *element, const char *member, json_t *value)
{
	return json_object_set_new(element, member, value) == 0;
}

/* 'text' NULL: empty. */
static json_t *text_element(const char *type, const char *text, bool lines)
{
	json_auto_t *e = element(type);

	if (!e || (lines && !set(e, "multiline", json_true())) ||
	    (strcmp(type, "plain_text_input") == 0 &&
	     !set(e, "max_length", json_integer(SLACK_FORM_TEXT_MAX))) ||
	    (text && *text && !set(e, "initial_value", json_string(text))))
		return NULL;
	return TAKE(e);
}

static bool is_duration(const struct input *in)
{
	const char *kind = json_get_string(in->property, "x-wingman-kind");

	return kind && strcmp(kind, "duration") == 0;
}

static bool takes_lines(const struct input *in)
{
	return in->kind == INPUT_JSON || in->kind == INPUT_REST ||
	       in->kind == INPUT_LINES || in->kind == INPUT_PEOPLE ||
	       (in->kind == INPUT_TEXT && !is_duration(in) &&
		json_is_string(json_object_get(in->property, "type")) &&
		json_get_int64(in->property, "maxLength", INT64_MAX) > ONE_LINE_UNITS);
}

static void add_as_text(struct strbuf *sb, const json_t *value)
{
	struct error ignored = ERROR_INIT;

	if (json_is_string(value))
		strbuf_add(sb, json_string_value(value), json_string_length(value));
	else if (!json_write(sb, value, &ignored))
		sb->failed = true;
}

/* The value as it would be typed. */
static void add_typed(struct strbuf *sb, const struct input *in, const json_t *value)
{
	struct error ignored = ERROR_INIT;
	size_t i;
	json_t *one;

	if (!value)
		return;
	if (in->kind == INPUT_JSON || in->kind == INPUT_REST) {
		if (!json_write(sb, value, &ignored))
			sb->failed = true;
		return;
	}
	if (!json_is_array(value)) {
		add_as_text(sb, value);
		return;
	}
	json_array_foreach(value, i, one)
	{
		if (i > 0)
			strbuf_add_char(sb, '\n');
		add_as_text(sb, one);
	}
}

static json_t *option(const char *text, const char *value)
{
	return json_pack("{s:o, s:s}", "text", slack_plain(text), "value", value);
}

static json_t *choice_option(const struct input *in, size_t index)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char value[INPUT_BLOCK_BYTES];

	input_choice_words(&text, in, index);
	(void)snprintf(value, sizeof value, "%zu", index);
	return strbuf_ok(&text) ? option(text.data, value) : NULL;
}

/* Choices that 'value' is or holds, in the order of the choices. */
static json_t *chosen(const struct input *in, const json_t *value)
{
	json_auto_t *options = json_array();
	const char *title;
	size_t i;
	json_t *one;

	for (size_t c = 0; options && c < field_choice_count(in->chooser); c++) {
		const json_t *choice = field_choice(in->chooser, c, &title);
		bool is = !json_is_array(value) && value && json_equal(value, choice);

		json_array_foreach(value, i, one)
		{
			is = is || json_equal(one, choice);
		}
		if (is && json_array_append_new(options, choice_option(in, c)) != 0)
			return NULL;
	}
	return TAKE(options);
}

static json_t *menu_element(const struct input *in, const json_t *value)
{
	bool several = in->kind == INPUT_CHOICES;
	size_t count = field_choice_count(in->chooser);
	bool many = count > SLACK_FORM_CHOICES_MAX;
	json_auto_t *e =
		element(several ? many ? "multi_external_select" : "multi_static_select"
			: many  ? "external_select"
				: "static_select");
	json_auto_t *options = json_array(), *now = chosen(in, value);

	for (size_t i = 0; options && !many && i < count; i++)
		if (json_array_append_new(options, choice_option(in, i)) != 0)
			return NULL;
	if (!e || !options || !now ||
	    (many ? !set(e, "min_query_length", json_integer(0))
		  : !set(e, "options", json_incref(options))))
		return NULL;
	if (json_array_size(now) > 0 &&
	    !(several ? set(e, "initial_options", json_incref(now))
		      : set(e, "initial_option", json_incref(json_array_get(now, 0)))))
		return NULL;
	return TAKE(e);
}

static json_t *boolean_element(const struct input *in, const json_t *value)
{
	json_auto_t *e = element("radio_buttons");
	json_auto_t *options =
		json_pack("[o, o]", option("Yes", "true"), option("No", "false"));
	json_auto_t *now = json_is_true(value)    ? option("Yes", "true")
			   : json_is_false(value) ? option("No", "false")
			   : in->required         ? NULL
						  : option("Leave it out", "none");

	if (!e || !options ||
	    (!in->required &&
	     json_array_append_new(options, option("Leave it out", "none")) != 0) ||
	    !set(e, "options", json_incref(options)) ||
	    (now && !set(e, "initial_option", json_incref(now))))
		return NULL;
	return TAKE(e);
}

/* A bound as Slack wants it: a text of digits, and none that it could not hold. */
static bool set_bound(json_t *e, const char *member, const json_t *bound)
{
	char text[NUMBER_DIGITS_MAX + 2];

	if (!json_is_integer(bound) || json_integer_value(bound) > JSON_INTEGER_MAX ||
	    json_integer_value(bound) < -JSON_INTEGER_MAX)
		return true;
	(void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT,
		       json_integer_value(bound));
	return set(e, member, json_string(text));
}

static json_t *number_element(const struct input *in, const char *text)
{
	json_auto_t *e = text_element("number_input", text, false);

	if (!e ||
	    !set(e, "is_decimal_allowed",
		 json_boolean(field_allows(in->property, "number"))) ||
	    !set_bound(e, "min_value", json_object_get(in->property, "minimum")) ||
	    !set_bound(e, "max_value", json_object_get(in->property, "maximum")))
		return NULL;
	return TAKE(e);
}

/* A moment that the picker can show: a whole minute, in ten digits. */
static bool pick_moment(const json_t *value, int64_t *ret_s)
{
	struct error ignored = ERROR_INIT;
	int64_t at_ms = 0;

	if (!json_is_string(value) ||
	    !clock_parse(json_string_value(value), &at_ms, &ignored))
		return false;
	*ret_s = at_ms / 1000;
	return at_ms % MINUTE_MS == 0 && *ret_s >= INT64_C(1000000000) &&
	       *ret_s <= INT64_C(9999999999);
}

static json_t *moment_element(const json_t *value, const char *text)
{
	json_auto_t *e = NULL;
	int64_t at_s = 0;

	if (value && !pick_moment(value, &at_s))
		return text_element("plain_text_input", text, false);
	e = element("datetimepicker");
	if (!e || (value && !set(e, "initial_date_time", json_integer(at_s))))
		return NULL;
	return TAKE(e);
}

static json_t *date_element(const char *text)
{
	json_auto_t *e = element("datepicker");

	if (!e || (strlen(text) == DATE_CHARACTERS &&
		   !set(e, "initial_date", json_string(text))))
		return NULL;
	return TAKE(e);
}

/* Members of the workspace out of "<@U1>"; the rest stays to be typed. */
static bool split_people(const json_t *value, json_t *members, json_t *typed)
{
	size_t i = 0, count = json_is_array(value) ? json_array_size(value) : !!value;

	for (; i < count; i++) {
		json_t *one = json_is_array(value) ? json_array_get(value, i)
						   : (json_t *)(uintptr_t)value;
		const char *text = json_string_value(one);
		size_t length = json_string_length(one);
		char id[80] = "";

		if (text && length > 3 && length < sizeof id &&
		    strncmp(text, "<@", 2) == 0 && text[length - 1] == '>')
			(void)snprintf(id, sizeof id, "%.*s", (int)(length - 3),
				       text + 2);
		if (json_array_append_new(slack_text_is_user(id) ? members : typed,
					  slack_text_is_user(id) ? json_string(id)
								 : json_incref(one)) != 0)
			return false;
	}
	return true;
}

/* ---- Blocks ----------------------------------------------------------------------- */

/* The help stands once: where a person can be typed, not where one is picked. */
static json_t *block_hint(const struct input *in, const char *suffix)
{
	bool picked = in->kind == INPUT_PERSON || in->kind == INPUT_PEOPLE;

	return picked && !*suffix ? slack_plain("Pick here, or type below.")
				  : input_hint(in);
}

static bool add_block(const struct input *in, const char *suffix, const char *more,
		      bool optional, json_t *element, json_t *blocks, struct error *err)
{
	char id[INPUT_BLOCK_BYTES], whole[INPUT_BLOCK_BYTES * 2];
	json_auto_t *said = block_hint(in, suffix);
	json_auto_t *block = NULL;

	(void)snprintf(whole, sizeof whole, "%s%s", input_block(in, id), suffix);
	block = json_pack("{s:s, s:s, s:o, s:b, s:o}", "type", "input", "block_id", whole,
			  "label", input_label(in, more), "optional", (int)optional,
			  "element", element);
	if (!block || !said ||
	    (!json_is_null(said) && !set(block, "hint", json_incref(said))) ||
	    json_array_append(blocks, block) != 0)
		return error_oom(err);
	return true;
}

static bool draw_people(const struct input *in, const json_t *value, json_t *blocks,
			struct error *err)
{
	bool several = in->kind == INPUT_PEOPLE;
	json_auto_t *members = json_array(), *typed = json_array();
	json_auto_t *picker = element(several ? "multi_users_select" : "users_select");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const char *initial = several ? "initial_users" : "initial_user";

	if (!members || !typed || !picker || !split_people(value, members, typed))
		return error_oom(err);
	add_typed(&text, in, typed);
	if (several && !set(picker, "max_selected_items", json_integer(PEOPLE_MAX)))
		return error_oom(err);
	if (json_array_size(members) > 0 &&
	    !set(picker, initial,
		 json_incref(several ? members : json_array_get(members, 0))))
		return error_oom(err);
	if (!strbuf_ok(&text))
		return error_oom(err);
	return add_block(in, "", "", true, TAKE(picker), blocks, err) &&
	       add_block(in, INPUT_TYPED,
			 several ? ", or typed, one a line" : ", or typed", true,
			 text_element("plain_text_input", text.data, several), blocks,
			 err);
}

/* What is too long for an input stands there whole enough to be recognised; the prompt
 * shows all of it. */
static bool draw_kept(const struct input *in, const char *text, json_t *blocks,
		      struct error *err)
{
	_cleanup_strbuf_ struct strbuf title = STRBUF_INIT, cut = STRBUF_INIT;
	json_auto_t *texts = NULL;

	strbuf_add_format(&title, "Kept as it is, %zu characters: ",
			  slack_text_units(text, strlen(text)));
	slack_text_words(&title, in->name ? in->name : "more arguments", LABEL_UNITS);
	slack_text_words(&cut, text, HELP_UNITS);
	texts = json_pack("[s]", cut.data);
	return (strbuf_ok(&title) && strbuf_ok(&cut) && texts &&
		json_array_append_new(blocks, slack_section(title.data, texts)) == 0) ||
	       error_oom(err);
}

static json_t *draw_element(const struct input *in, const json_t *value, const char *text)
{
	switch (in->kind) {
	case INPUT_CHOICE:
	case INPUT_CHOICES:
		return menu_element(in, value);
	case INPUT_BOOLEAN:
		return boolean_element(in, value);
	case INPUT_NUMBER:
		return number_element(in, text);
	case INPUT_DATE:
		return date_element(text);
	case INPUT_MOMENT:
		return moment_element(value, text);
	default:
		return text_element("plain_text_input", text, takes_lines(in));
	}
}

bool input_draw(const struct input *in, const json_t *value, json_t *blocks,
		struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	add_typed(&text, in, value);
	if (!strbuf_ok(&text))
		return error_oom(err);
	if (slack_text_units(text.data, text.length) > SLACK_FORM_TEXT_MAX &&
	    in->kind != INPUT_CHOICES && in->kind != INPUT_PEOPLE)
		return draw_kept(in, text.data, blocks, err);
	if (in->kind == INPUT_PERSON || in->kind == INPUT_PEOPLE)
		return draw_people(in, value, blocks, err);
	return add_block(in, "", "", !in->required, draw_element(in, value, text.data),
			 blocks, err);
}

json_t *input_options(const struct input *in, const char *typed, struct error *err)
{
	json_auto_t *options = json_array();

	for (size_t i = 0; options && i < field_choice_count(in->chooser) &&
			   json_array_size(options) < INPUT_CHOICES_SHOWN;
	     i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		input_choice_words(&text, in, i);
		if (!strbuf_ok(&text))
			json_decref(TAKE(options));
		else if (strcasestr(text.data, typed) &&
			 json_array_append_new(options, choice_option(in, i)) != 0)
			json_decref(TAKE(options));
	}
	if (!options) {
		error_oom(err);
		return NULL;
	}
	return json_pack("{s:O}", "options", options);
}
