/*
 * A shared store, and one of our own beside it that knows what this process has claimed
 * and put. The shared one decides. Our own is asked when the shared one takes a claim for
 * the first, or does not have what is looked for, because a failover may have forgotten
 * ours; and when it is scanned, because what other processes claimed is not for us to look
 * after.
 */
#include "link/coordination/coordination_backend.h"
#include "link/coordination/coordination_redis.h"

struct coord_kept {
	struct coordination base;
	struct coordination *shared, *own;
};

static struct coord_kept *kept(struct coordination *c)
{
	return (struct coord_kept *)c;
}

static struct coordination *shared(struct coordination *c)
{
	return kept(c)->shared;
}

/* What our own clock says is over must be over in the shared store, or nearly. */
enum { SLACK_MS = 5 * 60 * 1000 };

static int64_t own_ttl(int64_t ttl_ms)
{
	return ttl_ms > 2 * SLACK_MS ? ttl_ms - SLACK_MS : (ttl_ms + 1) / 2;
}

/* ---- What is kept twice ---------------------------------------------------------- */

/* The shared store has forgotten it: let it know again what we do. */
static void remind(struct coord_kept *k, const char *key, const char *value)
{
	struct error ignored = ERROR_INIT;

	(void)coord_put(k->shared, key, value, 0, &ignored);
}

static bool kept_claim(struct coordination *c, const char *key, const char *value,
		       int64_t ttl_ms, bool *ret_first, char **ret_existing,
		       struct error *err)
{
	struct coord_kept *k = kept(c);
	_cleanup_free_ char *found = NULL, *ours = NULL;
	bool is_first = false;

	if (!coord_claim(k->shared, key, value, ttl_ms, &is_first, &found, err))
		return false;
	if (is_first) {
		if (!coord_claim(k->own, key, value, own_ttl(ttl_ms), &is_first, &ours,
				 err))
			return false;
		if (!is_first)
			remind(k, key, ours);
	}
	*ret_first = is_first;
	if (ret_existing)
		*ret_existing = ours ? TAKE(ours) : TAKE(found);
	return true;
}

/* Our copy follows as well as it can: only that it is there must not be lost. */
static bool kept_swap(struct coordination *c, const char *key, const char *expected,
		      const char *value, bool *ret_changed, struct error *err)
{
	struct error ignored = ERROR_INIT;
	bool is_ours;

	if (!coord_swap(shared(c), key, expected, value, ret_changed, err))
		return false;
	if (*ret_changed)
		(void)coord_swap(kept(c)->own, key, expected, value, &is_ours, &ignored);
	return true;
}

static bool kept_put(struct coordination *c, const char *key, const char *value,
		     int64_t ttl_ms, struct error *err)
{
	return coord_put(shared(c), key, value, ttl_ms, err) &&
	       coord_put(kept(c)->own, key, value, own_ttl(ttl_ms), err);
}

/* What all who share it call the store, and no other name of it that one of them knows. */
static bool get_identity(struct coordination *c, char **ret, struct error *err)
{
	_cleanup_free_ char *ours = NULL, *found = NULL;
	bool is_first = false;

	if (!coord_get(kept(c)->own, COORD_IDENTITY_KEY, &ours, err))
		return false;
	if (ours &&
	    !coord_claim(shared(c), COORD_IDENTITY_KEY, ours, 0, &is_first, &found, err))
		return false;
	*ret = found ? TAKE(found) : TAKE(ours);
	return true;
}

/* What the shared store has forgotten, we may still know. */
static bool kept_get(struct coordination *c, const char *key, char **ret_value,
		     struct error *err)
{
	if (!coord_get(shared(c), key, ret_value, err))
		return false;
	if (*ret_value)
		return true;
	return strcmp(key, COORD_IDENTITY_KEY) == 0
		       ? get_identity(c, ret_value, err)
		       : coord_get(kept(c)->own, key, ret_value, err);
}

/* What was taken may be claimed anew. */
static bool kept_take(struct coordination *c, const char *key, char **ret_value,
		      struct error *err)
{
	_cleanup_free_ char *ours = NULL;

	return coord_take(kept(c)->own, key, &ours, err) &&
	       coord_take(shared(c), key, ret_value, err);
}

/* ---- What is ours of what is shared ---- */

