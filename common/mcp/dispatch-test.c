/* Every way a request can be wrong, over real HTTP, and what PROTOCOL.md answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture/rig.h"

#define VERSION "MCP-Protocol-Version: 2026-07-28\r\n"
#define TYPES                                                                            \
	"Content-Type: application/json\r\nAccept: application/json, "                   \
	"text/event-stream\r\n"
#define KEYS                                                                             \
	"\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                    \
	"\"io.modelcontextprotocol/clientCapabilities\":{}"
#define META "\"_meta\":{" KEYS "}"
#define REQUEST(method, params)                                                          \
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"" method "\",\"params\":{" params "}}"
#define HEAD(method)    TYPES VERSION "Mcp-Method: " method "\r\n"
#define CALL_HEAD(name) HEAD("tools/call") "Mcp-Name: " name "\r\n"
#define ECHO_BODY                                                                        \
	REQUEST("tools/call",                                                            \
		"\"name\":\"echo_text\",\"arguments\":{\"text\":\"hi\"}," META)
#define ROUTE_HEAD CALL_HEAD("get_route")
#define ROUTE_BODY(arguments)                                                            \
	REQUEST("tools/call", "\"name\":\"get_route\",\"arguments\":" arguments "," META)

enum { NO_CODE = 0, NO_ID = -1, ANY_ID = -2 };

struct row {
	const char *name, *headers, *body;
	int status;
	int code; /* of JSON-RPC; 0: a result, or no body */
	int id;   /* 7 as sent; NO_ID: left out */
};

