#include "slack/verify/body.h"

#include "base/testing.h"
#include "slack/verify/signature.h"

static void check_fields(const char *body, size_t length, const char *name,
			 const char *wanted)
{
	struct error err = ERROR_INIT;
	json_auto_t *fields = slack_body_fields(body, length, &err);

	if (!wanted) {
		if (fields)
			fail_msg("'%s' was taken", body);
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
		return;
	}
	testing_no_error(&err);
	assert_string_equal(json_get_string(fields, name), wanted);
}

static void test_fields(void **state)
{
	(void)state;
	check_fields("a=b", 3, "a", "b");
	check_fields("a=", 2, "a", "");
	check_fields("text=tools+%C3%A9+%26+%3C%40U0BOB%7Cbob%3E&x=1", 46, "text",
		     "tools é & <@U0BOB|bob>");
	check_fields("", 0, NULL, NULL);
	check_fields("a", 1, NULL, NULL);
	check_fields("=b", 2, NULL, NULL);
	check_fields("a=b=c", 5, NULL, NULL);
	check_fields("a=b&", 4, NULL, NULL);
	check_fields("a=b&&c=d", 8, NULL, NULL);
	check_fields("a=b&a=c", 7, NULL, NULL);
	check_fields("a=b&%61=c", 9, NULL, NULL);
	check_fields("a=%", 3, NULL, NULL);
	check_fields("a=%4", 4, NULL, NULL);
	check_fields("a=%zz", 5, NULL, NULL);
	check_fields("a=%00", 5, NULL, NULL);
	check_fields("a=%ff", 5, NULL, NULL);
}

static void check_count(int count, bool ok)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;

	for (int i = 0; i < count; i++)
		strbuf_add_format(&body, "%sf%d=x", i ? "&" : "", i);
	check_fields(body.data, body.length, "f0", ok ? "x" : NULL);
}

static void check_name(int length, bool ok)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	char name[SLACK_FIELD_NAME_MAX + 2] = "";

	memset(name, 'n', (size_t)length);
	strbuf_add_format(&body, "%s=x", name);
	check_fields(body.data, body.length, name, ok ? "x" : NULL);
}

static void test_limits(void **state)
{
	(void)state;
	check_count(SLACK_FORM_FIELDS_MAX, true);
	check_count(SLACK_FORM_FIELDS_MAX + 1, false);
	check_name(SLACK_FIELD_NAME_MAX, true);
	check_name(SLACK_FIELD_NAME_MAX + 1, false);
}

static void test_length(void **state)
{
	(void)state;
	for (size_t length = SLACK_BODY_MAX; length <= (size_t)SLACK_BODY_MAX + 1;
	     length++) {
		_cleanup_free_ char *body = malloc(length);
		struct error err = ERROR_INIT;
		json_t *fields;

		assert_non_null(body);
		memset(body, 'x', length);
		body[1] = '=';
		fields = slack_body_fields(body, length, &err);
		assert_int_equal(fields != NULL, length == SLACK_BODY_MAX);
		json_decref(fields);
	}
}

static void check_payload(const char *body, bool ok)
{
	struct error err = ERROR_INIT;
	json_auto_t *payload = slack_body_payload(body, strlen(body), &err);

	assert_int_equal(payload != NULL, ok);
	if (!ok)
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
}

static void test_payload(void **state)
{
	(void)state;
	check_payload("payload=%7B%22a%22%3A1%7D", true);
	check_payload("payload={\"a\":1}", true);
	check_payload("payload=", false);
	check_payload("Payload={}", false);
	check_payload("x=1&payload={}", false);
	check_payload("payload={}&payload={}", false);
	check_payload("payload={}&x=1", false);
	check_payload("payload={\"a\":1,\"a\":2}", false);
	check_payload("payload=%257B%257D", false); /* encoded twice */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_payload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
