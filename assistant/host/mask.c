/* Credentials struck out of texts and of values: before anything is kept or sent. */
#include "assistant/host/context.h"

#include <string.h>

#include "base/text.h"

json_t *context_mask(const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	text_redact(&sb, text, length);
	return strbuf_ok(&sb) ? json_stringn(sb.data ? sb.data : "", sb.length) : NULL;
}

json_t *context_mask_cut(const char *text, size_t length)
{
	size_t end = length;

	while (end > 0 && length - end < CONTEXT_WORD_MAX &&
	       !strchr(" \t\r\n", text[end - 1]))
		end--;
	while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
		end--;
	return context_mask(text, end);
}

/* Whether a value under this name is a secret whatever it is. */
static bool is_secret_name(const char *name)
{
	static const char probe[] = "=0x";
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, masked = STRBUF_INIT;

	strbuf_add_format(&text, "%s%s", name, probe);
	text_redact(&masked, text.data, text.length);
	return !strbuf_ok(&text) || !strbuf_ok(&masked) || !strstr(masked.data, probe);
}

static json_t *mask(const json_t *value, bool is_secret, int depth);

static json_t *mask_array(const json_t *value, bool is_secret, int depth)
{
	json_t *from = (json_t *)(uintptr_t)value;
	json_auto_t *list = json_array();
	size_t i;
	json_t *one;

	json_array_foreach(from, i, one)
	{
		if (json_array_append_new(list, mask(one, is_secret, depth + 1)) != 0)
			return NULL;
	}
	return TAKE(list);
}

static json_t *mask_object(const json_t *value, int depth)
{
	json_t *from = (json_t *)(uintptr_t)value;
	json_auto_t *object = json_object();

	for (void *at = json_object_iter(from); object && at;
	     at = json_object_iter_next(from, at)) {
		const char *name = json_object_iter_key(at);
		const json_t *member = json_object_iter_value(at);

		if (json_object_set_new(object, name,
					mask(member, is_secret_name(name), depth + 1)) !=
		    0)
			return NULL;
	}
	return TAKE(object);
}

static json_t *mask(const json_t *value, bool is_secret, int depth)
{
	if (depth > CONTEXT_DEPTH_MAX)
		return NULL;
	if (json_is_object(value))
		return mask_object(value, depth);
	if (json_is_array(value))
		return mask_array(value, is_secret, depth);
	if (is_secret && !json_is_null(value) && !json_is_boolean(value) &&
	    !(json_is_string(value) && json_string_length(value) == 0))
		return json_string("[redacted]");
	if (json_is_string(value))
		return context_mask(json_string_value(value), json_string_length(value));
	return json_copy((json_t *)(uintptr_t)value);
}

json_t *context_mask_json(const json_t *value)
{
	return mask(value, false, 0);
}