static const struct row rows[] = {
	/* S-04, shape */
	{ "no JSON", TYPES, "{\"jsonrpc\":", 400, -32700, NO_ID },
	{ "empty body", TYPES, "", 400, -32700, NO_ID },
	{ "duplicate keys", TYPES, "{\"jsonrpc\":\"2.0\",\"jsonrpc\":\"2.0\"}", 400,
	  -32700, NO_ID },
	{ "trailing garbage", TYPES, ECHO_BODY "x", 400, -32700, NO_ID },
	{ "lone surrogate", TYPES, "{\"a\":\"\\ud800\"}", 400, -32700, NO_ID },
	{ "a number", TYPES, "7", 400, -32600, NO_ID },
	{ "an array", TYPES, "[]", 400, -32600, NO_ID },
	{ "a batch", TYPES, "[" ECHO_BODY "]", 400, -32600, NO_ID },
	{ "no jsonrpc", TYPES, "{\"id\":7,\"method\":\"x\"}", 400, -32600, 7 },
	{ "jsonrpc 1.0", TYPES, "{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"x\"}", 400,
	  -32600, 7 },
	{ "id null", TYPES, "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"x\"}", 400,
	  -32600, NO_ID },
	{ "id fractional", TYPES, "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"x\"}",
	  400, -32600, NO_ID },
	{ "id 1.0", TYPES, "{\"jsonrpc\":\"2.0\",\"id\":1.0,\"method\":\"x\"}", 400,
	  -32600, NO_ID },
	{ "id boolean", TYPES, "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"x\"}", 400,
	  -32600, NO_ID },
	{ "id object", TYPES, "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"x\"}", 400,
	  -32600, NO_ID },
	{ "method number", TYPES, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":1}", 400,
	  -32600, 7 },
	{ "params array", TYPES,
	  "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"x\",\"params\":[]}", 400, -32600,
	  7 },
	{ "a posted response", TYPES, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}", 400,
	  -32600, NO_ID },
	{ "a posted error", TYPES,
	  "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1,\"message\":\"m\"}}", 400,
	  -32600, NO_ID },
	/* notifications: S-03 */
	{ "notification", TYPES,
	  "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}", 400, -32600,
	  NO_ID },
	{ "notification, modern header", TYPES VERSION,
	  "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}", 202, NO_CODE,
	  NO_ID },
	{ "notification, modern", HEAD("x"),
	  "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{" META "}}", 202, NO_CODE,
	  NO_ID },
	/* media types */
	{ "no content type", "Accept: */*\r\n", ECHO_BODY, 415, -32600, NO_ID },
	{ "text/plain", "Content-Type: text/plain\r\n", ECHO_BODY, 415, -32600, NO_ID },
	{ "accepts html alone", "Content-Type: application/json\r\nAccept: text/html\r\n",
	  ECHO_BODY, 406, -32600, NO_ID },
	{ "charset tolerated",
	  "Content-Type: application/json; charset=utf-8\r\nAccept: text/event-stream, "
	  "APPLICATION/json;q=0.5\r\n" VERSION
	  "Mcp-Method: tools/call\r\nMcp-Name: echo_text\r\n",
	  ECHO_BODY, 200, NO_CODE, 7 },
	{ "packed", TYPES "Content-Encoding: gzip\r\n", ECHO_BODY, 415, -32600, NO_ID },
	{ "not packed",
	  TYPES VERSION "Content-Encoding: Identity\r\nMcp-Method: tools/call\r\n"
			"Mcp-Name: echo_text\r\n",
	  ECHO_BODY, 200, NO_CODE, 7 },
	/* era: table 4.1 */
	{ "legacy initialize, modern header", TYPES VERSION, REQUEST("initialize", ""),
	  400, -32020, 7 },
	{ "legacy request", TYPES, REQUEST("tools/list", ""), 400, -32600, 7 },
	{ "request without params", TYPES,
	  "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\"}", 400, -32600, 7 },
	{ "legacy request, modern header", HEAD("tools/list"), REQUEST("tools/list", ""),
	  400, -32602, 7 },
	{ "modern initialize", HEAD("initialize"), REQUEST("initialize", META), 404,
	  -32601, 7 },
	/* envelope: S-05 to S-10 */
	{ "_meta without version", HEAD("tools/list"),
	  REQUEST("tools/list",
		  "\"_meta\":{\"io.modelcontextprotocol/clientCapabilities\":{}}"),
	  400, -32602, 7 },
	{ "_meta is no object", HEAD("tools/list"), REQUEST("tools/list", "\"_meta\":[]"),
	  400, -32602, 7 },
	{ "version no string", HEAD("tools/list"),
	  REQUEST("tools/list", "\"_meta\":{\"io.modelcontextprotocol/"
				"protocolVersion\":7,\"io.modelcontextprotocol/"
				"clientCapabilities\":{}}"),
	  400, -32602, 7 },
	{ "version null", HEAD("tools/list"),
	  REQUEST("tools/list", "\"_meta\":{\"io.modelcontextprotocol/"
				"protocolVersion\":null,\"io.modelcontextprotocol/"
				"clientCapabilities\":{}}"),
	  400, -32602, 7 },
	{ "no capabilities", HEAD("tools/list"),
	  REQUEST("tools/list", "\"_meta\":{\"io.modelcontextprotocol/"
				"protocolVersion\":\"2026-07-28\"}"),
	  400, -32602, 7 },
	{ "capabilities no object", HEAD("tools/list"),
	  REQUEST("tools/list", "\"_meta\":{\"io.modelcontextprotocol/"
				"protocolVersion\":\"2026-07-28\",\"io."
				"modelcontextprotocol/clientCapabilities\":[]}"),
	  400, -32602, 7 },
	{ "client info no object", HEAD("tools/list"),
	  REQUEST("tools/list",
		  "\"_meta\":{" KEYS ",\"io.modelcontextprotocol/clientInfo\":\"x\"}"),
	  400, -32602, 7 },
	{ "unknown log level", HEAD("tools/list"),
	  REQUEST("tools/list",
		  "\"_meta\":{" KEYS ",\"io.modelcontextprotocol/logLevel\":\"loud\"}"),
	  400, -32602, 7 },
	{ "progress token object", HEAD("tools/list"),
	  REQUEST("tools/list", "\"_meta\":{" KEYS ",\"progressToken\":{}}"), 400, -32602,
	  7 },
	{ "no version header", TYPES "Mcp-Method: tools/list\r\n",
	  REQUEST("tools/list", META), 400, -32020, 7 },
	{ "version header differs",
	  TYPES "MCP-Protocol-Version: 2025-11-25\r\nMcp-Method: tools/list\r\n",
	  REQUEST("tools/list", META), 400, -32020, 7 },
	{ "version v999",
	  TYPES "MCP-Protocol-Version: v999\r\nMcp-Method: tools/list\r\n",
	  REQUEST("tools/list", "\"_meta\":{\"io.modelcontextprotocol/"
				"protocolVersion\":\"v999\",\"io.modelcontextprotocol/"
				"clientCapabilities\":{}}"),
	  400, -32022, 7 },
	{ "legacy version in the envelope",
	  TYPES "MCP-Protocol-Version: 2025-11-25\r\nMcp-Method: tools/list\r\n",
	  REQUEST("tools/list", "\"_meta\":{\"io.modelcontextprotocol/"
				"protocolVersion\":\"2025-11-25\",\"io."
				"modelcontextprotocol/clientCapabilities\":{}}"),
	  400, -32022, 7 },
	{ "envelope before headers", TYPES "MCP-Protocol-Version: 2025-11-25\r\n",
	  REQUEST("tools/list", "\"_meta\":{\"io.modelcontextprotocol/"
				"protocolVersion\":\"2026-07-28\"}"),
	  400, -32602, 7 },
	/* Mcp-Method, Mcp-Name: S-11 to S-17 */
	{ "a control character in the method",
	  TYPES VERSION "Mcp-Method: tools/list\x01\r\n", REQUEST("tools/list", META),
	  400, -32020, 7 },
	{ "a control character in the name", CALL_HEAD("echo_text\x7f"), ECHO_BODY, 400,
	  -32020, 7 },
	{ "a control character in the version",
	  TYPES "MCP-Protocol-Version: 2026-07-28\x01\r\nMcp-Method: tools/list\r\n",
	  REQUEST("tools/list", META), 400, -32020, 7 },
	{ "a control character in a parameter",
	  CALL_HEAD("echo_text") "Mcp-Param-Nothing: \x01\r\n", ECHO_BODY, 200, NO_CODE,
	  7 },
	{ "no method header", TYPES VERSION, REQUEST("tools/list", META), 400, -32020,
	  7 },
	{ "method header differs", HEAD("tools/call"), REQUEST("tools/list", META), 400,
	  -32020, 7 },
	{ "method header in capitals", HEAD("Tools/List"), REQUEST("tools/list", META),
	  400, -32020, 7 },
	{ "method header in base64", HEAD("=?base64?dG9vbHMvbGlzdA==?="),
	  REQUEST("tools/list", META), 400, -32020, 7 },
	{ "header names in any case",
	  TYPES "mcp-protocol-version:2026-07-28  \r\nMCP-METHOD:\t tools/list \r\n",
	  REQUEST("tools/list", META), 200, NO_CODE, 7 },
	{ "no name header", HEAD("tools/call"), ECHO_BODY, 400, -32020, 7 },
	{ "name header differs", CALL_HEAD("echo"), ECHO_BODY, 400, -32020, 7 },
	{ "name header in base64", CALL_HEAD("=?base64?ZWNob190ZXh0?="), ECHO_BODY, 200,
	  NO_CODE, 7 },
	{ "name header in bad base64", CALL_HEAD("=?base64?ZWNob190ZXh0===?="), ECHO_BODY,
	  400, -32020, 7 },
	{ "name header, half a marker", CALL_HEAD("=?base64?ZWNob190ZXh0"), ECHO_BODY,
	  400, -32020, 7 },
	{ "name header without name", CALL_HEAD("echo_text"), REQUEST("tools/call", META),
	  400, -32020, 7 },
	{ "prompts/get wants a name too", HEAD("prompts/get"),
	  REQUEST("prompts/get", "\"name\":\"x\"," META), 400, -32020, 7 },
	{ "resources/read wants the uri", HEAD("resources/read"),
	  REQUEST("resources/read", "\"uri\":\"fixture://text\"," META), 400, -32020, 7 },
	{ "resources/read with another uri",
	  HEAD("resources/read") "Mcp-Name: fixture://bytes\r\n",
	  REQUEST("resources/read", "\"uri\":\"fixture://text\"," META), 400, -32020, 7 },
	/* methods: S-19; S-20 is in tests/protocol_test.py */
	{ "unknown method", HEAD("tools/fly"), REQUEST("tools/fly", META), 404, -32601,
	  7 },
	{ "ping", HEAD("ping"), REQUEST("ping", META), 404, -32601, 7 },
	{ "prompts/list", HEAD("prompts/list"), REQUEST("prompts/list", META), 200,
	  NO_CODE, 7 },
	{ "resources/list", HEAD("resources/list"), REQUEST("resources/list", META), 200,
	  NO_CODE, 7 },
	{ "roots/list", HEAD("roots/list"), REQUEST("roots/list", META), 404, -32601, 7 },
	{ "resources/subscribe", HEAD("resources/subscribe"),
	  REQUEST("resources/subscribe", "\"uri\":\"x:y\"," META), 404, -32601, 7 },
	{ "subscriptions/listen without notifications", HEAD("subscriptions/listen"),
	  REQUEST("subscriptions/listen", META), 200, -32602, 7 },
	{ "logging/setLevel", HEAD("logging/setLevel"), REQUEST("logging/setLevel", META),
	  404, -32601, 7 },
	/* parameters */
	{ "empty cursor", HEAD("tools/list"),
	  REQUEST("tools/list", "\"cursor\":\"\"," META), 200, NO_CODE, 7 },
	{ "bad cursor", HEAD("tools/list"),
	  REQUEST("tools/list", "\"cursor\":\"x\"," META), 200, -32602, 7 },
	{ "cursor no string", HEAD("tools/list"),
	  REQUEST("tools/list", "\"cursor\":7," META), 200, -32602, 7 },
	{ "name missing", HEAD("tools/call"), REQUEST("tools/call", META), 200, -32602,
	  7 },
	{ "name no string", HEAD("tools/call"), REQUEST("tools/call", "\"name\":7," META),
	  200, -32602, 7 },
	{ "unknown tool", CALL_HEAD("no_tool"),
	  REQUEST("tools/call", "\"name\":\"no_tool\"," META), 200, -32602, 7 },
	{ "arguments an array", CALL_HEAD("echo_text"),
	  REQUEST("tools/call", "\"name\":\"echo_text\",\"arguments\":[]," META), 200,
	  -32602, 7 },
	{ "arguments null", CALL_HEAD("echo_text"),
	  REQUEST("tools/call", "\"name\":\"echo_text\",\"arguments\":null," META), 200,
	  -32602, 7 },
	{ "requestState a number", CALL_HEAD("echo_text"),
	  REQUEST("tools/call", "\"name\":\"echo_text\",\"requestState\":7," META), 200,
	  -32602, 7 },
	{ "requestState never given", CALL_HEAD("echo_text"),
	  REQUEST("tools/call", "\"name\":\"echo_text\",\"requestState\":\"v1.x\"," META),
	  200, -32602, 7 },
	/* x-mcp-header: S-15 to S-18 */
	{ "param header", ROUTE_HEAD "Mcp-Param-Region: eu\r\n",
	  ROUTE_BODY("{\"region\":\"eu\"}"), 200, NO_CODE, 7 },
	{ "param header missing", ROUTE_HEAD, ROUTE_BODY("{\"region\":\"eu\"}"), 400,
	  -32020, 7 },
	{ "param header differs", ROUTE_HEAD "Mcp-Param-Region: us\r\n",
	  ROUTE_BODY("{\"region\":\"eu\"}"), 400, -32020, 7 },
	{ "param header without value", ROUTE_HEAD "Mcp-Param-Region: eu\r\n",
	  ROUTE_BODY("{}"), 400, -32020, 7 },
	{ "param header and null", ROUTE_HEAD, ROUTE_BODY("{}"), 200, NO_CODE, 7 },
	{ "param header in base64",
	  ROUTE_HEAD "Mcp-Param-Region: =?base64?WsO8cmljaA==?=\r\n",
	  ROUTE_BODY("{\"region\":\"Z\\u00fcrich\"}"), 200, NO_CODE, 7 },
	{ "param header bad base64",
	  ROUTE_HEAD "Mcp-Param-Region: =?base64?WsO8cmljaA=?=\r\n",
	  ROUTE_BODY("{\"region\":\"Z\\u00fcrich\"}"), 400, -32020, 7 },
	{ "param integer", ROUTE_HEAD "Mcp-Param-Hops: 42.0\r\n",
	  ROUTE_BODY("{\"hops\":42}"), 200, NO_CODE, 7 },
	{ "param integer differs", ROUTE_HEAD "Mcp-Param-Hops: 43\r\n",
	  ROUTE_BODY("{\"hops\":42}"), 400, -32020, 7 },
	{ "param boolean", ROUTE_HEAD "Mcp-Param-Dry: true\r\n",
	  ROUTE_BODY("{\"dry\":true}"), 200, NO_CODE, 7 },
	{ "param boolean as 1", ROUTE_HEAD "Mcp-Param-Dry: 1\r\n",
	  ROUTE_BODY("{\"dry\":true}"), 400, -32020, 7 },
	{ "unknown param header", CALL_HEAD("echo_text") "Mcp-Param-Else: x\r\n",
	  ECHO_BODY, 200, NO_CODE, 7 },
	/* S-27, S-08 */
	{ "session id ignored",
	  CALL_HEAD("echo_text") "Mcp-Session-Id: abc\r\nLast-Event-ID: 3\r\n", ECHO_BODY,
	  200, NO_CODE, 7 },
	/* S-49 */
	{ "foreign origin", CALL_HEAD("echo_text") "Origin: https://evil.example\r\n",
	  ECHO_BODY, 403, NO_CODE, ANY_ID },
	{ "local origin", CALL_HEAD("echo_text") "Origin: http://localhost:3000\r\n",
	  ECHO_BODY, 200, NO_CODE, 7 },
};

