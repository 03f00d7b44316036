/*
 * workers -- threads for what may block: LDAP, SQLite writes, calls out.
 *
 * A bounded queue and a bounded number of threads, each started with all signals blocked
 * when a job finds none idle, and kept: a program that has little to do has few. When the queue is full workers_submit says so and the caller refuses
 * its own caller: nothing waits without a limit.
 */
#ifndef PROC_WORKERS_H
#define PROC_WORKERS_H

#include "base/error.h"

struct workers;
typedef void workers_function(void *argument);

/* 'threads' at most; the first is started at once. */
struct workers *workers_new(unsigned threads, unsigned queue_max,
			    struct error *err) _must_use_;
/* Finishes what is queued, joins the threads. */
void workers_free(struct workers *w);
DEFINE_CLEANUP(struct workers, workers_free);

/* False (and nothing done) when the queue is full or the pool is ending. */
bool workers_submit(struct workers *w, workers_function *fn, void *argument) _must_use_;
/* Queued and running jobs. */
unsigned workers_busy(struct workers *w);

#endif
