#include "link/coordination/coordination.h"

#include "base/text.h"
#include "link/coordination/coordination_backend.h"

/* Ten years: far enough for everybody, and no sum of times overflows. */
#define TTL_MAX_MS (INT64_C(3650) * 24 * 60 * 60 * 1000)
/* A counter may not reach what a double cannot hold. */
#define COUNT_BY_MAX (INT64_C(1) << 40)

/* ---- What every twin may rely on ------------------------------------------------ */

static bool key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c != '\0' && strchr("._:/@-", c));
}

static bool check_key(const char *key, size_t min, struct error *err)
{
	size_t length = strlen(key);

	if (length < min || length > COORD_KEY_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a coordination key has %zu to %d characters, not %zu",
				 min, COORD_KEY_MAX, length);
	for (const char *p = key; *p; p++)
		if (!key_char(*p))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "a coordination key may not hold character %d",
					 (unsigned char)*p);
	return true;
}

static bool check_text(const char *value, size_t max, struct error *err)
{
	size_t length = strlen(value);

	if (length > max)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a coordination value has at most %zu bytes, not %zu",
				 max, length);
	if (!text_is_utf8(value, length))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a coordination value is UTF-8 text");
	return true;
}

static bool check_value(const char *value, struct error *err)
{
	return check_text(value, COORD_VALUE_MAX, err);
}

static bool check_ttl(int64_t ttl_ms, int64_t min, struct error *err)
{
	if (ttl_ms < min || ttl_ms > TTL_MAX_MS)
		return error_set(
			err, ERR_INVALID_ARGUMENT,
			"a coordination time is %lld ms to ten years, not %lld ms",
			(long long)min, (long long)ttl_ms);
	return true;
}

/* ---- The verbs ------------------------------------------------------------------- */

void coord_close(struct coordination *c)
{
	if (c)
		c->backend->close(c);
}

bool coord_now_ms(struct coordination *c, int64_t *ret_now_ms, struct error *err)
{
	return c->backend->now_ms(c, ret_now_ms, err);
}

bool coord_epoch_ms(struct coordination *c, int64_t *ret_began_ms, struct error *err)
{
	return c->backend->epoch_ms(c, ret_began_ms, err);
}

bool coord_remembers_ms(struct coordination *c, int64_t *ret_since_ms, struct error *err)
{
	return c->backend->remembers_ms(c, ret_since_ms, err);
}

bool coord_claim(struct coordination *c, const char *key, const char *value,
		 int64_t ttl_ms, bool *ret_first, char **ret_existing, struct error *err)
{
	return check_key(key, 1, err) && check_value(value, err) &&
	       check_ttl(ttl_ms, 0, err) &&
	       c->backend->claim(c, key, value, ttl_ms, ret_first, ret_existing, err);
}

bool coord_put(struct coordination *c, const char *key, const char *value, int64_t ttl_ms,
	       struct error *err)
{
	return check_key(key, 1, err) && check_value(value, err) &&
	       check_ttl(ttl_ms, 0, err) && c->backend->put(c, key, value, ttl_ms, err);
}

bool coord_swap(struct coordination *c, const char *key, const char *expected,
		const char *value, bool *ret_changed, struct error *err)
{
	return check_key(key, 1, err) && check_value(value, err) &&
	       c->backend->swap(c, key, expected, value, ret_changed, err);
}

bool coord_get(struct coordination *c, const char *key, char **ret_value,
	       struct error *err)
{
	return check_key(key, 1, err) && c->backend->get(c, key, ret_value, err);
}

bool coord_take(struct coordination *c, const char *key, char **ret_value,
		struct error *err)
{
	return check_key(key, 1, err) && c->backend->take(c, key, ret_value, err);
}

bool coord_scan(struct coordination *c, const char *prefix,
		bool (*fn)(void *context, const char *key, const char *value),
		void *context, struct error *err)
{
	return check_key(prefix, 0, err) && c->backend->scan(c, prefix, fn, context, err);
}

bool coord_count(struct coordination *c, const char *key, int64_t by, int64_t window_ms,
		 int64_t *ret_total, struct error *err)
{
	if (by > COUNT_BY_MAX || by < -COUNT_BY_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a count goes up by at most 2^40");
	return check_key(key, 1, err) && check_ttl(window_ms, 1, err) &&
	       c->backend->count(c, key, by, window_ms, ret_total, err);
}

bool coord_lease(struct coordination *c, const char *name, const char *holder,
		 int64_t ttl_ms, int64_t *ret_fence, struct error *err)
{
	return check_key(name, 1, err) && check_key(holder, 1, err) &&
	       check_ttl(ttl_ms, 1, err) &&
	       c->backend->lease(c, name, holder, ttl_ms, ret_fence, err);
}

bool coord_lease_renew(struct coordination *c, const char *name, int64_t fence,
		       int64_t ttl_ms, bool *ret_held, struct error *err)
{
	return check_key(name, 1, err) && check_ttl(ttl_ms, 1, err) &&
	       c->backend->lease_renew(c, name, fence, ttl_ms, ret_held, err);
}

bool coord_lease_release(struct coordination *c, const char *name, int64_t fence,
			 struct error *err)
{
	return check_key(name, 1, err) && c->backend->lease_release(c, name, fence, err);
}

bool coord_publish(struct coordination *c, const char *topic, const char *text,
		   struct error *err)
{
	return check_key(topic, 1, err) && check_text(text, COORD_HINT_MAX, err) &&
	       c->backend->publish(c, topic, text, err);
}

struct coord_subscription *coord_subscribe(struct coordination *c, const char *topic,
					   void (*fn)(void *context, const char *topic,
						      const char *text),
					   void *context, struct error *err)
{
	if (!check_key(topic, 1, err))
		return NULL;
	return c->backend->subscribe(c, topic, fn, context, err);
}

void coord_unsubscribe(struct coord_subscription *s)
{
	if (s)
		s->backend->unsubscribe(s);
}
