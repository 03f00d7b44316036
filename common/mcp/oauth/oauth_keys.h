/*
 * oauth_keys -- the keys of one issuer: fetched, kept, fetched again.
 *
 * A thread of its own fetches, so that a slow issuer holds up neither the event loop nor
 * the workers nor another issuer. Keys are fetched at the start, when they are older than
 * 'max_age_ms', and when a token names one that is not there; whatever the reason, not
 * more than once in 'refetch_ms'. While the issuer cannot be reached the old keys stay
 * in use until they are older than 'max_stale_ms'.
 *
 * Where they are says 'jwks_uri', else the issuer's metadata (RFC 8414, or OpenID
 * Connect discovery), which must name this very issuer.
 */
#ifndef MCP_OAUTH_KEYS_H
#define MCP_OAUTH_KEYS_H

#include "guard/jwks.h"
#include "link/http/http_client.h"

struct oauth_keys;

enum { OAUTH_WAITERS_MAX = 64, OAUTH_FETCH_MS = 10 * 1000 };

/* Borrowed strings. */
struct oauth_keys_config {
	const char *issuer;
	const char *jwks_uri; /* NULL: the metadata says */
	int64_t max_age_ms, max_stale_ms, refetch_ms;
};

/* Somebody who waits for keys: woken once, in another thread, and his own again then. */
struct oauth_waiter {
	struct oauth_waiter *next;
	void (*wake)(void *argument);
	void *argument;
};

struct oauth_keys *oauth_keys_new(const struct oauth_keys_config *config,
				  struct error *err) _must_use_;
/* 'http' is borrowed until oauth_keys_stop. */
bool oauth_keys_start(struct oauth_keys *k, struct http_client *http, struct error *err);
/* Gives a fetch up, wakes who waits, joins the thread. */
void oauth_keys_stop(struct oauth_keys *k);
void oauth_keys_free(struct oauth_keys *k);
DEFINE_CLEANUP(struct oauth_keys, oauth_keys_free);

enum oauth_keys_verdict {
	OAUTH_KEYS_GOOD,
	OAUTH_KEYS_BAD_SIGNATURE,
	OAUTH_KEYS_UNKNOWN,     /* the issuer has no such key */
	OAUTH_KEYS_UNAVAILABLE, /* there are no keys, or too many wait for some */
	OAUTH_KEYS_WAITING,     /* the waiter will be woken */
};
/* The signature of 't'. 'waiter' NULL: never waits. '*ret_generation' (may be NULL)
 * changes whenever the keys do. Thread-safe. */
enum oauth_keys_verdict oauth_keys_check(struct oauth_keys *k, const struct jwt *t,
					 int64_t now_mono_ms, struct oauth_waiter *waiter,
					 uint64_t *ret_generation);
/* As of now. It also changes when a fetch fails, so nothing outlives too old keys. */
uint64_t oauth_keys_generation(struct oauth_keys *k);

#endif
