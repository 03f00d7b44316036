#include "servers/playbooks/visible.h"

#include <string.h>

#include "base/text.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* Up to where text_visible may have its way: it would write \n and \\. */
static size_t span(const char *text, size_t length)
{
	size_t n = 0;

	while (n < length && !is_space(text[n]) && text[n] != '\\')
		n++;
	return n;
}

/* What becomes of a character that stays apart from text_visible. */
typedef void add_apart(struct strbuf *sb, char c);

static void add_visible(struct strbuf *sb, const char *text, size_t length,
			add_apart *apart)
{
	for (size_t at = 0; at < length; at++) {
		const size_t n = span(text + at, length - at);

		text_visible(sb, text + at, n);
		at += n;
		if (at < length)
			apart(sb, text[at]);
	}
}

static void add_in_line(struct strbuf *sb, char c)
{
	if (c == '\\')
		strbuf_add_char(sb, '\\');
	else if (sb->length == 0 || sb->data[sb->length - 1] != ' ')
		strbuf_add_char(sb, ' ');
}

static void add_in_text(struct strbuf *sb, char c)
{
	if (c == '\t')
		strbuf_add_string(sb, "    ");
	else if (c == '\n' || c == '\\')
		strbuf_add_char(sb, c);
	else if (c != '\r')
		strbuf_add_char(sb, ' ');
}

void visible_line(struct strbuf *sb, const char *text, size_t length)
{
	add_visible(sb, text, length, add_in_line);
}

void visible_text(struct strbuf *sb, const char *text, size_t length)
{
	add_visible(sb, text, length, add_in_text);
}

void visible_escape(struct strbuf *sb, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (strchr("\\`*_[]<>#|~!&", text[i]) && text[i])
			strbuf_add_char(sb, '\\');
		strbuf_add_char(sb, text[i]);
	}
}
