#include "servers/playbooks/query.h"

#include <string.h>

#include "servers/playbooks/correct.h"

enum { BROUGHT_MAX = 64, ASKED_MAX = 2 * QUERY_WORDS_MAX };

/* How much what was not typed counts. */
static const double CORRECTED = 0.9, SIMILAR = 0.55, EQUAL = 0.7, PHRASE = 0.6,
		    JOINED = 0.5, TIED = 0.8, SINGLE_LETTER = 0.3;
/* A word brings its equals only if it was typed (or corrected): the equals of a word that
 * is merely similar lead astray. */
static const double OWN_WORD = 0.8;

struct reading {
	const struct index *x;
	const struct thesaurus *t;
	struct query *q;
	struct stemmer *stemmer;
	struct asked asked[ASKED_MAX];
	char stems[ASKED_MAX][WORD_BYTES_MAX + 1]; /* of 'asked' */
	size_t asked_count;
	int group_of[QUERY_WORDS_MAX]; /* by place; -1: none */
	size_t first_brought;          /* among the groups: of what add_brought() added */
};

/* ---- Groups ---- */

static struct group *add_group(struct query *q, bool is_typed, double weight)
{
	if (q->group_count == GROUPS_MAX)
		return NULL;
	struct group *g = &q->groups[q->group_count++];
	*g = (struct group){ .is_typed = is_typed, .weight = (float)weight };
	return g;
}

static bool same(const struct variant *a, const struct variant *b)
{
	return a->count == b->count &&
	       memcmp(a->stems, b->stems, a->count * sizeof *a->stems) == 0;
}

static void add_variant(struct group *g, const struct variant *v)
{
	for (uint8_t i = 0; i < g->count; i++)
		if (same(&g->variants[i], v)) {
			if (v->weight > g->variants[i].weight)
				g->variants[i].weight = v->weight;
			return;
		}
	if (g->count < VARIANTS_MAX && v->count > 0)
		g->variants[g->count++] = *v;
}

static void add_stem(struct group *g, uint32_t stem, double weight)
{
	add_variant(g, &(struct variant){
			       .stems = { stem }, .count = 1, .weight = (float)weight });
}

static bool find_word(const struct reading *r, const char *word, uint32_t *ret)
{
	char stem[WORD_BYTES_MAX + 1];

	stemmer_stem(r->stemmer, word, stem);
	return lexicon_find(&r->x->stems, stem, ret);
}

/* ---- A word that was typed ---- */

static void ask(struct reading *r, const char *word, double weight, unsigned place)
{
	if (r->asked_count == ASKED_MAX)
		return;
	char *stem = r->stems[r->asked_count];
	stemmer_stem(r->stemmer, word, stem);
	r->asked[r->asked_count++] = (struct asked){ stem, weight, place };
}

static void note_correction(struct reading *r, const char *from, const char *to,
			    const uint32_t *stems, uint8_t stem_count)
{
	struct query *q = r->q;

	if (q->correction_count == QUERY_WORDS_MAX)
		return;
	struct correction *c = &q->corrections[q->correction_count++];
	(void)snprintf(c->from, sizeof c->from, "%s", from);
	(void)snprintf(c->to, sizeof c->to, "%s", to);
	memcpy(c->stems, stems, stem_count * sizeof *stems);
	c->stem_count = stem_count;
}

static bool split(struct reading *r, const char *word, struct group *g, unsigned place)
{
	struct variant v = { .count = 2, .weight = (float)CORRECTED };
	char parts[2][WORD_BYTES_MAX + 1], both[WORD_BYTES_MAX + 1];
	size_t at;

	if (!correct_split(r->x, word, &at))
		return false;
	memcpy(parts[0], word, at);
	parts[0][at] = '\0';
	(void)snprintf(parts[1], sizeof parts[1], "%s", word + at);
	if (!find_word(r, parts[0], &v.stems[0]) || !find_word(r, parts[1], &v.stems[1]))
		return false;
	add_variant(g, &v);
	ask(r, parts[0], CORRECTED, place);
	(void)snprintf(both, sizeof both, "%.20s %.20s", parts[0], parts[1]);
	note_correction(r, word, both, v.stems, v.count);
	return true;
}

