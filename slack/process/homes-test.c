/* When App Home is drawn anew: what is gathered, what waits, how many at once. Stores, workers,
 * drawing and clock are played. */
#include "slack/process/homes.h"

#include "base/clock.h"
#include "base/testing.h"

enum { JOBS_MAX = 1024 };

static struct world {
	int64_t mono_ms;
	bool refuse_work, draws;
	/* Work that nobody has begun. */
	struct {
		workers_function *fn;
		void *argument;
	} jobs[JOBS_MAX];
	size_t job_count;
	char drawn[JOBS_MAX][INBOUND_ID_BYTES]; /* who, in order */
	unsigned due[JOBS_MAX];
	size_t drawn_count;
	const char *closed_in_store; /* whose home the store does not know */
	bool store_is_down;
	unsigned scans;
	/* Who opened theirs, here or elsewhere. */
	char opened[JOBS_MAX + 1][INBOUND_ID_BYTES];
	size_t opened_count;
} world;

static struct front front;

/* ---- What is played --------------------------------------------------------------- */

int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
	return world.mono_ms;
}

bool front_submit(struct front *f, workers_function *fn, void *argument)
{
	assert_ptr_equal(f, &front);
	if (world.refuse_work || world.job_count == JOBS_MAX)
		return false;
	world.jobs[world.job_count].fn = fn;
	world.jobs[world.job_count++].argument = argument;
	return true;
}

bool apphome_draw(struct front *f, const char *user, unsigned due)
{
	assert_ptr_equal(f, &front);
	(void)snprintf(world.drawn[world.drawn_count], INBOUND_ID_BYTES, "%s", user);
	world.due[world.drawn_count++] = due;
	return world.draws;
}

bool coord_get(struct coordination *c, const char *key, char **ret_value,
	       struct error *err)
{
	(void)c, (void)err;
	assert_memory_equal(key, "home/", 5);
	*ret_value = world.closed_in_store && strcmp(key + 5, world.closed_in_store) == 0
			     ? NULL
			     : strdup("{}");
	return true;
}

bool coord_scan(struct coordination *c, const char *prefix,
		bool (*fn)(void *context, const char *key, const char *value),
		void *context, struct error *err)
{
	char key[160];

	(void)c;
	assert_string_equal(prefix, "home/");
	world.scans++;
	if (world.store_is_down)
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "the store is down");
	for (size_t i = 0; i < world.opened_count; i++) {
		(void)snprintf(key, sizeof key, "home/%s", world.opened[i]);
		(void)fn(context, key, "{}");
	}
	memset(key, 'x', INBOUND_ID_BYTES + 5);
	memcpy(key, "home/", 5);
	key[INBOUND_ID_BYTES + 5] = '\0';
	(void)fn(context, key, "{}"); /* no user's id is so long */
	return true;
}

static void open_elsewhere(const char *user)
{
	(void)snprintf(world.opened[world.opened_count++], INBOUND_ID_BYTES, "%s", user);
}

/* ---- The world -------------------------------------------------------------------- */

static struct homes *begin(void)
{
	struct error err = ERROR_INIT;
	struct homes *h;

	world = (struct world){ .mono_ms = 1000000, .draws = true };
	atomic_store(&front.is_known, true);
	h = homes_new(&front, &err);
	testing_no_error(&err);
	return h;
}

static void finish(struct homes *h)
{
	for (size_t i = 0; i < world.job_count; i++)
		world.jobs[i].fn(world.jobs[i].argument);
	homes_free(h);
}

static void work(void)
{
	size_t count = world.job_count;

	world.job_count = 0;
	for (size_t i = 0; i < count; i++)
		world.jobs[i].fn(world.jobs[i].argument);
}

/* Until nothing is due now. */
static void tick(struct homes *h)
{
	do {
		homes_tick(h);
		if (world.job_count == 0)
			return;
		work();
	} while (true);
}

/* ---- Tests ------------------------------------------------------------------------ */

