/* Links by a clock that the tests turn. */
#include "slack/socket/links.h"

#include "base/testing.h"

static const struct links_times times = {
	.ping_ms = 100,
	.silence_ms = 300,
	.hello_ms = 200,
	.backoff_ms = 10,
	.backoff_max_ms = 80,
	.settled_ms = 1000,
	.leave_ms = 150,
	.slow_ms = 5000,
	.crowd_ms = 3000,
};

struct fixture {
	struct links l;
	int64_t now_ms;
	unsigned id;
	int64_t due_ms;
};

static enum links_deed next(struct fixture *f)
{
	return links_next(&f->l, f->now_ms, &f->id, &f->due_ms);
}

/* Go on to when there is something to do. */
static enum links_deed next_due(struct fixture *f)
{
	enum links_deed deed = next(f);

	if (deed == LINKS_NOTHING && f->due_ms != INT64_MAX) {
		assert_true(f->due_ms > f->now_ms);
		f->now_ms = f->due_ms;
		deed = next(f);
	}
	return deed;
}

static unsigned bring_up(struct fixture *f)
{
	assert_int_equal(next_due(f), LINKS_DIAL);
	links_ticket(&f->l, f->id, f->now_ms);
	links_hello(&f->l, f->id, f->now_ms);
	assert_true(links_is_up(&f->l, f->id));
	return f->id;
}

static void begin(struct fixture *f, size_t slots)
{
	*f = (struct fixture){ .now_ms = 7 };
	links_init(&f->l, &times, slots, 42, f->now_ms);
}

static void each_slot_gets_a_link(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, LINKS_SLOTS_MAX);
	for (unsigned i = 1; i <= LINKS_SLOTS_MAX; i++) {
		assert_int_equal(next(&f), LINKS_DIAL);
		assert_int_equal(f.id, i);
	}
	assert_int_equal(next(&f), LINKS_NOTHING);
	assert_true(f.due_ms == INT64_MAX); /* the ticket is awaited */
	assert_int_equal(links_up(&f.l), 0);
	for (unsigned i = 1; i <= LINKS_SLOTS_MAX; i++) {
		links_ticket(&f.l, i, f.now_ms);
		assert_false(links_is_up(&f.l, i));
		links_hello(&f.l, i, f.now_ms);
	}
	assert_int_equal(links_up(&f.l), LINKS_SLOTS_MAX);
	assert_int_equal(next(&f), LINKS_NOTHING);
	assert_int_equal(f.due_ms, f.now_ms + times.ping_ms);
}

static void silence_is_asked_and_then_ended(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	const unsigned id = bring_up(&f);
	const int64_t up_ms = f.now_ms;

	assert_int_equal(next_due(&f), LINKS_PING);
	assert_int_equal(f.now_ms, up_ms + times.ping_ms);
	assert_int_equal(next(&f), LINKS_NOTHING);
	assert_int_equal(next_due(&f), LINKS_PING);
	/* It is heard: all begins anew. */
	links_heard(&f.l, id, f.now_ms);
	const int64_t heard_ms = f.now_ms;
	assert_int_equal(next_due(&f), LINKS_PING);
	assert_int_equal(next_due(&f), LINKS_PING);
	f.now_ms = heard_ms + times.silence_ms - 1;
	assert_int_equal(next(&f), LINKS_NOTHING);
	f.now_ms++;
	assert_int_equal(next(&f), LINKS_KILL);
	assert_int_equal(f.id, id);
	/* Another is dialled while the dead one's end is awaited. */
	assert_int_equal(next_due(&f), LINKS_DIAL);
	links_closed(&f.l, id, f.now_ms);
	assert_int_equal(next(&f), LINKS_NOTHING);
}

static void without_a_hello_it_ends(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	assert_int_equal(next(&f), LINKS_DIAL);
	const unsigned id = f.id;
	f.now_ms += 10 * times.hello_ms; /* a ticket may take its time */
	assert_int_equal(next(&f), LINKS_NOTHING);
	links_ticket(&f.l, id, f.now_ms);
	assert_int_equal(next_due(&f), LINKS_KILL);
	links_hello(&f.l, id, f.now_ms); /* too late */
	assert_int_equal(links_up(&f.l), 0);
	links_closed(&f.l, id, f.now_ms);
	assert_false(links_any(&f.l));
	assert_int_equal(next_due(&f), LINKS_DIAL);
	assert_int_not_equal(f.id, id);
}

