/*
 * sqlite_connection -- private to link/sqlite: one handle, its settings, its
 * statements, and what SQLite's result codes mean in our words.
 */
#ifndef LINK_SQLITE_CONNECTION_H
#define LINK_SQLITE_CONNECTION_H

#include "link/sqlite/sqlite_store.h"

struct sqlite_connection *sqlite_connection_open(const char *path,
						 struct error *err) _must_use_;
void sqlite_connection_close(struct sqlite_connection *c);
DEFINE_CLEANUP(struct sqlite_connection, sqlite_connection_close);

/* Let go of what the statements hold (read marks, borrowed bindings). */
void sqlite_connection_reset(struct sqlite_connection *c);
bool sqlite_connection_exec(struct sqlite_connection *c, const char *sql,
			    struct error *err);
/* Outside any transaction? SQLite ends one by itself after some failures. */
bool sqlite_connection_idle(const struct sqlite_connection *c);
/* From here on the work is undone apart from what was done before. */
void sqlite_connection_try(struct sqlite_connection *c);
/* One integer out of a PRAGMA or a query. */
bool sqlite_connection_int64(struct sqlite_connection *c, const char *sql, int64_t *ret,
			     struct error *err);

#endif
