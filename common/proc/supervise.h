/*
 * supervise -- children that die with us and come back when they fall.
 *
 * Each child is one row: name, argv, where its output goes, how to know that it
 * is ready. Children get SIGKILL when we die (PR_SET_PDEATHSIG), a process group
 * of their own, no descriptor but 0 to 2, and are restarted with backoff (200 ms
 * doubling to 10 s; back to 200 ms after a minute of life). Stopping sends
 * SIGTERM in reverse order, waits, then SIGKILL. Knows no program's name.
 *
 * PR_SET_PDEATHSIG goes by the thread that forked: use a supervisor, and run its
 * loop, in the main thread alone; starting elsewhere is an error.
 */
#ifndef PROC_SUPERVISE_H
#define PROC_SUPERVISE_H

#include "proc/loop.h"

enum { SUPERVISE_CHILDREN_MAX = 32 };

struct supervise_child {
	const char *name;
	const char *const *argv; /* argv[0] is an absolute path; borrowed for ever */
	const char *log_path;    /* stdout and stderr are appended there; NULL: ours */
	/* polled every 20 ms after start; NULL: ready at once */
	bool (*ready)(void *context);
	void *context;
};

/* 'what' is "ended" ('status' as of waitpid), "restarted", "killed" (by us, at the
 * end), or a sentence that says why a restart failed. */
typedef void supervise_event(void *context, const char *name, const char *what,
			     int status);

struct supervisor;

struct supervisor *supervisor_new(struct loop *l, supervise_event *event, void *context,
				  struct error *err) _must_use_;
/* Kills what still runs, without patience. */
void supervisor_free(struct supervisor *s);
DEFINE_CLEANUP(struct supervisor, supervisor_free);

/* Start one; children are ready in the order given when 'wait_ms' > 0: blocks
 * (running the loop is not needed) until ready, ERR_TIMEOUT after 'wait_ms', or
 * an error with what its log says at last when it exits before. A child that did not
 * become ready is killed and forgotten; one that did is restarted from now on. */
bool supervisor_start(struct supervisor *s, const struct supervise_child *child,
		      int64_t wait_ms, struct error *err);
/* SIGTERM to all in reverse order, each when the one after it ended or lingers, then
 * SIGKILL to those that are left after 'patience_ms'. No restarts any more. Blocks. */
void supervisor_stop(struct supervisor *s, int64_t patience_ms);
/* Pid of a child, 0 when it is down or unknown. */
pid_t supervisor_pid(const struct supervisor *s, const char *name);

#endif
