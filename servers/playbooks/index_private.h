/*
 * index_private -- what the files of the index share: index_load.c reads all but the texts of
 * pages into memory, index.c holds it and answers.
 */
#ifndef PLAYBOOKS_INDEX_PRIVATE_H
#define PLAYBOOKS_INDEX_PRIVATE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "servers/playbooks/index.h"

struct index_block {
	struct index_block *next;
	char bytes[];
};

struct index_private {
	atomic_int references;
	pthread_mutex_t lock; /* of the statements */
	sqlite3 *db;
	sqlite3_stmt *body, *stamp;
	struct lexicon ids;
	uint8_t *postings; /* all of them */
	struct index_block *blocks;
	size_t block_used, block_room, memory;
};

/* Always false. */
bool index_fail(const struct index *x, struct error *err);
bool index_prepare(const struct index *x, const char *sql, sqlite3_stmt **ret,
		   struct error *err);
/* A column's JSON; NULL: there is none. */
json_t *index_json(sqlite3_stmt *s, int column);
/* Everything out of the open file. */
bool index_load(struct index *x, struct error *err);

#endif
