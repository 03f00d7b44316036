#include "link/coordination/coordination_sqlite.h"

#include <sys/stat.h>

#include "base/clock.h"

enum {
	APPLICATION_ID = 0x576d6331, /* "Wmc1" */
	PURGE_ROWS = 200,
	PURGE_EVERY_MS = 10000,
	FIRST_PURGE_MS = 1000, /* not while somebody waits for us to start */
	CLOCK_BEHIND_MAX_MS = 60 * 60 * 1000,
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
	/* Which file this is, and since when it is that one. */
	"INSERT INTO state VALUES ('file', 0), ('since_ms', 0);",
	NULL,
};

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
	*ret_now_ms = store_now(coord_sqlite(c));
	return true;
}

static bool sqlite_epoch_ms(struct coordination *c, int64_t *ret_began_ms,
			    struct error *err)
{
	(void)err;
	*ret_began_ms = coord_sqlite(c)->epoch_ms;
	return true;
}

static bool sqlite_remembers_ms(struct coordination *c, int64_t *ret_since_ms,
				struct error *err)
{
	(void)err;
	*ret_since_ms = coord_sqlite(c)->remembers_ms;
	return true;
}

/* Remember the time on disk, and forget a little of what has expired. */
static bool keep_time(struct coord_call *call, struct sqlite_connection *db,
		      struct error *err)
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
	sqlite3_stmt *st;

	/* Once a millisecond is enough, of those that stand or fall together. */
	if (call->c->kept_ms == call->now_ms && call->c->kept_try == sqlite_try(db))
		return true;
	st = sqlite_statement(db, remember, err);
	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, call->now_ms);
	if (!sqlite_run(db, st, err))
		return false;
	call->c->kept_ms = call->now_ms;
	call->c->kept_try = sqlite_try(db);
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

void coord_call_begin(struct coord_call *call)
{
	call->now_ms = store_now(call->c);
	call->ret_number = 0;
	call->ret_flag = false;
	free(TAKE(call->ret_value));
}

sqlite3_stmt *coord_call_prepare(struct coord_call *call, struct sqlite_connection *db,
				 const char *sql, struct error *err)
{
	sqlite3_stmt *st = sqlite_statement(db, sql, err);

	if (!st || !sqlite_bind(db, st, 1, call->key, strlen(call->key), err))
		return NULL;
	if (sqlite3_bind_parameter_count(st) >= 2)
		sqlite3_bind_int64(st, 2, call->now_ms);
	return st;
}

sqlite3_stmt *coord_call_prepare_write(struct coord_call *call,
				       struct sqlite_connection *db, const char *sql,
				       struct error *err)
{
	coord_call_begin(call);
	return keep_time(call, db, err) ? coord_call_prepare(call, db, sql, err) : NULL;
}

bool coord_call_bind_value(struct coord_call *call, struct sqlite_connection *db,
			   sqlite3_stmt *st, struct error *err)
{
	return sqlite_bind(db, st, 3, call->value, strlen(call->value), err);
}

bool coord_call_step(struct coord_call *call, struct sqlite_connection *db,
		     sqlite3_stmt *st, struct error *err)
{
	if (!sqlite_step(db, st, &call->ret_flag, err))
		return false;
	if (call->ret_flag)
		call->ret_number = sqlite3_column_int64(st, 0);
	return true;
}

bool coord_call_change(struct coord_call *call, struct sqlite_connection *db,
		       sqlite3_stmt *st, struct error *err)
{
	if (!sqlite_run(db, st, err))
		return false;
	call->ret_flag = sqlite_changed(db) > 0;
	return true;
}

bool coord_call_write(struct coord_call *call, sqlite_work_fn *work, struct error *err)
{
	if (sqlite_store_write(call->c->store, work, call, err))
		return true;
	free(TAKE(call->ret_value));
	return false;
}

/* ---- Announcements --------------------------------------------------------------- */

static bool sqlite_publish(struct coordination *c, const char *topic, const char *text,
			   struct error *err)
{
	return announcer_publish(coord_sqlite(c)->announcer, topic, text, err);
}

static struct coord_subscription *sqlite_subscribe(
	struct coordination *c, const char *topic,
	void (*fn)(void *context, const char *topic, const char *text), void *context,
	struct error *err)
{
	return announcer_subscribe(coord_sqlite(c)->announcer, c->backend, topic, fn,
				   context, err);
}

/* ---- Life ------------------------------------------------------------------------ */

static void sqlite_close(struct coordination *c)
{
	announcer_free(coord_sqlite(c)->announcer);
	sqlite_store_close(coord_sqlite(c)->store);
	free(coord_sqlite(c));
}

