/*
 * load -- a load generator: so many keep-alive connections in one thread on epoll.
 *
 * Closed loop: each connection has one request under way, and the latency is that of a
 * server that is always busy. With a rate it is open: requests fall due on a clock,
 * whatever the server does, and the latency counts from when one was due.
 *
 * Every reply is compared with the first one to the byte, or, where replies differ by
 * nature, must have the expected words: an error can be HTTP 200.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "base/error.h"

enum { LOAD_CONNECTIONS_MAX = 1024, LOAD_REPLY_MAX = 64 * 1024 };

struct load {
	uint16_t port;
	unsigned connections;
	const char *request;   /* head and body */
	char *const *requests; /* or these, each once; ends with NULL; ends the run */
	const char *expect;    /* must stand in the reply's body */
	bool differs;          /* replies do, from one to the next */
	double rate;           /* requests a second; 0: closed loop */
	int64_t duration_ms;
};

struct load_result {
	uint64_t count;
	double seconds;
	double p50_us, p99_us, p999_us;
};

/* ERR_INTERNAL for a reply that is not as expected. */
bool load_run(const struct load *load, struct load_result *ret, struct error *err);

#endif
