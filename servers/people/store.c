#include "servers/people/store.h"

#include <string.h>

#include "link/sqlite/sqlite_store.h"

enum { APPLICATION_ID = 0x576d7031 }; /* "Wmp1" */

static const char *const migrations[] = {
	"CREATE TABLE account (id INTEGER PRIMARY KEY, source TEXT NOT NULL,"
	"  system INTEGER NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL,"
	"  revision INTEGER NOT NULL, UNIQUE (source, system, key)) STRICT;"
	"CREATE TABLE source (name TEXT PRIMARY KEY, read_ms INTEGER NOT NULL,"
	"  swept_ms INTEGER NOT NULL, cursor TEXT NOT NULL) STRICT;"
	"CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1),"
	"  revision INTEGER NOT NULL) STRICT;"
	"INSERT INTO state VALUES (1, 1);",
	NULL,
};

struct people_store {
	struct sqlite_store *sqlite;
};

struct people_store *people_store_open(const char *path, struct error *err)
{
	const struct sqlite_store_config config = { .path = path,
						    .application_id = APPLICATION_ID,
						    .migrations = migrations };
	struct people_store *s = calloc(1, sizeof *s);

	if (!s) {
		error_oom(err);
		return NULL;
	}
	s->sqlite = sqlite_store_open(&config, err);
	if (s->sqlite)
		return s;
	free(s);
	return NULL;
}

void people_store_close(struct people_store *s)
{
	if (s)
		sqlite_store_close(s->sqlite);
	free(s);
}

static bool bind_text(struct sqlite_connection *db, sqlite3_stmt *st, int index,
		      const char *text, struct error *err)
{
	return sqlite_bind(db, st, index, text, strlen(text), err);
}

/* ---- Staging ------------------------------------------------------------------------ */

/* One staged account: this, the key with its NUL, the fields. */
struct staged {
	uint32_t system, key_bytes, length;
};

void store_stage_done(struct store_stage *stage)
{
	strbuf_done(&stage->rows);
}

bool store_stage_put(void *context, struct account *account, struct error *err)
{
	struct store_stage *stage = context;
	const struct staged head = { .system = account->system,
				     .key_bytes = (uint32_t)strlen(account->key) + 1,
				     .length = (uint32_t)account->fields.length };

	if (!*account->key) {
		stage->without_key++;
		return true;
	}
	if (stage->rows.length > STORE_STAGED_MAX)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "it has more accounts than can be kept");
	strbuf_add(&stage->rows, &head, sizeof head);
	strbuf_add(&stage->rows, account->key, head.key_bytes);
	strbuf_add(&stage->rows, account->fields.data, head.length);
	stage->count++;
	return strbuf_ok(&stage->rows) || error_oom(err);
}

/* ---- Applying ----------------------------------------------------------------------- */

struct apply {
	const char *source;
	bool is_full;
	const struct store_stage *stage;
	const struct store_source *when;
	int64_t revision;
	uint8_t *seen; /* a bit a row */
	size_t seen_rows;
	size_t changed;
};

static bool mark_seen(struct apply *a, int64_t row, struct error *err)
{
	const size_t at = (size_t)row;

	if (at >= a->seen_rows) {
		size_t wanted = at + at / 2 + 1024;
		uint8_t *grown = realloc(a->seen, wanted / 8 + 1);

		if (!grown)
			return error_oom(err);
		memset(grown + (a->seen_rows ? a->seen_rows / 8 + 1 : 0), 0,
		       wanted / 8 + 1 - (a->seen_rows ? a->seen_rows / 8 + 1 : 0));
		a->seen = grown;
		a->seen_rows = wanted;
	}
	a->seen[at / 8] |= (uint8_t)(1u << at % 8);
	return true;
}

static bool was_seen(const struct apply *a, int64_t row)
{
	return (size_t)row < a->seen_rows &&
	       (a->seen[(size_t)row / 8] >> (size_t)row % 8 & 1);
}

static bool write_row(struct apply *a, struct sqlite_connection *db,
		      const struct staged *head, const char *key, const char *fields,
		      struct error *err)
{
	sqlite3_stmt *st = sqlite_statement(
		db,
		"INSERT INTO account (source, system, key, body, revision)"
		" VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (source, system, key)"
		" DO UPDATE SET body = ?4, revision = ?5 RETURNING id",
		err);
	bool row = false;

	if (!st || !bind_text(db, st, 1, a->source, err) ||
	    !bind_text(db, st, 3, key, err))
		return false;
	(void)sqlite3_bind_int64(st, 2, head->system);
	(void)sqlite3_bind_blob64(st, 4, fields, head->length, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 5, a->revision);
	if (!sqlite_step(db, st, &row, err) || !row)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "an account could not be kept");
	a->changed++;
	return mark_seen(a, sqlite3_column_int64(st, 0), err);
}

