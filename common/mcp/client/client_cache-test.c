/* What is kept of lists, for how long, and for whom; and results that are not what their
 * tools declare. The server is a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "mcp/client/client_private.h"
#include "wire/httpd.h"

struct world {
	struct httpd *httpd;
	struct http_client *http;
	struct mcp_client *client;
	const char *lists[2]; /* members of the result, a page each; NULL: one page */
	const char *call;     /* of tools/call */
	atomic_uint listed;
};

static void answer(struct http_request *req, const json_t *sent, const char *members)
{
	struct strbuf body = STRBUF_INIT;

	strbuf_add_format(&body, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{",
			  (long long)json_get_int64(sent, "id", 0));
	strbuf_add_format(&body, "\"resultType\":\"complete\",%s}}", members);
	http_reply(req, 200, "application/json", NULL, &body);
}

static void serve(void *context, struct http_request *req)
{
	struct world *w = context;
	struct error err = ERROR_INIT;
	size_t length;
	const char *text = http_request_body(req, &length);
	json_auto_t *sent = json_parse(text, length, JSON_SYNTAX, &err);
	const char *method = json_get_string(sent, "method") ?: "";
	bool second = json_object_get(json_object_get(sent, "params"), "cursor") != NULL;

	if (strcmp(method, "tools/call") == 0) {
		answer(req, sent, w->call);
	} else {
		atomic_fetch_add(&w->listed, !second);
		answer(req, sent, w->lists[second]);
	}
}

static void open_client(struct world *w, bool is_plain)
{
	struct error err = ERROR_INIT;
	char url[64];

	mcp_client_free(w->client);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/mcp", httpd_port(w->httpd));
	const struct mcp_client_options options = {
		.url = url, .http = w->http, .name = "test", .era = MCP_ERA_MODERN
	};
	w->client = is_plain ? mcp_client_new(url, NULL, w->http, "test", &err)
			     : mcp_client_open(&options, &err);
	assert_non_null(w->client);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	const struct httpd_config config = {
		.address = "127.0.0.1", .loops = 1, .handler = serve, .context = w
	};
	struct error err = ERROR_INIT;

	w->httpd = httpd_start(&config, &err);
	w->http = http_client_new("test", &err);
	open_client(w, false);
	*state = w;
	return w->httpd && w->http ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	mcp_client_free(w->client);
	http_client_free(w->http);
	httpd_stop(w->httpd, 1000);
	free(w);
	return 0;
}

static void list(struct world *w)
{
	struct error err = ERROR_INIT;
	json_auto_t *tools = mcp_client_list_tools(w->client, 10000, &err);

	if (!tools)
		fail_msg("%s", err.message);
	assert_int_equal(json_array_size(tools), 1);
	/* Whoever has it may do with it what he wants. */
	(void)json_object_set_new(json_array_get(tools, 0), "name", json_string("mine"));
	(void)json_array_append_new(tools, json_null());
}

#define TOOL "\"tools\":[{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\"}}]"

/* How often the server is asked when a list is wanted three times. */
static unsigned asked(struct world *w, const char *first, const char *second)
{
	char digest[DIGEST_HEX_BYTES];

	open_client(w, false);
	w->lists[0] = first;
	w->lists[1] = second;
	atomic_store(&w->listed, 0);
	for (int i = 0; i < 3; i++)
		list(w);
	assert_true(mcp_client_pin(w->client, "t", digest));
	return atomic_load(&w->listed);
}

static void how_long_lists_are_kept(void **state)
{
	struct world *w = *state;

	assert_int_equal(asked(w, TOOL, NULL), 3);
	assert_int_equal(
		asked(w, TOOL ",\"ttlMs\":60000,\"cacheScope\":\"public\"", NULL), 1);
	assert_int_equal(
		asked(w, TOOL ",\"ttlMs\":60000,\"cacheScope\":\"private\"", NULL), 1);
	assert_int_equal(asked(w, TOOL ",\"ttlMs\":0", NULL), 3);
	assert_int_equal(asked(w, TOOL ",\"ttlMs\":-1", NULL), 3);
	assert_int_equal(asked(w, TOOL ",\"ttlMs\":\"60000\"", NULL), 3);
	assert_int_equal(asked(w, TOOL ",\"ttlMs\":9223372036854775807", NULL), 1);
	/* The page that is stale first makes all of it stale. */
	assert_int_equal(asked(w, TOOL ",\"ttlMs\":60000,\"nextCursor\":\"x\"",
			       "\"tools\":[],\"ttlMs\":60000"),
			 1);
	assert_int_equal(asked(w, TOOL ",\"ttlMs\":60000,\"nextCursor\":\"x\"",
			       "\"tools\":[],\"ttlMs\":0"),
			 3);
	/* Who is made for asking asks. */
	open_client(w, true);
	w->lists[0] = TOOL ",\"ttlMs\":60000,\"cacheScope\":\"public\"";
	atomic_store(&w->listed, 0);
	list(w);
	list(w);
	assert_int_equal(atomic_load(&w->listed), 2);
}

static void changes_end_it(void **state)
{
	struct world *w = *state;
	uint64_t before;

	assert_int_equal(asked(w, TOOL ",\"ttlMs\":60000", NULL), 1);
	client_cache_drop(w->client, "notifications/prompts/list_changed");
	list(w);
	assert_int_equal(atomic_load(&w->listed), 1);
	before = client_cache_generation(w->client);
	client_cache_drop(w->client, "notifications/tools/list_changed");
	assert_int_not_equal(client_cache_generation(w->client), before);
	list(w);
	assert_int_equal(atomic_load(&w->listed), 2);
	/* One that was read while it changed is not kept. */
	struct client_freshness f = { .until_ms = INT64_MAX };
	json_auto_t *other = json_array();
	client_cache_drop(w->client, "notifications/tools/list_changed");
	client_cache_put(w->client, "tools/list", other, &f, before);
	assert_null(client_cache_get(w->client, "tools/list"));
}

static void pages_of_different_scope_are_private(void **state)
{
	struct client_freshness f = CLIENT_FRESHNESS_INIT;
	json_auto_t *one = json_pack("{s:i, s:s}", "ttlMs", 1000, "cacheScope", "public");
	json_auto_t *two = json_pack("{s:i}", "ttlMs", 1000);

	(void)state;
	client_freshness_take(&f, one);
	assert_true(f.is_public);
	client_freshness_take(&f, two);
	assert_false(f.is_public);
	client_freshness_take(&f, one);
	assert_false(f.is_public);
	assert_true(f.until_ms <= clock_mono_ms() + 1000);
}

static json_t *call(struct world *w, struct error *err)
{
	const struct mcp_client_call request = { .tool = "t", .timeout_ms = 10000 };
	bool sent;

	error_clear(err);
	return mcp_client_call(w->client, &request, &sent, err);
}

#define TOOL_WITH(schema)                                                                \
	"\"tools\":[{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\"},"              \
	"\"outputSchema\":" schema "}]"
#define NUMBER                                                                           \
	TOOL_WITH("{\"type\":\"object\",\"required\":[\"n\"],\"properties\":{\"n\":"     \
		  "{\"type\":\"integer\"}}}")

#define DRAFT_7 "{\"$schema\":\"http://json-schema.org/draft-07/schema#\""

static void results_are_what_is_declared(void **state)
{
	static const struct {
		const char *list, *call;
		bool good, is_structured;
	} rows[] = {
		{ TOOL, "\"content\":[],\"structuredContent\":{\"n\":\"x\"}", true,
		  true },
		{ NUMBER, "\"content\":[],\"structuredContent\":{\"n\":1}", true, true },
		{ NUMBER, "\"content\":[],\"structuredContent\":{\"n\":\"x\"}", false,
		  0 },
		{ NUMBER, "\"content\":[],\"structuredContent\":{}", false, 0 },
		{ NUMBER, "\"content\":[]", false, 0 },
		{ NUMBER, "\"content\":[],\"isError\":true", true, false },
		{ TOOL_WITH("{\"$ref\":\"http://127.0.0.1/x\"}"),
		  "\"content\":[],\"structuredContent\":{\"n\":1}", true, false },
		{ TOOL_WITH(DRAFT_7 ",\"type\":\"object\"}"),
		  "\"content\":[],\"structuredContent\":{\"n\":1}", true, true },
		{ TOOL_WITH(DRAFT_7 ",\"type\":\"object\"}"),
		  "\"content\":[],\"structuredContent\":1", false, false },
		{ TOOL_WITH(DRAFT_7 ",\"items\":[{}]}"),
		  "\"content\":[],\"structuredContent\":[1]", true, false },
		{ TOOL_WITH("{\"$schema\":\"https://dialect.example/\"}"),
		  "\"content\":[],\"structuredContent\":{\"n\":1}", true, false },
		{ TOOL, "\"content\":\"x\"", false, false },
		{ TOOL, "\"content\":[\"x\"]", false, false },
		{ TOOL, "\"content\":[{\"type\":7}]", false, false },
		{ TOOL, "\"content\":[{\"type\":\"hologram\"}]", true, false },
		{ TOOL, "\"content\":[],\"isError\":\"true\"", false, false },
		{ TOOL, "\"isError\":null", false, false },
		{ TOOL, "\"old\":1", true, false },
		{ TOOL_WITH("7"), "\"content\":[],\"structuredContent\":7", true, false },
	};
	struct world *w = *state;
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_client(w, false);
		w->lists[0] = rows[i].list;
		w->call = rows[i].call;
		list(w);
		json_auto_t *result = call(w, &err);
		assert_int_equal(result != NULL, rows[i].good);
		assert_int_equal(err.code, rows[i].good ? ERR_NONE : ERR_UNKNOWN_OUTCOME);
		assert_int_equal(json_object_get(result, "structuredContent") != NULL,
				 rows[i].is_structured);
	}
	/* Not listed, not declared. */
	open_client(w, false);
	w->call = "\"content\":[],\"structuredContent\":{\"n\":\"x\"}";
	json_auto_t *result = call(w, &err);
	assert_non_null(result);
}

/* Nobody could say which of them was judged, and which is called. */
static void the_second_of_one_name_is_left_out(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;

	w->lists[0] = "\"tools\":[{\"name\":\"t\",\"title\":\"one\",\"inputSchema\":{}},"
		      "{\"name\":\"u\",\"inputSchema\":{}},"
		      "{\"name\":\"t\",\"title\":\"two\",\"inputSchema\":{}}]";
	json_auto_t *tools = mcp_client_list_tools(w->client, 10000, &err);
	assert_int_equal(json_array_size(tools), 2);
	assert_string_equal(json_get_string(json_array_get(tools, 0), "title"), "one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(how_long_lists_are_kept),
		TEST(changes_end_it),
		TEST(pages_of_different_scope_are_private),
		TEST(results_are_what_is_declared),
		TEST(the_second_of_one_name_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
