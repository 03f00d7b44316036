/* The revisions that begin with 'initialize', over real HTTP: table 4.1, results, batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture/rig.h"
#include "mcp/serving.h"

static struct rig rig;

#include "mcp/session_test.h"

#define INITIALIZE(version)                                                              \
	REQUEST("initialize", "\"protocolVersion\":\"" version                           \
			      "\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\","   \
			      "\"version\":\"1\"}")
#define ECHO                                                                             \
	REQUEST("tools/call", "\"name\":\"echo_text\",\"arguments\":{\"text\":\"hi\"}")
#define NOTE   "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"
#define ANSWER "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"
#define CLAIM  "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}"

static const char CONFIG[] =
	"freed_reads: [echo_text, get_route, fail_with, sleep_for]\n"
	"audit_freed_reads: false\nlimits: {calls_per_caller: 4, body_bytes: 65536}\n";

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	/* That judges by the newest revision; here it is each by its own. */
	conform_free(rig.conform);
	rig.conform = NULL;
	rig_config(&rig, CONFIG);
	rig_start(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

/* ---- Helpers ---- */

static int code_of(const struct answer *a)
{
	return (int)json_get_int64(json_object_get(a->body, "error"), "code", 0);
}

/* ---- Table 4.1 ---- */

struct row {
	const char *name, *headers, *body;
	int status, code;
};

/* Without a session. */
static const struct row rows[] = {
	{ "initialize", TYPES, INITIALIZE("2025-11-25"), 200, 0 },
	{ "initialize, legacy header", TYPES "MCP-Protocol-Version: 2025-06-18\r\n",
	  INITIALIZE("2025-06-18"), 200, 0 },
	{ "initialize, stale session", TYPES "Mcp-Session-Id: gone\r\n",
	  INITIALIZE("2025-06-18"), 200, 0 },
	{ "initialize, modern header", TYPES "MCP-Protocol-Version: 2026-07-28\r\n",
	  INITIALIZE("2025-11-25"), 400, -32020 },
	{ "initialize, later header", TYPES "MCP-Protocol-Version: 2027-01-01\r\n",
	  INITIALIZE("2025-11-25"), 400, -32020 },
	{ "initialize, odd header", TYPES "MCP-Protocol-Version: v999\r\n",
	  INITIALIZE("2025-11-25"), 400, -32600 },
	{ "initialize with the envelope",
	  TYPES "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: initialize\r\n",
	  REQUEST("initialize",
		  "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
		  "\"io.modelcontextprotocol/clientCapabilities\":{}}"),
	  404, -32601 },
	{ "initialize without a version", TYPES, REQUEST("initialize", ""), 200, -32602 },
	{ "other, modern header", TYPES "MCP-Protocol-Version: 2026-07-28\r\n",
	  REQUEST("tools/list", ""), 400, -32602 },
	{ "other, no session", TYPES, REQUEST("tools/list", ""), 400, -32600 },
	{ "other, legacy header, no session",
	  TYPES "MCP-Protocol-Version: 2025-11-25\r\n", REQUEST("tools/list", ""), 400,
	  -32600 },
	{ "other, unknown session", TYPES "Mcp-Session-Id: gone\r\n",
	  REQUEST("tools/list", ""), 404, -32600 },
	{ "notification, modern key", TYPES,
	  "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{" CLAIM "}}", 202, 0 },
	{ "notification, modern header", TYPES "MCP-Protocol-Version: 2026-07-28\r\n",
	  NOTE, 202, 0 },
	{ "notification, no session", TYPES, NOTE, 400, -32600 },
	{ "notification, unknown session", TYPES "Mcp-Session-Id: gone\r\n", NOTE, 404,
	  -32600 },
	{ "answer, no session", TYPES, ANSWER, 400, -32600 },
	{ "answer, modern header", TYPES "MCP-Protocol-Version: 2026-07-28\r\n", ANSWER,
	  400, -32600 },
	{ "array, no session", TYPES, "[" ECHO "]", 400, -32600 },
	{ "array, modern header", TYPES "MCP-Protocol-Version: 2026-07-28\r\n",
	  "[" ECHO "]", 400, -32600 },
	{ "array, unknown session", TYPES "Mcp-Session-Id: gone\r\n", "[" ECHO "]", 400,
	  -32600 },
	{ "no JSON-RPC", TYPES, "{\"a\":1}", 400, -32600 },
};

static void every_row_of_the_table(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_answer_ struct answer a =
			rig_post(&rig, rig.alice, rows[i].headers, rows[i].body);
		if (a.status == rows[i].status && code_of(&a) == rows[i].code)
			continue;
		wrong++;
		print_message("# %s: got %d %s\n", rows[i].name, a.status, a.text);
	}
	assert_int_equal(wrong, 0);
}

