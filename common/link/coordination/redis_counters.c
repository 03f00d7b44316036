#include "link/coordination/redis_private.h"

enum { NUMBER_BYTES = 24 };

static void write_number(char ret[static NUMBER_BYTES], int64_t number)
{
	(void)snprintf(ret, NUMBER_BYTES, "%lld", (long long)number);
}

bool coord_redis_count(struct coordination *base, const char *key, int64_t by,
		       int64_t window_ms, int64_t *ret_total, struct error *err)
{
	char text[NUMBER_BYTES];
	_cleanup_step_ struct redis_step step = { .verb = "count",
						  .key = key,
						  .number = window_ms,
						  .value = text,
						  .is_write = true };

	write_number(text, by);
	return redis_step_run(coord_redis(base), &step, err) &&
	       redis_step_number(coord_redis(base), &step, 0, ret_total, err);
}

bool coord_redis_lease(struct coordination *base, const char *name, const char *holder,
		       int64_t ttl_ms, int64_t *ret_fence, struct error *err)
{
	_cleanup_step_ struct redis_step step = {
		.verb = "lease",
		.key = name,
		.number = ttl_ms,
		.value = holder,
		.is_write = true,
		.may_repeat = true, /* taking one's own anew */
	};

	return redis_step_run(coord_redis(base), &step, err) &&
	       redis_step_number(coord_redis(base), &step, 0, ret_fence, err);
}

bool coord_redis_lease_renew(struct coordination *base, const char *name, int64_t fence,
			     int64_t ttl_ms, bool *ret_held, struct error *err)
{
	char text[NUMBER_BYTES];
	_cleanup_step_ struct redis_step step = { .verb = "renew",
						  .key = name,
						  .number = ttl_ms,
						  .value = text,
						  .is_write = true,
						  .may_repeat = true };
	int64_t held = 0;

	write_number(text, fence);
	if (!redis_step_run(coord_redis(base), &step, err) ||
	    !redis_step_number(coord_redis(base), &step, 0, &held, err))
		return false;
	*ret_held = held == 1;
	return true;
}

bool coord_redis_lease_release(struct coordination *base, const char *name, int64_t fence,
			       struct error *err)
{
	char text[NUMBER_BYTES];
	_cleanup_step_ struct redis_step step = { .verb = "release",
						  .key = name,
						  .value = text,
						  .is_write = true,
						  .may_repeat = true };

	write_number(text, fence);
	return redis_step_run(coord_redis(base), &step, err);
}
