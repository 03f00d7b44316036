/* Anthropic's wire: what we write, and what we read in pieces of every size. */
#include "assistant/worker/testing_codec.h"

static void a_request_has_marks_and_the_provider_s_own_words(void **state)
{
	struct chat c = testing_chat();
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	json_auto_t *body = testing_write(&codec_anthropic, &c, &path);

	(void)state;
	assert_string_equal(path.data, "/v1/messages");
	testing_json(
		body,
		"{\"model\":\"m:1/x\",\"max_tokens\":7,\"stream\":true,\"system\":["
		"{\"type\":\"text\",\"text\":\"S\",\"cache_control\":{\"type\":"
		"\"ephemeral\"}}],\"tools\":["
		"{\"name\":\"a__b\",\"description\":\"d\",\"input_schema\":{\"type\":"
		"\"object\"}}],\"messages\":[{\"role\":\"user\",\"content\":["
		"{\"type\":\"text\",\"text\":\"hi\",\"cache_control\":{\"type\":"
		"\"ephemeral\"}},{\"type\":\"text\",\"text\":"
		"\"there\"}]},{\"role\":\"assistant\",\"content\":[{\"k\":1},"
		"{\"type\":\"text\",\"text\":\"t\"},{\"type\":\"tool_use\",\"id\":"
		"\"c1\",\"name\":\"a__b\",\"input\":{\"x\":1}},{\"type\":\"tool_use\","
		"\"id\":\"c2\",\"name\":\"a__b\",\"input\":{}}]},{\"role\":\"user\","
		"\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"c1\","
		"\"content\":\"r1\"},{\"type\":\"tool_result\",\"tool_use_id\":\"c2\","
		"\"content\":\"r2\",\"is_error\":true},{\"type\":\"text\",\"text\":"
		"\"go\",\"cache_control\":{\"type\":\"ephemeral\"}}]}]}");
	json_decref(c.tools);
	json_decref(c.messages);
}

#define E(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"
static const char stream[] = E(
	"message_start",
	",\"message\":{\"usage\":{\"input_tokens\":9,\"output_tokens\":1,"
	"\"cache_read_input_tokens\":4}}") E("ping",
					     "") E("content_block_start",
						   ",\"index\":0,\"content_block\":{"
						   "\"type\":\"thinking\","
						   "\"thinking\":\"\"}")
	E("content_block_delta",
	  ",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":"
	  "\"hm\"}") E("content_block_delta",
		       ",\"index\":0,\"delta\":{\"type\":\"signature_delta\","
		       "\"signature\":\"sig\"}") E("content_block_stop", ",\"index\":0")
		E("content_block_start",
		  ",\"index\":1,\"content_block\":{\"type\":"
		  "\"text\",\"text\":\"\"}") E("content_block_delta",
					       ",\"index\":1,\"delta\":{\"type\":\"text_"
					       "delta\",\"text\":"
					       "\"Hel\"}") E("unheard_of", ",\"index\":1")
			E("content_block_delta",
			  ",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"lo "
			  "\\u00fc\"}") E("content_block_stop", ",\"index\":1")
				E("content_block_start",
				  ",\"index\":2,\"content_block\":{\"type\":\"tool_use\","
				  "\"id\":\"t1\","
				  "\"name\":\"a__b\",\"input\":{}}")
					E("content_block_delta",
					  ",\"index\":2,\"delta\":{\"type\":\"input_json_"
					  "delta\",\"partial_json\":"
					  "\"{\\\"x\\\"\"}")
						E("content_block_delta",
						  ",\"index\":2,\"delta\":{\"type\":"
						  "\"input_json_delta\",\"partial_json\":"
						  "\":1}\"}") E("content_block_stop",
								",\"index\":2")
							E("message_delta",
							  ",\"delta\":{\"stop_reason\":"
							  "\"tool_use\"},\"usage\":{"
							  "\"output_tokens\":20}")
								E("message_stop", "");

static void a_stream_is_read_in_pieces_of_every_size(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < sizeof stream; piece += piece < 40 ? 1 : 97) {
		struct answer a;

		assert_true(testing_read(&codec_anthropic, "text/event-stream", stream,
					 sizeof stream - 1, piece, &a));
		assert_int_equal(a.count, 3);
		testing_json(a.blocks[0].kept, "{\"type\":\"thinking\",\"thinking\":"
					       "\"hm\",\"signature\":\"sig\"}");
		testing_block(&a, 1, ANSWER_TEXT, "", "", "Hello \xC3\xBC");
		testing_block(&a, 2, ANSWER_CALL, "t1", "a__b", "{\"x\":1}");
		assert_int_equal(a.stop, ANSWER_CALLS);
		assert_int_equal(a.usage.input, 9);
		assert_int_equal(a.usage.output, 20);
		assert_int_equal(a.usage.cache_read, 4);
		answer_done(&a);
	}
}

static void a_stream_without_its_end_is_none(void **state)
{
	(void)state;
	/* whatever is missing at the end */
	for (size_t length = 0; length < sizeof stream - 2; length++) {
		struct answer a;

		if (testing_read(&codec_anthropic, "text/event-stream", stream, length,
				 sizeof stream, &a))
			fail_msg("%zu bytes were taken for all", length);
		answer_done(&a);
	}
}

