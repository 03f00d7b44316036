/* What fits can be approved where it stands; what does not, on its last page alone. */
#include "slack/render/prompt.h"

#include "base/canonical.h"
#include "base/testing.h"
#include "render/inert.h"
#include "slack/render/blocks.h"
#include "slack/render/pages.h"

static const char good[] =
	"{\"v\":1,\"approval\":\"01k5ap1\",\"server\":\"accounts\",\"address\":\"http://"
	"a/mcp\","
	"\"tool\":\"block_account\",\"title\":\"Block <!here>\",\"risk\":\"destructive\","
	"\"requester\":\"alice@x\",\"surface\":\"console\",\"asked_at\":1000,"
	"\"expires_at\":600000,\"good_for_s\":300,"
	"\"approvers\":{\"needed\":1,\"who\":[\"bob@x\"],\"four_eyes\":false},"
	"\"outcome_to\":\"this terminal\","
	"\"arguments\":[{\"name\":\"person\",\"value\":\"john\",\"text\":"
	"\"\\\"john\\\"\"}],"
	"\"effects\":[],\"warnings\":[],"
	"\"free_text\":[{\"by\":\"requester\",\"name\":\"reason\",\"text\":\"\\\"<@"
	"U0EMIR> *b*\\\"\"}],"
	"\"pin\":\"aaaaaaaaaaaaaaaa\",\"args\":\"bbbbbbbbbbbbbbbb\"}";

static const struct slack_prompt_view alone = { .now_ms = 2000 };

static json_t *prompt_with(size_t characters)
{
	struct error err = ERROR_INIT;
	json_t *prompt = json_parse(good, sizeof good - 1, JSON_CONTRACT, &err);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_char(&text, '"');
	for (size_t i = 0; i < characters; i++)
		strbuf_add_char(&text, (char)('a' + i % 26));
	strbuf_add_char(&text, '"');
	if (characters)
		(void)json_object_set_new(
			json_array_get(json_object_get(prompt, "arguments"), 0), "text",
			json_string(text.data));
	return prompt;
}

static void assert_inert(bool ok, const struct strbuf *why)
{
	if (!ok)
		fail_msg("%s", why->data);
}

static json_t *message_of(const json_t *prompt, const struct slack_prompt_view *view)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_t *message = slack_prompt_message(prompt, view, &err);

	testing_no_error(&err);
	assert_inert(inert_message(message, &why), &why);
	return message;
}

static bool can_approve(const json_t *message)
{
	return slack_can_approve(json_object_get(message, "blocks"));
}

/* All values of buttons with this action, concatenated. */
static void collect_values(const json_t *blocks, const char *action, struct strbuf *sb)
{
	size_t i;
	json_t *member;
	const char *name = json_get_string(blocks, "action_id");

	if (name && strcmp(name, action) == 0)
		strbuf_add_string(sb, json_get_string(blocks, "value"));
	json_array_foreach(json_object_get(blocks, "elements"), i, member)
	{
		collect_values(member, action, sb);
	}
	json_array_foreach(blocks, i, member)
	{
		collect_values(member, action, sb);
	}
}

static void test_short(void **state)
{
	json_auto_t *prompt = prompt_with(0);
	json_auto_t *message = message_of(prompt, &alone);
	const json_t *blocks = json_object_get(message, "blocks");
	_cleanup_strbuf_ struct strbuf yes = STRBUF_INIT, no = STRBUF_INIT,
				       review = STRBUF_INIT;
	char digest[DIGEST_HEX_BYTES], want[128];
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(can_approve(message));
	assert_true(canonical_digest(prompt, digest, &err));
	(void)snprintf(want, sizeof want, "01k5ap1 %s", digest);
	collect_values(blocks, SLACK_ACTION_APPROVE, &yes);
	collect_values(blocks, SLACK_ACTION_DENY, &no);
	collect_values(blocks, SLACK_ACTION_REVIEW, &review);
	assert_string_equal(yes.data, want);
	assert_string_equal(no.data, want);
	assert_string_equal(review.data, "");
	assert_string_equal(json_get_string(message, "text"),
			    "Approval needed: block_account on accounts");
}

