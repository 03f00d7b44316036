/* Looking up: sorted arrays, and both ends of a word for what is misspelt. */
#include "servers/people/index_private.h"

#include <string.h>

#include "servers/people/words.h"

enum { NEAR_IDENTIFIER_MIN = 5 };

/* ---- Identifiers -------------------------------------------------------------------- */

/* How good a claim to an identifier is: only the best are counted. */
static unsigned strength(const struct people_index *x, uint32_t owner)
{
	const bool is_open = !x->accounts[owner & PAIR_OWNER_MASK].is_closed;

	switch ((enum index_kind)(owner >> PAIR_KIND_SHIFT)) {
	case INDEX_KEY:
	case INDEX_PERSON:
	case INDEX_KINDS:
		break;
	case INDEX_OTHER_MAIL:
		return 1;
	case INDEX_ID:
	case INDEX_LOGIN:
	case INDEX_DN:
	case INDEX_MAIL:
		return is_open ? 3 : 2;
	}
	return 0;
}

static size_t best_owners(const struct people_index *x, uint32_t text,
			  struct index_hit *ret, size_t max)
{
	size_t owner_count, count = 0;
	const uint32_t *owners = lists_get(&x->ids, text, &owner_count);
	unsigned best = 1;

	for (size_t i = 0; i < owner_count; i++) {
		const unsigned s = strength(x, owners[i]);

		best = s > best ? s : best;
	}
	for (size_t i = 0; i < owner_count && count < max; i++)
		if (strength(x, owners[i]) == best)
			ret[count++] = (struct index_hit){
				owners[i] & PAIR_OWNER_MASK,
				(enum index_kind)(owners[i] >> PAIR_KIND_SHIFT)
			};
	return count;
}

size_t index_identifier(const struct people_index *x, const char *folded,
			struct index_hit *ret, size_t max)
{
	uint32_t text;

	return texts_find(&x->texts, folded, &text) ? best_owners(x, text, ret, max) : 0;
}

/* ---- Lists of people ---------------------------------------------------------------- */

void index_people_done(struct index_people *p)
{
	free(p->items);
	*p = (struct index_people){ 0 };
}

void index_people_add(struct index_people *p, uint32_t person)
{
	if (!index_grow((void **)&p->items, p->count, &p->capacity, sizeof *p->items))
		p->failed = true;
	else
		p->items[p->count++] = person;
}

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

void index_people_sort(struct index_people *p)
{
	size_t kept = 0;

	if (p->count > 1)
		qsort(p->items, p->count, sizeof *p->items, compare);
	for (size_t i = 0; i < p->count; i++)
		if (kept == 0 || p->items[kept - 1] != p->items[i])
			p->items[kept++] = p->items[i];
	p->count = kept;
}

void index_people_keep(struct index_people *p, const struct index_people *other)
{
	size_t kept = 0, at = 0;

	for (size_t i = 0; i < p->count; i++) {
		while (at < other->count && other->items[at] < p->items[i])
			at++;
		if (at < other->count && other->items[at] == p->items[i])
			p->items[kept++] = p->items[i];
	}
	p->count = kept;
	p->failed |= other->failed;
}

void index_people_add_all(struct index_people *p, const struct index_people *other)
{
	for (size_t i = 0; i < other->count; i++)
		index_people_add(p, other->items[i]);
	p->failed |= other->failed;
}

/* ---- Words -------------------------------------------------------------------------- */

static void add_run(const struct people_index *x, uint32_t text, struct index_people *ret)
{
	size_t count;
	const uint32_t *people = lists_get(&x->words, text, &count);

	for (size_t i = 0; i < count; i++)
		index_people_add(ret, people[i]);
}

void index_word(const struct people_index *x, enum index_mark mark, const char *word,
		struct index_people *ret)
{
	char marked[WORD_BYTES_MAX * WORD_PARTS_MAX + WORD_PARTS_MAX + 2];
	const size_t from = mark != INDEX_WORD;
	uint32_t text;

	if (strlen(word) + from >= sizeof marked)
		return;
	marked[0] = (char)mark;
	memcpy(marked + from, word, strlen(word) + 1);
	if (texts_find(&x->texts, marked, &text))
		add_run(x, text, ret);
}

/* ---- What is near ------------------------------------------------------------------- */

/* Compare from the end. */
static int compare_ends(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t i = 1;

	for (; i <= a_length && i <= b_length; i++) {
		unsigned char p = (unsigned char)a[a_length - i],
			      q = (unsigned char)b[b_length - i];

		if (p != q)
			return p < q ? -1 : 1;
	}
	return a_length < b_length ? -1 : a_length > b_length;
}

static int compare_backward(const void *a, const void *b, void *context)
{
	const struct texts *t = context;
	const char *p = texts_get(t, *(const uint32_t *)a),
		   *q = texts_get(t, *(const uint32_t *)b);

	return compare_ends(p, strlen(p), q, strlen(q));
}

static int compare_forward(const void *a, const void *b, void *context)
{
	const struct texts *t = context;

	return strcmp(texts_get(t, *(const uint32_t *)a),
		      texts_get(t, *(const uint32_t *)b));
}

/* Somebody's login, or an id that people see: of Slack and Okta. */
static bool is_near_identifier(const struct people_index *x, uint32_t text)
{
	size_t count;
	const uint32_t *owners = lists_get(&x->ids, text, &count);

	for (size_t i = 0; i < count; i++) {
		const uint32_t kind = owners[i] >> PAIR_KIND_SHIFT,
			       system = x->accounts[owners[i] & PAIR_OWNER_MASK].system;

		if (kind == INDEX_LOGIN || (kind == INDEX_ID && (system == SYSTEM_SLACK ||
								 system == SYSTEM_OKTA)))
			return word_length(texts_get(&x->texts, text)) >=
			       NEAR_IDENTIFIER_MIN;
	}
	return false;
}

