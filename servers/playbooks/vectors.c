#include "servers/playbooks/vectors.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "servers/playbooks/vectors_private.h"

enum { BACKOFF_MS = 1000 };

void matrix_unref(struct matrix *m)
{
	if (!m || atomic_fetch_sub(&m->references, 1) != 1)
		return;
	index_unref(m->of);
	free(m->rows);
	free(m);
}

bool vectors_text(const struct index *x, uint32_t section, const struct strbuf *body,
		  struct strbuf *ret)
{
	const struct index_section *s = &x->sections[section];

	if (s->end > body->length)
		return false;
	strbuf_clear(ret);
	strbuf_add_format(ret, "%s\n%s\n", x->documents[s->document].title, s->heading);
	strbuf_add(ret, body->data + s->start, s->end - s->start);
	if (!strbuf_ok(ret))
		return false;
	ret->length = embed_cut(ret->data, ret->length);
	return true;
}

struct vectors *vectors_open(const char *path, const struct statedir *dir,
			     const json_t *config, struct error *err)
{
	_cleanup_(vectors_closep) struct vectors *v = calloc(1, sizeof *v);

	if (!v) {
		error_oom(err);
		return NULL;
	}
	(void)pthread_mutex_init(&v->lock, NULL);
	atomic_init(&v->quiet_until_ms, 0);
	v->embed = embed_new(dir, config, err);
	if (!v->embed ||
	    !vectors_open_file(v, path, json_get_string(config, "model"), err))
		return NULL;
	return TAKE(v);
}

void vectors_close(struct vectors *v)
{
	if (!v)
		return;
	matrix_unref(v->current);
	embed_free(v->embed);
	(void)sqlite3_close(v->db);
	(void)pthread_mutex_destroy(&v->lock);
	free(v);
}

/* ---- What is there for an index ---- */

static void publish(struct vectors *v, struct matrix *m)
{
	struct matrix *old;

	(void)pthread_mutex_lock(&v->lock);
	old = v->current;
	v->current = m;
	(void)pthread_mutex_unlock(&v->lock);
	matrix_unref(old);
	v->next = 0;
	if (!m)
		return;
	log_info("playbooks.vectors", LOG_INT("sections", m->of->section_count),
		 LOG_INT("missing", m->missing), LOG_INT("dimensions", m->dimensions));
}

/* ---- Fetching ---- */

static bool has_row(const struct matrix *m, uint32_t section)
{
	const float *row = m->rows + (size_t)section * m->dimensions;

	for (uint32_t i = 0; i < m->dimensions; i++)
		if (row[i] != 0)
			return true;
	return false;
}

static bool gather(const struct matrix *m, uint32_t *next, struct vectors_batch *b,
		   struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	for (; *next < m->of->section_count && json_array_size(b->texts) < EMBED_BATCH;
	     (*next)++) {
		_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
		const size_t at = json_array_size(b->texts);

		if (has_row(m, *next))
			continue;
		if (!index_body(m->of, m->of->sections[*next].document, &body, err))
			return false;
		if (!vectors_text(m->of, *next, &body, &text))
			return error_oom(err);
		digest_sha256(text.data, text.length, b->digests[at]);
		if (json_array_append_new(b->texts,
					  json_stringn(text.data, text.length)) != 0)
			return error_oom(err);
	}
	return true;
}

static bool fetch(struct vectors *v, const struct matrix *m, const atomic_bool *stopping,
		  struct error *err)
{
	json_auto_t *texts = json_array();
	struct vectors_batch b = { .texts = texts };
	_cleanup_embedded_ struct embedded e = { 0 };
	struct rest_patience patience = rest_patience(VECTORS_BATCH_MS);
	uint32_t next = v->next;

	patience.cancel = stopping;
	if (!texts)
		return error_oom(err);
	if (!gather(m, &next, &b, err))
		return false;
	if (json_array_size(texts) > 0 &&
	    (!embed_texts(v->embed, texts, v->dimensions, &patience, &e, err) ||
	     !vectors_keep(v, &b, &e, err)))
		return false;
	v->next = next;
	return true;
}

static bool step(struct vectors *v, struct index *x, const atomic_bool *stopping,
		 struct error *err)
{
	struct matrix *m = v->current; /* only this thread sets it */

	if (m && m->of == x && m->missing == 0)
		return true;
	if (!m || m->of != x || v->next >= x->section_count) {
		m = vectors_load(v, x, err);
		publish(v, m);
		if (!m)
			return false;
	}
	for (int i = 0; i < VECTORS_BATCHES_PER_STEP && v->next < x->section_count; i++) {
		if (stopping && atomic_load(stopping))
			return true;
		if (m->missing == 0)
			return true;
		if (!fetch(v, m, stopping, err))
			return false;
	}
	return true;
}

void vectors_step(struct vectors *v, struct index *x, const atomic_bool *stopping)
{
	struct error err = ERROR_INIT;

	/* What is kept serves a new index at once, whatever the endpoint does. */
	if (x == v->seen && clock_mono_ms() < v->until_ms)
		return;
	v->seen = x;
	if (step(v, x, stopping, &err)) {
		v->wait_ms = 0;
		return;
	}
	log_failure("playbooks.not_embedded", &err);
	v->wait_ms = v->wait_ms ? 2 * v->wait_ms : BACKOFF_MS;
	if (v->wait_ms > VECTORS_BACKOFF_MAX_MS)
		v->wait_ms = VECTORS_BACKOFF_MAX_MS;
	v->until_ms = clock_mono_ms() + v->wait_ms;
}
