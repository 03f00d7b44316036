/*
 * vectors -- sections found by what they mean, where words alone do not find them.
 *
 * Each section's beginning (title, heading, text) is a vector that embed.h fetched, kept in
 * a file of its own beside that of pages and words, by model and digest of the text. Together
 * they are the index; two files, because that one is never written again once it is made, and
 * searched without a lock, while vectors arrive over minutes and outlive it: what did not
 * change is not asked for again. Derived data: remove it, and
 * everything is embedded again. One thread (the tick) fetches, in batches; searches use what
 * is there and wait for nothing but the vector of their own query, VECTORS_QUERY_MS at most.
 * After a failure no search asks for VECTORS_PAUSE_MS.
 */
#ifndef PLAYBOOKS_VECTORS_H
#define PLAYBOOKS_VECTORS_H

#include "servers/playbooks/embed.h"
#include "servers/playbooks/rank.h"

enum {
	VECTORS_QUERY_MS = 300,
	VECTORS_PAUSE_MS = 10 * 1000,
	VECTORS_BATCH_MS = 20 * 1000,
	VECTORS_BATCHES_PER_STEP = 8,
	VECTORS_BACKOFF_MAX_MS = 5 * 60 * 1000,
	VECTORS_MIB_MAX = 512, /* in memory; with more there are none */
};
/* What is less alike than this is no answer, and how sure of itself a ranking by words must
 * be to be left alone (hit's 'share' times the words that are known). At 0.6 a small
 * static model did harm to the judged queries (docs/operators.md); 0.3 leaves them alone. */
#define VECTORS_COSINE_MIN 0.25
#define VECTORS_SURE       0.3

struct vectors;

/* 'path': its file. 'config': "embeddings" of the backend. */
struct vectors *vectors_open(const char *path, const struct statedir *dir,
			     const json_t *config, struct error *err) _must_use_;
void vectors_close(struct vectors *v);
DEFINE_CLEANUP(struct vectors, vectors_close);

/* A piece of the work for this index; by one thread. */
void vectors_step(struct vectors *v, struct index *x, const atomic_bool *stopping);

/* Documents whose sections are nearest to the query, best first; 0 when there is nothing to
 * say, whatever the reason. */
size_t vectors_search(struct vectors *v, const struct index *x, const char *query,
		      rank_filter *filter, void *context, struct hit *ret, size_t room);

/* Whether a ranking by words needs help. */
bool vectors_would_help(const struct query *q, const struct hit *hits, size_t count);

/* Both rankings as one, by reciprocal rank; texts that are the same stay one. Of a document
 * in both, the section is that of 'words'. 'ret' is neither of them. */
size_t vectors_fuse(const struct index *x, const struct hit *words, size_t word_count,
		    const struct hit *near, size_t near_count, struct hit *ret,
		    size_t room);

#endif
