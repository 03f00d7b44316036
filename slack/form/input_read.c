#include "slack/form/input_private.h"

#include "base/clock.h"
#include "show/field.h"
#include "slack/form/form.h"
#include "slack/text/text.h"

static const char *block_of(const struct input *in, const char *suffix,
			    char ret[static INPUT_BLOCK_BYTES])
{
	(void)snprintf(ret, INPUT_BLOCK_BYTES, "f%zu%s", in->number, suffix);
	return ret;
}

/* What an element says; one that is not on the page says nothing. */
static const json_t *answer(const struct input *in, const json_t *state,
			    const char *suffix)
{
	char id[INPUT_BLOCK_BYTES];
	const json_t *a = json_object_get(
		json_object_get(state, block_of(in, suffix, id)), INPUT_ACTION);

	return json_is_object(a) ? a : NULL;
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

	if (!json_is_integer(at))
		return true;
	if (json_integer_value(at) < 0 || json_integer_value(at) > INT64_C(9999999999))
		return refuse(err, "is no moment that can be meant");
	return made(json_string(clock_format(json_integer_value(at) * 1000, text)), ret,
		    err);
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
	json_auto_t *list = json_array(), *more = NULL;
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
	if (text && !input_typed_read(in, text, &more, err))
		return false;
	if (more && (several ? json_array_extend(list, more)
			     : json_array_append(list, more)) != 0)
		return error_oom(err);
	if (!several && json_array_size(list) > 1)
		return refuse(err, "choose a member or type a person, not both");
	if (json_array_size(list) > 0)
		*ret = several ? TAKE(list) : json_incref(json_array_get(list, 0));
	return true;
}

json_t *input_picked(const struct input *in, const json_t *state)
{
	const json_t *id = json_object_get(answer(in, state, ""), "selected_user");
	struct error ignored = ERROR_INIT;
	json_auto_t *list = json_array();

	if (in->kind != INPUT_PERSON || !json_is_string(id) || !list ||
	    !add_member(id, list, &ignored))
		return NULL;
	return json_incref(json_array_get(list, 0));
}

/* ---- Each kind -------------------------------------------------------------------- */

static bool read_own(const struct input *in, const json_t *state, const json_t *a,
		     json_t **ret, struct error *err)
{
	const char *text;
	bool ok;

	if (in->kind == INPUT_PERSON || in->kind == INPUT_PEOPLE)
		return read_people(in, state, ret, err);
	text = typed(a, &ok, err);
	if (!ok)
		return false;
	if (text)
		return input_typed_read(in, text, ret, err);
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
	default:
		return true;
	}
}

/* In the place of what was too long: as its kind is typed, where that has a text. */
static bool read_instead(const struct input *in, const char *text, json_t **ret,
			 struct error *err)
{
	return in->kind == INPUT_TEXT || in->kind == INPUT_LINES
		       ? input_typed_read(in, text, ret, err)
		       : input_json_read(in, text, ret, err);
}

bool input_read(const struct input *in, const json_t *state, json_t **ret,
		bool *ret_shown, struct error *err)
{
	const json_t *own = answer(in, state, ""),
		     *as_json = answer(in, state, INPUT_AS_JSON),
		     *instead = answer(in, state, INPUT_INSTEAD);
	const char *text;
	bool ok;

	*ret = NULL;
	*ret_shown = own || as_json || instead;
	if (own)
		return read_own(in, state, own, ret, err);
	text = typed(as_json ? as_json : instead, &ok, err);
	if (!ok)
		return false;
	if (!text) {
		*ret_shown = as_json != NULL;
		return true;
	}
	return as_json ? input_json_read(in, text, ret, err)
		       : read_instead(in, text, ret, err);
}

static const char *const suffixes[] = { "", INPUT_AS_JSON, INPUT_INSTEAD };

const char *input_shown_block(const struct input *in, const json_t *state,
			      char ret[static INPUT_BLOCK_BYTES])
{
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (answer(in, state, suffixes[i]))
			return block_of(in, suffixes[i], ret);
	return NULL;
}

const char *input_typed_text(const struct input *in, const json_t *state)
{
	const char *text = NULL;
	struct error ignored = ERROR_INIT;
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes) && !text; i++)
		text = typed(answer(in, state, suffixes[i]), &ok, &ignored);
	if (!text)
		text = typed(answer(in, state, INPUT_TYPED), &ok, &ignored);
	return ok ? text : NULL;
}
