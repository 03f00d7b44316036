#include "link/coordination/coordination_contract.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/testing_calls.h"

/* Wait by the store's own clock. */
static void pass_time(struct coordination *c, int64_t ms)
{
	int64_t began = 0, now = 0;

	assert_good(coord_now_ms(c, &began, err));
	do {
		usleep(2000);
		assert_good(coord_now_ms(c, &now, err));
		assert_true(now >= began);
	} while (now <= began + ms);
}

static void assert_value(struct coordination *c, const char *key, const char *expected)
{
	_cleanup_free_ char *value = NULL;

	assert_good(coord_get(c, key, &value, err));
	if (!expected)
		assert_null(value);
	else
		assert_string_equal(value, expected);
}

void contract_identity(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	char one[DIGEST_ID_BYTES], again[DIGEST_ID_BYTES], other[DIGEST_ID_BYTES];

	(void)state;
	assert_good(coord_identity(c, one, err));
	assert_good(coord_identity(c, again, err));
	assert_string_equal(one, again);
	_cleanup_(coord_closep) struct coordination *d = contract_twin.fresh();
	assert_good(coord_identity(d, other, err));
	assert_string_not_equal(one, other);
}

void contract_claim_once(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	_cleanup_free_ char *existing = NULL;
	bool first = false;

	(void)state;
	assert_good(coord_claim(c, "burn/a", "one", 0, &first, &existing, err));
	assert_true(first);
	assert_null(existing);
	assert_good(coord_claim(c, "burn/a", "two", 0, &first, &existing, err));
	assert_false(first);
	assert_string_equal(existing, "one");
	assert_good(coord_claim(c, "burn/a", "three", 1, &first, NULL, err));
	assert_false(first);
	assert_good(coord_claim(c, "burn/A", "other key", 0, &first, NULL, err));
	assert_true(first);
	assert_value(c, "burn/a", "one");
	coord_close(TAKE(c));
	c = contract_twin.reopen();
	assert_good(coord_claim(c, "burn/a", "four", 0, &first, NULL, err));
	assert_false(first);
}

enum { THREADS = 8, ROUNDS = 25 };

struct race {
	struct coordination *c;
	atomic_int wins[ROUNDS];
	atomic_int failures;
};

static void *race_thread(void *context)
{
	struct race *race = context;

	for (int i = 0; i < ROUNDS; i++) {
		struct error err = ERROR_INIT;
		char key[32];
		bool first = false;

		(void)snprintf(key, sizeof key, "race/%d", i);
		if (!coord_claim(race->c, key, "mine", 60000, &first, NULL, &err))
			atomic_fetch_add(&race->failures, 1);
		else if (first)
			atomic_fetch_add(&race->wins[i], 1);
	}
	return NULL;
}

void contract_claim_of_threads(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	struct race race = { .c = c };
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race_thread, &race),
				 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&race.failures), 0);
	for (int i = 0; i < ROUNDS; i++)
		assert_int_equal(atomic_load(&race.wins[i]), 1);
}

void contract_expiry(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	_cleanup_free_ char *taken = NULL;
	bool flag = false;

	(void)state;
	assert_good(coord_claim(c, "short", "a", 60, &flag, NULL, err));
	assert_good(coord_put(c, "short2", "b", 60, err));
	assert_good(coord_put(c, "long", "c", 60000, err));
	assert_value(c, "short", "a");
	pass_time(c, 60);
	assert_value(c, "short", NULL);
	assert_value(c, "long", "c");
	assert_good(coord_take(c, "short2", &taken, err));
	assert_null(taken);
	assert_good(coord_swap(c, "short", "a", "z", &flag, err));
	assert_false(flag);
	assert_good(coord_claim(c, "short", "again", 60000, &flag, NULL, err));
	assert_true(flag);
	assert_value(c, "short", "again");
}

