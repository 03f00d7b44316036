/*
 * An epoch begins when somebody notices that Redis is another. This thread looks every
 * second, so that a grant signed a while after a restart is not refused for having come
 * before the first call that noticed.
 */
#include "link/coordination/redis_private.h"

#include <errno.h>
#include <signal.h>

enum { WATCH_MS = 1000 };

static void look(struct coord_redis *c)
{
	_cleanup_step_ struct redis_step step = { .verb = "epoch", .is_write = true };
	struct error ignored = ERROR_INIT; /* whoever needs the store is told */

	(void)redis_step_run(c, &step, &ignored);
}

static void *work(void *argument)
{
	struct coord_redis *c = argument;

	(void)pthread_mutex_lock(&c->lock);
	while (!c->is_closing) {
		struct timespec until;

		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += WATCH_MS / 1000;
		if (pthread_cond_timedwait(&c->closing, &c->lock, &until) == 0)
			continue;
		(void)pthread_mutex_unlock(&c->lock);
		look(c);
		(void)pthread_mutex_lock(&c->lock);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return NULL;
}

bool redis_watch_start(struct coord_redis *c, struct error *err)
{
	sigset_t all, before;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&c->watch, NULL, work, c);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	c->has_watch = rc == 0;
	errno = rc;
	return rc == 0 || error_errno(err, "cannot start the thread that watches Redis");
}

void redis_watch_end(struct coord_redis *c)
{
	if (!c->has_watch)
		return;
	(void)pthread_mutex_lock(&c->lock);
	c->is_closing = true;
	(void)pthread_cond_signal(&c->closing);
	(void)pthread_mutex_unlock(&c->lock);
	(void)pthread_join(c->watch, NULL);
}
