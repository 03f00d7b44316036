#include "servers/playbooks/correct.h"

#include <math.h>
#include <string.h>

enum {
	SOUND_MAX = 16,
	LONG_WORD = 6,
	SPLIT_LENGTH_MIN = 3,
	SPLIT_COUNT_MIN = 2,
	STOP_LENGTH_MIN = 5
};

int correct_distance(const char *a, const char *b, int most)
{
	const int la = (int)strlen(a), lb = (int)strlen(b);
	int rows[3][WORD_BYTES_MAX + 2];

	if (la > WORD_BYTES_MAX || lb > WORD_BYTES_MAX || abs(la - lb) > most)
		return most + 1;
	for (int k = 0; k <= lb; k++)
		rows[0][k] = k;
	for (int i = 1; i <= la; i++) {
		int *row = rows[i % 3], *above = rows[(i + 2) % 3],
		    *swap = rows[(i + 1) % 3];
		int least = row[0] = i;

		for (int k = 1; k <= lb; k++) {
			int best = above[k - 1] + (a[i - 1] != b[k - 1]);

			if (above[k] + 1 < best)
				best = above[k] + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
			    a[i - 2] == b[k - 1] && swap[k - 2] + 1 < best)
				best = swap[k - 2] + 1;
			row[k] = best;
			if (best < least)
				least = best;
		}
		if (least > most)
			return most + 1;
	}
	const int distance = rows[la % 3][lb];
	return distance > most ? most + 1 : distance;
}

/* ---- Sound ---- */

static size_t sound(const char *word, char ret[static SOUND_MAX + 1])
{
	size_t used = 0;

	for (size_t i = 0; word[i] && used < SOUND_MAX; i++) {
		char c = word[i];
		const char next = word[i + 1];

		if (c == 'g' && next == 'h')
			continue;
		if (c == 'p' && next == 'h')
			c = 'f';
		if (c == 'c')
			c = next == 'e' || next == 'i' || next == 'y' ? 's' : 'k';
		if (c == 'z')
			c = 's';
		if (c == 'q')
			c = 'k';
		if (strchr("aeiouyhw", c) && i > 0)
			continue;
		if (used == 0 || ret[used - 1] != c)
			ret[used++] = c;
	}
	ret[used] = '\0';
	return used;
}

bool correct_sounds_alike(const char *a, const char *b)
{
	char one[SOUND_MAX + 1], other[SOUND_MAX + 1];

	return sound(a, one) >= 3 && sound(b, other) >= 3 && strcmp(one, other) == 0;
}

/* ---- Candidates ---- */

static double likeness(const struct index *x, const char *word, uint32_t surface,
		       int most)
{
	const char *other = lexicon_text(&x->surfaces, surface);
	const int distance = correct_distance(word, other, most);
	const bool sounds = distance > 0 && *word == *other &&
			    correct_sounds_alike(word, other);
	double cost = distance;

	if (distance > most) {
		if (!sounds)
			return 0;
		cost = most + 0.5;
	} else if (sounds)
		cost -= 0.4;
	if (*word != *other)
		cost += 0.7;
	return (1 + log(1 + x->surface_rows[surface].count)) * pow(0.2, cost);
}

static void keep_best(struct candidate *best, size_t *count, uint32_t surface,
		      double weight)
{
	size_t at = *count;

	if (at == CORRECTIONS_MAX && weight <= best[at - 1].weight)
		return;
	if (at == CORRECTIONS_MAX)
		at--;
	else
		(*count)++;
	for (; at > 0 && best[at - 1].weight < weight; at--)
		best[at] = best[at - 1];
	best[at] = (struct candidate){ surface, weight };
}

size_t correct_word(const struct index *x, const char *word,
		    struct candidate ret[static CORRECTIONS_MAX])
{
	const size_t length = strlen(word);
	const int most = length >= LONG_WORD ? 2 : 1;
	const uint32_t letters = index_letters(word);
	size_t count = 0, kept = 1;

	if (length < CORRECT_LENGTH_MIN)
		return 0;
	for (uint32_t i = 0; i < x->surfaces.count; i++) {
		const struct index_surface *s = &x->surface_rows[i];
		const int difference = (int)s->length - (int)length;

		if (difference > most + 1 || difference < -most - 1 || s->length < 3 ||
		    __builtin_popcount(s->letters ^ letters) > 2 * most + 2)
			continue;
		const double weight = likeness(x, word, i, most);
		if (weight > 0)
			keep_best(ret, &count, i, weight);
	}
	if (count == 0)
		return 0;
	while (kept < count && ret[kept].weight >= 0.5 * ret[0].weight)
		kept++;
	for (size_t i = kept; i-- > 0;)
		ret[i].weight /= ret[0].weight;
	return kept;
}

struct near_stop {
	const char *word;
	bool found;
};

static void look_at_stop(void *context, const char *stop)
{
	struct near_stop *n = context;

	n->found |= strlen(stop) >= STOP_LENGTH_MIN &&
		    correct_distance(n->word, stop, 1) == 1;
}

bool correct_is_near_stop(const char *word)
{
	struct near_stop n = { word, false };

	word_each_stop(look_at_stop, &n);
	return n.found;
}

static uint32_t count_of(const struct index *x, const char *text, size_t length)
{
	char part[WORD_BYTES_MAX + 1];
	uint32_t number;

	memcpy(part, text, length);
	part[length] = '\0';
	return lexicon_find(&x->surfaces, part, &number) ? x->surface_rows[number].count
							 : 0;
}

bool correct_split(const struct index *x, const char *word, size_t *ret)
{
	const size_t length = strlen(word);
	uint32_t most = SPLIT_COUNT_MIN - 1;

	for (size_t at = SPLIT_LENGTH_MIN; at + SPLIT_LENGTH_MIN <= length; at++) {
		const uint32_t first = count_of(x, word, at);
		const uint32_t second = first > most ? count_of(x, word + at, length - at)
						     : 0;
		const uint32_t least = first < second ? first : second;

		if (least > most) {
			most = least;
			*ret = at;
		}
	}
	return most >= SPLIT_COUNT_MIN;
}
