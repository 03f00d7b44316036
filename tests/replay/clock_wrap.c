/* The time of a process that takes it from a page: see clock_page.h. */
#include "replay/clock_page.h"

#include <stdlib.h>
#include <sys/epoll.h>

int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_mono_ms(void);
int64_t __real_clock_mono_ms(void);
int __wrap_epoll_wait(int fd, struct epoll_event *events, int room, int timeout_ms);
int __real_epoll_wait(int fd, struct epoll_event *events, int room, int timeout_ms);

enum { NOTICES_MS = 10 }; /* that the clock was moved */

/* One for each process, found before anything asks for the time. */
static struct clock_page *own;

__attribute__((constructor)) static void find_page(void)
{
	const char *path = getenv(CLOCK_PAGE_VARIABLE);
	struct error err = ERROR_INIT;

	own = path ? clock_page_map(path, &err) : NULL;
	if (own)
		return;
	(void)fprintf(stderr, "this program wants $%s\n", CLOCK_PAGE_VARIABLE);
	_Exit(70);
}

struct clock_page *clock_page_own(void)
{
	return own;
}

int64_t __wrap_clock_wall_ms(void)
{
	return atomic_load(&own->wall_ms);
}

int64_t __wrap_clock_mono_ms(void)
{
	return __real_clock_mono_ms() + atomic_load(&own->moved_ms);
}

int __wrap_epoll_wait(int fd, struct epoll_event *events, int room, int timeout_ms)
{
	if (timeout_ms < 0 || timeout_ms > NOTICES_MS)
		timeout_ms = NOTICES_MS;
	return __real_epoll_wait(fd, events, room, timeout_ms);
}
