#include "replay/clock.h"

#include <stdatomic.h>

int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_mono_ms(void);

/* Stores have threads that ask as well. */
static _Atomic int64_t now_ms;
static _Atomic int64_t mono_ms = 1000 * 1000;

void replay_clock_set(int64_t wall_ms)
{
	/* What is counted from the start of the machine only goes on. */
	atomic_fetch_add(&mono_ms, 1000 * 1000);
	atomic_store(&now_ms, wall_ms);
}

void replay_clock_advance(int64_t ms)
{
	atomic_fetch_add(&now_ms, ms);
	atomic_fetch_add(&mono_ms, ms);
}

int64_t replay_clock_ms(void)
{
	return atomic_load(&now_ms);
}

int64_t __wrap_clock_wall_ms(void)
{
	return atomic_load(&now_ms);
}

int64_t __wrap_clock_mono_ms(void)
{
	return atomic_load(&mono_ms);
}
