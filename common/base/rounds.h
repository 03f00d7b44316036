/*
 * rounds -- many threads wait for what one of them does for all.
 *
 * With a condition all of them would wake at once, and then wait once more for a lock that
 * none of them needs. Here they wait for a count to change, and each finds in something
 * atomic what became of its own. Who waits looks at the count first, then whether there is
 * anything to wait for; who ends a round has done everything before. Knows no lock.
 */
#ifndef BASE_ROUNDS_H
#define BASE_ROUNDS_H

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

struct rounds {
	atomic_uint ended;
};

static inline unsigned rounds_seen(const struct rounds *r)
{
	return atomic_load(&r->ended);
}

/* Until a round ends that had not when 'seen' was; sometimes sooner. */
static inline void rounds_wait(struct rounds *r, unsigned seen)
{
	(void)syscall(SYS_futex, &r->ended, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static inline void rounds_end(struct rounds *r)
{
	(void)atomic_fetch_add(&r->ended, 1);
	(void)syscall(SYS_futex, &r->ended, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

#endif
