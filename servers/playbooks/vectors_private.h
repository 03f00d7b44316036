/*
 * vectors_private -- what the files of vectors share: vectors.c embeds what is missing,
 * vectors_file.c keeps it, vectors_search.c finds in it.
 */
#ifndef PLAYBOOKS_VECTORS_PRIVATE_H
#define PLAYBOOKS_VECTORS_PRIVATE_H

#include <pthread.h>
#include <sqlite3.h>

#include "base/digest.h"
#include "servers/playbooks/vectors.h"

/* The vectors of all sections of an index; a row of zeros: none yet. Never changed once it
 * is 'current'. */
struct matrix {
	atomic_int references;
	struct index *of;
	uint32_t dimensions;
	uint32_t missing;
	float *rows;
};

struct vectors {
	struct embed *embed;
	sqlite3 *db;         /* of the thread that steps */
	uint32_t dimensions; /* of what is kept; 0: nothing is */

	/* Of that thread, too: what is missing is fetched from here on. */
	uint32_t next;
	int64_t wait_ms, until_ms;
	const struct index *seen; /* compared alone */

	pthread_mutex_t lock; /* of 'current' */
	struct matrix *current;
	atomic_llong quiet_until_ms; /* searches ask nothing before; monotonic */
};

struct vectors_batch {
	json_t *texts;
	uint8_t digests[EMBED_BATCH][DIGEST_BYTES];
};

void matrix_unref(struct matrix *m);
DEFINE_CLEANUP(struct matrix, matrix_unref);

/* What of a section is embedded. False without memory, or for a section past the body. */
bool vectors_text(const struct index *x, uint32_t section, const struct strbuf *body,
		  struct strbuf *ret);

/* A file that cannot be read, or is of another model, begins anew. */
bool vectors_open_file(struct vectors *v, const char *path, const char *model,
		       struct error *err);
/* All that the file has for this index; new. What belongs to no section of an index that is
 * whole is forgotten. */
struct matrix *vectors_load(struct vectors *v, struct index *x, struct error *err);
/* Of a batch, all or nothing. */
bool vectors_keep(struct vectors *v, const struct vectors_batch *b,
		  const struct embedded *e, struct error *err);

#endif
