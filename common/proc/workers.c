#include "proc/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

struct job {
	workers_function *fn;
	void *argument;
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ending;
	unsigned queue_max, queue_first, queued; /* ring of 'queue_max' jobs */
	unsigned running;
	unsigned thread_count, thread_max;
	struct job *queue;
	pthread_t *threads;
};

static bool next_job(struct workers *w, struct job *ret)
{
	bool found = false;

	(void)pthread_mutex_lock(&w->lock);
	while (w->queued == 0 && !w->ending)
		(void)pthread_cond_wait(&w->changed, &w->lock);
	if (w->queued > 0) {
		*ret = w->queue[w->queue_first];
		w->queue_first = (w->queue_first + 1) % w->queue_max;
		w->queued--;
		w->running++;
		found = true;
	}
	(void)pthread_mutex_unlock(&w->lock);
	return found;
}

static void *work(void *argument)
{
	struct workers *w = argument;
	struct job job;

	while (next_job(w, &job)) {
		job.fn(job.argument);
		(void)pthread_mutex_lock(&w->lock);
		w->running--;
		(void)pthread_mutex_unlock(&w->lock);
	}
	return NULL;
}

/* Signals are the main thread's; a thread inherits the mask of its maker. */
static int start_thread(struct workers *w)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&w->threads[w->thread_count], NULL, work, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->thread_count += failed == 0;
	return failed;
}

struct workers *workers_new(unsigned threads, unsigned queue_max, struct error *err)
{
	_cleanup_(workers_freep) struct workers *w = NULL;

	if (threads == 0 || queue_max == 0) {
		error_set(err, ERR_INTERNAL, "a worker pool needs threads and a queue");
		return NULL;
	}
	w = calloc(1, sizeof *w);
	if (!w) {
		error_oom(err);
		return NULL;
	}
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->changed, NULL);
	w->queue_max = queue_max;
	w->queue = calloc(queue_max, sizeof *w->queue);
	w->threads = calloc(threads, sizeof *w->threads);
	if (!w->queue || !w->threads) {
		error_oom(err);
		return NULL;
	}
	w->thread_max = threads;
	errno = start_thread(w);
	if (errno != 0) {
		error_errno(err, "cannot start worker threads");
		return NULL;
	}
	return TAKE(w);
}

void workers_free(struct workers *w)
{
	if (!w)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->ending = true;
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->thread_count; i++)
		(void)pthread_join(w->threads[i], NULL);
	(void)pthread_cond_destroy(&w->changed);
	(void)pthread_mutex_destroy(&w->lock);
	free(w->threads);
	free(w->queue);
	free(w);
}

bool workers_submit(struct workers *w, workers_function *fn, void *argument)
{
	bool room;

	(void)pthread_mutex_lock(&w->lock);
	room = !w->ending && w->queued < w->queue_max;
	if (room) {
		unsigned at = (w->queue_first + w->queued++) % w->queue_max;
		w->queue[at] = (struct job){ .fn = fn, .argument = argument };
		(void)pthread_cond_signal(&w->changed);
		/* If there is none to be had, the job waits for those that are there. */
		if (w->queued + w->running > w->thread_count &&
		    w->thread_count < w->thread_max)
			(void)start_thread(w);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return room;
}

unsigned workers_busy(struct workers *w)
{
	(void)pthread_mutex_lock(&w->lock);
	unsigned busy = w->queued + w->running;
	(void)pthread_mutex_unlock(&w->lock);
	return busy;
}
