/* The element of an input, with a value in it. */
#include "slack/form/input_private.h"

#include "base/clock.h"
#include "show/field.h"
#include "slack/form/form.h"
#include "slack/render/blocks.h"
#include "slack/text/text.h"

enum {
	ONE_LINE_UNITS = 150, /* what may be longer gets more than one line */
	NUMBER_DIGITS_MAX = 16,
	DATE_CHARACTERS = 10,
	MINUTE_MS = 60 * 1000,
};

json_t *input_new_element(const char *type)
{
	return json_pack("{s:s, s:s}", "type", type, "action_id", INPUT_ACTION);
}

static bool set(json_t *element, const char *member, json_t *value)
{
	return json_object_set_new(element, member, value) == 0;
}

json_t *input_text_element(const char *text, bool lines)
{
	json_auto_t *e = input_new_element("plain_text_input");

	if (!e || (lines && !set(e, "multiline", json_true())) ||
	    !set(e, "max_length", json_integer(SLACK_FORM_TEXT_MAX)) ||
	    (text && *text && !set(e, "initial_value", json_string(text))))
		return NULL;
	return TAKE(e);
}

static bool made(json_t *element, json_t **ret, struct error *err)
{
	*ret = element;
	return element || error_oom(err);
}

/* ---- Text ------------------------------------------------------------------------- */

static bool is_duration(const struct input *in)
{
	const char *kind = json_get_string(in->property, "x-wingman-kind");

	return kind && strcmp(kind, "duration") == 0;
}

bool input_takes_lines(const struct input *in)
{
	return in->kind == INPUT_JSON || in->kind == INPUT_REST ||
	       in->kind == INPUT_LINES || in->kind == INPUT_PEOPLE ||
	       (in->kind == INPUT_TEXT && !is_duration(in) &&
		input_is_text_alone(in->property) &&
		json_get_int64(in->property, "maxLength", INT64_MAX) > ONE_LINE_UNITS);
}

/* Written, and read as the same value again. */
static bool text_element(const struct input *in, const json_t *value, json_t **ret,
			 struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	json_auto_t *again = NULL;

	if (value && (!input_typed_write(&text, in, value) || !strbuf_ok(&text)))
		return error_oom(err);
	if (value && (!input_typed_read(in, text.data, &again, &ignored) || !again ||
		      text.length == 0 || !json_equal(again, value)))
		return true;
	return made(
		input_text_element(text.data, input_takes_lines(in) ||
						      (value && strchr(text.data, '\n'))),
		ret, err);
}

/* ---- Choices ---------------------------------------------------------------------- */

static json_t *option(const char *text, const char *value)
{
	return json_pack("{s:o, s:s}", "text", slack_plain(text), "value", value);
}

json_t *input_choice_option(const struct input *in, size_t index)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char value[INPUT_BLOCK_BYTES];

	input_choice_words(&text, in, index);
	(void)snprintf(value, sizeof value, "%zu", index);
	return strbuf_ok(&text) ? option(text.data, value) : NULL;
}

static size_t choice_of(const struct input *in, const json_t *value)
{
	const size_t count = field_choice_count(in->chooser);
	const char *title;
	size_t c = 0;

	while (c < count && !json_equal(value, field_choice(in->chooser, c, &title)))
		c++;
	return c;
}

/* The options that 'value' is or holds, in its order; without any where one is none of the
 * choices, or is there twice. NULL: no memory. */
static json_t *chosen(const struct input *in, const json_t *value)
{
	const bool several = in->kind == INPUT_CHOICES;
	const size_t count = field_choice_count(in->chooser);
	const size_t wanted = several ? json_array_size(value) : 1;
	json_auto_t *options = json_array();
	_cleanup_free_ bool *seen = calloc(count + 1, sizeof *seen);

	if (!options || !seen)
		return NULL;
	for (size_t i = 0; i < wanted; i++) {
		const size_t c =
			choice_of(in, several ? json_array_get(value, i) : value);

		if (c == count || seen[c] || i >= SLACK_FORM_CHOICES_MAX) {
			json_array_clear(options);
			break;
		}
		seen[c] = true;
		if (json_array_append_new(options, input_choice_option(in, c)) != 0)
			return NULL;
	}
	return TAKE(options);
}

