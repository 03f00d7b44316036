/*
 * loop -- one thread's events: descriptors, timers, signals, wake-ups. On epoll.
 *
 * Everything but loop_wake and loop_stop belongs to the thread that runs the
 * loop. Callbacks may add and remove anything, themselves included. Sources are
 * owned by the loop; loop_free ends them all, and does not close descriptors
 * that were handed in.
 */
#ifndef PROC_LOOP_H
#define PROC_LOOP_H

#include <signal.h>

#include "base/error.h"

struct loop;
struct loop_source;

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };

typedef void loop_fd_callback(void *context, int fd, unsigned events);
typedef void loop_callback(void *context);
typedef void loop_signal_callback(void *context, int signal_number);

struct loop *loop_new(struct error *err) _must_use_;
void loop_free(struct loop *l);
DEFINE_CLEANUP(struct loop, loop_free);

/* LOOP_HANGUP is always reported. NULL on failure, 'err' says why. */
struct loop_source *loop_add_fd(struct loop *l, int fd, unsigned events,
				loop_fd_callback *fn, void *context, struct error *err);
bool loop_set_events(struct loop_source *s, unsigned events, struct error *err);
/* Calls 'fn' once after 'delay_ms', or every 'delay_ms' if 'repeat'. */
struct loop_source *loop_add_timer(struct loop *l, int64_t delay_ms, bool repeat,
				   loop_callback *fn, void *context, struct error *err);
/* Blocks the signal in this thread (call before threads start) and reports it here. */
struct loop_source *loop_add_signal(struct loop *l, int signal_number,
				    loop_signal_callback *fn, void *context,
				    struct error *err);
/* Ends a source; NULL is fine. A one-shot timer that fired is gone by itself:
 * its pointer is valid until its callback returns. */
void loop_remove(struct loop_source *s);

/* Run 'fn' in the loop's thread soon; callable from any thread. */
bool loop_wake(struct loop *l, loop_callback *fn, void *context);
/* Until loop_stop; false only when epoll itself fails. */
bool loop_run(struct loop *l, struct error *err);
void loop_stop(struct loop *l);

#endif
