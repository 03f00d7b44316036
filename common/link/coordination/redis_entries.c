#include "link/coordination/redis_private.h"

enum { SCAN_PAGE = 64 };

static bool first_is_one(const struct coord_redis *c, const struct redis_step *s,
			 bool *ret, struct error *err)
{
	int64_t number = 0;

	if (!redis_step_number(c, s, 0, &number, err))
		return false;
	*ret = number == 1;
	return true;
}

/* {1, value} or {0}. */
static bool read_value(const struct coord_redis *c, const struct redis_step *s,
		       char **ret_value, struct error *err)
{
	char *value = NULL;
	bool is_there = false;

	if (!first_is_one(c, s, &is_there, err) ||
	    (is_there && !redis_step_text(c, s, 1, &value, err)))
		return false;
	*ret_value = value;
	return true;
}

bool coord_redis_claim(struct coordination *base, const char *key, const char *value,
		       int64_t ttl_ms, bool *ret_first, char **ret_existing,
		       struct error *err)
{
	struct coord_redis *c = coord_redis(base);
	char token[REDIS_TOKEN_BYTES];
	_cleanup_step_ struct redis_step step = {
		.verb = "claim",
		.key = key,
		.number = ttl_ms,
		.value = value,
		.more = token,
		.last = ret_existing ? "1" : "0",
		.is_write = true,
		.may_repeat = true, /* by its token */
	};
	bool is_first = false, was_lost;
	char *existing = NULL;

	was_lost = redis_claims_token(&c->claims, key, token);
	if (!redis_step_run(c, &step, err)) {
		/* One that failed again stays ours too. */
		if (step.is_unknown || was_lost)
			redis_claims_lost(&c->claims, key, token);
		return false;
	}
	if (!first_is_one(c, &step, &is_first, err) ||
	    (!is_first && ret_existing && !redis_step_text(c, &step, 1, &existing, err)))
		return false;
	*ret_first = is_first;
	if (ret_existing)
		*ret_existing = existing;
	return true;
}

bool coord_redis_put(struct coordination *base, const char *key, const char *value,
		     int64_t ttl_ms, struct error *err)
{
	_cleanup_step_ struct redis_step step = { .verb = "put",
						  .key = key,
						  .number = ttl_ms,
						  .value = value,
						  .is_write = true };

	return redis_step_run(coord_redis(base), &step, err);
}

bool coord_redis_swap(struct coordination *base, const char *key, const char *expected,
		      const char *value, bool *ret_changed, struct error *err)
{
	_cleanup_step_ struct redis_step step = { .verb = "swap",
						  .key = key,
						  .value = value,
						  .more = expected,
						  .is_write = true };

	return redis_step_run(coord_redis(base), &step, err) &&
	       first_is_one(coord_redis(base), &step, ret_changed, err);
}

bool coord_redis_get(struct coordination *base, const char *key, char **ret_value,
		     struct error *err)
{
	_cleanup_step_ struct redis_step step = { .verb = "get",
						  .key = key,
						  .may_repeat = true };

	return redis_step_run(coord_redis(base), &step, err) &&
	       read_value(coord_redis(base), &step, ret_value, err);
}

bool coord_redis_take(struct coordination *base, const char *key, char **ret_value,
		      struct error *err)
{
	_cleanup_step_ struct redis_step step = { .verb = "take",
						  .key = key,
						  .is_write = true };

	return redis_step_run(coord_redis(base), &step, err) &&
	       read_value(coord_redis(base), &step, ret_value, err);
}

/* ---- Scanning -------------------------------------------------------------------- */

struct pair {
	char *key, *value;
};

static void pair_done(struct pair *p)
{
	free(p->key);
	free(p->value);
}

/* {more, last key looked at, key, value, ...}; false in '*ret_more' also when 'fn' had enough. */
static bool tell_page(const struct coord_redis *c, const struct redis_step *s,
		      bool (*fn)(void *context, const char *key, const char *value),
		      void *context, bool *ret_more, struct error *err)
{
	if (!first_is_one(c, s, ret_more, err))
		return false;
	for (size_t i = 2; i + 1 < redis_step_parts(s); i += 2) {
		_cleanup_(pair_done) struct pair p = { NULL, NULL };

		if (!redis_step_text(c, s, i, &p.key, err) ||
		    !redis_step_text(c, s, i + 1, &p.value, err))
			return false;
		if (!fn(context, p.key, p.value)) {
			*ret_more = false;
			return true;
		}
	}
	return true;
}

bool coord_redis_scan(struct coordination *base, const char *prefix,
		      bool (*fn)(void *context, const char *key, const char *value),
		      void *context, struct error *err)
{
	struct coord_redis *c = coord_redis(base);
	_cleanup_free_ char *after = NULL;
	bool more = true;

	while (more) {
		_cleanup_step_ struct redis_step step = { .verb = "scan",
							  .key = prefix,
							  .number = SCAN_PAGE,
							  .value = after,
							  .may_repeat = true };
		char *last = NULL;

		if (!redis_step_run(c, &step, err) ||
		    !redis_step_text(c, &step, 1, &last, err))
			return false;
		/* Else it would go round and round. */
		if (after && *last && strcmp(last, after) <= 0) {
			free(last);
			return redis_fail(c->access, err, "gives an odd answer");
		}
		free(after);
		after = last;
		if (!tell_page(c, &step, fn, context, &more, err))
			return false;
	}
	return true;
}
