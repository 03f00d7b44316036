/*
 * load -- a closed-loop load generator: so many keep-alive connections, each with one
 * request under way, all in one thread on epoll.
 *
 * Every reply is compared with the first one to the byte: an error can be HTTP 200.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "base/error.h"

enum { LOAD_CONNECTIONS_MAX = 1024 };

struct load {
	uint16_t port;
	unsigned connections;
	const char *request; /* head and body */
	const char *expect;  /* must stand in the reply's body */
	int64_t duration_ms;
};

/* Replies counted, and how long that took; ERR_INTERNAL for a reply that is not as expected. */
bool load_run(const struct load *load, uint64_t *ret_count, double *ret_seconds,
	      struct error *err);

#endif
