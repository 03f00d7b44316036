/*
 * callers -- how many calls each client has under way. Thread-safe.
 *
 * Rows exist only while something runs, so their number is bounded by the calls
 * that a server takes at all.
 */
#ifndef MCP_CALLERS_H
#define MCP_CALLERS_H

#include <pthread.h>

#include "base/error.h"

struct callers {
	pthread_mutex_t lock;
	struct callers_row *rows;
	size_t count, capacity;
};

void callers_init(struct callers *c);
void callers_done(struct callers *c);

/* Count one more call of 'client', or ERR_RATE_LIMITED when it has 'max' already. */
bool callers_enter(struct callers *c, const char *client, unsigned max,
		   struct error *err);
void callers_leave(struct callers *c, const char *client);

#endif