static bool menu_element(const struct input *in, const json_t *value, json_t **ret,
			 struct error *err)
{
	const bool several = in->kind == INPUT_CHOICES;
	const size_t count = field_choice_count(in->chooser);
	const bool many = count > SLACK_FORM_CHOICES_MAX;
	json_auto_t *e = input_new_element(several ? many ? "multi_external_select"
							  : "multi_static_select"
					   : many  ? "external_select"
						   : "static_select");
	json_auto_t *options = json_array(), *now = value ? chosen(in, value) : NULL;

	if (!e || !options || (value && !now))
		return error_oom(err);
	if (value && (json_array_size(now) == 0 || (several && !json_is_array(value))))
		return true;
	for (size_t i = 0; !many && i < count; i++)
		if (json_array_append_new(options, input_choice_option(in, i)) != 0)
			return error_oom(err);
	if (many ? !set(e, "min_query_length", json_integer(0))
		 : !set(e, "options", json_incref(options)))
		return error_oom(err);
	if (now &&
	    !(several ? set(e, "initial_options", json_incref(now))
		      : set(e, "initial_option", json_incref(json_array_get(now, 0)))))
		return error_oom(err);
	*ret = TAKE(e);
	return true;
}

static bool boolean_element(const struct input *in, const json_t *value, json_t **ret,
			    struct error *err)
{
	json_auto_t *e = input_new_element("radio_buttons");
	json_auto_t *options =
		json_pack("[o, o]", option("Yes", "true"), option("No", "false"));
	json_auto_t *now = NULL;

	if (value && !json_is_boolean(value))
		return true;
	if (value || !in->required) {
		now = json_is_true(value) ? option("Yes", "true")
		      : value             ? option("No", "false")
					  : option("Leave it out", "none");
		if (!now)
			return error_oom(err);
	}
	if (!e || !options ||
	    (!in->required &&
	     json_array_append_new(options, option("Leave it out", "none")) != 0) ||
	    !set(e, "options", json_incref(options)) ||
	    (now && !set(e, "initial_option", json_incref(now))))
		return error_oom(err);
	*ret = TAKE(e);
	return true;
}

/* ---- Numbers ---------------------------------------------------------------------- */

/* Digits with at most one point, which is what Slack's element takes. */
static bool is_decimal(const char *text)
{
	const char *at = text + (*text == '-' ? 1 : 0);
	const size_t whole = strspn(at, "0123456789");

	at += whole;
	if (*at == '.') {
		const size_t part = strspn(at + 1, "0123456789");

		if (part == 0)
			return false;
		at += 1 + part;
	}
	return whole > 0 && !*at && strlen(text) <= NUMBER_DIGITS_MAX + 2;
}

static bool bound_text(const json_t *bound, char text[static NUMBER_DIGITS_MAX + 2])
{
	if (!json_is_integer(bound) || json_integer_value(bound) > JSON_INTEGER_MAX ||
	    json_integer_value(bound) < -JSON_INTEGER_MAX)
		return false;
	(void)snprintf(text, NUMBER_DIGITS_MAX + 2, "%" JSON_INTEGER_FORMAT,
		       json_integer_value(bound));
	return true;
}

/* Bounds as Slack wants them: text of digits, and no two of which the lower is larger. */
static bool set_bounds(json_t *e, const json_t *property)
{
	const json_t *least = json_object_get(property, "minimum");
	const json_t *most = json_object_get(property, "maximum");
	char text[NUMBER_DIGITS_MAX + 2];

	if (json_is_number(least) && json_is_number(most) &&
	    json_number_value(least) > json_number_value(most))
		return true;
	return (!bound_text(least, text) || set(e, "min_value", json_string(text))) &&
	       (!bound_text(most, text) || set(e, "max_value", json_string(text)));
}

