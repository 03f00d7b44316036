/* OpenAI's wire, and the oddities of servers that speak it more or less. */
#include "assistant/worker/testing_codec.h"

static void a_request_has_text_alone_and_results_as_messages(void **state)
{
	struct chat c = testing_chat();
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT, again = STRBUF_INIT;
	json_auto_t *body = testing_write(&codec_openai, &c, &path);

	(void)state;
	assert_string_equal(path.data, "/chat/completions");
	testing_json(
		body,
		"{\"model\":\"m:1/x\",\"max_completion_tokens\":7,\"stream\":true,"
		"\"stream_options\":{\"include_usage\":true},\"tools\":[{\"type\":"
		"\"function\",\"function\":{\"name\":\"a__b\",\"description\":\"d\","
		"\"parameters\":{\"type\":\"object\"}}}],\"messages\":["
		"{\"role\":\"system\",\"content\":\"S\"},"
		"{\"role\":\"user\",\"content\":\"hi\\n\\nthere\"},"
		"{\"role\":\"assistant\",\"content\":\"t\",\"tool_calls\":["
		"{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"a__b\","
		"\"arguments\":\"{\\\"x\\\":1}\"}},{\"id\":\"c2\",\"type\":\"function\","
		"\"function\":{\"name\":\"a__b\",\"arguments\":\"{}\"}}]},"
		"{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"r1\"},"
		"{\"role\":\"tool\",\"tool_call_id\":\"c2\",\"content\":\"r2\"},"
		"{\"role\":\"user\",\"content\":\"go\"}]}");
	c.old_max_tokens = true;
	c.stream = false;
	json_auto_t *old = testing_write(&codec_openai, &c, &again);
	assert_non_null(json_object_get(old, "max_tokens"));
	assert_null(json_object_get(old, "max_completion_tokens"));
	assert_null(json_object_get(old, "stream_options"));
	json_decref(c.tools);
	json_decref(c.messages);
}

#define D(delta) "data: {\"choices\":[{\"index\":0,\"delta\":" delta "}]}\n\n"
#define END(reason)                                                                      \
	"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" reason      \
	"\"}]}\n\n"
#define USAGE                                                                            \
	"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,"  \
	"\"prompt_tokens_details\":{\"cached_tokens\":5}}}\n\n"
#define DONE "data: [DONE]\n\n"

static const char stream[] = D("{\"role\":\"assistant\",\"content\":null}")
	D("{\"content\":\"Hel\"}") D("{\"content\":\"lo\"}")
		D("{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"type\":\"function\","
		  "\"function\":{\"name\":\"a__b\",\"arguments\":\"\"}}]}")
			D("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{"
			  "\\\"x\\\"\"}}]}") D("{\"tool_calls\":[{\"index\":1,\"id\":"
					       "\"c2\",\"function\":{\"name\":\"n\","
					       "\"arguments\":\"{}\"}}]}")
				D("{\"tool_calls\":[{\"index\":0,\"function\":{"
				  "\"arguments\":\":1}\"}}]}") END("tool_calls")
					USAGE DONE;

static void a_stream_is_read_in_pieces_of_every_size(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < sizeof stream; piece += piece < 40 ? 1 : 97) {
		struct answer a;

		assert_true(testing_read(&codec_openai, "text/event-stream", stream,
					 sizeof stream - 1, piece, &a));
		assert_int_equal(a.count, 3);
		testing_block(&a, 0, ANSWER_TEXT, "", "", "Hello");
		testing_block(&a, 1, ANSWER_CALL, "c1", "a__b", "{\"x\":1}");
		testing_block(&a, 2, ANSWER_CALL, "c2", "n", "{}");
		assert_int_equal(a.stop, ANSWER_CALLS);
		assert_int_equal(a.usage.input, 4);
		assert_int_equal(a.usage.cache_read, 5);
		assert_int_equal(a.usage.output, 4);
		answer_done(&a);
	}
}

static void a_stream_without_its_end_is_none(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof stream - 3; length++) {
		struct answer a;

		if (testing_read(&codec_openai, "text/event-stream", stream, length,
				 sizeof stream, &a))
			fail_msg("%zu bytes were taken for all", length);
		answer_done(&a);
	}
}

