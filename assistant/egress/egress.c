#include "assistant/egress/egress.h"

#include <string.h>
#include <sys/socket.h>

#include "assistant/egress/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "proc/channel.h"

/* ---- out ---- */

void egress_say(struct egress *e, json_t *message)
{
	json_auto_t *own = message;
	struct error err = ERROR_INIT;

	(void)pthread_mutex_lock(&e->lock);
	if (!e->is_broken && (!own || !channel_write(e->fd, own, &err))) {
		/* the surface is gone, or waits for what we cannot say: both end us */
		e->is_broken = true;
		(void)shutdown(e->fd, SHUT_RDWR);
		(void)pthread_cond_broadcast(&e->changed);
	}
	(void)pthread_mutex_unlock(&e->lock);
}

static void refuse(struct egress *e, int64_t request, enum assistant_code code)
{
	egress_say(e, json_pack("{s:s, s:I, s:s}", "m", "ended", "request",
				(json_int_t)request, "code", assistant_code_name(code)));
}

/* ---- jobs ---- */

/* gcc's analyzer loses sight of what an entry of 'jobs' keeps; give_back frees it. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

/* With the lock held. */
static struct job *find(struct egress *e, int64_t request)
{
	for (size_t i = 0; i < EGRESS_JOBS_MAX; i++)
		if (e->jobs[i].is_used && e->jobs[i].request == request)
			return &e->jobs[i];
	return NULL;
}

static struct job *take_free(struct egress *e, const struct assistant_fields *f)
{
	_cleanup_free_ char *path = strdup(f->path), *body = strdup(f->body);
	struct job *j = NULL;

	if (!path || !body)
		return NULL;
	(void)pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < EGRESS_JOBS_MAX && !j; i++)
		if (!e->jobs[i].is_used)
			j = &e->jobs[i];
	if (j) {
		j->is_used = true;
		j->egress = e;
		j->request = f->request;
		j->path = TAKE(path);
		j->body = TAKE(body);
		j->body_bytes = strlen(j->body);
		atomic_store(&j->dropped, false);
	}
	(void)pthread_mutex_unlock(&e->lock);
	return j;
}

static void give_back(struct job *j)
{
	(void)pthread_mutex_lock(&j->egress->lock);
	free(j->path);
	free(j->body);
	j->path = j->body = NULL;
	j->is_used = false;
	(void)pthread_mutex_unlock(&j->egress->lock);
}

static void run(void *argument)
{
	struct job *j = argument;

	egress_send(j);
	give_back(j);
}

/* A minute's requests may come at once, and then one after the other. */
static bool is_too_fast(struct egress *e)
{
	double most = (double)e->settings->requests_per_minute;
	int64_t now_ms = clock_mono_ms();

	e->tokens += (double)(now_ms - e->counted_ms) * most / 60000;
	e->counted_ms = now_ms;
	if (e->tokens > most)
		e->tokens = most;
	if (e->tokens < 1)
		return true;
	e->tokens -= 1;
	return false;
}

static bool take_request(struct egress *e, const struct assistant_fields *f,
			 struct error *err)
{
	struct error why = ERROR_INIT;
	struct job *j;

	(void)pthread_mutex_lock(&e->lock);
	bool in_use = find(e, f->request) != NULL;
	(void)pthread_mutex_unlock(&e->lock);
	if (in_use)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a request with a number that is in use");
	if (!check_request(e->settings, f->path, f->body, &why)) {
		log_failure("egress.not_allowed", &why);
		refuse(e, f->request, ASSISTANT_NOT_ALLOWED);
		return true;
	}
	j = is_too_fast(e) ? NULL : take_free(e, f);
	if (!j) {
		log_warn("egress.too_many");
		refuse(e, f->request, ASSISTANT_MODEL_BUSY);
		return true;
	}
	if (!workers_submit(e->workers, run, j)) {
		give_back(j);
		refuse(e, f->request, ASSISTANT_MODEL_BUSY);
	}
	return true;
}

/* One that has just ended is no fault. */
static void drop(struct egress *e, int64_t request)
{
	(void)pthread_mutex_lock(&e->lock);
	struct job *j = find(e, request);
	if (j)
		atomic_store(&j->dropped, true);
	(void)pthread_cond_broadcast(&e->changed);
	(void)pthread_mutex_unlock(&e->lock);
}

static void drop_all(struct egress *e)
{
	(void)pthread_mutex_lock(&e->lock);
	e->is_broken = true;
	for (size_t i = 0; i < EGRESS_JOBS_MAX; i++)
		atomic_store(&e->jobs[i].dropped, true);
	(void)pthread_cond_broadcast(&e->changed);
	(void)pthread_mutex_unlock(&e->lock);
}

/* ---- in ---- */

static bool take(struct egress *e, const json_t *message, struct error *err)
{
	struct assistant_fields f;

	if (!assistant_fields_decode(ASSISTANT_AT_EGRESS, message, &f, err))
		return false;
	if (f.m == ASSISTANT_REQUEST)
		return take_request(e, &f, err);
	drop(e, f.request);
	return true;
}

bool egress_serve(struct egress *e, struct error *err)
{
	bool good = true;

	(void)pthread_mutex_init(&e->lock, NULL);
	(void)pthread_cond_init(&e->changed, NULL);
	e->tokens = (double)e->settings->requests_per_minute;
	e->counted_ms = clock_mono_ms();
	e->workers = workers_new((unsigned)e->settings->at_once, EGRESS_JOBS_MAX, err);
	if (!e->workers)
		return false;
	egress_say(e, json_pack("{s:s, s:i}", "m", "ready", "v",
				ASSISTANT_MESSAGES_VERSION));
	while (good) {
		struct error why = ERROR_INIT;
		json_auto_t *message = channel_read(e->fd, -1, &why);

		if (message) {
			good = take(e, message, err);
			continue;
		}
		good = why.code == ERR_BACKEND_UNAVAILABLE;
		if (!good)
			*err = why;
		break;
	}
	drop_all(e);
	workers_free(e->workers);
	(void)pthread_cond_destroy(&e->changed);
	(void)pthread_mutex_destroy(&e->lock);
	return good;
}
