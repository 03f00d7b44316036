#include "link/coordination/coordination_redis.h"

#include "base/clock.h"
#include "link/coordination/redis_private.h"

enum { CLOCK_BEHIND_MAX_MS = 60 * 60 * 1000 };

/* ---- Time ------------------------------------------------------------------------ */

static bool redis_now_ms(struct coordination *base, int64_t *ret_now_ms,
			 struct error *err)
{
	_cleanup_step_ struct redis_step step = { .verb = "now", .may_repeat = true };

	if (!redis_step_run(coord_redis(base), &step, err))
		return false;
	*ret_now_ms = step.now_ms;
	return true;
}

/* Asked like a write: who wants to know the epoch goes on to burn. */
static bool redis_epoch_ms(struct coordination *base, int64_t *ret_began_ms,
			   struct error *err)
{
	_cleanup_step_ struct redis_step step = { .verb = "epoch",
						  .is_write = true,
						  .may_repeat = true };

	if (!redis_step_run(coord_redis(base), &step, err))
		return false;
	*ret_began_ms = step.epoch_ms;
	return true;
}

/* ---- Announcements --------------------------------------------------------------- */

static bool redis_publish(struct coordination *base, const char *topic, const char *text,
			  struct error *err)
{
	struct coord_redis *c = coord_redis(base);
	int64_t deadline_ms = clock_mono_ms() + c->access->timeout_ms;
	_cleanup_free_ char *said = NULL;
	_cleanup_reply_ redisReply *reply = NULL;
	struct redis_slot *slot;
	bool good;

	if (asprintf(&said, "%s %s", topic, text) < 0) {
		said = NULL;
		return error_oom(err);
	}
	const struct redis_command publish = { 3, { "PUBLISH", c->channel, said } };

	slot = redis_pool_take(&c->pool, deadline_ms, err);
	if (!slot)
		return false;
	good = redis_link_add(slot->link, &publish, err) &&
	       redis_link_send(slot->link, deadline_ms, err) &&
	       redis_link_receive(slot->link, deadline_ms, &reply, err);
	redis_pool_give(&c->pool, slot, !good);
	if (good && reply->type == REDIS_REPLY_ERROR)
		return redis_fail(c->access, err, "refuses: %.160s", reply->str);
	return good;
}

static struct coord_subscription *redis_subscribe(
	struct coordination *base, const char *topic,
	void (*fn)(void *context, const char *topic, const char *text), void *context,
	struct error *err)
{
	struct coord_redis *c = coord_redis(base);
	bool good;

	(void)pthread_mutex_lock(&c->lock);
	good = redis_listener_start(c, err);
	(void)pthread_mutex_unlock(&c->lock);
	return good ? announcer_subscribe(c->announcer, base->backend, topic, fn, context,
					  err)
		    : NULL;
}

/* ---- Life ------------------------------------------------------------------------ */

static void redis_close(struct coordination *base)
{
	struct coord_redis *c = coord_redis(base);

	redis_watch_end(c);
	redis_listener_free(c->listener);
	announcer_free(c->announcer);
	redis_pool_done(&c->pool);
	redis_claims_done(&c->claims);
	coord_redis_access_free(c->access);
	(void)pthread_mutex_destroy(&c->lock);
	(void)pthread_cond_destroy(&c->closing);
	for (size_t i = 0; i < ARRAY_SIZE(c->keys); i++)
		free(c->keys[i]);
	free(c->channel);
	free(c);
}

static const struct coord_backend backend = {
	.name = "redis",
	.close = redis_close,
	.now_ms = redis_now_ms,
	.epoch_ms = redis_epoch_ms,
	/* A new epoch may be a restart that lost nothing, or a failover that lost claims. */
	.remembers_ms = redis_epoch_ms,
	.claim = coord_redis_claim,
	.put = coord_redis_put,
	.swap = coord_redis_swap,
	.get = coord_redis_get,
	.take = coord_redis_take,
	.scan = coord_redis_scan,
	.count = coord_redis_count,
	.lease = coord_redis_lease,
	.lease_renew = coord_redis_lease_renew,
	.lease_release = coord_redis_lease_release,
	.publish = redis_publish,
	.subscribe = redis_subscribe,
	.unsubscribe = announcer_unsubscribe,
};

