/* The client against servers of every era, played by ours in the same process. */
#include "base/clock.h"
#include "mcp/client/client.h"
#include "mcp/client/testing_eras.h"
#include "mcp/revision.h"

static void notified(void *context, const char *method, const json_t *params)
{
	struct world *w = context;

	assert_string_equal(method, "notifications/progress");
	assert_true(json_is_object(params));
	w->notified++;
}

static json_t *fill_form(void *context, const json_t *params, struct error *err)
{
	(void)context, (void)params, (void)err;
	return json_pack("{s:s, s:{s:s}}", "action", "accept", "content", "who", "Ada");
}

static json_t *open_page(void *context, const json_t *params, struct error *err)
{
	struct world *w = context;

	(void)err;
	json_decref(w->opened);
	w->opened = json_deep_copy(params);
	return json_pack("{s:s}", "action", "accept");
}

static struct mcp_client *open_with(struct world *w, bool no_get_stream)
{
	struct error err = ERROR_INIT;
	char url[64];

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/mcp", httpd_port(w->httpd));
	const struct mcp_client_options options = {
		.url = url,
		.http = w->http,
		.name = "test",
		.no_get_stream = no_get_stream,
		.hooks = { .context = w,
			   .notification = notified,
			   .elicit_form = fill_form },
	};
	struct mcp_client *c = mcp_client_open(&options, &err);
	assert_non_null(c);
	return c;
}

static struct mcp_client *open_client(struct world *w)
{
	return open_with(w, true);
}

/* C-01: of all that came. */
static void ids_are_unique(struct world *w)
{
	for (size_t i = 0; i < w->count; i++)
		for (size_t k = 0; k < i; k++) {
			const json_t *id = json_object_get(w->seen[i].body, "id");

			assert_false(
				id && json_object_get(w->seen[i].body, "method") &&
				json_equal(id, json_object_get(w->seen[k].body, "id")));
		}
}

static json_t *call_go(struct mcp_client *c, struct error *err)
{
	const struct mcp_client_call call = { .tool = "go",
					      .arguments = "{\"n\":42}",
					      .timeout_ms = 5000 };

	return mcp_client_call(c, &call, NULL, err);
}

/* ---- The table of PROTOCOL 4.2 ---- */

static void verdicts(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum mcp_era era; /* UNKNOWN: an error */
	} rows[] = {
		{ 200, DISCOVERED, MCP_ERA_MODERN },
		{ 400, ERROR("-32020"), MCP_ERA_MODERN },
		{ 400, ERROR("-32021"), MCP_ERA_MODERN },
		{ 400, ERROR_DATA("-32022", "{\"supported\":[\"2025-11-25\"]}"),
		  MCP_ERA_LEGACY },
		{ 400, ERROR_DATA("-32022", "{\"supported\":[\"2031-01-01\"]}"),
		  MCP_ERA_UNKNOWN },
		{ 400, ERROR_DATA("-32022", "{\"supported\":[\"2026-07-28\"]}"),
		  MCP_ERA_UNKNOWN }, /* again and again */
		{ 400, ERROR("-32022"), MCP_ERA_LEGACY },
		{ 400, "", MCP_ERA_LEGACY },
		{ 400, "<html>", MCP_ERA_LEGACY },
		{ 404, "<html>", MCP_ERA_LEGACY },
		{ 405, "", MCP_ERA_LEGACY },
		{ 400,
		  "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,"
		  "\"message\":\"Bad Request: No valid session ID\"}}",
		  MCP_ERA_LEGACY },
		{ 404, ERROR("-32001"), MCP_ERA_LEGACY },
		{ 400, ERROR("-32600"), MCP_ERA_LEGACY },
		{ 404, ERROR("-32601"), MCP_ERA_LEGACY },
		{ 200, ERROR("-32601"), MCP_ERA_LEGACY },
		{ 200, "<html>", MCP_ERA_LEGACY },
		{ 401, "", MCP_ERA_UNKNOWN },
		{ 403, ERROR("-32000"), MCP_ERA_UNKNOWN },
		{ 429, "", MCP_ERA_UNKNOWN },
		{ 302, "", MCP_ERA_UNKNOWN },
		{ 500, "", MCP_ERA_UNKNOWN },
		{ 503, ERROR("-32601"), MCP_ERA_UNKNOWN },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		struct mcp_client *c = open_client(w);

		for (size_t k = 0; k < w->count; k++)
			json_decref(w->seen[k].body);
		w->count = 0;
		w->probe_status = (unsigned)rows[i].status;
		w->probe_body = rows[i].body;
		json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
		if (mcp_client_era(c, NULL) != rows[i].era ||
		    !tools != (rows[i].era == MCP_ERA_UNKNOWN) ||
		    eras_count(w, "POST", "initialize") !=
			    (rows[i].era == MCP_ERA_LEGACY))
			fail_msg("row %zu: %s: era %d, %s", i, rows[i].body,
				 mcp_client_era(c, NULL), err.message);
		mcp_client_free(c);
	}
}