static struct rig rig;

static const char CONFIG[] = "freed_reads: [echo_text, get_route, fail_with, sleep_for]\n"
			     "audit_freed_reads: false\n"
			     "limits: {calls_per_caller: 4, body_bytes: 65536}\n";

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
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

static bool is_id(const json_t *body, int id)
{
	const json_t *found = json_object_get(body, "id");

	return id == ANY_ID || (id == NO_ID ? !found : json_integer_value(found) == id);
}

/* S-22, S-23 */
static bool is_whole(const json_t *result)
{
	return json_get_string(result, "resultType") &&
	       json_is_object(json_object_get(json_object_get(result, "_meta"),
					      "io.modelcontextprotocol/serverInfo"));
}

static bool is_right(const struct row *row, const struct answer *a)
{
	const json_t *error = json_object_get(a->body, "error");

	if (a->status != row->status || json_get_int64(error, "code", 0) != row->code)
		return false;
	if (row->code == NO_CODE && row->status == 200 && !is_whole(answer_result(a)))
		return false;
	if (row->status == 202 && *a->text)
		return false;
	return is_id(a->body, row->id) && !strcasestr(a->head, "\r\nMcp-Session-Id:");
}

static void every_row_is_answered_as_written(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_answer_ struct answer a =
			rig_post(&rig, rig.alice, rows[i].headers, rows[i].body);

		if (is_right(&rows[i], &a))
			continue;
		wrong++;
		print_message("# %s: got %d %s\n", rows[i].name, a.status,
			      a.text ? a.text : "");
	}
	assert_int_equal(wrong, 0);
}

