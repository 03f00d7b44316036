/* subscriptions/listen over real HTTP: PROTOCOL 2.9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "fixture/rig.h"
#include "mcp/server.h"

#define SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

static struct rig rig;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_config(&rig, "freed_resources: ['fixture://text', 'fixture://values/{key}']\n"
			 "limits: {streams_per_caller: 3}\n");
	rig_start(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

/* 'id' and 'filter' are JSON. */
static int listen_with(const struct secret *who, const char *accept, const char *id,
		       const char *filter)
{
	char body[4096], headers[256];

	(void)snprintf(headers, sizeof headers,
		       "Content-Type: application/json\r\nAccept: %s\r\n"
		       "MCP-Protocol-Version: 2026-07-28\r\n"
		       "Mcp-Method: subscriptions/listen\r\n",
		       accept);

	(void)snprintf(
		body, sizeof body,
		"{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"subscriptions/listen\","
		"\"params\":{\"notifications\":%s,\"_meta\":{"
		"\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
		"\"io.modelcontextprotocol/clientCapabilities\":{}}}}",
		id, filter);
	return rig_open_post(&rig, who, headers, body);
}

static int listen_to(const struct secret *who, const char *id, const char *filter)
{
	return listen_with(who, "application/json, text/event-stream", id, filter);
}

/* Read until 'word' was seen. */
static void await(int fd, struct strbuf *text, const char *word)
{
	char chunk[4096];
	ssize_t n;

	while (!strstr(text->data, word) && (n = recv(fd, chunk, sizeof chunk, 0)) > 0)
		strbuf_add(text, chunk, (size_t)n);
	if (!strstr(text->data, word))
		fail_msg("no %s in: %s", word, text->data);
}

static struct answer finish(int fd, struct strbuf *text)
{
	char chunk[4096];
	ssize_t n;

	while ((n = recv(fd, chunk, sizeof chunk, 0)) > 0)
		strbuf_add(text, chunk, (size_t)n);
	(void)close(fd);
	struct answer a = answer_read(text);
	rig_judge(&rig, "subscriptions/listen", &a);
	return a;
}

static const char *method_of(const struct answer *a, size_t i)
{
	return json_get_string(json_array_get(a->events, i), "method");
}

static const json_t *params_of(const struct answer *a, size_t i)
{
	return json_object_get(json_array_get(a->events, i), "params");
}

static const json_t *subscription_of(const json_t *params)
{
	return json_object_get(json_object_get(params, "_meta"), SUBSCRIPTION);
}

/* S-37 to S-40 */
static void who_listens_hears_what_it_asked_for(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int fd = listen_to(rig.alice, "\"L1\"",
			   "{\"toolsListChanged\":true,\"promptsListChanged\":true,"
			   "\"resourceSubscriptions\":[\"fixture://text\","
			   "\"fixture://values/a\",\"fixture://nothing\"]}");

	(void)state;
	await(fd, &text, "acknowledged");
	mcp_service_changed(rig.service, MCP_CHANGED_TOOLS, NULL);
	mcp_service_changed(rig.service, MCP_CHANGED_PROMPTS, NULL);
	mcp_service_changed(rig.service, MCP_CHANGED_RESOURCES, NULL);
	mcp_service_changed(rig.service, MCP_CHANGED_RESOURCE, "fixture://bytes");
	mcp_service_changed(rig.service, MCP_CHANGED_RESOURCE, "fixture://values/a");
	await(fd, &text, "resources/updated");
	mcp_service_stop(rig.service, 5000);
	rig_stop(&rig);
	_cleanup_answer_ struct answer a = finish(fd, &text);
	rig_start(&rig);

	assert_int_equal(a.status, 200);
	assert_non_null(strcasestr(a.head, "X-Accel-Buffering: no"));
	assert_int_equal(json_array_size(a.events), 3);
	assert_string_equal(method_of(&a, 0), "notifications/subscriptions/acknowledged");
	const json_t *honoured = json_object_get(params_of(&a, 0), "notifications");
	assert_true(json_is_true(json_object_get(honoured, "toolsListChanged")));
	/* Not offered, not acknowledged. */
	assert_null(json_object_get(honoured, "promptsListChanged"));
	assert_int_equal(
		json_array_size(json_object_get(honoured, "resourceSubscriptions")), 2);
	assert_string_equal(method_of(&a, 1), "notifications/tools/list_changed");
	assert_string_equal(method_of(&a, 2), "notifications/resources/updated");
	assert_string_equal(json_get_string(params_of(&a, 2), "uri"),
			    "fixture://values/a");
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(json_string_value(subscription_of(params_of(&a, i))),
				    "L1");
	/* Stopped: with its result. */
	assert_string_equal(json_get_string(a.body, "id"), "L1");
	assert_string_equal(json_string_value(subscription_of(answer_result(&a))), "L1");
	assert_string_equal(json_get_string(answer_result(&a), "resultType"), "complete");
}

