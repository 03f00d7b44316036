/*
 * words -- names as words that can be compared: pure, of names and of queries alike.
 *
 * Words are divided by spaces and punctuation. Case, accents and apostrophes go
 * (base/text.h), and letters with dots above are written in every way that people do:
 * "Schröder" is schroder and schroeder. A word with hyphens is one without them
 * ("Al-Hadi" is alhadi), and its parts count together, not alone. Characters that only
 * look like letters (full width, styled) are no letters of a name here.
 */
#ifndef PEOPLE_WORDS_H
#define PEOPLE_WORDS_H

#include "base/error.h"
#include "base/strbuf.h"

enum { WORDS_MAX = 12, WORD_PARTS_MAX = 4, WORD_VARIANTS_MAX = 8, WORD_BYTES_MAX = 192 };

/* The ways in which one word, or one part of it, is written; folded. */
struct word_variants {
	size_t count;
	char *text[WORD_VARIANTS_MAX]; /* owned */
};

struct word {
	struct word_variants whole; /* hyphens dropped */
	size_t part_count;          /* 0: it has no hyphens */
	struct word_variants parts[WORD_PARTS_MAX];
};

struct words {
	size_t count;
	struct word items[WORDS_MAX];
	bool has_more; /* than WORDS_MAX */
};
#define WORDS_INIT                                                                       \
	{                                                                                \
		0                                                                        \
	}
void words_done(struct words *w);

/* 'text' must be UTF-8. False without memory. */
bool words_read(struct words *ret, const char *text, struct error *err);

/* Characters of folded text. */
size_t word_length(const char *word);
/* Bytes of its first character. */
size_t word_initial(const char *word);
/* Whether one insertion, deletion, replacement or swap of neighbours makes 'b' of 'a';
 * also when they are equal. In characters, not bytes. */
bool word_is_near(const char *a, const char *b);

#endif
