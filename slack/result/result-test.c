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

/* A record whose result is 'text' (JSON). */
static json_t *record_of(const char *result)
{
	json_t *record =
		json("{\"id\":\"A1\",\"state\":\"succeeded\",\"server\":\"accounts\","
		     "\"tool\":\"get_account\"}");

	json_object_set_new(record, "result", json(result));
	return record;
}

static json_t *record_of_text(const char *text, size_t length)
{
	json_t *record = record_of("{\"content\":[]}");

	json_array_append_new(
		json_object_get(json_object_get(record, "result"), "content"),
		json_pack("{s:s, s:o}", "type", "text", "text",
			  json_stringn(text, length)));
	return record;
}

static struct slack_result draw(const json_t *record,
				const struct slack_result_view *view)
{
	static const struct slack_result_view nothing = { 0 };
	struct error err = ERROR_INIT;
	struct slack_result r = { 0 };

	assert_true(slack_result_draw(record, view ? view : &nothing, &r, &err));
	testing_no_error(&err);
	assert_in_range(json_array_size(r.messages), 1, SLACK_RESULT_MESSAGES_MAX);
	for (size_t i = 0; i < json_array_size(r.messages); i++) {
		const json_t *blocks =
			json_object_get(json_array_get(r.messages, i), "blocks");

		assert_in_range(json_array_size(blocks), 1, SLACK_MESSAGE_BLOCKS_MAX);
		assert_in_range(rich_units(blocks), 1, SLACK_MESSAGE_CHARACTERS_MAX);
	}
	return r;
}

static void gather(struct strbuf *sb, const json_t *value)
{
	static const char *const shown[] = { "text", "fallback" };
	const char *name;
	size_t i;
	json_t *member;

	json_array_foreach(value, i, member)
	{
		gather(sb, member);
	}
	for (i = 0; i < ARRAY_SIZE(shown); i++)
		if (json_get_string(value, shown[i]))
			strbuf_add_format(sb, "%s|", json_get_string(value, shown[i]));
	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		gather(sb, member);
	}
}

/* Everything that is said in the messages, "|" behind each text. */
static void say(const json_t *record, const struct slack_result_view *view,
		struct strbuf *ret)
{
	struct slack_result r = draw(record, view);
	size_t i;
	json_t *message;

	strbuf_clear(ret);
	json_array_foreach(r.messages, i, message)
	{
		gather(ret, json_object_get(message, "blocks"));
	}
	slack_result_done(&r);
}

static bool says(const json_t *view, const char *words)
{
	_cleanup_free_ char *text = json_dumps(view, JSON_COMPACT);

	assert_non_null(text);
	return strstr(text, words) != NULL;
}

static void expect(const json_t *record, const char *holds)
{
	_cleanup_strbuf_ struct strbuf said = STRBUF_INIT;

	say(record, NULL, &said);
	if (!strstr(said.data, holds))
		fail_msg("'%s' is not in '%s'", holds, said.data);
}

static void expect_result(const char *result, const char *holds)
{
	json_auto_t *record = record_of(result);

	expect(record, holds);
}

/* --- short ones --- */

static void test_text(void **state)
{
	(void)state;
	expect_result(
		"{\"content\":[{\"type\":\"text\",\"text\":\"two *accounts*\\n\"}]}",
		"Done. |accounts.get_account|two *accounts*|");
	expect_result(
		"{\"content\":[{\"type\":\"text\",\"text\":\"a\\tb\\r\\nC:\\\\new\"}]}",
		"|a       b\nC:\\new|");
	/* Nothing hides: and then a backslash is told from an escape. */
	expect_result(
		"{\"content\":[{\"type\":\"text\",\"text\":\"a\\u202eb\\\\u202e\"}]}",
		"a backslash is two.|a\\u202Eb\\\\u202e|");
	expect_result(
		"{\"content\":[{\"type\":\"image\",\"mimeType\":\"image/png\",\"data\":"
		"\"AAAA\"}]}",
		"Not shown: image, image/png, 4 bytes encoded|");
	expect_result(
		"{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"x://y\","
		"\"text\":\"t\"}}]}",
		"Resource: x://y|t|");
}

