/*
 * coordination_redis -- the twin of the store on Redis, for several machines.
 *
 * For one Redis (6.2 or later) that keeps what it was told: 'appendonly yes',
 * 'appendfsync always', 'no-appendfsync-on-rewrite no', 'maxmemory-policy noeviction'.
 * That is asked with every write, not only at the start, and where it is not so nothing
 * counts as written. From 7.2 on, WAITAOF says besides that the write is on the disk.
 * A Redis that does not tell its configuration needs WAITAOF, or 'assume_durable'.
 *
 * Each call is one atomic step there (redis_store.lua) and has one deadline for all it
 * takes: a place in the pool, the name looked up, connecting, TLS, password, answer.
 * A call whose answer is lost fails. If it was a claim it may stand: it is asked again
 * at once on another connection, and if that fails too, the next claim of the same key
 * by this handle finds its own. Nobody else gets it.
 *
 * The epoch begins anew with another process there (restart), another history
 * (failover, a replica promoted), and when less is there than was seen (flushed,
 * restored). A replica is refused: whoever fails over leads the address to the primary.
 *
 * Any number of threads. Its own: one that notices every second whether Redis is still
 * the same, one for a name that is looked up, one for subscriptions.
 */
#ifndef LINK_COORDINATION_REDIS_H
#define LINK_COORDINATION_REDIS_H

#include "link/coordination/coordination.h"

enum {
	COORD_REDIS_PREFIX_MAX = 100,
	COORD_REDIS_TIMEOUT_MS = 2000,
	COORD_REDIS_TIMEOUT_MIN_MS = 50,
	COORD_REDIS_TIMEOUT_MAX_MS = 10000,
};

struct coord_redis_config {
	const char *socket;          /* path; or NULL: */
	const char *host;            /* name or address */
	uint16_t port;               /* 0: 6379 */
	const char *user;            /* NULL: 'default' */
	const char *password_file;   /* NULL: none; nobody else may read it */
	const char *tls_ca;          /* NULL: no TLS, unless 'tls'; then the system's */
	const char *tls_certificate; /* both or neither */
	const char *tls_key;
	bool tls;
	int64_t timeout_ms; /* 0: COORD_REDIS_TIMEOUT_MS */
	/* Believe of a Redis that hides its configuration that appendfsync is 'always'. */
	bool assume_durable;
};

/* The configuration with its files read, so that a sandbox may close afterwards. */
struct coord_redis_access;
struct coord_redis_access *coord_redis_access_read(
	const struct coord_redis_config *config, struct error *err) _must_use_;
void coord_redis_access_free(struct coord_redis_access *a);
DEFINE_CLEANUP(struct coord_redis_access, coord_redis_access_free);

/* Takes '*access' (NULL afterwards), also on failure. 'prefix' begins all our keys and
 * channels there: 1 to COORD_REDIS_PREFIX_MAX characters of a key's. Fails where Redis
 * cannot be reached or is not fit to hold what must not be forgotten. */
struct coordination *coord_open_redis(struct coord_redis_access **access,
				      const char *prefix, struct error *err) _must_use_;

/*
 * A store shared with other processes, and beside it one of our own (embedded) that
 * keeps what this process claims and puts. Should the shared one forget a claim, this
 * one does not: it is not first again, and what it holds is found. A scan tells only what is ours, so that a process
 * that restarts looks after what it left behind and not after what others are at.
 * Everything else is the shared store's. Takes both, also on failure.
 */
struct coordination *coord_open_kept(struct coordination *shared,
				     struct coordination *own,
				     struct error *err) _must_use_;

#endif