static void a_version_refused_once(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_client(w);

	w->refuse_versions = 1;
	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	assert_non_null(tools);
	assert_int_equal(eras_count(w, "POST", "server/discover"), 2);
	/* Later, too: nothing began. */
	w->refuse_versions = 1;
	json_auto_t *again = mcp_client_list_tools(c, 5000, &err);
	testing_no_error(&err);
	assert_non_null(again);
	assert_int_equal(eras_count(w, "POST", "initialize"), 0);
}

/* ---- Modern ---- */

static void tools_with_headers(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	char pin[DIGEST_HEX_BYTES] = "";
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_client(w);

	/* Never listed, so without the header at first; refused; listed; sent again. */
	json_auto_t *result = call_go(c, &err);
	testing_no_error(&err);
	assert_int_equal(json_get_int64(result, "n", 0), 1);
	assert_int_equal(eras_count(w, "POST", "tools/call"), 2);
	assert_int_equal(w->notified, 3);
	ids_are_unique(w);
	/* Once, and not for ever. */
	w->stale_headers = 2;
	assert_null(call_go(c, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	assert_int_equal(eras_count(w, "POST", "tools/call"), 4);
	/* The one with a bad annotation is left out. */
	error_clear(&err);
	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	assert_int_equal(json_array_size(tools), 1);
	assert_true(mcp_client_pin(c, "go", pin));
	assert_false(mcp_client_pin(c, "bad", pin));
	/* A definition that is not the one that was judged. */
	struct mcp_client_call call = {
		.tool = "go", .arguments = "{\"n\":42}", .timeout_ms = 5000, .pin = pin
	};
	json_auto_t *pinned = mcp_client_call(c, &call, NULL, &err);
	assert_non_null(pinned);
	pin[0] = pin[0] == '0' ? '1' : '0';
	assert_null(mcp_client_call(c, &call, NULL, &err));
	testing_error(&err, ERR_PRECONDITION_FAILED, "changed");
	assert_int_equal(eras_count(w, "POST", "tools/call"), 5);
}

static void questions_are_answered(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_client(w);

	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	assert_non_null(tools);
	assert_non_null(tools);
	w->rounds = 1;
	json_auto_t *result = call_go(c, &err);
	testing_no_error(&err);
	assert_int_equal(json_get_int64(result, "n", 0), 1);
	const json_t *params =
		json_object_get(eras_last(w, "POST", "tools/call")->body, "params");
	assert_string_equal(json_get_string(params, "requestState"), "s \"1");
	const json_t *answer =
		json_object_get(json_object_get(params, "inputResponses"), "k");
	assert_string_equal(json_get_string(answer, "action"), "accept");
	const json_t *content = json_object_get(answer, "content");
	assert_string_equal(json_get_string(content, "who"), "Ada");
	assert_int_equal(json_get_int64(content, "age", 0), 7);
	/* New ids; nothing of the state in the next call. */
	ids_are_unique(w);
	w->rounds = 0;
	json_auto_t *next = call_go(c, &err);
	assert_non_null(next);
	assert_non_null(next);
	params = json_object_get(eras_last(w, "POST", "tools/call")->body, "params");
	assert_null(json_object_get(params, "requestState"));
	assert_null(json_object_get(params, "inputResponses"));
}

#define ASK_URL(url)                                                                     \
	RESULT("\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{"            \
	       "\"method\":\"elicitation/create\",\"params\":{\"mode\":\"url\","         \
	       "\"message\":\"?\",\"url\":\"" url "\"}}}")

/* C-23: a person sees where it leads; nobody looks there first. */
static void pages_are_opened_by_a_person(void **state)
{
	static const char *const bad[] = {
		ASK_URL("http://a.example/"),   ASK_URL("javascript:alert(1)"),
		ASK_URL("file:///etc/passwd"),  ASK_URL("https://a.example/ b"),
		ASK_URL("https://u@a.example"), ASK_URL(""),
	};
	struct world *w = *state;
	struct error err = ERROR_INIT;
	char url[64], good[512];

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/page?a=b",
		       httpd_port(w->httpd));
	(void)snprintf(good, sizeof good,
		       "{\"jsonrpc\":\"2.0\",\"id\":%%ID%%,\"result\":{\"resultType\":"
		       "\"input_required\",\"inputRequests\":{\"k\":{\"method\":"
		       "\"elicitation/create\",\"params\":{\"mode\":\"url\",\"message\":"
		       "\"?\",\"url\":\"%s\"}}}}}",
		       url);
	char base[64];
	(void)snprintf(base, sizeof base, "http://127.0.0.1:%u/mcp",
		       httpd_port(w->httpd));
	const struct mcp_client_options options = {
		.url = base,
		.http = w->http,
		.name = "test",
		.hooks = { .context = w, .elicit_url = open_page },
	};
	_cleanup_(mcp_client_freep) struct mcp_client *c =
		mcp_client_open(&options, &err);
	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	assert_non_null(tools);
	w->call = good; /* for ever, so that it is given up in the end */
	assert_null(call_go(c, &err));
	assert_string_equal(json_get_string(w->opened, "url"), url);
	assert_int_equal(eras_count(w, "GET", ""), 0);
	json_decref(w->opened);
	w->opened = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		error_clear(&err);
		w->call = bad[i];
		assert_null(call_go(c, &err));
		testing_error(&err, ERR_INVALID_ARGUMENT, "may not be");
		assert_null(w->opened);
	}
}