static void test_fallback_of_odd_names(void **state)
{
	json_auto_t *prompt = prompt_with(0);

	(void)state;
	(void)json_object_set_new(prompt, "tool", json_string("<!channel>"));
	json_auto_t *message = message_of(prompt, &alone);
	assert_string_equal(json_get_string(message, "text"), "Approval needed");
}

/* The longest that fits, and one more. */
static void test_limit(void **state)
{
	size_t fits = 1, too_many = 32768;

	(void)state;
	while (too_many - fits > 1) {
		size_t n = (fits + too_many) / 2;
		json_auto_t *prompt = prompt_with(n);
		json_auto_t *message = message_of(prompt, &alone);

		if (can_approve(message))
			fits = n;
		else
			too_many = n;
	}
	assert_true(fits > 6000);
	json_auto_t *just = prompt_with(fits), *more = prompt_with(fits + 1);
	json_auto_t *yes = message_of(just, &alone), *no = message_of(more, &alone);
	assert_true(can_approve(yes));
	assert_false(can_approve(no));
	size_t used = slack_characters(json_object_get(yes, "blocks"));
	assert_true(used > SLACK_MESSAGE_CHARACTERS_MAX - 2000);
}

static void test_review(void **state)
{
	json_auto_t *prompt = prompt_with(40000);
	json_auto_t *message = message_of(prompt, &alone);
	_cleanup_strbuf_ struct strbuf review = STRBUF_INIT, deny = STRBUF_INIT;
	size_t pages = 1;

	(void)state;
	assert_false(can_approve(message));
	collect_values(json_object_get(message, "blocks"), SLACK_ACTION_REVIEW, &review);
	collect_values(json_object_get(message, "blocks"), SLACK_ACTION_DENY, &deny);
	assert_string_equal(review.data + review.length - 2, " 1");
	assert_true(deny.length > 64);
	for (size_t page = 1; page <= pages; page++) {
		_cleanup_strbuf_ struct strbuf why = STRBUF_INIT, no = STRBUF_INIT;
		struct error err = ERROR_INIT;
		json_auto_t *view = slack_prompt_page(prompt, 2000, page, &pages, &err);
		const json_t *blocks = json_object_get(view, "blocks");

		testing_no_error(&err);
		assert_inert(inert_view(view, &why), &why);
		assert_true(pages >= 5);
		assert_int_equal(slack_can_approve(blocks), page == pages);
		collect_values(blocks, SLACK_ACTION_DENY, &no);
		assert_true(no.length > 64);
	}
	struct error err = ERROR_INIT;
	assert_null(slack_prompt_page(prompt, 2000, pages + 1, &pages, &err));
	testing_error(&err, ERR_NOT_FOUND, NULL);
	assert_null(slack_prompt_page(prompt, 2000, 0, &pages, &err));
	testing_error(&err, ERR_NOT_FOUND, NULL);
}

static void test_too_long_for_anybody(void **state)
{
	json_auto_t *prompt = prompt_with((size_t)SLACK_REVIEW_PAGES_MAX * 10000);
	struct error err = ERROR_INIT;

	(void)state;
	assert_null(slack_prompt_message(prompt, &alone, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "pages");
}

static void test_others_read_along(void **state)
{
	static const struct slack_prompt_view others = { .now_ms = 2000,
							 .others_read_along = true };
	json_auto_t *prompt = prompt_with(0);
	size_t pages = 0;
	struct error err = ERROR_INIT;

	(void)state;
	json_auto_t *open = message_of(prompt, &others);
	assert_true(can_approve(open));
	(void)json_object_set_new(json_array_get(json_object_get(prompt, "arguments"), 0),
				  "sensitive", json_true());
	json_auto_t *message = message_of(prompt, &others);
	_cleanup_free_ char *text = json_dumps(message, 0);
	assert_null(strstr(text, "john"));
	assert_false(can_approve(message));
	json_auto_t *view = slack_prompt_page(prompt, 2000, 1, &pages, &err);
	_cleanup_free_ char *page = json_dumps(view, 0);
	assert_non_null(strstr(page, "john"));
	assert_int_equal(pages, 1);
	assert_true(slack_can_approve(json_object_get(view, "blocks")));
}

static void test_ended(void **state)
{
	static const size_t lengths[] = { 0, 5000, 40000 };
	_cleanup_strbuf_ struct strbuf reason = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < 2000; i++)
		strbuf_add_string(&reason, "x");
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		json_auto_t *prompt = prompt_with(lengths[i]);
		_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
		struct error err = ERROR_INIT;
		json_auto_t *message = slack_prompt_ended(
			prompt, &alone,
			i ? reason.data : "denied by bob@x: <!here> \033[1m", &err);

		testing_no_error(&err);
		assert_inert(inert_message(message, &why), &why);
		_cleanup_free_ char *text = json_dumps(message, 0);
		assert_null(strstr(text, "\"button\""));
		if (i == 0)
			assert_non_null(strstr(text, "\\\\u001B[1m"));
	}
}

