#include "servers/people/words.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

static void word_done(struct word *w)
{
	for (size_t v = 0; v < w->whole.count; v++)
		free(w->whole.text[v]);
	for (size_t p = 0; p < w->part_count; p++)
		for (size_t v = 0; v < w->parts[p].count; v++)
			free(w->parts[p].text[v]);
	*w = (struct word){ 0 };
}

void words_done(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		word_done(&w->items[i]);
	*w = (struct words)WORDS_INIT;
}

/* ---- Folding one word --------------------------------------------------------------- */

static bool is_ascii(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] & 0x80)
			return false;
	return true;
}

static bool fold(struct strbuf *sb, const char *text, size_t length, struct error *err)
{
	if (is_ascii(text, length)) {
		for (size_t i = 0; i < length; i++)
			if (text[i] != '\'' && text[i] != '`')
				strbuf_add_char(sb,
						(char)tolower((unsigned char)text[i]));
		return true;
	}
	/* Folding would make plain letters of what only passes for them. */
	if (text_flags(text, length) & TEXT_COMPATIBILITY) {
		strbuf_add(sb, text, length);
		return true;
	}
	return text_fold(sb, text, length, err);
}

/* Bytes of a letter with dots above at 'at', however it is composed; '*ret_plain' is it
 * without. 0: it is none. */
static size_t dotted(const char *at, size_t left, char *ret_plain)
{
	static const struct {
		const char *bytes;
		char plain;
	} letters[] = { { "\xc3\xa4", 'a' }, { "\xc3\xb6", 'o' }, { "\xc3\xbc", 'u' },
			{ "\xc3\x84", 'a' }, { "\xc3\x96", 'o' }, { "\xc3\x9c", 'u' } };

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
		if (left >= 2 && memcmp(at, letters[i].bytes, 2) == 0) {
			*ret_plain = letters[i].plain;
			return 2;
		}
	}
	if (left >= 3 && strchr("aouAOU", *at) && memcmp(at + 1, "\xcc\x88", 2) == 0) {
		*ret_plain = (char)tolower((unsigned char)*at);
		return 3;
	}
	return 0;
}

/* The letters with dots as their bits in 'choice' say: with an e behind them, or bare. */
static void spell(struct strbuf *sb, const char *text, size_t length, unsigned choice,
		  unsigned *ret_dotted)
{
	unsigned seen = 0;

	for (size_t at = 0; at < length;) {
		char plain = 0;
		size_t size = dotted(text + at, length - at, &plain);

		if (!size) {
			strbuf_add_char(sb, text[at++]);
			continue;
		}
		strbuf_add_char(sb, plain);
		if (choice >> (seen < 3 ? seen : 2) & 1)
			strbuf_add_char(sb, 'e');
		seen++;
		at += size;
	}
	*ret_dotted = seen;
}

static bool add_variant(struct word_variants *v, const struct strbuf *spelt,
			struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	if (!strbuf_ok(spelt))
		return error_oom(err);
	if (!fold(&sb, spelt->data, spelt->length, err))
		return false;
	if (sb.length == 0 || sb.length > WORD_BYTES_MAX || v->count == WORD_VARIANTS_MAX)
		return strbuf_ok(&sb) || error_oom(err);
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->text[i], sb.data) == 0)
			return true;
	v->text[v->count] = strbuf_take(&sb);
	return v->text[v->count++] != NULL || error_oom(err);
}

/* From the fourth letter with dots on they follow the third. */
static bool read_variants(struct word_variants *v, const char *text, size_t length,
			  struct error *err)
{
	unsigned count = 0;

	for (unsigned choice = 0; choice == 0 || choice < 1u << (count < 3 ? count : 3);
	     choice++) {
		_cleanup_strbuf_ struct strbuf spelt = STRBUF_INIT;

		spell(&spelt, text, length, choice, &count);
		if (!add_variant(v, &spelt, err))
			return false;
	}
	return true;
}

/* ---- Dividing ----------------------------------------------------------------------- */

static bool is_hyphen(uint32_t c)
{
	return c == '-' || (c >= 0x2010 && c <= 0x2015) || c == 0x2212;
}

static bool is_divider(uint32_t c)
{
	static const char dividers[] = " \t\r\n,;()[]{}<>\"/\\|";

	if (c < 0x80)
		return c && strchr(dividers, (int)c);
	return c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F ||
	       c == 0x205F || c == 0x3000 || c == 0x201C || c == 0x201D || c == 0x201E;
}

