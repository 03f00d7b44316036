#include "slack/form/input_private.h"

#include "base/clock.h"
#include "show/field.h"
#include "slack/form/form.h"
#include "slack/text/text.h"

/* What an element says; one that is not on the page says nothing. */
static const json_t *answer(const struct input *in, const json_t *state,
			    const char *suffix)
{
	char id[INPUT_BLOCK_BYTES], whole[INPUT_BLOCK_BYTES * 2];

	(void)snprintf(whole, sizeof whole, "%s%s", input_block(in, id), suffix);
	return json_object_get(json_object_get(state, whole), INPUT_ACTION);
}

static bool refuse(struct error *err, const char *why)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "%s", why);
}

/* NULL: empty. */
static const char *typed(const json_t *answer, bool *ret_ok, struct error *err)
{
	const json_t *value = json_object_get(answer, "value");
	const char *text = json_string_value(value);

	*ret_ok = true;
	if (!text || json_string_length(value) == 0)
		return NULL;
	if (strlen(text) != json_string_length(value))
		*ret_ok = refuse(err, "has a character that no text may have");
	else if (slack_text_units(text, strlen(text)) > SLACK_FORM_TEXT_MAX)
		*ret_ok = refuse(err, "is too long to be entered here");
	return text;
}

static bool made(json_t *value, json_t **ret, struct error *err)
{
	*ret = value;
	return value || error_oom(err);
}

/* ---- Choices ---------------------------------------------------------------------- */

static const json_t *choice_at(const struct input *in, const json_t *option)
{
	const char *text = json_get_string(option, "value");
	char *end = NULL;
	unsigned long index;
	const char *title;

	if (!text || text[0] < '0' || text[0] > '9' || strlen(text) > 6)
		return NULL;
	index = strtoul(text, &end, 10);
	return *end ? NULL : field_choice(in->chooser, index, &title);
}

static bool read_choice(const struct input *in, const json_t *a, json_t **ret,
			struct error *err)
{
	const json_t *option = json_object_get(a, "selected_option");
	const json_t *choice = choice_at(in, option);

	if (!json_is_object(option))
		return true;
	return choice ? made(json_deep_copy(choice), ret, err)
		      : refuse(err, "is none of the choices");
}

static bool read_choices(const struct input *in, const json_t *a, json_t **ret,
			 struct error *err)
{
	const json_t *options = json_object_get(a, "selected_options");
	json_auto_t *list = json_array();
	size_t i;
	json_t *option;

	if (!list)
		return error_oom(err);
	if (json_array_size(options) == 0)
		return true;
	if (json_array_size(options) > field_choice_count(in->chooser))
		return refuse(err, "has more than there are choices");
	json_array_foreach(options, i, option)
	{
		const json_t *choice = choice_at(in, option);

		if (!choice)
			return refuse(err, "has something that is none of the choices");
		if (json_array_append_new(list, json_deep_copy(choice)) != 0)
			return error_oom(err);
	}
	*ret = TAKE(list);
	return true;
}

static bool read_boolean(const json_t *a, json_t **ret, struct error *err)
{
	const char *value =
		json_get_string(json_object_get(a, "selected_option"), "value");

	if (!value || strcmp(value, "none") == 0)
		return true;
	if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return refuse(err, "is neither yes nor no");
	*ret = json_boolean(strcmp(value, "true") == 0);
	return true;
}

/* ---- Times ------------------------------------------------------------------------ */

static bool read_date(const json_t *a, json_t **ret, struct error *err)
{
	const char *date = json_get_string(a, "selected_date");

	return !date || made(json_string(date), ret, err);
}

static bool read_moment(const json_t *a, json_t **ret, struct error *err)
{
	const json_t *at = json_object_get(a, "selected_date_time");
	char text[CLOCK_TEXT_BYTES];
	bool ok;
	const char *line = typed(a, &ok, err);

	if (!ok)
		return false;
	if (line)
		return made(json_string(line), ret, err);
	if (!json_is_integer(at))
		return true;
	if (json_integer_value(at) < 0 || json_integer_value(at) > INT64_C(9999999999))
		return refuse(err, "is no moment that can be meant");
	return made(json_string(clock_format(json_integer_value(at) * 1000, text)), ret,
		    err);
}

/* ---- What is typed ---------------------------------------------------------------- */

static bool read_json(const struct input *in, const char *text, json_t **ret,
		      struct error *err)
{
	*ret = json_parse(text, strlen(text), JSON_CONTRACT, err);
	if (*ret && in->kind == INPUT_REST && !json_is_object(*ret)) {
		json_decref(*ret);
		*ret = NULL;
		return refuse(err, "must be a JSON object");
	}
	return *ret != NULL;
}

static bool read_number(const struct input *in, const char *text, json_t **ret,
			struct error *err)
{
	struct error why = ERROR_INIT;

