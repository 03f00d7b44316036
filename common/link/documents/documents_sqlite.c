#include "link/documents/documents.h"

#include "base/clock.h"
#include "base/strbuf.h"
#include "link/documents/documents_backend.h"
#include "link/sqlite/sqlite_store.h"

enum { APPLICATION_ID = 0x576d6431 }; /* "Wmd1" */

/* No CHECK (json_valid(body)): with trusted_schema off, 3.40 lets no JSON function
 * stand in a schema. What comes in was written by json_write, what goes out is parsed. */
static const char *const migrations[] = {
	"CREATE TABLE document (collection TEXT NOT NULL, id TEXT NOT NULL,"
	"  revision INTEGER NOT NULL CHECK (revision > 0), updated_ms INTEGER NOT NULL,"
	"  body TEXT NOT NULL, PRIMARY KEY (collection, id)) STRICT;",
	NULL,
};

struct documents_sqlite {
	struct documents base;
	struct sqlite_store *store;
};

/* Arguments and results of one call, on their way into a transaction and back. */
struct call {
	const char *collection, *id, *text;
	size_t text_bytes;
	int64_t expected;
	int64_t ret_revision;
	bool ret_found;
	struct document_row *ret_row;
};

struct page_call {
	const char *collection, *after;
	const struct documents_filter *filters;
	bool newest_first;
	size_t max;
	struct document_row *rows;
	size_t count;
};

static struct sqlite_store *store_of(struct documents *d)
{
	return ((struct documents_sqlite *)d)->store;
}

static bool bind(struct sqlite_connection *db, sqlite3_stmt *st, int index,
		 const char *text, struct error *err)
{
	return sqlite_bind(db, st, index, text, strlen(text), err);
}

/* ?1 is the collection and ?2 the id. */
static sqlite3_stmt *prepare(const struct call *call, struct sqlite_connection *db,
			     const char *sql, struct error *err)
{
	sqlite3_stmt *st = sqlite_statement(db, sql, err);

	if (!st || !bind(db, st, 1, call->collection, err) ||
	    !bind(db, st, 2, call->id, err))
		return NULL;
	return st;
}

/* Columns: id, revision, updated_ms, body. */
static bool copy_row(sqlite3_stmt *st, struct document_row *row, struct error *err)
{
	_cleanup_free_ char *id = sqlite_column_copy(st, 0, err);

	if (!id)
		return false;
	if (strlen(id) > DOCUMENT_ID_MAX)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "a document's id is damaged");
	memcpy(row->id, id, strlen(id) + 1);
	row->revision = sqlite3_column_int64(st, 1);
	row->updated_ms = sqlite3_column_int64(st, 2);
	row->text = sqlite_column_copy(st, 3, err);
	if (!row->text)
		return false;
	row->text_bytes = (size_t)sqlite3_column_bytes(st, 3);
	return true;
}

static bool get_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char select[] = "SELECT id, revision, updated_ms, body FROM document"
				     " WHERE collection = ?1 AND id = ?2";
	struct call *call = context;
	sqlite3_stmt *st = prepare(call, db, select, err);

	return st && sqlite_step(db, st, &call->ret_found, err) &&
	       (!call->ret_found || copy_row(st, call->ret_row, err));
}

static bool sqlite_get(struct documents *d, const char *collection, const char *id,
		       struct document_row *ret, bool *ret_found, struct error *err)
{
	struct call call = { .collection = collection, .id = id, .ret_row = ret };

	if (!sqlite_store_read(store_of(d), get_work, &call, err))
		return false;
	*ret_found = call.ret_found;
	return true;
}

/* One statement a case: compare and set are one step. No row back is a conflict. */
static const char *put_sql(int64_t expected)
{
	if (expected == DOCUMENT_NEW)
		return "INSERT INTO document VALUES (?1, ?2, 1, ?4, ?3)"
		       " ON CONFLICT DO NOTHING RETURNING revision";
	if (expected == DOCUMENT_ANY)
		return "INSERT INTO document VALUES (?1, ?2, 1, ?4, ?3)"
		       " ON CONFLICT DO UPDATE SET revision = revision + 1,"
		       " updated_ms = ?4, body = ?3 RETURNING revision";
	return "UPDATE document SET revision = revision + 1, updated_ms = ?4, body = ?3"
	       " WHERE collection = ?1 AND id = ?2 AND revision = ?5 RETURNING revision";
}

static bool put_work(void *context, struct sqlite_connection *db, struct error *err)
{
	struct call *call = context;
	sqlite3_stmt *st = prepare(call, db, put_sql(call->expected), err);
	bool row = false;

	call->ret_revision = 0;
	if (!st || !sqlite_bind(db, st, 3, call->text, call->text_bytes, err))
		return false;
	sqlite3_bind_int64(st, 4, clock_wall_ms());
	if (call->expected > 0)
		sqlite3_bind_int64(st, 5, call->expected);
	if (!sqlite_step(db, st, &row, err))
		return false;
	if (row)
		call->ret_revision = sqlite3_column_int64(st, 0);
	return true;
}