/* S-10 */
static void who_speaks_another_version_learns_which_there_are(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer d = rig_post(
		&rig, rig.bob, HEAD("server/discover"), REQUEST("server/discover", META));
	_cleanup_answer_ struct answer a = rig_post(
		&rig, rig.bob,
		TYPES "MCP-Protocol-Version: v999\r\nMcp-Method: tools/list\r\n",
		REQUEST("tools/list", "\"_meta\":{\"io.modelcontextprotocol/"
				      "protocolVersion\":\"v999\",\"io."
				      "modelcontextprotocol/clientCapabilities\":{}}"));
	const json_t *data = json_object_get(json_object_get(a.body, "error"), "data");

	assert_int_equal(json_array_size(json_object_get(data, "supported")), 1);
	assert_true(json_equal(json_object_get(data, "supported"),
			       json_object_get(answer_result(&d), "supportedVersions")));
	assert_string_equal(json_get_string(data, "requested"), "v999");
}

/* S-46: each of these is a connection of its own. */
static void a_list_is_the_same_for_every_connection(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer first = rig_post(
		&rig, rig.alice, HEAD("tools/list"), REQUEST("tools/list", META));
	_cleanup_answer_ struct answer called =
		rig_post(&rig, rig.alice, CALL_HEAD("echo_text"), ECHO_BODY);
	_cleanup_answer_ struct answer second = rig_post(
		&rig, rig.alice, HEAD("tools/list"), REQUEST("tools/list", META));

	assert_non_null(answer_result(&called));
	assert_non_null(answer_result(&first));
	assert_string_equal(first.text, second.text);
}

