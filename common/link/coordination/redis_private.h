/*
 * redis_private -- what the files of the Redis twin share.
 *
 *   redis_access.c    the configuration, its files read
 *   redis_resolver.c  names to addresses
 *   redis_connect.c   a socket; redis_link.c a connection, which speaks TLS and Redis
 *   redis_pool.c      several, each made ready (password, fitness) before its first use
 *   redis_fitness.c   whether this Redis keeps what it is told
 *   redis_store.lua   what a call does there; redis_step.c sends it and reads the answer
 *   redis_entries.c, redis_counters.c, coordination_redis.c  the calls
 *   redis_claims.c    claims whose answer was lost
 *   redis_listener.c  announcements, on a connection and a thread of their own
 *   redis_watch.c     a thread that notices another Redis before anybody asks
 */
#ifndef LINK_REDIS_PRIVATE_H
#define LINK_REDIS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "link/coordination/announcer.h"
#include "link/coordination/coordination_backend.h"
#include "link/coordination/coordination_redis.h"
#include "link/coordination/redis_link.h"

enum {
	REDIS_CONNECTIONS_MAX = 16, /* calls under way at once; more wait for a place */
	REDIS_SHA_BYTES = 41,
	REDIS_RUN_BYTES = 41,
	REDIS_TOKEN_BYTES = 33,
	REDIS_LOST_CLAIMS_MAX = 256,
};

extern const char redis_store_script[];

/* ---- Fitness ---- */

/* What a connection has learnt of the Redis behind it. */
struct redis_fitness {
	bool has_waitaof;
	bool hides_configuration;
};

/* Queue the questions; then read their answers and judge. */
bool redis_fitness_ask(struct redis_link *l, const struct redis_fitness *f,
		       struct error *err);
/* False without ret_unfit: the connection is broken. With it: heard, and not fit; 'err'
 * says which line is missing from redis.conf. */
bool redis_fitness_hear(struct redis_link *l, const struct coord_redis_access *a,
			struct redis_fitness *f, int64_t deadline_ms, bool *ret_unfit,
			struct error *err);
/* INFO server of a new connection: whether it can say that a write is on the disk. */
bool redis_fitness_version(const char *info, struct redis_fitness *f);

/* ---- Pool ---- */

struct redis_slot {
	struct redis_link *link; /* NULL: not connected */
	struct redis_fitness fitness;
	bool is_busy;
};

struct redis_pool {
	const struct coord_redis_access *access;
	pthread_mutex_t lock;
	pthread_cond_t freed;
	struct redis_slot slots[REDIS_CONNECTIONS_MAX];
};

void redis_pool_init(struct redis_pool *p, const struct coord_redis_access *a);
void redis_pool_done(struct redis_pool *p);
/* A slot with a connection made ready; NULL sets 'err'. */
struct redis_slot *redis_pool_take(struct redis_pool *p, int64_t deadline_ms,
				   struct error *err);
void redis_pool_give(struct redis_pool *p, struct redis_slot *s, bool is_broken);
/* Connected and past the password, outside the pool. */
struct redis_link *redis_pool_open(const struct coord_redis_access *a,
				   int64_t deadline_ms, struct error *err);

/* ---- Claims whose answer was lost ---- */

struct redis_claims {
	pthread_mutex_t lock;
	size_t next;
	struct {
		char *key; /* NULL: free */
		char token[REDIS_TOKEN_BYTES];
	} list[REDIS_LOST_CLAIMS_MAX];
};

void redis_claims_init(struct redis_claims *c);
void redis_claims_done(struct redis_claims *c);
/* True: the token of the claim of 'key' that was lost, which is forgotten here; else a new one. */
bool redis_claims_token(struct redis_claims *c, const char *key,
			char ret[static REDIS_TOKEN_BYTES]);
void redis_claims_lost(struct redis_claims *c, const char *key,
		       const char token[static REDIS_TOKEN_BYTES]);

/* ---- The store ---- */

struct redis_listener;

struct coord_redis {
	struct coordination base;
	struct coord_redis_access *access;
	struct redis_pool pool;
	struct redis_claims claims;
	struct announcer *announcer;
	pthread_mutex_t lock; /* of 'listener', while it begins, and 'is_closing' */
	struct redis_listener *listener;
	pthread_cond_t closing;
	pthread_t watch;
	bool has_watch, is_closing;
	char sha[REDIS_SHA_BYTES]; /* of the script */
	char *keys[3];             /* hash, names, expiries */
	char *channel;             /* where topics and texts are said */
	_Atomic int64_t seen_seq, shown_ms;
};

static inline struct coord_redis *coord_redis(struct coordination *c)
{
	return (struct coord_redis *)c;
}

/* One run of the script. */
struct redis_step {
	const char *verb, *key, *value, *more, *last; /* NULL: "" */
	int64_t number;
	bool is_write;   /* only durable is done */
	bool may_repeat; /* twice is as good as once */
	/* Results; done by redis_step_done. */
	redisReply *reply;
	int64_t now_ms, epoch_ms, wall_ms;
	bool is_unknown; /* failed, and may have been done nevertheless */
};

bool redis_step_run(struct coord_redis *c, struct redis_step *s, struct error *err);
void redis_step_done(struct redis_step *s);
#define _cleanup_step_ _cleanup_(redis_step_done)
/* Part 'i' of what the verb gave: as a number; as a new string. False sets 'err'. */
bool redis_step_number(const struct coord_redis *c, const struct redis_step *s, size_t i,
		       int64_t *ret, struct error *err);
bool redis_step_text(const struct coord_redis *c, const struct redis_step *s, size_t i,
		     char **ret, struct error *err);
size_t redis_step_parts(const struct redis_step *s);

/* ---- Announcements ---- */

/* With the first subscription; returns when Redis has confirmed it. Under c->lock. */
bool redis_listener_start(struct coord_redis *c, struct error *err);
void redis_listener_free(struct redis_listener *l);

/* ---- The watch ---- */

bool redis_watch_start(struct coord_redis *c, struct error *err);
void redis_watch_end(struct coord_redis *c);

/* ---- The calls ---- */

bool coord_redis_claim(struct coordination *c, const char *key, const char *value,
		       int64_t ttl_ms, bool *ret_first, char **ret_existing,
		       struct error *err);
bool coord_redis_put(struct coordination *c, const char *key, const char *value,
		     int64_t ttl_ms, struct error *err);
bool coord_redis_swap(struct coordination *c, const char *key, const char *expected,
		      const char *value, bool *ret_changed, struct error *err);
bool coord_redis_get(struct coordination *c, const char *key, char **ret_value,
		     struct error *err);
bool coord_redis_take(struct coordination *c, const char *key, char **ret_value,
		      struct error *err);
bool coord_redis_scan(struct coordination *c, const char *prefix,
		      bool (*fn)(void *context, const char *key, const char *value),
		      void *context, struct error *err);
bool coord_redis_count(struct coordination *c, const char *key, int64_t by,
		       int64_t window_ms, int64_t *ret_total, struct error *err);
bool coord_redis_lease(struct coordination *c, const char *name, const char *holder,
		       int64_t ttl_ms, int64_t *ret_fence, struct error *err);
bool coord_redis_lease_renew(struct coordination *c, const char *name, int64_t fence,
			     int64_t ttl_ms, bool *ret_held, struct error *err);
bool coord_redis_lease_release(struct coordination *c, const char *name, int64_t fence,
			       struct error *err);

#endif