void contract_put_keeps_expiry(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	bool first = false;

	(void)state;
	assert_good(coord_claim(c, "k", "started", 80, &first, NULL, err));
	assert_good(coord_put(c, "k", "done", 0, err));
	assert_value(c, "k", "done");
	pass_time(c, 80);
	assert_value(c, "k", NULL);
	/* Over what has expired, put makes a new entry, for ever. */
	assert_good(coord_put(c, "k", "new", 0, err));
	pass_time(c, 80);
	assert_value(c, "k", "new");
}

void contract_swap(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	bool changed = true;

	(void)state;
	assert_good(coord_swap(c, "s", "a", "b", &changed, err));
	assert_false(changed);
	assert_good(coord_put(c, "s", "a", 0, err));
	assert_good(coord_swap(c, "s", "A", "b", &changed, err));
	assert_false(changed);
	assert_good(coord_swap(c, "s", "a", "b", &changed, err));
	assert_true(changed);
	assert_value(c, "s", "b");
	assert_good(coord_swap(c, "s", "a", "c", &changed, err));
	assert_false(changed);
	assert_value(c, "s", "b");
}

void contract_take_once(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	_cleanup_free_ char *one = NULL, *two = NULL;

	(void)state;
	assert_good(coord_put(c, "t", "prize", 0, err));
	assert_good(coord_take(c, "t", &one, err));
	assert_string_equal(one, "prize");
	assert_good(coord_take(c, "t", &two, err));
	assert_null(two);
}

struct seen {
	int count, stop_after;
	char last[COORD_KEY_MAX + 1];
	struct coordination *c;
};

static bool see(void *context, const char *key, const char *value)
{
	struct seen *seen = context;
	_cleanup_free_ char *again = NULL;

	assert_true(strcmp(key, seen->last) > 0);
	(void)snprintf(seen->last, sizeof seen->last, "%s", key);
	/* The store may be used from here. */
	assert_good(coord_get(seen->c, key, &again, err));
	assert_string_equal(again, value);
	return ++seen->count != seen->stop_after;
}

void contract_scan(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	struct seen all = { .c = c }, two = { .c = c, .stop_after = 2 },
		    none = { .c = c };
	struct seen every = { .c = c };

	(void)state;
	assert_good(coord_put(c, "p/a", "1", 0, err));
	assert_good(coord_put(c, "p/z", "2", 0, err));
	assert_good(coord_put(c, "p/Z", "3", 0, err));
	assert_good(coord_put(c, "p0", "not below p/", 0, err));
	assert_good(coord_put(c, "p/gone", "4", 1, err));
	pass_time(c, 1);
	assert_good(coord_scan(c, "p/", see, &all, err));
	assert_int_equal(all.count, 3);
	assert_good(coord_scan(c, "p/", see, &two, err));
	assert_int_equal(two.count, 2);
	assert_good(coord_scan(c, "p/zz", see, &none, err));
	assert_int_equal(none.count, 0);
	assert_good(coord_scan(c, "", see, &every, err));
	assert_int_equal(every.count, 4);
}

void contract_scan_many(void **state)
{
	/* More than any page, and exactly two of them. */
	static const int counts[] = { 128, 129 };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(counts); n++) {
		_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
		struct seen seen = { .c = c };

		for (int i = 0; i < counts[n]; i++) {
			char key[32];

			(void)snprintf(key, sizeof key, "m/%04d", i);
			assert_good(coord_put(c, key, "v", 0, err));
		}
		assert_good(coord_scan(c, "m/", see, &seen, err));
		assert_int_equal(seen.count, counts[n]);
	}
}

void contract_count(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	int64_t total = 0;

	(void)state;
	assert_good(coord_count(c, "n", 1, 100, &total, err));
	assert_int_equal(total, 1);
	assert_good(coord_count(c, "n", 4, 60000, &total, err));
	assert_int_equal(total, 5);
	/* The window began with the first count. */
	pass_time(c, 100);
	assert_good(coord_count(c, "n", 0, 60000, &total, err));
	assert_int_equal(total, 0);
	assert_good(coord_count(c, "n", 2, 60000, &total, err));
	assert_int_equal(total, 2);
	assert_good(coord_count(c, "n", -1, 60000, &total, err));
	assert_int_equal(total, 1);
}

