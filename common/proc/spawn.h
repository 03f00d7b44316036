/*
 * spawn -- one child process: begun, watched, ended. Private to common/proc.
 *
 * A child leads a process group of its own, so that the terminal's Ctrl-C does
 * not reach it and that what it started ends with it. It gets SIGKILL when the
 * thread that began it ends (PR_SET_PDEATHSIG goes by thread): begin children
 * from the main thread. It inherits no descriptor but 0 (/dev/null), 1 and 2,
 * no blocked and no ignored signal.
 */
#ifndef PROC_SPAWN_H
#define PROC_SPAWN_H

#include <sys/types.h>

#include "base/error.h"

struct spawned {
	pid_t pid;        /* 0: none */
	int pidfd;        /* readable when it ended; -1: none */
	int64_t log_from; /* bytes in the log before it began */
};
#define SPAWNED_NONE                                                                     \
	{                                                                                \
		.pidfd = -1                                                              \
	}

/* 'log_path' NULL: our stdout and stderr. An argv[0] that cannot be run is an error here. */
bool spawn_begin(struct spawned *ret, const char *const *argv, const char *log_path,
		 struct error *err);

/* Whether it ended; then it is reaped, its group killed, and '*ret_status' is as of waitpid. */
bool spawn_ended(struct spawned *c, int *ret_status);
/* The same, waiting until 'deadline_ms' (clock_mono_ms). */
bool spawn_await(struct spawned *c, int64_t deadline_ms, int *ret_status);
/* SIGKILL for it and its group, and reap it. */
void spawn_kill(struct spawned *c);

/* What it wrote into its log at last, as a message and a hint: of the last line that complains
 * (as log_failure() does), else of the last line. Without one 'ret' is not set. */
void spawn_last_words(const struct spawned *c, const char *log_path, struct error *ret);

#endif
