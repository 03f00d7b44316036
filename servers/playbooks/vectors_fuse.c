#include "servers/playbooks/vectors.h"

#include "servers/playbooks/words.h"

/* Cormack, Clarke, Büttcher 2009: 60 is what they found, and everybody took. */
enum { RECIPROCAL_K = 60 };

bool vectors_would_help(const struct query *q, const struct hit *hits, size_t count)
{
	size_t asked = 0, known = 0;

	if (count == 0)
		return true;
	for (size_t i = 0; i < q->word_count; i++)
		asked += !word_is_stop(q->words[i]);
	for (size_t i = 0; i < q->group_count; i++)
		known += q->groups[i].is_typed;
	if (q->correction_count < known)
		known -= q->correction_count / 2; /* a guess is half a word */
	const double share = asked > known ? (double)known / (double)asked : 1;
	return hits[0].share * share < VECTORS_SURE;
}

static size_t add(const struct index *x, const struct hit *hits, size_t count,
		  struct hit *all, size_t used, size_t room)
{
	for (size_t i = 0; i < count; i++) {
		const double score = 1.0 / (double)(RECIPROCAL_K + 1 + i);
		const uint32_t twin = x->documents[hits[i].document].twin;
		size_t k = 0;

		while (k < used && x->documents[all[k].document].twin != twin)
			k++;
		if (k < used)
			all[k].score += score;
		else if (used < room) {
			all[used] = hits[i];
			all[used++].score = score;
		}
	}
	return used;
}

static int compare(const void *left, const void *right)
{
	const struct hit *a = left, *b = right;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return a->document < b->document ? -1 : a->document > b->document;
}

size_t vectors_fuse(const struct index *x, const struct hit *words, size_t word_count,
		    const struct hit *near, size_t near_count, struct hit *ret,
		    size_t room)
{
	size_t used = add(x, words, word_count, ret, 0, room);

	used = add(x, near, near_count, ret, used, room);
	qsort(ret, used, sizeof *ret, compare);
	return used;
}
