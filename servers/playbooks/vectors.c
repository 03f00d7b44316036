#include "servers/playbooks/vectors.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"

enum { LANES = 8, BACKOFF_MS = 1000 };

/* The vectors of all sections of an index; a row of zeros: none yet. Never changed once it
 * is 'current'. */
struct matrix {
	atomic_int references;
	struct index *of;
	uint32_t dimensions;
	uint32_t missing;
	float *rows;
};

struct vectors {
	struct embed *embed;
	sqlite3 *db;         /* of the thread that steps */
	uint32_t dimensions; /* of what is kept; 0: nothing is */

	/* Of that thread, too: what is missing is fetched from here on. */
	uint32_t next;
	int64_t wait_ms, until_ms;
	const struct index *seen; /* compared alone */

	pthread_mutex_t lock; /* of 'current' */
	struct matrix *current;
	atomic_llong quiet_until_ms; /* searches ask nothing before; monotonic */
};

static void matrix_unref(struct matrix *m)
{
	if (!m || atomic_fetch_sub(&m->references, 1) != 1)
		return;
	index_unref(m->of);
	free(m->rows);
	free(m);
}
DEFINE_CLEANUP(struct matrix, matrix_unref);

/* ---- The file ---- */

static bool failed(const struct vectors *v, struct error *err)
{
	return error_set(err, ERR_INTERNAL, "the file of vectors: %s",
			 sqlite3_errmsg(v->db));
}

static bool run(struct vectors *v, const char *sql, struct error *err)
{
	return sqlite3_exec(v->db, sql, NULL, NULL, NULL) == SQLITE_OK || failed(v, err);
}

static bool prepare(struct vectors *v, const char *sql, sqlite3_stmt **ret,
		    struct error *err)
{
	return sqlite3_prepare_v2(v->db, sql, -1, ret, NULL) == SQLITE_OK ||
	       failed(v, err);
}

static void finalize(sqlite3_stmt **s)
{
	(void)sqlite3_finalize(*s);
}

static bool open_file(struct vectors *v, const char *path, struct error *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			  SQLITE_OPEN_FULLMUTEX;

	if (sqlite3_open_v2(path, &v->db, flags, NULL) != SQLITE_OK)
		return failed(v, err);
	if (chmod(path, 0600) != 0)
		return error_errno(err, "cannot make %s", path);
	return run(
		v,
		"PRAGMA temp_store=MEMORY; PRAGMA synchronous=NORMAL;"
		"CREATE TABLE IF NOT EXISTS model(one INTEGER PRIMARY KEY CHECK(one=1),"
		" name TEXT NOT NULL, dimensions INTEGER NOT NULL) STRICT;"
		"CREATE TABLE IF NOT EXISTS vectors(digest BLOB PRIMARY KEY,"
		" vector BLOB NOT NULL) STRICT, WITHOUT ROWID;"
		"CREATE TEMP TABLE now(section INTEGER PRIMARY KEY,"
		" digest BLOB NOT NULL)",
		err);
}

/* Vectors of another model are nothing to this one. */
static bool use_model(struct vectors *v, const char *model, struct error *err)
{
	_cleanup_(finalize) sqlite3_stmt *s = NULL;

	if (!prepare(v, "SELECT dimensions FROM model WHERE name=?", &s, err))
		return false;
	(void)sqlite3_bind_text(s, 1, model, -1, SQLITE_STATIC);
	if (sqlite3_step(s) == SQLITE_ROW) {
		const int64_t kept = sqlite3_column_int64(s, 0);

		if (kept >= 0 && kept <= EMBED_DIMENSIONS_MAX) {
			v->dimensions = (uint32_t)kept;
			return true;
		}
	}
	finalize(&s);
	s = NULL;
	if (!run(v, "DELETE FROM vectors", err) ||
	    !prepare(v, "REPLACE INTO model VALUES(1,?,0)", &s, err))
		return false;
	(void)sqlite3_bind_text(s, 1, model, -1, SQLITE_STATIC);
	return sqlite3_step(s) == SQLITE_DONE || failed(v, err);
}

static bool open_anew(struct vectors *v, const char *path, const char *model,
		      struct error *err)
{
	struct error why = ERROR_INIT;