static bool apply_row(struct apply *a, struct sqlite_connection *db,
		      const struct staged *head, const char *key, const char *fields,
		      struct error *err)
{
	sqlite3_stmt *st = sqlite_statement(db,
					    "SELECT id, body FROM account WHERE"
					    " source = ?1 AND system = ?2 AND key = ?3",
					    err);
	bool row = false;

	if (!st || !bind_text(db, st, 1, a->source, err) ||
	    !bind_text(db, st, 3, key, err))
		return false;
	(void)sqlite3_bind_int64(st, 2, head->system);
	if (!sqlite_step(db, st, &row, err))
		return false;
	if (row && (size_t)sqlite3_column_bytes(st, 1) == head->length &&
	    memcmp(sqlite3_column_blob(st, 1), fields, head->length) == 0)
		return mark_seen(a, sqlite3_column_int64(st, 0), err);
	return write_row(a, db, head, key, fields, err);
}

static bool delete_row(struct sqlite_connection *db, int64_t id, struct error *err)
{
	sqlite3_stmt *st = sqlite_statement(db, "DELETE FROM account WHERE id = ?1", err);

	if (!st)
		return false;
	(void)sqlite3_bind_int64(st, 1, id);
	return sqlite_run(db, st, err);
}

static bool delete_unseen(struct apply *a, struct sqlite_connection *db,
			  struct error *err)
{
	sqlite3_stmt *st = sqlite_statement(
		db, "SELECT id FROM account WHERE source = ?1 ORDER BY id", err);
	bool row = true;

	if (!st || !bind_text(db, st, 1, a->source, err))
		return false;
	while (sqlite_step(db, st, &row, err) && row) {
		const int64_t id = sqlite3_column_int64(st, 0);

		if (was_seen(a, id))
			continue;
		if (!delete_row(db, id, err))
			return false;
		a->changed++;
	}
	return !error_is_set(err);
}

static bool apply_all(struct apply *a, struct sqlite_connection *db, struct error *err)
{
	const char *at = a->stage->rows.data, *end = at + a->stage->rows.length;
	struct staged head;

	while (at < end) {
		memcpy(&head, at, sizeof head);
		const char *key = at + sizeof head;
		const char *fields = key + head.key_bytes;

		if (!apply_row(a, db, &head, key, fields, err))
			return false;
		at = fields + head.length;
	}
	return !a->is_full || delete_unseen(a, db, err);
}

static bool next_revision(struct sqlite_connection *db, int64_t *ret, struct error *err)
{
	sqlite3_stmt *st = sqlite_statement(
		db, "UPDATE state SET revision = revision + 1 RETURNING revision", err);
	bool row = false;

	if (!st || !sqlite_step(db, st, &row, err) || !row)
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "the store has no state");
	*ret = sqlite3_column_int64(st, 0);
	return true;
}

static bool note_source(const struct apply *a, struct sqlite_connection *db,
			struct error *err)
{
	sqlite3_stmt *st = sqlite_statement(
		db,
		"INSERT INTO source VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name)"
		" DO UPDATE SET read_ms = ?2, swept_ms = ?3, cursor = ?4",
		err);

	if (!st || !bind_text(db, st, 1, a->source, err) ||
	    !bind_text(db, st, 4, a->when->cursor, err))
		return false;
	(void)sqlite3_bind_int64(st, 2, a->when->read_ms);
	(void)sqlite3_bind_int64(st, 3, a->when->swept_ms);
	return sqlite_run(db, st, err);
}

static bool apply_work(void *context, struct sqlite_connection *db, struct error *err)
{
	struct apply *a = context;

	a->changed = 0;
	free(a->seen);
	a->seen = NULL;
	a->seen_rows = 0;
	return next_revision(db, &a->revision, err) && apply_all(a, db, err) &&
	       note_source(a, db, err);
}

bool people_store_apply(struct people_store *s, const char *source, bool is_full,
			const struct store_stage *stage, const struct store_source *when,
			size_t *ret_changed, struct error *err)
{
	struct apply a = {
		.source = source, .is_full = is_full, .stage = stage, .when = when
	};
	bool ok = sqlite_store_write(s->sqlite, apply_work, &a, err);

	free(a.seen);
	if (ok)
		*ret_changed = a.changed;
	return ok;
}

/* ---- Sources ------------------------------------------------------------------------ */

struct source_call {
	const char *name;
	struct store_source *ret;
};

