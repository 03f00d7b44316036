#include "link/coordination/coordination.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "link/coordination/announcer.h"
#include "link/coordination/coordination_backend.h"
#include "link/sqlite/sqlite_store.h"

enum {
	APPLICATION_ID = 0x576d6331, /* "Wmc1" */
	SCAN_PAGE = 64,
	PURGE_ROWS = 200,
	PURGE_EVERY_MS = 10000,
};

/* 'state' holds the last time this store has shown anybody, and the last fence. */
static const char *const migrations[] = {
	"CREATE TABLE entry (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL,"
	"  expires_ms INTEGER) STRICT;"
	"CREATE INDEX entry_expires ON entry (expires_ms) WHERE expires_ms IS NOT NULL;"
	"CREATE TABLE counter (key TEXT NOT NULL PRIMARY KEY, total INTEGER NOT NULL,"
	"  expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE lease (name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL,"
	"  fence INTEGER NOT NULL, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE state (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL)"
	"  STRICT, WITHOUT ROWID;"
	"INSERT INTO state VALUES ('now_ms', 0), ('fence', 0);",
	NULL,
};

struct coord_sqlite {
	struct coordination base;
	struct sqlite_store *store;
	struct announcer *announcer;
	int64_t epoch_ms;
	_Atomic int64_t last_ms;  /* the store's clock, as last shown */
	int64_t purged_ms;        /* theirs who write, one at a time */
};

/* Arguments and results of one call, on their way into a transaction and back. */
struct call {
	struct coord_sqlite *c;
	const char *key, *value, *expected;
	int64_t ttl_ms, number, now_ms;
	bool want_value;
	int64_t ret_number;
	bool ret_flag;
	char *ret_value;
};

static struct coord_sqlite *self(struct coordination *c)
{
	return (struct coord_sqlite *)c;
}

/* ---- Time ------------------------------------------------------------------------ */

/* The wall clock, except that it waits while the wall clock stands in its past. */
static int64_t store_now(struct coord_sqlite *c)
{
	int64_t wall = clock_wall_ms(), last = atomic_load(&c->last_ms);

	while (wall > last)
		if (atomic_compare_exchange_weak(&c->last_ms, &last, wall))
			return wall;
	return last;
}

static bool sqlite_now_ms(struct coordination *c, int64_t *ret_now_ms, struct error *err)
{
	(void)err;
	*ret_now_ms = store_now(self(c));
	return true;
}

static bool sqlite_epoch_ms(struct coordination *c, int64_t *ret_began_ms, struct error *err)
{
	(void)err;
	*ret_began_ms = self(c)->epoch_ms;
	return true;
}

/* Remember the time on disk, and forget a little of what has expired. */
static bool keep_time(struct call *call, struct sqlite_connection *db, struct error *err)
{
	static const char remember[] = "UPDATE state SET value = ?1"
				       " WHERE name = 'now_ms' AND value < ?1";
	static const char *const purges[] = {
		"DELETE FROM entry WHERE rowid IN (SELECT rowid FROM entry"
		" WHERE expires_ms <= ?1 LIMIT ?2)",
		"DELETE FROM counter WHERE key IN (SELECT key FROM counter"
		" WHERE expires_ms <= ?1 LIMIT ?2)",
		"DELETE FROM lease WHERE name IN (SELECT name FROM lease"
		" WHERE expires_ms <= ?1 LIMIT ?2)",
	};
	sqlite3_stmt *st = sqlite_statement(db, remember, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, call->now_ms);
	if (!sqlite_run(db, st, err))
		return false;
	if (call->now_ms - call->c->purged_ms < PURGE_EVERY_MS)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(purges); i++) {
		st = sqlite_statement(db, purges[i], err);
		if (!st)
			return false;
		sqlite3_bind_int64(st, 1, call->now_ms);
		sqlite3_bind_int64(st, 2, PURGE_ROWS);
		if (!sqlite_run(db, st, err))
			return false;
	}
	call->c->purged_ms = call->now_ms;
	return true;
}

/* Every piece of work begins here: outputs afresh, the time of this very moment. */
static void begin(struct call *call)
{
	call->now_ms = store_now(call->c);
	call->ret_number = 0;
	call->ret_flag = false;
	free(TAKE(call->ret_value));
}

/* ?1 is the key and ?2 the time in every statement below. */
static sqlite3_stmt *prepare(struct call *call, struct sqlite_connection *db, const char *sql,
			     struct error *err)
{
	sqlite3_stmt *st = sqlite_statement(db, sql, err);