static void test_words(void **state)
{
	static const char *const texts[] = { "",
					     "Done :white_check_mark: <@U0EMIR> <!here>",
					     "![x](https://evil.example/x)",
					     "```\n*Approved*\n```\n\xe2\x80\xae",
					     "a\n\n\nb" };
	_cleanup_strbuf_ struct strbuf lengthy = STRBUF_INIT;
	struct error err = ERROR_INIT;
	size_t i;
	json_t *message;

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(texts); t++) {
		json_auto_t *messages = slack_words_of("assistant", texts[t], &err);
		_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;

		assert_int_equal(json_array_size(messages), 1);
		message = json_array_get(messages, 0);
		assert_inert(inert_message(message, &why), &why);
		assert_false(can_approve(message));
	}
	for (size_t n = 0; n < 30000; n++)
		strbuf_add_string(&lengthy, n % 100 ? "x" : "\n");
	json_auto_t *many = slack_words_of("server", lengthy.data, &err);
	assert_true(json_array_size(many) >= 3);
	json_array_foreach(many, i, message)
	{
		_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;

		assert_inert(inert_message(message, &why), &why);
	}
}

/* Eight calls have more sections than a message has blocks. */
static void test_several(void **state)
{
	(void)state;
	for (size_t count = 2; count <= 8; count += 3) {
		json_auto_t *calls = json_array();
		_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
		struct error err = ERROR_INIT;
		size_t pages = 1, approving = 0;

		for (size_t run = 1; run <= count; run++)
			(void)json_array_append_new(calls, json_pack("{s:i, s:o}", "run",
								     (int)run, "prompt",
								     prompt_with(0)));
		json_auto_t *prompt = json_pack(
			"{s:i, s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:{s:i, s:[s], s:b}, "
			"s:[], "
			"s:O}",
			"v", 1, "approval", "01k5", "requester", "alice@x", "surface",
			"console", "asked_at", 1000, "expires_at", 600000, "good_for_s",
			300, "outcome_to", "here", "approvers", "needed", 1, "who",
			"bob@x", "four_eyes", 1, "warnings", "calls", calls);
		json_auto_t *message = message_of(prompt, &alone);
		assert_int_equal(can_approve(message), count < 8);
		for (size_t page = 1; page <= pages; page++) {
			json_auto_t *view =
				slack_prompt_page(prompt, 2000, page, &pages, &err);

			testing_no_error(&err);
			assert_inert(inert_view(view, &why), &why);
			approving += slack_can_approve(json_object_get(view, "blocks"));
		}
		assert_int_equal(approving, 1);
		_cleanup_free_ char *text = json_dumps(message, 0);
		assert_int_equal(strstr(text, "\"confirm\"") != NULL, count < 8);
	}
}

/* What cannot be shown whole is not shown at all. */
static void test_not_whole(void **state)
{
	json_auto_t *prompt = prompt_with(0);
	struct error err = ERROR_INIT;

	(void)state;
	(void)json_object_set_new(prompt, "emergency", json_true());
	assert_null(slack_prompt_message(prompt, &alone, &err));
	testing_error(&err, ERR_INTERNAL, "cannot be shown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_fallback_of_odd_names),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_review),
		cmocka_unit_test(test_too_long_for_anybody),
		cmocka_unit_test(test_others_read_along),
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_not_whole),
	};

	return cmocka_run_group_tests_name("slack-prompt", tests, NULL, NULL);
}
