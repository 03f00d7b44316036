#include "link/coordination/redis_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "base/clock.h"

enum { RETRY_MS = 500, RETRY_MAX_MS = 8000, MESSAGE_PARTS = 3 };

/* What is said while the connection is lost is missed: announcements are hints. */
struct redis_listener {
	struct coord_redis *c;
	int stop_fd;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_ready; /* Redis has confirmed the subscription */
};

static bool is_text(const redisReply *r)
{
	return r->type == REDIS_REPLY_STRING && strlen(r->str) == r->len;
}

static void set_ready(struct redis_listener *l)
{
	(void)pthread_mutex_lock(&l->lock);
	l->is_ready = true;
	(void)pthread_cond_broadcast(&l->changed);
	(void)pthread_mutex_unlock(&l->lock);
}

/* {"subscribe", channel, count} or {"message", channel, "<topic> <text>"}. */
static void on_message(struct redis_listener *l, const redisReply *r)
{
	struct error full = ERROR_INIT;
	char topic[COORD_KEY_MAX + 1];
	const char *said;
	size_t length;

	if (r->type != REDIS_REPLY_ARRAY || r->elements != MESSAGE_PARTS ||
	    !is_text(r->element[0]))
		return;
	if (strcmp(r->element[0]->str, "subscribe") == 0)
		set_ready(l);
	if (strcmp(r->element[0]->str, "message") != 0 || !is_text(r->element[2]))
		return;
	said = r->element[2]->str;
	length = strcspn(said, " ");
	if (said[length] != ' ' || length > COORD_KEY_MAX ||
	    strlen(said + length + 1) > COORD_HINT_MAX)
		return;
	(void)snprintf(topic, sizeof topic, "%.*s", (int)length, said);
	(void)announcer_publish(l->c->announcer, topic, said + length + 1, &full);
}

/* False when it is time to end. */
static bool wait_until(const struct redis_listener *l, int fd, int timeout_ms)
{
	struct pollfd fds[] = { { .fd = l->stop_fd, .events = POLLIN },
				{ .fd = fd, .events = POLLIN } };

	while (poll(fds, ARRAY_SIZE(fds), timeout_ms) < 0 && errno == EINTR)
		;
	return fds[0].revents == 0;
}

/* Until the connection ends; false when it is time to end altogether. */
static bool listen_once(struct redis_listener *l, bool *ret_heard)
{
	const struct coord_redis_access *a = l->c->access;
	const struct redis_command subscribe = { 2, { "SUBSCRIBE", l->c->channel } };
	struct error why = ERROR_INIT;
	int64_t deadline_ms = clock_mono_ms() + a->timeout_ms;
	_cleanup_(redis_link_closep) struct redis_link *link =
		redis_pool_open(a, deadline_ms, &why);

	if (!link || !redis_link_add(link, &subscribe, &why) ||
	    !redis_link_send(link, deadline_ms, &why))
		return true;
	for (;;) {
		_cleanup_reply_ redisReply *reply = NULL;

		if (!redis_link_has_input(link) &&
		    !wait_until(l, redis_link_fd(link), -1))
			return false;
		if (!redis_link_receive(link, clock_mono_ms() + a->timeout_ms, &reply,
					&why))
			return true;
		*ret_heard = true;
		on_message(l, reply);
	}
}

static void *work(void *argument)
{
	struct redis_listener *l = argument;
	int pause_ms = RETRY_MS;

	for (;;) {
		bool heard = false;

		if (!listen_once(l, &heard))
			return NULL;
		if (heard)
			pause_ms = RETRY_MS;
		if (!wait_until(l, -1, pause_ms))
			return NULL;
		pause_ms = pause_ms * 2 < RETRY_MAX_MS ? pause_ms * 2 : RETRY_MAX_MS;
	}
}

void redis_listener_free(struct redis_listener *l)
{
	const uint64_t one = 1;

	if (!l)
		return;
	if (l->has_thread) {
		(void)!write(l->stop_fd, &one, sizeof one);
		(void)pthread_join(l->thread, NULL);
	}
	if (l->stop_fd >= 0)
		(void)close(l->stop_fd);
	(void)pthread_mutex_destroy(&l->lock);
	(void)pthread_cond_destroy(&l->changed);
	free(l);
}

static struct redis_listener *listener_new(struct coord_redis *c, struct error *err)
{
	struct redis_listener *l = calloc(1, sizeof *l);
	pthread_condattr_t monotonic;

	if (!l) {
		error_oom(err);
		return NULL;
	}
	l->c = c;
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&l->changed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->stop_fd >= 0)
		return l;
	error_errno(err, "cannot make an event descriptor");
	redis_listener_free(l);
	return NULL;
}

static bool start_thread(struct redis_listener *l, struct error *err)
{
	sigset_t all, before;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&l->thread, NULL, work, l);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	l->has_thread = rc == 0;
	errno = rc;
	return rc == 0 || error_errno(err, "cannot start the thread for announcements");
}

bool redis_listener_start(struct coord_redis *c, struct error *err)
{
	int64_t deadline_ms = clock_mono_ms() + c->access->timeout_ms;
	const struct timespec until = { .tv_sec = (time_t)(deadline_ms / 1000),
					.tv_nsec = (long)(deadline_ms % 1000) * 1000000 };
	struct redis_listener *l = c->listener;
	bool is_ready;

	if (!l) {
		l = listener_new(c, err);
		if (!l || !start_thread(l, err)) {
			redis_listener_free(l);
			return false;
		}
		c->listener = l;
	}
	(void)pthread_mutex_lock(&l->lock);
	while (!l->is_ready && pthread_cond_timedwait(&l->changed, &l->lock, &until) == 0)
		;
	is_ready = l->is_ready;
	(void)pthread_mutex_unlock(&l->lock);
	return is_ready || redis_fail(c->access, err, "takes no subscription");
}
