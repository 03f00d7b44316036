/*
 * supervise -- children that die with us and come back when they fall.
 *
 * Each child is one row: name, argv, descriptors to inherit, how to know that it
 * is ready. Children get PR_SET_PDEATHSIG, their own stderr destination, and are
 * restarted with backoff (200 ms doubling to 10 s; back to 200 ms after a minute
 * of life). Stopping sends SIGTERM in reverse order, waits, then SIGKILL. Knows
 * no program's name.
 */
#ifndef PROC_SUPERVISE_H
#define PROC_SUPERVISE_H

#include "proc/loop.h"

enum { SUPERVISE_CHILDREN_MAX = 32 };

struct supervise_child {
	const char *name;
	const char *const *argv;   /* argv[0] is an absolute path; borrowed for ever */
	const char *log_path;      /* stdout and stderr are appended there; NULL: ours */
	bool (*ready)(void *context); /* polled every 20 ms after start; NULL: ready at once */
	void *context;
};

typedef void supervise_event(void *context, const char *name, const char *what, int status);

struct supervisor;

struct supervisor *supervisor_new(struct loop *l, supervise_event *event, void *context,
				  struct error *err) _must_use_;
/* Kills what still runs, without patience. */
void supervisor_free(struct supervisor *s);
DEFINE_CLEANUP(struct supervisor, supervisor_free);

/* Start one; children are ready in the order given when 'wait_ms' > 0: blocks
 * (running the loop is not needed) until ready, ERR_TIMEOUT after 'wait_ms', or
 * an error with the end of its log when it exits before. */
bool supervisor_start(struct supervisor *s, const struct supervise_child *child, int64_t wait_ms,
		      struct error *err);
/* SIGTERM to all in reverse order, then SIGKILL after 'patience_ms'. No restarts any more. */
void supervisor_stop(struct supervisor *s, int64_t patience_ms);
/* Pid of a child, 0 when it is down or unknown. */
pid_t supervisor_pid(const struct supervisor *s, const char *name);

#endif
