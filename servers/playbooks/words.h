/*
 * words -- text into the words that are searched for.
 *
 * A word is a run of letters and digits, lower-cased and without accents; a
 * possessive 's is dropped, other apostrophes vanish ("don't" is "dont"). A
 * letter of a script that is written without spaces is a word of its own. Text
 * is UTF-8; bytes that are not are separators. What is longer than
 * WORD_BYTES_MAX is cut there and is one word all the same.
 *
 * Stems are those of Snowball's English (libstemmer, which Debian keeps): words
 * with digits, and those of other scripts, are their own.
 */
#ifndef PLAYBOOKS_WORDS_H
#define PLAYBOOKS_WORDS_H

#include "base/cleanup.h"

enum { WORD_BYTES_MAX = 47 };

struct word {
	size_t start, end; /* bytes of the text */
	bool tied; /* only a hyphen, an underscore or a dot stands before the next word */
	char text[WORD_BYTES_MAX + 1]; /* folded */
};

struct word_reader {
	const char *text;
	size_t length, at;
};

/* The next word; false at the end. */
bool word_next(struct word_reader *r, struct word *ret);

/* Whether it says nothing about what is looked for: "the", "how", "we". */
bool word_is_stop(const char *text);

void word_each_stop(void (*fn)(void *context, const char *word), void *context);

/* One for each thread. */
struct stemmer;
struct stemmer *stemmer_new(void) _must_use_; /* NULL without memory */
void stemmer_free(struct stemmer *s);
DEFINE_CLEANUP(struct stemmer, stemmer_free);
/* The stem of a folded word. */
void stemmer_stem(struct stemmer *s, const char *word,
		  char ret[static WORD_BYTES_MAX + 1]);

#endif
