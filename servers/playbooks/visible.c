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

void visible_line(struct strbuf *sb, const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		const size_t n = span(text + at, length - at);

		text_visible(sb, text + at, n);
		at += n;
		if (at >= length)
			return;
		if (text[at] == '\\')
			strbuf_add_char(sb, '\\');
		else if (sb->length == 0 || sb->data[sb->length - 1] != ' ')
			strbuf_add_char(sb, ' ');
		at++;
	}
}

void visible_text(struct strbuf *sb, const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		const size_t n = span(text + at, length - at);

		text_visible(sb, text + at, n);
		at += n;
		if (at >= length)
			return;
		if (text[at] == '\t')
			strbuf_add_string(sb, "    ");
		else if (text[at] == '\n' || text[at] == ' ' || text[at] == '\\')
			strbuf_add_char(sb, text[at]);
		else if (text[at] != '\r')
			strbuf_add_char(sb, ' ');
		at++;
	}
}

void visible_escape(struct strbuf *sb, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (strchr("\\`*_[]<>#|~!&", text[i]) && text[i])
			strbuf_add_char(sb, '\\');
		strbuf_add_char(sb, text[i]);
	}
}
