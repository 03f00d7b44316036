#include "mcp/bridge/bridge_private.h"

void bridge_wake(struct bridge *b)
{
	const uint64_t one = 1;

	(void)!write(b->wake, &one, sizeof one);
}

void bridge_job_free(struct bridge_job *j)
{
	if (!j)
		return;
	bridge_asked_done(&j->asked);
	json_decref(j->body);
	free(j->line);
	free(j);
}
bool bridge_cancel(struct bridge *b, const json_t *id, bool only_modern)
{
	struct bridge_job *j;
	bool found = false;

	(void)pthread_mutex_lock(&b->lock);
	LIST_FOREACH(j, &b->running, next)
	{
		/* initialize is never cancelled. */
		if (!id || !j->message.id || !json_equal(j->message.id, id) ||
		    j->is_initialize || (only_modern && !j->is_modern))
			continue;
		atomic_store(&j->silent, true);
		atomic_store(&j->cancel, true);
		found = true;
	}
	(void)pthread_mutex_unlock(&b->lock);
	return found;
}

void bridge_cancel_all(struct bridge *b, bool only_listens)
{
	struct bridge_job *j;

	(void)pthread_mutex_lock(&b->lock);
	LIST_FOREACH(j, &b->running, next)
	{
		if (only_listens && !j->asked.is_listen)
			continue;
		if (only_listens)
			atomic_store(&j->silent, true);
		atomic_store(&j->cancel, true);
	}
	(void)pthread_mutex_unlock(&b->lock);
}

static void *run_job(void *context)
{
	struct bridge_job *j = context;
	struct bridge *b = j->b;

	if (bridge_asked_is_open(&j->asked))
		bridge_ask(j);
	else
		bridge_tell(j);
	(void)pthread_mutex_lock(&b->lock);
	LIST_REMOVE(j, next);
	LIST_INSERT_HEAD(&b->ended, j, next);
	if (j->is_held)
		b->is_held = false;
	(void)pthread_mutex_unlock(&b->lock);
	bridge_wake(b);
	return NULL;
}

bool bridge_job_begin(struct bridge *b, struct bridge_job *j)
{
	bool good;

	(void)pthread_mutex_lock(&b->lock);
	good = b->count < STDIO_BRIDGE_REQUESTS_MAX || j->is_held;
	if (good) {
		LIST_INSERT_HEAD(&b->running, j, next);
		b->count++;
		b->is_held = j->is_held;
		good = pthread_create(&j->thread, NULL, run_job, j) == 0;
		if (!good) {
			LIST_REMOVE(j, next);
			b->count--;
			b->is_held = false;
		}
	}
	(void)pthread_mutex_unlock(&b->lock);
	return good;
}

unsigned bridge_jobs_reap(struct bridge *b, bool *ret_held)
{
	struct bridge_ended ended = LIST_HEAD_INITIALIZER(ended);
	struct bridge_job *j;
	unsigned count;

	(void)pthread_mutex_lock(&b->lock);
	while ((j = LIST_FIRST(&b->ended))) {
		LIST_REMOVE(j, next);
		LIST_INSERT_HEAD(&ended, j, next);
		b->count--;
	}
	count = b->count;
	*ret_held = b->is_held;
	(void)pthread_mutex_unlock(&b->lock);
	while ((j = LIST_FIRST(&ended))) {
		LIST_REMOVE(j, next);
		(void)pthread_join(j->thread, NULL);
		bridge_job_free(j);
	}
	return count;
}