	if (open_file(v, path, &why) && use_model(v, model, &why))
		return true;
	log_failure("playbooks.vectors_unread", &why);
	(void)sqlite3_close(v->db);
	v->db = NULL;
	(void)unlink(path);
	return open_file(v, path, err) && use_model(v, model, err);
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
	if (!v->embed || !open_anew(v, path, json_get_string(config, "model"), err))
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

static bool section_text(const struct index *x, uint32_t at, const struct strbuf *body,
			 struct strbuf *ret)
{
	const struct index_section *s = &x->sections[at];

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

/* The digests of all sections become the table 'now'. */
static bool list_now(struct vectors *v, const struct index *x, struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_(finalize) sqlite3_stmt *s = NULL;
	uint32_t document = UINT32_MAX;
	uint8_t digest[DIGEST_BYTES];

	if (!run(v, "DELETE FROM now", err) ||
	    !prepare(v, "INSERT INTO now VALUES(?,?)", &s, err))
		return false;
	for (uint32_t i = 0; i < x->section_count; i++) {
		if (x->sections[i].document != document) {
			document = x->sections[i].document;
			strbuf_clear(&body);
			if (!index_body(x, document, &body, err))
				return false;
		}
		if (!section_text(x, i, &body, &text))
			return error_set(err, ERR_INTERNAL,
					 "the index has an odd section");
		digest_sha256(text.data, text.length, digest);
		(void)sqlite3_bind_int64(s, 1, i);
		(void)sqlite3_bind_blob(s, 2, digest, sizeof digest, SQLITE_STATIC);
		if (sqlite3_step(s) != SQLITE_DONE)
			return failed(v, err);
		(void)sqlite3_reset(s);
	}
	return true;
}

static bool read_rows(struct vectors *v, struct matrix *m, struct error *err)
{
	_cleanup_(finalize) sqlite3_stmt *s = NULL;
	const size_t bytes = m->dimensions * sizeof *m->rows;
	int rc;

	if (!prepare(v,
		     "SELECT section,vector FROM now JOIN vectors USING(digest)"
		     " ORDER BY section",
		     &s, err))
		return false;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		const int64_t at = sqlite3_column_int64(s, 0);

		if (at < 0 || at >= m->of->section_count || bytes == 0 ||
		    (size_t)sqlite3_column_bytes(s, 1) != bytes)
			continue;
		memcpy(m->rows + (size_t)at * m->dimensions, sqlite3_column_blob(s, 1),
		       bytes);
		m->missing--;
	}
	return rc == SQLITE_DONE || failed(v, err);
}

static struct matrix *load(struct vectors *v, struct index *x, struct error *err)
{
	_cleanup_(matrix_unrefp) struct matrix *m = calloc(1, sizeof *m);
	const size_t numbers = (size_t)x->section_count * v->dimensions;

	if (!m) {
		error_oom(err);
		return NULL;
	}
	atomic_init(&m->references, 1);
	if (numbers * sizeof(float) > (size_t)VECTORS_MIB_MAX * 1024 * 1024) {
		error_set(err, ERR_PRECONDITION_FAILED,
			  "the vectors would take more than %d MiB", VECTORS_MIB_MAX);
		return NULL;
	}
	m->of = index_ref(x);
	m->dimensions = v->dimensions;
	m->missing = x->section_count;
	m->rows = calloc(numbers + 1, sizeof *m->rows);
	if (!m->rows) {
		error_oom(err);
		return NULL;
	}
	/* One transaction: 'now' and what is read by it are of one moment, and quick. */
	if (!run(v, "BEGIN", err))
		return NULL;
	if (!list_now(v, x, err) || !read_rows(v, m, err) ||
	    (m->missing == 0 &&
	     !run(v, "DELETE FROM vectors WHERE digest NOT IN (SELECT digest FROM now)",
		  err)) ||
	    !run(v, "COMMIT", err)) {
		(void)sqlite3_exec(v->db, "ROLLBACK", NULL, NULL, NULL);
		return NULL;
	}
	return TAKE(m);
}

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

struct batch {
	json_t *texts;
	uint8_t digests[EMBED_BATCH][DIGEST_BYTES];
};

static bool gather(const struct matrix *m, uint32_t *next, struct batch *b,
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
		if (!section_text(m->of, *next, &body, &text))
			return error_oom(err);
		digest_sha256(text.data, text.length, b->digests[at]);
		if (json_array_append_new(b->texts,
					  json_stringn(text.data, text.length)) != 0)
			return error_oom(err);
	}
	return true;
}

static bool keep(struct vectors *v, const struct batch *b, const struct embedded *e,
		 struct error *err)
{
	_cleanup_(finalize) sqlite3_stmt *s = NULL;
	bool ok = run(v, "BEGIN", err) &&
		  prepare(v, "REPLACE INTO vectors VALUES(?,?)", &s, err);

	for (uint32_t i = 0; ok && i < e->count; i++) {
		(void)sqlite3_bind_blob(s, 1, b->digests[i], DIGEST_BYTES, SQLITE_STATIC);
		(void)sqlite3_bind_blob(s, 2, e->vectors + (size_t)i * e->dimensions,
					(int)(e->dimensions * sizeof *e->vectors),
					SQLITE_STATIC);
		ok = sqlite3_step(s) == SQLITE_DONE || failed(v, err);
		(void)sqlite3_reset(s);
	}
	finalize(&s);
	s = NULL;
	if (ok && v->dimensions == 0) {
		ok = prepare(v, "UPDATE model SET dimensions=?", &s, err);
		(void)sqlite3_bind_int64(s, 1, e->dimensions);
		ok = ok && (sqlite3_step(s) == SQLITE_DONE || failed(v, err));
	}
	if (!ok || !run(v, "COMMIT", err)) {
		(void)sqlite3_exec(v->db, "ROLLBACK", NULL, NULL, NULL);
		return false;
	}
	v->dimensions = e->dimensions;
	return true;
}

static bool fetch(struct vectors *v, const struct matrix *m, const atomic_bool *stopping,
		  struct error *err)
{
	json_auto_t *texts = json_array();
	struct batch b = { .texts = texts };
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
	     !keep(v, &b, &e, err)))
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
		m = load(v, x, err);
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

/* ---- Searching ---- */

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
