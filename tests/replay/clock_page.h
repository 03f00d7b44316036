/*
 * clock_page -- the time of several processes, set by one of them. For tests.
 *
 * A small file that all map. The wall clock stands until it is moved; the clock that counts
 * from the machine's start runs by itself, and is moved on besides, so that what waits for a
 * duration comes to its end both ways. A program that links clock_wrap.c with
 * -Wl,--wrap=clock_wall_ms, clock_mono_ms and epoll_wait takes its time from the file that
 * $REPLAY_CLOCK names, and does not start without. No program of the suite is built so.
 */
#ifndef TESTS_REPLAY_CLOCK_PAGE_H
#define TESTS_REPLAY_CLOCK_PAGE_H

#include <stdatomic.h>

#include "base/error.h"

#define CLOCK_PAGE_VARIABLE "REPLAY_CLOCK"

struct clock_page {
	_Atomic int64_t wall_ms;
	_Atomic int64_t moved_ms; /* beyond what the machine's own clock says */
	_Atomic int64_t runs;     /* acts of all servers, counted in their order */
};

/* Made if it is not there. NULL: 'err'. Mapped until the process ends. */
struct clock_page *clock_page_map(const char *path, struct error *err) _must_use_;
/* Of this process, as clock_wrap.c found it. */
struct clock_page *clock_page_own(void);

#endif
