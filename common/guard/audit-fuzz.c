/* audit_verify_file and audit_collect_anchors: of any bytes in place of a log. */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <sys/mman.h>

#include "guard/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("log", MFD_CLOEXEC);
	_cleanup_free_ struct audit_anchor *anchors = NULL;
	struct error err = ERROR_INIT;
	struct audit_report r;
	size_t count = 0;
	char path[64];

	/* A line without end would be waited for; the tests do that. */
	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size &&
	       write(fd, "\n", 1) == 1);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	assert(audit_verify_file(path, "gate", NULL, NULL, 0, &r, &err));
	assert(r.sound == (r.finding[0] == '\0') && r.sound == (r.finding_line == 0));
	assert(r.last_seq == r.lines - 1 && r.checkpoints <= r.lines);
	assert(audit_collect_anchors(path, &anchors, &count, &err));
	return 0;
}