/* C-14: to close the stream is to cancel, and nothing else says so. */
static void who_gives_up_hangs_up(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_client(w);
	const struct mcp_client_call call = { .tool = "go", .timeout_ms = 200 };

	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	assert_non_null(tools);
	w->holds = true;
	assert_null(mcp_client_call(c, &call, NULL, &err));
	testing_error(&err, ERR_TIMEOUT, "in time");
	while (!atomic_load(&w->is_gone))
		(void)usleep(1000);
	assert_int_equal(eras_count(w, "POST", "tools/call"), 1);
	assert_int_equal(eras_count(w, "POST", "notifications/cancelled"), 0);
}

/* C-15, C-16: not answered, not resumed, not sent again. */
static void modern_streams_are_only_read(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_with(w, false);

	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	assert_non_null(tools);
	w->call = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n\n"
		  "data: " RESULT("\"n\":4") "\n\n";
	json_auto_t *result = call_go(c, &err);
	testing_no_error(&err);
	assert_int_equal(json_get_int64(result, "n", 0), 4);
	w->call = "id: 7\nretry: 10\n" PROGRESS;
	assert_null(call_go(c, &err));
	assert_true(error_is_set(&err));
	assert_int_equal(eras_count(w, "POST", "tools/call"), 2);
	assert_int_equal(eras_count(w, "POST", "response"), 0);
	assert_int_equal(eras_count(w, "GET", ""), 0);
	for (size_t i = 0; i < w->count; i++)
		assert_string_equal(w->seen[i].session, "");
	/* C-17: what the server does not let us keep is asked for again. */
	error_clear(&err);
	json_auto_t *again = mcp_client_list_tools(c, 5000, &err);
	assert_non_null(again);
	assert_int_equal(eras_count(w, "POST", "tools/list"), 2);
	ids_are_unique(w);
}

