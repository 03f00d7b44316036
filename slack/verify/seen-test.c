/* What Slack adds is no difference; everything else is. */
#include "slack/verify/seen.h"

#include "base/testing.h"

static const char drawn[] =
	"[{\"type\":\"header\",\"text\":{\"type\":\"plain_text\",\"text\":\"Approve?\","
	"\"emoji\":false}},{\"type\":\"rich_text\",\"elements\":[{\"type\":"
	"\"rich_text_preformatted\",\"elements\":[{\"type\":\"text\",\"text\":\"x\"}]}]},"
	"{\"type\":\"actions\",\"elements\":[{\"type\":\"button\",\"action_id\":\"a\","
	"\"text\":{\"type\":\"plain_text\",\"text\":\"Approve\",\"emoji\":false},"
	"\"value\":\"v\"}]}]";

static void digest_of(const char *text, char ret[static DIGEST_HEX_BYTES])
{
	struct error err = ERROR_INIT;
	json_auto_t *blocks = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	testing_no_error(&err);
	if (!slack_seen_digest(blocks, ret, &err))
		fail_msg("%s", err.message);
}

static void changed(const char *what, const char *with, char ret[static DIGEST_HEX_BYTES])
{
	const char *at = strstr(drawn, what);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	assert_non_null(at);
	strbuf_add(&text, drawn, (size_t)(at - drawn));
	strbuf_add_string(&text, with);
	strbuf_add_string(&text, at + strlen(what));
	digest_of(text.data, ret);
}

static void test_same(void **state)
{
	static const struct {
		const char *what, *with;
	} cases[] = {
		{ "\"type\":\"header\"", "\"type\":\"header\",\"block_id\":\"xY1\"" },
		{ "\"emoji\":false", "\"emoji\":true" },
		{ ",\"emoji\":false", "" },
		{ "\"type\":\"plain_text\"",
		  "\"verbatim\":false,\"type\":\"plain_text\"" },
		{ "\"type\":\"rich_text_preformatted\"",
		  "\"border\":0,\"type\":\"rich_text_preformatted\"" },
		{ "\"action_id\":\"a\"", "\"block_id\":\"b\",\"action_id\":\"a\"" },
	};
	char want[DIGEST_HEX_BYTES], got[DIGEST_HEX_BYTES];

	(void)state;
	digest_of(drawn, want);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		changed(cases[i].what, cases[i].with, got);
		if (strcmp(got, want) != 0)
			fail_msg("'%s' is a difference", cases[i].with);
	}
}

static void test_other(void **state)
{
	static const struct {
		const char *what, *with;
	} cases[] = {
		{ "Approve?", "Approve!" },
		{ "\"x\"", "\"y\"" },
		{ "\"x\"", "\"x \"" },
		{ "\"text\":\"Approve\"", "\"text\":\"Deny\"" },
		{ "\"action_id\":\"a\"", "\"action_id\":\"b\"" },
		{ "\"value\":\"v\"", "\"value\":\"w\"" },
		{ "\"value\":\"v\"", "\"value\":\"v\",\"confirm\":{}" },
		{ "\"value\":\"v\"", "\"value\":\"v\",\"url\":\"https://x\"" },
		{ "rich_text_preformatted", "rich_text_quote" },
		{ "\"type\":\"rich_text_preformatted\"",
		  "\"border\":1,\"type\":\"rich_text_preformatted\"" },
		{ "[{\"type\":\"header\"",
		  "[{\"type\":\"divider\"},{\"type\":\"header\"" },
	};
	char want[DIGEST_HEX_BYTES], got[DIGEST_HEX_BYTES];

	(void)state;
	digest_of(drawn, want);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		changed(cases[i].what, cases[i].with, got);
		if (strcmp(got, want) == 0)
			fail_msg("'%s' is no difference", cases[i].with);
	}
	digest_of("[]", got);
	assert_string_not_equal(got, want);
}

static void test_none(void **state)
{
	_cleanup_strbuf_ struct strbuf deep = STRBUF_INIT;
	char digest[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;
	json_auto_t *object = json_object();

	(void)state;
	assert_false(slack_seen_digest(NULL, digest, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "no blocks");
	assert_false(slack_seen_digest(object, digest, &err));
	for (int i = 0; i < 30; i++)
		strbuf_add_char(&deep, '[');
	for (int i = 0; i < 30; i++)
		strbuf_add_char(&deep, ']');
	error_clear(&err);
	json_auto_t *nested = json_parse(deep.data, deep.length, JSON_SYNTAX, &err);
	testing_no_error(&err);
	assert_false(slack_seen_digest(nested, digest, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_other),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests_name("slack-seen", tests, NULL, NULL);
}