static void who_reads_no_events_cannot_listen(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int fd = listen_with(rig.alice, "application/json", "7",
			     "{\"toolsListChanged\":true}");
	_cleanup_answer_ struct answer a = finish(fd, &text);

	(void)state;
	assert_int_equal(a.status, 406);
	assert_int_equal(json_get_int64(json_object_get(a.body, "error"), "code", 0),
			 -32600);
}

static void an_empty_filter_ends_at_once(void **state)
{
	static const char *const filters[] = {
		"{}",
		"{\"toolsListChanged\":false}",
		"{\"promptsListChanged\":true}",
		"{\"resourceSubscriptions\":[\"fixture://nothing\"]}",
		"{\"unknown\":true}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		int fd = listen_to(rig.alice, "7", filters[i]);
		_cleanup_answer_ struct answer a = finish(fd, &text);

		assert_int_equal(json_array_size(a.events), 1);
		assert_int_equal(json_object_size(json_object_get(params_of(&a, 0),
								  "notifications")),
				 0);
		/* S-38: with the type of the id. */
		assert_true(json_is_integer(subscription_of(params_of(&a, 0))));
		assert_true(json_is_integer(subscription_of(answer_result(&a))));
	}
}

static void bad_filters_are_refused(void **state)
{
	static const struct {
		const char *filter;
		int64_t code;
	} rows[] = {
		{ "[]", -32602 },
		{ "null", -32602 },
		{ "{\"toolsListChanged\":1}", -32602 },
		{ "{\"resourceSubscriptions\":\"fixture://text\"}", -32602 },
		{ "{\"resourceSubscriptions\":[7]}", -32602 },
		/* never falls open */
		{ "{\"resourceSubscriptions\":[\"fixture://kept\"]}", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		int fd = listen_to(rig.alice, "1", rows[i].filter);
		_cleanup_answer_ struct answer a = finish(fd, &text);
		const json_t *error = json_object_get(a.body, "error");

		assert_null(a.events);
		assert_int_equal(json_get_int64(error, "code", 0), rows[i].code);
	}
}

static void a_client_has_so_many_streams(void **state)
{
	int fds[3];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		fds[i] = listen_to(rig.alice, "1", "{\"toolsListChanged\":true}");
		await(fds[i], &text, "acknowledged");
	}
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int fd = listen_to(rig.alice, "1", "{\"toolsListChanged\":true}");
	_cleanup_answer_ struct answer a = finish(fd, &text);
	assert_non_null(strstr(a.text, "rate_limited"));
	/* Others are not kept out. */
	_cleanup_strbuf_ struct strbuf other = STRBUF_INIT;
	fd = listen_to(rig.bob, "1", "{\"toolsListChanged\":true}");
	await(fd, &other, "acknowledged");
	(void)close(fd);
	/* Who leaves makes room. */
	(void)close(fds[0]);
	int64_t until_ms = clock_mono_ms() + 10000;
	for (bool good = false; !good;) {
		_cleanup_strbuf_ struct strbuf again = STRBUF_INIT;
		char chunk[2048];
		ssize_t n;

		assert_true(clock_mono_ms() < until_ms);
		fds[0] = listen_to(rig.alice, "1", "{\"toolsListChanged\":true}");
		while (!strstr(again.data, "acknowledged") &&
		       (n = recv(fds[0], chunk, sizeof chunk, 0)) > 0)
			strbuf_add(&again, chunk, (size_t)n);
		good = strstr(again.data, "acknowledged") != NULL;
		if (!good)
			(void)close(fds[0]);
		(void)usleep(10000);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
}

/* It hears that something changed, which it may read as somebody; of what is not freed, and
 * of anybody's tasks, it does not. */
static void the_gate_hears_of_what_is_freed(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, refused = STRBUF_INIT;
	int fd = listen_to(rig.gate, "1",
			   "{\"resourceSubscriptions\":[\"fixture://kept\","
			   "\"fixture://text\"]}");

	(void)state;
	await(fd, &text, "acknowledged");
	mcp_service_changed(rig.service, MCP_CHANGED_RESOURCE, "fixture://kept");
	mcp_service_changed(rig.service, MCP_CHANGED_RESOURCE, "fixture://text");
	await(fd, &text, "\"uri\":\"fixture://text\"");
	assert_null(strstr(text.data, "fixture://kept"));
	(void)close(fd);
	fd = listen_to(rig.gate, "1", "{\"taskIds\":[\"t\"]}");
	_cleanup_answer_ struct answer a = finish(fd, &refused);
	assert_null(a.events);
}

static void subscriptions_are_in_the_log(void **state)
{
	(void)state;
	assert_true(rig_count_audit(&rig, "call.free_read") >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_listens_hears_what_it_asked_for),
		cmocka_unit_test(who_reads_no_events_cannot_listen),
		cmocka_unit_test(an_empty_filter_ends_at_once),
		cmocka_unit_test(bad_filters_are_refused),
		cmocka_unit_test(a_client_has_so_many_streams),
		cmocka_unit_test(the_gate_hears_of_what_is_freed),
		cmocka_unit_test(subscriptions_are_in_the_log),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
