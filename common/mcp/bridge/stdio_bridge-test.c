/* The pure parts of the bridge: bytes into lines, headers of a message, answers as lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mcp/bridge/bridge_answer.h"
#include "mcp/bridge/bridge_headers.h"
#include "mcp/bridge/bridge_lines.h"
#include "mcp/bridge/stdio_bridge.h"

/* ---- Lines ---- */

/* What 'text' reads as in pieces of 'piece' bytes: lines in brackets, '!' for too long. */
static void check_lines(const char *text, size_t piece, const char *wanted)
{
	struct bridge_lines l = BRIDGE_LINES_INIT(4);
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	size_t length = strlen(text), line_length;
	enum bridge_line what = BRIDGE_LINE_NONE;
	const char *line;

	for (size_t at = 0; at < length; at += piece) {
		bridge_lines_feed(&l, text + at,
				  length - at < piece ? length - at : piece);
		while ((what = bridge_lines_next(&l, &line, &line_length)))
			if (what == BRIDGE_LINE_TOO_LONG)
				strbuf_add_char(&got, '!');
			else
				strbuf_add_format(&got, "[%.*s]", (int)line_length, line);
	}
	if (bridge_lines_last(&l, &line, &line_length) == BRIDGE_LINE_WHOLE)
		strbuf_add_format(&got, "(%s)", line);
	assert_string_equal(got.data, wanted);
	bridge_lines_done(&l);
}

