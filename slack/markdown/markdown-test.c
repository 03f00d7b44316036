/* Markdown becomes what it says, and nothing in it becomes more than text. */
#include "slack/markdown/markdown.h"

#include "base/testing.h"
#include "slack/markdown/stream.h"
#include "slack/render/blocks.h"
#include "slack/render/rich.h"
#include "slack/text/text.h"

static json_t *draw_with(const char *text, size_t length,
			 const struct slack_markdown *how)
{
	struct error err = ERROR_INIT;
	json_t *messages = slack_markdown_messages(text, length, how, &err);

	testing_no_error(&err);
	assert_non_null(messages);
	return messages;
}

static json_t *draw(const char *text)
{
	static const struct slack_markdown nobody = { 0 };

	return draw_with(text, strlen(text), &nobody);
}

/* --- what was drawn, in a short notation --- */

static void note_style(struct strbuf *sb, const json_t *element)
{
	static const char *const names[] = { "bold", "italic", "strike", "code" };
	const json_t *style = json_object_get(element, "style");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (json_is_true(json_object_get(style, names[i])))
			strbuf_add(sb, names[i], 1);
}

/* "b{bold} plain link(url|label) @U1". */
static void note(struct strbuf *sb, const json_t *value);

static void note_all(struct strbuf *sb, const json_t *list, const char *between)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		strbuf_add_string(sb, i ? between : "");
		note(sb, one);
	}
}

static void note_part(struct strbuf *sb, const char *type, const json_t *value)
{
	const json_t *elements = json_object_get(value, "elements");

	if (strcmp(type, "rich_text_list") == 0) {
		strbuf_add_format(sb, "%s%d",
				  strcmp(json_get_string(value, "style"), "bullet") == 0
					  ? "ul"
					  : "ol",
				  (int)json_get_int64(value, "indent", -1));
		if (json_object_get(value, "offset"))
			strbuf_add_format(sb, "+%d",
					  (int)json_get_int64(value, "offset", -1));
		strbuf_add_char(sb, '[');
		note_all(sb, elements, ";");
		strbuf_add_char(sb, ']');
	} else if (strcmp(type, "rich_text_section") == 0) {
		note_all(sb, elements, "");
	} else {
		strbuf_add_format(sb, "%s[", type + strlen("rich_text_"));
		note_all(sb, elements, "");
		strbuf_add_char(sb, ']');
	}
}

static void note_table(struct strbuf *sb, const json_t *table)
{
	size_t i;
	json_t *row;

	strbuf_add_string(sb, "table[");
	json_array_foreach(json_object_get(table, "rows"), i, row)
	{
		strbuf_add_string(sb, i ? "/" : "");
		note_all(sb, row, "|");
	}
	strbuf_add_char(sb, ']');
}

static void note(struct strbuf *sb, const json_t *value)
{
	const char *type = json_get_string(value, "type");
	const size_t before = sb->length;

	if (strcmp(type, "text") == 0) {
		note_style(sb, value);
		strbuf_add_format(sb, sb->length > before ? "{%s}" : "%s",
				  json_get_string(value, "text"));
	} else if (strcmp(type, "link") == 0) {
		strbuf_add_format(sb, "link(%s|%s)", json_get_string(value, "url"),
				  json_get_string(value, "text"));
	} else if (strcmp(type, "user") == 0) {
		strbuf_add_format(sb, "@%s", json_get_string(value, "user_id"));
	} else if (strcmp(type, "raw_text") == 0) {
		strbuf_add_string(sb, json_get_string(value, "text"));
	} else if (strcmp(type, "table") == 0) {
		note_table(sb, value);
	} else if (strcmp(type, "rich_text") == 0) {
		note_all(sb, json_object_get(value, "elements"), " & ");
	} else {
		note_part(sb, type, value);
	}
}