static bool sqlite_put(struct documents *d, const char *collection, const char *id,
		       const char *text, size_t text_bytes, int64_t expected,
		       int64_t *ret_revision, struct error *err)
{
	struct call call = { .collection = collection,
			     .id = id,
			     .text = text,
			     .text_bytes = text_bytes,
			     .expected = expected };

	if (!sqlite_store_write(store_of(d), put_work, &call, err))
		return false;
	*ret_revision = call.ret_revision;
	return true;
}

static bool delete_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char remove[] =
		"DELETE FROM document WHERE collection = ?1 AND id = ?2 RETURNING 1";
	struct call *call = context;
	sqlite3_stmt *st = prepare(call, db, remove, err);

	return st && sqlite_step(db, st, &call->ret_found, err);
}

static bool sqlite_remove(struct documents *d, const char *collection, const char *id,
			  bool *ret_existed, struct error *err)
{
	struct call call = { .collection = collection, .id = id };

	if (!sqlite_store_write(store_of(d), delete_work, &call, err))
		return false;
	*ret_existed = call.ret_found;
	return true;
}

/* ---- Queries ---------------------------------------------------------------------- */

/* "plan.risk" as SQLite's path: $."plan"."risk". Its characters were checked. */
static bool bind_path(struct sqlite_connection *db, sqlite3_stmt *st, int index,
		      const char *path, struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strbuf_add_string(&sb, "$.\"");
	for (const char *p = path; *p; p++)
		if (*p == '.')
			strbuf_add_string(&sb, "\".\"");
		else
			strbuf_add_char(&sb, *p);
	strbuf_add_char(&sb, '"');
	if (!strbuf_ok(&sb))
		return error_oom(err);
	if (sqlite3_bind_text64(st, index, sb.data, sb.length, SQLITE_TRANSIENT,
				SQLITE_UTF8) != SQLITE_OK)
		return error_oom(err);
	(void)db;
	return true;
}

/* ?1 collection, ?2 after or NULL, ?3 limit, then path and value of each filter. */
static sqlite3_stmt *prepare_page(const struct page_call *call,
				  struct sqlite_connection *db, struct error *err)
{
	_cleanup_strbuf_ struct strbuf sql = STRBUF_INIT;

	strbuf_add_string(&sql, "SELECT id, revision, updated_ms, body FROM document"
				" WHERE collection = ?1");
	if (call->after)
		strbuf_add_string(&sql,
				  call->newest_first ? " AND id < ?2" : " AND id > ?2");
	for (int i = 0; call->filters && call->filters[i].path; i++)
		strbuf_add_format(&sql, " AND body ->> ?%d = ?%d", 4 + 2 * i, 5 + 2 * i);
	strbuf_add_format(&sql, " ORDER BY id %s LIMIT ?3",
			  call->newest_first ? "DESC" : "ASC");
	if (!strbuf_ok(&sql)) {
		error_oom(err);
		return NULL;
	}
	return sqlite_statement_once(db, sql.data, err);
}

static bool bind_page(const struct page_call *call, struct sqlite_connection *db,
		      sqlite3_stmt *st, struct error *err)
{
	if (!bind(db, st, 1, call->collection, err) ||
	    (call->after && !bind(db, st, 2, call->after, err)))
		return false;
	sqlite3_bind_int64(st, 3, (int64_t)call->max);
	for (int i = 0; call->filters && call->filters[i].path; i++)
		if (!bind_path(db, st, 4 + 2 * i, call->filters[i].path, err) ||
		    !bind(db, st, 5 + 2 * i, call->filters[i].equals, err))
			return false;
	return true;
}

static bool page_work(void *context, struct sqlite_connection *db, struct error *err)
{
	struct page_call *call = context;
	sqlite3_stmt *st = prepare_page(call, db, err);
	bool ok = st && bind_page(call, db, st, err), row = true;

	while (ok && row && call->count < call->max) {
		ok = sqlite_step(db, st, &row, err);
		if (ok && row)
			ok = copy_row(st, &call->rows[call->count++], err);
	}
	(void)sqlite3_finalize(st);
	return ok;
}

static bool sqlite_page(struct documents *d, const char *collection,
			const struct documents_filter *filters, const char *after,
			bool newest_first, size_t max, struct document_row *rows,
			size_t *ret_count, struct error *err)
{
	struct page_call call = { .collection = collection,
				  .after = after,
				  .filters = filters,
				  .newest_first = newest_first,
				  .max = max,
				  .rows = rows };

	if (!sqlite_store_read(store_of(d), page_work, &call, err))
		return false;
	*ret_count = call.count;
	return true;
}

/* ---- Life ------------------------------------------------------------------------- */

static void sqlite_close(struct documents *d)
{
	sqlite_store_close(store_of(d));
	free(d);
}

static const struct documents_backend backend = {
	.name = "sqlite",
	.close = sqlite_close,
	.get = sqlite_get,
	.put = sqlite_put,
	.remove = sqlite_remove,
	.page = sqlite_page,
};

struct documents *documents_open_sqlite(const char *path, struct error *err)
{
	const struct sqlite_store_config config = {
		.path = path,
		.application_id = APPLICATION_ID,
		.migrations = migrations,
	};
	struct documents_sqlite *d = calloc(1, sizeof *d);

	if (!d) {
		error_oom(err);
		return NULL;
	}
	d->base.backend = &backend;
	d->store = sqlite_store_open(&config, err);
	if (!d->store) {
		free(d);
		return NULL;
	}
	return (struct documents *)d;
}
