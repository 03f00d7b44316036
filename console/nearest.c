#include "console/nearest.h"

#include <string.h>

enum { WORD_MAX = 64, EDITS_MAX = 3 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance; words too long to compare are far apart. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], a_length = strlen(a), b_length = strlen(b);

	if (a_length > WORD_MAX || b_length > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t replaced = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_length];
}

const char *nearest_find(const char *word, const char *const *candidates, size_t count)
{
	size_t fewest = least(EDITS_MAX, strlen(word) / 2);
	const char *found = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t edits = distance(word, candidates[i]);

		if (edits <= fewest && (!found || edits < fewest)) {
			fewest = edits;
			found = candidates[i];
		}
	}
	return found;
}
