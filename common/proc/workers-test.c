#include "proc/workers.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open;
	unsigned entered;
	atomic_uint done;
};

static void gate_init(struct gate *g)
{
	*g = (struct gate){ 0 };
	(void)pthread_mutex_init(&g->lock, NULL);
	(void)pthread_cond_init(&g->changed, NULL);
}

static void pass(void *argument)
{
	struct gate *g = argument;

	(void)pthread_mutex_lock(&g->lock);
	g->entered++;
	(void)pthread_cond_broadcast(&g->changed);
	while (!g->open)
		(void)pthread_cond_wait(&g->changed, &g->lock);
	(void)pthread_mutex_unlock(&g->lock);
	atomic_fetch_add(&g->done, 1);
}

static void open_gate(struct gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	g->open = true;
	(void)pthread_cond_broadcast(&g->changed);
	(void)pthread_mutex_unlock(&g->lock);
}

static void wait_entered(struct gate *g, unsigned count)
{
	(void)pthread_mutex_lock(&g->lock);
	while (g->entered < count)
		(void)pthread_cond_wait(&g->changed, &g->lock);
	(void)pthread_mutex_unlock(&g->lock);
}

static void full_queue_refuses(void **state)
{
	struct error err = ERROR_INIT;
	struct workers *w = workers_new(2, 3, &err);
	struct gate g;

	(void)state;
	gate_init(&g);
	assert_non_null(w);
	for (int i = 0; i < 2; i++)
		assert_true(workers_submit(w, pass, &g));
	wait_entered(&g, 2);
	for (int i = 0; i < 3; i++)
		assert_true(workers_submit(w, pass, &g));
	assert_false(workers_submit(w, pass, &g));
	assert_int_equal(workers_busy(w), 5);
	open_gate(&g);
	workers_free(w);
	assert_int_equal(atomic_load(&g.done), 5);
}

static void add_one(void *argument)
{
	atomic_fetch_add((atomic_uint *)argument, 1);
}

static void freeing_finishes_what_is_queued(void **state)
{
	struct error err = ERROR_INIT;
	struct workers *w = workers_new(1, 1000, &err);
	atomic_uint done = 0;

	(void)state;
	assert_non_null(w);
	for (int i = 0; i < 1000; i++)
		while (!workers_submit(w, add_one, &done))
			;
	workers_free(w);
	assert_int_equal(atomic_load(&done), 1000);
}

static void read_mask(void *argument)
{
	(void)pthread_sigmask(SIG_SETMASK, NULL, argument);
}

static void threads_block_signals_and_the_maker_does_not(void **state)
{
	struct error err = ERROR_INIT;
	struct workers *w = workers_new(1, 1, &err);
	sigset_t theirs, ours;

	(void)state;
	assert_non_null(w);
	assert_true(workers_submit(w, read_mask, &theirs));
	workers_free(w);
	read_mask(&ours);
	assert_true(sigismember(&theirs, SIGTERM));
	assert_true(sigismember(&theirs, SIGCHLD));
	assert_false(sigismember(&ours, SIGTERM));
}

static unsigned count_threads(void)
{
	char line[256];
	unsigned count = 0;
	FILE *f = fopen("/proc/self/status", "re");

	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "Threads: %u", &count) == 1)
			break;
	(void)fclose(f);
	return count;
}

static void threads_come_with_the_jobs_up_to_the_limit(void **state)
{
	enum { LIMIT = 4 };
	struct error err = ERROR_INIT;
	const unsigned before = count_threads();
	struct workers *w = workers_new(LIMIT, 100, &err);
	struct gate g;

	(void)state;
	gate_init(&g);
	assert_non_null(w);
	assert_int_equal(count_threads(), before + 1);
	for (unsigned i = 1; i <= LIMIT; i++) {
		assert_true(workers_submit(w, pass, &g));
		wait_entered(&g, i);
		assert_int_equal(count_threads(), before + i);
	}
	for (unsigned i = 0; i < 10; i++)
		assert_true(workers_submit(w, pass, &g));
	assert_int_equal(count_threads(), before + LIMIT);
	open_gate(&g);
	workers_free(w);
	assert_int_equal(atomic_load(&g.done), LIMIT + 10);
}

static void nonsense_is_refused(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_null(workers_new(0, 1, &err));
	error_clear(&err);
	assert_null(workers_new(1, 0, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
	workers_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_queue_refuses),
		cmocka_unit_test(freeing_finishes_what_is_queued),
		cmocka_unit_test(threads_block_signals_and_the_maker_does_not),
		cmocka_unit_test(threads_come_with_the_jobs_up_to_the_limit),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
