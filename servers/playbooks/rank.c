#include "servers/playbooks/rank.h"

#include <math.h>
#include <string.h>

#include "servers/playbooks/bytes.h"

const struct rank_weights rank_default = {
	.document = 1.0,
	.section = 1.0,
	.coverage = 0.3,
};

/* Scores of all documents, or of all sections. */
struct scores {
	float *sum;    /* over groups */
	float *best;   /* of the variants of a group */
	float *part;   /* of the words of a variant */
	uint8_t *hits; /* how many words of a variant stand there */
	uint32_t *touched;
	uint32_t *parts; /* touched by a variant */
	size_t touched_count, part_count;
	uint32_t count;
};

static void scores_done(struct scores *s)
{
	free(s->sum);
	free(s->best);
	free(s->part);
	free(s->hits);
	free(s->touched);
	free(s->parts);
}

static bool scores_init(struct scores *s, uint32_t count)
{
	*s = (struct scores){
		.sum = calloc(count + 1, sizeof *s->sum),
		.best = calloc(count + 1, sizeof *s->best),
		.part = calloc(count + 1, sizeof *s->part),
		.hits = calloc(count + 1, sizeof *s->hits),
		.touched = malloc((count + 1) * sizeof *s->touched),
		.parts = malloc((count + 1) * sizeof *s->parts),
		.count = count,
	};
	return s->sum && s->best && s->part && s->hits && s->touched && s->parts;
}

static double idf(uint32_t in, uint32_t all)
{
	return log(1 + (all - in + 0.5) / (in + 0.5));
}

struct list {
	const uint8_t *at, *end;
	double idf;
};

static struct list find_list(const struct index *x, uint32_t stem, bool in_sections)
{
	const struct index_postings *p = &x->postings[stem];

	/* The idf is that of documents in both, so that both speak of the same words. */
	return (struct list){
		.at = in_sections ? p->sections : p->documents,
		.end = in_sections ? p->sections_end : p->documents_end,
		.idf = idf(p->in_documents, x->document_count),
	};
}

static void raise_best(struct scores *s, uint32_t at, float value)
{
	if (s->best[at] == 0)
		s->touched[s->touched_count++] = at;
	if (value > s->best[at])
		s->best[at] = value;
}

static void score_word(struct scores *s, struct list l, double weight)
{
	const float factor = (float)(weight * l.idf / 255);
	uint32_t at = 0, delta;

	while (bytes_get(&l.at, l.end, &delta) && l.at < l.end) {
		at += delta;
		if (at >= s->count)
			return;
		raise_best(s, at, factor * *l.at++);
	}
}

static void add_part(struct scores *s, struct list l)
{
	const float factor = (float)(l.idf / 255);
	uint32_t at = 0, delta;

	while (bytes_get(&l.at, l.end, &delta) && l.at < l.end) {
		at += delta;
		if (at >= s->count)
			return;
		if (s->hits[at] == 0)
			s->parts[s->part_count++] = at;
		s->part[at] += factor * *l.at++;
		s->hits[at]++;
	}
}

/* A phrase counts by the square of how much of it stands there. */
static void score_phrase(struct scores *s, const struct index *x, const struct variant *v,
			 bool in_sections)
{
	s->part_count = 0;
	for (uint8_t i = 0; i < v->count; i++)
		add_part(s, find_list(x, v->stems[i], in_sections));
	for (size_t i = 0; i < s->part_count; i++) {
		const uint32_t at = s->parts[i];
		const float share = (float)s->hits[at] / v->count;

		if (2 * s->hits[at] > v->count)
			raise_best(s, at,
				   v->weight * s->part[at] * share * share /
					   sqrtf(v->count));
		s->part[at] = 0;
		s->hits[at] = 0;
	}
}

/* The scores of a group are in 'best' of what is 'touched', until the next. */
static void score_group(struct scores *s, const struct index *x, const struct group *g,
			bool in_sections)
{
	s->touched_count = 0;
	for (uint8_t i = 0; i < g->count; i++) {
		const struct variant *v = &g->variants[i];

		if (v->count == 1)
			score_word(s, find_list(x, v->stems[0], in_sections), v->weight);
		else
			score_phrase(s, x, v, in_sections);
	}
}

static void add_group(struct scores *s, double weight)
{
	for (size_t i = 0; i < s->touched_count; i++) {
		const uint32_t at = s->touched[i];

		s->sum[at] += (float)weight * s->best[at];
		s->best[at] = 0;
	}
}

/* ---- Documents ---- */

/* The share of what was typed that a document has; by how rare the words are. */
struct coverage {
	float *have;
	double all;
};