static void versions_are_negotiated(void **state)
{
	static const char *const pairs[][2] = {
		{ "2024-11-05", "2024-11-05" }, { "2025-03-26", "2025-03-26" },
		{ "2025-06-18", "2025-06-18" }, { "2025-11-25", "2025-11-25" },
		{ "2026-07-28", "2025-11-25" }, { "1999-01-01", "2025-11-25" },
		{ "", "2025-11-25" },
	};
	char body[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		(void)snprintf(body, sizeof body,
			       REQUEST("initialize", "\"protocolVersion\":\"%s\""),
			       pairs[i][0]);
		_cleanup_answer_ struct answer a = rig_post(&rig, rig.alice, TYPES, body);
		const json_t *r = answer_result(&a);
		const json_t *info = json_object_get(r, "serverInfo");

		assert_string_equal(json_get_string(r, "protocolVersion"), pairs[i][1]);
		assert_string_equal(json_get_string(info, "name"), "wingman-fixture");
		assert_int_equal(json_object_get(info, "title") != NULL,
				 strcmp(pairs[i][1], "2025-06-18") >= 0);
		assert_true(json_is_object(
			json_object_get(json_object_get(r, "capabilities"), "tools")));
		assert_null(json_object_get(r, "resultType"));
		assert_null(json_object_get(r, "_meta"));
	}
	_cleanup_answer_ struct answer gate =
		rig_post(&rig, rig.gate, TYPES, INITIALIZE("2025-11-25"));
	assert_int_equal(gate.status, 400);
}

/* ---- Requests ---- */

static void requests_within_a_session(void **state)
{
	static const struct row requests[] = {
		{ "ping", "", REQUEST("ping", ""), 200, 0 },
		{ "own header", "MCP-Protocol-Version: 2025-11-25\r\n",
		  REQUEST("ping", ""), 200, 0 },
		{ "odd header", "MCP-Protocol-Version: 2025-12-24\r\n",
		  REQUEST("ping", ""), 400, -32600 },
		{ "setLevel", "", REQUEST("logging/setLevel", "\"level\":\"debug\""), 200,
		  0 },
		{ "bad level", "", REQUEST("logging/setLevel", "\"level\":\"loud\""), 200,
		  -32602 },
		{ "unknown method", "", REQUEST("tools/fly", ""), 200, -32601 },
		{ "modern method", "", REQUEST("server/discover", ""), 200, -32601 },
		{ "unknown tool", "", REQUEST("tools/call", "\"name\":\"x\""), 200,
		  -32602 },
		{ "param headers are modern", "",
		  REQUEST("tools/call",
			  "\"name\":\"get_route\",\"arguments\":{\"region\":\"eu\"}"),
		  200, 0 },
		/* S-42 */
		{ "missing resource", "",
		  REQUEST("resources/read", "\"uri\":\"fixture://nothing\""), 200,
		  -32002 },
		{ "bad cursor", "", REQUEST("tools/list", "\"cursor\":\"x\""), 200,
		  -32602 },
		{ "notification", "", NOTE, 202, 0 },
		{ "cancelled", "",
		  "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
		  "cancelled\",\"params\":{\"requestId\":7}}",
		  202, 0 },
		{ "answer", "", ANSWER, 202, 0 },
		{ "batch", "", "[" ECHO "]", 400, -32600 },
	};
	char id[64];
	size_t wrong = 0;

	(void)state;
	begin(rig.alice, "2025-11-25", id);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		_cleanup_answer_ struct answer a =
			post(rig.alice, id, requests[i].headers, requests[i].body);
		bool good = a.status == requests[i].status &&
			    code_of(&a) == requests[i].code &&
			    (a.status != 202 || !*a.text) &&
			    (a.status == 400 || !a.text || !strstr(a.text, "-3202"));
		if (good)
			continue;
		wrong++;
		print_message("# %s: got %d %s\n", requests[i].name, a.status, a.text);
	}
	assert_int_equal(wrong, 0);
	_cleanup_answer_ struct answer ping =
		post(rig.alice, id, "", REQUEST("ping", ""));
	assert_string_equal(ping.text, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}");
	/* S-61 */
	_cleanup_answer_ struct answer level = post(
		rig.alice, id, "", REQUEST("logging/setLevel", "\"level\":\"error\""));
	assert_string_equal(level.text, ping.text);
}