	if (!st || !sqlite_bind(db, st, 1, call->key, strlen(call->key), err))
		return NULL;
	if (sqlite3_bind_parameter_count(st) >= 2)
		sqlite3_bind_int64(st, 2, call->now_ms);
	return st;
}

static sqlite3_stmt *prepare_write(struct call *call, struct sqlite_connection *db,
				   const char *sql, struct error *err)
{
	begin(call);
	return keep_time(call, db, err) ? prepare(call, db, sql, err) : NULL;
}

/* ?3 */
static bool bind_value(struct call *call, struct sqlite_connection *db, sqlite3_stmt *st,
		       struct error *err)
{
	return sqlite_bind(db, st, 3, call->value, strlen(call->value), err);
}

/* Step a statement that answers with one row or none; column 0 is the number. */
static bool run_for_number(struct call *call, struct sqlite_connection *db, sqlite3_stmt *st,
			   struct error *err)
{
	if (!sqlite_step(db, st, &call->ret_flag, err))
		return false;
	if (call->ret_flag)
		call->ret_number = sqlite3_column_int64(st, 0);
	return true;
}

static bool write_call(struct call *call, sqlite_work_fn *work, struct error *err)
{
	if (sqlite_store_write(call->c->store, work, call, err))
		return true;
	free(TAKE(call->ret_value));
	return false;
}

/* ---- Entries --------------------------------------------------------------------- */

static const char select_entry[] =
	"SELECT value FROM entry WHERE key = ?1 AND (expires_ms IS NULL OR expires_ms > ?2)";

static bool get_work(void *context, struct sqlite_connection *db, struct error *err)
{
	struct call *call = context;
	sqlite3_stmt *st;
	bool row = false;

	begin(call);
	st = prepare(call, db, select_entry, err);
	if (!st || !sqlite_step(db, st, &row, err))
		return false;
	return !row || (call->ret_value = sqlite_column_copy(st, 0, err)) != NULL;
}

static bool sqlite_get(struct coordination *c, const char *key, char **ret_value,
		       struct error *err)
{
	struct call call = { .c = self(c), .key = key };

	if (!sqlite_store_read(self(c)->store, get_work, &call, err))
		return false;
	*ret_value = call.ret_value;
	return true;
}

static bool claim_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char insert[] =
		"INSERT INTO entry (key, value, expires_ms) VALUES (?1, ?3, ?4)"
		" ON CONFLICT (key) DO UPDATE SET value = ?3, expires_ms = ?4"
		" WHERE expires_ms <= ?2 RETURNING 1";
	struct call *call = context;
	sqlite3_stmt *st = prepare_write(call, db, insert, err);
	bool row = false;

	if (!st || !bind_value(call, db, st, err))
		return false;
	if (call->ttl_ms > 0)
		sqlite3_bind_int64(st, 4, call->now_ms + call->ttl_ms);
	if (!run_for_number(call, db, st, err))
		return false;
	if (call->ret_flag || !call->want_value)
		return true;
	st = prepare(call, db, select_entry, err);
	if (!st || !sqlite_step(db, st, &row, err))
		return false;
	return row && (call->ret_value = sqlite_column_copy(st, 0, err)) != NULL;
}

static bool sqlite_claim(struct coordination *c, const char *key, const char *value,
			 int64_t ttl_ms, bool *ret_first, char **ret_existing, struct error *err)
{
	struct call call = { .c = self(c), .key = key, .value = value, .ttl_ms = ttl_ms,
			     .want_value = ret_existing != NULL };

	if (!write_call(&call, claim_work, err))
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
	struct call *call = context;
	sqlite3_stmt *st = prepare_write(call, db, upsert, err);

	if (!st || !bind_value(call, db, st, err))
		return false;
	if (call->ttl_ms > 0)
		sqlite3_bind_int64(st, 4, call->now_ms + call->ttl_ms);
	return sqlite_run(db, st, err);
}

static bool sqlite_put(struct coordination *c, const char *key, const char *value,
		       int64_t ttl_ms, struct error *err)
{
	struct call call = { .c = self(c), .key = key, .value = value, .ttl_ms = ttl_ms };

	return write_call(&call, put_work, err);
}