static const struct coord_backend backend = {
	.name = "sqlite",
	.close = sqlite_close,
	.now_ms = sqlite_now_ms,
	.epoch_ms = sqlite_epoch_ms,
	.remembers_ms = sqlite_remembers_ms,
	.claim = coord_sqlite_claim,
	.put = coord_sqlite_put,
	.swap = coord_sqlite_swap,
	.get = coord_sqlite_get,
	.take = coord_sqlite_take,
	.scan = coord_sqlite_scan,
	.count = coord_sqlite_count,
	.lease = coord_sqlite_lease,
	.lease_renew = coord_sqlite_lease_renew,
	.lease_release = coord_sqlite_lease_release,
	.publish = sqlite_publish,
	.subscribe = sqlite_subscribe,
	.unsubscribe = announcer_unsubscribe,
};

static bool read_last_time(struct coord_call *call, struct sqlite_connection *db,
			   struct error *err)
{
	sqlite3_stmt *st = sqlite_statement(
		db, "SELECT value FROM state WHERE name = 'now_ms'", err);

	return st && coord_call_step(call, db, st, err);
}

/* A file that was put in the place of the one that was written to is another. */
static bool keep_identity(struct coord_call *call, struct sqlite_connection *db,
			  struct error *err)
{
	sqlite3_stmt *st = sqlite_statement(
		db,
		"UPDATE state SET value = iif(name = 'file', ?1, ?2)"
		" WHERE name IN ('file', 'since_ms')"
		" AND (SELECT value FROM state WHERE name = 'file') <> ?1",
		err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, call->number);
	sqlite3_bind_int64(st, 2, call->c->epoch_ms);
	if (!sqlite_run(db, st, err))
		return false;
	st = sqlite_statement(db, "SELECT value FROM state WHERE name = 'since_ms'", err);
	return st && coord_call_step(call, db, st, err);
}

/* Never 0, which no file has been told yet. */
static bool file_number(const char *path, int64_t *ret, struct error *err)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return error_errno(err, "cannot look at '%s'", path);
	*ret = (int64_t)(st.st_ino & INT64_MAX);
	return true;
}

/* Until the clock has caught up, nothing would expire and every grant be too old: say
 * so now instead of refusing each call for a reason that nobody understands. */
static bool check_clock(int64_t last_ms, const char *path, struct error *err)
{
	char last[CLOCK_TEXT_BYTES], wall[CLOCK_TEXT_BYTES];
	int64_t wall_ms = clock_wall_ms();

	if (last_ms - wall_ms <= CLOCK_BEHIND_MAX_MS)
		return true;
	error_set(err, ERR_PRECONDITION_FAILED,
		  "the clock says %s, but store '%s' has seen %s already",
		  clock_format(wall_ms, wall), path, clock_format(last_ms, last));
	return error_hint(err,
			  "set the clock right; only if the store's time was wrong, move "
			  "the store away: what was claimed in it is then forgotten");
}

struct opening {
	struct coord_call call;
	const char *path;
};

/* The epoch is on disk before anybody hears of it, and later than all that was. */
static bool epoch_work(void *context, struct sqlite_connection *db, struct error *err)
{
	struct opening *o = context;
	struct coord_sqlite *own = o->call.c;

	if (!read_last_time(&o->call, db, err) ||
	    !check_clock(o->call.ret_number, o->path, err))
		return false;
	atomic_store(&own->last_ms, o->call.ret_number + 1);
	own->epoch_ms = store_now(own);
	own->purged_ms = own->epoch_ms - PURGE_EVERY_MS + FIRST_PURGE_MS;
	coord_call_begin(&o->call);
	return keep_time(&o->call, db, err) && keep_identity(&o->call, db, err);
}

struct coordination *coord_open_sqlite(const char *path, struct error *err)
{
	const struct sqlite_store_config config = {
		.path = path,
		.application_id = APPLICATION_ID,
		.migrations = migrations,
		.reads_are_short = true,
	};
	_cleanup_(coord_closep) struct coordination *c = NULL;
	struct coord_sqlite *own = calloc(1, sizeof *own);
	struct opening o = { .call = { .c = own }, .path = path };

	if (!own) {
		error_oom(err);
		return NULL;
	}
	own->base.backend = &backend;
	c = &own->base;
	own->store = sqlite_store_open(&config, err);
	if (!own->store || !file_number(path, &o.call.number, err) ||
	    !sqlite_store_write(own->store, epoch_work, &o, err))
		return NULL;
	own->remembers_ms = o.call.ret_number;
	own->announcer = announcer_new(err);
	return own->announcer ? TAKE(c) : NULL;
}
