/*
 * people -- what the tools of this server share: its sources, its copy of what they
 * said, and the index over it.
 *
 * Sources are read in the background (people_tick); calls never wait for one. A
 * snapshot is one state of the index: whoever looks something up takes it, and gives it
 * back, and meanwhile a new one may take its place.
 */
#ifndef PEOPLE_PEOPLE_H
#define PEOPLE_PEOPLE_H

#include <pthread.h>

#include "link/documents/documents.h"
#include "mcp/server.h"
#include "servers/people/find.h"
#include "servers/people/settings.h"
#include "servers/people/source.h"
#include "servers/people/store.h"

struct snapshot {
	struct people_index *index;
	int64_t revision; /* of the store */
	unsigned references;
};

/* One source and how it stands; what changes is under the lock of struct people. */
struct people_feed {
	struct people *people;
	const struct source_kind *kind;
	void *self;
	struct store_source when;
	int64_t failing_since_ms; /* 0: it answered last time */
	int64_t tried_ms;         /* when a read began */
	char why[320];            /* as long as the message of an error */
	/* Each source is read by a thread of its own: one may take an hour. */
	pthread_t thread;
	bool is_running;
	bool is_started; /* to be joined; of the tick alone */
};

struct people {
	struct people_settings settings;
	struct people_store *store;
	struct documents *links;
	struct people_feed feeds[SYSTEM_COUNT];
	size_t feed_count;
	atomic_bool stopping;

	pthread_mutex_t build_lock; /* one builds; before 'lock' */
	pthread_mutex_t lock;
	struct snapshot *current;
};

/* For struct mcp_server. */
void *people_open(const struct statedir *dir, const json_t *config, struct error *err);
void people_close(void *context);
bool people_ready(void *context, struct error *err);
bool people_unix_sockets(const json_t *config);
/* Begins to read the sources that are due; never waits for them. */
void people_tick(void *context, const struct mcp_tick *tick);
/* Until what was begun has ended. */
void people_wait(struct people *p);

/* NULL only without an index at all, with 'err'. */
struct snapshot *people_snapshot(struct people *p, struct error *err) _must_use_;
void people_snapshot_give(struct people *p, struct snapshot *s);
/* Build again, of what the store has now. */
bool people_rebuild(struct people *p, struct error *err);
/* The same if the snapshot is older than the store was at this revision. */
bool people_catch_up(struct people *p, int64_t revision, struct error *err);

/* How far what is known can be believed. */
struct freshness {
	bool is_stale;   /* a source did not answer when it was last to be read */
	int64_t age_ms;  /* of what is oldest */
	bool is_too_old; /* for what cannot be undone */
};
void people_freshness(struct people *p, int64_t now_ms, struct freshness *ret);
/* A sentence for each source that does not answer, as an array; new reference. */
json_t *people_warnings(struct people *p, int64_t now_ms) _must_use_;

#endif
