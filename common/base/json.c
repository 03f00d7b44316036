#include "base/json.h"

#include <inttypes.h>
#include <math.h>

#include "base/bytes.h"
#include "base/canonical.h"
#include "base/utf8.h"

/* Whether eight bytes from 'at' on are there, and none needs a closer look. */
static bool is_plain_word(const char *text, size_t length, size_t at)
{
	if (length - at < BYTES_WORD)
		return false;
	const uint64_t word = bytes_word(text + at);
	return !bytes_any_high(word) && !bytes_any_below(word, 1);
}

bool json_check_text(const char *text, size_t length, struct error *err)
{
	uint32_t c;

	for (size_t at = 0, size; at < length; at += size) {
		if (is_plain_word(text, length, at)) {
			size = BYTES_WORD;
			continue;
		}
		size = utf8_next(text + at, length - at, &c);
		if (!size)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "a string is not UTF-8");
		if (c == 0)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "a string holds a NUL");
		if ((c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "a string holds a noncharacter of Unicode");
	}
	return true;
}

static bool check_number(const json_t *value, struct error *err)
{
	double magnitude = fabs(json_number_value(value));
	bool fits = true;

	if (json_is_integer(value))
		fits = json_integer_value(value) >= -JSON_INTEGER_MAX &&
		       json_integer_value(value) <= JSON_INTEGER_MAX;
	else if (!isfinite(magnitude))
		return error_set(err, ERR_INVALID_ARGUMENT, "a number is not finite");
	else /* from 1e21 on canonical text has an exponent and is read as a real again */
		fits = magnitude <= (double)JSON_INTEGER_MAX || magnitude >= 1e21;
	if (!fits)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "an integer is beyond +-(2^53-1)");
	return true;
}

/* jansson's object iterators want a writable object although they do not write. */
static json_t *unconst(const json_t *value)
{
	union {
		const json_t *in;
		json_t *out;
	} borrowed = { .in = value };

	return borrowed.out;
}

static bool check_value(const json_t *value, int depth, struct error *err)
{
	if (json_is_string(value))
		return json_check_text(json_string_value(value),
				       json_string_length(value), err);
	if (json_is_number(value))
		return check_number(value, err);
	if (!json_is_array(value) && !json_is_object(value))
		return true;
	if (depth >= JSON_DEPTH_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "nested deeper than %d",
				 JSON_DEPTH_MAX);
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!check_value(json_array_get(value, i), depth + 1, err))
			return false;
	json_t *object = unconst(value);
	for (void *at = json_object_iter(object); at;
	     at = json_object_iter_next(object, at))
		if (!json_check_text(json_object_iter_key(at),
				     json_object_iter_key_len(at), err) ||
		    !check_value(json_object_iter_value(at), depth + 1, err))
			return false;
	return true;
}

bool json_check_contract(const json_t *value, struct error *err)
{
	if (!value)
		return error_set(err, ERR_INVALID_ARGUMENT, "there is no value");
	return check_value(value, 0, err);
}

static bool write_value(struct strbuf *sb, const json_t *value, int depth);

static bool write_array(struct strbuf *sb, const json_t *array, int depth)
{
	strbuf_add_char(sb, '[');
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i > 0)
			strbuf_add_char(sb, ',');
		if (!write_value(sb, json_array_get(array, i), depth))
			return false;
	}
	strbuf_add_char(sb, ']');
	return true;
}

static bool write_object(struct strbuf *sb, json_t *object, int depth)
{
	bool first = true;

	strbuf_add_char(sb, '{');
	for (void *at = json_object_iter(object); at;
	     at = json_object_iter_next(object, at)) {
		if (!first)
			strbuf_add_char(sb, ',');
		first = false;
		strbuf_add_json_string(sb, json_object_iter_key(at),
				       json_object_iter_key_len(at));
		strbuf_add_char(sb, ':');
		if (!write_value(sb, json_object_iter_value(at), depth))
			return false;
	}
	strbuf_add_char(sb, '}');
	return true;
}

static bool write_value(struct strbuf *sb, const json_t *value, int depth)
{
	char number[CANONICAL_NUMBER_BYTES];

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return depth < JSON_DEPTH_MAX &&
		       write_object(sb, unconst(value), depth + 1);
	case JSON_ARRAY:
		return depth < JSON_DEPTH_MAX && write_array(sb, value, depth + 1);
	case JSON_STRING:
		strbuf_add_json_string(sb, json_string_value(value),
				       json_string_length(value));
		break;
	case JSON_INTEGER:
		strbuf_add_int64(sb, json_integer_value(value));
		break;
	case JSON_REAL:
		strbuf_add(sb, number, canonical_number(json_real_value(value), number));
		break;
	case JSON_TRUE:
		strbuf_add(sb, "true", 4);
		break;
	case JSON_FALSE:
		strbuf_add(sb, "false", 5);
		break;
	case JSON_NULL:
		strbuf_add(sb, "null", 4);
		break;
	}
	return true;
}

