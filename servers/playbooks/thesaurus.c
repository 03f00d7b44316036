#include "servers/playbooks/thesaurus.h"

#include <ctype.h>
#include <string.h>

#include "servers/playbooks/security_words.h"

enum { ROOM_FIRST = 1024, LINE_MAX_BYTES = 4096, MATCHES_MAX = 64 };

/* Of a word that is not typed but similar to one that is. */
static const double SIMILAR = 0.75;
/* A phrase is brought only if its words are together as sure as this. */
static const double SURE_ENOUGH = 0.4;

struct list {
	uint32_t *items;
	uint32_t count, room;
};

struct thesaurus {
	struct lexicon stems;
	struct phrase *phrases;
	uint32_t phrase_count, phrase_room, concept_count;
	struct list *in_phrases; /* by stem: phrases that have it */
	struct list *similar;    /* by stem: numbers of sets */
	uint32_t stem_room;
	struct list *sets; /* stems that are similar */
	uint32_t set_count, set_room;
	struct list *concepts; /* by concept: its phrases */
	uint32_t concept_room;
};

static bool list_add(struct list *l, uint32_t item)
{
	if (l->count == l->room) {
		const uint32_t room = 2 * l->room + 4;
		uint32_t *items = reallocarray(l->items, room, sizeof *items);

		if (!items)
			return false;
		l->items = items;
		l->room = room;
	}
	l->items[l->count++] = item;
	return true;
}

static bool grow(void **array, uint32_t *room, uint32_t needed, size_t size)
{
	if (needed <= *room)
		return true;
	const uint32_t bigger = 2 * needed + ROOM_FIRST;
	char *grown = reallocarray(*array, bigger, size);

	if (!grown)
		return false;
	memset(grown + (size_t)*room * size, 0, (size_t)(bigger - *room) * size);
	*array = grown;
	*room = bigger;
	return true;
}

static void free_lists(struct list *lists, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free(lists[i].items);
	free(lists);
}

void thesaurus_free(struct thesaurus *t)
{
	if (!t)
		return;
	free_lists(t->in_phrases, t->stem_room);
	free_lists(t->similar, t->stem_room);
	free_lists(t->sets, t->set_room);
	free_lists(t->concepts, t->concept_room);
	lexicon_done(&t->stems);
	free(t->phrases);
	free(t);
}

/* ---- Reading the table ---- */

static bool add_stem(struct thesaurus *t, const char *stem, uint32_t *ret)
{
	uint32_t room = t->stem_room;

	return lexicon_add(&t->stems, stem, ret) &&
	       grow((void **)&t->in_phrases, &room, t->stems.count,
		    sizeof *t->in_phrases) &&
	       grow((void **)&t->similar, &t->stem_room, t->stems.count,
		    sizeof *t->similar);
}

/* Everyday wording of one word beside stop words, "who is in charge", says something only
 * with them: "charge" alone may be anything. */
static bool needs_stops(const char *text, size_t length)
{
	struct word_reader r = { .text = text, .length = length };
	struct word word;
	size_t all = 0, stops = 0;

	while (word_next(&r, &word)) {
		all++;
		stops += word_is_stop(word.text);
	}
	return stops > 0 && all - stops <= 1;
}

/* The stems of a text, without stop words unless there is nothing else. */
static bool read_stems(struct thesaurus *t, struct stemmer *stemmer, const char *text,
		       size_t length, struct phrase *ret)
{
	const int first = ret->is_everyday && needs_stops(text, length);

	for (int with_stops = first; with_stops < 2 && ret->count == 0; with_stops++) {
		struct word_reader r = { .text = text, .length = length };
		struct word word;
		char stem[WORD_BYTES_MAX + 1];

		while (ret->count < PHRASE_WORDS_MAX && word_next(&r, &word)) {
			if (!with_stops && word_is_stop(word.text))
				continue;
			stemmer_stem(stemmer, word.text, stem);
			if (!add_stem(t, stem, &ret->stems[ret->count]))
				return false;
			ret->count++;
		}
	}
	return true;
}

