/*
 * measure -- what the benchmarks in C share: a clock, lines that run.py reads, and
 * leaving when something is not as it must be.
 *
 * A benchmark does one round: it measures each of its variants in turn, the bare one
 * among them, checks that what was measured did its work, and prints a line for each:
 *
 *   {"bare":{"count":1234,"rate":2467.5}}
 *
 * run.py repeats rounds and forms ratios inside each. A check that fails ends the
 * program with status 1 and a sentence, so that a fast mistake is no result.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "base/error.h"

int64_t measure_now_ns(void);

/* What was done so far, and in what time. */
struct measure {
	const char *variant;
	uint64_t count;
	int64_t ns;
};
void measure_print(const struct measure *m);

/* Say why and leave with status 1. */
#define measure_fail(...)                                                                \
	do {                                                                             \
		(void)fprintf(stderr, __VA_ARGS__);                                      \
		measure_leave();                                                         \
	} while (0)
_Noreturn void measure_leave(void);

/* The same with what 'err' says. */
_Noreturn void measure_fail_error(const char *what, const struct error *err);

/* "<folder>/<name>"; a new string. */
char *measure_path(const char *folder, const char *name) _must_use_;

#endif