static void wants_a_token(void **state)
{
	struct secret *unknown =
		secret_new("wm_0000000000000000000000000000000000000000000", 46);

	(void)state;
	_cleanup_answer_ struct answer none =
		rig_post(&rig, NULL, CALL_HEAD("echo_text"), ECHO_BODY);
	assert_int_equal(none.status, 401);
	assert_non_null(strstr(none.head, "WWW-Authenticate: Bearer\r\n"));
	_cleanup_answer_ struct answer bad =
		rig_post(&rig, unknown, CALL_HEAD("echo_text"), ECHO_BODY);
	assert_int_equal(bad.status, 401);
	assert_non_null(strstr(bad.head, "error=\"invalid_token\""));
	_cleanup_answer_ struct answer basic = rig_post(
		&rig, NULL, CALL_HEAD("echo_text") "Authorization: Basic YTpi\r\n",
		ECHO_BODY);
	assert_int_equal(basic.status, 401);
	_cleanup_answer_ struct answer stranger =
		rig_post(&rig, rig.stranger, CALL_HEAD("echo_text"), ECHO_BODY);
	assert_int_equal(stranger.status, 403);
	assert_non_null(strstr(stranger.head, "error=\"insufficient_scope\""));
	_cleanup_answer_ struct answer before_parsing = rig_post(&rig, NULL, TYPES, "{");
	assert_int_equal(before_parsing.status, 401);
	secret_free(unknown);
}

