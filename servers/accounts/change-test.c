#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/testing.h"
#include "servers/accounts/change.h"
#include "servers/accounts/fake_backend.h"

static char dir[TESTING_PATH_BYTES];
static int made;

static struct fake_account people[3];
static struct fake_system system_of;
static const struct account_system fake = { &fake_backend, &system_of };

static const struct record_event event = {
	.action = "blocked",
	.at_ms = INT64_C(1795341600000),
	.by = "alice@example.test",
	.approved_by = "bob@example.test",
	.approval = "ap1",
	.reason = "laptop stolen",
	.incident = "INC-1",
};

static struct documents *fresh(void)
{
	struct error err = ERROR_INIT;
	char path[TESTING_PATH_BYTES + 32];
	struct documents *d;

	people[0] = (struct fake_account)FAKE_ACCOUNT("1", "dn1", "john", "John",
						      "john@example.test", "");
	people[1] = (struct fake_account)FAKE_ACCOUNT("2", "dn2", "jane", "Jane",
						      "jane@example.test", "locked");
	system_of = (struct fake_system){ .accounts = people };
	(void)snprintf(path, sizeof path, "%s/%d.db", dir, made++);
	d = documents_open_sqlite(path, &err);
	if (!d)
		fail_msg("%s", err.message);
	return d;
}

static struct change block_john(void)
{
	return (struct change){ .kind = CHANGE_BLOCK,
				.system = &fake,
				.identifier = "dn1",
				.id = "1",
				.lock = "",
				.act = true };
}

/* Who is on record for a lock like ours; NULL: nobody. */
static json_t *explained(struct documents *d, const char *id)
{
	struct account account = { .id = strdup(id) };
	struct error err = ERROR_INIT;
	json_t *e = NULL;

	(void)snprintf(account.lock, sizeof account.lock, "locked");
	assert_true(record_explain(d, "fake", &account, &e, &err));
	free(account.id);
	return e;
}

static void assert_nobody(struct documents *d, const char *id)
{
	json_auto_t *e = explained(d, id);

	assert_null(e);
}

static void test_block_and_unblock(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();
	struct change c = block_john();
	struct change_outcome o = { 0 };
	struct error err = ERROR_INIT;
	struct record_event undo = event;
	json_auto_t *e = NULL;

	(void)state;
	assert_true(change_account(&c, d, &event, 0, &o, &err));
	assert_int_equal(o.before, ACCOUNT_ACTIVE);
	assert_int_equal(o.after, ACCOUNT_BLOCKED);
	assert_true(o.changed && o.verified);
	e = explained(d, "1");
	assert_string_equal(json_get_string(e, "by"), "alice@example.test");
	assert_string_equal(json_get_string(e, "at"), "2026-11-22T10:00:00Z");
	assert_string_equal(json_get_string(e, "incident"), "INC-1");
	assert_null(json_get_string(e, "ticket"));

	c = (struct change){ .kind = CHANGE_UNBLOCK,
			     .system = &fake,
			     .identifier = "dn1",
			     .id = "1",
			     .lock = "locked",
			     .act = true };
	undo.action = "unblocked";
	undo.approval = "ap2";
	assert_true(change_account(&c, d, &undo, 0, &o, &err));
	assert_true(o.changed && o.verified);
	assert_int_equal(o.after, ACCOUNT_ACTIVE);
	assert_nobody(d, "1");
}

static void test_already(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();
	struct change c = { .kind = CHANGE_BLOCK,
			    .system = &fake,
			    .identifier = "dn2",
			    .id = "2",
			    .lock = "locked",
			    .act = false };
	struct change_outcome o = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(change_account(&c, d, &event, 0, &o, &err));
	assert_false(o.changed);
	assert_true(o.verified);
	assert_int_equal(o.before, ACCOUNT_BLOCKED);
	assert_int_equal(system_of.changes, 0);
	/* Who blocked it was not us. */
	assert_nobody(d, "2");
}

static void assert_refused(struct documents *d, const struct change *c)
{
	struct change_outcome o = { 0 };
	struct error err = ERROR_INIT;

	assert_false(change_account(c, d, &event, 0, &o, &err));
	assert_int_equal(err.code, ERR_PRECONDITION_FAILED);
	assert_nobody(d, c->id);
}