static void test_structure(void **state)
{
	(void)state;
	expect_result(
		"{\"content\":[],\"structuredContent\":{\"person\":{\"name\":\"A\"},"
		"\"n\":1.5,\"ok\":true,\"none\":null,\"l\":[1,\"b\"],\"e\":\"\"}}",
		"|person.name:| |A|\n|n:| |1.5|\n|ok:| |true|\n|none:| |null|\n|l:| "
		"|1|, |b|\n|e:| |\"\"|");
	expect_result(
		"{\"content\":[],\"structuredContent\":{\"rows\":[{\"a\":1,\"b\":\"x\"},"
		"{\"a\":2,\"c\":[1,2]}]}}",
		"rows:|a|b|c|1|x|–|2|–|1|, |2|");
	/* A few objects that are no rows stand one below the other; what is deeper is JSON. */
	expect_result(
		"{\"content\":[],\"structuredContent\":{\"deep\":[{\"a\":{\"b\":1}},"
		"{\"a\":2}]}}",
		"|deep:|\n|— 1 of 2 —|\n|a.b:| |1|\n|— 2 of 2 —|\n|a:| |2|");
	expect_result("{\"content\":[],\"structuredContent\":{\"deep\":[{\"a\":{\"b\":{"
		      "\"c\":{\"d\":\"\\u202e\\ud83d\\ude00\\udb40\\udc41\"}}}}]}}",
		      "a.b.c:|{\n  \"d\": "
		      "\"\\u202E\xF0\x9F\x98\x80\\uDB40\\uDC41\"\n");
	/* What MCP wants said twice is shown once. */
	json_auto_t *twice = record_of(
		"{\"content\":[{\"type\":\"text\",\"text\":\"{ \\\"a\\\": 1 }\"}],"
		"\"structuredContent\":{\"a\":1}}");
	_cleanup_strbuf_ struct strbuf said = STRBUF_INIT;

	say(twice, NULL, &said);
	assert_null(strstr(said.data, "{"));
	assert_non_null(strstr(said.data, "a:| |1|"));
}

/* Words are enough where there are any; all of it is a button away. */
static void test_words_first(void **state)
{
	json_auto_t *record = record_of(
		"{\"content\":[{\"type\":\"text\",\"text\":\"John is blocked.\"}],"
		"\"structuredContent\":{\"person\":{\"name\":\"John\"},\"deep\":[{\"a\":"
		"{\"b\":1}}]}}");
	const struct slack_result_view view = { .id = "01k5" };
	struct slack_result r = draw(record, &view);
	struct error err = ERROR_INIT;
	size_t pages = 0;
	char *raw;

	(void)state;
	raw = json_dumps(r.messages, JSON_COMPACT);
	assert_non_null(strstr(raw, "John is blocked."));
	assert_null(strstr(raw, "person.name"));
	assert_non_null(strstr(raw, SLACK_RESULT_SHOW));
	free(raw);
	slack_result_done(&r);
	json_auto_t *page = slack_result_page(record, &view, 1, &pages, &err);
	testing_no_error(&err);
	raw = json_dumps(page, JSON_COMPACT);
	assert_non_null(strstr(raw, "John is blocked."));
	assert_non_null(strstr(raw, "person.name"));
	free(raw);
	/* Rows are a table at once. */
	expect_result("{\"content\":[{\"type\":\"text\",\"text\":\"two\"}],"
		      "\"structuredContent\":{\"rows\":[{\"a\":1},{\"a\":2}]}}",
		      "|two|rows:|a|1|2|");
}