static void note_messages(struct strbuf *sb, const json_t *messages)
{
	size_t i;
	json_t *message;

	json_array_foreach(messages, i, message)
	{
		strbuf_add_string(sb, i ? " && " : "");
		note_all(sb, json_object_get(message, "blocks"), " & ");
	}
}

static void expect_with(const char *text, const char *want,
			const struct slack_markdown *how)
{
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	json_auto_t *messages = draw_with(text, strlen(text), how);

	note_messages(&got, messages);
	assert_true(strbuf_ok(&got));
	if (strcmp(got.data, want) != 0)
		fail_msg("%s\n  is  %s\n  not %s", text, got.data, want);
}

static void expect(const char *text, const char *want)
{
	static const struct slack_markdown nobody = { 0 };

	expect_with(text, want, &nobody);
}

/* --- what Markdown says --- */

static void test_text(void **state)
{
	(void)state;
	expect("a *b* **c** ~~d~~ `e` ***f***", "a i{b} b{c} s{d} c{e} bi{f}");
	expect("a\nb  \nc\\\nd", "a\nb\nc\nd");
	expect("a\n\nb", "a\n\nb");
	expect("# h\ntext\n\nh2\n---\ntext", "b{h}\ntext\n\nb{h2}\ntext");
	expect("&lt;a&gt; &#65; &#x202e; &bogus; \\*x\\*", "<a> A \\u202E &bogus; *x*");
	expect("<b>x</b> <!-- c -->\n\n<div>\ny\n</div>",
	       "<b>x</b> <!-- c -->\n\n<div>\ny\n</div>");
	expect("C:\\new \\d", "C:\\new \\d");
	expect("a\xE2\x80\xAE"
	       "b\xE2\x80\x8B",
	       "a\\u202Eb\\u200B");
	expect("a\xFF\xC3", "a\xEF\xBF\xBD\xEF\xBF\xBD");
	expect("---", "———");
	expect("", "i{Nothing to show.}");
}

static void test_lists(void **state)
{
	(void)state;
	expect("- a\n- b", "ul0[a;b]");
	expect("1. a\n2. b", "ol0[a;b]");
	expect("5. a\n6. b", "ol0+4[a;b]");
	expect("0. a\n1. b", "ul0[0. a;1. b]");
	expect("1000. a", "ul0[1000. a]");
	expect("999. a", "ol0+998[a]");
	expect("- a\n  1. b\n     - c\n- d", "ul0[a] & ol1[b] & ul2[c] & ul0[d]");
	expect("1. a\n\n   b\n2. c", "ol0[a\n\nb;c]");
	expect("1. a\n   ```\n   x\n   ```\n2. c", "ol0[a] & preformatted[x] & ol0+1[c]");
	expect("- [ ] a\n- [x] b\n-", "ul0[[ ] a;[x] b; ]");
}

static void test_quotes_and_code(void **state)
{
	(void)state;
	expect("> a\n> b\n\nc", "quote[a\nb] & c");
	expect("> a\n> - b\n>   1. c\n> > d", "quote[a\n• b\n    1. c\n\nd]");
	expect("```sh\na\n\tb\n```", "preformatted[a\n    b]");
	expect("~~~ two words\nb\n~~~", "two words & preformatted[b]");
	expect("    a *b*", "preformatted[a *b*]");
}

static void test_tables(void **state)
{
	(void)state;
	expect("|a|b|\n|---|:---:|\n|1|*2*|\n| |3|", "table[a|b/1|i{2}/–|3]");
	expect("|a|\n|---|\n|1|x|y|", "table[a/1 | x|y]");
	expect("x\n\n|a|\n|---|\n\ny", "x & table[a] & y");
}

static void test_nothing_is_hidden(void **state)
{
	(void)state;
	expect("a\n\n[x]: https://y.example 'z'\n",
	       "a & i{Written besides:} & preformatted[[x]: https://y.example 'z']");
	expect("[//]: # (secret)",
	       "i{Written besides:} & preformatted[[//]: # (secret)]");
}

