/*
 * What is shown is what runs, in both renderers: from the page of the terminal and from
 * the blocks of Slack, read as a person would, come the exact bytes of the call.
 */
#include <math.h>

#include "base/testing.h"
#include "base/utf8.h"
#include "console/render.h"
#include "gate/prompt.h"
#include "gate/prompt_several.h"
#include "render/inert.h"
#include "render/recover.h"
#include "slack/render/prompt.h"

enum { PROMPTS = 10000, LONG_EVERY = 500, SEVERAL = 28 };

static const char listed[] =
	"{\"name\":\"do_it\",\"title\":\"Do <!here> "
	"it\",\"description\":\"d\",\"inputSchema\":"
	"{\"type\":\"object\",\"properties\":{\"person\":{\"type\":\"string\","
	"\"default\":\"x\"},"
	"\"secret\":{\"type\":\"string\",\"x-wingman-sensitive\":true},"
	"\"all\":{\"type\":\"boolean\",\"default\":true}}},"
	"\"_meta\":{\"org.wingman/risk\":\"destructive\"}}";
static const char *const approvers[] = { "alice@x", "bob@x", NULL };

/* --- hostile values --- */

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Whole texts that somebody would try. */
static const char *const texts[] = {
	"<!channel> <!here> <@U0EMIR> <#C0OPS> <!subteam^S1>",
	"<https://evil.example|okta.com> https://evil.example mailto:a@b",
	"<!date^1795370400^{date_short}^https://evil.example|now>",
	"```\n*Approved by* _alice_ ~no~ `code`\n```",
	":white_check_mark: :lock: approved",
	"| \"continued\"",
	"  \"john\"\n  note: resolves to nobody",
	"\nTerms\n  who may approve 1 of: everybody",
	"person          \"root\"",
	"default: left out; not part of the call",
	"\n  default: left out; not part of the call\n",
	"Arguments, continued",
	"\"",
	"\\",
	"\\\\\"",
	"\\u202E",
	"\\n",
	"none",
	"",
	" ",
	"                                                                      x",
	"\033[2J\033[1;1H\033]8;;https://evil.example\007x\033[0m",
	"a\r\nb\rc\td\be\x7f",
	"\xd7\x90\xd7\x91\xd7\x92 abc \xd8\xa7\xd8\xa8",
	"\xe2\x80\xaeroot\xe2\x80\xac \xe2\x81\xa6x\xe2\x81\xa9",
	"Z\xcc\x9b\xcc\xba\xcc\x9d\xcc\xac\xcd\x93\xcd\x87\xcd\x99\xcd\x99\xcc\xbb",
	"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",
	"\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8\xea\xb0\x81",
	"\xf0\x9d\x93\xbb\xf0\x9d\x93\xb8\xf0\x9d\x93\xb8\xf0\x9d\x93\xbd",
	"p\xd0\xb0yp\xd0\xb0l.com",
	"{\"person\":\"root\"}",
	"null",
	"1e400",
	"![ok](https://evil.example/x.png)",
	"Page 2 of 2.",
	"wingman.approve",
};
static const char *const names[] = {
	"person",
	"secret",
	"reason",
	"title",
	"Arguments",
	"Terms",
	"none",
	"| x",
	"a b",
	"person          ",
	"\"",
	"a\nb",
	"n\xd0\xb0me",
	"\xe2\x80\xae",
	"all",
	"a_very_long_name_of_an_argument_that_wraps",
	"x = y",
	"  indented",
	"default: left out; not part of the call",
	"\\u0041",
};

