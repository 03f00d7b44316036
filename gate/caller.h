/*
 * caller -- the part of the gate that talks to the network, and holds no key.
 *
 * A process of its own: it calls servers with the gate's token when the keeper says so,
 * and listens on loopback for what servers register. It decides nothing, and hands every
 * answer to the keeper as it came. It ends when the keeper does.
 */
#ifndef GATE_CALLER_H
#define GATE_CALLER_H

#include "base/statedir.h"

enum {
	CALLER_FD = 3, /* where the keeper's end of the socket pair is found */
	CALLER_PLAN_MS = 30 * 1000,
	CALLER_EXECUTE_MS = 120 * 1000,
	CALLER_DEFINITIONS_MS = 10 * 1000,
	CALLER_FETCH_MS = 15 * 1000,
	/* Bytes of an answer that the keeper gets. All threads of a server at once stay
	 * below CHANNEL_QUEUE_MAX: a queue that overruns would end the gate. */
	CALLER_RESULT_MAX = 1024 * 1024,
	CALLER_PLAN_MAX = 256 * 1024,
	/* For each server, so that a slow one delays no other; and planning apart from
	 * executing, so that long calls keep nobody from asking. */
	CALLER_PLAN_THREADS = 4,
	CALLER_EXECUTE_THREADS = 8,
	CALLER_QUEUE = 64,
};

/* Returns the exit status. */
int caller_main(const struct statedir *dir);

#endif