/* "drive-by compromise" is "driveby compromise" too. */
static bool read_joined(struct thesaurus *t, struct stemmer *stemmer, const char *text,
			size_t length, struct phrase *ret)
{
	struct word_reader r = { .text = text, .length = length };
	struct word word;
	char joined[2 * WORD_BYTES_MAX + 1] = "", stem[WORD_BYTES_MAX + 1];
	bool is_joined = false, was_tied = false;

	while (ret->count < PHRASE_WORDS_MAX && word_next(&r, &word)) {
		const size_t used = was_tied ? strlen(joined) : 0;

		was_tied = word.tied;
		is_joined |= word.tied;
		(void)snprintf(joined + used, sizeof joined - used, "%s", word.text);
		if (word.tied)
			continue;
		if (strlen(joined) > WORD_BYTES_MAX || word_is_stop(joined))
			continue;
		stemmer_stem(stemmer, joined, stem);
		if (!add_stem(t, stem, &ret->stems[ret->count]))
			return false;
		ret->count++;
	}
	if (!is_joined)
		ret->count = 0;
	return true;
}

static bool add_phrase(struct thesaurus *t, const struct phrase *phrase)
{
	if (!grow((void **)&t->phrases, &t->phrase_room, t->phrase_count + 1,
		  sizeof *t->phrases))
		return false;
	t->phrases[t->phrase_count] = *phrase;
	for (uint8_t i = 0; i < phrase->count; i++)
		if (!list_add(&t->in_phrases[phrase->stems[i]], t->phrase_count))
			return false;
	return list_add(&t->concepts[phrase->concept], t->phrase_count++);
}

static bool add_similar(struct thesaurus *t, const struct phrase *word)
{
	return word->count != 1 || (list_add(&t->sets[t->set_count], word->stems[0]) &&
				    list_add(&t->similar[word->stems[0]], t->set_count));
}

/* "ransomware, crypto locker < files locked, pay to unlock" or "~ boss, chief". */
static bool read_line(struct thesaurus *t, struct stemmer *stemmer, const char *line,
		      size_t length)
{
	const bool is_set = length > 0 && *line == '~';
	bool is_everyday = false;

	if (!grow((void **)&t->sets, &t->set_room, t->set_count + 1, sizeof *t->sets) ||
	    !grow((void **)&t->concepts, &t->concept_room, t->concept_count + 1,
		  sizeof *t->concepts))
		return false;
	for (size_t at = 0, stop; at < length; at = stop + 1) {
		struct phrase phrase = { .concept = t->concept_count,
					 .is_everyday = is_everyday };
		struct phrase joined = phrase;

		for (stop = at; stop < length && !strchr(",<", line[stop]); stop++)
			continue;
		if (!read_stems(t, stemmer, line + at, stop - at, &phrase))
			return false;
		if (phrase.count > 0 &&
		    !(is_set ? add_similar(t, &phrase) : add_phrase(t, &phrase)))
			return false;
		if (!is_set && (!read_joined(t, stemmer, line + at, stop - at, &joined) ||
				(joined.count > 0 && !add_phrase(t, &joined))))
			return false;
		is_everyday |= stop < length && line[stop] == '<';
	}
	t->set_count += is_set;
	t->concept_count += !is_set;
	return true;
}

struct thesaurus *thesaurus_new(const char *text, size_t length, struct error *err)
{
	_cleanup_(thesaurus_freep) struct thesaurus *t = calloc(1, sizeof *t);
	_cleanup_(stemmer_freep) struct stemmer *stemmer = stemmer_new();

	if (!t || !stemmer) {
		error_oom(err);
		return NULL;
	}
	for (size_t at = 0; at < length;) {
		const char *newline = memchr(text + at, '\n', length - at);
		const size_t n = newline ? (size_t)(newline - text) - at : length - at;

		if (n > 0 && text[at] != '#' && !read_line(t, stemmer, text + at, n)) {
			error_oom(err);
			return NULL;
		}
		at += n + 1;
	}
	return TAKE(t);
}

struct thesaurus *thesaurus_built_in(struct error *err)
{
	return thesaurus_new(security_words, security_words_length, err);
}

/* ---- Asking ---- */

bool thesaurus_knows(const struct thesaurus *t, const char *stem)
{
	uint32_t ignored;

	return lexicon_find(&t->stems, stem, &ignored);
}

const char *thesaurus_stem(const struct thesaurus *t, uint32_t stem)
{
	return lexicon_text(&t->stems, stem);
}

size_t thesaurus_size(const struct thesaurus *t)
{
	return t->phrase_count;
}

