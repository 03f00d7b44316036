/*
 * correct -- words of the index that an unknown word may be a misspelling of.
 */
#ifndef PLAYBOOKS_CORRECT_H
#define PLAYBOOKS_CORRECT_H

#include "servers/playbooks/index.h"
#include "servers/playbooks/words.h"

enum { CORRECTIONS_MAX = 3, CORRECT_LENGTH_MIN = 4 };

struct candidate {
	uint32_t surface;
	double weight; /* 1 for the best, less for the others */
};

/* Best first; 0: nothing is near. */
size_t correct_word(const struct index *x, const char *word,
		    struct candidate ret[static CORRECTIONS_MAX]);

/* Whether it is a stop word with one letter wrong ("somone"). */
bool correct_is_near_stop(const char *word);

/* Two words of the index, written as one; 'ret' is where the second begins. */
bool correct_split(const struct index *x, const char *word, size_t *ret);

/* Insertions, deletions, changes and swaps of neighbours; more than 'most' is most + 1. */
int correct_distance(const char *a, const char *b, int most);
/* Whether two words sound alike: consonants, without doubles and silent letters. */
bool correct_sounds_alike(const char *a, const char *b);

#endif
