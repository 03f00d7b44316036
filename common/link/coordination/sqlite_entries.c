#include "link/coordination/coordination_sqlite.h"

enum { SCAN_PAGE = 64 };

/* ---- Entries --------------------------------------------------------------------- */

static const char select_entry[] = "SELECT value FROM entry WHERE key = ?1 AND "
				   "(expires_ms IS NULL OR expires_ms > ?2)";

static bool get_work(void *context, struct sqlite_connection *db, struct error *err)
{
	struct coord_call *call = context;
	sqlite3_stmt *st;
	bool row = false;

	coord_call_begin(call);
	st = coord_call_prepare(call, db, select_entry, err);
	if (!st || !sqlite_step(db, st, &row, err))
		return false;
	return !row || (call->ret_value = sqlite_column_copy(st, 0, err)) != NULL;
}

bool coord_sqlite_get(struct coordination *c, const char *key, char **ret_value,
		      struct error *err)
{
	struct coord_call call = { .c = coord_sqlite(c), .key = key };

	if (!sqlite_store_read(coord_sqlite(c)->store, get_work, &call, err))
		return false;
	*ret_value = call.ret_value;
	return true;
}

static bool claim_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char insert[] =
		"INSERT INTO entry (key, value, expires_ms) VALUES (?1, ?3, ?4)"
		" ON CONFLICT (key) DO UPDATE SET value = ?3, expires_ms = ?4"
		" WHERE expires_ms <= ?2";
	struct coord_call *call = context;
	sqlite3_stmt *st = coord_call_prepare_write(call, db, insert, err);
	bool row = false;

	if (!st || !coord_call_bind_value(call, db, st, err))
		return false;
	if (call->ttl_ms > 0)
		sqlite3_bind_int64(st, 4, call->now_ms + call->ttl_ms);
	if (!coord_call_change(call, db, st, err))
		return false;
	if (call->ret_flag || !call->want_value)
		return true;
	st = coord_call_prepare(call, db, select_entry, err);
	if (!st || !sqlite_step(db, st, &row, err))
		return false;
	return row && (call->ret_value = sqlite_column_copy(st, 0, err)) != NULL;
}

bool coord_sqlite_claim(struct coordination *c, const char *key, const char *value,
			int64_t ttl_ms, bool *ret_first, char **ret_existing,
			struct error *err)
{
	struct coord_call call = { .c = coord_sqlite(c),
				   .key = key,
				   .value = value,
				   .ttl_ms = ttl_ms,
				   .want_value = ret_existing != NULL };

	if (!coord_call_write(&call, claim_work, err))
		return false;
	*ret_first = call.ret_flag;
	if (ret_existing)
		*ret_existing = call.ret_value;
	return true;
}

static bool put_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char upsert[] =
		"INSERT INTO entry (key, value, expires_ms) VALUES (?1, ?3, ?4)"
		" ON CONFLICT (key) DO UPDATE SET value = ?3, expires_ms = CASE"
		" WHEN ?4 IS NOT NULL THEN ?4"
		" WHEN expires_ms > ?2 THEN expires_ms"
		" ELSE NULL END";
	struct coord_call *call = context;
	sqlite3_stmt *st = coord_call_prepare_write(call, db, upsert, err);

	if (!st || !coord_call_bind_value(call, db, st, err))
		return false;
	if (call->ttl_ms > 0)
		sqlite3_bind_int64(st, 4, call->now_ms + call->ttl_ms);
	return sqlite_run(db, st, err);
}

bool coord_sqlite_put(struct coordination *c, const char *key, const char *value,
		      int64_t ttl_ms, struct error *err)
{
	struct coord_call call = {
		.c = coord_sqlite(c), .key = key, .value = value, .ttl_ms = ttl_ms
	};

	return coord_call_write(&call, put_work, err);
}

static bool swap_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char update[] =
		"UPDATE entry SET value = ?3 WHERE key = ?1 AND value = ?4"
		" AND (expires_ms IS NULL OR expires_ms > ?2)";
	struct coord_call *call = context;
	sqlite3_stmt *st = coord_call_prepare_write(call, db, update, err);

	return st && coord_call_bind_value(call, db, st, err) &&
	       sqlite_bind(db, st, 4, call->expected, strlen(call->expected), err) &&
	       coord_call_change(call, db, st, err);
}

