#include "bench/measure.h"

#include <inttypes.h>
#include <stdarg.h>

double measure_now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void measure_print(const struct measure *m)
{
	printf("{\"%s\":{\"count\":%" PRIu64 ",\"rate\":%.1f}}\n", m->variant, m->count,
	       (double)m->count / m->seconds);
}

void measure_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
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
