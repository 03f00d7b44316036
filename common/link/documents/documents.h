/*
 * documents -- records as JSON, by collection and id, with revisions.
 *
 * One interface, two twins: embedded SQLite here (WAL, synchronous=FULL, STRICT
 * tables), PostgreSQL for several machines. A revision starts at 1 and rises by
 * one with each put. A conflict is an ordinary result. Durable when true returns.
 * Thread-safe. Failures are ERR_BACKEND_UNAVAILABLE.
 */
#ifndef LINK_DOCUMENTS_H
#define LINK_DOCUMENTS_H

#include "base/json.h"

enum { DOCUMENT_BYTES_MAX = 4 * 1024 * 1024, DOCUMENT_ID_MAX = 256 };
enum { DOCUMENT_NEW = 0, DOCUMENT_ANY = -1 };

struct documents;

struct document {
	char id[DOCUMENT_ID_MAX + 1];
	int64_t revision;
	int64_t updated_ms;
	json_t *body; /* new reference; document_done ends it */
};
void document_done(struct document *d);

struct documents *documents_open_sqlite(const char *path, struct error *err) _must_use_;
void documents_close(struct documents *d);
DEFINE_CLEANUP(struct documents, documents_close);

/* '*ret_found' false: no such document, 'ret' untouched. */
bool documents_get(struct documents *d, const char *collection, const char *id,
		   struct document *ret, bool *ret_found, struct error *err);
/* 'expected': DOCUMENT_NEW must not exist, n must be at revision n, DOCUMENT_ANY
 * either. '*ret_revision' is the new one, or 0 for a conflict (nothing written). */
bool documents_put(struct documents *d, const char *collection, const char *id,
		   const json_t *body, int64_t expected, int64_t *ret_revision,
		   struct error *err);
bool documents_delete(struct documents *d, const char *collection, const char *id,
		      bool *ret_existed, struct error *err);

/* A row of equality tests on members of the body: path "state" or "plan.risk" equals text. */
struct documents_filter {
	const char *path;
	const char *equals;
};
/*
 * Documents of a collection in order of id (descending if 'newest_first', which
 * is the order of making where ids are made so), after 'after' (NULL: from the
 * start), at most 'limit'. 'filters' ends with a row of NULLs, may be NULL. Stops
 * early when 'fn' returns false. The document is fn's to read, not to keep.
 */
bool documents_query(struct documents *d, const char *collection,
		     const struct documents_filter *filters, const char *after,
		     bool newest_first, size_t limit,
		     bool (*fn)(void *context, const struct document *doc), void *context,
		     struct error *err);

#endif