/* "al-hadi" without its hyphens in 'whole', and the places of its parts. */
static size_t divide(const char *text, size_t length, struct strbuf *whole,
		     size_t starts[static WORD_PARTS_MAX + 1])
{
	size_t parts = 1;
	uint32_t c = 0;

	starts[0] = 0;
	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		size += !size;
		if (!is_hyphen(c)) {
			strbuf_add(whole, text + at, size);
		} else if (whole->length > starts[parts - 1]) {
			if (parts < WORD_PARTS_MAX + 1)
				starts[parts] = whole->length;
			parts++;
		}
		if (parts > WORD_PARTS_MAX)
			parts = WORD_PARTS_MAX;
	}
	/* A hyphen at the end divides nothing. */
	if (parts > 1 && whole->length == starts[parts - 1])
		parts--;
	starts[parts] = whole->length;
	return parts;
}

static bool read_word(struct words *ret, const char *text, size_t length,
		      struct error *err)
{
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT;
	size_t starts[WORD_PARTS_MAX + 1], parts;
	struct word *word = &ret->items[ret->count];

	while (length > 0 && text[length - 1] == '.')
		length--;
	for (; length > 0 && *text == '.'; length--)
		text++;
	parts = divide(text, length, &whole, starts);
	if (!strbuf_ok(&whole))
		return error_oom(err);
	if (whole.length == 0)
		return true;
	*word = (struct word){ 0 };
	ret->count++;
	if (!read_variants(&word->whole, whole.data, whole.length, err))
		return false;
	for (size_t i = 0; parts > 1 && i < parts; i++) {
		word->part_count++;
		if (!read_variants(&word->parts[i], whole.data + starts[i],
				   starts[i + 1] - starts[i], err))
			return false;
	}
	/* Apostrophes alone, or overlong: no word. */
	if (word->whole.count == 0) {
		word_done(word);
		ret->count--;
	}
	return true;
}

bool words_read(struct words *ret, const char *text, struct error *err)
{
	size_t length = strlen(text), start = 0;
	uint32_t c = 0;

	for (size_t at = 0, size; at <= length; at += size) {
		size = at < length ? utf8_next(text + at, length - at, &c) : 1;
		size += !size;
		if (at < length && !is_divider(c))
			continue;
		if (at > start) {
			if (ret->count == WORDS_MAX) {
				ret->has_more = true;
				return true;
			}
			if (!read_word(ret, text + start, at - start, err))
				return false;
		}
		start = at + size;
	}
	return true;
}

/* ---- Comparing ---------------------------------------------------------------------- */

size_t word_length(const char *word)
{
	size_t count = 0;

	for (; *word; word++)
		count += ((unsigned char)*word & 0xC0) != 0x80;
	return count;
}

size_t word_initial(const char *word)
{
	size_t size = *word != '\0';

	while (size && ((unsigned char)word[size] & 0xC0) == 0x80)
		size++;
	return size;
}

/* Bytes of the character that ends before 'end'. */
static size_t last_size(const char *start, const char *end)
{
	size_t size = 1;

	while (end - size > start && ((unsigned char)*(end - size) & 0xC0) == 0x80)
		size++;
	return size;
}

static bool is_swap(const char *a, size_t a_left, const char *b, size_t b_left)
{
	const size_t first = word_initial(a), second = word_initial(a + first);

	return a_left == b_left && first + second == a_left &&
	       word_initial(b) == second && memcmp(a, b + second, first) == 0 &&
	       memcmp(a + first, b, second) == 0;
}

bool word_is_near(const char *a, const char *b)
{
	const char *a_end = a + strlen(a), *b_end = b + strlen(b);
	size_t size;

	/* What they begin and end with alike; what is left must be one edit. */
	while (*a && (size = word_initial(a)) == word_initial(b) &&
	       memcmp(a, b, size) == 0) {
		a += size;
		b += size;
	}
	while (a_end > a && b_end > b &&
	       (size = last_size(a, a_end)) == last_size(b, b_end) &&
	       memcmp(a_end - size, b_end - size, size) == 0) {
		a_end -= size;
		b_end -= size;
	}
	const size_t a_left = (size_t)(a_end - a), b_left = (size_t)(b_end - b);
	return (a_left == 0 || word_initial(a) == a_left) &&
			       (b_left == 0 || word_initial(b) == b_left)
		       ? true
		       : a_left > 0 && b_left > 0 && is_swap(a, a_left, b, b_left);
}
