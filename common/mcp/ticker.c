/*
 * What a server does by itself when its time has come: a thread of its own, so that
 * full queues do not delay it and it never delays a call. Like every thread it starts
 * after the sandbox was entered.
 */
#include "mcp/serving.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"

enum { TICK_MS = 5000 };

struct ticker {
	struct mcp_service *service;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	pthread_t thread;
	int64_t every_ms;
	int64_t due_ms; /* monotonic: the server's next tick */
};

static void tick_server(struct ticker *t)
{
	struct mcp_service *s = t->service;
	struct mcp_tick now = { .audit = s->audit,
				.stopping = &s->is_stopping,
				.service = s };
	struct error err = ERROR_INIT;

	if (coord_now_ms(s->store, &now.now_ms, &err))
		s->server->tick(s->context, &now);
	else
		log_failure("tick.failed", &err);
}

/* What is due; how long until the next is. */
static int64_t tick(struct ticker *t)
{
	struct mcp_service *s = t->service;
	int64_t wait_ms = joining_tick(s), left_ms;

	if (!s->server->tick)
		return wait_ms;
	left_ms = t->due_ms - clock_mono_ms();
	if (left_ms <= 0) {
		tick_server(t);
		t->due_ms = clock_mono_ms() + t->every_ms;
		left_ms = t->every_ms;
	}
	return left_ms < wait_ms ? left_ms : wait_ms;
}

/* False: the service is stopping. */
static bool nap(struct ticker *t, int64_t wait_ms)
{
	struct timespec until;
	int status = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	(void)pthread_mutex_lock(&t->lock);
	while (!atomic_load(&t->service->is_stopping) && status == 0)
		status = pthread_cond_timedwait(&t->woken, &t->lock, &until);
	(void)pthread_mutex_unlock(&t->lock);
	return !atomic_load(&t->service->is_stopping);
}

static void *work(void *argument)
{
	struct ticker *t = argument;

	while (nap(t, tick(t)))
		continue;
	return NULL;
}

static struct ticker *ticker_new(struct mcp_service *s)
{
	struct ticker *t = calloc(1, sizeof *t);
	pthread_condattr_t monotonic;

	if (!t)
		return NULL;
	t->service = s;
	t->every_ms = s->server->tick_ms ? s->server->tick_ms : TICK_MS;
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&t->woken, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	return t;
}

static void ticker_free(struct ticker *t)
{
	(void)pthread_cond_destroy(&t->woken);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

bool ticker_start(struct mcp_service *s, struct error *err)
{
	sigset_t all, before;
	struct ticker *t;

	if (!s->server->tick && !s->http)
		return true;
	t = ticker_new(s);
	if (!t)
		return error_oom(err);
	/* Signals are the main thread's; a thread inherits the mask of its maker. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&t->thread, NULL, work, t);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (errno != 0) {
		ticker_free(t);
		return error_errno(err, "cannot start a thread");
	}
	s->ticker = t;
	return true;
}

void ticker_wake(struct mcp_service *s)
{
	if (!s->ticker)
		return;
	(void)pthread_mutex_lock(&s->ticker->lock);
	(void)pthread_cond_broadcast(&s->ticker->woken);
	(void)pthread_mutex_unlock(&s->ticker->lock);
}

void ticker_end(struct mcp_service *s)
{
	if (!s->ticker)
		return;
	ticker_wake(s);
	(void)pthread_join(s->ticker->thread, NULL);
	ticker_free(TAKE(s->ticker));
}
