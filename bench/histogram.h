/*
 * histogram -- how often what was counted, each value to about 3 percent.
 *
 * Powers of two in 32 steps each. Of one thread; zeroed memory is an empty one.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 32, HISTOGRAM_ROWS = 64 * HISTOGRAM_STEPS };

struct histogram {
	uint64_t count;
	uint64_t rows[HISTOGRAM_ROWS];
};

void histogram_add(struct histogram *h, uint64_t value);
/* The value that this share (0 to 1) of all does not exceed, at most one step above it;
 * 0 if there is none. */
double histogram_at(const struct histogram *h, double share);

#endif