static uint32_t random_character(uint64_t *seed)
{
	uint64_t r = next_random(seed);
	uint32_t c;

	if (r % 4 == 0)
		return 0x20 + (uint32_t)((r >> 8) % 0x5F);
	if (r % 4 == 1)
		return 1 + (uint32_t)((r >> 8) % 0x2FFF);
	c = 1 + (uint32_t)((r >> 8) % 0x10FFFD);
	/* Surrogates and noncharacters are no contract JSON: they never come here. */
	if ((c >= 0xD800 && c <= 0xDFFF) || (c >= 0xFDD0 && c <= 0xFDEF) ||
	    (c & 0xFFFE) == 0xFFFE)
		return 0x202E;
	return c;
}

static json_t *random_string(uint64_t *seed, size_t most)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	uint64_t r = next_random(seed);
	char bytes[4];

	if (r % 3 == 0)
		strbuf_add_string(&sb, texts[(r >> 8) % ARRAY_SIZE(texts)]);
	if (r % 3 != 0 || r % 7 == 0)
		for (size_t n = (size_t)(r >> 16) % most; n > 0; n--)
			strbuf_add(&sb, bytes, utf8_put(random_character(seed), bytes));
	return json_stringn(sb.data, sb.length);
}

static json_t *random_number(uint64_t *seed)
{
	uint64_t r = next_random(seed);
	double d = ldexp((double)(r >> 12), (int)(r % 64) - 60);

	switch ((r >> 4) % 4) {
	case 0:
		return json_integer(
			(json_int_t)(r % 2 ? JSON_INTEGER_MAX : -JSON_INTEGER_MAX));
	case 1:
		return json_integer((json_int_t)(r >> 11) - (1 << 20));
	default:
		return json_real(fabs(d) < 9e15 ? d : 0.1);
	}
}

static json_t *random_value(uint64_t *seed, int depth, size_t most)
{
	uint64_t r = next_random(seed);
	json_t *value;

	switch (r % (depth > 6 ? 5 : 9)) {
	case 0:
		return random_number(seed);
	case 1:
		return r & 256 ? json_true() : r & 512 ? json_false() : json_null();
	case 5:
	case 6:
		value = json_array();
		for (size_t n = (r >> 8) % 4; n > 0; n--)
			(void)json_array_append_new(value,
						    random_value(seed, depth + 1, most));
		return value;
	case 7:
		value = json_object();
		for (size_t n = (r >> 8) % 4; n > 0; n--) {
			json_auto_t *name = random_string(seed, 8);

			(void)json_object_set_new(value, json_string_value(name),
						  random_value(seed, depth + 1, most));
		}
		return value;
	default:
		return random_string(seed, most);
	}
}

static json_t *random_arguments(uint64_t *seed, bool is_long)
{
	json_t *arguments = json_object();
	size_t count = (size_t)(next_random(seed) % 6);

	while (count-- > 0) {
		uint64_t r = next_random(seed);
		json_auto_t *other = random_string(seed, 40);
		const char *name = r % 4 ? names[(r >> 8) % ARRAY_SIZE(names)]
					 : json_string_value(other);

		(void)json_object_set_new(arguments, name,
					  random_value(seed, 0, is_long ? 5000 : 40));
	}
	return arguments;
}

/* --- the property --- */

static struct tool_definition *tool;

static json_t *build(const json_t *arguments, uint64_t *seed)
{
	struct error err = ERROR_INIT;
	char shown[DIGEST_HEX_BYTES], args[DIGEST_HEX_BYTES];
	json_auto_t *plan = json_pack(
		"{s:o, s:[{s:o, s:o, s:o, s:o, s:b}], s:[o], s:{s:o}, s:{s:o}}",
		"summary", random_string(seed, 20), "effects", "system",
		random_string(seed, 20), "target", random_string(seed, 20), "from",
		random_string(seed, 20), "to", random_string(seed, 20), "reversible", 1,
		"warnings", random_string(seed, 20), "notes", "person",
		random_string(seed, 20), "data", "k", random_string(seed, 20));
	json_t *prompt;

	assert_true(canonical_digest(arguments, args, &err));
	const struct prompt_input in = { .approval = "01k5",
					 .address = "http://127.0.0.1/mcp",
					 .requester = "alice@x",
					 .surface = "console, uid 1000",
					 .outcome_to = "this terminal",
					 .tool = tool,
					 .arguments = arguments,
					 .plan = next_random(seed) % 2 ? plan : NULL,
					 .author = next_random(seed) % 2 ? "assistant"
									 : NULL,
					 .args_digest = args,
					 .asked_at_ms = 1,
					 .expires_at_ms = 600001,
					 .good_for_ms = 300000,
					 .approvers_needed = 1,
					 .approvers = approvers };
	prompt = prompt_build(&in, shown, &err);
	testing_no_error(&err);
	return prompt;
}