static void what_follows_its_end_is_nothing(void **state)
{
	static const char call[] =
		E("content_block_start", ",\"index\":9,\"content_block\":{\"type\":"
					 "\"tool_use\",\"id\":\"t9\",\"name\":\"a__b\"}")
			E("message_stop", "") "data: {broken\n\n";
	_cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
	struct answer a;

	(void)state;
	strbuf_add(&all, stream, sizeof stream - 1);
	strbuf_add(&all, stream, sizeof stream - 1);
	strbuf_add_string(&all, call);
	assert_true(testing_read(&codec_anthropic, "text/event-stream", all.data,
				 all.length, all.length, &a));
	assert_int_equal(a.count, 3);
	testing_block(&a, 2, ANSWER_CALL, "t1", "a__b", "{\"x\":1}");
	answer_done(&a);
}

static void a_whole_reply(void **state)
{
	static const char text[] =
		"{\"content\":[{\"type\":\"text\",\"text\":\"Hi\"},"
		"{\"type\":\"redacted_thinking\",\"data\":\"x\"},"
		"{\"type\":\"server_tool_use\",\"id\":\"s\"},"
		"{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"n\",\"input\":{\"a\":[]}}"
		"],"
		"\"stop_reason\":\"max_tokens\",\"usage\":{\"input_tokens\":-5,"
		"\"output_tokens\":2}}";
	struct answer a;

	(void)state;
	assert_true(testing_read(&codec_anthropic, "application/json", text,
				 sizeof text - 1, 3, &a));
	assert_int_equal(a.count, 3);
	testing_block(&a, 0, ANSWER_TEXT, "", "", "Hi");
	testing_json(a.blocks[1].kept, "{\"type\":\"redacted_thinking\",\"data\":\"x\"}");
	testing_block(&a, 2, ANSWER_CALL, "t", "n", "{\"a\":[]}");
	assert_int_equal(a.stop, ANSWER_CUT);
	assert_int_equal(a.usage.input, 0);
	answer_done(&a);
}

static void errors_within_a_stream_and_oddities(void **state)
{
	static const struct {
		const char *text;
		bool whole;
		enum assistant_code failure;
	} rows[] = {
		{ E("error", ",\"error\":{\"type\":\"overloaded_error\"}"), true,
		  ASSISTANT_MODEL_BUSY },
		{ E("error", ",\"error\":{\"type\":\"api_error\"}"), true,
		  ASSISTANT_MODEL_DOWN },
		{ E("error", ""), true, ASSISTANT_MODEL_BROKEN },
		{ E("content_block_delta",
		    ",\"index\":3,\"delta\":{\"type\":\"text_delta\","
		    "\"text\":\"x\"}"),
		  false, ASSISTANT_OK },
		{ E("content_block_start", ",\"index\":0"), false, ASSISTANT_OK },
		{ E("content_block_start",
		    ",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":7}"),
		  false, ASSISTANT_OK },
		{ E("message_stop", ""), false, ASSISTANT_OK },
		{ "data: 7\n\n", false, ASSISTANT_OK },
		{ "data: {\n\n", false, ASSISTANT_OK },
		{ "", false, ASSISTANT_OK },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct answer a;

		if (testing_read(&codec_anthropic, "text/event-stream", rows[i].text,
				 strlen(rows[i].text), 10, &a) != rows[i].whole ||
		    a.failure != rows[i].failure)
			fail_msg("%s", rows[i].text);
		answer_done(&a);
	}
}

static void refusals_are_told_apart(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum assistant_code code;
	} rows[] = {
		{ 400, "{\"error\":{\"message\":\"prompt is too long: 1 > 0\"}}",
		  ASSISTANT_TOO_LONG },
		{ 400, "{\"error\":{\"message\":\"max_tokens\"}}",
		  ASSISTANT_MODEL_REFUSED },
		{ 400, "{\"error\":{\"message\":\"Your credit balance is too low\"}}",
		  ASSISTANT_MODEL_UNPAID },
		{ 401, "{}", ASSISTANT_MODEL_REFUSED },
		{ 402, "", ASSISTANT_MODEL_UNPAID },
		{ 413, "<html>", ASSISTANT_TOO_LONG },
		{ 429, "[]", ASSISTANT_MODEL_BUSY },
		{ 500, "{}", ASSISTANT_MODEL_DOWN },
		{ 529, "{}", ASSISTANT_MODEL_BUSY },
		{ 307, "", ASSISTANT_MODEL_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		struct answer a;

		answer_init(&a);
		_cleanup_(reader_freep) struct reader *r = reader_new(
			&codec_anthropic, rows[i].status, "application/json", &a, &err);
		assert_true(reader_is_refusal(r));
		assert_true(reader_feed(r, rows[i].body, strlen(rows[i].body), &err));
		assert_int_equal(reader_refusal(r), rows[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_has_marks_and_the_provider_s_own_words),
		cmocka_unit_test(a_stream_is_read_in_pieces_of_every_size),
		cmocka_unit_test(a_stream_without_its_end_is_none),
		cmocka_unit_test(what_follows_its_end_is_nothing),
		cmocka_unit_test(a_whole_reply),
		cmocka_unit_test(errors_within_a_stream_and_oddities),
		cmocka_unit_test(refusals_are_told_apart),
	};

	return cmocka_run_group_tests_name("codec-anthropic", tests, NULL, NULL);
}
