/* Calls that become tasks: our client against our server, and against answers that no
 * server should give. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fixture/rig.h"
#include "mcp/client/client.h"
#include "wire/httpd.h"

struct world {
	struct rig rig;
	struct http_client *http;
	struct mcp_client *client;
	struct httpd *httpd; /* the server that nobody should be */
	const char *reply;
	char statuses[200]; /* as the hook saw them, each behind a space */
	char id[128];
	unsigned forms;
	bool hides;        /* no hook answers */
	atomic_bool *stop; /* set when a task begins; NULL: not */
};

static void note_task(void *context, const json_t *task)
{
	struct world *w = context;
	size_t at = strlen(w->statuses);

	(void)snprintf(w->statuses + at, sizeof w->statuses - at, " %s",
		       json_get_string(task, "status"));
	(void)snprintf(w->id, sizeof w->id, "%s", json_get_string(task, "taskId"));
	if (w->stop)
		atomic_store(w->stop, true);
}

static json_t *fill(void *context, const json_t *params, struct error *err)
{
	struct world *w = context;

	(void)params, (void)err;
	w->forms++;
	return json_pack("{s:s, s:{s:s}}", "action", "accept", "content", "name", "Ada");
}

static void serve(void *context, struct http_request *req)
{
	const struct world *w = context;
	struct error err = ERROR_INIT;
	struct strbuf body = STRBUF_INIT;
	size_t length;
	const char *text = http_request_body(req, &length);
	json_auto_t *sent = json_parse(text, length, JSON_SYNTAX, &err);

	strbuf_add_format(&body, "{\"jsonrpc\":\"2.0\",\"id\":%lld,",
			  (long long)json_get_int64(sent, "id", 0));
	strbuf_add_format(&body, "%s}", w->reply);
	http_reply(req, 200, "application/json", NULL, &body);
}

static void open_client(struct world *w, uint16_t port)
{
	struct error err = ERROR_INIT;
	char url[64];

	mcp_client_free(w->client);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/mcp", port);
	const struct mcp_client_options options = {
		.url = url,
		.token = w->rig.alice,
		.http = w->http,
		.name = "test",
		.era = MCP_ERA_MODERN,
		.takes_tasks = true,
		.hooks = { .context = w,
			   .task = note_task,
			   .elicit_form = w->hides ? NULL : fill },
	};
	w->client = mcp_client_open(&options, &err);
	assert_non_null(w->client);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	const struct httpd_config config = {
		.address = "127.0.0.1", .loops = 1, .handler = serve, .context = w
	};
	struct error err = ERROR_INIT;

	rig_open(&w->rig);
	rig_config(&w->rig, "freed_reads: [test_task]\n");
	rig_start(&w->rig);
	w->http = http_client_new("test", &err);
	w->httpd = httpd_start(&config, &err);
	open_client(w, w->rig.port);
	*state = w;
	return w->http && w->httpd ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	mcp_client_free(w->client);
	http_client_free(w->http);
	httpd_stop(w->httpd, 1000);
	rig_close(&w->rig);
	free(w);
	return 0;
}

static json_t *call(struct world *w, const char *kind, int ms, const atomic_bool *cancel,
		    struct error *err)
{
	char arguments[100];
	bool sent;

	(void)snprintf(arguments, sizeof arguments, "{\"kind\":\"%s\",\"ms\":%d}", kind,
		       ms);
	const struct mcp_client_call request = { .tool = "test_task",
						 .arguments = arguments,
						 .timeout_ms = 30000,
						 .cancel = cancel };
	json_t *result = mcp_client_call(w->client, &request, &sent, err);
	assert_true(sent);
	return result;
}

static const char *text_of(const json_t *result)
{
	return json_get_string(json_array_get(json_object_get(result, "content"), 0),
			       "text")
		       ?: "";
}

static void a_task_is_waited_for(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	json_auto_t *result = call(w, "slow", 10, NULL, &err);

	assert_string_equal(text_of(result), "Done.");
	assert_string_equal(w->statuses, " working completed");
	/* By its id it is found again, by a client that has never heard of it. */
	open_client(w, w->rig.port);
	json_auto_t *again = mcp_client_await_task(w->client, w->id, 10000, NULL, &err);
	assert_string_equal(text_of(again), "Done.");
	assert_true(mcp_client_cancel_task(w->client, w->id, 10000, &err));
}

static void failures(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	json_auto_t *result = call(w, "fail", 0, NULL, &err);

	assert_true(json_is_true(json_object_get(result, "isError")));
	assert_null(call(w, "protocol", 0, NULL, &err));
	assert_string_equal(err.message, "broken as asked");
	error_clear(&err);
	assert_null(mcp_client_await_task(w->client, "nope", 10000, NULL, &err));
	assert_int_equal(err.code, ERR_UNKNOWN_OUTCOME);
	error_clear(&err);
	assert_false(mcp_client_cancel_task(w->client, "nope", 10000, &err));
}

static void questions_go_to_hooks(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	json_auto_t *one = call(w, "ask", 0, NULL, &err);
	json_auto_t *early = call(w, "early", 0, NULL, &err);
	json_auto_t *two = call(w, "two", 0, NULL, &err);

	assert_string_equal(text_of(one), "Done.");
	assert_string_equal(text_of(early), "Done.");
	assert_string_equal(text_of(two), "Done.");
	assert_int_equal(w->forms, 4);
	assert_non_null(strstr(w->statuses, "input_required"));
}

