/* Progress, messages, and clients that leave, over real HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture/rig.h"

static struct rig rig;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_config(&rig, "freed_reads: [talk_slowly]\n");
	rig_start(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

#define TOKEN        ",\"progressToken\":\"p7\""
#define LEVEL(level) ",\"io.modelcontextprotocol/logLevel\":\"" level "\""

static struct answer talk(const char *arguments, const char *meta)
{
	return rig_call(&rig, rig.alice, "talk_slowly", arguments, meta, NULL);
}

static size_t count(const struct answer *a, const char *method)
{
	const json_t *event;
	size_t i, found = 0;

	json_array_foreach(a->events, i, event)
	{
		found += strcmp(json_get_string(event, "method"), method) == 0;
	}
	return found;
}

static void who_asks_for_nothing_hears_nothing(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a = talk("{}", NULL);

	assert_null(a.events);
	assert_int_equal(
		json_get_int64(json_object_get(answer_result(&a), "structuredContent"),
			       "said", -1),
		3);
}

/* S-30 */
static void progress_grows(void **state)
{
	double last = -1;
	const json_t *event;
	size_t i;

	(void)state;
	_cleanup_answer_ struct answer a = talk("{}", TOKEN);
	assert_int_equal(a.status, 200);
	assert_non_null(strcasestr(a.head, "X-Accel-Buffering: no"));
	assert_int_equal(count(&a, "notifications/progress"), 4);
	assert_int_equal(count(&a, "notifications/message"), 0);
	json_array_foreach(a.events, i, event)
	{
		const json_t *params = json_object_get(event, "params");
		double progress = json_number_value(json_object_get(params, "progress"));

		assert_string_equal(json_get_string(params, "progressToken"), "p7");
		assert_int_equal(json_get_int64(params, "total", 0), 3);
		assert_true(progress > last);
		last = progress;
	}
	assert_string_equal(json_get_string(a.body, "id"), "c1");
	assert_string_equal(json_get_string(answer_result(&a), "resultType"), "complete");
}

static void tokens_keep_their_type(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a = talk("{}", ",\"progressToken\":7");
	const json_t *token = json_object_get(
		json_object_get(json_array_get(a.events, 0), "params"), "progressToken");

	assert_true(json_is_integer(token) && json_integer_value(token) == 7);
}

/* S-29 */
static void messages_come_from_the_level_on(void **state)
{
	static const struct {
		const char *meta;
		size_t messages;
	} rows[] = {
		{ LEVEL("debug"), 8 },    { LEVEL("info"), 8 },
		{ LEVEL("notice"), 4 },   { LEVEL("error"), 4 },
		{ LEVEL("critical"), 0 }, { LEVEL("emergency"), 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_answer_ struct answer a = talk("{}", rows[i].meta);

		assert_int_equal(count(&a, "notifications/message"), rows[i].messages);
		assert_int_equal(count(&a, "notifications/progress"), 0);
		assert_int_equal(a.events != NULL, rows[i].messages > 0);
	}
}

/* Once the head is out, an error stands in the stream. */
static void failures_end_the_stream_too(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a = talk("{\"fail\":true}", TOKEN);

	assert_int_equal(a.status, 200);
	assert_string_equal(answer_code(&a), "not_found");
	assert_int_equal(count(&a, "notifications/progress"), 4);
}

static void who_takes_no_streams_gets_none(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a = rig_post(
		&rig, rig.alice,
		"Content-Type: application/json\r\nAccept: application/json\r\n"
		"MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n"
		"Mcp-Name: talk_slowly\r\n",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
		"\"name\":\"talk_slowly\",\"_meta\":{\"progressToken\":1,"
		"\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
		"\"io.modelcontextprotocol/clientCapabilities\":{}}}}");

	assert_null(a.events);
	assert_non_null(answer_result(&a));
}

static int begin(const char *meta)
{
	char body[1024];

	(void)snprintf(
		body, sizeof body,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
		"\"name\":\"talk_slowly\",\"arguments\":{\"steps\":1000,\"gap_ms\":10},"
		"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
		"\"io.modelcontextprotocol/clientCapabilities\":{}%s}}}",
		meta);
	return rig_open_post(&rig, rig.alice,
			     "Content-Type: application/json\r\n"
			     "MCP-Protocol-Version: 2026-07-28\r\n"
			     "Mcp-Method: tools/call\r\nMcp-Name: talk_slowly\r\n",
			     body);
}

/* S-28 */
static void a_client_that_leaves_cancels(void **state)
{
	static const char *const metas[] = { "", TOKEN };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(metas); i++) {
		int fd = begin(metas[i]);

		(void)usleep(100 * 1000);
		assert_false(rig_has(&rig, "noticed"));
		(void)close(fd);
		rig_wait_for(&rig, "noticed");
		rig_remove(&rig, "noticed");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks_for_nothing_hears_nothing),
		cmocka_unit_test(progress_grows),
		cmocka_unit_test(tokens_keep_their_type),
		cmocka_unit_test(messages_come_from_the_level_on),
		cmocka_unit_test(failures_end_the_stream_too),
		cmocka_unit_test(who_takes_no_streams_gets_none),
		cmocka_unit_test(a_client_that_leaves_cancels),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
