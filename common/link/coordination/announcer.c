#include "link/coordination/announcer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

struct announcement {
	char *topic, *text;
	struct announcement *next;
};

struct subscription {
	struct coord_subscription base;
	struct announcer *owner;
	char *topic;
	void (*fn)(void *context, const char *topic, const char *text);
	void *context;
	uint64_t number; /* in order of subscribing */
	bool running;    /* its function is being called */
	bool ended;      /* unsubscribed from within: the thread frees it */
	struct subscription *next;
};

struct announcer {
	pthread_mutex_t lock;
	pthread_cond_t wake, idle;
	struct announcement *first, *last;
	size_t waiting, subscribed;
	uint64_t next_number;
	struct subscription *subscriptions; /* by number */
	pthread_t thread;
	bool has_thread, closing;
};

static void announcement_free(struct announcement *n)
{
	if (!n)
		return;
	free(n->topic);
	free(n->text);
	free(n);
}
DEFINE_CLEANUP(struct announcement, announcement_free);

static void subscription_free(struct subscription *s)
{
	if (!s)
		return;
	free(s->topic);
	free(s);
}
DEFINE_CLEANUP(struct subscription, subscription_free);

/* The next subscription of a topic after number 'after'; looked up afresh each
 * time, because a called function may change the list. */
static struct subscription *find_next(struct announcer *a, const char *topic,
				      uint64_t after)
{
	struct subscription *s = a->subscriptions;

	while (s && (s->number <= after || s->ended || strcmp(s->topic, topic) != 0))
		s = s->next;
	return s;
}

static void unlink_subscription(struct announcer *a, struct subscription *s)
{
	struct subscription **p = &a->subscriptions;

	while (*p != s)
		p = &(*p)->next;
	*p = s->next;
	a->subscribed--;
}

/* Called and left with the lock held; lets go of it around each call. */
static void deliver(struct announcer *a, const struct announcement *n)
{
	struct subscription *s;
	uint64_t after = 0;

	while (!a->closing && (s = find_next(a, n->topic, after))) {
		after = s->number;
		s->running = true;
		pthread_mutex_unlock(&a->lock);
		s->fn(s->context, n->topic, n->text);
		pthread_mutex_lock(&a->lock);
		s->running = false;
		if (s->ended) {
			unlink_subscription(a, s);
			subscription_free(s);
		}
		pthread_cond_broadcast(&a->idle);
	}
}

static void *deliver_thread(void *context)
{
	struct announcer *a = context;

	pthread_mutex_lock(&a->lock);
	while (!a->closing) {
		_cleanup_(announcement_freep) struct announcement *n = a->first;

		if (!n) {
			pthread_cond_wait(&a->wake, &a->lock);
			continue;
		}
		a->first = n->next;
		if (!a->first)
			a->last = NULL;
		a->waiting--;
		deliver(a, n);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

struct announcer *announcer_new(struct error *err)
{
	struct announcer *a = calloc(1, sizeof *a);

	if (!a) {
		error_oom(err);
		return NULL;
	}
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->wake, NULL);
	pthread_cond_init(&a->idle, NULL);
	return a;
}

/* With the first subscription, so that a program may restrict itself before. */
static bool start_thread(struct announcer *a, struct error *err)
{
	sigset_t all, before;
	int rc;

	if (a->has_thread)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&a->thread, NULL, deliver_thread, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		errno = rc;
		return error_errno(err, "cannot start the thread for announcements");
	}
	a->has_thread = true;
	return true;
}

void announcer_free(struct announcer *a)
{
	if (!a)
		return;
	if (a->has_thread) {
		pthread_mutex_lock(&a->lock);
		a->closing = true;
		pthread_cond_signal(&a->wake);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->thread, NULL);
	}
	for (struct announcement *n = a->first, *next; n; n = next) {
		next = n->next;
		announcement_free(n);
	}
	for (struct subscription *s = a->subscriptions, *next; s; s = next) {
		next = s->next;
		subscription_free(s);
	}
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->wake);
	pthread_cond_destroy(&a->idle);
	free(a);
}

static bool is_waiting(const struct announcer *a, const struct announcement *n)
{
	for (const struct announcement *p = a->first; p; p = p->next)
		if (strcmp(p->topic, n->topic) == 0 && strcmp(p->text, n->text) == 0)
			return true;
	return false;
}

static void enqueue(struct announcer *a, struct announcement *n)
{
	if (a->last)
		a->last->next = n;
	else
		a->first = n;
	a->last = n;
	a->waiting++;
	pthread_cond_signal(&a->wake);
}

bool announcer_publish(struct announcer *a, const char *topic, const char *text,
		       struct error *err)
{
	_cleanup_(announcement_freep) struct announcement *n = calloc(1, sizeof *n);
	bool ok = true;

	if (!n || !(n->topic = strdup(topic)) || !(n->text = strdup(text)))
		return error_oom(err);
	pthread_mutex_lock(&a->lock);
	if (!a->subscriptions || is_waiting(a, n)) {
		/* Nobody to tell, or told by the one that waits. */
	} else if (a->waiting >= ANNOUNCER_WAITING_MAX) {
		ok = error_set(err, ERR_BACKEND_UNAVAILABLE,
			       "too many announcements are waiting");
	} else {
		enqueue(a, TAKE(n));
	}
	pthread_mutex_unlock(&a->lock);
	return ok;
}

struct coord_subscription *announcer_subscribe(
	struct announcer *a, const struct coord_backend *backend, const char *topic,
	void (*fn)(void *context, const char *topic, const char *text), void *context,
	struct error *err)
{
	_cleanup_(subscription_freep) struct subscription *s = calloc(1, sizeof *s);
	struct subscription **p = &a->subscriptions;
	struct error own = ERROR_INIT;

	if (!s || !(s->topic = strdup(topic))) {
		error_oom(err);
		return NULL;
	}
	s->base.backend = backend;
	s->owner = a;
	s->fn = fn;
	s->context = context;
	pthread_mutex_lock(&a->lock);
	if (a->subscribed >= ANNOUNCER_SUBSCRIPTIONS_MAX)
		error_set(&own, ERR_BACKEND_UNAVAILABLE, "too many subscriptions");
	else
		(void)start_thread(a, &own);
	if (error_is_set(&own)) {
		pthread_mutex_unlock(&a->lock);
		if (!error_is_set(err))
			*err = own;
		return NULL;
	}
	s->number = ++a->next_number;
	a->subscribed++;
	while (*p)
		p = &(*p)->next;
	*p = s;
	pthread_mutex_unlock(&a->lock);
	return &TAKE(s)->base;
}

void announcer_unsubscribe(struct coord_subscription *base)
{
	struct subscription *s = (struct subscription *)base;
	struct announcer *a = s->owner;

	pthread_mutex_lock(&a->lock);
	if (s->running && pthread_equal(pthread_self(), a->thread)) {
		s->ended = true;
		pthread_mutex_unlock(&a->lock);
		return;
	}
	while (s->running)
		pthread_cond_wait(&a->idle, &a->lock);
	unlink_subscription(a, s);
	pthread_mutex_unlock(&a->lock);
	subscription_free(s);
}
