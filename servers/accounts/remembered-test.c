/* Who a block of ours took out of its system is found by what our record says of him. */
#include "servers/accounts/remembered.h"

#include "base/testing.h"
#include "servers/accounts/fake_backend.h"
#include "servers/accounts/record.h"

static char dir[TESTING_PATH_BYTES];
static int made;

/* The system tells no address of them: it finds nobody by it. */
static struct fake_account people[] = {
	FAKE_ACCOUNT("1", "ava-reyes", "ava-reyes", "Ava", "", "locked"),
	FAKE_ACCOUNT("2", "ben", "ben", "Ben", "", ""),
	{ 0 },
};

static struct documents *fresh(void)
{
	struct error err = ERROR_INIT;
	char path[TESTING_PATH_BYTES + 32];
	struct documents *d;

	(void)snprintf(path, sizeof path, "%s/%d.db", dir, made++);
	d = documents_open_sqlite(path, &err);
	assert_non_null(d);
	return d;
}

static void put(struct documents *d, const char *system, const struct fake_account *fake,
		const char *mail, const char *action, const char *approval)
{
	const struct record_event event = { .action = action,
					    .at_ms = 1,
					    .by = "a",
					    .approved_by = "b",
					    .approval = approval,
					    .reason = "r" };
	struct account a = { .id = strdup(fake->id),
			     .identifier = strdup(fake->identifier),
			     .uid = strdup(fake->uid),
			     .name = strdup(fake->name),
			     .mail = strdup(mail),
			     .detail = strdup("") };
	struct error err = ERROR_INIT;

	assert_true(record_add(d, system, &a, &event, &err));
	account_done(&a);
}

/* How many are found, and checks the address of the first. */
static size_t found(struct documents *d, enum account_key key, const char *text)
{
	static struct fake_system fake = { .accounts = people };
	const struct account_system system = { &fake_backend, &fake, d };
	_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;
	struct error err = ERROR_INIT;

	if (!remembered_find(&system, key, text, 0, &list, &err))
		fail_msg("%s", err.message);
	if (list.count > 0 && key == ACCOUNT_BY_MAIL)
		assert_string_equal(list.items[0].mail, "Ava@example.test");
	return list.count;
}

static void who_was_blocked_is_found(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();

	(void)state;
	put(d, "fake", &people[0], "Ava@example.test", "blocked", "ap-1");
	assert_int_equal(found(d, ACCOUNT_BY_MAIL, "ava@EXAMPLE.test"), 1);
	assert_int_equal(found(d, ACCOUNT_BY_UID, "ava-reyes"), 1);
	assert_int_equal(found(d, ACCOUNT_BY_IDENTIFIER, "ava-reyes"), 1);
	put(d, "fake", &people[0], "Ava@example.test", "sessions_ended", "ap-2");
	assert_int_equal(found(d, ACCOUNT_BY_MAIL, "ava@example.test"), 1);
	put(d, "fake", &people[0], "Ava@example.test", "unblocked", "ap-3");
	assert_int_equal(found(d, ACCOUNT_BY_MAIL, "ava@example.test"), 0);
}

static void nobody_else_is(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();
	const struct fake_account replaced =
		FAKE_ACCOUNT("77", "ava-reyes", "ava-reyes", "Eve", "", "");

	(void)state;
	assert_int_equal(found(NULL, ACCOUNT_BY_MAIL, "ava@example.test"), 0);
	put(d, "other", &people[0], "ava@example.test", "blocked", "ap-1");
	assert_int_equal(found(d, ACCOUNT_BY_MAIL, "ava@example.test"), 0);
	/* One who can be used is to be found by the system itself. */
	put(d, "fake", &people[1], "ben@example.test", "blocked", "ap-2");
	assert_int_equal(found(d, ACCOUNT_BY_MAIL, "ben@example.test"), 0);
	/* The login is another's now. */
	put(d, "fake", &replaced, "eve@example.test", "blocked", "ap-3");
	assert_int_equal(found(d, ACCOUNT_BY_MAIL, "eve@example.test"), 0);
	assert_int_equal(found(d, ACCOUNT_BY_MAIL, ""), 0);
	assert_int_equal(found(d, ACCOUNT_BY_NAME, "Ava"), 0);
}

static int begin(void **state)
{
	(void)state;
	testing_folder(dir);
	return 0;
}

static int end(void **state)
{
	(void)state;
	testing_remove(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_blocked_is_found),
		cmocka_unit_test(nobody_else_is),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