static void test_special(void **state)
{
	json_auto_t *people = json_pack("{s:{s:s}}", "bob@x.com", "name", "B<ob>");
	json_auto_t *hosts = json_pack("[s]", "docs.x.com");
	const struct slack_result_view view = { .people = people, .hosts = hosts };
	json_auto_t *record = record_of(
		"{\"content\":[],\"structuredContent\":{\"t\":"
		"\"2026-11-22T10:00:00.5+01:00\",\"no\":\"2026-99-22T10:00:00Z\","
		"\"who\":\"bob@x.com\",\"not\":\"bob@x.com \",\"good\":"
		"\"https://docs.x.com/a\",\"bad\":\"https://docs.x.com.evil/\"}}");
	struct slack_result r = draw(record, &view);
	char *raw = json_dumps(r.messages, JSON_COMPACT);

	(void)state;
	assert_non_null(strstr(raw, "\"timestamp\":1795338000,"));
	assert_null(strstr(raw, "\"timestamp\":1795338000,\"timestamp\""));
	assert_non_null(strstr(raw, "\"text\":\"2026-99-22T10:00:00Z\""));
	assert_non_null(strstr(raw, "@B<ob> (bob@x.com)"));
	assert_non_null(strstr(raw, "\"text\":\"bob@x.com \""));
	assert_null(strstr(raw, "user_id"));
	assert_non_null(strstr(raw, "\"url\":\"https://docs.x.com/a\""));
	assert_null(strstr(raw, "\"url\":\"https://docs.x.com.evil/\""));
	free(raw);
	slack_result_done(&r);
}

/* Who is meant is shown as Slack shows them, where that notifies nobody. */
static void test_mentions(void **state)
{
	json_auto_t *people = json_pack("{s:{s:s}, s:{s:s}}", "bob@x.com", "id", "U0BOB",
					"eve@x.com", "id", "<!here>");
	struct slack_result_view view = { .people = people };
	json_auto_t *record = record_of(
		"{\"content\":[],\"structuredContent\":{\"owner\":\"bob@x.com\",\"not\":"
		"\"U0CAROL\",\"other\":\"eve@x.com\",\"systems\":{\"slack\":{\"user_id\":"
		"\"U0JOHN\"}},\"rows\":[{\"slack\":\"U0JANE\",\"note\":\"<@U0X>\"},"
		"{\"slack\":\"<!channel>\",\"note\":\"U0Y\"}]}}");

	(void)state;
	for (int i = 0; i < 2; i++) {
		view.mentions = i > 0;
		struct slack_result r = draw(record, &view);
		char *raw = json_dumps(r.messages, JSON_COMPACT);
		static const char *const ids[] = { "U0BOB", "U0JOHN", "U0JANE" };

		for (size_t n = 0; n < ARRAY_SIZE(ids); n++) {
			char user[64];

			(void)snprintf(user, sizeof user, "\"user_id\":\"%s\"", ids[n]);
			assert_int_equal(strstr(raw, user) != NULL, view.mentions);
		}
		assert_null(strstr(raw, "\"user_id\":\"<"));
		assert_null(strstr(raw, "\"user_id\":\"U0C"));
		assert_null(strstr(raw, "\"user_id\":\"U0X"));
		assert_null(strstr(raw, "\"user_id\":\"U0Y"));
		assert_non_null(strstr(raw, "bob@x.com"));
		assert_null(strstr(raw, "broadcast"));
		free(raw);
		slack_result_done(&r);
	}
}

