#include "servers/playbooks/html_text.h"

#include <string.h>

#include "base/utf8.h"

enum { ENTITY_BYTES_MAX = 12 };

void html_filter_reset(struct html_filter *f)
{
	f->hiding = NULL;
}

static bool begins_with(const char *text, size_t length, const char *prefix)
{
	const size_t n = strlen(prefix);

	return length >= n && strncasecmp(text, prefix, n) == 0;
}

void html_filter_tag(struct html_filter *f, const char *tag, size_t length)
{
	static const char *const hidden[] = { "script", "style", "template", "noscript" };

	if (length < 2 || tag[0] != '<')
		return;
	if (f->hiding) {
		if (tag[1] == '/' && begins_with(tag + 2, length - 2, f->hiding))
			f->hiding = NULL;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (begins_with(tag + 1, length - 1, hidden[i]) &&
		    !(length >= 2 && tag[length - 2] == '/'))
			f->hiding = hidden[i];
}

bool html_filter_hides(const struct html_filter *f)
{
	return f->hiding != NULL;
}

static bool add_number(struct strbuf *sb, const char *text)
{
	const bool is_hex = text[0] == 'x' || text[0] == 'X';
	char *end, bytes[4];
	const unsigned long c = strtoul(text + is_hex, &end, is_hex ? 16 : 10);

	if (end == text + is_hex || *end != ';' || c == 0 || c > 0x10ffff ||
	    (c >= 0xd800 && c <= 0xdfff))
		return false;
	strbuf_add(sb, bytes, utf8_put((uint32_t)c, bytes));
	return true;
}

void html_entity(struct strbuf *sb, const char *entity, size_t length)
{
	static const struct {
		const char *name, *text;
	} known[] = {
		{ "&amp;", "&" },    { "&lt;", "<" },     { "&gt;", ">" },
		{ "&quot;", "\"" },  { "&apos;", "'" },   { "&nbsp;", " " },
		{ "&ndash;", "–" },  { "&mdash;", "—" },  { "&hellip;", "…" },
		{ "&lsquo;", "‘" },  { "&rsquo;", "’" },  { "&ldquo;", "“" },
		{ "&rdquo;", "”" },  { "&bull;", "•" },   { "&rarr;", "→" },
		{ "&larr;", "←" },   { "&copy;", "©" },   { "&reg;", "®" },
		{ "&trade;", "™" },  { "&middot;", "·" }, { "&times;", "×" },
		{ "&auml;", "ä" },   { "&ouml;", "ö" },   { "&uuml;", "ü" },
		{ "&eacute;", "é" }, { "&egrave;", "è" }, { "&szlig;", "ß" },
		{ "&sect;", "§" },   { "&check;", "✓" },  { "&euro;", "€" },
	};
	char text[ENTITY_BYTES_MAX + 1];

	if (length >= 3 && length <= ENTITY_BYTES_MAX) {
		memcpy(text, entity, length);
		text[length] = '\0';
		if (text[1] == '#' && add_number(sb, text + 2))
			return;
		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (strcmp(text, known[i].name) == 0) {
				strbuf_add_string(sb, known[i].text);
				return;
			}
	}
	strbuf_add(sb, entity, length);
}
