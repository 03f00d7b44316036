/*
 * sqlite_store -- one database file of ours, written by one thread.
 *
 * What the embedded twins of documents and coordination share. The file belongs
 * to one process at a time (a lock file beside it), has mode 0600, and runs WAL
 * with synchronous=FULL: what sqlite_store_write reported as done survives a
 * power cut. Writes of several threads are gathered into one transaction (at most
 * SQLITE_STORE_GROUP_MAX), so that they share one fdatasync, while each caller
 * learns its own result. Whoever comes while nobody writes, writes for all who wait:
 * the store has no thread of its own, which would have to be sandboxed, too.
 * Knows no table: its users bring theirs.
 *
 * Errors are ERR_BACKEND_UNAVAILABLE with a sentence that says what is wrong with
 * the file ("disk full" included); ERR_CONFLICT when another process has it open.
 */
#ifndef LINK_SQLITE_STORE_H
#define LINK_SQLITE_STORE_H

#include <sqlite3.h>

#include "base/error.h"

enum { SQLITE_STORE_GROUP_MAX = 64, SQLITE_STORE_STATEMENTS_MAX = 80 };

struct sqlite_store;
struct sqlite_connection; /* a connection with its prepared statements */

struct sqlite_store_config {
	const char *path;
	int32_t application_id; /* tells our files apart; another file is refused */
	const char *const
		*migrations; /* step i takes user_version from i to i+1; ends with NULL */
	/* A writer may wait for one read, so that a store that is hardly read does with one
	 * connection; the other is opened when a reader first meets a writer. */
	bool reads_are_short;
};

struct sqlite_store *sqlite_store_open(const struct sqlite_store_config *config,
				       struct error *err) _must_use_;
/* Nobody may be inside another function by then. */
void sqlite_store_close(struct sqlite_store *s);
DEFINE_CLEANUP(struct sqlite_store, sqlite_store_close);
const char *sqlite_store_path(const struct sqlite_store *s);

/*
 * A piece of work. It may run several times (when one fails, the others of its group are
 * done again without it), so it sets its outputs afresh each time; false undoes what
 * it wrote, and nothing else.
 */
typedef bool sqlite_work_fn(void *context, struct sqlite_connection *c,
			    struct error *err);

/* Run inside a transaction, on this thread or that of another writer, one at a time;
 * true once it is on disk. Not from within other work: it would wait for itself. */
bool sqlite_store_write(struct sqlite_store *s, sqlite_work_fn *work, void *context,
			struct error *err);
/* Run on the calling thread, one reader at a time, seeing everything committed. */
bool sqlite_store_read(struct sqlite_store *s, sqlite_work_fn *work, void *context,
		       struct error *err);

/*
 * The prepared form of 'sql', a string literal: kept, found again by its address,
 * and handed out reset with its bindings cleared. Borrowed. NULL sets 'err'.
 */
sqlite3_stmt *sqlite_statement(struct sqlite_connection *c, const char *sql,
			       struct error *err) _must_use_;
/* The same for text made up at run time; end it with sqlite3_finalize. */
sqlite3_stmt *sqlite_statement_once(struct sqlite_connection *c, const char *sql,
				    struct error *err) _must_use_;
/* Step once: '*ret_row' tells whether a row stands there. */
bool sqlite_step(struct sqlite_connection *c, sqlite3_stmt *statement, bool *ret_row,
		 struct error *err);
/* Step to the end, for statements whose rows nobody wants. */
bool sqlite_run(struct sqlite_connection *c, sqlite3_stmt *statement, struct error *err);
/* The number of this try, of no meaning by itself: work that sees the same number is kept,
 * or undone, together with what earlier work wrote that saw it. */
int64_t sqlite_try(const struct sqlite_connection *c);
/* Rows that the last statement changed. */
int64_t sqlite_changed(struct sqlite_connection *c);
/* Bind text of 'length' bytes (borrowed until the statement is reset). */
bool sqlite_bind(struct sqlite_connection *c, sqlite3_stmt *statement, int index,
		 const char *text, size_t length, struct error *err);
/* Text of a column as a new string. NULL sets 'err'. */
char *sqlite_column_copy(sqlite3_stmt *statement, int column,
			 struct error *err) _must_use_;

#endif
