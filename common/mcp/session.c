#include "mcp/session.h"

#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "base/digest.h"
#include "mcp/session_private.h"

struct sessions *sessions_new(void)
{
	struct sessions *all = calloc(1, sizeof *all);
	pthread_condattr_t monotonic;

	if (!all)
		return NULL;
	(void)pthread_mutex_init(&all->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&all->woken, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	return all;
}

void session_lock(struct session *s)
{
	(void)pthread_mutex_lock(&s->all->lock);
}

void session_unlock(struct session *s)
{
	(void)pthread_mutex_unlock(&s->all->lock);
}

/* ---- All below hold the lock ---- */

static size_t bucket_of(const char *id)
{
	uint32_t hash = 2166136261U;

	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * 16777619U;
	return hash % SESSION_BUCKETS;
}

static void drop(struct session *s)
{
	if (--s->refs > 0)
		return;
	session_free_streams(s);
	json_decref(s->client.capabilities);
	json_decref(s->uris);
	free(s);
}

/* Whom it asked, nobody answers any more: those go into 'ret', for legacy_waits_fail when
 * the lock is given up. */
static void end(struct session *s, bool is_graceful, struct legacy_waits *ret)
{
	if (s->has_ended)
		return;
	s->has_ended = true;
	session_end_streams(s, is_graceful);
	legacy_waits_take(s, ret);
	LIST_REMOVE(s, in_bucket);
	s->all->count--;
	drop(s);
}

/* Requests run, or somebody reads. A question that nobody reads keeps no session. */
static bool is_busy(const struct session *s)
{
	return s->refs > 1 + legacy_waits_forsaken(s) ||
	       (s->standing.stream && !http_stream_is_closed(s->standing.stream));
}

static bool belongs_to(const struct session *s, const struct caller *caller)
{
	return strcmp(s->principal, caller->principal) == 0 &&
	       strcmp(s->client_id, caller->client) == 0;
}

/* End what has expired. Returns the client's sessions, and its one that was quiet longest. */
static size_t sweep(struct sessions *all, const struct caller *caller, int64_t now_ms,
		    struct session **ret_oldest, struct legacy_waits *ret)
{
	struct session *s, *next;
	size_t mine = 0;

	*ret_oldest = NULL;
	for (size_t i = 0; i < SESSION_BUCKETS; i++)
		for (s = LIST_FIRST(&all->buckets[i]); s; s = next) {
			next = LIST_NEXT(s, in_bucket);
			if (!is_busy(s) && now_ms - s->used_ms >= SESSION_IDLE_MS) {
				end(s, false, ret);
			} else if (belongs_to(s, caller)) {
				mine++;
				if (!is_busy(s) &&
				    (!*ret_oldest || s->used_ms < (*ret_oldest)->used_ms))
					*ret_oldest = s;
			}
		}
	return mine;
}

static bool make_room(struct sessions *all, const struct caller *caller, int64_t now_ms,
		      struct legacy_waits *ret, struct error *err)
{
	struct session *oldest;
	size_t mine = sweep(all, caller, now_ms, &oldest, ret);

	if (mine < SESSIONS_PER_CLIENT_MAX && all->count < SESSIONS_MAX)
		return true;
	if (!oldest)
		return error_set(err, ERR_RATE_LIMITED,
				 "there are too many sessions at the moment");
	end(oldest, false, ret);
	return true;
}

static bool start_watching(struct sessions *all, struct error *err);

static struct session *add(struct sessions *all, const struct caller *caller,
			   const struct session_client *client, int64_t now_ms,
			   struct legacy_waits *ret, struct error *err)
{
	struct session *s;

	if (all->is_closed) {
		error_set(err, ERR_RATE_LIMITED, "the server is about to stop");
		return NULL;
	}
	if (!start_watching(all, err) || !make_room(all, caller, now_ms, ret, err))
		return NULL;
	s = calloc(1, sizeof *s);
	if (!s) {
		error_oom(err);
		return NULL;
	}
	s->all = all;
	s->refs = 2;
	s->is_sse = !client;
	s->is_settled = client != NULL;
	s->client = client ? *client
			   : (struct session_client){ .revision = LEGACY_2024_11_05 };
	s->client.capabilities = json_deep_copy(s->client.capabilities);
	s->used_ms = now_ms;
	s->level = MCP_INFO;
	outlet_init(&s->standing, OUTLET_STANDING);
	s->standing.is_bare = s->is_sse;
	s->standing.is_primed = legacy_has_priming(s->client.revision);
	s->last_outlet = OUTLET_STANDING;
	TAILQ_INIT(&s->outlets);
	digest_random_id(s->id);
	(void)snprintf(s->principal, sizeof s->principal, "%s", caller->principal);
	(void)snprintf(s->client_id, sizeof s->client_id, "%s", caller->client);
	LIST_INSERT_HEAD(&all->buckets[bucket_of(s->id)], s, in_bucket);
	all->count++;
	return s;
}

/* ---- Beginning and end ---- */

static const char ended[] = "the session has ended";

struct session *session_start(struct sessions *all, const struct caller *caller,
			      const struct session_client *client, int64_t now_ms,
			      struct error *err)
{
	struct legacy_waits waits;