bool json_write(struct strbuf *sb, const json_t *value, struct error *err)
{
	const size_t before = sb->length;
	bool shallow = value && write_value(sb, value, 0);

	if (shallow && strbuf_ok(sb))
		return true;
	strbuf_truncate(sb, before);
	if (!strbuf_ok(sb) || !value)
		return error_oom(err); /* json_pack gives NULL without memory */
	return error_set(err, ERR_INVALID_ARGUMENT, "nested deeper than %d",
			 JSON_DEPTH_MAX);
}

static const struct json_field *find_field(const struct json_field *fields,
					   const char *name, size_t length)
{
	for (; fields->name; fields++)
		if (strlen(fields->name) == length &&
		    memcmp(fields->name, name, length) == 0)
			return fields;
	return NULL;
}

/* 1, 1.0 and 1e0 are the same integer. */
static bool read_int64(const json_t *value, int64_t *ret)
{
	if (json_is_integer(value)) {
		*ret = json_integer_value(value);
		return true;
	}
	double real = json_real_value(value);
	if (!json_is_real(value) || fabs(real) > (double)JSON_INTEGER_MAX ||
	    real != trunc(real))
		return false;
	*ret = (int64_t)real;
	return true;
}

static bool holds_nul(const json_t *string)
{
	return strlen(json_string_value(string)) != json_string_length(string);
}

/* Whether 'value' is of the field's type. */
static bool check_field(const struct json_field *field, const json_t *value,
			const char *what, struct error *err)
{
	static const char *const type_names[] = {
		[JSON_FIELD_STRING] = "a string",    [JSON_FIELD_INT64] = "an integer",
		[JSON_FIELD_BOOL] = "true or false", [JSON_FIELD_OBJECT] = "an object",
		[JSON_FIELD_ARRAY] = "an array",
	};
	int64_t number;
	bool fits = false;

	switch (field->type) {
	case JSON_FIELD_END:
		break;
	case JSON_FIELD_STRING:
		if (json_is_string(value) && holds_nul(value))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "%s: '%s' holds a NUL", what, field->name);
		fits = json_is_string(value);
		break;
	case JSON_FIELD_INT64:
		fits = read_int64(value, &number);
		break;
	case JSON_FIELD_BOOL:
		fits = json_is_boolean(value);
		break;
	case JSON_FIELD_OBJECT:
		fits = json_is_object(value);
		break;
	case JSON_FIELD_ARRAY:
		fits = json_is_array(value);
		break;
	case JSON_FIELD_ANY:
		fits = true;
		break;
	}
	if (!fits)
		return error_set(err, ERR_INVALID_ARGUMENT, "%s: '%s' must be %s", what,
				 field->name, type_names[field->type]);
	return true;
}

static void store_field(const struct json_field *field, const json_t *value, void *target)
{
	void *place = (char *)target + field->offset;

	switch (field->type) {
	case JSON_FIELD_END:
		break;
	case JSON_FIELD_STRING:
		*(const char **)place = json_string_value(value);
		break;
	case JSON_FIELD_INT64:
		(void)read_int64(value, place);
		break;
	case JSON_FIELD_BOOL:
		*(bool *)place = json_is_true(value);
		break;
	case JSON_FIELD_OBJECT:
	case JSON_FIELD_ARRAY:
	case JSON_FIELD_ANY:
		*(json_t **)place = unconst(value);
		break;
	}
}

bool json_decode(const json_t *object, const struct json_field *fields, void *target,
		 const char *what, struct error *err)
{
	json_t *borrowed = unconst(object);

	if (!json_is_object(object))
		return error_set(err, ERR_INVALID_ARGUMENT, "%s must be an object", what);
	for (void *at = json_object_iter(borrowed); at;
	     at = json_object_iter_next(borrowed, at)) {
		const char *name = json_object_iter_key(at);
		const struct json_field *field =
			find_field(fields, name, json_object_iter_key_len(at));
		if (!field)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "%s: unknown member '%.64s'", what, name);
		if (!check_field(field, json_object_iter_value(at), what, err))
			return false;
	}
	for (const struct json_field *f = fields; f->name; f++)
		if ((f->flags & JSON_FIELD_REQUIRED) && !json_object_get(object, f->name))
			return error_set(err, ERR_INVALID_ARGUMENT, "%s: '%s' is missing",
					 what, f->name);
	for (const struct json_field *f = fields; f->name; f++) {
		const json_t *value = json_object_get(object, f->name);
		if (value)
			store_field(f, value, target);
	}
	return true;
}

bool json_put_string(json_t *object, const char *name, const char *text)
{
	return object &&
	       (!text || json_object_set_new(object, name, json_string(text)) == 0);
}

const char *json_get_string(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_string(value) && !holds_nul(value) ? json_string_value(value)
							  : NULL;
}

int64_t json_get_int64(const json_t *object, const char *name, int64_t fallback)
{
	const json_t *value = json_object_get(object, name);
	int64_t number;

	return value && read_int64(value, &number) ? number : fallback;
}