static void test_secrets(void **state)
{
	json_auto_t *record = record_of(
		"{\"content\":[{\"type\":\"text\",\"text\":\"password=hunter2 "
		"ok\"}],\"structuredContent\":{\"api_key\":\"hunter3\",\"pin\":{"
		"\"secret\":12345},\"rows\":[{\"token\":\"hunter4\",\"n\":1}],"
		"\"note\":\"xoxb-123456789012-hunter5\",\"token\":null}}");
	_cleanup_strbuf_ struct strbuf said = STRBUF_INIT, file = STRBUF_INIT;
	char name[SLACK_RESULT_NAME_BYTES];
	struct error err = ERROR_INIT;

	(void)state;
	say(record, NULL, &said);
	assert_true(slack_result_file(record, &file, name, &err));
	assert_string_equal(name, "accounts.get_account.txt");
	for (int i = 0; i < 2; i++) {
		const char *text = i ? file.data : said.data;

		assert_null(strstr(text, "hunter"));
		assert_null(strstr(text, "12345\""));
		assert_non_null(strstr(text, "[redacted]"));
		assert_non_null(strstr(text, "ok"));
	}
	/* The record itself is as it was. */
	assert_string_equal(
		json_get_string(json_object_get(json_object_get(record, "result"),
						"structuredContent"),
				"api_key"),
		"hunter3");
}

/* --- endings --- */