static void what_is_given_up_is_cancelled_there(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	atomic_bool stop = false;

	w->stop = &stop;
	assert_null(call(w, "slow", 60000, &stop, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	w->stop = NULL;
	error_clear(&err);
	assert_null(mcp_client_await_task(w->client, w->id, 10000, NULL, &err));
	assert_int_equal(err.code, ERR_UNKNOWN_OUTCOME);
	assert_non_null(strstr(w->statuses, "cancelled"));
}

static void who_takes_no_tasks_gets_none(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	char url[64];

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/mcp", w->rig.port);
	mcp_client_free(w->client);
	w->client = mcp_client_new(url, w->rig.alice, w->http, "test", &err);
	json_auto_t *result = call(w, "slow", 10, NULL, &err);
	assert_string_equal(text_of(result), "Done.");
	assert_string_equal(w->statuses, "");
	/* Nor when a server makes one nevertheless. */
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/mcp", httpd_port(w->httpd));
	mcp_client_free(w->client);
	w->client = mcp_client_new(url, w->rig.alice, w->http, "test", &err);
	w->reply = "\"result\":{\"resultType\":\"task\",\"taskId\":\"t\","
		   "\"status\":\"working\"}";
	assert_null(call(w, "slow", 10, NULL, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
}

#define TASK(rest) "\"result\":{\"resultType\":\"complete\",\"taskId\":\"t\"," rest "}"

static void answers_that_no_server_should_give(void **state)
{
	static const struct {
		const char *reply;
		enum error_code code;
	} rows[] = {
		{ "\"result\":{\"resultType\":\"complete\"}", ERR_UNKNOWN_OUTCOME },
		{ "\"result\":{\"resultType\":\"complete\",\"taskId\":\"u\","
		  "\"status\":\"completed\",\"result\":{}}",
		  ERR_UNKNOWN_OUTCOME },
		{ TASK("\"status\":7"), ERR_UNKNOWN_OUTCOME },
		{ TASK("\"status\":\"odd\""), ERR_UNKNOWN_OUTCOME },
		{ TASK("\"status\":\"completed\""), ERR_UNKNOWN_OUTCOME },
		{ TASK("\"status\":\"completed\",\"result\":[]"), ERR_UNKNOWN_OUTCOME },
		{ TASK("\"status\":\"completed\",\"result\":{\"resultType\":\"task\"}"),
		  ERR_UNKNOWN_OUTCOME },
		{ TASK("\"status\":\"failed\""), ERR_INVALID_ARGUMENT },
		{ TASK("\"status\":\"cancelled\""), ERR_UNKNOWN_OUTCOME },
		{ TASK("\"status\":\"input_required\",\"inputRequests\":{\"a\":1}"),
		  ERR_INVALID_ARGUMENT },
		{ TASK("\"status\":\"input_required\",\"inputRequests\":{\"a\":"
		       "{\"method\":\"roots/list\"}}"),
		  ERR_NOT_FOUND },
		{ "\"error\":{\"code\":-32602,\"message\":\"no\"}", ERR_UNKNOWN_OUTCOME },
		{ "\"error\":{\"code\":-32601,\"message\":\"no\"}",
		  ERR_INVALID_ARGUMENT },
	};
	struct world *w = *state;

	open_client(w, httpd_port(w->httpd));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;

		w->reply = rows[i].reply;
		assert_null(mcp_client_await_task(w->client, "t", 10000, NULL, &err));
		if (err.code != rows[i].code)
			fail_msg("%s: %s", rows[i].reply, err.message);
	}
	/* Made with no id, or with one that is none. */
	static const char *const made[] = { "\"status\":\"working\"",
					    "\"taskId\":\"\",\"status\":\"working\"",
					    "\"taskId\":1,\"status\":\"working\"" };
	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		_cleanup_strbuf_ struct strbuf reply = STRBUF_INIT;
		struct error err = ERROR_INIT;

		strbuf_add_format(&reply, "\"result\":{\"resultType\":\"task\",%s}",
				  made[i]);
		w->reply = reply.data;
		assert_null(call(w, "slow", 0, NULL, &err));
		assert_int_equal(err.code, ERR_UNKNOWN_OUTCOME);
	}
}

/* A question is put once, whatever is shown after it was answered. */
static void a_question_is_put_once(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;

	open_client(w, httpd_port(w->httpd));
	w->reply = TASK("\"status\":\"input_required\",\"pollIntervalMs\":1,"
			"\"inputRequests\":{\"a\":{\"method\":\"elicitation/create\","
			"\"params\":{\"message\":\"?\",\"requestedSchema\":{\"type\":"
			"\"object\",\"properties\":{\"name\":{\"type\":\"string\"}}}}}}");
	assert_null(mcp_client_await_task(w->client, "t", 1500, NULL, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_int_equal(w->forms, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_task_is_waited_for),
		TEST(failures),
		TEST(questions_go_to_hooks),
		TEST(what_is_given_up_is_cancelled_there),
		TEST(who_takes_no_tasks_gets_none),
		TEST(answers_that_no_server_should_give),
		TEST(a_question_is_put_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
