/*
 * documents_backend -- what a twin of documents brings.
 *
 * Private to link/documents. A twin is a struct that begins with 'struct
 * documents' and points to its row of functions. documents.c has checked names,
 * written the body as text and bounded everything before a twin sees it.
 */
#ifndef LINK_DOCUMENTS_BACKEND_H
#define LINK_DOCUMENTS_BACKEND_H

#include "link/documents/documents.h"

/* A document as a twin reads it; 'text' is documents.c's to parse and free. */
struct document_row {
	char id[DOCUMENT_ID_MAX + 1];
	int64_t revision;
	int64_t updated_ms;
	char *text;
	size_t text_bytes;
};

struct documents_backend {
	const char *name;
	void (*close)(struct documents *d);
	bool (*get)(struct documents *d, const char *collection, const char *id,
		    struct document_row *ret, bool *ret_found, struct error *err);
	bool (*put)(struct documents *d, const char *collection, const char *id,
		    const char *text, size_t text_bytes, int64_t expected,
		    int64_t *ret_revision, struct error *err);
	bool (*remove)(struct documents *d, const char *collection, const char *id,
		       bool *ret_existed, struct error *err);
	/* One page: at most 'max' rows into 'rows'. */
	bool (*page)(struct documents *d, const char *collection,
		     const struct documents_filter *filters, const char *after,
		     bool newest_first, size_t max, struct document_row *rows,
		     size_t *ret_count, struct error *err);
};

struct documents {
	const struct documents_backend *backend;
};

#endif