static void test_lines(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{ "", "" },
		{ "\n", "[]" },
		{ "ab\ncd\n", "[ab][cd]" },
		{ "ab\ncd", "[ab](cd)" },
		{ "abcd\n", "[abcd]" },
		{ "abcde\n", "!" },
		{ "abcd", "(abcd)" },
		{ "abcde", "!" },
		{ "abcdefghijklmnop\nab\n", "![ab]" },
		{ "ab\nabcde\n\nab\r\n", "[ab]![][ab\r]" },
		{ "abcde\nabcde\nabcd\n", "!![abcd]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t piece = 1; piece < 20; piece++)
			check_lines(rows[i].text, piece, rows[i].wanted);
}

/* ---- Headers ---- */

static const char *find(const struct bridge_headers *h, const char *name)
{
	for (size_t i = 0; h->list[i].name; i++)
		if (strcmp(h->list[i].name, name) == 0)
			return h->list[i].value;
	return NULL;
}

static void check_name(const char *method, const char *member, const char *value,
		       const char *wanted)
{
	json_auto_t *params = json_pack("{s:s, s:{s:s}}", member, value, "_meta",
					"io.modelcontextprotocol/protocolVersion",
					"2026-07-28");
	struct jsonrpc_message m = { .kind = JSONRPC_REQUEST,
				     .method = method,
				     .params = params };
	struct bridge_headers h;

	bridge_headers_init(&h);
	bridge_headers_modern(&h, &m);
	assert_string_equal(find(&h, "MCP-Protocol-Version"), "2026-07-28");
	assert_string_equal(find(&h, "Mcp-Method"), method);
	assert_string_equal(find(&h, "Content-Type"), "application/json");
	assert_string_equal(find(&h, "Accept"), "application/json, text/event-stream");
	if (wanted)
		assert_string_equal(find(&h, "Mcp-Name"), wanted);
	else
		assert_null(find(&h, "Mcp-Name"));
	bridge_headers_done(&h);
}

static void test_names(void **state)
{
	(void)state;
	check_name("tools/call", "name", "sum", "sum");
	check_name("prompts/get", "name", "two words", "two words");
	check_name("resources/read", "uri", "person://a", "person://a");
	check_name("tasks/get", "taskId", "t1", "t1");
	check_name("tools/list", "name", "sum", NULL);
	check_name("tools/call", "uri", "sum", NULL);
	check_name("tools/call", "name", "Z\xc3\xbcrich", "=?base64?WsO8cmljaA==?=");
	check_name("tools/call", "name", "a\r\nb", "=?base64?YQ0KYg==?=");
}

static void test_mirror(void **state)
{
	json_auto_t *params = json_pack("{s:s}", "name", "sum");
	struct jsonrpc_message m = { .method = "tools/call", .params = params };
	struct bridge_headers h;

	(void)state;
	bridge_headers_init(&h);
	for (int i = 0; i < PARAM_HEADERS_MAX; i++)
		strbuf_add_format(&h.mirror, "Mcp-Param-%d%cv%d%c", i, 0, i, 0);
	bridge_headers_modern(&h, &m);
	assert_null(
		find(&h, "MCP-Protocol-Version")); /* the envelope had no text for it */
	assert_string_equal(find(&h, "Mcp-Name"), "sum");
	assert_string_equal(find(&h, "Mcp-Param-0"), "v0");
	assert_string_equal(find(&h, "Mcp-Param-15"), "v15");
	bridge_headers_done(&h);
}

static void test_session_headers(void **state)
{
	struct bridge_headers h;

	(void)state;
	bridge_headers_init(&h);
	bridge_headers_session(&h, "2025-06-18", "");
	assert_string_equal(find(&h, "MCP-Protocol-Version"), "2025-06-18");
	assert_null(find(&h, "Mcp-Session-Id"));
	assert_null(find(&h, "Mcp-Method"));
	bridge_headers_done(&h);
	bridge_headers_init(&h);
	bridge_headers_session(&h, "2025-06-18", "s1");
	assert_string_equal(find(&h, "Mcp-Session-Id"), "s1");
	bridge_headers_done(&h);
}

/* ---- Answers ---- */

#define RESULT(id, text) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" text "}"
#define NOTE             "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}"
#define REQUEST          "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"roots/list\"}"

/* Of messages one after the other, to a client that waits for 7 and, 'two', for "a". */
static void check(struct bridge_asked asked, bool two, const char *const *messages,
		  const char *wanted, size_t open)
{
	_cleanup_strbuf_ struct strbuf lines = STRBUF_INIT;
	json_auto_t *first = json_integer(7), *second = json_string("a");

	assert_true(bridge_asked_add(&asked, first));
	assert_true(!two || bridge_asked_add(&asked, second));
	for (; *messages; messages++)
		bridge_answer_take(&asked, *messages, strlen(*messages), &lines);
	assert_string_equal(lines.data, wanted);
	assert_int_equal(json_array_size(asked.open), open);
	bridge_asked_done(&asked);
}
#define MESSAGES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const struct bridge_asked modern, legacy = { .is_legacy = true };

static void test_answers(void **state)
{
	(void)state;
	check(modern, false, MESSAGES(RESULT("7", "{\"n\":1.50}")),
	      RESULT("7", "{\"n\":1.50}") "\n", 0);
	check(modern, false,
	      MESSAGES("{\"jsonrpc\":\"2.0\",\r\n\"id\":7,\n\"result\":{}}\n"),
	      "{\"jsonrpc\":\"2.0\",  \"id\":7, \"result\":{}} \n", 0);
	/* one answer; not another's; nothing that is no MCP */
	check(modern, false,
	      MESSAGES(NOTE, RESULT("7", "{}"), RESULT("7", "{\"twice\":1}")),
	      NOTE "\n" RESULT("7", "{}") "\n", 0);
	check(modern, false,
	      MESSAGES(RESULT("\"7\"", "{}"), RESULT("8", "{}"), "junk", "", "[]", "7",
		       "{\"id\":7,\"result\":{}}", RESULT("7", "{\"n\":1e400000}")),
	      "", 1);
	/* without an id: given that of the request, or the client would wait for ever */
	check(modern, false,
	      MESSAGES("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":"
		       "\"no\","
		       "\"data\":[1]}}"),
	      "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32600,\"message\":"
	      "\"no\","
	      "\"data\":[1]}}\n",
	      0);
}

static void test_eras(void **state)
{
	const struct bridge_asked listen = { .is_listen = true };

	(void)state;
	check(modern, false, MESSAGES(REQUEST, "[" RESULT("7", "{}") "]"), "", 1);
	check(legacy, false, MESSAGES(REQUEST), REQUEST "\n", 1);
	check(listen, false, MESSAGES(RESULT("7", "{}")),
	      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
	      "\"requestId\":7}}\n" RESULT("7", "{}") "\n",
	      0);
}

static void test_batches(void **state)
{
	(void)state;
	check(legacy, true,
	      MESSAGES("[" RESULT("7", "{}") ",\n" RESULT("\"a\"", "{}") "]"),
	      "[" RESULT("7", "{}") "," RESULT("\"a\"", "{}") "]\n", 0);
	check(legacy, true, MESSAGES("[" RESULT("8", "{}") "," NOTE ",1]"),
	      "[" NOTE "]\n", 2);
	check(legacy, true, MESSAGES("[" RESULT("8", "{}") "]", "[]"), "", 2);
	check(legacy, true, MESSAGES(RESULT("\"a\"", "{}")), RESULT("\"a\"", "{}") "\n",
	      1);
	check(legacy, true,
	      MESSAGES("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1,"
		       "\"message\":\"no\"}}"),
	      "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1,\"message\":\"no\"}}\n"
	      "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":{\"code\":1,\"message\":"
	      "\"no\"}}\n",
	      0);
}

static void test_version(void **state)
{
	static const struct {
		const char *text, *version;
	} rows[] = {
		{ RESULT("7", "{\"protocolVersion\":\"2025-06-18\"}"), "2025-06-18" },
		{ RESULT("7", "{\"protocolVersion\":\"2025-06-18 and more\"}"), "" },
		{ RESULT("7", "{\"protocolVersion\":7}"), "" },
		{ RESULT("8", "{\"protocolVersion\":\"2025-06-18\"}"), "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bridge_asked asked = { .is_legacy = true, .is_initialize = true };
		_cleanup_strbuf_ struct strbuf lines = STRBUF_INIT;
		json_auto_t *id = json_integer(7);

		assert_true(bridge_asked_add(&asked, id));
		bridge_answer_take(&asked, rows[i].text, strlen(rows[i].text), &lines);
		assert_string_equal(asked.version, rows[i].version);
		bridge_asked_done(&asked);
	}
}

static void test_failures(void **state)
{
	struct bridge_asked asked = { 0 };
	_cleanup_strbuf_ struct strbuf lines = STRBUF_INIT;
	json_auto_t *id = json_string("x\ny");

	(void)state;
	bridge_answer_fail(&asked, -1, "nobody asked", &lines);
	assert_string_equal(lines.data, "");
	assert_true(bridge_asked_add(&asked, id));
	bridge_answer_fail(&asked, JSONRPC_PARSE_ERROR, "a \"quoted\"\nline", &lines);
	assert_string_equal(
		lines.data,
		"{\"jsonrpc\":\"2.0\",\"id\":\"x\\ny\",\"error\":{\"code\":-32700,"
		"\"message\":\"a \\\"quoted\\\"\\nline\"}}\n");
	assert_false(bridge_asked_is_open(&asked));
	bridge_asked_done(&asked);
	assert_int_equal(bridge_answer_code("{\"error\":{\"code\":-32020}}", 25), -32020);
	assert_int_equal(bridge_answer_code("{\"error\":7}", 11), 0);
	assert_int_equal(bridge_answer_code("junk", 4), 0);
}

/* ---- Where it goes ---- */

static void test_addresses(void **state)
{
	static const char *const refused[] = {
		"http://192.0.2.1/mcp",
		"http://127.0.0.1:80@192.0.2.1/mcp",
		"http://127.0.0.1@192.0.2.1/",
		"http://127.0.0.10/mcp",
		"http://localhost.example.org",
		"ftp://127.0.0.1/",
		"127.0.0.1:1/mcp",
		"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		const struct stdio_bridge_options options = {
			.url = refused[i], .in = -1, .out = -1, .stop_fd = -1
		};
		struct error err = ERROR_INIT;

		assert_false(stdio_bridge_run(&options, &err));
		assert_int_equal(err.code, ERR_PERMISSION_DENIED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),    cmocka_unit_test(test_names),
		cmocka_unit_test(test_mirror),   cmocka_unit_test(test_session_headers),
		cmocka_unit_test(test_answers),  cmocka_unit_test(test_eras),
		cmocka_unit_test(test_batches),  cmocka_unit_test(test_version),
		cmocka_unit_test(test_failures), cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
