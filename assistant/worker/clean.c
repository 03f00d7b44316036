#include "assistant/worker/clean.h"

#include <string.h>

#include "base/digest.h"
#include "base/utf8.h"

enum { MARK_DIGITS = 16 };

static bool is_noncharacter(uint32_t c)
{
	return c == 0 || (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}

void clean_text(struct strbuf *sb, const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		uint32_t c = 0;
		size_t bytes = utf8_next(text + at, length - at, &c);

		if (bytes == 0 || is_noncharacter(c))
			strbuf_add_string(sb, "\xEF\xBF\xBD");
		else
			strbuf_add(sb, text + at, bytes);
		at += bytes ? bytes : 1;
	}
}

static void add_label(struct strbuf *sb, const char *label)
{
	for (const char *c = label; *c; c++)
		strbuf_add_char(sb, (unsigned char)*c < 0x20 ? ' ' : *c);
}

void fence(struct strbuf *sb, const char *label, const char *text, size_t length,
	   bool cut)
{
	char mark[DIGEST_HEX_BYTES];

	digest_sha256_hex(text, length, mark);
	mark[MARK_DIGITS] = '\0';
	strbuf_add_format(sb, "<<< data %s: ", mark);
	add_label(sb, label);
	strbuf_add_char(sb, '\n');
	strbuf_add(sb, text, length);
	strbuf_add_format(sb, "\n>>> end of data %s%s\n", mark,
			  cut ? " (more was there)" : "");
}