void contract_lease(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	int64_t a = 0, b = 0, again = 0;
	bool held = false;

	(void)state;
	assert_good(coord_lease(c, "leader", "a", 60000, &a, err));
	assert_true(a > 0);
	assert_good(coord_lease(c, "leader", "b", 60000, &b, err));
	assert_int_equal(b, 0);
	assert_good(coord_lease_renew(c, "leader", a + 1, 60000, &held, err));
	assert_false(held);
	assert_good(coord_lease_release(c, "leader", a + 1, err));
	assert_good(coord_lease(c, "leader", "b", 60000, &b, err));
	assert_int_equal(b, 0);
	assert_good(coord_lease_renew(c, "leader", a, 50, &held, err));
	assert_true(held);
	pass_time(c, 50);
	assert_good(coord_lease_renew(c, "leader", a, 60000, &held, err));
	assert_false(held);
	assert_good(coord_lease(c, "leader", "b", 60000, &b, err));
	assert_true(b > a);
	/* The holder of old may not release the lease of the new one. */
	assert_good(coord_lease_release(c, "leader", a, err));
	assert_good(coord_lease(c, "leader", "a", 60000, &again, err));
	assert_int_equal(again, 0);
	assert_good(coord_lease_release(c, "leader", b, err));
	assert_good(coord_lease(c, "leader", "a", 60000, &again, err));
	assert_true(again > b);
	/* Taking one's own lease anew ends the fence of before. */
	a = again;
	assert_good(coord_lease(c, "leader", "a", 60000, &again, err));
	assert_true(again > a);
	assert_good(coord_lease_renew(c, "leader", a, 60000, &held, err));
	assert_false(held);
}

void contract_fence_rises_over_reopen(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	int64_t before = 0, after = 0;

	(void)state;
	assert_good(coord_lease(c, "l", "a", 60000, &before, err));
	assert_good(coord_lease_release(c, "l", before, err));
	coord_close(TAKE(c));
	c = contract_twin.reopen();
	assert_good(coord_lease(c, "l", "a", 60000, &after, err));
	assert_true(after > before);
}

void contract_epoch(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	int64_t began = 0, again = 0, now = 0, before = 0;

	(void)state;
	assert_good(coord_epoch_ms(c, &began, err));
	assert_good(coord_now_ms(c, &now, err));
	assert_true(began > 0 && began <= now);
	pass_time(c, 3);
	assert_good(coord_epoch_ms(c, &again, err));
	assert_int_equal(began, again);
	/* What was written before a restart is older than the new epoch. */
	assert_good(coord_put(c, "k", "v", 0, err));
	assert_good(coord_now_ms(c, &before, err));
	coord_close(TAKE(c));
	c = contract_twin.reopen();
	assert_good(coord_epoch_ms(c, &again, err));
	assert_true(again >= before && again > began);
	/* It never claims to remember what was before it, nor less than its epoch. */
	assert_good(coord_remembers_ms(c, &before, err));
	assert_true(before > 0 && before <= again);
}