static void test_endings(void **state)
{
	static const struct {
		const char *state, *words;
	} endings[] = {
		{ "cancelled", "Cancelled; nothing ran. |a.b|" },
		{ "lapsed", "It was approved, and did not begin in time; nothing ran. " },
		{ "unknown",
		  "Nobody knows whether it happened, and it is not repeated." },
		{ "denied", "Denied; nothing ran. " },
		{ "expired", "Nobody approved it in time; nothing ran. " },
		{ "executing", "It has not ended. " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		json_auto_t *record = json_pack("{s:s, s:s, s:s}", "state",
						endings[i].state, "server", "a", "tool",
						"b");

		expect(record, endings[i].words);
	}
}

static void test_errors(void **state)
{
	json_auto_t *failed =
		json("{\"state\":\"failed\",\"server\":\"a\",\"tool\":\"b\",\"outcome\":{"
		     "\"error\":{\"code\":\"protected\",\"message\":\"<root> is "
		     "kept\",\"hint\":"
		     "\"ask\"},\"verified\":false}}");
	json_auto_t *several = json(
		"{\"state\":\"failed\",\"server\":\"gate\",\"tool\":\"several\","
		"\"parts\":["
		"{\"state\":\"succeeded\",\"server\":\"a\",\"tool\":\"one\",\"result\":{"
		"\"content\":[{\"type\":\"text\",\"text\":\"first\"}]}},{\"state\":"
		"\"unknown\",\"server\":\"a\",\"tool\":\"two\"}]}");

	(void)state;
	expect(failed, "It failed. |a.b|\n|Why: it is protected. In the server's "
		       "words:|<root> is "
		       "kept|What can be done:|ask|The server could not read back");
	expect(several, "Done. |a.one|first|Nobody knows");
	expect_result(
		"{\"isError\":true,\"content\":[{\"type\":\"text\",\"text\":\"x\"}],"
		"\"structuredContent\":{\"error\":{\"code\":\"ambiguous\",\"message\":"
		"\"two\",\"details\":{\"candidates\":[{\"dn\":\"a\"},{\"dn\":\"b\"}]}}}}",
		"Why: several match. In the server's words:|two|It could be one of these "
		"2:|dn|a|b|");
	expect_result(
		"{\"isError\":true,\"content\":[{\"type\":\"text\",\"text\":\"oops\"}]}",
		"oops|");
}

static void test_no_record(void **state)
{
	json_auto_t *nothing = json("{\"id\":\"A1\"}");
	const struct slack_result_view view = { 0 };
	struct error err = ERROR_INIT;
	struct slack_result r;

	(void)state;
	assert_false(slack_result_draw(nothing, &view, &r, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
}

/* --- limits --- */

static json_t *rows_of(size_t rows, size_t columns, size_t bytes)
{
	json_t *record = record_of("{\"content\":[],\"structuredContent\":[]}");
	json_t *list =
		json_object_get(json_object_get(record, "result"), "structuredContent");
	_cleanup_free_ char *value = malloc(bytes);

	assert_non_null(value);
	memset(value, 'v', bytes);
	for (size_t i = 0; i < rows; i++) {
		json_t *row = json_object();
		char name[16];

		for (size_t j = 0; j < columns; j++) {
			(void)snprintf(name, sizeof name, "c%zu", j);
			json_object_set_new(row, name, json_stringn(value, bytes));
		}
		json_array_append_new(list, row);
	}
	return record;
}

static void check_rows(size_t rows, size_t columns, size_t bytes, bool is_table,
		       bool is_whole)
{
	json_auto_t *record = rows_of(rows, columns, bytes);
	struct slack_result r = draw(record, NULL);
	char *raw = json_dumps(r.messages, JSON_COMPACT);

	assert_int_equal(strstr(raw, "\"table\"") != NULL, is_table);
	assert_int_equal(r.pages == 0, is_whole);
	assert_int_equal(strstr(raw, SLACK_RESULT_SHOW) == NULL, is_whole);
	free(raw);
	slack_result_done(&r);
}

static void test_tables(void **state)
{
	(void)state;
	check_rows(99, 1, 10, true, true);
	check_rows(100, 1, 10, true, false);
	check_rows(3, 20, 10, true, true);
	check_rows(3, 21, 10, false, true);
	check_rows(3, 1, 300, true, true);
	check_rows(3, 1, 301, true, false);
}

/* Many cells that are elements each: fewer rows, so that a message stays a message. */
static void test_many_elements(void **state)
{
	json_auto_t *record = rows_of(99, 20, 1);
	json_t *rows =
		json_object_get(json_object_get(record, "result"), "structuredContent");
	size_t i, most = 0;
	json_t *row, *message;

	(void)state;
	json_array_foreach(rows, i, row)
	{
		for (int j = 0; j < 20; j++) {
			char name[16];

			(void)snprintf(name, sizeof name, "c%d", j);
			json_object_set_new(row, name, json_pack("[i, i, i]", 1, 2, 3));
		}
	}
	struct slack_result r = draw(record, NULL);
	json_array_foreach(r.messages, i, message)
	{
		const size_t count = rich_count(json_object_get(message, "blocks"));

		most = count > most ? count : most;
	}
	assert_in_range(most, RICH_COUNT_MAX / 2, RICH_COUNT_MAX + 20);
	assert_true(r.pages > 0 || r.as_file);
	slack_result_done(&r);
}

static json_t *page_of(const json_t *record, size_t page, size_t *ret_pages)
{
	const struct slack_result_view view = { .id = "A1" };
	struct error err = ERROR_INIT;
	json_t *modal = slack_result_page(record, &view, page, ret_pages, &err);

	assert_int_equal(err.code, modal ? ERR_NONE : ERR_NOT_FOUND);
	return modal;
}

/* Four parts of 2,400 characters make a page, with room for 120 besides. */
static void test_pages(void **state)
{
	enum { BESIDES = 120 };
	const size_t most = (size_t)SLACK_RESULT_PAGES_MAX * 4 * RICH_PIECE_MAX;
	_cleanup_free_ char *text = malloc(most + BESIDES + 1);
	size_t pages = 0;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', most + BESIDES + 1);
	for (int more = 0; more < 2; more++) {
		json_auto_t *record = record_of_text(text, most + BESIDES + (size_t)more);
		struct slack_result r = draw(record, NULL);
		json_auto_t *last = page_of(record, SLACK_RESULT_PAGES_MAX, &pages);
		json_auto_t *beyond = page_of(record, SLACK_RESULT_PAGES_MAX + 1, &pages);
		json_auto_t *before = page_of(record, 0, &pages);

		assert_int_equal(r.as_file, more);
		assert_int_equal(r.pages, more ? 0 : SLACK_RESULT_PAGES_MAX);
		/* Of what is a file there are as many, and the last says that it is cut. */
		assert_non_null(last);
		assert_int_equal(says(last, "characters shown"), more);
		assert_null(beyond);
		assert_null(before);
		slack_result_done(&r);
	}
}

static void test_file(void **state)
{
	_cleanup_free_ char *text = malloc(SLACK_RESULT_FILE_MAX);
	struct error err = ERROR_INIT;
	char name[SLACK_RESULT_NAME_BYTES];
	size_t besides;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', SLACK_RESULT_FILE_MAX);
	json_auto_t *empty = record_of_text("", 0);
	_cleanup_strbuf_ struct strbuf least = STRBUF_INIT;
	assert_true(slack_result_file(empty, &least, name, &err));
	besides = least.length;
	for (size_t more = 0; more < 2; more++) {
		json_auto_t *record =
			record_of_text(text, SLACK_RESULT_FILE_MAX - besides + more);
		_cleanup_strbuf_ struct strbuf file = STRBUF_INIT;

		assert_true(slack_result_file(record, &file, name, &err));
		assert_int_equal(strstr(file.data, " bytes shown.") != NULL, more);
	}
	json_auto_t *odd =
		json("{\"state\":\"failed\",\"server\":\"../a\",\"tool\":\"b\"}");
	_cleanup_strbuf_ struct strbuf other = STRBUF_INIT;
	assert_true(slack_result_file(odd, &other, name, &err));
	assert_string_equal(name, "result.txt");
}

static void test_values_of_buttons(void **state)
{
	static const char *const bad[] = {
		"",     "A1",    "A1 ",      "A1 x",  " 1",
		"A1 0", "A1 -1", "A1 10000", "<A> 1", "A1 1 2"
	};
	char id[8];
	size_t page = 0;

	(void)state;
	assert_true(slack_result_read_value("A1 7", id, sizeof id, &page));
	assert_string_equal(id, "A1");
	assert_int_equal(page, 7);
	assert_true(slack_result_read_value("ABCDEFG 9999", id, sizeof id, &page));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (slack_result_read_value(bad[i], id, sizeof id, &page))
			fail_msg("'%s' was taken", bad[i]);
	assert_false(slack_result_read_value("ABCDEFGH 1", id, sizeof id, &page));
	assert_false(slack_result_read_value(NULL, id, sizeof id, &page));
}

/* An id that could be markup makes no button: then all of it is a file. */
static void test_no_button_without_an_id(void **state)
{
	json_auto_t *record = rows_of(200, 1, 10);
	const struct slack_result_view view = { .id = "a <!here>" };
	struct slack_result r = draw(record, &view);

	(void)state;
	assert_true(r.as_file);
	assert_int_equal(r.pages, 0);
	slack_result_done(&r);
}

static void test_progress(void **state)
{
	static const struct {
		const char *server;
		int64_t ran_ms;
		const char *words;
	} cases[] = {
		{ "a", 12999, "a.b is running, for 12 s." },
		{ "a", -5, "a.b is running, for 0 s." },
		{ "a", SLACK_RESULT_STILL_MS - 1, "a.b is running, for 29 s." },
		{ "a", SLACK_RESULT_STILL_MS, "a.b is still running, for 30 s." },
		{ "a", 119999, "a.b is still running, for 119 s." },
		{ "a", 120000, "a.b is still running, for 2 minutes." },
		{ "<!here>", 1000, "The call is running, for 1 s." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		json_auto_t *message = slack_result_progress(cases[i].server, "b",
							     cases[i].ran_ms, &err);

		assert_string_equal(json_get_string(message, "text"), cases[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_words_first),
		cmocka_unit_test(test_special),
		cmocka_unit_test(test_mentions),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_endings),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_no_record),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_many_elements),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_values_of_buttons),
		cmocka_unit_test(test_no_button_without_an_id),
		cmocka_unit_test(test_progress),
	};

	return cmocka_run_group_tests_name("slack-result", tests, NULL, NULL);
}