	LIST_INIT(&waits);
	pthread_mutex_lock(&all->lock);
	struct session *s = add(all, caller, client, now_ms, &waits, err);
	pthread_mutex_unlock(&all->lock);
	legacy_waits_fail(&waits, ended);
	return s;
}

struct session *session_find(struct sessions *all, const char *id,
			     const struct caller *caller, int64_t now_ms)
{
	struct legacy_waits waits;
	struct session *s;

	LIST_INIT(&waits);
	pthread_mutex_lock(&all->lock);
	LIST_FOREACH(s, &all->buckets[bucket_of(id)], in_bucket)
	{
		if (strcmp(s->id, id) == 0)
			break;
	}
	if (s && !belongs_to(s, caller))
		s = NULL;
	if (s && !is_busy(s) && now_ms - s->used_ms >= SESSION_IDLE_MS) {
		end(s, false, &waits);
		s = NULL;
	}
	if (s) {
		s->refs++;
		s->used_ms = now_ms;
	}
	pthread_mutex_unlock(&all->lock);
	legacy_waits_fail(&waits, ended);
	return s;
}

void session_end(struct session *s)
{
	struct legacy_waits waits;

	LIST_INIT(&waits);
	session_lock(s);
	end(s, false, &waits);
	session_unlock(s);
	legacy_waits_fail(&waits, ended);
}

struct session *session_ref(struct session *s)
{
	session_lock(s);
	s->refs++;
	session_unlock(s);
	return s;
}

void session_unref(struct session *s)
{
	if (!s)
		return;
	struct sessions *all = s->all;

	pthread_mutex_lock(&all->lock);
	/* Idle begins when the last request is answered. */
	s->used_ms = clock_mono_ms() > s->used_ms ? clock_mono_ms() : s->used_ms;
	drop(s);
	pthread_mutex_unlock(&all->lock);
}

/* ---- What expires ---- */

int64_t sessions_sweep(struct sessions *all, int64_t now_ms)
{
	static const struct caller nobody = { .principal = "" };
	int64_t next_ms = now_ms + SESSION_SWEEP_MS;
	struct session *s, *oldest;
	struct legacy_waits late, gone;

	LIST_INIT(&late);
	LIST_INIT(&gone);
	(void)pthread_mutex_lock(&all->lock);
	(void)sweep(all, &nobody, now_ms, &oldest, &gone);
	for (size_t i = 0; i < SESSION_BUCKETS; i++)
		LIST_FOREACH(s, &all->buckets[i], in_bucket)
		{
			legacy_waits_take_late(s, now_ms, &late, &next_ms);
		}
	(void)pthread_mutex_unlock(&all->lock);
	legacy_waits_fail(&gone, ended);
	legacy_waits_fail(&late, "the client did not answer in time");
	return next_ms;
}

static void *work(void *argument)
{
	struct sessions *all = argument;

	(void)pthread_mutex_lock(&all->lock);
	while (!all->is_closed) {
		(void)pthread_mutex_unlock(&all->lock);
		int64_t next_ms = sessions_sweep(all, clock_mono_ms());
		const struct timespec until = { next_ms / 1000,
						next_ms % 1000 * 1000000 };

		(void)pthread_mutex_lock(&all->lock);
		if (!all->is_closed)
			(void)pthread_cond_timedwait(&all->woken, &all->lock, &until);
	}
	(void)pthread_mutex_unlock(&all->lock);
	return NULL;
}

void sessions_start(struct sessions *all)
{
	all->is_watched = true;
}

static bool start_watching(struct sessions *all, struct error *err)
{
	sigset_t every, before;

	if (!all->is_watched || all->is_started)
		return true;
	(void)sigfillset(&every);
	(void)pthread_sigmask(SIG_SETMASK, &every, &before);
	errno = pthread_create(&all->thread, NULL, work, all);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (errno != 0)
		return error_errno(err, "cannot start a thread");
	all->is_started = true;
	return true;
}

/* Any; counted. NULL: none is left. */
static struct session *end_one(struct sessions *all, struct legacy_waits *ret)
{
	for (size_t i = 0; i < SESSION_BUCKETS; i++) {
		struct session *s = LIST_FIRST(&all->buckets[i]);

		if (!s)
			continue;
		s->refs++;
		end(s, true, ret);
		return s;
	}
	return NULL;
}

void sessions_close(struct sessions *all)
{
	bool is_more = true;

	(void)pthread_mutex_lock(&all->lock);
	bool is_started = all->is_started;
	all->is_closed = true;
	all->is_started = false;
	(void)pthread_cond_broadcast(&all->woken);
	(void)pthread_mutex_unlock(&all->lock);
	if (is_started)
		(void)pthread_join(all->thread, NULL);
	while (is_more) {
		struct legacy_waits waits;

		LIST_INIT(&waits);
		(void)pthread_mutex_lock(&all->lock);
		struct session *s = end_one(all, &waits);
		(void)pthread_mutex_unlock(&all->lock);
		legacy_waits_fail(&waits, "the server is about to stop");
		is_more = s != NULL;
		session_unref(s);
	}
}

void sessions_free(struct sessions *all)
{
	if (!all)
		return;
	sessions_close(all);
	(void)pthread_cond_destroy(&all->woken);
	(void)pthread_mutex_destroy(&all->lock);
	free(all);
}

size_t sessions_count(struct sessions *all)
{
	pthread_mutex_lock(&all->lock);
	size_t count = all->count;
	pthread_mutex_unlock(&all->lock);
	return count;
}

const char *session_id(const struct session *s)
{
	return s->id;
}

bool session_is_sse(const struct session *s)
{
	return s->is_sse;
}
