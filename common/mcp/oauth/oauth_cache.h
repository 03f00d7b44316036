/*
 * oauth_cache -- tokens that were found good a moment ago.
 *
 * A client sends the same token with every call, and its signature costs more than the
 * rest of a quick call. Keyed by the token's SHA-256; a row is overwritten by the next
 * token that wants its place. Whether a row still holds is for the caller to say: it
 * names the time it ends and the generation of keys that it was checked with.
 */
#ifndef MCP_OAUTH_CACHE_H
#define MCP_OAUTH_CACHE_H

#include "guard/token.h"

enum { OAUTH_CACHE_ROWS = 256 };

struct oauth_known {
	struct caller caller;
	unsigned issuer;
	uint64_t generation;
	int64_t until_ms; /* wall clock */
};

struct oauth_cache;

struct oauth_cache *oauth_cache_new(void) _must_use_; /* NULL without memory */
void oauth_cache_free(struct oauth_cache *c);

/* Thread-safe. 'token' of any length. */
bool oauth_cache_find(struct oauth_cache *c, const char *token, struct oauth_known *ret);
void oauth_cache_put(struct oauth_cache *c, const char *token,
		     const struct oauth_known *known);

#endif
