/*
 * clock -- the time of a replay: set, not read. For tests.
 *
 * A program that links clock.c with -Wl,--wrap=clock_wall_ms and clock_mono_ms has one
 * clock for everything in it, stores, limits and keys included, and it stands until it is
 * moved.
 */
#ifndef TESTS_REPLAY_CLOCK_H
#define TESTS_REPLAY_CLOCK_H

#include <stdint.h>

void replay_clock_set(int64_t wall_ms);
void replay_clock_advance(int64_t ms);
int64_t replay_clock_ms(void);

/* With clock_moved.c in place of clock.c it is the time of other processes (clock_page.h). */
struct clock_page;
void replay_clock_use(struct clock_page *page);
/* Only what counts durations goes on. */
void replay_clock_hurry(int64_t ms);

#endif