void contract_bounds(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	_cleanup_free_ char *big = malloc(COORD_VALUE_MAX + 2);
	char key[COORD_KEY_MAX + 2];
	static const char *const bad_keys[] = { "",     "a b",      "a\nb",  "a*",
						"a'--", "\xc3\xa4", "a\x7f", "a\\b" };
	int64_t number = 0;
	bool flag = false;

	(void)state;
	assert_non_null(big);
	memset(key, 'k', sizeof key);
	key[COORD_KEY_MAX] = '\0';
	assert_good(coord_put(c, key, "", 0, err));
	assert_value(c, key, "");
	key[COORD_KEY_MAX] = 'k';
	key[COORD_KEY_MAX + 1] = '\0';
	assert_refused(ERR_INVALID_ARGUMENT, coord_put(c, key, "", 0, err));
	for (size_t i = 0; i < ARRAY_SIZE(bad_keys); i++)
		assert_refused(ERR_INVALID_ARGUMENT,
			       coord_claim(c, bad_keys[i], "v", 0, &flag, NULL, err));

	memset(big, 'v', COORD_VALUE_MAX + 1);
	big[COORD_VALUE_MAX + 1] = '\0';
	assert_refused(ERR_INVALID_ARGUMENT, coord_put(c, "big", big, 0, err));
	assert_value(c, "big", NULL);
	big[COORD_VALUE_MAX] = '\0';
	assert_good(coord_put(c, "big", big, 0, err));
	assert_value(c, "big", big);
	assert_refused(ERR_INVALID_ARGUMENT, coord_put(c, "k", "\xff", 0, err));

	assert_refused(ERR_INVALID_ARGUMENT, coord_put(c, "k", "v", -1, err));
	assert_refused(ERR_INVALID_ARGUMENT, coord_put(c, "k", "v", INT64_MAX, err));
	assert_refused(ERR_INVALID_ARGUMENT, coord_lease(c, "k", "h", 0, &number, err));
	assert_refused(ERR_INVALID_ARGUMENT, coord_count(c, "k", 1, 0, &number, err));
	assert_refused(ERR_INVALID_ARGUMENT,
		       coord_count(c, "k", INT64_MAX, 1000, &number, err));
}

struct heard {
	pthread_mutex_t lock;
	pthread_cond_t more;
	int count;
	char text[64];
	struct coord_subscription *end; /* unsubscribed by the function itself */
};
#define HEARD_INIT                                                                       \
	{                                                                                \
		.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER      \
	}

static void hear(void *context, const char *topic, const char *text)
{
	struct heard *heard = context;

	(void)topic;
	pthread_mutex_lock(&heard->lock);
	heard->count++;
	(void)snprintf(heard->text, sizeof heard->text, "%s", text);
	if (heard->end)
		coord_unsubscribe(TAKE(heard->end));
	pthread_cond_signal(&heard->more);
	pthread_mutex_unlock(&heard->lock);
}

static void wait_heard(struct heard *heard, int count)
{
	pthread_mutex_lock(&heard->lock);
	while (heard->count < count)
		pthread_cond_wait(&heard->more, &heard->lock);
	pthread_mutex_unlock(&heard->lock);
}

void contract_announce(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	struct heard yes = HEARD_INIT, other = HEARD_INIT;
	struct error bad = ERROR_INIT;
	struct coord_subscription *a = coord_subscribe(c, "approvals", hear, &yes, &bad);
	struct coord_subscription *b = coord_subscribe(c, "other", hear, &other, &bad);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_good(coord_publish(c, "approvals", "look", err));
	wait_heard(&yes, 1);
	assert_string_equal(yes.text, "look");
	coord_unsubscribe(a);
	assert_good(coord_publish(c, "approvals", "nobody", err));
	assert_good(coord_publish(c, "other", "x", err));
	wait_heard(&other, 1);
	assert_int_equal(yes.count, 1);
	assert_int_equal(other.count, 1);
	/* b is left to coord_close. */
}

void contract_unsubscribe_within(void **state)
{
	_cleanup_(coord_closep) struct coordination *c = contract_twin.fresh();
	struct heard once = HEARD_INIT, all = HEARD_INIT;
	struct error bad = ERROR_INIT;

	(void)state;
	once.end = coord_subscribe(c, "t", hear, &once, &bad);
	assert_non_null(once.end);
	assert_non_null(coord_subscribe(c, "t", hear, &all, &bad));
	assert_good(coord_publish(c, "t", "1", err));
	assert_good(coord_publish(c, "t", "2", err));
	wait_heard(&all, 2);
	assert_int_equal(once.count, 1);
}
