#include "mcp/oauth/oauth_keys.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "mcp/oauth/oauth_discovery.h"

struct oauth_keys {
	struct oauth_keys_config config;
	struct http_client *http;
	pthread_t thread;
	bool is_started;
	atomic_bool is_cancelled;

	pthread_mutex_t lock; /* over all below */
	pthread_cond_t wanted_or_stopping;
	struct jwks *keys; /* NULL: none yet */
	int64_t fetched_ms, attempted_ms;
	bool has_attempted, is_wanted, is_fetching, is_stopping;
	uint64_t generation; /* of attempts that ended */
	struct oauth_waiter *first, **last;
	size_t waiting;
};

struct oauth_keys *oauth_keys_new(const struct oauth_keys_config *config,
				  struct error *err)
{
	struct oauth_keys *k = calloc(1, sizeof *k);
	pthread_condattr_t attributes;

	if (!k) {
		error_oom(err);
		return NULL;
	}
	k->config = *config;
	k->last = &k->first;
	(void)pthread_mutex_init(&k->lock, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&k->wanted_or_stopping, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	return k;
}

void oauth_keys_free(struct oauth_keys *k)
{
	if (!k)
		return;
	oauth_keys_stop(k);
	jwks_unref(k->keys);
	(void)pthread_cond_destroy(&k->wanted_or_stopping);
	(void)pthread_mutex_destroy(&k->lock);
	free(k);
}

/* ---- The thread ---- */

/* When the next fetch is due although nobody asks. With the lock. */
static int64_t due_ms(const struct oauth_keys *k)
{
	const int64_t soonest_ms = k->attempted_ms + k->config.refetch_ms;
	const int64_t old_ms = k->fetched_ms + k->config.max_age_ms;

	if (!k->has_attempted)
		return 0;
	return k->keys && old_ms > soonest_ms ? old_ms : soonest_ms;
}

static void sleep_until(struct oauth_keys *k, int64_t until_ms)
{
	const struct timespec until = { .tv_sec = until_ms / 1000,
					.tv_nsec = until_ms % 1000 * 1000000 };

	(void)pthread_cond_timedwait(&k->wanted_or_stopping, &k->lock, &until);
}

static struct jwks *fetch(struct oauth_keys *k)
{
	const struct oauth_fetch f = {
		.http = k->http,
		.cancel = &k->is_cancelled,
		.deadline_ms = clock_mono_ms() + OAUTH_FETCH_MS,
	};
	struct error err = ERROR_INIT;
	struct jwks *keys =
		oauth_fetch_keys(&f, k->config.issuer, k->config.jwks_uri, &err);

	if (keys)
		log_info("oauth.keys", LOG_STR("issuer", k->config.issuer),
			 LOG_INT("count", (int64_t)jwks_count(keys)));
	else if (!atomic_load(&k->is_cancelled))
		log_warn("oauth.keys_failed", LOG_STR("issuer", k->config.issuer),
			 LOG_STR("why", err.message));
	return keys;
}

/* Each may be freed by what wakes it. */
static void wake(struct oauth_waiter *first)
{
	while (first) {
		struct oauth_waiter *w = first;

		first = w->next;
		w->wake(w->argument);
	}
}

/* With the lock. */
static struct oauth_waiter *take_waiters(struct oauth_keys *k)
{
	struct oauth_waiter *first = TAKE(k->first);

