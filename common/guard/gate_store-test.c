#include "guard/gate_store.h"

#include "base/testing.h"

#define KID   "0123456789abcdef"
#define OTHER "fedcba9876543210"

enum { NOW = 1700000000 };

struct store {
	char folder[TESTING_PATH_BYTES];
	struct coordination *c;
};

static int set_up(void **state)
{
	struct store *s = calloc(1, sizeof *s);
	char path[TESTING_PATH_BYTES + 16];
	struct error err = ERROR_INIT;

	testing_folder(s->folder);
	(void)snprintf(path, sizeof path, "%s/coord.db", s->folder);
	s->c = coord_open_sqlite(path, &err);
	testing_no_error(&err);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct store *s = *state;

	coord_close(s->c);
	testing_remove(s->folder);
	free(s);
	return 0;
}

/* Signed 'after_s' after NOW, by a gate whose store 'store' runs since 'epoch_s' after it. */
static struct grant signed_by(const char *kid, const char *store, int64_t epoch_s,
			      int64_t after_s)
{
	struct grant g = { .iat = NOW + after_s };

	(void)snprintf(g.kid, sizeof g.kid, "%s", kid);
	(void)snprintf(g.gate_store, sizeof g.gate_store, "%s", store);
	g.gate_epoch_ms = (NOW + epoch_s) * INT64_C(1000);
	return g;
}

static bool is_good(struct store *s, const char *kid, const char *store, int64_t epoch_s,
		    int64_t after_s)
{
	const struct grant g = signed_by(kid, store, epoch_s, after_s);
	struct error err = ERROR_INIT;
	bool good = gate_store_check(s->c, &g, &err);

	assert_int_equal(err.code, good ? ERR_NONE : ERR_APPROVAL_INVALID);
	return good;
}

static void test_one_store(void **state)
{
	struct store *s = *state;

	assert_true(is_good(s, KID, "one", 0, 10));
	assert_true(is_good(s, KID, "one", 0, 5));
	assert_true(is_good(s, KID, "one", 0, 500));
	assert_false(is_good(s, KID, "two", 0, 500));
	/* However late it began: one that was lost needs a new key. */
	assert_false(is_good(s, KID, "two", 100, 500));
	assert_false(is_good(s, KID, "on", 0, 10));
	assert_false(is_good(s, KID, "ones", 0, 10));
	assert_true(is_good(s, KID, "one", 0, 501));
}

static void test_new_key(void **state)
{
	struct store *s = *state;

	assert_true(is_good(s, KID, "one", 0, 10));
	assert_true(is_good(s, OTHER, "two", 0, 10));
	assert_false(is_good(s, KID, "two", 0, 10));
	assert_false(is_good(s, OTHER, "one", 0, 10));
}

/* Two gates on copies of one store: of them only the later one counts. */
static void test_copies(void **state)
{
	struct store *s = *state;

	assert_true(is_good(s, KID, "one", 0, 10));
	assert_true(is_good(s, KID, "one", 100, 101));
	/* Signed before the new one began, and sent again by it. */
	assert_true(is_good(s, KID, "one", 0, 99));
	assert_true(is_good(s, KID, "one", 0, 100 + GATE_STORE_OVERLAP_S));
	assert_false(is_good(s, KID, "one", 0, 101 + GATE_STORE_OVERLAP_S));
	assert_false(is_good(s, KID, "one", 99, 500));
	assert_true(is_good(s, KID, "one", 100, 500));
	/* And it stays so, whichever came last. */
	assert_true(is_good(s, KID, "one", 600, 601));
	assert_false(is_good(s, KID, "one", 100, 700));
}

static void test_says_nothing(void **state)
{
	struct store *s = *state;
	struct grant g = signed_by(KID, "", 0, 0);
	struct error err = ERROR_INIT;

	assert_true(is_good(s, KID, "one", 0, 10));
	assert_true(gate_store_check(s->c, &g, &err));
}

static void test_damaged(void **state)
{
	static const char *const texts[] = { "",      "one",
					     "one x", "one 1 2",
					     " 1",    "abcdefghijklmnopqrstuvwxyz0 1" };
	struct store *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct grant g = signed_by(KID, "one", 0, 10);
		struct error err = ERROR_INIT;

		assert_true(coord_put(s->c, "gate/" KID, texts[i], 0, &err));
		assert_false(gate_store_check(s->c, &g, &err));
		assert_int_equal(err.code, ERR_INTERNAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_store, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_new_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_copies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_says_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("gate_store", tests, NULL, NULL);
}
