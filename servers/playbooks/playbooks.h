/*
 * playbooks -- what the tools of this server share: the sources, the index that is
 * searched now, and the record of runs.
 *
 * The index is made by one thread at a time (the tick, or reindex_playbooks) into a new
 * file, and takes the place of the old one whole; searches hold the one they began with.
 */
#ifndef PLAYBOOKS_PLAYBOOKS_H
#define PLAYBOOKS_PLAYBOOKS_H

#include <pthread.h>

#include "link/documents/documents.h"
#include "mcp/server.h"
#include "servers/playbooks/index.h"
#include "servers/playbooks/source.h"
#include "servers/playbooks/thesaurus.h"
#include "servers/playbooks/vectors.h"

struct playbooks {
	struct source sources[SOURCES_MAX];
	size_t source_count;
	json_t *config;           /* keeps what the sources borrow */
	const json_t *link_hosts; /* NULL: none */
	struct thesaurus *thesaurus;
	struct vectors *vectors; /* NULL: no endpoint is configured */
	struct documents *records;
	char *index_path;
	int64_t rescan_ms;

	pthread_mutex_t making; /* one index at a time */
	pthread_mutex_t faults_lock;
	char *faults[SOURCES_MAX]; /* of the last look at each source; NULL: none */
	int64_t looked_ms;         /* of the tick alone; monotonic */

	pthread_mutex_t lock;  /* of 'current' */
	struct index *current; /* NULL: none yet */
};

/* For struct mcp_server. */
void *playbooks_open(const struct statedir *dir, const json_t *config, struct error *err);
void playbooks_close(void *context);
bool playbooks_ready(void *context, struct error *err);
void playbooks_tick(void *context, const struct mcp_tick *tick);
size_t playbooks_reads(const struct statedir *dir, const json_t *config, char **paths,
		       size_t room);

/* The index that is searched now; end it with index_unref. NULL: none was made yet, and
 * 'err' says so. */
struct index *playbooks_index(struct playbooks *p, struct error *err) _must_use_;

/* Look at the sources and make the index anew if they have changed, or if 'force'; then
 * pages of 'only' (NULL: of every source) are fetched again whatever they seem.
 * '*ret_changed': whether there is a new one. */
bool playbooks_make(struct playbooks *p, bool force, const char *only,
		    const atomic_bool *stopping, bool *ret_changed, struct error *err);

const struct source *playbooks_source(const struct playbooks *p, const char *name);

/* May the requester see this document? */
bool playbooks_may_see(const struct index_document *d, const char *requester);

/* The document with this id, if the requester may see it; one that was renamed is
 * followed, and '*ret_renamed' says so. ERR_NOT_FOUND else. */
bool playbooks_find(struct playbooks *p, const struct index *x, const char *id,
		    const char *requester, uint32_t *ret, bool *ret_renamed,
		    struct error *err);

#endif
