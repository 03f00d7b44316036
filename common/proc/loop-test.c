#include "proc/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"

struct probe {
	struct loop *loop;
	struct loop_source *source, *other;
	unsigned calls, stop_after;
	unsigned events;
	int signal_number;
};

static struct loop *make_loop(void)
{
	struct error err = ERROR_INIT;
	struct loop *l = loop_new(&err);

	assert_non_null(l);
	return l;
}

static void run(struct loop *l)
{
	struct error err = ERROR_INIT;

	assert_true(loop_run(l, &err));
}

static void count(void *context)
{
	struct probe *p = context;

	if (++p->calls >= p->stop_after)
		loop_stop(p->loop);
}

static void timers_fire_in_order_of_time(void **state)
{
	_cleanup_(loop_freep) struct loop *l = make_loop();
	struct error err = ERROR_INIT;
	struct probe late = { .loop = l, .stop_after = 1 },
		     early = { .loop = l, .stop_after = 9 };
	int64_t start = clock_mono_ms();

	(void)state;
	assert_non_null(loop_add_timer(l, 40, false, count, &late, &err));
	assert_non_null(loop_add_timer(l, 5, false, count, &early, &err));
	run(l);
	assert_int_equal(late.calls, 1);
	assert_int_equal(early.calls, 1);
	assert_in_range(clock_mono_ms() - start, 40, 2000);
}

static void repeating_timer_repeats_until_removed(void **state)
{
	_cleanup_(loop_freep) struct loop *l = make_loop();
	struct error err = ERROR_INIT;
	struct probe p = { .loop = l, .stop_after = 3 };
	struct loop_source *s = loop_add_timer(l, 2, true, count, &p, &err);

	(void)state;
	assert_non_null(s);
	run(l);
	assert_int_equal(p.calls, 3);
	loop_remove(s);
	p.calls = 0;
	struct probe end = { .loop = l, .stop_after = 1 };
	assert_non_null(loop_add_timer(l, 20, false, count, &end, &err));
	run(l);
	assert_int_equal(p.calls, 0);
}

static void add_itself(void *context)
{
	struct probe *p = context;
	struct error err = ERROR_INIT;

	p->calls++;
	assert_non_null(loop_add_timer(p->loop, 0, false, add_itself, p, &err));
}

static void readable_stop(void *context, int fd, unsigned events)
{
	struct probe *p = context;

	(void)fd;
	p->events |= events;
	loop_stop(p->loop);
}

static void timer_that_adds_itself_does_not_starve_descriptors(void **state)
{
	_cleanup_(loop_freep) struct loop *l = make_loop();
	struct error err = ERROR_INIT;
	struct probe greedy = { .loop = l }, reader = { .loop = l };
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "x", 1), 1);
	assert_non_null(loop_add_timer(l, 0, false, add_itself, &greedy, &err));
	assert_non_null(loop_add_fd(l, fd[0], LOOP_READ, readable_stop, &reader, &err));
	run(l);
	assert_int_equal(reader.events, LOOP_READ);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void remove_own(void *context)
{
	struct probe *p = context;

	p->calls++;
	loop_remove(p->source);
	loop_remove(p->other);
}

static void callbacks_may_remove_themselves_and_others(void **state)
{
	_cleanup_(loop_freep) struct loop *l = make_loop();
	struct error err = ERROR_INIT;
	struct probe a = { .loop = l }, b = { .loop = l, .stop_after = 1 };
	struct probe end = { .loop = l, .stop_after = 1 };

	(void)state;
	a.source = loop_add_timer(l, 1, true, remove_own, &a, &err);
	a.other = loop_add_timer(l, 2, false, count, &b, &err);
	assert_non_null(loop_add_timer(l, 30, false, count, &end, &err));
	run(l);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 0);
	loop_remove(NULL);
}

static void remove_other_fd(void *context, int fd, unsigned events)
{
	struct probe *p = context;

	(void)fd;
	(void)events;
	p->calls++;
	loop_remove(p->other);
	loop_remove(p->source);
}

