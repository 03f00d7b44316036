/*
 * child -- one process of the assistant's, with one end of a socket pair and nothing else.
 *
 * It gets ASSISTANT_FD, /dev/null as its standard input and output, a file for what it
 * logs, the variables that are named, and no other descriptor; it dies with the thread
 * that started it, which must be the main thread. Private to assistant/host.
 */
#ifndef ASSISTANT_HOST_CHILD_H
#define ASSISTANT_HOST_CHILD_H

#include <sys/types.h>

#include "proc/channel.h"

struct child {
	pid_t pid;                 /* 0: none of ours */
	struct launcher *launcher; /* that began it; NULL: we did */
	struct channel *channel;
};

struct child_start {
	const char *const *argv; /* argv[0] an absolute path; ends with NULL */
	char *const *env;        /* ends with NULL */
	const char *log_path;    /* NULL: our stderr */
	channel_receive *receive;
	channel_closed *closed;
	void *context;
};

/* The process alone: its end for us in '*ret_fd'. 'receive', 'closed' and 'context' are not
 * looked at. */
bool child_spawn(const struct child_start *s, int *ret_fd, pid_t *ret_pid,
		 struct error *err);
/* One that a launcher or, with neither launcher nor pid, systemd began. Takes 'fd'. */
struct launcher;
bool child_adopt(struct child *ret, struct loop *l, const struct child_start *s,
		 struct launcher *launcher, int fd, pid_t pid, struct error *err);
/* A program that cannot be run shows as a channel that closes. */
bool child_begin(struct child *ret, struct loop *l, const struct child_start *s,
		 struct error *err);
/* Close, kill and reap it; nothing where there is none. */
void child_end(struct child *c);

#endif
