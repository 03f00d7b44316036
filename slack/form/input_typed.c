/* Values as they are typed, and back: what is written here is read as the same value. */
#include "slack/form/input_private.h"

#include "show/field.h"

static bool refuse(struct error *err, const char *why)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "%s", why);
}

static bool made(json_t *value, json_t **ret, struct error *err)
{
	*ret = value;
	return value || error_oom(err);
}

/* ---- One word: of a text, or a line of a list ------------------------------------- */

bool input_is_text_alone(const json_t *property)
{
	static const char *const others[] = { "integer", "number", "boolean", "array",
					      "object" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (field_allows(property, others[i]))
			return false;
	return field_allows(property, "string");
}

static bool is_of(const json_t *property, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return field_allows(property, "string");
	case JSON_INTEGER:
	case JSON_REAL:
		return field_allows(property, "number") ||
		       field_allows(property, "integer");
	case JSON_TRUE:
	case JSON_FALSE:
		return field_allows(property, "boolean");
	case JSON_NULL:
		return field_allows(property, "null");
	default:
		return false;
	}
}

/* Text is what was typed. Of several types: JSON of one of them, else text where that is
 * one; so "7" in quotes is text where 7 would be a number. */
static bool read_word(const struct input *in, const json_t *property, const char *text,
		      json_t **ret, struct error *err)
{
	struct error why = ERROR_INIT;
	json_auto_t *value = NULL;

	if (json_is_string(json_object_get(property, "type")) &&
	    field_allows(property, "string"))
		return made(json_string(text), ret, err);
	if (!field_allows(property, "string")) {
		/* Choices, yes and no, numbers. */
		*ret = field_read(in->schema, property, text, err);
		return *ret != NULL;
	}
	value = json_parse(text, strlen(text), JSON_CONTRACT, &why);
	if (value && is_of(property, value)) {
		*ret = TAKE(value);
		return true;
	}
	return made(json_string(text), ret, err);
}

static bool write_json(struct strbuf *sb, const json_t *value)
{
	struct error ignored = ERROR_INIT;

	return json_write(sb, value, &ignored);
}

/* As it stands, where it is read so. */
static bool write_word(struct strbuf *sb, const struct input *in, const json_t *property,
		       const json_t *value)
{
	const char *text = json_string_value(value);
	struct error ignored = ERROR_INIT;
	json_auto_t *again = NULL;

	if (!text || strlen(text) != json_string_length(value))
		return write_json(sb, value);
	if (!input_is_text_alone(property) || field_allows(property, "null")) {
		if (!read_word(in, property, text, &again, &ignored) ||
		    !json_equal(again, value))
			return write_json(sb, value);
	}
	strbuf_add_string(sb, text);
	return true;
}

/* ---- Numbers ---------------------------------------------------------------------- */

static bool is_whole(const char *text)
{
	const char *digits = text + (*text == '-' ? 1 : 0);

	return digits[0] >= '1' && digits[0] <= '9' &&
	       digits[strspn(digits, "0123456789")] == '\0';
}

static bool read_number(const char *text, json_t **ret, struct error *err)
{
	struct error why = ERROR_INIT;
	const size_t before = strspn(text, " \t\r\n");
	size_t length = strlen(text + before);

	while (length > 0 && strchr(" \t\r\n", text[before + length - 1]))
		length--;
	if (length == 0)
		return true;
	*ret = json_parse(text + before, length, JSON_CONTRACT, &why);
	if (json_is_number(*ret))
		return true;
	json_decref(*ret);
	*ret = NULL;
	if (is_whole(text + before))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "is beyond ±%" JSON_INTEGER_FORMAT
				 ", the largest number that is sent exactly",
				 (json_int_t)JSON_INTEGER_MAX);
	json_auto_t *other = json_parse(text + before, length, JSON_SYNTAX, &why);

	return refuse(err, json_is_number(other)
				   ? "cannot be sent exactly as it stands: fewer digits"
				   : "must be a number such as 12 or 0.5");
}

/* ---- Lists ------------------------------------------------------------------------ */