bool coord_sqlite_swap(struct coordination *c, const char *key, const char *expected,
		       const char *value, bool *ret_changed, struct error *err)
{
	struct coord_call call = {
		.c = coord_sqlite(c), .key = key, .value = value, .expected = expected
	};

	if (!coord_call_write(&call, swap_work, err))
		return false;
	*ret_changed = call.ret_flag;
	return true;
}

static bool take_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char remove[] = "DELETE FROM entry WHERE key = ?1"
				     " RETURNING value, expires_ms";
	struct coord_call *call = context;
	sqlite3_stmt *st = coord_call_prepare_write(call, db, remove, err);
	bool row = false;

	if (!st || !sqlite_step(db, st, &row, err))
		return false;
	/* Judged here: SQLite 3.40 returns NULL for 'x IS NULL OR x > ?' in RETURNING. */
	if (!row || (sqlite3_column_type(st, 1) != SQLITE_NULL &&
		     sqlite3_column_int64(st, 1) <= call->now_ms))
		return true;
	return (call->ret_value = sqlite_column_copy(st, 0, err)) != NULL;
}

bool coord_sqlite_take(struct coordination *c, const char *key, char **ret_value,
		       struct error *err)
{
	struct coord_call call = { .c = coord_sqlite(c), .key = key };

	if (!coord_call_write(&call, take_work, err))
		return false;
	*ret_value = call.ret_value;
	return true;
}

/* ---- Scanning -------------------------------------------------------------------- */

/* Rows are copied page by page, so that 'fn' runs outside the store's lock. */
struct scan_page {
	struct coord_sqlite *c;
	const char *prefix;
	char *after; /* NULL before the first page */
	size_t count;
	char *keys[SCAN_PAGE], *values[SCAN_PAGE];
};

static void scan_page_clear(struct scan_page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		free(page->keys[i]);
		free(page->values[i]);
	}
	page->count = 0;
}

static void scan_page_done(struct scan_page *page)
{
	scan_page_clear(page);
	free(page->after);
}

static bool scan_work(void *context, struct sqlite_connection *db, struct error *err)
{
	/* DEL is above every character of a key. */
	static const char select[] =
		"SELECT key, value FROM entry WHERE key >= ?1 AND key < ?1 || char(127)"
		" AND (?3 IS NULL OR key > ?3)"
		" AND (expires_ms IS NULL OR expires_ms > ?2) ORDER BY key LIMIT ?4";
	struct scan_page *page = context;
	struct coord_call call = { .c = page->c, .key = page->prefix };
	sqlite3_stmt *st;
	bool row = true;

	coord_call_begin(&call);
	st = coord_call_prepare(&call, db, select, err);
	if (!st)
		return false;
	if (page->after && !sqlite_bind(db, st, 3, page->after, strlen(page->after), err))
		return false;
	sqlite3_bind_int64(st, 4, SCAN_PAGE);
	while (page->count < SCAN_PAGE) {
		if (!sqlite_step(db, st, &row, err))
			return false;
		if (!row)
			break;
		page->keys[page->count] = sqlite_column_copy(st, 0, err);
		page->values[page->count] = sqlite_column_copy(st, 1, err);
		page->count++; /* even half a row: scan_page_clear ends it */
		if (!page->keys[page->count - 1] || !page->values[page->count - 1])
			return false;
	}
	return true;
}

bool coord_sqlite_scan(struct coordination *c, const char *prefix,
		       bool (*fn)(void *context, const char *key, const char *value),
		       void *context, struct error *err)
{
	_cleanup_(scan_page_done) struct scan_page page = { .c = coord_sqlite(c),
							    .prefix = prefix };
	bool more = true;

	while (more) {
		scan_page_clear(&page);
		if (!sqlite_store_read(coord_sqlite(c)->store, scan_work, &page, err))
			return false;
		for (size_t i = 0; i < page.count; i++)
			if (!fn(context, page.keys[i], page.values[i]))
				return true;
		more = page.count == SCAN_PAGE;
		if (more) {
			free(page.after);
			page.after = TAKE(page.keys[SCAN_PAGE - 1]);
		}
	}
	return true;
}