static bool name_keys(struct coord_redis *c, const char *prefix, struct error *err)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._:/@-";
	static const char *const names[] = { "store", "names", "expiry" };
	size_t length = strlen(prefix);

	if (length < 1 || length > COORD_REDIS_PREFIX_MAX ||
	    strspn(prefix, chars) != length)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'%.120s' is no prefix for keys in Redis", prefix);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (asprintf(&c->keys[i], "%s:%s", prefix, names[i]) < 0) {
			c->keys[i] = NULL;
			return error_oom(err);
		}
	if (asprintf(&c->channel, "%s:say", prefix) < 0) {
		c->channel = NULL;
		return error_oom(err);
	}
	return true;
}

static bool load_script(struct coord_redis *c, struct error *err)
{
	static const struct redis_command load = {
		3, { "SCRIPT", "LOAD", redis_store_script }
	};
	int64_t deadline_ms = clock_mono_ms() + c->access->timeout_ms;
	struct redis_slot *slot = redis_pool_take(&c->pool, deadline_ms, err);
	_cleanup_reply_ redisReply *reply = NULL;
	bool good;

	if (!slot)
		return false;
	good = redis_link_add(slot->link, &load, err) &&
	       redis_link_send(slot->link, deadline_ms, err) &&
	       redis_link_receive(slot->link, deadline_ms, &reply, err);
	redis_pool_give(&c->pool, slot, !good);
	if (!good)
		return false;
	if (reply->type != REDIS_REPLY_STRING || reply->len != REDIS_SHA_BYTES - 1)
		return redis_fail(c->access, err, "takes no script: %.160s",
				  reply->type == REDIS_REPLY_ERROR ? reply->str : "");
	memcpy(c->sha, reply->str, REDIS_SHA_BYTES);
	return true;
}

/* As the embedded twin: until the clock has caught up nothing would expire, and every
 * grant be too old. */
static bool check_clock(const struct coord_redis *c, const struct redis_step *s,
			struct error *err)
{
	char last[CLOCK_TEXT_BYTES], wall[CLOCK_TEXT_BYTES];

	if (s->now_ms - s->wall_ms <= CLOCK_BEHIND_MAX_MS)
		return true;
	error_set(err, ERR_PRECONDITION_FAILED,
		  "the clock of store '%s' says %s, but it has seen %s already",
		  c->access->name, clock_format(s->wall_ms, wall),
		  clock_format(s->now_ms, last));
	return error_hint(err,
			  "set the clock of that machine right; only if the time "
			  "before was wrong, remove the keys there: what was claimed "
			  "is then forgotten");
}

struct coordination *coord_open_redis(struct coord_redis_access **access,
				      const char *prefix, struct error *err)
{
	_cleanup_(coord_closep) struct coordination *base = NULL;
	struct coord_redis *c = calloc(1, sizeof *c);
	pthread_condattr_t monotonic;
	_cleanup_step_ struct redis_step step = { .verb = "epoch",
						  .is_write = true,
						  .may_repeat = true };

	if (!c) {
		coord_redis_access_free(TAKE(*access));
		error_oom(err);
		return NULL;
	}
	base = &c->base;
	base->backend = &backend;
	c->access = TAKE(*access);
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&c->closing, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	redis_pool_init(&c->pool, c->access);
	redis_claims_init(&c->claims);
	c->announcer = announcer_new(err);
	if (!c->announcer || !name_keys(c, prefix, err) || !load_script(c, err) ||
	    !redis_step_run(c, &step, err) || !check_clock(c, &step, err) ||
	    !redis_watch_start(c, err))
		return NULL;
	return TAKE(base);
}
