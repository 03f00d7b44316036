#include "console/audit_text.h"

#include "base/digest.h"

enum { DIGITS = 12 };

static void add_value(struct strbuf *sb, const json_t *value);

static void add_string(struct strbuf *sb, const char *text, size_t length)
{
	if (digest_is_hex(text))
		strbuf_add(sb, text, DIGITS);
	else if (length > 0 && !strpbrk(text, " \t\n=,[]{}\""))
		strbuf_add(sb, text, length);
	else
		strbuf_add_json_string(sb, text, length);
}

static void add_members(struct strbuf *sb, const json_t *object)
{
	/* jansson's iterators want a writable object although they do not write. */
	json_auto_t *shared = json_copy((json_t *)(uintptr_t)object);
	const char *separator = "", *name;
	json_t *value;

	json_object_foreach(shared, name, value)
	{
		strbuf_add_format(sb, "%s%s=", separator, name);
		add_value(sb, value);
		separator = " ";
	}
}

static void add_items(struct strbuf *sb, const json_t *array)
{
	size_t i;
	json_t *item;

	json_array_foreach(array, i, item)
	{
		if (i)
			strbuf_add_char(sb, ',');
		add_value(sb, item);
	}
}

static void add_value(struct strbuf *sb, const json_t *value)
{
	struct error ignored = ERROR_INIT;

	if (json_is_string(value)) {
		add_string(sb, json_string_value(value), json_string_length(value));
	} else if (json_is_object(value)) {
		strbuf_add_char(sb, '{');
		add_members(sb, value);
		strbuf_add_char(sb, '}');
	} else if (json_is_array(value)) {
		strbuf_add_char(sb, '[');
		add_items(sb, value);
		strbuf_add_char(sb, ']');
	} else {
		(void)json_write(sb, value, &ignored);
	}
}

void audit_text_add(struct strbuf *sb, const json_t *data)
{
	if (json_is_object(data))
		add_members(sb, data);
	else
		add_value(sb, data);
}
