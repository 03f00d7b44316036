/*
 * launcher -- starts workers and the egress for a surface that may not run programs itself.
 *
 * A surface that reads strangers' bytes gives up exec before it does. Before that it makes
 * a launcher: a copy of itself that from then on does one thing, on one socket pair, by
 * messages of a fixed size: start one of two programs, named at the beginning, and hand
 * back its end; end one that it started. It ends, and all it started with it, when the
 * surface does. Make it in the main thread, before any other thread and any secret.
 */
#ifndef ASSISTANT_HOST_LAUNCHER_H
#define ASSISTANT_HOST_LAUNCHER_H

#include "assistant/host/host.h"

enum { LAUNCHER_CHILDREN_MAX = HOST_TURNS_MAX + 2 };

struct launcher;

/* 'o' is read now, and need not live on: worker, egress, dir, log_path, settings. */
struct launcher *launcher_new(const struct host_options *o, struct error *err) _must_use_;
/* Ends it, and what it started. */
void launcher_free(struct launcher *l);
DEFINE_CLEANUP(struct launcher, launcher_free);

enum launcher_program { LAUNCHER_WORKER, LAUNCHER_EGRESS };
/* Our end of the program's socket pair, and its pid. Blocks for a moment. */
bool launcher_begin(struct launcher *l, enum launcher_program which, int *ret_fd,
		    pid_t *ret_pid, struct error *err);
/* Kill one of those. */
void launcher_end(struct launcher *l, pid_t pid);

#endif
