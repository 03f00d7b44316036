/*
 * coordination_sqlite -- private to the SQLite twin: what its files share.
 *
 * coordination_sqlite.c opens it and keeps its time, sqlite_entries.c has what is
 * claimed, put and taken, sqlite_counters.c what is counted and leased.
 */
#ifndef LINK_COORDINATION_SQLITE_H
#define LINK_COORDINATION_SQLITE_H

#include <stdatomic.h>

#include "link/coordination/announcer.h"
#include "link/coordination/coordination_backend.h"
#include "link/sqlite/sqlite_store.h"

struct coord_sqlite {
	struct coordination base;
	struct sqlite_store *store;
	struct announcer *announcer;
	int64_t epoch_ms, remembers_ms;
	_Atomic int64_t last_ms;   /* the store's clock, as last shown */
	int64_t purged_ms;         /* theirs who write, one at a time */
	int64_t kept_ms, kept_try; /* likewise: the time that was written, in which try */
};

/* Arguments and results of one call, on their way into a transaction and back. */
struct coord_call {
	struct coord_sqlite *c;
	const char *key, *value, *expected;
	int64_t ttl_ms, number, now_ms;
	bool want_value;
	int64_t ret_number;
	bool ret_flag;
	char *ret_value;
};

static inline struct coord_sqlite *coord_sqlite(struct coordination *c)
{
	return (struct coord_sqlite *)c;
}

/* Every piece of work begins here: outputs afresh, the time of this very moment. */
void coord_call_begin(struct coord_call *call);
/* ?1 is the key and ?2 the time in every statement; a write also keeps the time. NULL
 * sets 'err'. */
sqlite3_stmt *coord_call_prepare(struct coord_call *call, struct sqlite_connection *db,
				 const char *sql, struct error *err) _must_use_;
sqlite3_stmt *coord_call_prepare_write(struct coord_call *call,
				       struct sqlite_connection *db, const char *sql,
				       struct error *err) _must_use_;
/* 'value' as ?3. */
bool coord_call_bind_value(struct coord_call *call, struct sqlite_connection *db,
			   sqlite3_stmt *st, struct error *err);
/* Step a statement that answers with one row or none: ret_flag; column 0 is ret_number. */
bool coord_call_step(struct coord_call *call, struct sqlite_connection *db,
		     sqlite3_stmt *st, struct error *err);
/* Run one that writes one row or none: ret_flag. For RETURNING, which says the same,
 * SQLite would make a table each time. */
bool coord_call_change(struct coord_call *call, struct sqlite_connection *db,
		       sqlite3_stmt *st, struct error *err);
bool coord_call_write(struct coord_call *call, sqlite_work_fn *work, struct error *err);

/* Rows of the twin's table. */
bool coord_sqlite_get(struct coordination *c, const char *key, char **ret_value,
		      struct error *err);
bool coord_sqlite_claim(struct coordination *c, const char *key, const char *value,
			int64_t ttl_ms, bool *ret_first, char **ret_existing,
			struct error *err);
bool coord_sqlite_put(struct coordination *c, const char *key, const char *value,
		      int64_t ttl_ms, struct error *err);
bool coord_sqlite_swap(struct coordination *c, const char *key, const char *expected,
		       const char *value, bool *ret_changed, struct error *err);
bool coord_sqlite_take(struct coordination *c, const char *key, char **ret_value,
		       struct error *err);
bool coord_sqlite_scan(struct coordination *c, const char *prefix,
		       bool (*fn)(void *context, const char *key, const char *value),
		       void *context, struct error *err);

bool coord_sqlite_count(struct coordination *c, const char *key, int64_t by,
			int64_t window_ms, int64_t *ret_total, struct error *err);
bool coord_sqlite_lease(struct coordination *c, const char *name, const char *holder,
			int64_t ttl_ms, int64_t *ret_fence, struct error *err);
bool coord_sqlite_lease_renew(struct coordination *c, const char *name, int64_t fence,
			      int64_t ttl_ms, bool *ret_held, struct error *err);
bool coord_sqlite_lease_release(struct coordination *c, const char *name, int64_t fence,
				struct error *err);

#endif