static void results_are_of_their_revision(void **state)
{
	static const char *const versions[] = { "2024-11-05", "2025-03-26", "2025-06-18",
						"2025-11-25" };
	char id[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct conform *official = conform_new_revision(versions[i]);
		bool is_new = i >= 2;

		begin(rig.bob, versions[i], id);
		_cleanup_answer_ struct answer list =
			post(rig.bob, id, "", REQUEST("tools/list", ""));
		const json_t *tool =
			json_array_get(json_object_get(answer_result(&list), "tools"), 0);
		assert_string_equal(json_get_string(tool, "name"), "echo_text");
		assert_non_null(json_object_get(tool, "inputSchema"));
		assert_int_equal(json_object_get(tool, "title") != NULL, is_new);
		assert_int_equal(json_object_get(tool, "outputSchema") != NULL, is_new);
		assert_int_equal(json_object_get(tool, "annotations") != NULL, i >= 1);
		assert_null(json_object_get(answer_result(&list), "ttlMs"));
		assert_null(json_object_get(answer_result(&list), "resultType"));

		_cleanup_answer_ struct answer call = post(rig.bob, id, "", ECHO);
		const json_t *r = answer_result(&call);
		const json_t *content = json_object_get(r, "content");
		assert_true(
			conform_is(official, "ListToolsResult", answer_result(&list)));
		assert_true(conform_is(official, "CallToolResult", r));
		assert_int_equal(json_object_get(r, "structuredContent") != NULL, is_new);
		assert_int_equal(json_array_size(content), is_new ? 1 : 2);
		if (!is_new)
			assert_non_null(strstr(
				json_get_string(json_array_get(content, 1), "text"),
				"\"text\":\"hi\""));
		assert_null(json_object_get(r, "resultType"));

		_cleanup_answer_ struct answer link = post(
			rig.bob, id, "", REQUEST("tools/call", "\"name\":\"get_route\""));
		assert_int_equal(strstr(link.text, "resource_link") != NULL, is_new);
		assert_true(conform_is(official, "CallToolResult", answer_result(&link)));
		conform_free(official);
	}
}