/* Both are ready in one turn: whoever comes first removes the other, which must not be called. */
static void source_removed_in_its_turn_is_not_called(void **state)
{
	_cleanup_(loop_freep) struct loop *l = make_loop();
	struct error err = ERROR_INIT;
	struct probe a = { .loop = l }, b = { .loop = l };
	struct probe end = { .loop = l, .stop_after = 1 };
	int one[2], two[2];

	(void)state;
	assert_int_equal(pipe(one), 0);
	assert_int_equal(pipe(two), 0);
	assert_int_equal(write(one[1], "x", 1), 1);
	assert_int_equal(write(two[1], "x", 1), 1);
	a.source = b.other = loop_add_fd(l, one[0], LOOP_READ, remove_other_fd, &a, &err);
	b.source = a.other = loop_add_fd(l, two[0], LOOP_READ, remove_other_fd, &b, &err);
	assert_non_null(loop_add_timer(l, 20, false, count, &end, &err));
	run(l);
	assert_int_equal(a.calls + b.calls, 1);
	for (int i = 0; i < 2; i++) {
		(void)close(one[i]);
		(void)close(two[i]);
	}
}

static void hangup_is_always_reported(void **state)
{
	_cleanup_(loop_freep) struct loop *l = make_loop();
	struct error err = ERROR_INIT;
	struct probe p = { .loop = l };
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_non_null(loop_add_fd(l, fd[0], 0, readable_stop, &p, &err));
	(void)close(fd[1]);
	run(l);
	assert_int_equal(p.events, LOOP_HANGUP);
	(void)close(fd[0]);
}

static void events_can_change(void **state)
{
	_cleanup_(loop_freep) struct loop *l = make_loop();
	struct error err = ERROR_INIT;
	struct probe p = { .loop = l };
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	struct loop_source *s = loop_add_fd(l, fd[1], 0, readable_stop, &p, &err);
	assert_non_null(s);
	assert_true(loop_set_events(s, LOOP_WRITE, &err));
	run(l);
	assert_int_equal(p.events, LOOP_WRITE);
	assert_null(loop_add_fd(l, fd[1], LOOP_WRITE, readable_stop, &p, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void got_signal(void *context, int signal_number)
{
	struct probe *p = context;

	p->signal_number = signal_number;
	loop_stop(p->loop);
}

static void signals_arrive(void **state)
{
	_cleanup_(loop_freep) struct loop *l = make_loop();
	struct error err = ERROR_INIT;
	struct probe p = { .loop = l };

	(void)state;
	assert_non_null(loop_add_signal(l, SIGUSR1, got_signal, &p, &err));
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	run(l);
	assert_int_equal(p.signal_number, SIGUSR1);
	assert_null(loop_add_signal(l, 4711, got_signal, &p, &err));
}

static void wake(void *context)
{
	struct probe *p = context;

	if (++p->calls == p->stop_after)
		loop_stop(p->loop);
}

static void *wake_often(void *context)
{
	struct probe *p = context;

	for (unsigned i = 0; i < p->stop_after / 2; i++)
		assert_true(loop_wake(p->loop, wake, p));
	return NULL;
}

static void wakes_from_other_threads_all_run(void **state)
{
	_cleanup_(loop_freep) struct loop *l = make_loop();
	struct probe p = { .loop = l, .stop_after = 20000 };
	pthread_t one, two;

	(void)state;
	assert_int_equal(pthread_create(&one, NULL, wake_often, &p), 0);
	assert_int_equal(pthread_create(&two, NULL, wake_often, &p), 0);
	run(l);
	assert_int_equal(p.calls, 20000);
	(void)pthread_join(one, NULL);
	(void)pthread_join(two, NULL);
}

static void stop_before_run_is_kept_and_used_once(void **state)
{
	_cleanup_(loop_freep) struct loop *l = make_loop();
	struct error err = ERROR_INIT;
	struct probe p = { .loop = l, .stop_after = 1 };

	(void)state;
	loop_stop(l);
	run(l); /* at once */
	assert_non_null(loop_add_timer(l, 1, false, count, &p, &err));
	run(l);
	assert_int_equal(p.calls, 1);
}

static void freeing_drops_pending_wakes(void **state)
{
	struct loop *l = make_loop();
	struct probe p = { .loop = l };

	(void)state;
	assert_true(loop_wake(l, wake, &p));
	loop_free(l);
	loop_free(NULL);
	assert_int_equal(p.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order_of_time),
		cmocka_unit_test(repeating_timer_repeats_until_removed),
		cmocka_unit_test(timer_that_adds_itself_does_not_starve_descriptors),
		cmocka_unit_test(callbacks_may_remove_themselves_and_others),
		cmocka_unit_test(source_removed_in_its_turn_is_not_called),
		cmocka_unit_test(hangup_is_always_reported),
		cmocka_unit_test(events_can_change),
		cmocka_unit_test(signals_arrive),
		cmocka_unit_test(wakes_from_other_threads_all_run),
		cmocka_unit_test(stop_before_run_is_kept_and_used_once),
		cmocka_unit_test(freeing_drops_pending_wakes),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
