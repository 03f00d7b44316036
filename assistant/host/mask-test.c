/* Nothing that looks like a credential is left in a text or a value. */
#include "assistant/host/context.h"

#include "base/testing.h"

#define R "[redacted]"

static void check_value(const char *text, const char *want)
{
	struct error err = ERROR_INIT;
	json_auto_t *value = json_parse(text, strlen(text), JSON_CONTRACT, &err);
	json_auto_t *expected = json_parse(want, strlen(want), JSON_CONTRACT, &err);
	json_auto_t *got = NULL;

	testing_no_error(&err);
	got = context_mask_json(value);
	if (!json_equal(got, expected)) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		(void)json_write(&sb, got, &err);
		fail_msg("%s became %s", text, sb.data);
	}
}

static void test_values(void **state)
{
	(void)state;
	check_value("{\"a\":[\"Bearer abc123def456\",1,null,true]}",
		    "{\"a\":[\"Bearer " R "\",1,null,true]}");
	check_value("{\"password\":\"a b\",\"apiKey\":5,\"user\":\"u\"}",
		    "{\"password\":\"" R "\",\"apiKey\":\"" R "\",\"user\":\"u\"}");
	check_value("{\"tokens\":5,\"secret\":{\"value\":\"x\"},\"secrets\":[\"x\"]}",
		    "{\"tokens\":5,\"secret\":{\"value\":\"x\"},\"secrets\":[\"x\"]}");
	check_value("{\"client_secret\":[\"x\",7,true],\"token\":\"\"}",
		    "{\"client_secret\":[\"" R "\",\"" R "\",true],\"token\":\"\"}");
	/* JSON within a text */
	check_value("{\"body\":\"{\\\"password\\\":\\\"p\\\\\\\"q\\\"}\"}",
		    "{\"body\":\"{\\\"password\\\":\\\"" R "\\\"}\"}");
}

static json_t *nested(int depth)
{
	json_t *value = json_string("x");

	for (int i = 0; i < depth; i++)
		value = json_pack("[o]", value);
	return value;
}

static void test_depth(void **state)
{
	json_auto_t *most = nested(CONTEXT_DEPTH_MAX);
	json_auto_t *more = nested(CONTEXT_DEPTH_MAX + 1);
	json_auto_t *masked = context_mask_json(most);

	(void)state;
	assert_true(json_equal(most, masked));
	assert_null(context_mask_json(more));
}

static void test_texts(void **state)
{
	json_auto_t *empty = context_mask("", 0);
	json_auto_t *text = context_mask("password=x", 10);

	(void)state;
	assert_string_equal(json_string_value(empty), "");
	assert_string_equal(json_string_value(text), "password=" R);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests_name("assistant-mask", tests, NULL, NULL);
}
