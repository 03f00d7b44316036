/* Sections near to a query, among the vectors that are there. */
#include "servers/playbooks/vectors_private.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum { LANES = 8 };

static bool embed_query(struct vectors *v, const struct matrix *m, const char *query,
			struct embedded *ret)
{
	json_auto_t *texts =
		json_pack("[o]", json_stringn(query, embed_cut(query, strlen(query))));
	const struct rest_patience patience = rest_patience(VECTORS_QUERY_MS);
	struct error err = ERROR_INIT;

	if (!texts || clock_mono_ms() < atomic_load(&v->quiet_until_ms))
		return false;
	if (embed_texts(v->embed, texts, m->dimensions, &patience, ret, &err))
		return true;
	atomic_store(&v->quiet_until_ms, clock_mono_ms() + VECTORS_PAUSE_MS);
	log_failure("playbooks.query_not_embedded", &err);
	return false;
}

static float product(const float *a, const float *b, uint32_t count)
{
	float lanes[LANES] = { 0 }, sum = 0;
	uint32_t i = 0;

	/* Sums apart, so that the compiler may take several at once. */
	for (; i + LANES <= count; i += LANES)
		for (uint32_t k = 0; k < LANES; k++)
			lanes[k] += a[i + k] * b[i + k];
	for (; i < count; i++)
		sum += a[i] * b[i];
	for (uint32_t k = 0; k < LANES; k++)
		sum += lanes[k];
	return sum;
}

static size_t find_near(const struct matrix *m, const float *query, struct hit *hits)
{
	const struct index *x = m->of;
	size_t count = 0;

	for (uint32_t d = 0; d < x->document_count; d++) {
		struct hit best = { .document = d };

		for (uint32_t i = 0; i < x->documents[d].section_count; i++) {
			const uint32_t at = x->documents[d].first_section + i;
			const float cosine = product(m->rows + (size_t)at * m->dimensions,
						     query, m->dimensions);

			if (cosine > best.score) {
				best.score = cosine;
				best.section = at;
			}
		}
		if (best.score >= VECTORS_COSINE_MIN)
			hits[count++] = best;
	}
	return count;
}

size_t vectors_search(struct vectors *v, const struct index *x, const char *query,
		      rank_filter *filter, void *context, struct hit *ret, size_t room)
{
	_cleanup_(matrix_unrefp) struct matrix *m = NULL;
	_cleanup_embedded_ struct embedded e = { 0 };
	_cleanup_free_ struct hit *hits = NULL;

	(void)pthread_mutex_lock(&v->lock);
	m = v->current;
	if (m)
		atomic_fetch_add(&m->references, 1);
	(void)pthread_mutex_unlock(&v->lock);
	if (!m || m->of != x || m->dimensions == 0 || !embed_query(v, m, query, &e))
		return 0;
	hits = malloc((x->document_count + 1) * sizeof *hits);
	if (!hits)
		return 0;
	return rank_pick(x, hits, find_near(m, e.vectors, hits), filter, context, ret,
			 room);
}
