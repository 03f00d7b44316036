/*
 * bytes -- eight bytes of a text looked at in one step.
 *
 * For loops that mostly pass over characters with nothing special about them. Each test
 * is exact on whether any byte of the word is hit, and says no more than that: who wants
 * to know which looks at the bytes.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { BYTES_WORD = 8 };

#define BYTES_EACH(c) (UINT64_C(0x0101010101010101) * (uint8_t)(c))

/* 'at' has eight bytes. */
static inline uint64_t bytes_word(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof word);
	return word;
}

/* Beyond ASCII. */
static inline bool bytes_any_high(uint64_t word)
{
	return (word & BYTES_EACH(0x80)) != 0;
}

/* Below 'c', which is at most 0x80. */
static inline bool bytes_any_below(uint64_t word, uint8_t c)
{
	return ((word - BYTES_EACH(c)) & ~word & BYTES_EACH(0x80)) != 0;
}

static inline bool bytes_any(uint64_t word, uint8_t c)
{
	return bytes_any_below(word ^ BYTES_EACH(c), 1);
}

#endif