static void bad_questions(void **state)
{
	static const char *const bad[] = {
		RESULT("\"resultType\":\"input_required\""),
		RESULT("\"resultType\":\"input_required\",\"requestState\":\"x\""),
		RESULT("\"resultType\":\"input_required\",\"requestState\":7"),
		RESULT("\"resultType\":\"input_required\",\"inputRequests\":{\"k\":7}"),
		RESULT("\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{"
		       "\"method\":\"roots/list\"}}"),
		RESULT("\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{"
		       "\"method\":\"elicitation/create\",\"params\":{\"mode\":\"url\","
		       "\"url\":\"https://a.example/\"}}}"),
		RESULT("\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{"
		       "\"method\":\"elicitation/create\",\"params\":{"
		       "\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"a\":{"
		       "\"type\":\"object\"}}}}}}"),
		RESULT("\"resultType\":\"input_required\",\"inputRequests\":{\"k\":{"
		       "\"method\":\"elicitation/create\",\"params\":{"
		       "\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"who\":"
		       "{\"type\":\"string\",\"maxLength\":2}}}}}}"),
	};
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_client(w);
	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);

	assert_non_null(tools);
	assert_non_null(tools);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t before = eras_count(w, "POST", "tools/call");

		w->call = bad[i];
		assert_null(call_go(c, &err));
		assert_true(error_is_set(&err));
		/* The one with a state and no question goes round; not for ever. */
		assert_int_equal(eras_count(w, "POST", "tools/call") - before,
				 i == 1 ? 16 : 1);
		error_clear(&err);
	}
}

/* ---- Legacy ---- */

static struct mcp_client *open_legacy(struct world *w)
{
	w->probe_status = 400;
	w->probe_body = "Bad Request";
	return open_client(w);
}

static void a_session_lives(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	struct mcp_client *c = open_legacy(w);
	int64_t since_ms = 0;

	json_auto_t *about = mcp_client_discover(c, 5000, &err);
	testing_no_error(&err);
	assert_int_equal(mcp_client_era(c, &since_ms), MCP_ERA_LEGACY);
	assert_true(clock_wall_ms() - since_ms < 60000);
	assert_string_equal(json_get_string(about, "protocolVersion"), "2025-06-18");
	const struct seen *begun = eras_last(w, "POST", "initialize");
	assert_string_equal(begun->version, "");
	assert_string_equal(begun->session, "");
	assert_string_equal(eras_last(w, "POST", "notifications/initialized")->session,
			    "session-1");
	/* A question on the stream is answered by a POST; the call goes on. */
	json_auto_t *result = call_go(c, &err);
	testing_no_error(&err);
	assert_int_equal(json_get_int64(result, "n", 0), 2);
	const struct seen *called = eras_last(w, "POST", "tools/call");
	assert_string_equal(called->session, "session-1");
	assert_string_equal(called->version, "2025-06-18");
	const json_t *answer =
		json_object_get(eras_last(w, "POST", "response")->body, "result");
	assert_int_equal(json_get_int64(json_object_get(answer, "content"), "age", 0), 7);
	assert_int_equal(w->notified, 1);
	/* The server forgot us: once more from the start. */
	w->good_session = 77;
	json_auto_t *again = call_go(c, &err);
	testing_no_error(&err);
	assert_non_null(again);
	assert_int_equal(eras_count(w, "POST", "initialize"), 2);
	assert_string_equal(eras_last(w, "POST", "tools/call")->session, "session-2");
	ids_are_unique(w);
	mcp_client_free(c);
	assert_string_equal(eras_last(w, "DELETE", "")->session, "session-2");
}