void thesaurus_similar(const struct thesaurus *t, const char *stem,
		       void (*fn)(void *context, const char *stem), void *context)
{
	uint32_t number;

	if (!lexicon_find(&t->stems, stem, &number))
		return;
	for (uint32_t i = 0; i < t->similar[number].count; i++) {
		const struct list *set = &t->sets[t->similar[number].items[i]];

		for (uint32_t k = 0; k < set->count; k++)
			if (set->items[k] != number)
				fn(context, lexicon_text(&t->stems, set->items[k]));
	}
}

/* A stem that is in the query or similar to one that is. */
struct closed {
	uint32_t stem;
	double weight;
	uint32_t places;
};

struct closure {
	struct closed items[CLOSURE_MAX];
	size_t count;
};

static void close_one(struct closure *c, uint32_t stem, double weight, unsigned place)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->items[i].stem == stem) {
			if (weight > c->items[i].weight) {
				c->items[i].weight = weight;
				c->items[i].places = 1u << place;
			}
			return;
		}
	if (c->count < CLOSURE_MAX)
		c->items[c->count++] = (struct closed){ stem, weight, 1u << place };
}

static void close_all(const struct thesaurus *t, const struct asked *asked, size_t count,
		      struct closure *c)
{
	uint32_t stem;

	for (size_t i = 0; i < count; i++) {
		const unsigned place = asked[i].place % 32;

		if (!lexicon_find(&t->stems, asked[i].stem, &stem))
			continue;
		close_one(c, stem, asked[i].weight, place);
		for (uint32_t s = 0; s < t->similar[stem].count; s++) {
			const struct list *set = &t->sets[t->similar[stem].items[s]];

			for (uint32_t k = 0; k < set->count; k++)
				close_one(c, set->items[k], asked[i].weight * SIMILAR,
					  place);
		}
	}
}

static const struct closed *find_closed(const struct closure *c, uint32_t stem)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->items[i].stem == stem)
			return &c->items[i];
	return NULL;
}

/* How sure the query says this phrase: the product over its words, which must come from
 * as many places. */
static double match(const struct closure *c, const struct phrase *p, uint32_t *ret_places)
{
	double weight = 1;
	uint32_t places = 0;

	for (uint8_t i = 0; i < p->count; i++) {
		const struct closed *found = find_closed(c, p->stems[i]);

		if (!found || (places & found->places))
			return 0;
		weight *= found->weight;
		places |= found->places;
	}
	*ret_places = places;
	return weight;
}

static void bring(struct brought *ret, size_t *count, size_t room, struct brought what)
{
	for (size_t i = 0; i < *count; i++)
		if (ret[i].phrase == what.phrase) {
			if (what.weight > ret[i].weight)
				ret[i] = what;
			return;
		}
	if (*count < room)
		ret[(*count)++] = what;
}

static int compare_brought(const void *left, const void *right)
{
	const struct brought *a = left, *b = right;

	return a->weight > b->weight ? -1 : a->weight < b->weight;
}

/* A phrase that the query says brings its concept, itself among it: it is as good there as
 * the others. */
static void bring_concept(const struct thesaurus *t, const struct phrase *said,
			  double weight, uint32_t places, struct brought *ret,
			  size_t *count, size_t room)
{
	const struct list *concept = &t->concepts[said->concept];

	for (uint32_t i = 0; i < concept->count; i++) {
		const struct phrase *p = &t->phrases[concept->items[i]];

		if (!p->is_everyday)
			bring(ret, count, room, (struct brought){ p, weight, places });
	}
}

size_t thesaurus_expand(const struct thesaurus *t, const struct asked *asked,
			size_t count, struct brought *ret, size_t room)
{
	struct closure c = { .count = 0 };
	size_t found = 0;
	uint32_t places;

	close_all(t, asked, count, &c);
	for (size_t i = 0; i < c.count; i++) {
		const struct list *l = &t->in_phrases[c.items[i].stem];

		for (uint32_t k = 0; k < l->count; k++) {
			const struct phrase *p = &t->phrases[l->items[k]];
			/* Each phrase once, by its first word. */
			const double weight = p->stems[0] == c.items[i].stem
						      ? match(&c, p, &places)
						      : 0;

			if (weight >= SURE_ENOUGH)
				bring_concept(t, p, weight, places, ret, &found, room);
		}
	}
	if (found > 0)
		qsort(ret, found, sizeof *ret, compare_brought);
	return found;
}
