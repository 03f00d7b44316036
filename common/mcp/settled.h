/*
 * settled -- one thread waits, for a while, until another knows how something stands.
 *
 * Settled once: how it was told first stays.
 */
#ifndef MCP_SETTLED_H
#define MCP_SETTLED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct settled {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_settled, is_good;
};

static inline void settled_init(struct settled *s)
{
	pthread_condattr_t attributes;

	s->is_settled = s->is_good = false;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
}

/* Nobody may wait any more. */
static inline void settled_done(struct settled *s)
{
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_mutex_destroy(&s->lock);
}

static inline void settled_tell(struct settled *s, bool is_good)
{
	(void)pthread_mutex_lock(&s->lock);
	if (!s->is_settled) {
		s->is_settled = true;
		s->is_good = is_good;
		(void)pthread_cond_broadcast(&s->changed);
	}
	(void)pthread_mutex_unlock(&s->lock);
}

/* Until 'until_ms' (monotonic) at most; whether it was told that it is good. */
static inline bool settled_await(struct settled *s, int64_t until_ms)
{
	const struct timespec at = { .tv_sec = until_ms / 1000,
				     .tv_nsec = until_ms % 1000 * 1000000 };
	int status = 0;

	(void)pthread_mutex_lock(&s->lock);
	while (!s->is_settled && status == 0)
		status = pthread_cond_timedwait(&s->changed, &s->lock, &at);
	bool is_good = s->is_settled && s->is_good;
	(void)pthread_mutex_unlock(&s->lock);
	return is_good;
}

#endif