static void test_changes_are_gathered(void **state)
{
	struct homes *h = begin();

	(void)state;
	homes_opened(h, "U0ALICE");
	tick(h);
	assert_int_equal(world.drawn_count, 0);
	for (int i = 0; i < 100; i++)
		homes_changed(h, "U0ALICE", HOMES_DRAW);
	tick(h);
	assert_int_equal(world.drawn_count, 1);
	assert_string_equal(world.drawn[0], "U0ALICE");
	tick(h);
	assert_int_equal(world.drawn_count, 1);
	/* What changes while it is drawn is drawn after. */
	homes_changed(h, "U0ALICE", HOMES_DRAW);
	homes_tick(h);
	assert_int_equal(world.job_count, 1);
	homes_changed(h, "U0ALICE", HOMES_DRAW);
	homes_tick(h);
	assert_int_equal(world.job_count, 1);
	work();
	tick(h);
	assert_int_equal(world.drawn_count, 3);
	finish(h);
}

static void test_only_who_opened_theirs(void **state)
{
	struct homes *h = begin();
	char longer[INBOUND_ID_BYTES + 1];

	(void)state;
	world.closed_in_store = "U0NEVER";
	homes_changed(h, "U0NEVER", HOMES_DRAW);
	memset(longer, 'U', INBOUND_ID_BYTES);
	longer[INBOUND_ID_BYTES] = '\0';
	homes_changed(h, longer, HOMES_DRAW);
	tick(h);
	assert_int_equal(world.drawn_count, 0);
	finish(h);
}

/* Opened at another replica, or before our start: the store knows. */
static void test_everybody(void **state)
{
	struct homes *h = begin();

	(void)state;
	homes_all_changed(h, HOMES_DRAW);
	tick(h);
	assert_int_equal(world.drawn_count, 0);
	open_elsewhere("U0ALICE");
	open_elsewhere("U0BOB");
	homes_all_changed(h, HOMES_DRAW);
	homes_all_changed(h, HOMES_PANELS);
	tick(h);
	assert_int_equal(world.scans, 2);
	assert_int_equal(world.drawn_count, 2);
	assert_string_equal(world.drawn[0], "U0ALICE");
	assert_string_equal(world.drawn[1], "U0BOB");
	assert_int_equal(world.due[1], HOMES_DRAW | HOMES_PANELS);
	tick(h);
	assert_int_equal(world.scans, 2);
	/* While the store is down it is asked once a second, and nothing is forgotten. */
	world.store_is_down = true;
	homes_all_changed(h, HOMES_DRAW);
	tick(h);
	tick(h);
	assert_int_equal(world.scans, 3);
	world.store_is_down = false;
	world.mono_ms += 1000;
	tick(h);
	assert_int_equal(world.scans, 4);
	assert_int_equal(world.drawn_count, 4);
	/* What changes while the store is asked is asked for again. */
	homes_all_changed(h, HOMES_DRAW);
	homes_tick(h);
	homes_all_changed(h, HOMES_DRAW);
	homes_tick(h);
	assert_int_equal(world.job_count, 1);
	tick(h);
	work();
	tick(h);
	assert_int_equal(world.scans, 6);
	finish(h);
}

static void test_not_now(void **state)
{
	struct homes *h = begin();

	(void)state;
	homes_opened(h, "U0ALICE");
	world.draws = false;
	homes_changed(h, "U0ALICE", HOMES_DRAW);
	tick(h);
	assert_int_equal(world.drawn_count, 1);
	tick(h);
	assert_int_equal(world.drawn_count, 1); /* not at once */
	world.draws = true;
	world.mono_ms += 1000;
	tick(h);
	assert_int_equal(world.drawn_count, 2);
	tick(h);
	assert_int_equal(world.drawn_count, 2);
	/* Where nobody takes work, or Slack has not said who we are, it waits. */
	homes_changed(h, "U0ALICE", HOMES_DRAW);
	world.refuse_work = true;
	homes_tick(h);
	world.refuse_work = false;
	atomic_store(&front.is_known, false);
	world.mono_ms += 1000;
	tick(h);
	assert_int_equal(world.drawn_count, 2);
	atomic_store(&front.is_known, true);
	tick(h);
	assert_int_equal(world.drawn_count, 3);
	finish(h);
}

