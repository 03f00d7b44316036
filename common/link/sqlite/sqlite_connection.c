#include "link/sqlite/sqlite_connection.h"

#include <assert.h>
#include <pthread.h>

enum { BUSY_TIMEOUT_MS = 5000, WAL_PAGES = 2000 /* 8 MiB */ };

struct sqlite_connection {
	sqlite3 *db;
	char *path;
	int64_t try;
	size_t statement_count;
	struct {
		const char *sql;
		sqlite3_stmt *statement;
	} statements[SQLITE_STORE_STATEMENTS_MAX];
};

/* What a result code means to the person who has to mend it. */
static const char *explain(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return "disk full";
	case SQLITE_IOERR:
		return "the disk refuses to read or write";
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return "the file is damaged or no store of ours";
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return "no permission to write";
	case SQLITE_CANTOPEN:
		return "the file cannot be opened";
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return "locked by somebody else";
	case SQLITE_TOOBIG:
		return "the value is too big";
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return "the value does not fit";
	default:
		return "the database failed";
	}
}

static bool fail(const struct sqlite_connection *c, int rc, const char *what,
		 struct error *err)
{
	if (rc == SQLITE_NOMEM)
		return error_oom(err);
	error_set(err, ERR_BACKEND_UNAVAILABLE, "cannot %s store '%s': %s", what, c->path,
		  explain(rc));
	if ((rc & 0xff) == SQLITE_FULL)
		error_hint(err,
			   "make room on the disk that holds the store, then try again");
	return error_cause(err, "sqlite %d: %s", rc, c->db ? sqlite3_errmsg(c->db) : "");
}

void sqlite_connection_close(struct sqlite_connection *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->statement_count; i++)
		(void)sqlite3_finalize(c->statements[i].statement);
	if (c->db)
		(void)sqlite3_close_v2(c->db);
	free(c->path);
	free(c);
}

bool sqlite_connection_exec(struct sqlite_connection *c, const char *sql,
			    struct error *err)
{
	int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK || fail(c, rc, "write to", err);
}

static bool configure(struct sqlite_connection *c, struct error *err)
{
	/* The file is data: nothing in it may run as code or be written as schema. */
	static const int hardening[] = { SQLITE_DBCONFIG_DEFENSIVE };
	static const int off[] = {
		SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
		SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW,
		SQLITE_DBCONFIG_DQS_DML,        SQLITE_DBCONFIG_DQS_DDL,
	};
	int rc = SQLITE_OK;

	for (size_t i = 0; rc == SQLITE_OK && i < ARRAY_SIZE(hardening); i++)
		rc = sqlite3_db_config(c->db, hardening[i], 1, NULL);
	for (size_t i = 0; rc == SQLITE_OK && i < ARRAY_SIZE(off); i++)
		rc = sqlite3_db_config(c->db, off[i], 0, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_extended_result_codes(c->db, 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(c->db, BUSY_TIMEOUT_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_wal_autocheckpoint(c->db, WAL_PAGES);
	if (rc != SQLITE_OK)
		return fail(c, rc, "set up", err);
	return sqlite_connection_exec(c,
				      "PRAGMA cell_size_check = ON;"
				      "PRAGMA foreign_keys = ON;"
				      "PRAGMA temp_store = MEMORY;"
				      "PRAGMA journal_mode = WAL;"
				      "PRAGMA synchronous = FULL;",
				      err);
}

/*
 * Journals of statements stay in memory: beyond 64 KiB they would be a file in /var/tmp,
 * which the sandbox refuses, and a store with much to forget could not be written any more.
 * Of the whole library, so before its first use; whoever used it before keeps his way.
 */
static void configure_library(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
}

/* A setting that SQLite did not take is not reported by it: ask. */
static bool check_durable(struct sqlite_connection *c, struct error *err)
{
	_cleanup_free_ char *mode = NULL;
	sqlite3_stmt *statement = sqlite_statement_once(c, "PRAGMA journal_mode", err);
	int64_t synchronous = 0;
	bool row = false;

	if (!statement)
		return false;
	if (sqlite_step(c, statement, &row, err) && row)
		mode = sqlite_column_copy(statement, 0, err);
	(void)sqlite3_finalize(statement);
	if (!mode)
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "cannot read store '%s'",
				 c->path);
	if (!sqlite_connection_int64(c, "PRAGMA synchronous", &synchronous, err))
		return false;
	if (strcmp(mode, "wal") != 0 || synchronous != 2)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "store '%s' cannot be made durable on this file system",
				 c->path);
	return true;
}

struct sqlite_connection *sqlite_connection_open(const char *path, struct error *err)
{
	_cleanup_(sqlite_connection_closep) struct sqlite_connection *c =
		calloc(1, sizeof *c);
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int rc;

	if (!c || !(c->path = strdup(path))) {
		error_oom(err);
		return NULL;
	}
	(void)pthread_once(&once, configure_library);
	/* NOMUTEX: the store lets one thread at a time near a connection. */
	rc = sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			     NULL);
	if (rc != SQLITE_OK) {
		fail(c, rc, "open", err);
		return NULL;
	}
	if (!configure(c, err) || !check_durable(c, err))
		return NULL;
	return TAKE(c);
}