static void assert_same(const json_t *got, const json_t *want, const char *where,
			const struct error *err)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
	struct error e = ERROR_INIT;

	assert_true(canonical_write(&b, want, &e));
	if (!got)
		fail_msg("%s: %s\n%s", where, err->message, b.data);
	assert_true(canonical_write(&a, got, &e));
	if (strcmp(a.data, b.data) != 0)
		fail_msg("%s:\n%s\nis not\n%s", where, a.data, b.data);
}

static void check_terminal(const json_t *prompt, const json_t *arguments, unsigned run,
			   size_t columns)
{
	const struct render_style style = { .columns = columns, .now_ms = 1000 };
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT;
	struct error err = ERROR_INIT;

	assert_true(render_prompt(&page, prompt, &style, &err));
	assert_false(inert_has_control(page.data, page.length));
	json_auto_t *back = recover_terminal(page.data, run, &err);
	assert_same(back, arguments, page.data, &err);
}

static void check_message(const json_t *prompt, const json_t *arguments, unsigned run)
{
	static const struct slack_prompt_view view = { .now_ms = 1000 };
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *message = slack_prompt_message(prompt, &view, &err);
	const json_t *blocks = json_object_get(message, "blocks");

	testing_no_error(&err);
	if (!inert_message(message, &why))
		fail_msg("%s", why.data);
	if (!slack_can_approve(blocks))
		return;
	json_auto_t *back = recover_blocks(blocks, run, &err);
	assert_same(back, arguments, "message", &err);
}

static size_t check_review(const json_t *prompt, const json_t *arguments, unsigned run)
{
	json_auto_t *all = json_array();
	size_t pages = 1;
	struct error err = ERROR_INIT;

	for (size_t page = 1; page <= pages; page++) {
		_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
		json_auto_t *view = slack_prompt_page(prompt, 1000, page, &pages, &err);

		testing_no_error(&err);
		if (!inert_view(view, &why))
			fail_msg("%s", why.data);
		(void)json_array_extend(all, json_object_get(view, "blocks"));
	}
	json_auto_t *back = recover_blocks(all, run, &err);
	assert_same(back, arguments, "review", &err);
	return pages;
}

static void test_everything_comes_back(void **state)
{
	uint64_t seed = 88172645463325252U;
	size_t reviewed = 0;

	(void)state;
	for (size_t i = 0; i < PROMPTS; i++) {
		json_auto_t *arguments = random_arguments(&seed, i % LONG_EVERY == 0);
		json_auto_t *prompt = build(arguments, &seed);

		check_terminal(prompt, arguments, 0, i % 3 ? 80 : 40 + i % 100);
		check_message(prompt, arguments, 0);
		reviewed += check_review(prompt, arguments, 0) > 1;
	}
	/* Or nothing of this was about pages. */
	assert_true(reviewed >= 10);
}