static bool source_work(void *context, struct sqlite_connection *db, struct error *err)
{
	const struct source_call *call = context;
	sqlite3_stmt *st = sqlite_statement(
		db, "SELECT read_ms, swept_ms, cursor FROM source WHERE name = ?1", err);
	bool row = false;

	if (!st || !bind_text(db, st, 1, call->name, err) ||
	    !sqlite_step(db, st, &row, err))
		return false;
	*call->ret = (struct store_source){ 0 };
	if (!row)
		return true;
	call->ret->read_ms = sqlite3_column_int64(st, 0);
	call->ret->swept_ms = sqlite3_column_int64(st, 1);
	(void)snprintf(call->ret->cursor, sizeof call->ret->cursor, "%s",
		       (const char *)sqlite3_column_text(st, 2));
	return true;
}

bool people_store_source(struct people_store *s, const char *name,
			 struct store_source *ret, struct error *err)
{
	struct source_call call = { name, ret };

	return sqlite_store_read(s->sqlite, source_work, &call, err);
}

static bool is_among(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool forget(struct sqlite_connection *db, const char *name, struct error *err)
{
	static const char *const sql[] = { "DELETE FROM account WHERE source = ?1",
					   "DELETE FROM source WHERE name = ?1" };

	for (size_t i = 0; i < ARRAY_SIZE(sql); i++) {
		sqlite3_stmt *st = sqlite_statement(db, sql[i], err);

		if (!st || !bind_text(db, st, 1, name, err) || !sqlite_run(db, st, err))
			return false;
	}
	return true;
}

static bool keep_work(void *context, struct sqlite_connection *db, struct error *err)
{
	const char *const *names = context;
	sqlite3_stmt *st = sqlite_statement(db, "SELECT name FROM source", err);
	bool row = true;

	if (!st)
		return false;
	while (sqlite_step(db, st, &row, err) && row) {
		_cleanup_free_ char *name = sqlite_column_copy(st, 0, err);

		if (!name || (!is_among(name, names) && !forget(db, name, err)))
			return false;
	}
	return !error_is_set(err);
}

bool people_store_keep_only(struct people_store *s, const char *const *sources,
			    struct error *err)
{
	return sqlite_store_write(s->sqlite, keep_work, (void *)(uintptr_t)sources, err);
}

/* ---- Reading ------------------------------------------------------------------------ */

struct load {
	store_account_fn *fn;
	void *context;
	int64_t revision;
	const uint32_t *rows;
	size_t count;
};

/* Columns: id, revision, system, key, body. */
static bool give(const struct load *l, sqlite3_stmt *st, struct error *err)
{
	const int64_t system = sqlite3_column_int64(st, 2),
		      id = sqlite3_column_int64(st, 0);
	const struct store_account account = {
		.row = (uint32_t)id,
		.revision = sqlite3_column_int64(st, 1),
		.system = (enum people_system)system,
		.key = (const char *)sqlite3_column_text(st, 3),
		.fields = sqlite3_column_blob(st, 4),
		.length = (size_t)sqlite3_column_bytes(st, 4),
	};

	if (system < 0 || system >= SYSTEM_COUNT || id < 0 || id > UINT32_MAX ||
	    !account.key || !account.fields)
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "the store is damaged");
	return l->fn(l->context, &account, err);
}

static bool load_work(void *context, struct sqlite_connection *db, struct error *err)
{
	struct load *l = context;
	sqlite3_stmt *st = sqlite_statement(db, "SELECT revision FROM state", err);
	bool row = false;

	if (!st || !sqlite_step(db, st, &row, err) || !row)
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "the store has no state");
	l->revision = sqlite3_column_int64(st, 0);
	st = sqlite_statement(
		db, "SELECT id, revision, system, key, body FROM account ORDER BY id",
		err);
	if (!st)
		return false;
	while (sqlite_step(db, st, &row, err) && row)
		if (!give(l, st, err))
			return false;
	return !error_is_set(err);
}

bool people_store_load(struct people_store *s, store_account_fn *fn, void *context,
		       int64_t *ret_revision, struct error *err)
{
	struct load l = { .fn = fn, .context = context };

	if (!sqlite_store_read(s->sqlite, load_work, &l, err))
		return false;
	*ret_revision = l.revision;
	return true;
}

static bool read_work(void *context, struct sqlite_connection *db, struct error *err)
{
	const struct load *l = context;

	for (size_t i = 0; i < l->count; i++) {
		sqlite3_stmt *st = sqlite_statement(db,
						    "SELECT id, revision, system, key, "
						    "body FROM account WHERE id = ?1",
						    err);
		bool row = false;

		if (!st)
			return false;
		(void)sqlite3_bind_int64(st, 1, l->rows[i]);
		if (!sqlite_step(db, st, &row, err) || (row && !give(l, st, err)))
			return false;
	}
	return true;
}

bool people_store_read(struct people_store *s, const uint32_t *rows, size_t count,
		       store_account_fn *fn, void *context, struct error *err)
{
	struct load l = { .fn = fn, .context = context, .rows = rows, .count = count };

	return sqlite_store_read(s->sqlite, read_work, &l, err);
}
