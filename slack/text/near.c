#include "slack/text/near.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { EVERY = 3, MOST = 4 };

/* How many slips of the finger are too many to be one for another. */
static size_t allowed(size_t length)
{
	const size_t most = 1 + length / EVERY;

	return most < MOST ? most : MOST;
}

static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Levenshtein's; both are shorter than NEAR_BYTES. */
static size_t distance_of(const char *a, const char *b)
{
	const size_t length = strlen(b);
	size_t row[NEAR_BYTES];

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t least = diagonal + (is_same(a[i - 1], b[j - 1]) ? 0 : 1);

			diagonal = row[j];
			if (row[j] + 1 < least)
				least = row[j] + 1;
			if (row[j - 1] + 1 < least)
				least = row[j - 1] + 1;
			row[j] = least;
		}
	}
	return row[length];
}

void near_try(struct near *n, const char *name)
{
	const size_t length = strlen(n->typed);
	size_t distance;

	if (length == 0 || length >= NEAR_BYTES || strlen(name) >= NEAR_BYTES || !*name)
		return;
	distance = distance_of(n->typed, name);
	if (distance >= length || distance > allowed(length) ||
	    (n->best[0] && distance >= n->distance))
		return;
	(void)snprintf(n->best, sizeof n->best, "%s", name);
	n->distance = distance;
}

const char *near_best(const struct near *n)
{
	return n->best[0] ? n->best : NULL;
}
