/*
 * limits -- how often and how much, per caller. In memory, for one process.
 */
#ifndef GUARD_LIMITS_H
#define GUARD_LIMITS_H

#include "base/error.h"

struct limiter;
/* Token bucket per key: 'burst' at once, 'per_minute' refilled (both above zero). At
 * most 4096 keys; the idlest is forgotten. */
struct limiter *limiter_new(unsigned burst, unsigned per_minute);
void limiter_free(struct limiter *l);
DEFINE_CLEANUP(struct limiter, limiter_free);
/* ERR_RATE_LIMITED, '*ret_retry_after_ms' says when; thread-safe. */
bool limiter_take(struct limiter *l, const char *key, int64_t now_mono_ms,
		  int64_t *ret_retry_after_ms, struct error *err);

#endif