void sqlite_connection_reset(struct sqlite_connection *c)
{
	for (size_t i = 0; i < c->statement_count; i++) {
		(void)sqlite3_reset(c->statements[i].statement);
		(void)sqlite3_clear_bindings(c->statements[i].statement);
	}
}

void sqlite_connection_try(struct sqlite_connection *c)
{
	c->try++;
}

int64_t sqlite_try(const struct sqlite_connection *c)
{
	return c->try;
}

bool sqlite_connection_idle(const struct sqlite_connection *c)
{
	return sqlite3_get_autocommit(c->db) != 0;
}

bool sqlite_connection_int64(struct sqlite_connection *c, const char *sql, int64_t *ret,
			     struct error *err)
{
	sqlite3_stmt *statement = sqlite_statement_once(c, sql, err);
	bool row = false, ok;

	if (!statement)
		return false;
	ok = sqlite_step(c, statement, &row, err);
	if (ok && row)
		*ret = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return ok;
}

sqlite3_stmt *sqlite_statement_once(struct sqlite_connection *c, const char *sql,
				    struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(c->db, sql, -1, &statement, NULL);

	if (rc != SQLITE_OK)
		fail(c, rc, "ask", err);
	return statement;
}

sqlite3_stmt *sqlite_statement(struct sqlite_connection *c, const char *sql,
			       struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc;

	for (size_t i = 0; i < c->statement_count; i++) {
		if (c->statements[i].sql != sql)
			continue;
		statement = c->statements[i].statement;
		(void)sqlite3_reset(statement);
		(void)sqlite3_clear_bindings(statement);
		return statement;
	}
	assert(c->statement_count < SQLITE_STORE_STATEMENTS_MAX);
	rc = sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
				NULL);
	if (rc != SQLITE_OK) {
		fail(c, rc, "ask", err);
		return NULL;
	}
	c->statements[c->statement_count].sql = sql;
	c->statements[c->statement_count++].statement = statement;
	return statement;
}

bool sqlite_step(struct sqlite_connection *c, sqlite3_stmt *statement, bool *ret_row,
		 struct error *err)
{
	int rc = sqlite3_step(statement);

	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return fail(c, rc, sqlite3_stmt_readonly(statement) ? "read" : "write to",
			    err);
	*ret_row = rc == SQLITE_ROW;
	return true;
}

bool sqlite_run(struct sqlite_connection *c, sqlite3_stmt *statement, struct error *err)
{
	bool row = true;

	while (row)
		if (!sqlite_step(c, statement, &row, err))
			return false;
	return true;
}

int64_t sqlite_changed(struct sqlite_connection *c)
{
	return sqlite3_changes64(c->db);
}

bool sqlite_bind(struct sqlite_connection *c, sqlite3_stmt *statement, int index,
		 const char *text, size_t length, struct error *err)
{
	int rc = sqlite3_bind_text64(statement, index, text, length, SQLITE_STATIC,
				     SQLITE_UTF8);

	return rc == SQLITE_OK || fail(c, rc, "ask", err);
}

char *sqlite_column_copy(sqlite3_stmt *statement, int column, struct error *err)
{
	/* A value that SQLite could not convert for lack of memory is NULL, too. */
	const unsigned char *text = sqlite3_column_text(statement, column);
	size_t length = (size_t)sqlite3_column_bytes(statement, column);
	char *copy = text ? malloc(length + 1) : NULL;

	if (!copy) {
		error_oom(err);
		return NULL;
	}
	memcpy(copy, text, length + 1);
	return copy;
}
