#include "slack/text/text.h"

#include "base/text.h"
#include "base/utf8.h"

enum { NAME_MAX_BYTES = 64, ID_MIN = 3, ID_MAX = 64 };

static const char alphanumeric[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz0123456789";

void slack_text_escape(struct strbuf *sb, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '&')
			strbuf_add_string(sb, "&amp;");
		else if (text[i] == '<')
			strbuf_add_string(sb, "&lt;");
		else if (text[i] == '>')
			strbuf_add_string(sb, "&gt;");
		else
			strbuf_add_char(sb, text[i]);
	}
}

bool slack_text_is_plain(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (strchr(alphanumeric, text[i]))
			continue;
		if (!strchr("_.-", text[i]) || i == 0 || i + 1 == length ||
		    !strchr(alphanumeric, text[i + 1]))
			return false;
	}
	return true;
}

size_t slack_text_units(const char *text, size_t length)
{
	size_t units = 0;
	uint32_t c = 0;

	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		units += size == 4 ? 2 : 1;
		size += !size;
	}
	return units;
}

/* An escape, or a character with what stands on it, is never cut in two. */
static size_t step(const char *text, size_t length)
{
	if (text[0] != '\\')
		return text_cluster(text, length);
	if (text[1] == 'u')
		return 6;
	return text[1] == 'U' ? 10 : 2;
}

void slack_text_words(struct strbuf *sb, const char *text, size_t units)
{
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;
	size_t at = 0, used = 0;

	text_visible(&visible, text, strlen(text));
	sb->failed = sb->failed || visible.failed;
	if (slack_text_units(visible.data, visible.length) <= units) {
		strbuf_add(sb, visible.data, visible.length);
		return;
	}
	while (at < visible.length) {
		size_t size = step(visible.data + at, visible.length - at);

		used += slack_text_units(visible.data + at, size);
		if (used > units - 1)
			break;
		strbuf_add(sb, visible.data + at, size);
		at += size;
	}
	strbuf_add_string(sb, "…");
}

static bool is_id(const char *id, const char *kinds)
{
	size_t length = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	return length >= ID_MIN && length <= ID_MAX && !id[length] &&
	       strchr(kinds, id[0]);
}

bool slack_text_is_user(const char *id)
{
	return is_id(id, "UW");
}

bool slack_text_is_channel(const char *id)
{
	return is_id(id, "CDG");
}