static bool swap_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char update[] =
		"UPDATE entry SET value = ?3 WHERE key = ?1 AND value = ?4"
		" AND (expires_ms IS NULL OR expires_ms > ?2) RETURNING 1";
	struct call *call = context;
	sqlite3_stmt *st = prepare_write(call, db, update, err);

	return st && bind_value(call, db, st, err) &&
	       sqlite_bind(db, st, 4, call->expected, strlen(call->expected), err) &&
	       run_for_number(call, db, st, err);
}

static bool sqlite_swap(struct coordination *c, const char *key, const char *expected,
			const char *value, bool *ret_changed, struct error *err)
{
	struct call call = { .c = self(c), .key = key, .value = value, .expected = expected };

	if (!write_call(&call, swap_work, err))
		return false;
	*ret_changed = call.ret_flag;
	return true;
}

static bool take_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char remove[] = "DELETE FROM entry WHERE key = ?1"
				     " RETURNING value, expires_ms";
	struct call *call = context;
	sqlite3_stmt *st = prepare_write(call, db, remove, err);
	bool row = false;

	if (!st || !sqlite_step(db, st, &row, err))
		return false;
	/* Judged here: SQLite 3.40 returns NULL for 'x IS NULL OR x > ?' in RETURNING. */
	if (!row || (sqlite3_column_type(st, 1) != SQLITE_NULL &&
		     sqlite3_column_int64(st, 1) <= call->now_ms))
		return true;
	return (call->ret_value = sqlite_column_copy(st, 0, err)) != NULL;
}

static bool sqlite_take(struct coordination *c, const char *key, char **ret_value,
			struct error *err)
{
	struct call call = { .c = self(c), .key = key };

	if (!write_call(&call, take_work, err))
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
	struct call call = { .c = page->c, .key = page->prefix };
	sqlite3_stmt *st;
	bool row = true;

	begin(&call);
	st = prepare(&call, db, select, err);
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

static bool sqlite_scan(struct coordination *c, const char *prefix,
			bool (*fn)(void *context, const char *key, const char *value),
			void *context, struct error *err)
{
	_cleanup_(scan_page_done) struct scan_page page = { .c = self(c), .prefix = prefix };
	bool more = true;

	while (more) {
		scan_page_clear(&page);
		if (!sqlite_store_read(self(c)->store, scan_work, &page, err))
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

/* ---- Counters -------------------------------------------------------------------- */

static bool count_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char upsert[] =
		"INSERT INTO counter (key, total, expires_ms) VALUES (?1, ?3, ?4)"
		" ON CONFLICT (key) DO UPDATE SET"
		" total = CASE WHEN expires_ms <= ?2 THEN ?3 ELSE total + ?3 END,"
		" expires_ms = CASE WHEN expires_ms <= ?2 THEN ?4 ELSE expires_ms END"
		" RETURNING total";
	struct call *call = context;
	sqlite3_stmt *st = prepare_write(call, db, upsert, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 3, call->number);
	sqlite3_bind_int64(st, 4, call->now_ms + call->ttl_ms);
	return run_for_number(call, db, st, err);
}

static bool sqlite_count(struct coordination *c, const char *key, int64_t by, int64_t window_ms,
			 int64_t *ret_total, struct error *err)
{
	struct call call = { .c = self(c), .key = key, .number = by, .ttl_ms = window_ms };

	if (!write_call(&call, count_work, err))
		return false;
	*ret_total = call.ret_number;
	return true;
}

/* ---- Leases ---------------------------------------------------------------------- */

/* The holder itself may take its lease anew (after a restart): its old fence ends. */
static bool lease_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char upsert[] =
		"INSERT INTO lease (name, holder, fence, expires_ms) VALUES (?1, ?3,"
		" (SELECT value + 1 FROM state WHERE name = 'fence'), ?4)"
		" ON CONFLICT (name) DO UPDATE SET holder = ?3, fence = excluded.fence,"
		" expires_ms = ?4 WHERE expires_ms <= ?2 OR holder = ?3 RETURNING fence";
	static const char raise[] = "UPDATE state SET value = value + 1 WHERE name = 'fence'";
	struct call *call = context;
	sqlite3_stmt *st = prepare_write(call, db, upsert, err);

	if (!st || !bind_value(call, db, st, err))
		return false;
	sqlite3_bind_int64(st, 4, call->now_ms + call->ttl_ms);
	if (!run_for_number(call, db, st, err))
		return false;
	if (!call->ret_flag)
		return true;
	st = sqlite_statement(db, raise, err);
	return st && sqlite_run(db, st, err);
}

static bool sqlite_lease(struct coordination *c, const char *name, const char *holder,
			 int64_t ttl_ms, int64_t *ret_fence, struct error *err)
{
	struct call call = { .c = self(c), .key = name, .value = holder, .ttl_ms = ttl_ms };

	if (!write_call(&call, lease_work, err))
		return false;
	*ret_fence = call.ret_number;
	return true;
}

static bool lease_renew_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char update[] = "UPDATE lease SET expires_ms = ?4 WHERE name = ?1"
				     " AND fence = ?3 AND expires_ms > ?2 RETURNING 1";
	struct call *call = context;
	sqlite3_stmt *st = prepare_write(call, db, update, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 3, call->number);
	sqlite3_bind_int64(st, 4, call->now_ms + call->ttl_ms);
	return run_for_number(call, db, st, err);
}