/* A word, not one with a mark. */
static bool is_word(const struct people_index *x, uint32_t text)
{
	size_t count;

	(void)lists_get(&x->words, text, &count);
	return count > 0 && (unsigned char)*texts_get(&x->texts, text) > INDEX_FIRST_NAME;
}

static bool make_distinct(struct distinct *d, const struct people_index *x,
			  bool (*is_one)(const struct people_index *x, uint32_t text))
{
	void *texts = (void *)(uintptr_t)&x->texts;
	size_t count = 0;

	for (uint32_t i = 0; i < x->texts.count; i++)
		count += is_one(x, i);
	d->forward = malloc((count + 1) * sizeof *d->forward);
	d->backward = malloc((count + 1) * sizeof *d->backward);
	if (!d->forward || !d->backward)
		return false;
	for (uint32_t i = 0; i < x->texts.count; i++)
		if (is_one(x, i))
			d->forward[d->count++] = i;
	memcpy(d->backward, d->forward, count * sizeof *d->backward);
	if (count > 1) {
		qsort_r(d->forward, count, sizeof *d->forward, compare_forward, texts);
		qsort_r(d->backward, count, sizeof *d->backward, compare_backward, texts);
	}
	return true;
}

bool index_make_distinct(struct people_index *x, struct error *err)
{
	return (make_distinct(&x->near_words, x, is_word) &&
		make_distinct(&x->near_ids, x, is_near_identifier)) ||
	       error_oom(err);
}

struct near {
	const struct people_index *x;
	const struct distinct *distinct;
	const char *word;
	void (*found)(const struct people_index *x, uint32_t text,
		      struct index_people *ret);
	struct index_people *ret;
};

static const char *text_at(const struct near *n, uint32_t text)
{
	return texts_get(&n->x->texts, text);
}

static void try_one(const struct near *n, uint32_t text)
{
	if (word_is_near(n->word, text_at(n, text)))
		n->found(n->x, text, n->ret);
}

/* All that begin with the first 'half' bytes. */
static void try_forward(const struct near *n, size_t half)
{
	size_t low = 0, high = n->distinct->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strncmp(text_at(n, n->distinct->forward[middle]), n->word, half) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n->distinct->count &&
	       strncmp(text_at(n, n->distinct->forward[low]), n->word, half) == 0;
	     low++)
		try_one(n, n->distinct->forward[low]);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length &&
	       memcmp(text + length - end_length, end, end_length) == 0;
}

/* All that end with what follows 'half'; those that begin with the first half as well
 * were tried. */
static void try_backward(const struct near *n, size_t half)
{
	const char *end = n->word + half;
	size_t low = 0, high = n->distinct->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *text = text_at(n, n->distinct->backward[middle]);

		if (compare_ends(text, strlen(text), end, strlen(end)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n->distinct->count &&
	       ends_with(text_at(n, n->distinct->backward[low]), end);
	     low++)
		if (strncmp(text_at(n, n->distinct->backward[low]), n->word, half) != 0)
			try_one(n, n->distinct->backward[low]);
}

/* The two characters at the middle swapped: the one edit that leaves neither half. */
static void try_swapped(const struct near *n, size_t half)
{
	const size_t length = strlen(n->word), second = word_initial(n->word + half);
	char swapped[WORD_BYTES_MAX + 1];
	size_t before = half - 1, low = 0, high = n->distinct->count;

	while (before > 0 && ((unsigned char)n->word[before] & 0xC0) == 0x80)
		before--;
	const size_t first = half - before;
	if (length > WORD_BYTES_MAX || second == 0)
		return;
	memcpy(swapped, n->word, length + 1);
	memcpy(swapped + before, n->word + half, second);
	memcpy(swapped + before + second, n->word + before, first);
	/* Equal characters, or tried with a half. */
	if (strncmp(swapped, n->word, half) == 0 ||
	    strcmp(swapped + half, n->word + half) == 0)
		return;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(text_at(n, n->distinct->forward[middle]), swapped) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < n->distinct->count &&
	    strcmp(text_at(n, n->distinct->forward[low]), swapped) == 0)
		n->found(n->x, n->distinct->forward[low], n->ret);
}

/* One edit leaves the first half of a word as it is, or the second. */
static void find_near(const struct near *n)
{
	size_t characters = word_length(n->word), half = 0;

	if (characters < 2 || strlen(n->word) > WORD_BYTES_MAX)
		return;
	for (size_t i = 0; i < characters / 2; i++)
		half += word_initial(n->word + half);
	try_forward(n, half);
	try_backward(n, half);
	try_swapped(n, half);
}

void index_near_words(const struct people_index *x, const char *word,
		      struct index_people *ret)
{
	find_near(&(struct near){ x, &x->near_words, word, add_run, ret });
}

static void add_owners(const struct people_index *x, uint32_t text,
		       struct index_people *ret)
{
	enum { OWNERS_MAX = 64 };
	struct index_hit hits[OWNERS_MAX];
	const size_t count = best_owners(x, text, hits, OWNERS_MAX);

	for (size_t i = 0; i < count; i++)
		index_people_add(ret, x->accounts[hits[i].account].person);
}

void index_near_identifiers(const struct people_index *x, const char *folded,
			    struct index_people *ret)
{
	find_near(&(struct near){ x, &x->near_ids, folded, add_owners, ret });
}