/* Panels have a pace of their own; the rest does not wait for them. */
static void test_panels(void **state)
{
	struct homes *h = begin();

	(void)state;
	homes_opened(h, "U0ALICE");
	homes_changed(h, "U0ALICE", HOMES_DRAW | HOMES_PANELS);
	tick(h);
	assert_int_equal(world.due[0], HOMES_DRAW | HOMES_PANELS);
	homes_changed(h, "U0ALICE", HOMES_DRAW | HOMES_PANELS);
	world.mono_ms += HOMES_PANELS_MS - 1;
	tick(h);
	assert_int_equal(world.drawn_count, 2);
	assert_int_equal(world.due[1], HOMES_DRAW);
	world.mono_ms += 1;
	tick(h);
	assert_int_equal(world.drawn_count, 3);
	assert_int_equal(world.due[2], HOMES_PANELS);
	/* Who opens it again sees them as they are. */
	homes_opened(h, "U0ALICE");
	homes_changed(h, "U0ALICE", HOMES_PANELS);
	tick(h);
	assert_int_equal(world.drawn_count, 4);
	assert_int_equal(world.due[3], HOMES_PANELS);
	finish(h);
}

static void test_what_panels_said(void **state)
{
	struct homes *h = begin();
	json_t *said = json_pack("[s]", "INC-1");
	json_auto_t *kept = NULL;

	(void)state;
	homes_opened(h, "U0ALICE");
	assert_null(homes_panels(h, "U0ALICE"));
	homes_keep_panels(h, "U0ALICE", said);
	homes_keep_panels(h, "U0NOBODY", json_pack("[s]", "of nobody"));
	kept = homes_panels(h, "U0ALICE");
	assert_string_equal(json_string_value(json_array_get(kept, 0)), "INC-1");
	assert_null(homes_panels(h, "U0BOB"));
	homes_closed(h, "U0ALICE");
	assert_null(homes_panels(h, "U0ALICE"));
	finish(h);
}

/* So many at once; a slow server keeps no more workers. */
static void test_so_many_at_once(void **state)
{
	struct homes *h = begin();
	char user[16];

	(void)state;
	for (int i = 0; i < HOMES_AT_ONCE + 1; i++) {
		(void)snprintf(user, sizeof user, "U0N%d", i);
		homes_opened(h, user);
		homes_changed(h, user, HOMES_DRAW);
	}
	homes_tick(h);
	assert_int_equal(world.job_count, HOMES_AT_ONCE);
	work();
	homes_tick(h);
	assert_int_equal(world.job_count, 1);
	work();
	assert_int_equal(world.drawn_count, HOMES_AT_ONCE + 1);
	finish(h);
}

/* So many are known; of one more whoever was heard of least lately is forgotten. */
static void test_so_many(void **state)
{
	struct homes *h = begin();
	char user[16];

	(void)state;
	for (int i = 0; i < HOMES_MAX + 1; i++) {
		(void)snprintf(user, sizeof user, "U0N%d", i);
		world.mono_ms++;
		homes_changed(h, user, HOMES_DRAW);
	}
	tick(h);
	assert_int_equal(world.drawn_count, HOMES_MAX);
	for (size_t i = 0; i < world.drawn_count; i++)
		assert_string_not_equal(world.drawn[i], "U0N0");
	finish(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_are_gathered),
		cmocka_unit_test(test_only_who_opened_theirs),
		cmocka_unit_test(test_everybody),
		cmocka_unit_test(test_not_now),
		cmocka_unit_test(test_panels),
		cmocka_unit_test(test_what_panels_said),
		cmocka_unit_test(test_so_many_at_once),
		cmocka_unit_test(test_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