/* --- what stands out --- */

static void test_links(void **state)
{
	json_auto_t *hosts = json_pack("[s, s]", "docs.x.com", "*.wiki.x.com");
	const struct slack_markdown how = { .hosts = hosts };

	(void)state;
	expect_with("[good](https://docs.x.com/a?b=c#d)",
		    "link(https://docs.x.com/a?b=c#d|good)", &how);
	expect_with("https://docs.x.com/a",
		    "link(https://docs.x.com/a|https://docs.x.com/a)", &how);
	expect_with("[](https://a.wiki.x.com)",
		    "link(https://a.wiki.x.com|https://a.wiki.x.com)", &how);
	/* A label that is an address, or a button of ours, has the address beside it. */
	expect_with("[evil.example](https://docs.x.com/)",
		    "evil.example (link(https://docs.x.com/|https://docs.x.com/))", &how);
	expect_with("[Approve](https://docs.x.com/)",
		    "Approve (link(https://docs.x.com/|https://docs.x.com/))i{ (words of "
		    "this text, no prompt)}",
		    &(struct slack_markdown){ .hosts = hosts, .heading = NULL });
	expect_with("[x](https://docs.x.com/ \"title\")",
		    "link(https://docs.x.com/|x) “title”", &how);
	expect_with("![x](https://docs.x.com/i.png)",
		    "image: link(https://docs.x.com/i.png|x)", &how);
	expect("[good](https://docs.x.com/)", "good (c{https://docs.x.com/})");
	expect("[js](javascript:alert(1)) www.a.com b@c.de",
	       "js (c{javascript:alert(1)}) c{www.a.com} c{b@c.de}");
	expect("[a](https://d\xD0\xBE"
	       "cs.x.com/)",
	       "a (c{https://d\xD0\xBE"
	       "cs.x.com/, to DNS xn--dcs-sed.x.com})");
}

