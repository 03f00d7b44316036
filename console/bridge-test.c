/* The pure parts of the bridge: headers of a message, lines of a reply. */
#include "console/bridge_answer.h"
#include "console/bridge_headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* --- headers ------------------------------------------------------------------ */

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

	bridge_headers_init(&h, &m);
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
	check_name("tools/call", "name", " x", "=?base64?IHg=?=");
	check_name("tools/call", "name", "x ", "=?base64?eCA=?=");
	check_name("tools/call", "name", "",
		   "=?base64?"
		   "?=");
	check_name("tools/call", "name", "a\r\nb", "=?base64?YQ0KYg==?=");
	check_name("tools/call", "name", "a\tb", "=?base64?YQli?=");
	check_name("tools/call", "name",
		   "=?base64?eA==?=", "=?base64?PT9iYXNlNjQ/ZUE9PT89?=");
	check_name("tools/call", "name", "=?base64?", "=?base64?");
}

static void test_no_envelope(void **state)
{
	json_auto_t *params = json_pack("{s:s}", "name", "sum");
	struct jsonrpc_message m = { .kind = JSONRPC_REQUEST,
				     .method = "tools/call",
				     .params = params };
	struct bridge_headers h;

	(void)state;
	bridge_headers_init(&h, &m);
	assert_null(find(&h, "MCP-Protocol-Version"));
	assert_null(find(&h, "Mcp-Method"));
	assert_null(find(&h, "Mcp-Name"));
	bridge_headers_done(&h);
}

/* --- answers ------------------------------------------------------------------- */

static void check(int status, const char *type, const char *body, const char *wanted)
{
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	_cleanup_strbuf_ struct strbuf lines = STRBUF_INIT;
	json_auto_t *id = json_integer(7);

	reply.status = status;
	(void)snprintf(reply.content_type, sizeof reply.content_type, "%s", type);
	strbuf_add_string(&reply.body, body);
	bridge_answer(&lines, id, &reply);
	assert_string_equal(lines.data, wanted);
	strbuf_done(&reply.body);
}

#define JSON   "application/json"
#define STREAM "text/event-stream"
#define ENDED                                                                            \
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32603,\"message\":"          \
	"\"the server ended its answer before the result came\"}}\n"

static void test_json(void **state)
{
	(void)state;
	check(200, JSON, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"n\":1e400000}}",
	      ENDED);
	check(200, JSON, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"n\":1.50}}",
	      "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"n\":1.50}}\n");
	check(200, JSON, "{\"jsonrpc\":\"2.0\",\r\n\"id\":7,\n\"result\":{}}\n",
	      "{\"jsonrpc\":\"2.0\",  \"id\":7, \"result\":{}} \n");
	check(404, JSON,
	      "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32601,\"message\":"
	      "\"no\"}}",
	      "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32601,\"message\":"
	      "\"no\"}}\n");
	/* without an id: given that of the request, or the client would wait for ever */
	check(400, JSON,
	      "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"no\","
	      "\"data\":[1]}}",
	      "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32600,\"message\":"
	      "\"no\",\"data\":[1]}}\n");
	/* somebody else's answer */
	check(200, JSON, "{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":{}}", ENDED);
	check(200, JSON, "", ENDED);
	check(202, "", "", ENDED);
}

static void test_refusals(void **state)
{
	(void)state;
	check(401, "text/html", "<html>",
	      "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32603,\"message\":"
	      "\"the server does "
	      "not accept the token; make one with 'wingman token new'\"}}\n");
	check(403, "", "",
	      "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32603,\"message\":"
	      "\"the token does "
	      "not allow this\"}}\n");
	check(503, "text/plain", "busy",
	      "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32603,\"message\":"
	      "\"the server "
	      "answered with HTTP status 503\"}}\n");
}

static void test_streams(void **state)
{
	(void)state;
	check(200, STREAM,
	      "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n"
	      "data: {\"jsonrpc\":\"2.0\",\ndata: \"id\":7,\"result\":{}}\n\n",
	      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n"
	      "{\"jsonrpc\":\"2.0\", \"id\":7,\"result\":{}}\n");
	/* nothing of ours behind the answer, no request of the server's, no foreign answer */
	check(200, STREAM,
	      "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"roots/list\"}\n\n"
	      "data: {\"jsonrpc\":\"2.0\",\"id\":8,\"result\":{}}\n\ndata: junk\n\n"
	      "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n\n"
	      "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"twice\":1}}\n\n",
	      "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n");
	check(200, STREAM, "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n", ENDED);
	check(200, STREAM, "", ENDED);
}

static void test_errors(void **state)
{
	_cleanup_strbuf_ struct strbuf lines = STRBUF_INIT;

	(void)state;
	bridge_error(&lines, NULL, JSONRPC_PARSE_ERROR, "a \"quoted\"\nline");
	assert_string_equal(lines.data,
			    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":"
			    "\"a \\\"quoted\\\"\\nline\"}}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),   cmocka_unit_test(test_no_envelope),
		cmocka_unit_test(test_json),    cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_streams), cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
