/*
 * redis_resolver -- the addresses of a host, without waiting for ever.
 *
 * getaddrinfo knows no deadline. It runs on a thread that is left behind when it takes
 * too long; there is never more than one, and whoever asks meanwhile waits for it.
 * Numbers are read without a thread. Thread-safe.
 */
#ifndef LINK_REDIS_RESOLVER_H
#define LINK_REDIS_RESOLVER_H

#include <sys/socket.h>

#include "base/error.h"

enum { REDIS_ADDRESSES_MAX = 4 };

struct redis_addresses {
	size_t count;
	struct {
		struct sockaddr_storage address;
		socklen_t length;
	} list[REDIS_ADDRESSES_MAX];
};

struct redis_resolver;

struct redis_resolver *redis_resolver_new(const char *host, const char *port,
					  struct error *err) _must_use_;
/* A thread that still asks frees what is left when it ends. */
void redis_resolver_free(struct redis_resolver *r);
DEFINE_CLEANUP(struct redis_resolver, redis_resolver_free);

/* '*ret_why' is a constant text on failure. */
bool redis_resolver_ask(struct redis_resolver *r, int64_t deadline_ms,
			struct redis_addresses *ret, const char **ret_why);

#endif
