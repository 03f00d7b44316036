#include "show/field.h"

enum { REFERENCES_MAX = 8 };

const json_t *field_resolve(const json_t *schema, const json_t *property)
{
	static const char prefix[] = "#/$defs/";

	for (int hops = 0; hops < REFERENCES_MAX; hops++) {
		const char *reference = json_get_string(property, "$ref");
		const json_t *target;

		if (!reference || strncmp(reference, prefix, strlen(prefix)) != 0)
			break;
		target = json_object_get(json_object_get(schema, "$defs"),
					 reference + strlen(prefix));
		if (!target)
			break;
		property = target;
	}
	return property;
}

bool field_allows(const json_t *property, const char *type)
{
	const json_t *own = json_object_get(property, "type");
	size_t i;
	json_t *one;

	if (json_is_string(own))
		return strcmp(json_string_value(own), type) == 0;
	json_array_foreach(own, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), type) == 0)
			return true;
	}
	return false;
}

static const json_t *choices_of(const json_t *property)
{
	static const char *const keywords[] = { "enum", "oneOf", "anyOf" };

	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		const json_t *list = json_object_get(property, keywords[i]);

		if (json_is_array(list) &&
		    (i == 0 || json_object_get(json_array_get(list, 0), "const")))
			return list;
	}
	return NULL;
}

/* Of the property, or of what a list of it holds. */
static const json_t *choices(const json_t *property)
{
	const json_t *own = choices_of(property);

	return own ? own : choices_of(json_object_get(property, "items"));
}

size_t field_choice_count(const json_t *property)
{
	return json_array_size(choices(property));
}

static const json_t *choice_value(const json_t *list, size_t index,
				  const char **ret_title)
{
	const json_t *choice = json_array_get(list, index);
	const json_t *fixed = json_object_get(choice, "const");

	*ret_title = fixed ? json_get_string(choice, "title") : NULL;
	return fixed ? fixed : choice;
}

const json_t *field_choice(const json_t *property, size_t index, const char **ret_title)
{
	return choice_value(choices(property), index, ret_title);
}

const char *field_hint(const json_t *property)
{
	static const struct {
		const char *kind, *hint;
	} hints[] = {
		{ "person", "a name, an e-mail address or an account" },
		{ "duration", "such as 30m, 8h or 14d" },
		{ "time", "such as 2026-11-22T10:00:00Z" },
		{ "cidr", "such as 192.0.2.0/24" },
		{ "boolean", "yes or no" },
		{ "date-time", "such as 2026-11-22T10:00:00Z" },
	};
	const char *words[] = { json_get_string(property, "x-wingman-kind"),
				json_get_string(property, "format"),
				json_get_string(property, "type") };

	for (size_t w = 0; w < ARRAY_SIZE(words); w++)
		for (size_t i = 0; words[w] && i < ARRAY_SIZE(hints); i++)
			if (strcmp(words[w], hints[i].kind) == 0)
				return hints[i].hint;
	return NULL;
}

/* Choices may be typed in full or by their number. */
static json_t *choose(const json_t *list, const char *line)
{
	char *end;
	unsigned long number = strtoul(line, &end, 10);
	const char *title;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *value = choice_value(list, i, &title);

		if (json_is_string(value) && strcmp(json_string_value(value), line) == 0)
			return json_deep_copy(value);
	}
	if (line[0] < '0' || line[0] > '9' || *end || number < 1 ||
	    number > json_array_size(list))
		return NULL;
	return json_deep_copy(choice_value(list, number - 1, &title));
}

static json_t *read_boolean(const char *line, struct error *err)
{
	static const char *const yes[] = { "y", "yes", "true" }, *const no[] = {
		"n", "no", "false"
	};

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcasecmp(line, yes[i]) == 0)
			return json_true();
		if (strcasecmp(line, no[i]) == 0)
			return json_false();
	}
	error_set(err, ERR_INVALID_ARGUMENT, "answer yes or no");
	return NULL;
}

static json_t *read_text(const char *line, struct error *err)
{
	json_t *text = json_string(line);

	if (!text)
		error_set(err, ERR_INVALID_ARGUMENT, "this is no UTF-8 text");
	return text;
}

static json_t *read_json(const char *line, struct error *err)
{
	return json_parse(line, strlen(line), JSON_CONTRACT, err);
}

static json_t *read_scalar(const json_t *property, const char *line, struct error *err)
{
	const json_t *list = choices_of(property);
	json_t *value = list ? choose(list, line) : NULL;
	struct error no_json = ERROR_INIT;

	if (value)
		return value;
	if (json_is_string(json_object_get(property, "type")) &&
	    field_allows(property, "boolean"))
		return read_boolean(line, err);
	if (!field_allows(property, "string"))
		return read_json(line, err);
	/* One of several types: what is no JSON of another one is text. */
	if (json_is_array(json_object_get(property, "type"))) {
		value = read_json(line, &no_json);
		if (value && !json_is_string(value))
			return value;
		json_decref(value);
	}
	return read_text(line, err);
}

static void trim(char **text)
{
	size_t length;

	*text += strspn(*text, " \t");
	length = strlen(*text);
	while (length > 0 && strchr(" \t", (*text)[length - 1]))
		(*text)[--length] = '\0';
}

static json_t *read_list(const json_t *schema, const json_t *property, const char *line,
			 struct error *err)
{
	const json_t *items = field_resolve(schema, json_object_get(property, "items"));
	json_auto_t *list = json_array();
	_cleanup_free_ char *copy = strdup(line);
	char *rest = copy;

	if (line[0] == '[')
		return read_json(line, err);
	if (!list || !copy) {
		error_oom(err);
		return NULL;
	}
	for (char *part; (part = strsep(&rest, ","));) {
		json_t *value;

		trim(&part);
		value = read_scalar(items, part, err);
		if (!value)
			return NULL;
		if (json_array_append_new(list, value) != 0) {
			error_oom(err);
			return NULL;
		}
	}
	return TAKE(list);
}

json_t *field_read(const json_t *schema, const json_t *property, const char *line,
		   struct error *err)
{
	const json_t *wanted = field_resolve(schema, property);

	return field_allows(wanted, "array") ? read_list(schema, wanted, line, err)
					     : read_scalar(wanted, line, err);
}
