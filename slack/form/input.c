#include "slack/form/input.h"

#include "slack/form/input_private.h"
#include "show/field.h"

/* ---- Which kind ------------------------------------------------------------------- */

static bool is_word(const json_t *object, const char *member, const char *wanted)
{
	const char *word = json_get_string(object, member);

	return word && strcmp(word, wanted) == 0;
}

/* How many types it allows besides null. */
static size_t count_types(const json_t *property)
{
	static const char *const types[] = { "string",  "integer", "number",
					     "boolean", "array",   "object" };
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		count += field_allows(property, types[i]) ? 1 : 0;
	return count;
}

static bool is_scalar(const json_t *property)
{
	return count_types(property) > 0 && !field_allows(property, "array") &&
	       !field_allows(property, "object");
}

static enum input_kind list_kind(const struct input *in)
{
	const json_t *items = input_items(in);

	if (is_word(items, "x-wingman-kind", "person"))
		return INPUT_PEOPLE;
	if (field_choice_count(in->chooser) > 0)
		return INPUT_CHOICES;
	return is_scalar(items) ? INPUT_LINES : INPUT_JSON;
}

static enum input_kind text_kind(const json_t *property)
{
	if (is_word(property, "x-wingman-kind", "person"))
		return INPUT_PERSON;
	if (is_word(property, "format", "date"))
		return INPUT_DATE;
	return is_word(property, "format", "date-time") ? INPUT_MOMENT : INPUT_TEXT;
}

static bool is_mixed(const struct input *in)
{
	const char *title;

	for (size_t i = 0; i < field_choice_count(in->chooser); i++)
		if (!json_is_string(field_choice(in->chooser, i, &title)))
			return true;
	return false;
}

static bool offers_null(const struct input *in)
{
	const char *title;

	for (size_t i = 0; i < field_choice_count(in->chooser); i++)
		if (json_is_null(field_choice(in->chooser, i, &title)))
			return true;
	return false;
}

static enum input_kind kind_of(const struct input *in)
{
	const json_t *p = in->property;

	if (!p)
		return INPUT_REST;
	if (count_types(p) > 1)
		return is_scalar(p) ? INPUT_TEXT : INPUT_JSON;
	/* What must be there and may be null: null can be typed, and not be picked. */
	if (in->required && field_allows(p, "null") && !offers_null(in))
		return is_scalar(p) ? INPUT_TEXT : INPUT_JSON;
	if (field_allows(p, "array"))
		return list_kind(in);
	if (field_choice_count(in->chooser) > 0)
		return INPUT_CHOICE;
	if (field_allows(p, "boolean"))
		return INPUT_BOOLEAN;
	if (field_allows(p, "integer") || field_allows(p, "number"))
		return INPUT_NUMBER;
	return field_allows(p, "string") ? text_kind(p) : INPUT_JSON;
}

struct input input_of(const json_t *schema, const char *name, const json_t *property,
		      bool required, size_t number)
{
	struct input in = {
		.name = name,
		.schema = schema,
		.property = property ? field_resolve(schema, property) : NULL,
		.usual = json_object_get(property, "default"),
		.title = json_get_string(property, "title"),
		.help = json_get_string(property, "description"),
		.required = required,
		.number = number,
	};

	if (!in.title)
		in.title = json_get_string(in.property, "title");
	if (!in.help)
		in.help = json_get_string(in.property, "description");
	/* The choices of a list are those of its items, wherever they stand. */
	in.chooser = field_allows(in.property, "array") ? input_items(&in) : in.property;
	in.mixed = is_mixed(&in);
	in.kind = kind_of(&in);
	return in;
}

const char *input_block(const struct input *in, char ret[static INPUT_BLOCK_BYTES])
{
	(void)snprintf(ret, INPUT_BLOCK_BYTES, "f%zu", in->number);
	return ret;
}
