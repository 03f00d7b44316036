/* The file of vectors: by digest of the text they are of, for one model. */
#include "servers/playbooks/vectors_private.h"

#include <string.h>
#include <sys/stat.h>

#include "base/log.h"

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

bool vectors_open_file(struct vectors *v, const char *path, const char *model,
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

/* ---- What is there for an index ---- */

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
		if (!vectors_text(x, i, &body, &text))
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

struct matrix *vectors_load(struct vectors *v, struct index *x, struct error *err)
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

/* ---- What is new ---- */

bool vectors_keep(struct vectors *v, const struct vectors_batch *b,
		  const struct embedded *e, struct error *err)
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
