#include "base/json.h"

#include <math.h>

#include "base/bytes.h"
#include "base/number.h"
#include "base/utf8.h"

/*
 * One pass over the bytes, straight into jansson's values. jansson's own reader
 * is not used: it cannot hold integers beyond int64, has no profile, and takes
 * most of the time of a small call.
 */
struct parser {
	const char *start;
	const char *at;
	const char *end;
	bool contract;
	struct strbuf scratch; /* a string with escapes, while it is decoded */
	struct error *err;
};

static json_t *refuse(struct parser *p, const char *at, const char *why)
{
	error_set(p->err, ERR_INVALID_ARGUMENT, "not JSON at byte %zu: %s",
		  (size_t)(at - p->start) + 1, why);
	return NULL;
}

static json_t *no_memory(struct parser *p)
{
	error_oom(p->err);
	return NULL;
}

static void skip_space(struct parser *p)
{
	while (p->at < p->end &&
	       (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t'))
		p->at++;
}

static bool peek_is(const struct parser *p, char c)
{
	return p->at < p->end && *p->at == c;
}

static bool is_digit(const struct parser *p)
{
	return p->at < p->end && *p->at >= '0' && *p->at <= '9';
}

/* Four hex digits, or -1. */
static int32_t take_hex4(struct parser *p)
{
	int32_t value = 0;

	if (p->end - p->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = *p->at++;
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static bool is_noncharacter(uint32_t c)
{
	return (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
}

static bool check_character(struct parser *p, const char *at, uint32_t c)
{
	if (!p->contract)
		return true;
	if (c == 0)
		return refuse(p, at, "NUL in a string");
	if (is_noncharacter(c))
		return refuse(p, at, "a noncharacter of Unicode in a string");
	return true;
}

/* After "\u". */
static bool take_unicode_escape(struct parser *p, const char *begin)
{
	char bytes[4];
	int32_t unit = take_hex4(p);

	if (unit < 0)
		return refuse(p, begin, "\\u wants four hexadecimal digits");
	uint32_t c = (uint32_t)unit;
	if (c >= 0xD800 && c <= 0xDBFF) {
		int32_t low = -1;
		if (p->end - p->at >= 6 && p->at[0] == '\\' && p->at[1] == 'u') {
			p->at += 2;
			low = take_hex4(p);
		}
		if (low < 0xDC00 || low > 0xDFFF)
			return refuse(p, begin, "a lone surrogate");
		c = 0x10000 + ((c & 0x3FF) << 10) + ((uint32_t)low & 0x3FF);
	} else if (c >= 0xDC00 && c <= 0xDFFF) {
		return refuse(p, begin, "a lone surrogate");
	}
	if (!check_character(p, begin, c))
		return false;
	strbuf_add(&p->scratch, bytes, utf8_put(c, bytes));
	return true;
}

/* After the backslash. */
static bool take_escape(struct parser *p)
{
	static const char meaning[128] = {
		['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
		['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
	};
	const char *begin = p->at - 1;

	if (p->at == p->end)
		return refuse(p, begin, "the text ends inside a string");
	unsigned char c = (unsigned char)*p->at++;
	if (c == 'u')
		return take_unicode_escape(p, begin);
	if (c >= sizeof meaning || !meaning[c])
		return refuse(p, begin, "an escape that JSON does not know");
	strbuf_add_char(&p->scratch, meaning[c]);
	return true;
}

/* Whether the next eight bytes are plain characters of ASCII. */
static bool is_plain_word(const struct parser *p)
{
	if (p->end - p->at < BYTES_WORD)
		return false;
	const uint64_t word = bytes_word(p->at);
	return !bytes_any_high(word) && !bytes_any_below(word, 0x20) &&
	       !bytes_any(word, '"') && !bytes_any(word, '\\');
}

/* Move past plain characters up to a quote or backslash. */
static bool skip_plain(struct parser *p)
{
	uint32_t c;

	while (p->at < p->end) {
		while (is_plain_word(p))
			p->at += BYTES_WORD;
		if (p->at == p->end)
			break;
		unsigned char byte = (unsigned char)*p->at;
		if (byte == '"' || byte == '\\')
			return true;
		if (byte < 0x20)
			return refuse(p, p->at, "a control character in a string");
		if (byte < 0x80) {
			p->at++;
			continue;
		}
		size_t size = utf8_next(p->at, (size_t)(p->end - p->at), &c);
		if (!size)
			return refuse(p, p->at, "bytes that are not UTF-8");
		if (!check_character(p, p->at, c))
			return false;
		p->at += size;
	}
	return refuse(p, p->at, "the text ends inside a string");
}

/* After the opening quote. The text is borrowed from the input or from 'scratch',
 * and valid until the next string. */
static bool take_string(struct parser *p, const char **ret, size_t *ret_length)
{
	const char *begin = p->at;

	if (!skip_plain(p))
		return false;
	if (*p->at == '"') {
		*ret = begin;
		*ret_length = (size_t)(p->at++ - begin);
		return true;
	}
	strbuf_clear(&p->scratch);
	for (;;) {
		strbuf_add(&p->scratch, begin, (size_t)(p->at - begin));
		if (*p->at++ == '"')
			break;
		if (!take_escape(p))
			return false;
		begin = p->at;
		if (!skip_plain(p))
			return false;
	}
	if (!strbuf_ok(&p->scratch))
		return no_memory(p);
	*ret = p->scratch.data;
	*ret_length = p->scratch.length;
	return true;
}

static json_t *take_string_value(struct parser *p)
{
	const char *text;
	size_t length;

	if (!take_string(p, &text, &length))
		return NULL;
	json_t *value = json_stringn_nocheck(text, length);
	return value ? value : no_memory(p);
}

static bool skip_digits(struct parser *p)
{
	if (!is_digit(p))
		return false;
	while (is_digit(p))
		p->at++;
	return true;
}

static bool skip_number(struct parser *p)
{
	if (peek_is(p, '-'))
		p->at++;
	if (peek_is(p, '0'))
		p->at++;
	else if (!skip_digits(p))
		return false;
	if (peek_is(p, '.')) {
		p->at++;
		if (!skip_digits(p))
			return false;
	}
	if (peek_is(p, 'e') || peek_is(p, 'E')) {
		p->at++;
		if (peek_is(p, '+') || peek_is(p, '-'))
			p->at++;
		if (!skip_digits(p))
			return false;
	}
	return true;
}

/* Why a number may not be in a contract, or NULL. An integer that is written with
 * an exponent is judged like its canonical form, or that could not be read again. */
static const char *contract_fault(const struct number *n)
{
	static const double integers_end =
		1e21; /* from here on canonical text has an exponent */
	double magnitude = fabs(n->value);

	if (n->is_integer
		    ? !n->is_int64 || n->integer > JSON_INTEGER_MAX ||
			      n->integer < -JSON_INTEGER_MAX
		    : magnitude > (double)JSON_INTEGER_MAX && magnitude < integers_end)
		return "an integer beyond +-(2^53-1)";
	return n->is_exact ? NULL : "a number that a double cannot hold as written";
}

static json_t *take_number(struct parser *p)
{
	const char *begin = p->at;

	if (!skip_number(p))
		return refuse(p, begin, "a value is expected");
	struct number n = number_read(begin, (size_t)(p->at - begin));
	if (isinf(n.value))
		return refuse(p, begin, "a number too large for a double");
	if (p->contract) {
		const char *fault = contract_fault(&n);
		if (fault)
			return refuse(p, begin, fault);
	}
	json_t *value = n.is_int64 ? json_integer(n.integer) : json_real(n.value);
	return value ? value : no_memory(p);
}

static json_t *take_word(struct parser *p, const char *word, json_t *value)
{
	size_t length = strlen(word);

	if ((size_t)(p->end - p->at) < length || memcmp(p->at, word, length) != 0)
		return refuse(p, p->at, "a value is expected");
	p->at += length;
	return value;
}

static json_t *take_value(struct parser *p, int depth);

/* After the opening bracket. */
static json_t *take_array(struct parser *p, int depth)
{
	json_auto_t *array = json_array();

	if (!array)
		return no_memory(p);
	skip_space(p);
	if (peek_is(p, ']')) {
		p->at++;
		return TAKE(array);
	}
	for (;;) {
		json_t *item = take_value(p, depth);
		if (!item)
			return NULL;
		if (json_array_append_new(array, item) != 0)
			return no_memory(p);
		skip_space(p);
		if (peek_is(p, ']')) {
			p->at++;
			return TAKE(array);
		}
		if (!peek_is(p, ','))
			return refuse(p, p->at, "',' or ']' is expected");
		p->at++;
	}
}

/* Names are compared as decoded: "a" and "\u0061" are the same. */
static bool take_member(struct parser *p, json_t *object, int depth)
{
	_cleanup_free_ char *copy = NULL;
	const char *begin = p->at, *name;
	size_t length;

	if (!peek_is(p, '"'))
		return refuse(p, p->at, "a member's name is expected");
	p->at++;
	if (!take_string(p, &name, &length))
		return false;
	skip_space(p);
	if (!peek_is(p, ':'))
		return refuse(p, p->at, "':' is expected");
	p->at++;
	if (name == p->scratch.data) {
		/* The value's own strings would overwrite it. */
		copy = strbuf_take(&p->scratch);
		if (!copy)
			return no_memory(p);
		name = copy;
	}
	json_t *value = take_value(p, depth);
	if (!value)
		return false;
	size_t before = json_object_size(object);
	if (json_object_setn_new_nocheck(object, name, length, value) != 0)
		return no_memory(p);
	if (json_object_size(object) == before)
		return refuse(p, begin, "a member's name that was there before");
	return true;
}

/* After the opening brace. */
static json_t *take_object(struct parser *p, int depth)
{
	json_auto_t *object = json_object();

	if (!object)
		return no_memory(p);
	skip_space(p);
	if (peek_is(p, '}')) {
		p->at++;
		return TAKE(object);
	}
	for (;;) {
		skip_space(p);
		if (!take_member(p, object, depth))
			return NULL;
		skip_space(p);
		if (peek_is(p, '}')) {
			p->at++;
			return TAKE(object);
		}
		if (!peek_is(p, ','))
			return refuse(p, p->at, "',' or '}' is expected");
		p->at++;
	}
}

static json_t *take_container(struct parser *p, int depth)
{
	if (depth >= JSON_DEPTH_MAX) {
		error_set(p->err, ERR_INVALID_ARGUMENT,
			  "JSON is nested deeper than %d at byte %zu", JSON_DEPTH_MAX,
			  (size_t)(p->at - p->start) + 1);
		return NULL;
	}
	return *p->at++ == '{' ? take_object(p, depth + 1) : take_array(p, depth + 1);
}

static json_t *take_value(struct parser *p, int depth)
{
	skip_space(p);
	if (p->at == p->end)
		return refuse(p, p->at, "the text ends where a value is expected");
	switch (*p->at) {
	case '{':
	case '[':
		return take_container(p, depth);
	case '"':
		p->at++;
		return take_string_value(p);
	case 't':
		return take_word(p, "true", json_true());
	case 'f':
		return take_word(p, "false", json_false());
	case 'n':
		return take_word(p, "null", json_null());
	default:
		return take_number(p);
	}
}

json_t *json_parse(const char *text, size_t length, enum json_profile profile,
		   struct error *err)
{
	struct parser p = {
		.start = text,
		.at = text,
		.end = text + length,
		.contract = profile == JSON_CONTRACT,
		.scratch = STRBUF_INIT,
		.err = err,
	};

	if (length > JSON_TEXT_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT, "JSON of more than %d bytes",
			  JSON_TEXT_MAX);
		return NULL;
	}
	json_auto_t *value = take_value(&p, 0);
	if (value) {
		skip_space(&p);
		if (p.at < p.end) {
			refuse(&p, p.at, "something follows the value");
			json_decref(TAKE(value));
		}
	}
	strbuf_done(&p.scratch);
	return TAKE(value);
}