static bool is_within(const json_t *property, const json_t *value)
{
	const json_t *least = json_object_get(property, "minimum");
	const json_t *most = json_object_get(property, "maximum");

	return (!json_is_number(least) ||
		json_number_value(value) >= json_number_value(least)) &&
	       (!json_is_number(most) ||
		json_number_value(value) <= json_number_value(most)) &&
	       (json_is_integer(value) || field_allows(property, "number"));
}

static bool number_element(const struct input *in, const json_t *value, json_t **ret,
			   struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *e = NULL;

	if (value && !json_is_number(value))
		return true;
	if (value && (!input_typed_write(&text, in, value) || !strbuf_ok(&text)))
		return error_oom(err);
	/* Slack refuses the whole view where one begins with what its element would not
	 * take. */
	if (value && (!is_decimal(text.data) || !is_within(in->property, value)))
		return made(input_text_element(text.data, false), ret, err);
	e = input_new_element("number_input");
	if (!e ||
	    !set(e, "is_decimal_allowed",
		 json_boolean(field_allows(in->property, "number"))) ||
	    !set_bounds(e, in->property) ||
	    (value && !set(e, "initial_value", json_string(text.data))))
		return error_oom(err);
	*ret = TAKE(e);
	return true;
}

/* ---- Times ------------------------------------------------------------------------ */

/* A moment that the picker can show: a whole minute, in ten digits. */
static bool pick_moment(const json_t *value, int64_t *ret_s)
{
	struct error ignored = ERROR_INIT;
	char text[CLOCK_TEXT_BYTES];
	int64_t at_ms = 0;

	if (!clock_parse(json_string_value(value), &at_ms, &ignored))
		return false;
	*ret_s = at_ms / 1000;
	return at_ms % MINUTE_MS == 0 && *ret_s >= INT64_C(1000000000) &&
	       *ret_s <= INT64_C(9999999999) &&
	       strcmp(clock_format(at_ms, text), json_string_value(value)) == 0;
}

static bool is_date(const char *text)
{
	_cleanup_strbuf_ struct strbuf moment = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	int64_t at_ms;

	strbuf_add_format(&moment, "%.*sT00:00:00Z", DATE_CHARACTERS, text);
	return strlen(text) == DATE_CHARACTERS && strbuf_ok(&moment) &&
	       clock_parse(moment.data, &at_ms, &ignored);
}

static bool time_element(const struct input *in, const json_t *value, json_t **ret,
			 struct error *err)
{
	const bool is_day = in->kind == INPUT_DATE;
	int64_t at_s = 0;
	json_auto_t *e = NULL;

	if (value &&
	    (!json_is_string(value) ||
	     !(is_day ? is_date(json_string_value(value)) : pick_moment(value, &at_s))))
		return text_element(in, value, ret, err);
	e = input_new_element(is_day ? "datepicker" : "datetimepicker");
	if (!e || (value && !(is_day ? set(e, "initial_date",
					   json_incref((json_t *)(uintptr_t)value))
				     : set(e, "initial_date_time", json_integer(at_s)))))
		return error_oom(err);
	*ret = TAKE(e);
	return true;
}

bool input_element(const struct input *in, const json_t *value, json_t **ret,
		   struct error *err)
{
	*ret = NULL;
	switch (in->kind) {
	case INPUT_CHOICE:
	case INPUT_CHOICES:
		return menu_element(in, value, ret, err);
	case INPUT_BOOLEAN:
		return boolean_element(in, value, ret, err);
	case INPUT_NUMBER:
		return number_element(in, value, ret, err);
	case INPUT_DATE:
	case INPUT_MOMENT:
		return time_element(in, value, ret, err);
	default:
		return text_element(in, value, ret, err);
	}
}
