#include "bench/measure.h"

#include <inttypes.h>

int64_t measure_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void measure_print(const struct measure *m)
{
	printf("{\"%s\":{\"count\":%" PRIu64 ",\"rate\":%.1f}}\n", m->variant, m->count,
	       (double)m->count * 1e9 / (double)m->ns);
}

void measure_leave(void)
{
	(void)fputc('\n', stderr);
	exit(1);
}

void measure_fail_error(const char *what, const struct error *err)
{
	measure_fail("%s: %s%s%s", what, err->message, *err->cause ? ": " : "",
		     err->cause);
}

char *measure_path(const char *folder, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		measure_fail("out of memory");
	return path;
}