static bool is_near(const struct reading *r, uint32_t surface, const char *word)
{
	return correct_distance(word, lexicon_text(&r->x->surfaces, surface), 1) <= 1;
}

static void correct(struct reading *r, const char *word, struct group *g, unsigned place)
{
	struct candidate found[CORRECTIONS_MAX];
	const size_t count = correct_word(r->x, word, found);

	if (count == 0 || !is_near(r, found[0].surface, word)) {
		if (correct_is_near_stop(word))
			return;
	}
	if (count == 0) {
		(void)split(r, word, g, place);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const char *text = lexicon_text(&r->x->surfaces, found[i].surface);

		add_stem(g, r->x->surface_rows[found[i].surface].stem,
			 CORRECTED * found[i].weight);
		ask(r, text, CORRECTED * found[i].weight, place);
	}
	note_correction(r, word, lexicon_text(&r->x->surfaces, found[0].surface),
			&r->x->surface_rows[found[0].surface].stem, 1);
}

struct similar {
	struct reading *r;
	struct group *g;
};

static void add_similar(void *context, const char *stem)
{
	struct similar *s = context;
	uint32_t number;

	if (lexicon_find(&s->r->x->stems, stem, &number))
		add_stem(s->g, number, SIMILAR);
}

static void read_word(struct reading *r, const char *word, unsigned place)
{
	struct group *g = add_group(r->q, true, word[1] ? 1 : SINGLE_LETTER);
	char stem[WORD_BYTES_MAX + 1];
	uint32_t number;

	if (!g)
		return;
	r->group_of[place] = (int)r->q->group_count - 1;
	stemmer_stem(r->stemmer, word, stem);
	if (lexicon_find(&r->x->stems, stem, &number)) {
		add_stem(g, number, 1);
		ask(r, word, 1, place);
	} else if (thesaurus_knows(r->t, stem))
		ask(r, word, 1, place);
	else {
		ask(r, word, 1, place); /* an acronym of the pages, perhaps */
		correct(r, word, g, place);
	}
	struct similar s = { r, g };
	thesaurus_similar(r->t, stem, add_similar, &s);
}

/* ---- Neighbours written as one: "web site", "pre-OS" ---- */

static void join(struct reading *r, const char *first, const char *second, bool tied)
{
	char joined[2 * WORD_BYTES_MAX + 1];
	uint32_t stem;

	(void)snprintf(joined, sizeof joined, "%s%s", first, second);
	if (strlen(joined) > WORD_BYTES_MAX || !find_word(r, joined, &stem))
		return;
	struct group *g = add_group(r->q, false, tied ? TIED : JOINED);
	if (g)
		add_stem(g, stem, 1);
}

/* ---- What is brought along ---- */

/* Without stop words, which are asked about only for the phrases that need them. */
static uint32_t places_of_groups(const struct reading *r, uint32_t places)
{
	for (size_t i = 0; i < r->q->word_count; i++)
		if (r->group_of[i] < 0)
			places &= ~(1u << i);
	return places;
}

/* The group of the one word that brought it, so that it is that or this. */
static struct group *group_for(struct reading *r, uint32_t places)
{
	if (__builtin_popcount(places) != 1)
		return NULL;
	return &r->q->groups[r->group_of[__builtin_ctz(places)]];
}

/* One group for everything that came from the same places. */
static struct group *phrase_group(struct reading *r, uint32_t places,
				  uint32_t *group_places)
{
	struct query *q = r->q;

	for (size_t i = r->first_brought; i < q->group_count; i++)
		if (group_places[i] == places)
			return &q->groups[i];
	const int words = places ? __builtin_popcount(places) : 1;
	struct group *g = add_group(q, false, PHRASE * words);

	if (g)
		group_places[q->group_count - 1] = places;
	return g;
}

static bool translate(const struct reading *r, const struct phrase *p, double weight,
		      struct variant *ret)
{
	*ret = (struct variant){ .weight = (float)weight };
	for (uint8_t i = 0; i < p->count; i++)
		if (!lexicon_find(&r->x->stems, thesaurus_stem(r->t, p->stems[i]),
				  &ret->stems[ret->count++]))
			return false;
	return true;
}