static void a_write_wants_its_scope(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a = rig_call(
		&rig, rig.bob, "put_value",
		"{\"key\":\"a\",\"value\":\"b\",\"reason\":\"because\"}", NULL, NULL);
	assert_int_equal(a.status, 403);
	assert_non_null(strstr(a.head, "scope=\"fixture:write\""));
}

static int status_of(const char *bytes)
{
	_cleanup_answer_ struct answer a = rig_send_raw(&rig, bytes, strlen(bytes));

	return a.status;
}

static void verbs_and_paths(void **state)
{
	static const char *const verbs[] = { "PUT", "PATCH", "OPTIONS", "HEAD" };
	char bytes[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		(void)snprintf(
			bytes, sizeof bytes,
			"%s /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
			"Authorization: Bearer %s\r\nContent-Length: 0\r\n\r\n",
			verbs[i], (const char *)secret_bytes(rig.alice));
		_cleanup_answer_ struct answer a =
			rig_send_raw(&rig, bytes, strlen(bytes));
		assert_int_equal(a.status, 405);
		assert_non_null(strstr(a.head, "Allow: GET, POST, DELETE"));
	}
	assert_int_equal(status_of("GET /nowhere HTTP/1.1\r\nHost: "
				   "localhost\r\nConnection: close\r\n\r\n"),
			 404);
	assert_int_equal(status_of("GET /mcp/ HTTP/1.1\r\nHost: localhost\r\nConnection: "
				   "close\r\n\r\n"),
			 404);
	assert_int_equal(status_of("GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: "
				   "close\r\n\r\n"),
			 401);
	assert_int_equal(status_of("GET /healthz HTTP/1.1\r\nHost: "
				   "evil.example\r\nConnection: close\r\n\r\n"),
			 403);
	assert_int_equal(status_of("GET /healthz HTTP/1.1\r\nHost: "
				   "localhost\r\nConnection: close\r\n\r\n"),
			 200);
	assert_int_equal(status_of("HEAD /healthz HTTP/1.1\r\nHost: "
				   "localhost\r\nConnection: close\r\n\r\n"),
			 200);
	assert_int_equal(
		status_of("POST /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: "
			  "close\r\nContent-Length: 0\r\n\r\n"),
		405);
}

/* Clients should take both, and some do not: they get what they take. Refusals are JSON. */
static void who_reads_events_alone_gets_them(void **state)
{
	static const char *const accepts[] = { "text/event-stream", "text/*" };
	char headers[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(accepts); i++) {
		(void)snprintf(headers, sizeof headers,
			       "Content-Type: application/json\r\nAccept: %s\r\n" VERSION
			       "Mcp-Method: tools/call\r\nMcp-Name: echo_text\r\n",
			       accepts[i]);
		_cleanup_answer_ struct answer a =
			rig_post(&rig, rig.alice, headers, ECHO_BODY);
		assert_int_equal(a.status, 200);
		assert_non_null(strcasestr(a.head, "Content-Type: text/event-stream"));
		assert_true(is_whole(answer_result(&a)));
		(void)snprintf(headers, sizeof headers,
			       "Content-Type: application/json\r\nAccept: %s\r\n" VERSION,
			       accepts[i]);
		_cleanup_answer_ struct answer bad =
			rig_post(&rig, rig.alice, headers, ECHO_BODY);
		assert_int_equal(bad.status, 400);
		assert_non_null(strcasestr(bad.head, "Content-Type: application/json"));
	}
}

static void bodies_have_a_limit(void **state)
{
	char *body = malloc(70000);

	(void)state;
	memset(body, ' ', 69999);
	body[69999] = '\0';
	_cleanup_answer_ struct answer a =
		rig_post(&rig, rig.alice, CALL_HEAD("echo_text"), body);
	assert_int_equal(a.status, 413);
	free(body);
}

static void ids_keep_their_type(void **state)
{
	static const char *const ids[] = { "\"7\"", "7", "\"\"", "-9007199254740991",
					   "\"\\u00e4\\n\"" };
	char body[512], expected[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		(void)snprintf(
			body, sizeof body,
			"{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"server/discover\","
			"\"params\":{" META "}}",
			ids[i]);
		_cleanup_answer_ struct answer a =
			rig_post(&rig, rig.alice, HEAD("server/discover"), body);
		assert_int_equal(a.status, 200);
		struct error err = ERROR_INIT;
		(void)snprintf(expected, sizeof expected, "[%s]", ids[i]);
		json_auto_t *wanted =
			json_parse(expected, strlen(expected), JSON_SYNTAX, &err);
		assert_true(json_equal(json_object_get(a.body, "id"),
				       json_array_get(wanted, 0)));
	}
}

