#include "bench/histogram.h"

static unsigned row_of(uint64_t value)
{
	if (value < HISTOGRAM_STEPS)
		return (unsigned)value;
	unsigned power = 63U - (unsigned)__builtin_clzll(value); /* 5 or more */
	unsigned step = (unsigned)(value >> (power - 5)) & (HISTOGRAM_STEPS - 1);

	return (power - 4) * HISTOGRAM_STEPS + step;
}

/* The first value behind a row. */
static double end_of(unsigned row)
{
	unsigned power = row / HISTOGRAM_STEPS, step = row % HISTOGRAM_STEPS;

	if (power == 0)
		return step + 1;
	return (double)(HISTOGRAM_STEPS + step + 1) *
	       (double)(UINT64_C(1) << (power - 1));
}

void histogram_add(struct histogram *h, uint64_t value)
{
	h->rows[row_of(value)]++;
	h->count++;
}

double histogram_at(const struct histogram *h, double share)
{
	double wanted = share * (double)h->count, seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_ROWS; i++) {
		seen += (double)h->rows[i];
		if (h->rows[i] > 0 && seen >= wanted)
			return end_of(i);
	}
	return 0;
}