	(void)in;
	*ret = json_parse(text, strlen(text), JSON_CONTRACT, &why);
	if (json_is_number(*ret))
		return true;
	json_decref(*ret);
	*ret = NULL;
	return refuse(err, "must be a number such as 12 or 0.5");
}

/* Text alone is what was typed; of several types, what field_read makes of it. */
static bool read_text(const struct input *in, const char *text, json_t **ret,
		      struct error *err)
{
	if (json_is_string(json_object_get(in->property, "type")))
		return made(json_string(text), ret, err);
	*ret = field_read(in->schema, in->property, text, err);
	return *ret != NULL;
}

static bool add_line(const struct input *in, const char *line, size_t length,
		     json_t *list, struct error *err)
{
	_cleanup_free_ char *one = NULL;
	json_t *value;

	while (length > 0 && strchr(" \t\r", line[0]))
		line++, length--;
	while (length > 0 && strchr(" \t\r", line[length - 1]))
		length--;
	if (length == 0)
		return true;
	one = strndup(line, length);
	if (!one)
		return error_oom(err);
	value = in->kind == INPUT_PEOPLE
			? json_string(one)
			: field_read(in->schema, input_items(in), one, err);
	if (!value && !error_is_set(err))
		return error_oom(err);
	return value && (json_array_append_new(list, value) == 0 || error_oom(err));
}

static bool add_lines(const struct input *in, const char *text, json_t *list,
		      struct error *err)
{
	for (size_t length; text && *text; text += length + (text[length] ? 1 : 0)) {
		length = strcspn(text, "\n");
		if (!add_line(in, text, length, list, err))
			return false;
	}
	return true;
}

static bool read_lines(const struct input *in, const char *text, json_t **ret,
		       struct error *err)
{
	json_auto_t *list = json_array();

	if (!list)
		return error_oom(err);
	if (!add_lines(in, text, list, err))
		return false;
	if (json_array_size(list) > 0)
		*ret = TAKE(list);
	return true;
}

/* ---- People ----------------------------------------------------------------------- */

static bool add_member(const json_t *id, json_t *list, struct error *err)
{
	const char *text = json_string_value(id);
	char mention[80];

	if (!text || !slack_text_is_user(text))
		return refuse(err, "has a member that this workspace does not have");
	(void)snprintf(mention, sizeof mention, "<@%s>", text);
	return json_array_append_new(list, json_string(mention)) == 0 || error_oom(err);
}

static bool read_people(const struct input *in, const json_t *state, json_t **ret,
			struct error *err)
{
	bool several = in->kind == INPUT_PEOPLE, ok;
	const json_t *a = answer(in, state, "");
	const json_t *one = json_object_get(a, "selected_user");
	const json_t *many = json_object_get(a, "selected_users");
	const char *text = typed(answer(in, state, INPUT_TYPED), &ok, err);
	json_auto_t *list = json_array();
	size_t i;
	json_t *id;

	if (!ok)
		return false;
	if (!list)
		return error_oom(err);
	if (!several && json_is_string(one) && !add_member(one, list, err))
		return false;
	json_array_foreach(many, i, id)
	{
		if (!several || !add_member(id, list, err))
			return false;
	}
	if (several ? !add_lines(in, text, list, err)
		    : text && json_array_append_new(list, json_string(text)) != 0)
		return false;
	if (!several && json_array_size(list) > 1)
		return refuse(err, "choose a member or type a person, not both");
	if (json_array_size(list) > 0)
		*ret = several ? TAKE(list) : json_incref(json_array_get(list, 0));
	return true;
}

bool input_read(const struct input *in, const json_t *state, json_t **ret,
		bool *ret_shown, struct error *err)
{
	const json_t *a = answer(in, state, "");
	const char *text;
	bool ok;

	*ret = NULL;
	*ret_shown = json_is_object(a);
	if (!*ret_shown)
		return true;
	switch (in->kind) {
	case INPUT_CHOICE:
		return read_choice(in, a, ret, err);
	case INPUT_CHOICES:
		return read_choices(in, a, ret, err);
	case INPUT_BOOLEAN:
		return read_boolean(a, ret, err);
	case INPUT_DATE:
		return read_date(a, ret, err);
	case INPUT_MOMENT:
		return read_moment(a, ret, err);
	case INPUT_PERSON:
	case INPUT_PEOPLE:
		return read_people(in, state, ret, err);
	default:
		break;
	}
	text = typed(a, &ok, err);
	if (!ok || !text)
		return ok;
	if (in->kind == INPUT_NUMBER)
		return read_number(in, text, ret, err);
	if (in->kind == INPUT_LINES)
		return read_lines(in, text, ret, err);
	return in->kind == INPUT_TEXT ? read_text(in, text, ret, err)
				      : read_json(in, text, ret, err);
}
