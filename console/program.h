/*
 * program -- the other programs of this installation, run to their end.
 */
#ifndef CONSOLE_PROGRAM_H
#define CONSOLE_PROGRAM_H

#include "console/console.h"

enum { PROGRAM_OUTPUT_MAX = 256 * 1024, PROGRAM_PATIENCE_MS = 30 * 1000 };

/* The path of a program beside this executable; new string. NULL when it is not there. */
char *program_path(const struct console *c, const char *name) _must_use_;

/*
 * Run argv (argv[0] is a path; ends with NULL) without a terminal and with nothing
 * on stdin; stdout and stderr together go to 'output'. The exit status (128 + signal
 * when one ended it) goes to 'ret_status'. ERR_TIMEOUT after PROGRAM_PATIENCE_MS,
 * when it is killed; ERR_INTERNAL when it says more than PROGRAM_OUTPUT_MAX.
 */
bool program_run(const char *const *argv, struct strbuf *output, int *ret_status,
		 struct error *err);

#endif