struct kept_scan {
	struct coordination *own;
	bool (*fn)(void *context, const char *key, const char *value);
	void *context;
	struct error err;
};

static bool tell_ours(void *context, const char *key, const char *value)
{
	struct kept_scan *scan = context;
	_cleanup_free_ char *ours = NULL;

	if (!coord_get(scan->own, key, &ours, &scan->err))
		return false;
	return !ours || scan->fn(scan->context, key, value);
}

static bool kept_scan(struct coordination *c, const char *prefix,
		      bool (*fn)(void *context, const char *key, const char *value),
		      void *context, struct error *err)
{
	struct kept_scan scan = { .own = kept(c)->own, .fn = fn, .context = context };

	if (!coord_scan(shared(c), prefix, tell_ours, &scan, err))
		return false;
	return !error_is_set(&scan.err) ||
	       error_set(err, scan.err.code, "%s", scan.err.message);
}

/* ---- What is shared alone -------------------------------------------------------- */

static bool kept_now_ms(struct coordination *c, int64_t *ret_now_ms, struct error *err)
{
	return coord_now_ms(shared(c), ret_now_ms, err);
}

static bool kept_epoch_ms(struct coordination *c, int64_t *ret_began_ms,
			  struct error *err)
{
	return coord_epoch_ms(shared(c), ret_began_ms, err);
}

/* Its own copies are of its own claims: what other replicas claimed is in the shared one. */
static bool kept_remembers_ms(struct coordination *c, int64_t *ret_since_ms,
			      struct error *err)
{
	return coord_remembers_ms(shared(c), ret_since_ms, err);
}

static bool kept_count(struct coordination *c, const char *key, int64_t by,
		       int64_t window_ms, int64_t *ret_total, struct error *err)
{
	return coord_count(shared(c), key, by, window_ms, ret_total, err);
}

static bool kept_lease(struct coordination *c, const char *name, const char *holder,
		       int64_t ttl_ms, int64_t *ret_fence, struct error *err)
{
	return coord_lease(shared(c), name, holder, ttl_ms, ret_fence, err);
}

static bool kept_lease_renew(struct coordination *c, const char *name, int64_t fence,
			     int64_t ttl_ms, bool *ret_held, struct error *err)
{
	return coord_lease_renew(shared(c), name, fence, ttl_ms, ret_held, err);
}

static bool kept_lease_release(struct coordination *c, const char *name, int64_t fence,
			       struct error *err)
{
	return coord_lease_release(shared(c), name, fence, err);
}

static bool kept_publish(struct coordination *c, const char *topic, const char *text,
			 struct error *err)
{
	return coord_publish(shared(c), topic, text, err);
}

/* The subscription names the shared store's own row, and ends there. */
static struct coord_subscription *kept_subscribe(
	struct coordination *c, const char *topic,
	void (*fn)(void *context, const char *topic, const char *text), void *context,
	struct error *err)
{
	return coord_subscribe(shared(c), topic, fn, context, err);
}

/* ---- Life ------------------------------------------------------------------------ */

static void kept_close(struct coordination *c)
{
	coord_close(kept(c)->shared);
	coord_close(kept(c)->own);
	free(kept(c));
}

static const struct coord_backend backend = {
	.name = "kept",
	.close = kept_close,
	.now_ms = kept_now_ms,
	.epoch_ms = kept_epoch_ms,
	.remembers_ms = kept_remembers_ms,
	.claim = kept_claim,
	.put = kept_put,
	.swap = kept_swap,
	.get = kept_get,
	.take = kept_take,
	.scan = kept_scan,
	.count = kept_count,
	.lease = kept_lease,
	.lease_renew = kept_lease_renew,
	.lease_release = kept_lease_release,
	.publish = kept_publish,
	.subscribe = kept_subscribe,
	.unsubscribe = coord_unsubscribe,
};

struct coordination *coord_open_kept(struct coordination *shared_store,
				     struct coordination *own, struct error *err)
{
	void *made = calloc(1, sizeof(struct coord_kept));
	struct coordination *c = made;

	if (!c) {
		coord_close(shared_store);
		coord_close(own);
		error_oom(err);
		return NULL;
	}
	c->backend = &backend;
	kept(c)->shared = shared_store;
	kept(c)->own = own;
	return c;
}
