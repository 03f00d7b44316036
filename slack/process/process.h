/*
 * process -- the Slack process from its start to its end.
 */
#ifndef SLACK_PROCESS_PROCESS_H
#define SLACK_PROCESS_PROCESS_H

#include "base/statedir.h"

/* Until a signal; the exit status. 'name' is of its configuration and its folder;
 * 'assistant_apart': somebody else starts the assistant's programs, at run/worker.sock
 * and run/egress.sock. */
int front_main(const struct statedir *dir, const char *name, bool assistant_apart);
/* One line of JSON a finding on stdout; 1 if one is an error. */
int front_check_config(const struct statedir *dir, const char *name);

#endif
