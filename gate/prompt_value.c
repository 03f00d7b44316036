#include "gate/prompt_value.h"

#include "base/canonical.h"
#include "base/text.h"
#include "base/utf8.h"
#include "gate/wide_open.h"

enum {
	WIDE_OPEN = 1 << 16, /* beside the bits of text_flag */
	RUN_MAX = 8,
	LENGTH_SHOWN_FROM = 200, /* characters */
};

/* Copy visible text; past RUN_MAX equal spaces in a row each is an escape, so that no
 * padding can push anything out of sight. */
static void add_spaced(struct strbuf *sb, const char *text, size_t length)
{
	size_t run = 0;

	for (size_t i = 0; i < length; i++) {
		run = text[i] == ' ' ? run + 1 : 0;
		if (run > RUN_MAX)
			strbuf_add_string(sb, "\\u0020");
		else
			strbuf_add_char(sb, text[i]);
	}
}

static bool write_plain(struct strbuf *sb, const json_t *value, bool escaped,
			struct error *err)
{
	void (*put)(struct strbuf *, const char *, size_t) = escaped ? text_escaped
								     : text_visible;
	_cleanup_strbuf_ struct strbuf canonical = STRBUF_INIT, shown = STRBUF_INIT;
	bool is_string = json_is_string(value);

	if (is_string) {
		put(&shown, json_string_value(value), json_string_length(value));
	} else {
		if (!canonical_write(&canonical, value, err))
			return false;
		put(&shown, canonical.data, canonical.length);
	}
	if (is_string)
		strbuf_add_char(sb, '"');
	add_spaced(sb, shown.data, shown.length);
	if (is_string)
		strbuf_add_char(sb, '"');
	return (strbuf_ok(&shown) && strbuf_ok(sb)) || error_oom(err);
}

bool prompt_value_text(struct strbuf *sb, const json_t *value, struct error *err)
{
	return write_plain(sb, value, false, err);
}

json_t *prompt_value_read(const char *text, struct error *err)
{
	size_t length = strlen(text);
	_cleanup_strbuf_ struct strbuf plain = STRBUF_INIT;

	if (text[0] == '"') {
		json_t *value;

		if (length < 2 || text[length - 1] != '"') {
			error_set(err, ERR_INVALID_ARGUMENT,
				  "the text of a string has no end");
			return NULL;
		}
		if (!text_unescape(&plain, text + 1, length - 2, err))
			return NULL;
		value = json_stringn(plain.data, plain.length);
		if (!value)
			error_set(err, ERR_INVALID_ARGUMENT, "the text says no UTF-8");
		return value;
	}
	if (!text_unescape(&plain, text, length, err))
		return NULL;
	return json_parse(plain.data, plain.length, JSON_CONTRACT, err);
}

/* A space that is not the usual one: nobody sees which it is. */
static bool has_odd_space(const char *text, size_t length)
{
	uint32_t c;

	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		if (size > 1 &&
		    (c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
		     c == 0x202F || c == 0x205F || c == 0x3000))
			return true;
		size += !size;
	}
	return false;
}

static unsigned string_flags(const char *text, size_t length)
{
	return text_flags(text, length) |
	       (has_odd_space(text, length) ? TEXT_INVISIBLE : 0) |
	       (wide_open_is(text) ? WIDE_OPEN : 0);
}

static unsigned value_flags(const json_t *value)
{
	unsigned flags = 0;
	size_t i;
	const char *name;
	json_t *member;

	if (json_is_string(value))
		return string_flags(json_string_value(value), json_string_length(value));
	json_array_foreach(value, i, member)
	{
		flags |= value_flags(member);
	}
	if (json_array_size(value) > 1 && wide_open_are_ports(value))
		flags |= WIDE_OPEN;
	/* json_object_foreach wants a pointer it may write through, and does not. */
	if (json_is_object(value)) {
		json_auto_t *shared = json_copy((json_t *)(uintptr_t)value);

		json_object_foreach(shared, name, member)
		{
			flags |= string_flags(name, strlen(name)) | value_flags(member);
		}
	}
	return flags;
}

json_t *prompt_value_flags(const json_t *value)
{
	unsigned flags = value_flags(value);
	json_t *list = json_array();

	for (unsigned bit = 1; list && bit < WIDE_OPEN; bit <<= 1)
		if (flags & bit)
			(void)json_array_append_new(
				list, json_string(text_flag_name((enum text_flag)bit)));
	if (list && (flags & WIDE_OPEN))
		(void)json_array_append_new(list, json_string("wide-open"));
	return list;
}

/* Of a long text, how long it is: whoever reads it knows where it ends. */
static bool set_length(json_t *entry, const json_t *value)
{
	const char *text = json_string_value(value);
	size_t length = json_string_length(value), characters = 0;
	uint32_t c;

	for (size_t at = 0, size; at < length; at += size, characters++) {
		size = utf8_next(text + at, length - at, &c);
		size += !size;
	}
	return characters <= LENGTH_SHOWN_FROM ||
	       json_object_set_new(entry, "length",
				   json_integer((json_int_t)characters)) == 0;
}

bool prompt_value_describe(json_t *entry, const json_t *value, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf escaped = STRBUF_INIT;
	json_auto_t *flags = prompt_value_flags(value);

	if (!flags)
		return error_oom(err);
	if (!write_plain(&text, value, false, err))
		return false;
	if (json_object_set_new(entry, "text", json_stringn(text.data, text.length)) != 0)
		return error_oom(err);
	if (json_is_string(value) && !set_length(entry, value))
		return error_oom(err);
	if (json_array_size(flags) == 0)
		return true;
	if (!write_plain(&escaped, value, true, err))
		return false;
	if (json_object_set(entry, "flags", flags) != 0 ||
	    json_object_set_new(entry, "escaped",
				json_stringn(escaped.data, escaped.length)) != 0)
		return error_oom(err);
	return true;
}

json_t *prompt_visible(const char *text)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	text_visible(&sb, text, strlen(text));
	return strbuf_ok(&sb) ? json_stringn(sb.data, sb.length) : NULL;
}