static void discover_and_list(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer d = rig_post(
		&rig, rig.bob, HEAD("server/discover"), REQUEST("server/discover", META));
	const json_t *r = answer_result(&d);
	assert_string_equal(json_get_string(r, "resultType"), "complete");
	assert_string_equal(json_string_value(json_array_get(
				    json_object_get(r, "supportedVersions"), 0)),
			    "2026-07-28");
	assert_true(json_is_object(
		json_object_get(json_object_get(r, "capabilities"), "tools")));
	assert_string_equal(json_get_string(r, "instructions"), "For tests alone.");
	assert_string_equal(json_get_string(r, "cacheScope"), "public");
	assert_true(json_get_int64(r, "ttlMs", -1) >= 0);
	const json_t *info = json_object_get(json_object_get(r, "_meta"),
					     "io.modelcontextprotocol/serverInfo");
	assert_string_equal(json_get_string(info, "name"), "wingman-fixture");
	assert_non_null(json_get_string(info, "version"));

	_cleanup_answer_ struct answer l =
		rig_post(&rig, rig.bob, HEAD("tools/list"), REQUEST("tools/list", META));
	const json_t *tools = json_object_get(answer_result(&l), "tools");
	assert_int_equal(json_array_size(tools), 8);
	assert_string_equal(json_get_string(json_array_get(tools, 0), "name"),
			    "echo_text");
	assert_string_equal(json_get_string(json_array_get(tools, 4), "name"),
			    "sleep_for");
	assert_int_equal(json_get_int64(answer_result(&l), "ttlMs", -1), 300000);
	/* S-45: what is declared is listed, unknown keywords included. */
	json_t *region = json_object_get(
		json_object_get(json_object_get(json_array_get(tools, 2), "inputSchema"),
				"properties"),
		"region");
	assert_string_equal(json_get_string(region, "x-mcp-header"), "Region");
}

static void a_call_runs(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a = rig_call(
		&rig, rig.bob, "echo_text", "{\"text\":\"h\\u00e4\\n\\\"\"}", NULL, NULL);
	const json_t *r = answer_result(&a);

	assert_string_equal(json_get_string(r, "resultType"), "complete");
	assert_null(json_object_get(r, "isError"));
	assert_string_equal(
		json_get_string(json_array_get(json_object_get(r, "content"), 0), "text"),
		"h\u00e4\n\"");
	assert_string_equal(
		json_get_string(json_object_get(r, "structuredContent"), "text"),
		"h\u00e4\n\"");
	assert_string_equal(json_get_string(a.body, "id"), "c1");
	_cleanup_answer_ struct answer link =
		rig_call(&rig, rig.bob, "get_route", "{}", NULL, NULL);
	const json_t *block =
		json_array_get(json_object_get(answer_result(&link), "content"), 1);
	assert_string_equal(json_get_string(block, "type"), "resource_link");
}

/* Handlers see what the canonical bytes say: 3.0 is 3, also where nothing is signed. */
static void numbers_reach_the_handler_in_canonical_form(void **state)
{
	static const char *const threes[] = { "3", "3.0", "0.3e1", "30e-1" };
	char arguments[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(threes); i++) {
		(void)snprintf(arguments, sizeof arguments,
			       "{\"text\":\"x\",\"count\":%s}", threes[i]);
		_cleanup_answer_ struct answer a =
			rig_call(&rig, rig.bob, "echo_text", arguments, NULL, NULL);
		assert_int_equal(json_get_int64(json_object_get(answer_result(&a),
								"structuredContent"),
						"count", 0),
				 3);
	}
}

static void arguments_that_do_not_fit_are_tool_errors(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"text\":7}",
		"{\"text\":\"x\",\"more\":1}",
		"{\"text\":\"x\",\"count\":1.5}",
		/* beyond the contract, though it is JSON */
		"{\"text\":\"x\",\"count\":9007199254740992}",
		"{\"text\":\"a\\u0000b\"}",
		"{\"text\":\"x\",\"count\":0.10000000000000000001}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_answer_ struct answer a =
			rig_call(&rig, rig.bob, "echo_text", bad[i], NULL, NULL);
		assert_int_equal(a.status, 200);
		assert_true(json_is_true(json_object_get(answer_result(&a), "isError")));
		if (strcmp(answer_code(&a), "invalid_argument") != 0)
			print_message("# %s: %s\n", bad[i], a.text);
		assert_string_equal(answer_code(&a), "invalid_argument");
	}
	_cleanup_answer_ struct answer a =
		rig_call(&rig, rig.bob, "echo_text", "{}", NULL, NULL);
	assert_non_null(strstr(a.text, "The argument text is missing."));
}

