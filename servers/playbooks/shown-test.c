/* What is shown of a page: Markdown without HTML, and its steps with what they suggest. */
#include "base/testing.h"

#include "servers/playbooks/render.h"
#include "servers/playbooks/steps.h"

static void check(const char *source, const char *wanted)
{
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
	json_auto_t *hosts = json_pack("[s]", "ok.example");
	struct error err = ERROR_INIT;

	if (!render_markdown(source, strlen(source), hosts, &shown, &err))
		fail_msg("%s", err.message);
	if (strcmp(shown.data, wanted) != 0)
		fail_msg("of '%s' is shown '%s'", source, shown.data);
}

static void test_markdown(void **state)
{
	(void)state;
	check("# A\n\ntext *e* **s** ~~d~~ `c`\n", "# A\n\ntext *e* **s** ~~d~~ `c`\n");
	check("- a\n- b\n  - c\n\n9. x\n10. y\n", "- a\n- b\n  - c\n\n9. x\n10. y\n");
	check("> q\n> r\n", "> q\n> r\n");
	check("```sh\nls `a`\n```\n", "```\nls `a`\n```\n");
	check("| a | b |\n|---|---|\n| 1 | x \\| y |\n",
	      "| a | b |\n| --- | --- |\n| 1 | x \\| y |\n");
	check("- [x] done\n- [ ] open\n", "- [x] done\n- [ ] open\n");
	check("a\\\nb\n", "a\\\nb\n");
}

static void test_html_is_dropped(void **state)
{
	(void)state;
	check("a <b>c</b><br>d\n", "a cd\n");
	check("x <script>evil()</script> y\n", "x  y\n");
	check("<div onclick=x>\nhidden\n</div>\n\nshown\n", "shown\n");
	check("<!-- a --> b\n", "\n");
	check("\\<script\\>x\n", "\\<script\\>x\n");
	check("&lt;script&gt; &#60;b&#62;\n", "\\<script\\> \\<b\\>\n");
}

static void test_links(void **state)
{
	(void)state;
	check("[a](b/c.md#d) ![i](p.png)\n", "[a](b/c.md#d) ![i](p.png)\n");
	check("[a](https://ok.example/x)\n", "[a](https://ok.example/x)\n");
	check("[a](http://ok.example/x)\n", "a (`http://ok.example/x`)\n");
	check("[a](https://ok.example.evil/x)\n", "a (`https://ok.example.evil/x`)\n");
	check("[a](https://ok.example@evil/)\n", "a (`https://ok.example@evil/`)\n");
	check("[a](javascript:x)\n", "a (`javascript:x`)\n");
	check("[a](//evil/x) [b](\\\\evil) [c](java&#115;cript:x)\n",
	      "a (`//evil/x`) b (`\\evil`) c (`javascript:x`)\n");
	check("![i](https://evil/p.png)\n", "image: i (`https://evil/p.png`)\n");
	check("[a](<b c>)\n", "a (`b c`)\n");
}

static void test_hidden_characters(void **state)
{
	(void)state;
	check("a\xe2\x80\x8b"
	      "b\n",
	      "a\\\\u200Bb\n");
	check("`a\xe2\x80\xae"
	      "b`\n",
	      "`a\\u202Eb`\n");
	check("&#x200b;\n", "\\\\u200B\n");
}

static void test_suggestions(void **state)
{
	static const struct {
		const char *text, *tool, *fault;
		bool is_known;
	} rows[] = {
		{ " accounts.block_account", "accounts.block_account", NULL, true },
		{ "accounts.block_account {\"person\":\"<p>\"}", "accounts.block_account",
		  NULL, true },
		{ "accounts.block_account {\"who\":1}", "accounts.block_account",
		  "the tool has no argument 'who'", true },
		{ "accounts.block_account [1]", "accounts.block_account",
		  "its arguments are no JSON object", true },
		{ "accounts.block_account {\"person\":", "accounts.block_account",
		  "its arguments are no JSON object", true },
		{ "accounts.nothing", "accounts.nothing", "no such tool is known here",
		  false },
		{ "accounts.server", "accounts.server", "no such tool is known here",
		  false },
		{ "../x.y", "", "it names no tool as 'server.tool_name'", false },
		{ "a.b.c", "", "it names no tool as 'server.tool_name'", false },
		{ "", "", "it names no tool as 'server.tool_name'", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_auto_t *s = steps_suggestion(rows[i].text, strlen(rows[i].text));
		const char *fault = json_get_string(s, "fault");

		assert_string_equal(json_get_string(s, "tool"), rows[i].tool);
		assert_int_equal(json_is_true(json_object_get(s, "is_known")),
				 rows[i].is_known);
		if (rows[i].fault)
			assert_string_equal(fault ? fault : "none", rows[i].fault);
		else if (fault)
			fail_msg("'%s': %s", rows[i].text, fault);
		assert_true(json_is_object(json_object_get(s, "arguments")));
	}
}

static void test_steps(void **state)
{
	static const char source[] =
		"- no step\n1. one *a*\n   - `wingman: accounts.get_account`\n2. two\n\n"
		"   ```wingman\n   accounts.block_account {\"person\": \"x\"}\n   ```\n"
		"\n```wingman\naccounts.get_account\n```\n";
	struct steps steps;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(steps_read(source, 0, strlen(source), &steps, &err));
	assert_int_equal(steps.count, 3);
	assert_string_equal(steps.items[0].text, "one a");
	assert_null(steps.items[0].suggestion);
	assert_string_equal(json_get_string(steps.items[1].suggestion, "tool"),
			    "accounts.get_account");
	assert_string_equal(steps.items[2].text, "two");
	assert_string_equal(json_get_string(steps.items[2].suggestion, "tool"),
			    "accounts.block_account");
	assert_memory_equal(source + steps.items[2].at, "two", 3);
	steps_done(&steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_markdown),
		cmocka_unit_test(test_html_is_dropped),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_hidden_characters),
		cmocka_unit_test(test_suggestions),
		cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests_name("playbooks shown", tests, NULL, NULL);
}