static double group_idf(const struct index *x, const struct group *g)
{
	double best = 0;

	for (uint8_t i = 0; i < g->count; i++) {
		double sum = 0;

		for (uint8_t k = 0; k < g->variants[i].count; k++)
			sum += idf(x->postings[g->variants[i].stems[k]].in_documents,
				   x->document_count);
		sum /= g->variants[i].count;
		if (sum > best)
			best = sum;
	}
	return best;
}

static void score_documents(const struct index *x, const struct query *q,
			    struct scores *s, struct coverage *c)
{
	for (size_t i = 0; i < q->group_count; i++) {
		const struct group *g = &q->groups[i];
		const double weight = group_idf(x, g);

		score_group(s, x, g, false);
		if (g->is_typed) {
			c->all += weight;
			for (size_t k = 0; k < s->touched_count; k++) {
				const uint32_t at = s->touched[k];
				const double share = s->best[at] / (0.35 * weight + 1e-9);

				c->have[at] += (float)(weight * (share < 1 ? share : 1));
			}
		}
		add_group(s, g->weight);
	}
}

static void score_sections(const struct index *x, const struct query *q, struct scores *s)
{
	for (size_t i = 0; i < q->group_count; i++) {
		score_group(s, x, &q->groups[i], true);
		add_group(s, q->groups[i].weight);
	}
}

/* ---- Both together ---- */

static uint32_t best_section(const struct index *x, const struct scores *s, uint32_t d)
{
	const struct index_document *document = &x->documents[d];
	uint32_t best = document->first_section;

	for (uint32_t i = 1; i < document->section_count; i++)
		if (s->sum[document->first_section + i] > s->sum[best])
			best = document->first_section + i;
	return best;
}

static int compare_hits(const void *left, const void *right)
{
	const struct hit *a = left, *b = right;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return a->document < b->document ? -1 : a->document > b->document;
}

static size_t fuse(const struct index *x, const struct rank_weights *w,
		   const struct scores *documents, const struct scores *sections,
		   const struct coverage *c, struct hit *hits)
{
	size_t count = 0;

	for (uint32_t d = 0; d < x->document_count; d++) {
		if (documents->sum[d] <= 0)
			continue;
		const uint32_t section = best_section(x, sections, d);
		const double share = c->all > 0 ? c->have[d] / c->all : 1;
		const double score = (w->document * documents->sum[d] +
				      w->section * sections->sum[section]) *
				     (1 - w->coverage + w->coverage * share);

		hits[count++] = (struct hit){ d, section, score, share };
	}
	return count;
}

/* ---- The whole ---- */

size_t rank_pick(const struct index *x, struct hit *hits, size_t count,
		 rank_filter *filter, void *context, struct hit *ret, size_t room)
{
	size_t kept = 0;

	qsort(hits, count, sizeof *hits, compare_hits);

	for (size_t i = 0; i < count && kept < room; i++) {
		const struct index_document *d = &x->documents[hits[i].document];
		bool is_double = false;

		if (filter && !filter(context, d))
			continue;
		for (size_t k = 0; k < kept; k++)
			is_double |= x->documents[ret[k].document].twin == d->twin;
		if (!is_double)
			ret[kept++] = hits[i];
	}
	return kept;
}

bool rank_any(const struct index *x, uint32_t stem, rank_filter *filter, void *context)
{
	struct list l = find_list(x, stem, false);
	uint32_t at = 0, delta;

	while (bytes_get(&l.at, l.end, &delta) && l.at < l.end) {
		at += delta;
		if (at >= x->document_count)
			return false;
		if (filter(context, &x->documents[at]))
			return true;
		l.at++; /* the weight */
	}
	return false;
}

bool rank_search(const struct index *x, const struct query *q,
		 const struct rank_weights *weights, rank_filter *filter, void *context,
		 struct hit *ret, size_t room, size_t *ret_count, struct error *err)
{
	_cleanup_(scores_done) struct scores documents = { 0 };
	_cleanup_(scores_done) struct scores sections = { 0 };
	_cleanup_free_ float *have = calloc(x->document_count + 1, sizeof *have);
	_cleanup_free_ struct hit *hits = malloc((x->document_count + 1) * sizeof *hits);
	struct coverage c = { .have = have };
	size_t count;

	if (!have || !hits || !scores_init(&documents, x->document_count) ||
	    !scores_init(&sections, x->section_count))
		return error_oom(err);
	score_documents(x, q, &documents, &c);
	score_sections(x, q, &sections);
	count = fuse(x, weights, &documents, &sections, &c, hits);
	*ret_count = rank_pick(x, hits, count, filter, context, ret, room);
	return true;
}
