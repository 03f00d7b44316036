#include "mcp/header_value.h"

#include "base/digest.h"
#include "base/utf8.h"

static const char MARK_BEGIN[] = "=?base64?";
static const char MARK_END[] = "?=";
enum { BEGIN_BYTES = sizeof MARK_BEGIN - 1, END_BYTES = sizeof MARK_END - 1 };

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_marked(const char *text, size_t length)
{
	return length >= BEGIN_BYTES + END_BYTES &&
	       memcmp(text, MARK_BEGIN, BEGIN_BYTES) == 0 &&
	       memcmp(text + length - END_BYTES, MARK_END, END_BYTES) == 0;
}

/* Visible ASCII, spaces and tabs. */
static bool is_plain(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((text[i] < 0x20 || text[i] > 0x7E) && text[i] != '\t')
			return false;
	return true;
}

static bool is_utf8(const char *text, size_t length)
{
	uint32_t c;

	for (size_t at = 0, size; at < length; at += size)
		if (!(size = utf8_next(text + at, length - at, &c)))
			return false;
	return true;
}

bool header_value_decode(const char *value, struct strbuf *ret)
{
	struct error why = ERROR_INIT;
	size_t length = strlen(value), start = ret->length;

	while (length > 0 && is_space(value[length - 1]))
		length--;
	while (length > 0 && is_space(*value))
		value++, length--;
	if (!is_plain(value, length))
		return false;
	if (!is_marked(value, length)) {
		strbuf_add(ret, value, length);
		return strbuf_ok(ret);
	}
	return digest_base64_decode(value + BEGIN_BYTES, length - BEGIN_BYTES - END_BYTES,
				    ret, &why) &&
	       is_utf8(ret->data + start, ret->length - start);
}

void header_value_encode(struct strbuf *sb, const char *text, size_t length)
{
	bool is_bare = length > 0 && is_plain(text, length) &&
		       !memchr(text, '\t', length) && text[0] != ' ' &&
		       text[length - 1] != ' ' && !is_marked(text, length);

	if (is_bare) {
		strbuf_add(sb, text, length);
		return;
	}
	strbuf_add(sb, MARK_BEGIN, BEGIN_BYTES);
	digest_base64(sb, text, length);
	strbuf_add(sb, MARK_END, END_BYTES);
}

bool header_value_is(const char *value, const char *text, size_t length)
{
	/* The common case first: no marker, nothing to strip. */
	if (length > 0 && strlen(value) == length && memcmp(value, text, length) == 0 &&
	    is_plain(value, length) && !is_space(*value) &&
	    !is_space(value[length - 1]) && !is_marked(value, length))
		return true;
	_cleanup_strbuf_ struct strbuf meant = STRBUF_INIT;

	return header_value_decode(value, &meant) && meant.length == length &&
	       memcmp(meant.data, text, length) == 0;
}
