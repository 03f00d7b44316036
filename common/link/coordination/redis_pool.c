#include "link/coordination/redis_private.h"

#include <errno.h>

#include "base/clock.h"

/* ---- Making a connection ready --------------------------------------------------- */

static bool fail_reply(const struct coord_redis_access *a, const char *what,
		       const redisReply *r, struct error *err)
{
	return redis_fail(a, err, "%s: %.120s", what,
			  r->type == REDIS_REPLY_ERROR ? r->str : "an odd answer");
}

static bool ask_one(struct redis_link *l, const struct redis_command *c,
		    int64_t deadline_ms, redisReply **ret, struct error *err)
{
	return redis_link_add(l, c, err) && redis_link_send(l, deadline_ms, err) &&
	       redis_link_receive(l, deadline_ms, ret, err);
}

static bool say_password(struct redis_link *l, const struct coord_redis_access *a,
			 int64_t deadline_ms, struct error *err)
{
	_cleanup_reply_ redisReply *reply = NULL;
	struct redis_command auth = { 0, { "AUTH" } };
	_cleanup_strbuf_ struct strbuf password = STRBUF_INIT;
	bool good;

	if (!a->password)
		return true;
	strbuf_add(&password, secret_bytes(a->password), secret_length(a->password));
	auth.count = 1;
	if (a->user)
		auth.arguments[auth.count++] = a->user;
	auth.arguments[auth.count++] = password.data;
	good = strbuf_ok(&password) ? ask_one(l, &auth, deadline_ms, &reply, err)
				    : error_oom(err);
	strbuf_wipe(&password);
	strbuf_init(&password);
	/* Not in its own words: one that does not know AUTH repeats what it was told. */
	return good && ((reply && reply->type == REDIS_REPLY_STATUS) ||
			redis_fail(a, err, "refuses our password"));
}

struct redis_link *redis_pool_open(const struct coord_redis_access *a,
				   int64_t deadline_ms, struct error *err)
{
	_cleanup_(redis_link_closep) struct redis_link *l =
		redis_link_open(a, deadline_ms, err);

	return l && say_password(l, a, deadline_ms, err) ? TAKE(l) : NULL;
}

static bool learn_fitness(struct redis_slot *s, const struct coord_redis_access *a,
			  int64_t deadline_ms, struct error *err)
{
	struct error why = ERROR_INIT;
	bool is_unfit = false;

	if (!redis_fitness_ask(s->link, &s->fitness, err) ||
	    !redis_link_send(s->link, deadline_ms, err))
		return false;
	if (redis_fitness_hear(s->link, a, &s->fitness, deadline_ms, &is_unfit, &why))
		return true;
	if (is_unfit && s->fitness.hides_configuration) {
		error_clear(&why);
		if (!redis_fitness_ask(s->link, &s->fitness, err) ||
		    !redis_link_send(s->link, deadline_ms, err))
			return false;
		if (redis_fitness_hear(s->link, a, &s->fitness, deadline_ms, &is_unfit,
				       &why))
			return true;
	}
	error_set(err, why.code, "%s", why.message);
	return *why.hint ? error_hint(err, "%s", why.hint) : false;
}

static bool make_ready(struct redis_slot *s, const struct coord_redis_access *a,
		       int64_t deadline_ms, struct error *err)
{
	static const struct redis_command info = { 2, { "INFO", "server" } };
	_cleanup_reply_ redisReply *reply = NULL;

	s->fitness = (struct redis_fitness){ 0 };
	s->link = redis_pool_open(a, deadline_ms, err);
	if (!s->link || !ask_one(s->link, &info, deadline_ms, &reply, err))
		return false;
	if (reply->type != REDIS_REPLY_STRING ||
	    !redis_fitness_version(reply->str, &s->fitness))
		return fail_reply(a, "does not say what it is", reply, err);
	return learn_fitness(s, a, deadline_ms, err);
}

/* ---- The pool -------------------------------------------------------------------- */

void redis_pool_init(struct redis_pool *p, const struct coord_redis_access *a)
{
	pthread_condattr_t monotonic;

	p->access = a;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->freed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
}

void redis_pool_done(struct redis_pool *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->slots); i++)
		redis_link_close(p->slots[i].link);
	(void)pthread_mutex_destroy(&p->lock);
	(void)pthread_cond_destroy(&p->freed);
}

/* A connected one rather than one to connect. */
static struct redis_slot *find_free(struct redis_pool *p)
{
	struct redis_slot *unconnected = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(p->slots); i++) {
		struct redis_slot *s = &p->slots[i];

		if (s->is_busy)
			continue;
		if (s->link)
			return s;
		if (!unconnected)
			unconnected = s;
	}
	return unconnected;
}

struct redis_slot *redis_pool_take(struct redis_pool *p, int64_t deadline_ms,
				   struct error *err)
{
	const struct timespec until = { .tv_sec = (time_t)(deadline_ms / 1000),
					.tv_nsec = (long)(deadline_ms % 1000) * 1000000 };
	struct redis_slot *s;
	int rc = 0;

	(void)pthread_mutex_lock(&p->lock);
	while (!(s = find_free(p)) && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&p->freed, &p->lock, &until);
	if (s)
		s->is_busy = true;
	(void)pthread_mutex_unlock(&p->lock);
	if (!s) {
		redis_fail(p->access, err, "is slow: all %d connections to it are busy",
			   REDIS_CONNECTIONS_MAX);
		return NULL;
	}
	if (s->link && redis_link_is_stale(s->link))
		redis_link_close(TAKE(s->link));
	if (s->link || make_ready(s, p->access, deadline_ms, err))
		return s;
	redis_pool_give(p, s, true);
	return NULL;
}

void redis_pool_give(struct redis_pool *p, struct redis_slot *s, bool is_broken)
{
	if (is_broken)
		redis_link_close(TAKE(s->link));
	(void)pthread_mutex_lock(&p->lock);
	s->is_busy = false;
	(void)pthread_cond_signal(&p->freed);
	(void)pthread_mutex_unlock(&p->lock);
}