/* Twice as long each time, by half of it less at most; and no longer than the limit. */
static void failures_wait(void **state)
{
	struct fixture f;
	int64_t wait_ms = times.backoff_ms;

	(void)state;
	begin(&f, 1);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(next_due(&f), LINKS_DIAL);
		links_closed(&f.l, f.id, f.now_ms);
		assert_int_equal(next(&f), LINKS_NOTHING);
		assert_true(f.due_ms - f.now_ms >= wait_ms / 2);
		assert_true(f.due_ms - f.now_ms <= wait_ms);
		wait_ms = wait_ms * 2 > times.backoff_max_ms ? times.backoff_max_ms
							     : wait_ms * 2;
	}
}

/* What lived long forgives what was; what did not is a failure. */
static void a_long_life_forgives(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(next_due(&f), LINKS_DIAL);
		links_closed(&f.l, f.id, f.now_ms);
	}
	unsigned id = bring_up(&f);
	f.now_ms += times.settled_ms - 1;
	links_heard(&f.l, id, f.now_ms);
	links_closed(&f.l, id, f.now_ms);
	assert_int_equal(next(&f), LINKS_NOTHING);
	assert_true(f.due_ms - f.now_ms >= times.backoff_max_ms / 2);
	id = bring_up(&f);
	f.now_ms += times.settled_ms;
	links_heard(&f.l, id, f.now_ms);
	links_closed(&f.l, id, f.now_ms);
	assert_int_equal(next(&f), LINKS_DIAL); /* at once */
	links_closed(&f.l, f.id, f.now_ms);
	assert_int_equal(next(&f), LINKS_NOTHING);
	assert_true(f.due_ms - f.now_ms <= times.backoff_ms);
}

static unsigned settle(struct fixture *f)
{
	const unsigned id = bring_up(f);

	f->now_ms += times.settled_ms;
	links_heard(&f->l, id, f->now_ms);
	return id;
}

static void the_old_one_is_kept_until_the_new_one_is_up(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	const unsigned old = settle(&f);

	links_leave(&f.l, old, SOCKET_WARNING, f.now_ms);
	assert_true(links_is_up(&f.l, old));
	assert_int_equal(next(&f), LINKS_DIAL);
	const unsigned new = f.id;
	/* However long that takes, as long as it is alive. */
	for (int i = 0; i < 20; i++) {
		f.now_ms += times.ping_ms / 2;
		links_heard(&f.l, old, f.now_ms);
		assert_int_equal(next(&f), LINKS_NOTHING);
	}
	links_ticket(&f.l, new, f.now_ms);
	links_hello(&f.l, new, f.now_ms);
	const int64_t up_ms = f.now_ms;
	while (next_due(&f) == LINKS_PING) {
		links_heard(&f.l, old, f.now_ms);
		links_heard(&f.l, new, f.now_ms);
	}
	assert_int_equal(f.now_ms, up_ms + times.leave_ms);
	assert_int_equal(f.id, old);
	assert_true(f.l.slots[0].links[0].is_ended);
	assert_int_equal(next(&f), LINKS_NOTHING); /* said once */
	links_closed(&f.l, old, f.now_ms);
	assert_int_equal(links_up(&f.l), 1);
	assert_int_equal(next(&f), LINKS_NOTHING);
}

/* One that is sent away while another is leaving: never more than two of a slot. */
static void a_third_waits_for_the_first(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	const unsigned first = settle(&f);
	links_leave(&f.l, first, SOCKET_WARNING, f.now_ms);
	const unsigned second = bring_up(&f);
	links_leave(&f.l, second, SOCKET_REFRESH, f.now_ms);
	enum links_deed deed;
	while ((deed = next_due(&f)) == LINKS_PING)
		links_heard(&f.l, f.id, f.now_ms);
	assert_int_equal(deed, LINKS_CLOSE);
	assert_int_equal(f.id, first);
	while ((deed = next(&f)) == LINKS_PING)
		;
	assert_int_equal(deed, LINKS_NOTHING);
	links_closed(&f.l, first, f.now_ms);
	assert_int_equal(next(&f), LINKS_DIAL);
}

