#include "gate/provenance_match.h"

#include "base/text.h"
#include "base/utf8.h"

/* Inside of longer words it may stand this often before nobody looks further. */
enum { WITHIN_MAX = 64 };

bool provenance_fold(struct strbuf *sb, const char *text, size_t length,
		     struct error *err)
{
	_cleanup_strbuf_ struct strbuf folded = STRBUF_INIT;
	bool is_space = false;

	if (!text_fold_case(&folded, text, length, err))
		return false;
	for (size_t i = 0; i < folded.length; i++) {
		bool was_space = is_space;

		is_space = folded.data[i] == ' ' ||
			   (folded.data[i] >= '\t' && folded.data[i] <= '\r');
		if (!is_space)
			strbuf_add_char(sb, folded.data[i]);
		else if (!was_space)
			strbuf_add_char(sb, ' ');
	}
	return (strbuf_ok(&folded) && strbuf_ok(sb)) || error_oom(err);
}

/* Marks of writing, and spaces: beyond ASCII all else counts as a letter, so that what is
 * in doubt is a longer word. */
static bool is_punctuation(uint32_t c)
{
	return (c >= 0x80 && c <= 0xBF && c != 0xAA && c != 0xB5 && c != 0xBA) ||
	       (c >= 0x2010 && c <= 0x205E && c != 0x203F && c != 0x2040 &&
		c != 0x2054) ||
	       c == 0x2000 || c == 0x2003 || c == 0x2009 ||
	       (c >= 0x3000 && c <= 0x3003) || (c >= 0x3008 && c <= 0x3011);
}

static bool is_letter(uint32_t c)
{
	if (c < 0x80)
		return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		       (c >= 'A' && c <= 'Z');
	return !is_punctuation(c);
}

/* The character at 'at'; 0 at the end. */
static uint32_t after(const struct strbuf *text, size_t at, size_t *ret_next)
{
	uint32_t c = 0;
	size_t size = utf8_next(text->data + at, text->length - at, &c);

	*ret_next = at + size;
	return size ? c : 0;
}

/* The character that ends at 'at'; 0 at the beginning. */
static uint32_t before(const struct strbuf *text, size_t at, size_t *ret_next)
{
	size_t start = at, ignored;

	while (start > 0 && ((unsigned char)text->data[--start] & 0xC0) == 0x80)
		;
	*ret_next = start;
	return at > 0 ? after(text, start, &ignored) : 0;
}

static bool is_joiner(uint32_t c, bool with_colon)
{
	return c == '.' || c == '-' || c == '_' || c == '@' || c == '/' || c == '+' ||
	       (c == ':' && with_colon);
}

typedef uint32_t neighbour(const struct strbuf *text, size_t at, size_t *ret_next);

static bool goes_on(const struct strbuf *text, size_t at, neighbour *step,
		    bool with_colon)
{
	size_t next, ignored;
	uint32_t c = step(text, at, &next);

	if (c == 0)
		return false;
	return is_letter(c) ||
	       (is_joiner(c, with_colon) && is_letter(step(text, next, &ignored)));
}

static bool has_colon_inside(const struct strbuf *value)
{
	return memchr(value->data, ':', value->length) ||
	       strspn(value->data, "0123456789") == value->length;
}

enum provenance_match provenance_match(const struct strbuf *text,
				       const struct strbuf *value)
{
	enum provenance_match found = PROVENANCE_ABSENT;
	const bool with_colon = has_colon_inside(value);
	size_t at = 0, within = 0;

	while (value->length > 0 && within++ < WITHIN_MAX &&
	       at + value->length <= text->length) {
		const char *hit = memmem(text->data + at, text->length - at, value->data,
					 value->length);

		if (!hit)
			break;
		at = (size_t)(hit - text->data);
		if (!goes_on(text, at, before, with_colon) &&
		    !goes_on(text, at + value->length, after, with_colon))
			return PROVENANCE_WHOLE;
		found = PROVENANCE_WITHIN;
		at++;
	}
	return found;
}
