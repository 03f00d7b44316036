/*
 * coordination -- what processes must agree on: claimed once, kept for a while,
 * counted, leased, announced.
 *
 * One interface, two twins: embedded SQLite (WAL, synchronous=FULL) here, Redis
 * for several machines. Every call that changes something is durable when it
 * returns true. Keys are 1 to COORD_KEY_MAX bytes of [a-z0-9._:/@-] and upper
 * case; values are text of at most COORD_VALUE_MAX bytes. Time is the store's:
 * coord_now_ms. What is past its expiry does not exist.
 *
 * The epoch tells when the store may have forgotten something: it begins anew
 * when the store is opened by a new process (embedded), restarts, fails over or
 * is restored. Whatever was signed before it is refused by those who ask.
 *
 * Functions return false with ERR_BACKEND_UNAVAILABLE when the store cannot be
 * reached or written ("disk full" included): callers fail closed. Thread-safe;
 * writes of several threads share one commit.
 */
#ifndef LINK_COORDINATION_H
#define LINK_COORDINATION_H

#include "base/digest.h"
#include "base/error.h"

enum { COORD_KEY_MAX = 200, COORD_VALUE_MAX = 1024 * 1024, COORD_HINT_MAX = 4096 };

struct coordination;

/* The SQLite twin; creates the file (0600). ERR_CONFLICT when another process has it open. */
struct coordination *coord_open_sqlite(const char *path, struct error *err) _must_use_;
void coord_close(struct coordination *c);
DEFINE_CLEANUP(struct coordination, coord_close);

bool coord_now_ms(struct coordination *c, int64_t *ret_now_ms, struct error *err);
/* When this epoch began, store time. */
bool coord_epoch_ms(struct coordination *c, int64_t *ret_began_ms, struct error *err);
/*
 * Since when it has forgotten nothing, as far as it can know. The embedded one begins an
 * epoch at each start and keeps what it had: since its file was made, or put there by
 * somebody (a copy over it, in place, looks like the file itself). Redis: since its epoch.
 */
bool coord_remembers_ms(struct coordination *c, int64_t *ret_since_ms, struct error *err);

/*
 * What this very store is called, at random: the same for all who share it, another for any
 * other store, and anew once it has forgotten everything.
 */
bool coord_identity(struct coordination *c, char ret[static DIGEST_ID_BYTES],
		    struct error *err);

/* The same for a process that knows what its store was called, and wants it to be called so
 * again should it have forgotten everything. 'ret' may be 'id'. */
bool coord_identity_as(struct coordination *c, const char *id,
		       char ret[static DIGEST_ID_BYTES], struct error *err);

/*
 * Claim once: make 'key' with 'value' unless it exists. '*ret_first' tells
 * whether this call made it; if not and 'ret_existing' is not NULL, it gets a
 * new string with the value found. The one primitive behind burning a grant.
 */
bool coord_claim(struct coordination *c, const char *key, const char *value,
		 int64_t ttl_ms, bool *ret_first, char **ret_existing, struct error *err);
/* Set, whether or not it exists. 'ttl_ms' 0 keeps the expiry that a claim gave (or none). */
bool coord_put(struct coordination *c, const char *key, const char *value, int64_t ttl_ms,
	       struct error *err);
/* Replace only while the value equals 'expected'; '*ret_changed' tells. */
bool coord_swap(struct coordination *c, const char *key, const char *expected,
		const char *value, bool *ret_changed, struct error *err);
/* New string or NULL ('*ret_value') when absent. */
bool coord_get(struct coordination *c, const char *key, char **ret_value,
	       struct error *err);
/* Get and delete in one step: of two takers one gets it. */
bool coord_take(struct coordination *c, const char *key, char **ret_value,
		struct error *err);
/* Call 'fn' for each live key that begins with 'prefix', in order; stops when it returns false. */
bool coord_scan(struct coordination *c, const char *prefix,
		bool (*fn)(void *context, const char *key, const char *value),
		void *context, struct error *err);

/* Add 'by' to a counter that forgets itself 'window_ms' after its first count. */
bool coord_count(struct coordination *c, const char *key, int64_t by, int64_t window_ms,
		 int64_t *ret_total, struct error *err);

/*
 * A lease with fencing: one holder at a time; each acquisition gets a larger
 * 'fence', which the holder shows wherever it writes. '*ret_fence' is 0 when
 * somebody else has it. Renew and release only count with the right fence.
 */
bool coord_lease(struct coordination *c, const char *name, const char *holder,
		 int64_t ttl_ms, int64_t *ret_fence, struct error *err);
bool coord_lease_renew(struct coordination *c, const char *name, int64_t fence,
		       int64_t ttl_ms, bool *ret_held, struct error *err);
bool coord_lease_release(struct coordination *c, const char *name, int64_t fence,
			 struct error *err);

/*
 * Announcements: fire and forget, a hint to look again (at most COORD_HINT_MAX
 * bytes), never the truth itself. Equal ones that still wait are told once.
 * 'fn' runs on a thread of the store's; a subscription lives until the store is
 * closed or coord_unsubscribe.
 */
struct coord_subscription;
bool coord_publish(struct coordination *c, const char *topic, const char *text,
		   struct error *err);
struct coord_subscription *coord_subscribe(struct coordination *c, const char *topic,
					   void (*fn)(void *context, const char *topic,
						      const char *text),
					   void *context, struct error *err);
void coord_unsubscribe(struct coord_subscription *s);

#endif
