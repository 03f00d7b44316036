/*
 * store -- the accounts as they were read last, and when: our copy in SQLite.
 *
 * What the sources said, so that a restart serves it at once and a source that is down
 * is still known. Derived: if the file is lost, it is read again. A read is applied as a
 * whole in one transaction, or not at all. Each change raises the revision.
 */
#ifndef PEOPLE_STORE_H
#define PEOPLE_STORE_H

#include "servers/people/account.h"

enum { STORE_STAGED_MAX = 192 * 1024 * 1024, STORE_CURSOR_BYTES = 256 };

struct people_store;
struct people_store *people_store_open(const char *path, struct error *err) _must_use_;
void people_store_close(struct people_store *s);
DEFINE_CLEANUP(struct people_store, people_store_close);

/* When a source was read. */
struct store_source {
	int64_t read_ms;  /* anything; 0: never */
	int64_t swept_ms; /* everything; 0: never */
	char cursor[STORE_CURSOR_BYTES];
};
bool people_store_source(struct people_store *s, const char *name,
			 struct store_source *ret, struct error *err);

/* What a read hands over, gathered. */
struct store_stage {
	struct strbuf rows;
	size_t count, without_key;
};
#define STORE_STAGE_INIT                                                                 \
	{                                                                                \
		.rows = STRBUF_INIT                                                      \
	}
void store_stage_done(struct store_stage *stage);
/* Fits struct source_sink. */
bool store_stage_put(void *stage, struct account *account, struct error *err);

/* The staged accounts are those of the source now: all of them if 'is_full', else they
 * come to what is there. '*ret_changed' says how many are new, other or gone. */
bool people_store_apply(struct people_store *s, const char *source, bool is_full,
			const struct store_stage *stage, const struct store_source *when,
			size_t *ret_changed, struct error *err);
/* Sources that are not among these (ends with NULL) are forgotten, with their accounts. */
bool people_store_keep_only(struct people_store *s, const char *const *sources,
			    struct error *err);

/* One account; the texts are borrowed during 'fn'. */
struct store_account {
	uint32_t row;
	int64_t revision; /* of the change that made it */
	enum people_system system;
	const char *key;
	const char *fields;
	size_t length;
};
typedef bool store_account_fn(void *context, const struct store_account *account,
			      struct error *err);
/* All, and the revision that they are of. */
bool people_store_load(struct people_store *s, store_account_fn *fn, void *context,
		       int64_t *ret_revision, struct error *err);
/* Those of 'rows', in their order; one that is gone is left out. */
bool people_store_read(struct people_store *s, const uint32_t *rows, size_t count,
		       store_account_fn *fn, void *context, struct error *err);

#endif
