/*
 * utf8 -- one step of UTF-8, as strict as Unicode's table 3-7, and of ICU's UTF-16.
 *
 * Overlong forms, surrogates and everything past U+10FFFF are no characters.
 * Below text.h, which knows what characters mean; includes nothing of ours.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that begins at 'text' (1 to 4), or 0 when the 'length'
 * bytes there do not begin with a whole one. Its code point goes to 'ret'. */
static inline size_t utf8_next(const char *text, size_t length, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (length == 0)
		return 0;
	uint32_t c = (unsigned char)text[0];
	if (c < 0x80) {
		*ret = c;
		return 1;
	}
	size_t size = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
	if (c < 0xC2 || c > 0xF4 || size > length)
		return 0;
	c &= 0x7Fu >> size;
	for (size_t i = 1; i < size; i++) {
		unsigned char next = (unsigned char)text[i];
		if ((next & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (next & 0x3Fu);
	}
	if (c < least[size] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	*ret = c;
	return size;
}

/* Bytes of 'text' that fit into 'max' without a part of a character; all of them if they do.
 * 'text' is UTF-8. */
static inline size_t utf8_cut(const char *text, size_t length, size_t max)
{
	if (length <= max)
		return length;
	while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
		max--;
	return max;
}

/* Write a code point as 1 to 4 bytes; it must be no surrogate. */
static inline size_t utf8_put(uint32_t c, char to[4])
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = size - 1; i > 0; i--, c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3F));
	to[0] = (char)((0xF00u >> size & 0xFF) | c);
	return size;
}

/* The code point at '*at', which is moved past it; a lone surrogate is itself. */
static inline uint32_t utf16_next(const uint16_t *units, size_t count, size_t *at)
{
	uint32_t c = units[(*at)++];

	if (c < 0xD800 || c > 0xDBFF || *at >= count)
		return c;
	uint32_t low = units[*at];
	if (low < 0xDC00 || low > 0xDFFF)
		return c;
	(*at)++;
	return 0x10000 + ((c & 0x3FF) << 10) + (low & 0x3FF);
}

#endif
