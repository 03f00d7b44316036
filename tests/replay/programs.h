/*
 * programs -- the processes of a replay: each started until it says that it is ready, on one
 * line, and ended by its pid. For tests.
 */
#ifndef TESTS_REPLAY_PROGRAMS_H
#define TESTS_REPLAY_PROGRAMS_H

#include <sys/types.h>

#include "base/json.h"

struct program {
	pid_t pid; /* 0: none */
	int out;   /* its ready line came from here; -1: none */
};
#define PROGRAM_NONE                                                                     \
	{                                                                                \
		.out = -1                                                                \
	}

/* argv[0] is its path; it dies with this process. */
bool program_begin(struct program *p, const char *const *argv, const char *log_path,
		   struct error *err);
/* Its ready line, new; NULL: it did not start, and 'err' has the end of its log. */
json_t *program_await(struct program *p, const char *name, const char *log_path,
		      struct error *err) _must_use_;
/* SIGKILL, and gone when this returns. */
void program_kill(struct program *p);

#endif
