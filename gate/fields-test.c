/* A message is read to its last member, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#include <cmocka.h>

#include "gate/fields.h"

static bool decode(enum message m, const char *text, struct fields *f)
{
	struct error err = ERROR_INIT;
	static json_t *last; /* fields borrow from it */

	json_decref(last);
	last = json_parse(text, strlen(text), JSON_CONTRACT, &err);
	assert_non_null(last);
	bool good = fields_decode(m, last, f, &err);
	assert_int_equal(good, !error_is_set(&err));
	return good;
}

static void test_names(void **state)
{
	(void)state;
	for (enum message m = 0; m < MSG_COUNT; m++)
		assert_int_equal(message_find(message_name(m)), m);
	assert_int_equal(message_find("sudo"), MSG_COUNT);
	assert_int_equal(message_find(""), MSG_COUNT);
	assert_string_equal(message_name(MSG_COUNT), "?");
}

static void test_decoding(void **state)
{
	struct fields f = { .approval = "before" };

	(void)state;
	assert_true(decode(
		MSG_DECIDE,
		"{\"m\":\"decide\",\"id\":1,\"approval\":\"a\",\"decision\":\"deny\","
		"\"shown\":\"s\",\"reason\":\"r\"}",
		&f));
	assert_string_equal(f.reason, "r");
	assert_null(f.pin);
	f.approval = "before";
	static const char *const bad[] = {
		"{\"m\":\"decide\",\"id\":1,\"approval\":\"a\",\"decision\":\"deny\"}",
		"{\"m\":\"decide\",\"approval\":\"a\",\"decision\":\"deny\",\"shown\":"
		"\"s\"}",
		"{\"m\":\"decide\",\"id\":1,\"approval\":1,\"decision\":\"deny\","
		"\"shown\":\"s\"}",
		"{\"m\":\"decide\",\"id\":1,\"approval\":null,\"decision\":\"deny\","
		"\"shown\":\"s\"}",
		"{\"m\":\"decide\",\"id\":1,\"approval\":\"a\",\"decision\":\"deny\","
		"\"shown\":\"s\","
		"\"person\":\"alice@x\"}",
		"[]",
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(decode(MSG_DECIDE, bad[i], &f));
	assert_string_equal(f.approval, "before"); /* untouched */
}

static void test_sides(void **state)
{
	struct fields f;

	(void)state;
	/* Replies and events are only ever sent. */
	assert_false(decode(MSG_REPLY, "{\"m\":\"reply\"}", &f));
	assert_false(decode(MSG_EVENT, "{\"m\":\"event\"}", &f));
	assert_false(decode(MSG_COUNT, "{\"m\":\"?\"}", &f));
	assert_true(decode(
		MSG_EXECUTED,
		"{\"m\":\"executed\",\"approval\":\"a\",\"result\":{},\"sent\":true}",
		&f));
	assert_true(f.sent);
	assert_false(decode(MSG_EXECUTED,
			    "{\"m\":\"executed\",\"approval\":\"a\",\"sent\":1}", &f));
}

static void test_errors(void **state)
{
	struct error err = ERROR_INIT;
	json_auto_t *details = json_pack("{s:i}", "n", 1);

	(void)state;
	error_set(&err, ERR_AMBIGUOUS, "two of them");
	error_cause(&err, "for logs alone");
	json_auto_t *bare = fields_error(&err, NULL);
	assert_string_equal(json_get_string(bare, "code"), "ambiguous");
	assert_int_equal(json_object_size(bare), 2);
	error_hint(&err, "choose");
	json_auto_t *full = fields_error(&err, details);
	assert_string_equal(json_get_string(full, "hint"), "choose");
	assert_int_equal(json_get_int64(json_object_get(full, "details"), "n", 0), 1);
	assert_null(json_object_get(full, "cause"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_decoding),
		cmocka_unit_test(test_sides),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
