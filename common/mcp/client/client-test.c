/* Our client against our server, and against answers that no server should give. */
#include "mcp/client/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture/rig.h"
#include "wire/httpd.h"

struct peer {
	struct rig rig;
	struct httpd *httpd;
	struct http_client *http;
	unsigned status;
	const char *type, *reply; /* "%ID%" in it becomes the request's id */
	char seen[4096];          /* headers that came */
	char body[8192];
};

static void note_header(struct peer *p, struct http_request *req, const char *name)
{
	size_t at = strlen(p->seen);

	(void)snprintf(p->seen + at, sizeof p->seen - at, "%s: %s\n", name,
		       http_request_header(req, name) ?: "(none)");
}

static void answer(void *context, struct http_request *req)
{
	static const char *const names[] = {
		"Accept",   "Content-Type",  "MCP-Protocol-Version", "Mcp-Method",
		"Mcp-Name", "Authorization", "Mcp-Session-Id"
	};
	struct peer *p = context;
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct error err = ERROR_INIT;
	size_t length;
	const char *sent = http_request_body(req, &length);

	p->seen[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		note_header(p, req, names[i]);
	(void)snprintf(p->body, sizeof p->body, "%.*s", (int)length, sent);
	json_auto_t *request = json_parse(sent, length, JSON_CONTRACT, &err);
	const char *at = p->reply;
	for (const char *mark; (mark = strstr(at, "%ID%")); at = mark + 4) {
		strbuf_add(&body, at, (size_t)(mark - at));
		strbuf_add_int64(&body, json_get_int64(request, "id", -1));
	}
	strbuf_add_string(&body, at);
	http_reply(req, p->status, p->type, NULL, &body);
}

static int set_up(void **state)
{
	struct peer *p = calloc(1, sizeof *p);
	const struct httpd_config config = {
		.address = "127.0.0.1", .loops = 1, .handler = answer, .context = p
	};
	struct error err = ERROR_INIT;

	rig_open(&p->rig);
	rig_config(&p->rig, "freed_reads: [echo_text]\naudit_freed_reads: false\n");
	rig_start(&p->rig);
	p->httpd = httpd_start(&config, &err);
	p->http = http_client_new("test", &err);
	assert_non_null(p->httpd);
	assert_non_null(p->http);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct peer *p = *state;

	http_client_free(p->http);
	httpd_stop(p->httpd, 0);
	rig_close(&p->rig);
	free(p);
	return 0;
}

static struct mcp_client *client_of(struct peer *p, uint16_t port,
				    const struct secret *token)
{
	struct error err = ERROR_INIT;
	char url[64];

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/mcp", port);
	struct mcp_client *c =
		mcp_client_new(url, token, p->http, "test \"client\"", &err);
	assert_non_null(c);
	return c;
}

static void it_speaks_with_our_server(void **state)
{
	struct peer *p = *state;
	struct error err = ERROR_INIT;
	bool sent = false;
	_cleanup_(mcp_client_freep) struct mcp_client *c =
		client_of(p, p->rig.port, p->rig.bob);

	json_auto_t *discovered = mcp_client_discover(c, 5000, &err);
	assert_non_null(discovered);
	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	assert_int_equal(json_array_size(tools), 8);
	const struct mcp_client_call call = {
		.tool = "echo_text",
		.arguments = "{\"text\":\"h\u00e4\"}",
		.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		.timeout_ms = 5000
	};
	json_auto_t *result = mcp_client_call(c, &call, &sent, &err);
	assert_non_null(result);
	assert_true(sent);
	assert_string_equal(
		json_get_string(json_object_get(result, "structuredContent"), "text"),
		"h\u00e4");
	const struct mcp_client_call unknown = { .tool = "no_tool", .timeout_ms = 5000 };
	assert_null(mcp_client_call(c, &unknown, &sent, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	assert_string_equal(err.message, "Unknown tool");
}

static void the_wrong_token(void **state)
{
	struct peer *p = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *none =
		client_of(p, p->rig.port, NULL);
	_cleanup_(mcp_client_freep) struct mcp_client *other =
		client_of(p, p->rig.port, p->rig.stranger);

	assert_null(mcp_client_discover(none, 5000, &err));
	assert_int_equal(err.code, ERR_PERMISSION_DENIED);
	error_clear(&err);
	assert_null(mcp_client_discover(other, 5000, &err));
	assert_int_equal(err.code, ERR_PERMISSION_DENIED);
}

static json_t *call_mock(struct peer *p, const char *tool, unsigned status,
			 const char *type, const char *reply, struct error *err)
{
	_cleanup_(mcp_client_freep) struct mcp_client *c =
		client_of(p, httpd_port(p->httpd), p->rig.alice);
	const struct mcp_client_call call = { .tool = tool,
					      .arguments = "{\"a\":1}",
					      .grant = "g.s",
					      .ticket = "t.s",
					      .request_state = "v1.x",
					      .timeout_ms = 5000 };

	p->status = status;
	p->type = type;
	p->reply = reply;
	return mcp_client_call(c, &call, NULL, err);
}

#define OK                                                                               \
	"{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"result\":{\"resultType\":\"complete\","      \
	"\"n\":1}}"

static void requests_are_whole(void **state)
{
	struct peer *p = *state;
	struct error err = ERROR_INIT;

	json_auto_t *result =
		call_mock(p, "n\u00e4me", 200, "application/json", OK, &err);
	assert_int_equal(json_get_int64(result, "n", 0), 1);
	assert_non_null(strstr(p->seen, "Accept: application/json, text/event-stream\n"));
	assert_non_null(strstr(p->seen, "Content-Type: application/json\n"));
	assert_non_null(strstr(p->seen, "MCP-Protocol-Version: 2026-07-28\n"));
	assert_non_null(strstr(p->seen, "Mcp-Method: tools/call\n"));
	assert_non_null(strstr(p->seen, "Mcp-Name: =?base64?bsOkbWU=?=\n"));
	assert_non_null(strstr(p->seen, "Authorization: Bearer wm_"));
	assert_non_null(strstr(p->seen, "Mcp-Session-Id: (none)"));
	json_auto_t *sent = json_parse(p->body, strlen(p->body), JSON_CONTRACT, &err);
	const json_t *params = json_object_get(sent, "params"),
		     *meta = json_object_get(params, "_meta");
	assert_string_equal(json_get_string(params, "requestState"), "v1.x");
	assert_string_equal(json_get_string(meta, META_GRANT), "g.s");
	assert_string_equal(json_get_string(meta, META_REQUESTER), "t.s");
	assert_string_equal(
		json_get_string(meta, "io.modelcontextprotocol/protocolVersion"),
		"2026-07-28");
	assert_true(json_is_object(
		json_object_get(meta, "io.modelcontextprotocol/clientCapabilities")));
	const json_t *me = json_object_get(meta, "io.modelcontextprotocol/clientInfo");
	assert_string_equal(json_get_string(me, "name"), "test \"client\"");
	assert_non_null(json_get_string(me, "version"));
	assert_int_equal(json_get_int64(json_object_get(params, "arguments"), "a", 0), 1);
}

/* Two data lines of one event, and fields that are of no interest. */
#define SPLIT                                                                            \
	"data: {\"jsonrpc\":\"2.0\",\"id\":%ID%,\ndata: \"result\":{\"n\":1}}\nretry: "  \
	"5\nother\n\n"

static void streams_with_one_response(void **state)
{
	static const char *const good[] = {
		"event: message\ndata: " OK "\n\n",
		"\xEF\xBB\xBF: hello\r\n\r\nid: 3\r\ndata:\r\n\r\nevent: "
		"message\r\ndata:" OK "\r\n\r\n",
		"data: "
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
		"progress\",\"params\":{}}\r\rdata: " OK "\r\r",
		SPLIT,
	};
	static const char *const bad[] = {
		"",
		"data: " OK,
		"data: " OK "\n",
		": only a comment\n\n",
		"data: x\n\n",
		"data: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\n",
	};
	struct peer *p = *state;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct error err = ERROR_INIT;
		json_auto_t *r =
			call_mock(p, "a_b", 200, "text/event-stream", good[i], &err);

		assert_int_equal(json_get_int64(r, "n", 0), 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = ERROR_INIT;

		assert_null(call_mock(p, "a_b", 200, "text/event-stream", bad[i], &err));
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	}
}

#define SAID(token, more)                                                                \
	"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"  \
	"\"progressToken\":" token ",\"progress\":" more "}}\n\n"

static void note_progress(void *context, double done, double total, const char *words)
{
	strbuf_add_format(context, "%g/%g %s;", done, total, words ? words : "-");
}

/* What grows, under the token of this request, is told; the rest is not. */
static void progress_is_told(void **state)
{
	struct peer *p = *state;
	_cleanup_(mcp_client_freep) struct mcp_client *c =
		client_of(p, httpd_port(p->httpd), p->rig.alice);
	_cleanup_strbuf_ struct strbuf told = STRBUF_INIT;
	struct error err = ERROR_INIT;
	const struct mcp_client_call call = { .tool = "a_b",
					      .timeout_ms = 5000,
					      .progressed = note_progress,
					      .progress_context = &told };

	p->status = 200;
	p->type = "text/event-stream";
	p->reply = SAID("%ID%", "1") SAID("%ID%", "1") SAID("%ID%", "0.5") SAID("99", "7")
		SAID("\"%ID%\"", "8") SAID("%ID%", "\"9\"")
			SAID("%ID%", "2.5,\"total\":4,\"message\":\"half\"") "data: " OK
									     "\n\n";
	json_auto_t *r = mcp_client_call(c, &call, NULL, &err);
	assert_int_equal(json_get_int64(r, "n", 0), 1);
	assert_string_equal(told.data, "1/0 -;2.5/4 half;");
	json_auto_t *sent = json_parse(p->body, strlen(p->body), JSON_CONTRACT, &err);
	const json_t *meta = json_object_get(json_object_get(sent, "params"), "_meta");
	assert_true(json_is_integer(json_object_get(meta, "progressToken")));
}

static void odd_answers(void **state)
{
	static const struct {
		int64_t status;
		const char *reply;
		int64_t code;
		const char *says;
	} rows[] = {
		{ 200, "", ERR_INVALID_ARGUMENT, "not MCP" },
		{ 200, "<html>", ERR_INVALID_ARGUMENT, "not MCP" },
		{ 200, "[]", ERR_INVALID_ARGUMENT, "not MCP" },
		{ 200, "{}", ERR_INVALID_ARGUMENT, "not JSON-RPC" },
		{ 404, "nothing", ERR_INVALID_ARGUMENT, "HTTP 404" },
		{ 503, "busy", ERR_BACKEND_UNAVAILABLE, "HTTP 503" },
		{ 401, "", ERR_PERMISSION_DENIED, "token" },
		{ 200, "{\"jsonrpc\":\"2.0\",\"id\":\"other\",\"result\":{}}",
		  ERR_INVALID_ARGUMENT, "another request" },
		{ 200, "{\"jsonrpc\":\"2.0\",\"id\":999999,\"result\":{}}",
		  ERR_INVALID_ARGUMENT, "another request" },
		{ 200,
		  "{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"result\":{\"resultType\":"
		  "\"strange\"}}",
		  ERR_INVALID_ARGUMENT, "type that is not known" },
		{ 200, "{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"result\":{\"resultType\":7}}",
		  ERR_INVALID_ARGUMENT, "type that is not known" },
		{ 200,
		  "{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"error\":{\"code\":-32602,"
		  "\"message\":\"bad\\nthing\"}}",
		  ERR_INVALID_ARGUMENT, "bad thing" },
		/* C-31 */
		{ 200,
		  "{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"error\":{\"code\":-32002,"
		  "\"message\":\"no such thing\"}}",
		  ERR_NOT_FOUND, "no such thing" },
		{ 400,
		  "{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"error\":{\"code\":-32022,"
		  "\"message\":\"x\",\"data\":{\"supported\":[\"2027-01-01\"]}}}",
		  ERR_INVALID_ARGUMENT, "2027-01-01" },
		{ 503,
		  "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,\"message\":"
		  "\"stopping\"}}",
		  ERR_BACKEND_UNAVAILABLE, "stopping" },
	};
	struct peer *p = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;

		assert_null(call_mock(p, "a_b", (unsigned)rows[i].status,
				      "application/json", rows[i].reply, &err));
		if (err.code != rows[i].code || !strstr(err.message, rows[i].says))
			print_message("# %s: %s\n", rows[i].reply, err.message);
		assert_int_equal(err.code, rows[i].code);
		assert_non_null(strstr(err.message, rows[i].says));
	}
	/* Absent means complete. */
	struct error err = ERROR_INIT;
	json_auto_t *old = call_mock(p, "a_b", 200, "application/json",
				     "{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"result\":{}}",
				     &err);
	assert_non_null(old);
}

static void a_list_without_end(void **state)
{
	struct peer *p = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c =
		client_of(p, httpd_port(p->httpd), NULL);

	p->status = 200;
	p->type = "application/json";
	p->reply = "{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"result\":{\"tools\":[{}],"
		   "\"nextCursor\":\"\"}}";
	assert_null(mcp_client_list_tools(c, 20000, &err));
	assert_non_null(strstr(err.message, "no end"));
	assert_non_null(strstr(p->body, "\"cursor\":\"\""));
}

static void nobody_there(void **state)
{
	struct peer *p = *state;
	struct error err = ERROR_INIT;
	bool sent = true;
	_cleanup_(mcp_client_freep) struct mcp_client *c = client_of(p, 1, NULL);
	const struct mcp_client_call call = { .tool = "a_b", .timeout_ms = 2000 };

	assert_null(mcp_client_call(c, &call, &sent, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_false(sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_speaks_with_our_server),
		cmocka_unit_test(the_wrong_token),
		cmocka_unit_test(requests_are_whole),
		cmocka_unit_test(streams_with_one_response),
		cmocka_unit_test(progress_is_told),
		cmocka_unit_test(odd_answers),
		cmocka_unit_test(a_list_without_end),
		cmocka_unit_test(nobody_there),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