static void a_broken_stream_is_resumed(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_legacy(w);

	w->breaks_stream = true;
	int64_t began_ms = clock_mono_ms();
	json_auto_t *result = call_go(c, &err);
	testing_no_error(&err);
	assert_int_equal(json_get_int64(result, "n", 0), 3);
	assert_true(clock_mono_ms() - began_ms >= 30);
	assert_string_equal(eras_last(w, "GET", "")->last_id, "s1:0");
	assert_string_equal(eras_last(w, "GET", "")->session, "session-1");
	assert_int_equal(eras_count(w, "POST", "tools/call"), 1);
}

/* C-30: what goes on for ever is given up, however much is heard meanwhile. */
static void progress_does_not_stop_the_clock(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_legacy(w);
	const struct mcp_client_call call = { .tool = "go", .timeout_ms = 300 };

	w->breaks_stream = true;
	w->breaks_for_ever = true;
	int64_t began_ms = clock_mono_ms();
	assert_null(mcp_client_call(c, &call, NULL, &err));
	assert_true(error_is_set(&err));
	assert_true(clock_mono_ms() - began_ms < 10000);
	assert_true(w->notified >= 2);
}

/* C-27 */
static void no_standing_stream_is_no_fault(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;

	w->probe_status = 400;
	w->probe_body = "Bad Request";
	struct mcp_client *c = open_with(w, false);
	for (int i = 0; i < 2; i++) {
		json_auto_t *result = call_go(c, &err);
		testing_no_error(&err);
		assert_int_equal(json_get_int64(result, "n", 0), 2);
	}
	while (eras_count(w, "GET", "") == 0)
		(void)usleep(1000);
	mcp_client_free(c);
	assert_int_equal(eras_count(w, "GET", ""), 1);
}

static void a_session_that_cannot_begin(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_legacy(w);

	w->initialize_status = 404;
	assert_null(call_go(c, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "HTTP 404");
	assert_int_equal(eras_count(w, "GET", ""), 1);
	assert_int_equal(mcp_client_era(c, NULL), MCP_ERA_UNKNOWN);
	assert_int_equal(eras_count(w, "POST", "tools/call"), 0);
}

static void the_oldest_transport(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(mcp_client_freep) struct mcp_client *c = open_client(w);

	w->is_sse = true;
	json_auto_t *tools = mcp_client_list_tools(c, 5000, &err);
	testing_no_error(&err);
	assert_int_equal(json_array_size(tools), 1);
	assert_string_equal(eras_last(w, "POST", "notifications/initialized")->session,
			    "");
	/* An answer that never comes. */
	const struct mcp_client_call call = { .tool = "go", .timeout_ms = 200 };
	bool sent = false;
	assert_null(mcp_client_call(c, &call, &sent, &err));
	assert_true(sent);
	testing_error(&err, ERR_TIMEOUT, "in time");
	assert_int_equal(eras_count(w, "POST", "notifications/cancelled"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, eras_set_up, eras_tear_down)
		TEST(verdicts),
		TEST(a_version_refused_once),
		TEST(tools_with_headers),
		TEST(questions_are_answered),
		TEST(pages_are_opened_by_a_person),
		TEST(who_gives_up_hangs_up),
		TEST(modern_streams_are_only_read),
		TEST(bad_questions),
		TEST(a_session_lives),
		TEST(a_broken_stream_is_resumed),
		TEST(progress_does_not_stop_the_clock),
		TEST(no_standing_stream_is_no_fault),
		TEST(a_session_that_cannot_begin),
		TEST(the_oldest_transport),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