/* One call whole in one piece, without id and index; "stop" although there are calls. */
static void servers_vary(void **state)
{
	static const struct {
		const char *text;
		size_t calls;
	} rows[] = {
		{ D("{\"tool_calls\":[{\"function\":{\"name\":\"n\",\"arguments\":\"{}\"}"
		    "}]}") END("stop") DONE,
		  1 },
		{ D("{\"tool_calls\":[{\"function\":{\"name\":\"n\",\"arguments\":{\"x\":"
		    "1}}"
		    "}]}") DONE,
		  1 },
		/* all at index 0, each with its own id */
		{ D("{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":"
		    "\"n\",\"arguments\":\"{}\"}}]}")
			  D("{\"tool_calls\":[{\"index\":0,\"id\":\"b\",\"function\":{"
			    "\"name\":"
			    "\"n\",\"arguments\":\"{}\"}}]}") DONE,
		  2 },
		{ D("{\"tool_calls\":[{\"id\":null,\"function\":{\"name\":\"n\"}}]}")
			  DONE,
		  1 },
		{ ": keep-alive\n\n" D("{\"content\":\"x\"}") DONE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct answer a;
		size_t calls = 0;

		if (!testing_read(&codec_openai, "text/event-stream", rows[i].text,
				  strlen(rows[i].text), 7, &a))
			fail_msg("refused: %s", rows[i].text);
		for (size_t k = 0; k < a.count; k++)
			calls += a.blocks[k].kind == ANSWER_CALL;
		assert_int_equal(calls, rows[i].calls);
		answer_done(&a);
	}
}

static void a_whole_reply(void **state)
{
	static const char text[] =
		"{\"choices\":[{\"finish_reason\":\"length\",\"message\":{\"content\":"
		"\"Hi\","
		"\"refusal\":null,\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":"
		"\"n\","
		"\"arguments\":\"{not json\"}}]}}],\"usage\":{\"prompt_tokens\":3}}";
	struct answer a;

	(void)state;
	assert_true(testing_read(&codec_openai, "application/json", text, sizeof text - 1,
				 5, &a));
	testing_block(&a, 0, ANSWER_TEXT, "", "", "Hi");
	testing_block(&a, 1, ANSWER_CALL, "c", "n", "{not json");
	assert_int_equal(a.stop, ANSWER_CUT);
	assert_int_equal(a.usage.input, 3);
	answer_done(&a);
	assert_false(testing_read(&codec_openai, "application/json", "{\"choices\":[]}",
				  14, 5, &a));
	answer_done(&a);
}

static void errors_within_a_stream(void **state)
{
	static const char text[] = "data: {\"error\":{\"message\":\"x\"}}\n\n";
	struct answer a;

	(void)state;
	assert_true(testing_read(&codec_openai, "text/event-stream", text,
				 sizeof text - 1, 9, &a));
	assert_int_equal(a.failure, ASSISTANT_MODEL_DOWN);
	answer_done(&a);
}

/* At the limits of an answer and one beyond. */
static void answers_have_limits(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, many = STRBUF_INIT;
	struct answer a;

	(void)state;
	for (int i = 0; i < ANSWER_BYTES_MAX / 1024; i++)
		strbuf_add_format(&text, D("{\"content\":\"%01024d\"}"), 0);
	_cleanup_strbuf_ struct strbuf more = STRBUF_INIT;
	strbuf_add(&more, text.data, text.length);
	strbuf_add_string(&text, DONE);
	strbuf_add_string(&more, D("{\"content\":\"x\"}") DONE);
	assert_true(testing_read(&codec_openai, "text/event-stream", text.data,
				 text.length, 65536, &a));
	answer_done(&a);
	assert_false(testing_read(&codec_openai, "text/event-stream", more.data,
				  more.length, 65536, &a));
	answer_done(&a);
	for (int i = 0; i <= ANSWER_BLOCKS_MAX; i++)
		strbuf_add_format(
			&many,
			D("{\"tool_calls\":[{\"index\":%d,\"function\":{\"name\":"
			  "\"n\"}}]}"),
			i);
	strbuf_add_string(&many, DONE);
	assert_false(testing_read(&codec_openai, "text/event-stream", many.data,
				  many.length, 65536, &a));
	answer_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_has_text_alone_and_results_as_messages),
		cmocka_unit_test(a_stream_is_read_in_pieces_of_every_size),
		cmocka_unit_test(a_stream_without_its_end_is_none),
		cmocka_unit_test(servers_vary),
		cmocka_unit_test(a_whole_reply),
		cmocka_unit_test(errors_within_a_stream),
		cmocka_unit_test(answers_have_limits),
	};

	return cmocka_run_group_tests_name("codec-openai", tests, NULL, NULL);
}