static void add_brought(struct reading *r)
{
	struct brought brought[BROUGHT_MAX];
	uint32_t group_places[GROUPS_MAX] = { 0 };
	const size_t count =
		thesaurus_expand(r->t, r->asked, r->asked_count, brought, BROUGHT_MAX);

	r->first_brought = r->q->group_count;
	for (size_t i = 0; i < count; i++) {
		const struct brought *b = &brought[i];
		const uint32_t places = places_of_groups(r, b->places);
		/* Said with stop words, it is more than the one word beside them. */
		struct group *g = places == b->places ? group_for(r, places) : NULL;
		struct variant v;

		if ((g && b->weight < OWN_WORD) ||
		    !translate(r, b->phrase, g ? EQUAL * b->weight : b->weight, &v))
			continue;
		if (!g)
			g = phrase_group(r, places, group_places);
		if (g)
			add_variant(g, &v);
	}
}

/* "bec\tbusiness email compromise": what the pages themselves say, both ways. */
static void add_acronym(struct reading *r, const char *line)
{
	const char *tab = strchr(line, '\t');
	char acronym[WORD_BYTES_MAX + 1];
	struct word_reader words = { .text = tab + 1, .length = strlen(tab + 1) };
	struct word word;
	struct variant v = { .weight = (float)EQUAL };
	size_t in_query = 0, long_words = 0;

	(void)snprintf(acronym, sizeof acronym, "%.*s", (int)(tab - line), line);
	while (v.count < PHRASE_WORDS_MAX && word_next(&words, &word)) {
		if (word_is_stop(word.text))
			continue;
		long_words++;
		for (size_t i = 0; i < r->q->word_count; i++)
			in_query += strcmp(r->q->words[i], word.text) == 0;
		if (!find_word(r, word.text, &v.stems[v.count++]))
			return;
	}
	for (size_t i = 0; i < r->q->word_count; i++)
		if (strcmp(r->q->words[i], acronym) == 0 && r->group_of[i] >= 0)
			add_variant(&r->q->groups[r->group_of[i]], &v);
	uint32_t stem;
	if (long_words < 2 || in_query < long_words || !find_word(r, acronym, &stem))
		return;
	struct group *g = add_group(r->q, false, EQUAL);
	if (g)
		add_stem(g, stem, 1);
}

/* ---- The whole ---- */

static void read_words(struct reading *r, const char *text, bool with_stops)
{
	struct query *q = r->q;
	size_t length = strlen(text);
	struct word word, before = { .text = "" };

	if (length > QUERY_BYTES_MAX)
		length = QUERY_BYTES_MAX;
	struct word_reader reader = { .text = text, .length = length };
	while (q->word_count < QUERY_WORDS_MAX && word_next(&reader, &word)) {
		const unsigned place = (unsigned)q->word_count;

		memcpy(q->words[q->word_count++], word.text, sizeof word.text);
		r->group_of[place] = -1;
		if (with_stops || !word_is_stop(word.text))
			read_word(r, word.text, place);
		else
			ask(r, word.text, 1, place);
		if (before.text[0] && (before.tied || (!word_is_stop(before.text) &&
						       !word_is_stop(word.text))))
			join(r, before.text, word.text, before.tied);
		before = word;
	}
}

bool query_read(const struct index *x, const struct thesaurus *t, const char *text,
		struct query *ret, struct error *err)
{
	_cleanup_(stemmer_freep) struct stemmer *stemmer = stemmer_new();
	struct reading r = { .x = x, .t = t, .q = ret, .stemmer = stemmer };

	ret->group_count = ret->word_count = ret->correction_count = 0;
	if (!stemmer)
		return error_oom(err);
	read_words(&r, text, false);
	if (ret->group_count == 0) {
		ret->word_count = 0;
		read_words(&r, text, true);
	}
	for (uint32_t i = 0; i < x->acronyms.count; i++)
		add_acronym(&r, lexicon_text(&x->acronyms, i));
	add_brought(&r);
	return true;
}
