#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#include <cmocka.h>

#include "gate/notice.h"

static json_t *make_record(bool is_posted)
{
	json_t *r = json_pack(
		"{s:s, s:s, s:s, s:s, s:[{s:s, s:s}], s:{s:b, s:[s,s,s]}, s:{s:s}}", "id",
		"1", "server", "accounts", "tool", "block_account", "requester",
		"alice@x", "decisions", "by", "bob@x", "decision", "approve", "policy",
		"free", 0, "approvers", "alice@x", "bob@x", "carol@x", "request_state",
		"secret", "of the server");

	assert_non_null(r);
	if (is_posted)
		json_object_set_new(r, "prompt", json_object());
	return r;
}

static void check(const json_t *record, enum record_state to, const char *by,
		  const char *wanted)
{
	json_auto_t *notice = notice_make(record, to, NULL, 1000, by, "because");
	char who[200] = "";
	size_t i, at = 0;
	json_t *one;

	assert_non_null(notice);
	json_array_foreach(json_object_get(notice, "to"), i, one)
	{
		at += (size_t)snprintf(who + at, sizeof who - at, "%s%s", i ? " " : "",
				       json_string_value(one));
	}
	assert_string_equal(who, wanted);
	assert_null(json_object_get(notice, "request_state"));
}

static void test_concerned(void **state)
{
	json_auto_t *posted = make_record(true), *early = make_record(false);

	(void)state;
	/* A dead prompt concerns all who might have decided it. */
	check(posted, RECORD_EXPIRED, "gate", "alice@x bob@x carol@x");
	check(posted, RECORD_LAPSED, "gate", "alice@x bob@x carol@x");
	check(posted, RECORD_SUPERSEDED, "gate", "alice@x bob@x carol@x");
	check(posted, RECORD_CANCELLED, "alice@x", "bob@x carol@x");
	check(posted, RECORD_REVOKED, "bob@x", "alice@x carol@x");
	check(posted, RECORD_DENIED, "carol@x", "alice@x bob@x");
	/* What became of it, who asked and who said yes. */
	check(posted, RECORD_SUCCEEDED, NULL, "alice@x bob@x");
	check(posted, RECORD_FAILED, "service/accounts", "alice@x bob@x");
	check(posted, RECORD_UNKNOWN, NULL, "alice@x bob@x");
	check(posted, RECORD_REFUSED, NULL, "alice@x bob@x");
	/* Nobody has seen it. */
	json_object_set_new(early, "decisions", json_array());
	check(early, RECORD_REFUSED, NULL, "alice@x");
	check(early, RECORD_SUPERSEDED, "gate", "alice@x");
}

static void test_nobody(void **state)
{
	json_auto_t *free_read = make_record(true);
	json_auto_t *own = make_record(false);
	json_auto_t *notice = NULL, *none = NULL;

	(void)state;
	json_object_set_new(json_object_get(free_read, "policy"), "free", json_true());
	notice = notice_make(free_read, RECORD_SUCCEEDED, NULL, 1, NULL, NULL);
	assert_true(json_is_null(notice));
	json_object_set_new(own, "decisions", json_array());
	none = notice_make(own, RECORD_CANCELLED, NULL, 1, "alice@x", NULL);
	assert_true(json_is_null(none));
}

static void test_reading(void **state)
{
	json_auto_t *record = make_record(true);
	json_auto_t *notice = NULL, *shown = NULL, *rest = NULL;

	(void)state;
	json_object_set_new(record, "outcome",
			    json_pack("{s:{s:s, s:s, s:{s:s}}}", "error", "code",
				      "conflict", "message", "no", "details", "a", "b"));
	notice = notice_make(record, RECORD_FAILED, NULL, 1000, NULL, NULL);
	assert_true(notice_is_for(notice, "alice@x"));
	assert_false(notice_is_for(notice, "carol@x"));
	assert_false(notice_is_for(notice, "alice"));
	shown = notice_for_reading(notice);
	assert_null(json_object_get(shown, "to"));
	assert_string_equal(json_get_string(shown, "state"), "failed");
	/* Details are for who asked. */
	assert_null(json_object_get(json_object_get(shown, "error"), "details"));
	rest = notice_without(notice, "alice@x");
	assert_false(notice_is_for(rest, "alice@x"));
	assert_true(notice_is_for(rest, "bob@x"));
	assert_true(notice_is_for(notice, "alice@x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_concerned),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_reading),
	};

	return cmocka_run_group_tests_name("notice", tests, NULL, NULL);
}
