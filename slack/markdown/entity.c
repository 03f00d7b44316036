#include "base/utf8.h"
#include "slack/markdown/private.h"

/* The ones that people write; any other stays as it is written, which says the same. */
static const struct {
	const char *name, *text;
} entities[] = {
	{ "amp", "&" },    { "lt", "<" },    { "gt", ">" },     { "quot", "\"" },
	{ "apos", "'" },   { "nbsp", " " },  { "ndash", "–" },  { "mdash", "—" },
	{ "hellip", "…" }, { "bull", "•" },  { "middot", "·" }, { "times", "×" },
	{ "lsquo", "‘" },  { "rsquo", "’" }, { "ldquo", "“" },  { "rdquo", "”" },
	{ "larr", "←" },   { "rarr", "→" },  { "le", "≤" },     { "ge", "≥" },
	{ "copy", "©" },   { "reg", "®" },   { "deg", "°" },    { "euro", "€" },
	{ "auml", "ä" },   { "ouml", "ö" },  { "uuml", "ü" },   { "szlig", "ß" },
};

/* "#65" or "#x41"; 0: none, or no character that text may hold. */
static uint32_t number_of(const char *text, size_t length)
{
	const bool hex = length > 1 && (text[1] == 'x' || text[1] == 'X');
	uint32_t value = 0;

	for (size_t i = hex ? 2 : 1; i < length; i++) {
		const char c = text[i];
		const uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
				       : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
				       : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
							      : 99;

		if (digit >= (hex ? 16u : 10u))
			return 0;
		value = value * (hex ? 16 : 10) + digit;
		if (value > 0x10FFFF)
			return 0;
	}
	return value >= 0xD800 && value <= 0xDFFF ? 0 : value;
}

void markdown_entity(struct strbuf *sb, const char *text, size_t length)
{
	char bytes[4];
	uint32_t c;

	if (length > 3 && text[1] == '#') {
		c = number_of(text + 1, length - 2);
		if (c)
			strbuf_add(sb, bytes, utf8_put(c, bytes));
		else
			strbuf_add(sb, text, length);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(entities); i++)
		if (length > 2 && strlen(entities[i].name) == length - 2 &&
		    memcmp(entities[i].name, text + 1, length - 2) == 0) {
			strbuf_add_string(sb, entities[i].text);
			return;
		}
	strbuf_add(sb, text, length);
}

void markdown_attribute(struct strbuf *sb, const MD_ATTRIBUTE *a)
{
	for (size_t i = 0; a->text && a->substr_offsets[i] < a->size; i++) {
		const char *text = a->text + a->substr_offsets[i];
		const size_t length = a->substr_offsets[i + 1] - a->substr_offsets[i];

		if (a->substr_types[i] == MD_TEXT_ENTITY)
			markdown_entity(sb, text, length);
		else
			strbuf_add(sb, text, length);
	}
}
