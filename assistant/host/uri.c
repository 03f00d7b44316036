#include "assistant/host/uri.h"

#include <string.h>

enum { NAME_BYTES = 65 };

static void add_encoded(struct strbuf *sb, const char *text, bool reserved_too)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (; *text; text++) {
		bool as_it_is = strchr(plain, *text) ||
				(reserved_too && strchr(":/?#[]@!$&'()*+,;=", *text));

		if (as_it_is)
			strbuf_add_char(sb, *text);
		else
			strbuf_add_format(sb, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

/* One name of 'names'; NULL at the end. */
static const char *next_name(const char **names, char name[static NAME_BYTES])
{
	size_t length = strspn(*names, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz0123456789_");

	if (length == 0 || length >= NAME_BYTES)
		return NULL;
	(void)snprintf(name, NAME_BYTES, "%.*s", (int)length, *names);
	*names += length;
	return name;
}

static bool expand(struct strbuf *sb, const char **at, const json_t *values)
{
	char kind = **at, name[NAME_BYTES];
	char before = '?';

	*at += kind == '+' || kind == '?';
	for (;;) {
		const char *value;

		if (!next_name(at, name))
			return false;
		value = json_get_string(values, name);
		if (kind == '?' && value) {
			strbuf_add_format(sb, "%c%s=", before, name);
			before = '&';
		} else if (!value && kind != '?') {
			return false;
		}
		if (value)
			add_encoded(sb, value, kind == '+');
		if (**at == '}')
			break;
		if (kind != '?' || **at != ',')
			return false;
		(*at)++;
	}
	(*at)++;
	return true;
}

bool uri_expand(struct strbuf *sb, const char *pattern, const json_t *values)
{
	while (*pattern) {
		if (*pattern != '{') {
			strbuf_add_char(sb, *pattern++);
			continue;
		}
		pattern++;
		if (!expand(sb, &pattern, values)) {
			strbuf_clear(sb);
			return false;
		}
	}
	return strbuf_ok(sb);
}
