/*
 * retry -- whether to try once more, and when. Pure.
 *
 * Answers of 408, 409, 425, 429 and from 500 up, and no answer at all, are worth another
 * try; a provider's Retry-After counts, within RETRY_WAIT_MAX_MS and the time that is
 * left; without one it is half a second, doubled each time, up to RETRY_STEP_MAX_MS, less
 * up to a quarter so that many do not come back at once. Nothing is tried again once a
 * byte of a good answer was handed on.
 */
#ifndef EGRESS_RETRY_H
#define EGRESS_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum { RETRY_STEP_MS = 500, RETRY_STEP_MAX_MS = 8000, RETRY_WAIT_MAX_MS = 60 * 1000 };

struct retry {
	int64_t tries;          /* allowed in all */
	int64_t tried;          /* so far, this one included */
	int status;             /* 0: no answer */
	bool quota_is_out;      /* said so: no time makes it better */
	int64_t retry_after_ms; /* -1: not said */
	int64_t left_ms;        /* until the request's whole time is up */
	uint32_t random;
};

/* Milliseconds to wait, or -1: hand on what there is. */
int64_t retry_wait_ms(const struct retry *r);

#endif