static void test_not_as_planned(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();
	struct change c;

	(void)state;
	/* Another entry stands at that name now. */
	c = block_john();
	c.id = "9";
	assert_refused(d, &c);
	/* Somebody locked it, or unlocked what was planned as locked. */
	c = block_john();
	(void)snprintf(people[0].lock, sizeof people[0].lock, "other");
	assert_refused(d, &c);
	c = (struct change){ .kind = CHANGE_BLOCK,
			     .system = &fake,
			     .identifier = "dn2",
			     .id = "2",
			     .lock = "locked",
			     .act = false };
	people[1].lock[0] = '\0';
	assert_refused(d, &c);
	assert_int_equal(system_of.changes, 0);
	/* In the very moment: the system's own compare-and-set. */
	people[0].lock[0] = '\0';
	system_of.change_fails = ERR_CONFLICT;
	c = block_john();
	assert_refused(d, &c);
	assert_int_equal(system_of.changes, 1);
	assert_string_equal(people[0].lock, "");
}

static void test_failures(void **state)
{
	static const enum error_code codes[] = { ERR_BACKEND_UNAVAILABLE,
						 ERR_PERMISSION_DENIED, ERR_TIMEOUT,
						 ERR_PRECONDITION_FAILED };
	_cleanup_(documents_closep) struct documents *d = fresh();
	const struct change c = block_john();
	struct change_outcome o = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct error err = ERROR_INIT;

		system_of.change_fails = codes[i];
		assert_false(change_account(&c, d, &event, 0, &o, &err));
		assert_int_equal(err.code, codes[i]);
		assert_nobody(d, "1");
	}
	system_of.lookup_fails = ERR_BACKEND_UNAVAILABLE;
	struct error err = ERROR_INIT;
	assert_false(change_account(&c, d, &event, 0, &o, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_int_equal(system_of.changes, (int)ARRAY_SIZE(codes));
}

static void test_lost_answer(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();
	const struct change c = block_john();
	struct change_outcome o = { 0 };
	struct error err = ERROR_INIT;
	json_auto_t *e = NULL, *f = NULL;

	(void)state;
	/* It did not happen as far as can be read: nobody claims that it did, or did not. */
	system_of.change_fails = ERR_UNKNOWN_OUTCOME;
	assert_false(change_account(&c, d, &event, 0, &o, &err));
	assert_int_equal(err.code, ERR_UNKNOWN_OUTCOME);
	e = explained(d, "1");
	assert_non_null(e);
	/* It happened: reading says so. */
	error_clear(&err);
	system_of.change_fails = ERR_UNKNOWN_OUTCOME;
	system_of.change_happens = true;
	assert_true(change_account(&c, d, &event, 0, &o, &err));
	assert_true(o.changed && o.verified);
	f = explained(d, "1");
	assert_non_null(f);
}

static void test_events_bounded(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();
	_cleanup_(document_done) struct document doc = { 0 };
	struct account a = { .id = people[0].lock,
			     .identifier = people[0].lock,
			     .uid = people[0].lock,
			     .name = people[0].lock,
			     .mail = people[0].lock };
	struct error err = ERROR_INIT;
	bool found = false;

	(void)state;
	for (int i = 0; i < RECORD_EVENTS_MAX + 1; i++) {
		struct record_event e = event;
		char approval[16];

		(void)snprintf(approval, sizeof approval, "ap-%d", i);
		e.approval = approval;
		assert_true(record_add(d, "fake", &a, &e, &err));
	}
	assert_true(documents_get(d, "accounts", "fake:", &doc, &found, &err));
	assert_true(found);
	assert_int_equal(json_array_size(json_object_get(doc.body, "events")),
			 RECORD_EVENTS_MAX);
	assert_string_equal(
		json_get_string(json_array_get(json_object_get(doc.body, "events"), 0),
				"approval"),
		"ap-1");
}

static int make_dir(void **state)
{
	(void)state;
	testing_folder(dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	testing_remove(dir);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block_and_unblock),
		cmocka_unit_test(test_already),
		cmocka_unit_test(test_not_as_planned),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_lost_answer),
		cmocka_unit_test(test_events_bounded),
	};

	return cmocka_run_group_tests_name("change", tests, make_dir, remove_dir);
}