static void what_does_not_get_better(void **state)
{
	static const struct {
		enum socket_reason reason;
		int64_t least_ms;
	} rows[] = { { SOCKET_DISABLED, 5000 }, { SOCKET_TOO_MANY, 4500 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;

		begin(&f, 2);
		const unsigned one = settle(&f), other = bring_up(&f);
		links_leave(&f.l, one, rows[i].reason, f.now_ms);
		assert_int_equal(next(&f), LINKS_CLOSE);
		assert_int_equal(f.id, one);
		const int64_t ended_ms = f.now_ms;
		links_closed(&f.l, one, f.now_ms);
		enum links_deed deed;
		while ((deed = next_due(&f)) == LINKS_PING)
			links_heard(&f.l, other, f.now_ms);
		assert_int_equal(deed, LINKS_DIAL);
		assert_true(f.now_ms - ended_ms >= rows[i].least_ms);
		assert_true(f.now_ms - ended_ms <= 6000);
	}
}

static void slack_wants_peace(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 2);
	assert_int_equal(next(&f), LINKS_DIAL);
	const unsigned id = f.id;
	links_wait(&f.l, 700, f.now_ms);
	links_closed(&f.l, id, f.now_ms);
	assert_int_equal(next(&f), LINKS_NOTHING); /* the other one neither */
	assert_int_equal(f.due_ms, f.now_ms + 700);
	links_wait(&f.l, 0, f.now_ms);
	assert_int_equal(next(&f), LINKS_NOTHING);
	assert_int_equal(f.due_ms, f.now_ms + times.slow_ms);
	links_wait(&f.l, 1, f.now_ms); /* never sooner than what was said */
	assert_int_equal(next(&f), LINKS_NOTHING);
	assert_int_equal(f.due_ms, f.now_ms + times.slow_ms);
}

static void at_the_end_all_end(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 3);
	const unsigned up = bring_up(&f);
	assert_int_equal(next(&f), LINKS_DIAL);
	const unsigned shaking = f.id;
	links_ticket(&f.l, shaking, f.now_ms);
	assert_int_equal(next(&f), LINKS_DIAL);
	const unsigned asking = f.id;
	links_stop(&f.l);
	assert_int_equal(next(&f), LINKS_CLOSE);
	assert_int_equal(f.id, up);
	assert_int_equal(next(&f), LINKS_KILL);
	assert_int_equal(f.id, shaking);
	assert_int_equal(next(&f), LINKS_NOTHING);
	links_closed(&f.l, up, f.now_ms);
	links_closed(&f.l, shaking, f.now_ms);
	assert_true(links_any(&f.l));
	links_closed(&f.l, asking, f.now_ms);
	assert_false(links_any(&f.l));
	f.now_ms += 1000 * 1000;
	assert_int_equal(next(&f), LINKS_NOTHING);
}

static void who_is_gone_is_nobody(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	const unsigned id = settle(&f);
	links_closed(&f.l, id, f.now_ms);
	links_ticket(&f.l, id, f.now_ms);
	links_hello(&f.l, id, f.now_ms);
	links_heard(&f.l, 0, f.now_ms);
	links_leave(&f.l, id, SOCKET_DISABLED, f.now_ms);
	links_closed(&f.l, id, f.now_ms);
	assert_false(links_any(&f.l) || links_is_up(&f.l, id) || links_is_up(&f.l, 0));
	assert_int_equal(next(&f), LINKS_DIAL);
	/* A hello before there is a ticket, or a second one, is none. */
	links_hello(&f.l, f.id, f.now_ms);
	assert_int_equal(links_up(&f.l), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_slot_gets_a_link),
		cmocka_unit_test(silence_is_asked_and_then_ended),
		cmocka_unit_test(without_a_hello_it_ends),
		cmocka_unit_test(failures_wait),
		cmocka_unit_test(a_long_life_forgives),
		cmocka_unit_test(the_old_one_is_kept_until_the_new_one_is_up),
		cmocka_unit_test(a_third_waits_for_the_first),
		cmocka_unit_test(what_does_not_get_better),
		cmocka_unit_test(slack_wants_peace),
		cmocka_unit_test(at_the_end_all_end),
		cmocka_unit_test(who_is_gone_is_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
