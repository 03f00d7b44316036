/*
 * serve -- the worker as a process: what it gives up, and its one conversation.
 *
 * worker_enter: no file can be opened, no socket made, no process started, no other
 * process looked at, and little memory had; what is open stays: 0 to 2, and ASSISTANT_FD.
 * worker_serve: reads messages until the surface is gone; a malformed one ends it.
 */
#ifndef WORKER_SERVE_H
#define WORKER_SERVE_H

#include "base/error.h"

enum { WORKER_MEMORY_MAX = 512 * 1024 * 1024 };

/* Closes every other descriptor first. */
bool worker_enter(struct error *err);

/* True when the surface left. */
bool worker_serve(int fd, struct error *err);

#endif
