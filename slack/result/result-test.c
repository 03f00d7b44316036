/* What came of a call is told whole, in words, and as nothing but text. */
#include "slack/result/result.h"

#include "base/testing.h"
#include "slack/render/blocks.h"
#include "slack/render/rich.h"
#include "slack/text/text.h"

static json_t *json(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	testing_no_error(&err);
	return value;
}

static const struct slack_result_view plain_view = { .id = "A1" };

static void test_short(void **state)
{
	json_auto_t *record = json(
		"{\"id\":\"A1\",\"state\":\"succeeded\",\"server\":\"accounts\",\"tool\":"
		"\"get_account\",\"result\":{\"content\":[{\"type\":\"text\",\"text\":"
		"\"two "
		"accounts\"}],\"structuredContent\":{\"person\":{\"display_name\":\"A\"},"
		"\"accounts\":[{\"system\":\"ldap\",\"state\":\"active\"},{\"system\":"
		"\"okta\",\"since\":\"2026-11-22T10:00:00Z\"}]}}}");
	struct error err = ERROR_INIT;
	struct slack_result r;

	(void)state;
	assert_true(slack_result_draw(record, &plain_view, &r, &err));
	assert_int_equal(json_array_size(r.messages), 1);
	assert_int_equal(r.pages, 0);
	if (getenv("SHOW"))
		json_dumpf(r.messages, stderr, JSON_INDENT(1));
	slack_result_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short),
	};

	return cmocka_run_group_tests_name("slack-result", tests, NULL, NULL);
}
