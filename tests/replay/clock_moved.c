/* replay/clock.h, where the time is that of a page: for the process that moves it. */
#include "replay/clock.h"

#include "replay/clock_page.h"

/* Until there is one that others see as well. */
static struct clock_page before, *page = &before;

void replay_clock_use(struct clock_page *one)
{
	page = one;
}

struct clock_page *clock_page_own(void)
{
	return page;
}

void replay_clock_set(int64_t wall_ms)
{
	atomic_store(&page->wall_ms, wall_ms);
}

void replay_clock_advance(int64_t ms)
{
	atomic_fetch_add(&page->wall_ms, ms);
	atomic_fetch_add(&page->moved_ms, ms);
}

int64_t replay_clock_ms(void)
{
	return atomic_load(&page->wall_ms);
}

void replay_clock_hurry(int64_t ms)
{
	atomic_fetch_add(&page->moved_ms, ms);
}
