#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/testing.h"
#include "servers/accounts/record.h"

static char dir[TESTING_PATH_BYTES];
static int made;

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

	(void)snprintf(path, sizeof path, "%s/%d.db", dir, made++);
	d = documents_open_sqlite(path, &err);
	if (!d)
		fail_msg("%s", err.message);
	return d;
}

static void test_events_bounded(void **state)
{
	_cleanup_(documents_closep) struct documents *d = fresh();
	_cleanup_(document_done) struct document doc = { 0 };
	char none[] = "";
	struct account a = {
		.id = none, .identifier = none, .uid = none, .name = none, .mail = none
	};
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
		cmocka_unit_test(test_events_bounded),
	};

	return cmocka_run_group_tests_name("record", tests, make_dir, remove_dir);
}
