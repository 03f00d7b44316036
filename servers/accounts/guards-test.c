#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/testing.h"
#include "servers/accounts/fake_backend.h"
#include "servers/accounts/guards.h"

#define NOW INT64_C(1795341600000)
enum { HOUR = 60 * 60 * 1000 };

static char folder[TESTING_PATH_BYTES];
static struct documents *records;
static int made;

static struct fake_account none[] = { { 0 } };
static struct fake_system fake = { .accounts = none };
static const struct account_system system_of = { &fake_backend, &fake, NULL };

static int set_up(void **state)
{
	char path[TESTING_PATH_BYTES + 32];
	struct error err = ERROR_INIT;

	(void)state;
	(void)snprintf(path, sizeof path, "%s/%d.db", folder, made++);
	records = documents_open_sqlite(path, &err);
	testing_no_error(&err);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	documents_close(records);
	return 0;
}

static struct person somebody(const char *mail)
{
	struct person p = { .name = strdup("Some Body"),
			    .uid = strdup("some.body"),
			    .mail = strdup(mail),
			    .count = 1 };

	p.accounts[0].system = &system_of;
	p.accounts[0].account = (struct account){ .id = strdup("id-1"),
						  .identifier = strdup("uid=some.body"),
						  .uid = strdup("some.body"),
						  .name = strdup("Some Body"),
						  .mail = strdup(mail),
						  .detail = strdup("") };
	return p;
}

/* The number of approvers that the plan then wants; 0: refused. */
static int64_t check(const char *config, enum saga_kind kind, const char *requester,
		     const char *mail, int64_t now_ms, struct error *err)
{
	_cleanup_(person_done) struct person p = somebody(mail);
	_cleanup_(plan_freep) struct plan *plan = plan_new();
	json_auto_t *json = json_loads(config, 0, NULL);
	struct guards g;

	assert_non_null(json);
	assert_true(guards_read(json, &g, err));
	plan_summary(plan, "test");
	plan_warning(plan, "none");
	plan_state(plan, json_object());
	if (!guards_check(&g, records, kind, requester, &p, now_ms, plan, err))
		return 0;
	assert_true(plan_finish(plan, err));
	return plan_approvers(plan);
}

static void the_listed_are_left_alone(void **state)
{
	static const char *const names[] = { "BOSS@example.test", "Some.Body",
					     "uid=some.body", "id-1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *config = NULL;
		struct error err = ERROR_INIT;

		assert_true(asprintf(&config, "{\"protected\": {\"people\": [\"%s\"]}}",
				     names[i]) > 0);
		assert_int_equal(check(config, SAGA_BLOCK, "alice@example.test",
				       "boss@example.test", NOW, &err),
				 0);
		testing_error(&err, ERR_PROTECTED, "on the list");
	}
	struct error err = ERROR_INIT;
	assert_int_equal(check("{\"protected\": {\"people\": [\"some\"]}}", SAGA_BLOCK,
			       "alice@example.test", "boss@example.test", NOW, &err),
			 1);
}

static void nobody_acts_on_himself(void **state)
{
	static const enum saga_kind kinds[] = { SAGA_BLOCK, SAGA_UNBLOCK, SAGA_REVOKE };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct error err = ERROR_INIT;

		assert_int_equal(check("{}", kinds[i], "Alice@example.test",
				       "alice@example.test", NOW, &err),
				 0);
		testing_error(&err, ERR_PROTECTED, "it is who asks");
	}
}

static void note(const char *requester, int person, int64_t at_ms)
{
	char approval[32], mail[64];
	struct error err = ERROR_INIT;

	(void)snprintf(approval, sizeof approval, "ap-%s-%d", requester, person);
	(void)snprintf(mail, sizeof mail, "p%d@example.test", person);
	assert_true(
		guards_note(records, SAGA_BLOCK, requester, approval, mail, at_ms, &err));
}

static void many_in_an_hour_want_a_second_person(void **state)
{
	static const char config[] =
		"{\"mass_action\": {\"people_per_hour\": 3, \"all_per_hour\": 5}}";
	struct error err = ERROR_INIT;

	(void)state;
	note("alice@example.test", 1, NOW - HOUR); /* just too long ago */
	note("alice@example.test", 2, NOW - HOUR + 1);
	note("Alice@example.test", 3, NOW - 1);
	assert_int_equal(check(config, SAGA_BLOCK, "alice@example.test",
			       "new@example.test", NOW, &err),
			 1);
	note("alice@example.test", 4, NOW - 1);
	assert_int_equal(check(config, SAGA_BLOCK, "alice@example.test",
			       "new@example.test", NOW, &err),
			 2);
	/* One of those again is nobody more; and letting people in is no mass action. */
	assert_int_equal(check(config, SAGA_BLOCK, "alice@example.test",
			       "P4@example.test", NOW, &err),
			 1);
	assert_int_equal(check(config, SAGA_UNBLOCK, "alice@example.test",
			       "new@example.test", NOW, &err),
			 1);
	/* Another one's are counted apart, and all together. */
	assert_int_equal(check(config, SAGA_REVOKE, "bob@example.test",
			       "new@example.test", NOW, &err),
			 1);
	note("carol@example.test", 5, NOW - 1);
	note("carol@example.test", 6, NOW - 1);
	assert_int_equal(check(config, SAGA_REVOKE, "bob@example.test",
			       "new@example.test", NOW, &err),
			 2);
}

static void an_odd_configuration_is_refused(void **state)
{
	static const char *const bad[] = {
		"{\"protected\": {\"people\": \"boss\"}}",
		"{\"protected\": {\"people\": [1]}}",
		"{\"mass_action\": {\"people_per_hour\": 0}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_auto_t *json = json_loads(bad[i], 0, NULL);
		struct error err = ERROR_INIT;
		struct guards g;

		assert_false(guards_read(json, &g, &err));
		testing_error(&err, ERR_INVALID_ARGUMENT, "backend.");
	}
}

static int make_folder(void **state)
{
	(void)state;
	testing_folder(folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	testing_remove(folder);
	return 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(the_listed_are_left_alone),
		TEST(nobody_acts_on_himself),
		TEST(many_in_an_hour_want_a_second_person),
		TEST(an_odd_configuration_is_refused),
	};

	return cmocka_run_group_tests_name("guards", tests, make_folder, remove_folder);
}
