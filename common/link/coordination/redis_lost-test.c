/* What happens when answers come late or not at all. */
#include "link/coordination/testing_store.h"

/* ---- Slow ------------------------------------------------------------------------ */

static void test_stopped(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c =
		open_store(&f->server, f->server.port, SHORT_MS);
	_cleanup_free_ char *value = NULL;
	int64_t before = epoch_of(c), began;
	bool first = true;

	assert_int_equal(kill(f->server.pid, SIGSTOP), 0);
	began = clock_mono_ms();
	assert_fails("whether it was written is unknown",
		     coord_claim(c, "burn/a", "v", 0, &first, NULL, err));
	assert_fails("does not answer in time", coord_get(c, "burn/a", &value, err));
	/* Also one that is only begun: the kernel accepts, nobody reads. */
	assert_fails("in time", coord_get(c, "burn/a", &value, err));
	assert_true(clock_mono_ms() - began >= 3 * SHORT_MS - 10);
	assert_true(clock_mono_ms() - began < 3 * SHORT_MS + PATIENCE_MS);
	assert_int_equal(kill(f->server.pid, SIGCONT), 0);
	/* It was only slow. Nothing is forgotten, and the claim, done late, is ours. */
	assert_int_equal(epoch_of(c), before);
	assert_true(claim(c, "burn/a"));
	assert_false(claim(c, "burn/a"));
}

/* ---- Cut, and the script gone ---------------------------------------------------- */

/* The answer to a claim is lost: asked again at once, it is recognised as ours. */
static void test_cut_once(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c = open_proxied(f);
	_cleanup_(coord_closep) struct coordination *other =
		open_store(&f->server, 0, LONG_MS);

	for (int i = 0; i < 20; i++) {
		char key[16];

		(void)snprintf(key, sizeof key, "burn/%d", i);
		atomic_store(&f->proxy.cuts, 1);
		assert_true(claim(c, key));
		assert_int_equal(atomic_load(&f->proxy.cuts_done), i + 1);
		assert_false(claim(other, key));
		assert_false(claim(c, key));
	}
}

/* Lost twice: unknown. Nobody else gets it; the same owner does, once. */
static void test_cut_twice(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c = open_proxied(f);
	_cleanup_(coord_closep) struct coordination *other =
		open_store(&f->server, 0, LONG_MS);
	bool first = true, changed = true;
	char *taken = NULL;

	atomic_store(&f->proxy.cuts, 2);
	assert_fails("whether it was written is unknown",
		     coord_claim(c, "burn/a", "v", 60000, &first, NULL, err));
	assert_int_equal(atomic_load(&f->proxy.cuts_done), 2);
	assert_false(claim(other, "burn/a"));
	assert_true(claim(c, "burn/a"));
	assert_false(claim(c, "burn/a"));

	/* What cannot be repeated is not: it fails, and was done once. */
	assert_good(coord_put(c, "k", "old", 0, err));
	f->proxy.word = "swap";
	atomic_store(&f->proxy.cuts, 1);
	assert_fails("unknown", coord_swap(c, "k", "old", "new", &changed, err));
	assert_good(coord_get(c, "k", &taken, err));
	assert_string_equal(taken, "new");
	free(taken);
}

static void test_cut_before(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c = open_proxied(f);
	bool first = true;

	redis_server_kill(&f->server);
	atomic_store(&f->proxy.is_refusing, true);
	assert_fails("redis://127.0.0.1",
		     coord_claim(c, "burn/a", "v", 0, &first, NULL, err));
	atomic_store(&f->proxy.is_refusing, false);
	redis_server_restart(&f->server);
	assert_true(claim(c, "burn/a"));
}

static void test_script_flushed(void **state)
{
	struct fixture *f = *state;
	_cleanup_(coord_closep) struct coordination *c =
		open_store(&f->server, 0, LONG_MS);

	assert_true(claim(c, "burn/a"));
	redis_server_tell(&f->server, "SCRIPT FLUSH");
	assert_false(claim(c, "burn/a"));
	redis_server_tell(&f->server, "SCRIPT FLUSH");
	assert_true(claim(c, "burn/b"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_STORE(test_stopped),        WITH_STORE(test_cut_once),
		WITH_STORE(test_cut_twice),      WITH_STORE(test_cut_before),
		WITH_STORE(test_script_flushed),
	};

	return RUN_STORE_TESTS("redis_lost", tests);
}