static bool sqlite_lease_renew(struct coordination *c, const char *name, int64_t fence,
			       int64_t ttl_ms, bool *ret_held, struct error *err)
{
	struct call call = { .c = self(c), .key = name, .number = fence, .ttl_ms = ttl_ms };

	if (!write_call(&call, lease_renew_work, err))
		return false;
	*ret_held = call.ret_flag;
	return true;
}

static bool lease_release_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char remove[] = "DELETE FROM lease WHERE name = ?1 AND fence = ?2";
	struct call *call = context;
	sqlite3_stmt *st = prepare_write(call, db, remove, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 2, call->number);
	return sqlite_run(db, st, err);
}

static bool sqlite_lease_release(struct coordination *c, const char *name, int64_t fence,
				 struct error *err)
{
	struct call call = { .c = self(c), .key = name, .number = fence };

	return write_call(&call, lease_release_work, err);
}

/* ---- Announcements --------------------------------------------------------------- */

static bool sqlite_publish(struct coordination *c, const char *topic, const char *text,
			   struct error *err)
{
	return announcer_publish(self(c)->announcer, topic, text, err);
}

static struct coord_subscription *sqlite_subscribe(struct coordination *c, const char *topic,
		void (*fn)(void *context, const char *topic, const char *text), void *context,
		struct error *err)
{
	return announcer_subscribe(self(c)->announcer, c->backend, topic, fn, context, err);
}

/* ---- Life ------------------------------------------------------------------------ */

static void sqlite_close(struct coordination *c)
{
	announcer_free(self(c)->announcer);
	sqlite_store_close(self(c)->store);
	free(self(c));
}

static const struct coord_backend backend = {
	.name = "sqlite",
	.close = sqlite_close,
	.now_ms = sqlite_now_ms,
	.epoch_ms = sqlite_epoch_ms,
	.claim = sqlite_claim,
	.put = sqlite_put,
	.swap = sqlite_swap,
	.get = sqlite_get,
	.take = sqlite_take,
	.scan = sqlite_scan,
	.count = sqlite_count,
	.lease = sqlite_lease,
	.lease_renew = sqlite_lease_renew,
	.lease_release = sqlite_lease_release,
	.publish = sqlite_publish,
	.subscribe = sqlite_subscribe,
	.unsubscribe = announcer_unsubscribe,
};

static bool last_time_work(void *context, struct sqlite_connection *db, struct error *err)
{
	struct call *call = context;
	sqlite3_stmt *st =
		sqlite_statement(db, "SELECT value FROM state WHERE name = 'now_ms'", err);

	return st && run_for_number(call, db, st, err);
}

/* The epoch is on disk before anybody hears of it, and later than all that was. */
static bool epoch_work(void *context, struct sqlite_connection *db, struct error *err)
{
	begin(context);
	return keep_time(context, db, err);
}

struct coordination *coord_open_sqlite(const char *path, struct error *err)
{
	const struct sqlite_store_config config = {
		.path = path, .application_id = APPLICATION_ID, .migrations = migrations,
	};
	_cleanup_(coord_closep) struct coordination *c = NULL;
	struct coord_sqlite *own = calloc(1, sizeof *own);
	struct call call = { .c = own };

	if (!own) {
		error_oom(err);
		return NULL;
	}
	own->base.backend = &backend;
	c = &own->base;
	own->store = sqlite_store_open(&config, err);
	if (!own->store || !sqlite_store_read(own->store, last_time_work, &call, err))
		return NULL;
	atomic_store(&own->last_ms, call.ret_number + 1);
	own->epoch_ms = store_now(own);
	if (!sqlite_store_write(own->store, epoch_work, &call, err))
		return NULL;
	own->announcer = announcer_new(err);
	return own->announcer ? TAKE(c) : NULL;
}
