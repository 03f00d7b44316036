#include "replay/clock_page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

struct clock_page *clock_page_map(const char *path, struct error *err)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *page;

	if (fd < 0 || ftruncate(fd, sizeof(struct clock_page)) != 0) {
		error_errno(err, "cannot open '%s'", path);
		return NULL;
	}
	page = mmap(NULL, sizeof(struct clock_page), PROT_READ | PROT_WRITE, MAP_SHARED,
		    fd, 0);
	if (page == MAP_FAILED) {
		error_errno(err, "cannot map '%s'", path);
		return NULL;
	}
	return page;
}
