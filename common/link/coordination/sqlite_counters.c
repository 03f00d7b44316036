#include "link/coordination/coordination_sqlite.h"

/* ---- Counters -------------------------------------------------------------------- */

static bool count_work(void *context, struct sqlite_connection *db, struct error *err)
{
	static const char upsert[] =
		"INSERT INTO counter (key, total, expires_ms) VALUES (?1, ?3, ?4)"
		" ON CONFLICT (key) DO UPDATE SET"
		" total = CASE WHEN expires_ms <= ?2 THEN ?3 ELSE total + ?3 END,"
		" expires_ms = CASE WHEN expires_ms <= ?2 THEN ?4 ELSE expires_ms END"
		" RETURNING total";
	struct coord_call *call = context;
	sqlite3_stmt *st = coord_call_prepare_write(call, db, upsert, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 3, call->number);
	sqlite3_bind_int64(st, 4, call->now_ms + call->ttl_ms);
	return coord_call_step(call, db, st, err);
}

bool coord_sqlite_count(struct coordination *c, const char *key, int64_t by,
			int64_t window_ms, int64_t *ret_total, struct error *err)
{
	struct coord_call call = {
		.c = coord_sqlite(c), .key = key, .number = by, .ttl_ms = window_ms
	};

	if (!coord_call_write(&call, count_work, err))
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
	static const char raise[] =
		"UPDATE state SET value = value + 1 WHERE name = 'fence'";
	struct coord_call *call = context;
	sqlite3_stmt *st = coord_call_prepare_write(call, db, upsert, err);

	if (!st || !coord_call_bind_value(call, db, st, err))
		return false;
	sqlite3_bind_int64(st, 4, call->now_ms + call->ttl_ms);
	if (!coord_call_step(call, db, st, err))
		return false;
	if (!call->ret_flag)
		return true;
	st = sqlite_statement(db, raise, err);
	return st && sqlite_run(db, st, err);
}

bool coord_sqlite_lease(struct coordination *c, const char *name, const char *holder,
			int64_t ttl_ms, int64_t *ret_fence, struct error *err)
{
	struct coord_call call = {
		.c = coord_sqlite(c), .key = name, .value = holder, .ttl_ms = ttl_ms
	};

	if (!coord_call_write(&call, lease_work, err))
		return false;
	*ret_fence = call.ret_number;
	return true;
}

static bool lease_renew_work(void *context, struct sqlite_connection *db,
			     struct error *err)
{
	static const char update[] = "UPDATE lease SET expires_ms = ?4 WHERE name = ?1"
				     " AND fence = ?3 AND expires_ms > ?2 RETURNING 1";
	struct coord_call *call = context;
	sqlite3_stmt *st = coord_call_prepare_write(call, db, update, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 3, call->number);
	sqlite3_bind_int64(st, 4, call->now_ms + call->ttl_ms);
	return coord_call_step(call, db, st, err);
}

bool coord_sqlite_lease_renew(struct coordination *c, const char *name, int64_t fence,
			      int64_t ttl_ms, bool *ret_held, struct error *err)
{
	struct coord_call call = {
		.c = coord_sqlite(c), .key = name, .number = fence, .ttl_ms = ttl_ms
	};

	if (!coord_call_write(&call, lease_renew_work, err))
		return false;
	*ret_held = call.ret_flag;
	return true;
}

static bool lease_release_work(void *context, struct sqlite_connection *db,
			       struct error *err)
{
	static const char remove[] = "DELETE FROM lease WHERE name = ?1 AND fence = ?2";
	struct coord_call *call = context;
	sqlite3_stmt *st = coord_call_prepare_write(call, db, remove, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 2, call->number);
	return sqlite_run(db, st, err);
}

bool coord_sqlite_lease_release(struct coordination *c, const char *name, int64_t fence,
				struct error *err)
{
	struct coord_call call = { .c = coord_sqlite(c), .key = name, .number = fence };

	return coord_call_write(&call, lease_release_work, err);
}