static void test_which_links(void **state)
{
	json_auto_t *hosts = json_pack("[s, s, i]", "docs.x.com", "*.wiki.x.com", 7);
	static const char *const good[] = { "https://docs.x.com", "https://docs.x.com/",
					    "https://DOCS.x.com/", "https://docs.x.com?a",
					    "https://a.b.wiki.x.com/#x" };
	static const char *const bad[] = {
		"http://docs.x.com/",
		"https://docs.x.com.evil.example/",
		"https://xdocs.x.com/",
		"https://wiki.x.com/",
		"https://.wiki.x.com/",
		"https://a@docs.x.com/",
		"https://docs.x.com@evil.example/",
		"https://docs.x.com:8443/",
		"https://docs.x.com\\@evil.example/",
		"https://docs.x.com/a b",
		"https://docs.x.com/\xC3\xA9",
		"https://docs.x.com/<x>",
		"HTTPS://docs.x.com/",
		"//docs.x.com/",
		"https:///docs.x.com/",
		"https://",
		"",
	};
	char url[RICH_URL_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!slack_markdown_is_allowed(good[i], hosts))
			fail_msg("%s is not allowed", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (slack_markdown_is_allowed(bad[i], hosts))
			fail_msg("%s is allowed", bad[i]);
	memset(url, 'a', sizeof url);
	memcpy(url, "https://docs.x.com/", 19);
	url[RICH_URL_MAX] = '\0';
	assert_true(slack_markdown_is_allowed(url, hosts));
	url[RICH_URL_MAX] = 'a';
	url[RICH_URL_MAX + 1] = '\0';
	assert_false(slack_markdown_is_allowed(url, hosts));
	assert_false(slack_markdown_is_allowed("https://docs.x.com/", NULL));
}

static void test_people(void **state)
{
	json_auto_t *people = json_pack("{s:{s:s, s:b}, s:{s:s, s:b}, s:{}}", "U0A",
					"name", "Ann", "notify", 1, "U0B", "name",
					"B\xE2\x80\xAE*b*", "notify", 0, "U0C");
	const struct slack_markdown how = { .people = people };

	(void)state;
	expect_with("<@U0A>, <@U0A> and <@U0A|me>", "@U0A, b{@Ann} and b{@Ann}", &how);
	expect_with("<@U0B> <@U0C> <@U0D>", "b{@B\\u202E*b*} b{@U0C} <@U0D>", &how);
	expect_with("`<@U0A>`\n\n    <@U0A>", "c{<@U0A>} & preformatted[<@U0A>]", &how);
	expect_with("<!here> <!channel> <!subteam^S1> <#C1> @here <@U0A",
		    "<!here> <!channel> <!subteam^S1> <#C1> @here <@U0A", &how);
	expect_with("<@ U0A> <@u0a> <@>", "<@ U0A> <@u0a> <@>", &how);
}

static void test_what_looks_like_ours(void **state)
{
	static const char *const ours[] = {
		"# Approve this call?",
		"**Approve** a *change?*",
		"## APPROVE ALL OF THESE CALLS",
		"Approved by alice@x.com",
		"This is over",
		"# Written by the server",
		"\xEF\xBC\xA1pprove this call?",
		"- Approval needed: x",
		"> How it ended",
		"Approve | Deny",
		"\xD0\x90pprove this c\xD0\xB0ll?",
		"Thi\xD1\x95 is over",
		"**C\xD0\xB0ncel** my request",
		"\xCE\x91pproved by bob",
	};
	static const char *const others[] = {
		"You can approve this call",
		"The approval was given",
		"Review of the incident",
		"Deny rules of the firewall",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		json_auto_t *messages = draw(ours[i]);
		_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;

		note_messages(&got, messages);
		if (!strstr(got.data, "no prompt)"))
			fail_msg("%s is not set apart: %s", ours[i], got.data);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		expect(others[i], others[i]);
	expect("a\nApprove this call?\nb",
	       "a\nApprove this call?i{ (words of this text, no prompt)}\nb");
}

/* --- limits --- */

static void test_depth(void **state)
{
	char text[2 * SLACK_MARKDOWN_DEPTH_MAX + 8];

	(void)state;
	/* The document and the paragraph count as well. */
	for (int more = 0; more < 2; more++) {
		const size_t depth = SLACK_MARKDOWN_DEPTH_MAX - 2 + (size_t)more;
		json_auto_t *messages = NULL;
		_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;

		for (size_t i = 0; i < depth; i++)
			memcpy(text + 2 * i, "> ", 2);
		memcpy(text + 2 * depth, "x", 2);
		messages = draw(text);
		note_messages(&got, messages);
		assert_int_equal(strstr(got.data, "as written:") != NULL, more);
	}
}

static size_t count_marks(const json_t *messages)
{
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	size_t count = 0;

	note_messages(&got, messages);
	for (const char *s = got.data; (s = strstr(s, "characters shown.")); s++)
		count++;
	return count;
}

static void test_messages(void **state)
{
	/* A part of 2,400 characters, four to a message. */
	enum { PARTS = 8 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct slack_markdown how = { .messages_max = 2 };

	(void)state;
	for (int more = 0; more < 2; more++) {
		json_auto_t *messages = NULL;

		strbuf_clear(&text);
		for (int i = 0; i < PARTS + more; i++)
			for (int j = 0; j < RICH_PIECE_MAX; j++)
				strbuf_add_char(&text, (char)('a' + i));
		messages = draw_with(text.data, text.length, &how);
		assert_int_equal(json_array_size(messages), 2);
		assert_int_equal(count_marks(messages), more);
	}
}

static void test_bytes(void **state)
{
	_cleanup_free_ char *text = malloc(SLACK_MARKDOWN_BYTES_MAX + 1);
	const struct slack_markdown how = { .messages_max = 100 };

	(void)state;
	assert_non_null(text);
	memset(text, 'a', SLACK_MARKDOWN_BYTES_MAX + 1);
	for (size_t more = 0; more < 2; more++) {
		json_auto_t *messages =
			draw_with(text, SLACK_MARKDOWN_BYTES_MAX + more, &how);

		assert_int_equal(count_marks(messages), more);
	}
}

static void test_tables_are_split(void **state)
{
	(void)state;
	for (size_t rows = 99; rows <= 100; rows++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		json_auto_t *messages = NULL;

		strbuf_add_string(&text, "|a|\n|---|\n");
		for (size_t i = 0; i < rows; i++)
			strbuf_add_string(&text, "|x|\n");
		messages = draw(text.data);
		/* One table a message, each with the head. */
		assert_int_equal(json_array_size(messages), rows == 99 ? 1 : 2);
	}
}

/* --- streams --- */

static const char sheet[] =
	"# Head\nSome *text* with [a link](https://docs.x.com/a) and `code`.\n\n"
	"Second\nparagraph.\n\n- one\n- two\n  - three\n\n1. first\n2. second\n\n"
	"| a | b |\n|---|---|\n| 1 | 2 |\n\n```sh\nls\n\nls -l\n```\n\n> quote\n> "
	"more\n\n"
	"    indented\n\nLast **words**\n";

/* Parts that stand in one section when drawn at once stand in several, step by step. */
static void squeeze(struct strbuf *to, const char *text)
{
	for (const char *s = text; *s; s++)
		if (!strchr(" \n&", *s))
			strbuf_add_char(to, *s);
}

static void test_stream_is_the_whole(void **state)
{
	json_auto_t *hosts = json_pack("[s]", "docs.x.com");
	const struct slack_markdown how = { .hosts = hosts, .heading = "Head of ours" };
	_cleanup_strbuf_ struct strbuf at_once = STRBUF_INIT, want = STRBUF_INIT;
	json_auto_t *whole = draw_with(sheet, strlen(sheet), &how);

	(void)state;
	note_messages(&at_once, whole);
	squeeze(&want, at_once.data);
	for (size_t step = 1; step < 40; step++) {
		_cleanup_(slack_stream_freep) struct slack_stream *s =
			slack_stream_new(&how);
		_cleanup_strbuf_ struct strbuf got = STRBUF_INIT, shown = STRBUF_INIT;
		struct error err = ERROR_INIT;
		size_t takes = 0;

		assert_non_null(s);
		for (size_t at = 0; at <= strlen(sheet); at += step) {
			const size_t left = strlen(sheet) - at;
			const bool is_last = left <= step;
			json_t *blocks;
			bool is_new = false;

			assert_true(slack_stream_add(s, sheet + at, is_last ? left : step,
						     &err));
			if (is_last)
				assert_true(slack_stream_end(s, &err));
			while ((blocks = slack_stream_take(s, &is_new, &err))) {
				assert_int_equal(is_new, takes == 0);
				takes++;
				note_all(&got, blocks, " & ");
				/* Nothing of it is half. */
				assert_null(strstr(got.data, "]("));
				json_decref(blocks);
			}
			testing_no_error(&err);
			if (is_last)
				break;
		}
		assert_true(takes > 1);
		squeeze(&shown, got.data);
		assert_string_equal(shown.data, want.data);
	}
}

static void test_cuts(void **state)
{
	static const struct {
		const char *text;
		size_t cut;
	} cases[] = {
		{ "a\n\nb", 3 },         { "a\n\n", 0 },
		{ "a\nb", 0 },           { "a\n\n b", 0 },
		{ "a\n\n\n\nb", 5 },     { "- a\n\n  b\n\nc", 10 },
		{ "```\na\n\nb", 0 },    { "```\na\n\nb\n```\n\nc", 14 },
		{ "~~~\n```\n\nb", 0 },  { "a\n\n[b](https:", 3 },
		{ "````\n```\n\nx", 0 }, { "a\r\n\r\nb", 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slack_stream_cut c = { "" };
		const size_t cut =
			slack_stream_cut(cases[i].text, strlen(cases[i].text), false, &c);

		if (cut != cases[i].cut)
			fail_msg("'%s' is cut at %zu, not %zu", cases[i].text, cut,
				 cases[i].cut);
		assert_int_equal(
			slack_stream_cut(cases[i].text, strlen(cases[i].text), true, &c),
			strlen(cases[i].text));
	}
}

static void test_long_blocks(void **state)
{
	struct slack_stream_cut c = { "" };
	_cleanup_strbuf_ struct strbuf code = STRBUF_INIT, words = STRBUF_INIT;
	size_t cut;

	(void)state;
	strbuf_add_string(&code, "````\n");
	while (code.length < SLACK_STREAM_HOLD_MAX)
		strbuf_add_char(&code, code.length % 50 == 49 ? '\n' : 'x');
	assert_int_equal(slack_stream_cut(code.data, code.length, false, &c), 0);
	strbuf_add_string(&code, "y");
	cut = slack_stream_cut(code.data, code.length, false, &c);
	assert_int_equal(code.data[cut - 1], '\n');
	assert_string_equal(c.fence, "````");
	assert_int_equal(slack_stream_cut("a\n````\n\nb", 9, false, &c), 8);
	assert_string_equal(c.fence, "");
	/* A line without an end is waited for twice as long. */
	strbuf_add_string(&words, "**a ");
	while (words.length < (size_t)2 * SLACK_STREAM_HOLD_MAX)
		strbuf_add_char(&words, words.length % 10 == 9 ? ' ' : 'x');
	assert_int_equal(slack_stream_cut(words.data, words.length, false, &c), 0);
	strbuf_add_string(&words, "y");
	assert_int_equal(slack_stream_cut(words.data, words.length, false, &c),
			 words.length - 1);
}

static void test_stream_of_many_messages(void **state)
{
	const struct slack_markdown how = { .messages_max = 3 };
	_cleanup_(slack_stream_freep) struct slack_stream *s = slack_stream_new(&how);
	struct error err = ERROR_INIT;
	size_t messages = 0, units = 0, marks = 0;
	bool is_new = false;
	json_t *blocks;

	(void)state;
	assert_false(slack_stream_is_due(s, 0, SLACK_STREAM_EDIT_MS, 99999));
	for (int i = 0; i < 3000; i++) {
		assert_true(slack_stream_add(
			s, "| a | b |\n|---|---|\n| 1 | 2 |\n\nwords\n\n", 39, &err));
		if (i == 0) {
			assert_false(slack_stream_is_due(s, 1000, 1500, 2499));
			assert_true(slack_stream_is_due(s, 1000, 1500, 2500));
		}
		if (i == 2999)
			assert_true(slack_stream_end(s, &err));
		while ((blocks = slack_stream_take(s, &is_new, &err))) {
			_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;

			messages += is_new;
			units = is_new ? rich_units(blocks) : units + rich_units(blocks);
			assert_in_range(units, 1, SLACK_MESSAGE_CHARACTERS_MAX);
			note_all(&got, blocks, " ");
			marks += strstr(got.data, "characters shown.") != NULL;
			json_decref(blocks);
		}
		testing_no_error(&err);
	}
	assert_int_equal(messages, 3);
	assert_int_equal(marks, 1);
	json_auto_t *all = slack_stream_messages(s, &err);
	assert_int_equal(json_array_size(all), 3);
	assert_int_equal(count_marks(all), 1);
}

/* Everything that was shown, step by step, of a text that came in pieces. */
static void show_in_steps(struct strbuf *shown, const char *text, size_t length,
			  size_t first, size_t step, const struct slack_markdown *how)
{
	_cleanup_(slack_stream_freep) struct slack_stream *s = slack_stream_new(how);
	struct error err = ERROR_INIT;
	bool is_new = false;

	assert_non_null(s);
	for (size_t at = 0, size = first; at <= length; at += size, size = step) {
		const size_t left = length - at;
		json_t *blocks;

		assert_true(
			slack_stream_add(s, text + at, left < size ? left : size, &err));
		if (left <= size)
			assert_true(slack_stream_end(s, &err));
		while ((blocks = slack_stream_take(s, &is_new, &err))) {
			note_all(shown, blocks, " & ");
			json_decref(blocks);
		}
		testing_no_error(&err);
		if (left <= size)
			break;
	}
	assert_true(slack_stream_is_over(s));
}

/* Cut at every byte: no secret, no mention, no foreign link stands at any moment, and what
 * stands in the end is the same. */
static void test_stream_of_hostile_text(void **state)
{
	static const char *const texts[] = {
		"Key: ghp_0123456789abcdefghij0123456789 and\n\nxoxb-123456789-abc, "
		"said.",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n\nIBAAKC\n\n- x\n"
		"-----END RSA PRIVATE KEY-----\n\nafter it",
		"```\n-----BEGIN PRIVATE KEY-----\nMIIEow\n```\n\nIBAAKC\n\nnever ends",
		"<!channel> <@U0STRANGER> <!subteam^S1> <#C1> "
		"[a](https://evil.test/x)\n\n"
		"[docs](https://docs.x.com/\n\n\xE2\x80\xAE\xF0\x9F\x98\x80 **bold",
	};
	json_auto_t *hosts = json_pack("[s]", "docs.x.com");
	const struct slack_markdown how = { .hosts = hosts };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const size_t length = strlen(texts[i]);
		_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT;

		show_in_steps(&whole, texts[i], length, length, length, &how);
		for (size_t first = 1; first < length; first++) {
			_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT,
						       a = STRBUF_INIT, b = STRBUF_INIT;

			show_in_steps(&shown, texts[i], length, first, length, &how);
			assert_null(strstr(shown.data, "0123"));
			assert_null(strstr(shown.data, "xoxb"));
			assert_null(strstr(shown.data, "MIIE"));
			assert_null(strstr(shown.data, "IBAA"));
			assert_null(strstr(shown.data, "link(https://evil"));
			squeeze(&a, shown.data);
			squeeze(&b, whole.data);
			assert_string_equal(a.data, b.data);
		}
	}
}

static void test_notes(void **state)
{
	const struct slack_markdown how = { .heading = "Head" };
	_cleanup_(slack_stream_freep) struct slack_stream *s = slack_stream_new(&how);
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT, words = STRBUF_INIT;
	struct error err = ERROR_INIT;
	bool is_new = false;

	(void)state;
	assert_true(slack_stream_end(s, &err));
	assert_true(slack_stream_is_over(s));
	for (int i = 0; i < SLACK_STREAM_NOTE_MAX; i++)
		strbuf_add_string(&words, "*x");
	assert_true(slack_stream_note(s, "*a* <@U1>\x1b", &err));
	assert_true(slack_stream_note(s, words.data, &err));
	assert_false(slack_stream_is_over(s));
	json_auto_t *blocks = slack_stream_take(s, &is_new, &err);
	assert_true(is_new);
	note_all(&got, blocks, " & ");
	if (!strstr(got.data, "*a* <@U1>"))
		fail_msg("%s", got.data);
	assert_in_range(rich_units(blocks), SLACK_STREAM_NOTE_MAX,
			SLACK_STREAM_NOTE_MAX + 30);
	assert_true(slack_stream_is_over(s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_quotes_and_code),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_nothing_is_hidden),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_which_links),
		cmocka_unit_test(test_people),
		cmocka_unit_test(test_what_looks_like_ours),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_tables_are_split),
		cmocka_unit_test(test_stream_is_the_whole),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_long_blocks),
		cmocka_unit_test(test_stream_of_many_messages),
		cmocka_unit_test(test_stream_of_hostile_text),
		cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests_name("slack-markdown", tests, NULL, NULL);
}