	k->last = &k->first;
	k->waiting = 0;
	return first;
}

/* With the lock, which is given up meanwhile. */
static void attempt(struct oauth_keys *k)
{
	k->is_wanted = false;
	k->is_fetching = true;
	k->has_attempted = true;
	k->attempted_ms = clock_mono_ms();
	(void)pthread_mutex_unlock(&k->lock);
	struct jwks *keys = fetch(k), *old = NULL;
	(void)pthread_mutex_lock(&k->lock);
	if (keys) {
		old = k->keys;
		k->keys = keys;
		k->fetched_ms = clock_mono_ms();
	}
	k->is_fetching = false;
	k->generation++;
	struct oauth_waiter *waiters = take_waiters(k);
	(void)pthread_mutex_unlock(&k->lock);
	jwks_unref(old);
	wake(waiters);
	(void)pthread_mutex_lock(&k->lock);
}

static void *run(void *argument)
{
	struct oauth_keys *k = argument;

	(void)pthread_mutex_lock(&k->lock);
	while (!k->is_stopping) {
		if (k->is_wanted || clock_mono_ms() >= due_ms(k))
			attempt(k);
		else
			sleep_until(k, due_ms(k));
	}
	struct oauth_waiter *waiters = take_waiters(k);
	(void)pthread_mutex_unlock(&k->lock);
	wake(waiters);
	return NULL;
}

bool oauth_keys_start(struct oauth_keys *k, struct http_client *http, struct error *err)
{
	k->http = http;
	errno = pthread_create(&k->thread, NULL, run, k);
	if (errno != 0)
		return error_errno(err, "cannot start a thread");
	k->is_started = true;
	return true;
}

void oauth_keys_stop(struct oauth_keys *k)
{
	if (!k->is_started)
		return;
	atomic_store(&k->is_cancelled, true);
	(void)pthread_mutex_lock(&k->lock);
	k->is_stopping = true;
	(void)pthread_cond_signal(&k->wanted_or_stopping);
	(void)pthread_mutex_unlock(&k->lock);
	(void)pthread_join(k->thread, NULL);
	k->is_started = false;
}

/* ---- Checking ---- */

/* With the lock: a fetch is under way, or it may begin now. */
static bool may_hope(const struct oauth_keys *k, int64_t now_ms)
{
	return !k->is_stopping && (k->is_fetching || k->is_wanted || !k->has_attempted ||
				   now_ms >= k->attempted_ms + k->config.refetch_ms);
}

/* With the lock. */
static enum oauth_keys_verdict wait_or(struct oauth_keys *k, int64_t now_ms,
				       struct oauth_waiter *waiter,
				       enum oauth_keys_verdict otherwise)
{
	if (!waiter || !may_hope(k, now_ms))
		return otherwise;
	if (k->waiting == OAUTH_WAITERS_MAX)
		return OAUTH_KEYS_UNAVAILABLE;
	waiter->next = NULL;
	*k->last = waiter;
	k->last = &waiter->next;
	k->waiting++;
	if (!k->is_fetching) {
		k->is_wanted = true;
		(void)pthread_cond_signal(&k->wanted_or_stopping);
	}
	return OAUTH_KEYS_WAITING;
}

static enum oauth_keys_verdict check_with(const struct jwks *keys, const struct jwt *t)
{
	switch (jwks_check(keys, t)) {
	case JWKS_GOOD:
		return OAUTH_KEYS_GOOD;
	case JWKS_BAD_SIGNATURE:
		return OAUTH_KEYS_BAD_SIGNATURE;
	case JWKS_UNKNOWN_KEY:
		break;
	}
	return OAUTH_KEYS_UNKNOWN;
}

/* Counted; NULL when there are none, or too old ones. */
static struct jwks *take_keys(struct oauth_keys *k, int64_t now_ms,
			      uint64_t *ret_generation)
{
	struct jwks *keys = NULL;

	(void)pthread_mutex_lock(&k->lock);
	if (k->keys && now_ms - k->fetched_ms < k->config.max_stale_ms)
		keys = jwks_ref(k->keys);
	*ret_generation = k->generation;
	(void)pthread_mutex_unlock(&k->lock);
	return keys;
}

uint64_t oauth_keys_generation(struct oauth_keys *k)
{
	(void)pthread_mutex_lock(&k->lock);
	const uint64_t generation = k->generation;
	(void)pthread_mutex_unlock(&k->lock);
	return generation;
}

enum oauth_keys_verdict oauth_keys_check(struct oauth_keys *k, const struct jwt *t,
					 int64_t now_mono_ms, struct oauth_waiter *waiter,
					 uint64_t *ret_generation)
{
	for (;;) {
		uint64_t generation;
		struct jwks *keys = take_keys(k, now_mono_ms, &generation);
		enum oauth_keys_verdict verdict = keys ? check_with(keys, t)
						       : OAUTH_KEYS_UNAVAILABLE;

		jwks_unref(keys);
		if (ret_generation)
			*ret_generation = generation;
		if (verdict == OAUTH_KEYS_GOOD || verdict == OAUTH_KEYS_BAD_SIGNATURE)
			return verdict;
		(void)pthread_mutex_lock(&k->lock);
		const bool is_same = k->generation == generation;
		if (is_same)
			verdict = wait_or(k, now_mono_ms, waiter, verdict);
		(void)pthread_mutex_unlock(&k->lock);
		/* Else a fetch ended while we looked. */
		if (is_same)
			return verdict;
	}
}
