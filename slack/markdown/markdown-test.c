/* Markdown becomes what it says, and nothing in it becomes more than text. */
#include "slack/markdown/markdown.h"

#include "base/testing.h"
#include "slack/render/blocks.h"
#include "slack/render/rich.h"
#include "slack/text/text.h"

static json_t *draw(const char *text, const struct slack_markdown *how)
{
	static const struct slack_markdown nobody = { 0 };
	struct error err = ERROR_INIT;
	json_t *messages =
		slack_markdown_messages(text, strlen(text), how ? how : &nobody, &err);

	testing_no_error(&err);
	assert_non_null(messages);
	return messages;
}

static json_t *parts(json_t *messages)
{
	return json_object_get(
		json_array_get(json_object_get(json_array_get(messages, 0), "blocks"), 0),
		"elements");
}

static void expect(const char *text, const char *elements)
{
	json_auto_t *messages = draw(text, NULL);
	char *got = json_dumps(parts(messages), JSON_COMPACT);

	if (strcmp(got, elements) != 0)
		fail_msg("%s\n   is %s\n  not %s", text, got, elements);
	free(got);
}

static void test_dump(void **state)
{
	(void)state;
	if (getenv("SHOW")) {
		json_auto_t *messages = draw(getenv("SHOW"), NULL);
		json_dumpf(messages, stderr, JSON_INDENT(1));
	}
	expect("a", "[{\"type\":\"rich_text_section\",\"elements\":[{\"type\":\"text\","
		    "\"text\":"
		    "\"a\"}]}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump),
	};

	return cmocka_run_group_tests_name("slack-markdown", tests, NULL, NULL);
}