static bool add_line(const struct input *in, const char *line, size_t length,
		     json_t *list, struct error *err)
{
	_cleanup_free_ char *one = NULL;
	json_t *value = NULL;

	while (length > 0 && strchr(" \t\r", line[0]))
		line++, length--;
	while (length > 0 && strchr(" \t\r", line[length - 1]))
		length--;
	if (length == 0)
		return true;
	one = strndup(line, length);
	if (!one)
		return error_oom(err);
	if (in->kind == INPUT_PEOPLE ? !made(json_string(one), &value, err)
				     : !read_word(in, input_items(in), one, &value, err))
		return false;
	return json_array_append_new(list, value) == 0 || error_oom(err);
}

/* A JSON list is one, whatever it looks like as lines. */
static json_t *as_json_list(const char *text)
{
	struct error ignored = ERROR_INIT;
	json_t *value;

	if (text[strspn(text, " \t\r\n")] != '[')
		return NULL;
	value = json_parse(text, strlen(text), JSON_CONTRACT, &ignored);
	if (json_is_array(value))
		return value;
	json_decref(value);
	return NULL;
}

static bool read_lines(const struct input *in, const char *text, json_t **ret,
		       struct error *err)
{
	json_auto_t *list = as_json_list(text);

	if (list) {
		*ret = TAKE(list);
		return true;
	}
	list = json_array();
	if (!list)
		return error_oom(err);
	for (size_t length; *text; text += length + (text[length] ? 1 : 0)) {
		length = strcspn(text, "\n");
		if (!add_line(in, text, length, list, err))
			return false;
	}
	if (json_array_size(list) > 0)
		*ret = TAKE(list);
	return true;
}

static bool write_lines(struct strbuf *sb, const struct input *in, const json_t *value)
{
	_cleanup_strbuf_ struct strbuf lines = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	json_auto_t *again = NULL;
	size_t i;
	json_t *one;

	json_array_foreach(value, i, one)
	{
		if (i > 0)
			strbuf_add_char(&lines, '\n');
		if (in->kind == INPUT_PEOPLE && json_is_string(one))
			strbuf_add_string(&lines, json_string_value(one));
		else if (!write_word(&lines, in, input_items(in), one))
			return false;
	}
	if (strbuf_ok(&lines) && json_is_array(value) &&
	    read_lines(in, lines.data, &again, &ignored) && again &&
	    json_equal(again, value))
		strbuf_add(sb, lines.data, lines.length);
	else if (!write_json(sb, value))
		return false;
	return true;
}

/* ---- Each kind -------------------------------------------------------------------- */

bool input_json_read(const struct input *in, const char *text, json_t **ret,
		     struct error *err)
{
	if (!text[strspn(text, " \t\r\n")])
		return true;
	*ret = json_parse(text, strlen(text), JSON_CONTRACT, err);
	if (*ret && in->kind == INPUT_REST && !json_is_object(*ret)) {
		json_decref(*ret);
		*ret = NULL;
		return refuse(err, "must be a JSON object");
	}
	return *ret != NULL;
}

bool input_typed_read(const struct input *in, const char *text, json_t **ret,
		      struct error *err)
{
	switch (in->kind) {
	case INPUT_NUMBER:
		return read_number(text, ret, err);
	case INPUT_LINES:
	case INPUT_PEOPLE:
		return read_lines(in, text, ret, err);
	case INPUT_TEXT:
		return read_word(in, in->property, text, ret, err);
	case INPUT_DATE:
	case INPUT_MOMENT:
	case INPUT_PERSON:
		return made(json_string(text), ret, err);
	default:
		return input_json_read(in, text, ret, err);
	}
}

bool input_typed_write(struct strbuf *sb, const struct input *in, const json_t *value)
{
	switch (in->kind) {
	case INPUT_LINES:
	case INPUT_PEOPLE:
		return write_lines(sb, in, value);
	case INPUT_TEXT:
		return write_word(sb, in, in->property, value);
	case INPUT_DATE:
	case INPUT_MOMENT:
	case INPUT_PERSON:
		if (json_is_string(value) &&
		    strlen(json_string_value(value)) == json_string_length(value)) {
			strbuf_add_string(sb, json_string_value(value));
			return true;
		}
		return write_json(sb, value);
	default:
		return write_json(sb, value);
	}
}