static void writes_need_their_approval_as_ever(void **state)
{
	char id[64];

	(void)state;
	begin(rig.alice, "2025-11-25", id);
	_cleanup_answer_ struct answer a =
		post(rig.alice, id, "",
		     REQUEST("tools/call",
			     "\"name\":\"put_value\",\"arguments\":{\"key\":\"a\","
			     "\"value\":\"b\",\"reason\":\"because\"}"));
	assert_string_equal(answer_code(&a), "backend_unavailable");
	_cleanup_answer_ struct answer grant =
		post(rig.alice, id, "",
		     REQUEST("tools/call",
			     "\"name\":\"echo_text\",\"arguments\":{\"text\":\"x\"},"
			     "\"_meta\":{\"org.wingman/grant\":\"x.y\"}"));
	assert_string_equal(answer_code(&grant), "approval_invalid");
	assert_int_equal(rig_runs(&rig), 0);
	begin(rig.bob, "2025-11-25", id);
	_cleanup_answer_ struct answer scope =
		post(rig.bob, id, "", REQUEST("tools/call", "\"name\":\"put_value\""));
	assert_int_equal(scope.status, 403);
}

static void errors_without_an_id_say_null_to_old_clients(void **state)
{
	char old[64], new[64];

	(void)state;
	begin(rig.alice, "2025-06-18", old);
	begin(rig.alice, "2025-11-25", new);
	_cleanup_answer_ struct answer a = post(rig.alice, old, "", "{");
	assert_int_equal(code_of(&a), -32700);
	assert_true(json_is_null(json_object_get(a.body, "id")));
	_cleanup_answer_ struct answer b = post(rig.alice, new, "", "{");
	assert_int_equal(code_of(&b), -32700);
	assert_null(json_object_get(b.body, "id"));
}

/* ---- Batches ---- */

static void batches_are_for_one_revision(void **state)
{
	_cleanup_strbuf_ struct strbuf many = STRBUF_INIT;
	char id[64];

	(void)state;
	begin(rig.alice, "2025-03-26", id);
	_cleanup_answer_ struct answer a =
		post(rig.alice, id, "",
		     "[" REQUEST("ping", "") "," NOTE "," ECHO ",7," INITIALIZE(
			     "2025-03-26") "," REQUEST("tools/list", CLAIM) "]");
	assert_int_equal(a.status, 200);
	assert_int_equal(json_array_size(a.body), 5);
	assert_non_null(json_object_get(json_array_get(a.body, 0), "result"));
	assert_non_null(json_object_get(json_array_get(a.body, 1), "result"));
	for (size_t i = 2; i < 5; i++)
		assert_int_equal(json_get_int64(json_object_get(json_array_get(a.body, i),
								"error"),
						"code", 0),
				 -32600);
	_cleanup_answer_ struct answer notes =
		post(rig.alice, id, "", "[" NOTE "," ANSWER "]");
	assert_int_equal(notes.status, 202);
	assert_string_equal(notes.text, "");
	_cleanup_answer_ struct answer empty = post(rig.alice, id, "", "[]");
	assert_int_equal(empty.status, 400);
	assert_int_equal(code_of(&empty), -32600);
	for (int extra = 0; extra < 2; extra++) {
		strbuf_clear(&many);
		for (int i = 0; i < 32 + extra; i++)
			strbuf_add_format(&many, "%s%s", i ? "," : "[",
					  REQUEST("ping", ""));
		strbuf_add_char(&many, ']');
		_cleanup_answer_ struct answer b = post(rig.alice, id, "", many.data);
		assert_int_equal(b.status, extra ? 400 : 200);
	}
	_cleanup_answer_ struct answer slow = post(
		rig.alice, id, "",
		"[" REQUEST("tools/call",
			    "\"name\":\"sleep_for\",\"arguments\":{\"ms\":50}") "," ECHO
										"]");
	assert_int_equal(json_array_size(slow.body), 2);
	begin(rig.alice, "2025-06-18", id);
	_cleanup_answer_ struct answer other = post(rig.alice, id, "", "[" NOTE "]");
	assert_int_equal(other.status, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table),
		cmocka_unit_test(versions_are_negotiated),
		cmocka_unit_test(requests_within_a_session),
		cmocka_unit_test(results_are_of_their_revision),
		cmocka_unit_test(writes_need_their_approval_as_ever),
		cmocka_unit_test(errors_without_an_id_say_null_to_old_clients),
		cmocka_unit_test(batches_are_for_one_revision),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
