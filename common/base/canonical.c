#include "base/canonical.h"

#include <math.h>

#include "base/number.h"

enum { MEMBERS_ON_STACK = 32 };

struct member {
	const char *key;
	size_t length;
	const json_t *value;
};

/*
 * By UTF-16 code units. UTF-8 sorts by code point, which is the same but for
 * characters above U+FFFF (lead bytes F0 to F4): as surrogates they come before
 * U+E000..U+FFFF (EE and EF).
 */
static int compare_keys(const struct member *a, const struct member *b)
{
	size_t shorter = a->length < b->length ? a->length : b->length;

	for (size_t i = 0; i < shorter; i++) {
		unsigned char x = (unsigned char)a->key[i], y = (unsigned char)b->key[i];
		if (x == y)
			continue;
		if (x >= 0xEE && y >= 0xEE && (x >= 0xF0) != (y >= 0xF0))
			return x >= 0xF0 ? -1 : 1;
		return x < y ? -1 : 1;
	}
	return a->length < b->length ? -1 : a->length > b->length;
}

static int compare_members(const void *a, const void *b)
{
	return compare_keys(a, b);
}

static void sort_members(struct member *members, size_t count)
{
	if (count > MEMBERS_ON_STACK) {
		qsort(members, count, sizeof members[0], compare_members);
		return;
	}
	/* Mostly sorted and short: insertion beats qsort's calls. */
	for (size_t i = 1; i < count; i++) {
		struct member moving = members[i];
		size_t at = i;
		for (; at > 0 && compare_keys(&moving, &members[at - 1]) < 0; at--)
			members[at] = members[at - 1];
		members[at] = moving;
	}
}

static size_t list_members(const json_t *object, struct member *members)
{
	/* jansson's iterators want a writable object although they do not write. */
	union {
		const json_t *in;
		json_t *out;
	} borrowed = { .in = object };
	size_t count = 0;

	for (void *at = json_object_iter(borrowed.out); at;
	     at = json_object_iter_next(borrowed.out, at)) {
		members[count++] = (struct member){
			.key = json_object_iter_key(at),
			.length = json_object_iter_key_len(at),
			.value = json_object_iter_value(at),
		};
	}
	return count;
}

static bool write_value(struct strbuf *sb, const json_t *value, int depth,
			struct error *err);

static bool write_object(struct strbuf *sb, const json_t *object, int depth,
			 struct error *err)
{
	struct member on_stack[MEMBERS_ON_STACK];
	_cleanup_free_ struct member *on_heap = NULL;
	struct member *members = on_stack;
	size_t count = json_object_size(object);

	if (count > MEMBERS_ON_STACK) {
		members = on_heap = calloc(count, sizeof on_heap[0]);
		if (!on_heap)
			return error_oom(err);
	}
	count = list_members(object, members);
	sort_members(members, count);
	strbuf_add_char(sb, '{');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			strbuf_add_char(sb, ',');
		strbuf_add_json_string(sb, members[i].key, members[i].length);
		strbuf_add_char(sb, ':');
		if (!write_value(sb, members[i].value, depth, err))
			return false;
	}
	strbuf_add_char(sb, '}');
	return true;
}

static bool write_array(struct strbuf *sb, const json_t *array, int depth,
			struct error *err)
{
	size_t count = json_array_size(array);

	strbuf_add_char(sb, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			strbuf_add_char(sb, ',');
		if (!write_value(sb, json_array_get(array, i), depth, err))
			return false;
	}
	strbuf_add_char(sb, ']');
	return true;
}

static bool write_integer(struct strbuf *sb, int64_t value, struct error *err)
{
	if (value < -JSON_INTEGER_MAX || value > JSON_INTEGER_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the integer %lld is beyond +-(2^53-1)",
				 (long long)value);
	strbuf_add_int64(sb, value);
	return true;
}

static bool write_real(struct strbuf *sb, double value, struct error *err)
{
	char text[CANONICAL_NUMBER_BYTES];

	if (!isfinite(value))
		return error_set(err, ERR_INVALID_ARGUMENT, "a number is not finite");
	strbuf_add(sb, text, canonical_number(value, text));
	return true;
}

static bool write_value(struct strbuf *sb, const json_t *value, int depth,
			struct error *err)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		if (depth >= JSON_DEPTH_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "nested deeper than %d", JSON_DEPTH_MAX);
		return json_is_object(value) ? write_object(sb, value, depth + 1, err)
					     : write_array(sb, value, depth + 1, err);
	case JSON_STRING:
		strbuf_add_json_string(sb, json_string_value(value),
				       json_string_length(value));
		return true;
	case JSON_INTEGER:
		return write_integer(sb, json_integer_value(value), err);
	case JSON_REAL:
		return write_real(sb, json_real_value(value), err);
	case JSON_TRUE:
		strbuf_add(sb, "true", 4);
		return true;
	case JSON_FALSE:
		strbuf_add(sb, "false", 5);
		return true;
	case JSON_NULL:
		strbuf_add(sb, "null", 4);
		return true;
	}
	return error_set(err, ERR_INTERNAL, "a JSON value of no known type");
}

bool canonical_write(struct strbuf *sb, const json_t *value, struct error *err)
{
	const size_t before = sb->length;

	if (write_value(sb, value, 0, err) && strbuf_ok(sb))
		return true;
	strbuf_truncate(sb, before);
	return strbuf_ok(sb) ? false : error_oom(err);
}

/* 'n' copies of '0'. */
static char *put_zeros(char *to, int n)
{
	for (int i = 0; i < n; i++)
		*to++ = '0';
	return to;
}

static char *put_bytes(char *to, const char *from, size_t length)
{
	memcpy(to, from, length);
	return to + length;
}

/* ECMA-262 Number::toString, steps 5 to 10; 'k' digits, the point after 'n' of them. */
static char *put_decimal(char *to, const char *digits, int k, int n)
{
	if (k <= n && n <= 21)
		return put_zeros(put_bytes(to, digits, (size_t)k), n - k);
	if (0 < n && n <= 21) {
		to = put_bytes(to, digits, (size_t)n);
		*to++ = '.';
		return put_bytes(to, digits + n, (size_t)(k - n));
	}
	if (-6 < n && n <= 0) {
		to = put_zeros(put_bytes(to, "0.", 2), -n);
		return put_bytes(to, digits, (size_t)k);
	}
	*to++ = digits[0];
	if (k > 1) {
		*to++ = '.';
		to = put_bytes(to, digits + 1, (size_t)(k - 1));
	}
	return to + snprintf(to, 8, "e%+d", n - 1);
}

size_t canonical_number(double value, char text[static CANONICAL_NUMBER_BYTES])
{
	char digits[NUMBER_DIGITS_MAX + 1];
	char *to = text;
	int point;

	if (value == 0) {
		to = put_bytes(to, "0", 1);
	} else {
		if (value < 0)
			*to++ = '-';
		size_t count = number_shortest(fabs(value), digits, &point);
		to = put_decimal(to, digits, (int)count, point);
	}
	*to = '\0';
	return (size_t)(to - text);
}

bool canonical_digest(const json_t *value, char ret_hex[static DIGEST_HEX_BYTES],
		      struct error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;

	if (!canonical_write(&bytes, value, err))
		return false;
	digest_sha256_hex(bytes.data, bytes.length, ret_hex);
	return true;
}

bool canonical_is(const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *value = json_parse(text, length, JSON_CONTRACT, &err);

	return value && canonical_write(&bytes, value, &err) && bytes.length == length &&
	       memcmp(bytes.data, text, length) == 0;
}