static void failures_have_their_shape(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a = rig_call(
		&rig, rig.bob, "fail_with", "{\"code\":\"ambiguous\"}", NULL, NULL);
	const json_t *error = json_object_get(
		json_object_get(answer_result(&a), "structuredContent"), "error");

	assert_true(json_is_true(json_object_get(answer_result(&a), "isError")));
	assert_string_equal(json_get_string(error, "code"), "ambiguous");
	assert_string_equal(json_get_string(error, "message"), "failed as asked");
	assert_string_equal(json_get_string(error, "hint"), "ask for something else");
	assert_true(json_is_false(json_object_get(error, "retryable")));
	assert_int_equal(json_array_size(json_object_get(
				 json_object_get(error, "details"), "candidates")),
			 2);
	assert_string_equal(
		json_get_string(
			json_array_get(json_object_get(answer_result(&a), "content"), 0),
			"text"),
		"Failed as asked. Ask for something else.");
	_cleanup_answer_ struct answer malformed = rig_call(
		&rig, rig.bob, "fail_with", "{\"code\":\"malformed\"}", NULL, NULL);
	assert_string_equal(answer_code(&malformed), "internal");
	assert_non_null(
		strstr(malformed.text, "ran, but its result is not what it declares"));
	_cleanup_answer_ struct answer endless = rig_call(
		&rig, rig.bob, "fail_with", "{\"code\":\"endless\"}", NULL, NULL);
	assert_string_equal(answer_code(&endless), "internal");
	assert_non_null(strstr(endless.text, "ran, but its result has more than"));
}

static void gate_words_of_others_are_refused(void **state)
{
	static const char *const words[] = {
		",\"org.wingman/grant\":\"x.y\"",
		",\"org.wingman/grant\":7",
		",\"org.wingman/grant\":null",
		",\"org.wingman/requester\":\"x.y\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		_cleanup_answer_ struct answer a = rig_call(
			&rig, rig.alice, "echo_text", "{\"text\":\"x\"}", words[i], NULL);
		assert_string_equal(answer_code(&a), "approval_invalid");
	}
	assert_int_equal(rig_count_audit(&rig, "call.refused"), ARRAY_SIZE(words));
}

static void nothing_falls_open_without_a_gate(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a = rig_call(
		&rig, rig.alice, "put_value",
		"{\"key\":\"a\",\"value\":\"b\",\"reason\":\"because\"}", NULL, NULL);
	assert_string_equal(answer_code(&a), "backend_unavailable");
	assert_int_equal(rig_runs(&rig), 0);
}

static void ready_and_metrics(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer ready = rig_get(&rig, "/readyz");
	assert_int_equal(ready.status, 200);
	rig_touch(&rig, "down");
	_cleanup_answer_ struct answer cached = rig_get(&rig, "/readyz");
	assert_int_equal(cached.status, 200);
	(void)usleep(2100 * 1000);
	_cleanup_answer_ struct answer down = rig_get(&rig, "/readyz");
	assert_int_equal(down.status, 503);
	assert_string_equal(json_get_string(down.body, "why"),
			    "the files of the fixture are down");
	rig_remove(&rig, "down");
	_cleanup_answer_ struct answer metrics = rig_get(&rig, "/metrics");
	assert_int_equal(metrics.status, 200);
	assert_non_null(
		strstr(metrics.text,
		       "wingman_requests_total{method=\"tools/call\",status=\"200\"}"));
	assert_non_null(strstr(metrics.text,
			       "wingman_tool_calls_total{outcome=\"invalid_argument\"}"));
	assert_non_null(strstr(metrics.text, "\n# EOF\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_answered_as_written),
		cmocka_unit_test(who_speaks_another_version_learns_which_there_are),
		cmocka_unit_test(a_list_is_the_same_for_every_connection),
		cmocka_unit_test(wants_a_token),
		cmocka_unit_test(a_write_wants_its_scope),
		cmocka_unit_test(verbs_and_paths),
		cmocka_unit_test(who_reads_events_alone_gets_them),
		cmocka_unit_test(bodies_have_a_limit),
		cmocka_unit_test(ids_keep_their_type),
		cmocka_unit_test(discover_and_list),
		cmocka_unit_test(a_call_runs),
		cmocka_unit_test(numbers_reach_the_handler_in_canonical_form),
		cmocka_unit_test(arguments_that_do_not_fit_are_tool_errors),
		cmocka_unit_test(failures_have_their_shape),
		cmocka_unit_test(gate_words_of_others_are_refused),
		cmocka_unit_test(nothing_falls_open_without_a_gate),
		cmocka_unit_test(ready_and_metrics),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