/* Several calls in one decision: each comes back under its own number. */
static void test_several(void **state)
{
	uint64_t seed = 362436069;

	(void)state;
	for (size_t i = 0; i < SEVERAL; i++) {
		json_auto_t *prompts = json_array();
		json_auto_t *calls = json_array();
		char shown[DIGEST_HEX_BYTES];
		struct error err = ERROR_INIT;
		size_t run;
		json_t *arguments;

		for (size_t n = 2 + i % 7; n > 0; n--) {
			json_t *one = random_arguments(&seed, i == 7);

			(void)json_array_append_new(calls, one);
			(void)json_array_append_new(prompts, build(one, &seed));
		}
		const struct prompt_several in = { .approval = "01k5",
						   .requester = "alice@x",
						   .surface = "console, uid 1000",
						   .outcome_to = "this terminal",
						   .prompts = prompts,
						   .asked_at_ms = 1,
						   .expires_at_ms = 600001,
						   .good_for_ms = 300000,
						   .approvers_needed = 1,
						   .approvers = approvers };
		json_auto_t *prompt = prompt_several_build(&in, shown, &err);
		testing_no_error(&err);
		json_array_foreach(calls, run, arguments)
		{
			check_terminal(prompt, arguments, (unsigned)run + 1, 80);
			check_message(prompt, arguments, (unsigned)run + 1);
			check_review(prompt, arguments, (unsigned)run + 1);
		}
	}
}

/* Each by itself, where nothing else can be blamed. */
static void test_every_text(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(names); n++)
		for (size_t t = 0; t < ARRAY_SIZE(texts); t++) {
			json_auto_t *arguments = json_pack("{s:s}", names[n], texts[t]);
			json_auto_t *prompt = build(arguments, &seed);

			check_terminal(prompt, arguments, 0, 80);
			check_message(prompt, arguments, 0);
			check_review(prompt, arguments, 0);
		}
}

/* As long as a call may be, and as deep. */
static void test_the_largest(void **state)
{
	_cleanup_free_ char *text = malloc(64 * 1024);
	uint64_t seed = 1;
	json_auto_t *deep = json_string("x");

	(void)state;
	memset(text, '\\', 64 * 1024 - 1);
	text[64 * 1024 - 1] = '\0';
	json_auto_t *arguments = json_pack("{s:s}", "person", text);
	json_auto_t *prompt = build(arguments, &seed);
	check_terminal(prompt, arguments, 0, 80);
	check_message(prompt, arguments, 0);
	assert_true(check_review(prompt, arguments, 0) > 10);
	for (int i = 0; i < JSON_DEPTH_MAX - 8; i++) {
		json_t *outer = json_pack("[O]", deep);

		json_decref(deep);
		deep = outer;
	}
	json_auto_t *nested = json_pack("{s:O}", "person", deep);
	json_auto_t *other = build(nested, &seed);
	check_terminal(other, nested, 0, 80);
	check_review(other, nested, 0);
}

/* The parser is no rubber stamp: what is drawn otherwise is read otherwise. */
static void test_the_parser(void **state)
{
	uint64_t seed = 1;
	json_auto_t *arguments = json_pack("{s:s, s:i}", "person", "john", "limit", 5);
	json_auto_t *prompt = build(arguments, &seed);
	const struct render_style style = { .columns = 80, .now_ms = 1000 };
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(render_prompt(&page, prompt, &style, &err));
	*strstr(page.data, "john") = 'J';
	json_auto_t *other = recover_terminal(page.data, 0, &err);
	assert_string_equal(json_get_string(other, "person"), "John");
	memset(strstr(page.data, "  limit"), ' ', 7);
	json_auto_t *none = recover_terminal(page.data, 0, &err);
	assert_null(none);
}

static int setup(void **state)
{
	struct error err = ERROR_INIT;
	json_auto_t *json = json_parse(listed, sizeof listed - 1, JSON_CONTRACT, &err);

	(void)state;
	tool = tool_definition_read("accounts", json, &err);
	return tool ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	tool_definition_free(tool);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_comes_back),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_every_text),
		cmocka_unit_test(test_the_largest),
		cmocka_unit_test(test_the_parser),
	};

	return cmocka_run_group_tests_name("roundtrip", tests, setup, teardown);
}
