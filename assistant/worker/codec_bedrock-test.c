/* Bedrock's wire, and the binary frames of its streams. */
#include "assistant/worker/testing_codec.h"

#define TYPE "application/vnd.amazon.eventstream"

static void a_request_has_points_and_an_encoded_path(void **state)
{
	struct chat c = testing_chat();
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT, again = STRBUF_INIT;
	json_auto_t *body = testing_write(&codec_bedrock, &c, &path);

	(void)state;
	assert_string_equal(path.data, "/model/m%3A1%2Fx/converse-stream");
	testing_json(
		body,
		"{\"system\":[{\"text\":\"S\"},{\"cachePoint\":{\"type\":\"default\"}}"
		"],\"inferenceConfig\":{\"maxTokens\":7},\"toolConfig\":"
		"{\"tools\":[{\"toolSpec\":{\"name\":\"a__b\",\"description\":\"d\","
		"\"inputSchema\":{\"json\":{\"type\":\"object\"}}}}]},\"messages\":["
		"{\"role\":\"user\",\"content\":[{\"text\":\"hi\"},{\"cachePoint\":"
		"{\"type\":\"default\"}},{\"text\":\"there\"}]}"
		","
		"{\"role\":\"assistant\",\"content\":[{\"k\":1},{\"text\":\"t\"},"
		"{\"toolUse\":{\"toolUseId\":\"c1\",\"name\":\"a__b\",\"input\":{\"x\":1}"
		"}},"
		"{\"toolUse\":{\"toolUseId\":\"c2\",\"name\":\"a__b\",\"input\":{}}}]},"
		"{\"role\":\"user\",\"content\":[{\"toolResult\":{\"toolUseId\":\"c1\","
		"\"content\":[{\"text\":\"r1\"}],\"status\":\"success\"}},{"
		"\"toolResult\":"
		"{\"toolUseId\":\"c2\",\"content\":[{\"text\":\"r2\"}],\"status\":"
		"\"error\"}},{\"text\":\"go\"},{\"cachePoint\":{\"type\":\"default\"}}]}]"
		"}");
	c.stream = c.cache = false;
	json_auto_t *plain = testing_write(&codec_bedrock, &c, &again);
	assert_string_equal(again.data, "/model/m%3A1%2Fx/converse");
	assert_int_equal(json_array_size(json_object_get(plain, "system")), 1);
	json_decref(c.tools);
	json_decref(c.messages);
}

static void make_stream(struct strbuf *sb)
{
	static const char *const rows[][2] = {
		{ "messageStart", "{\"role\":\"assistant\"}" },
		/* a text block need not begin */
		{ "contentBlockDelta",
		  "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"Hel\"}}" },
		{ "contentBlockDelta",
		  "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"lo\"}}" },
		{ "contentBlockDelta",
		  "{\"contentBlockIndex\":1,\"delta\":{\"reasoningContent\":{\"text\":"
		  "\"hm\"}}}" },
		{ "contentBlockDelta", "{\"contentBlockIndex\":1,\"delta\":{"
				       "\"reasoningContent\":{\"signature\":"
				       "\"sig\"}}}" },
		{ "contentBlockStart",
		  "{\"contentBlockIndex\":2,\"start\":{\"toolUse\":{\"toolUseId\":\"t1\","
		  "\"name\":\"a__b\"}}}" },
		{ "contentBlockDelta",
		  "{\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":"
		  "\"{\\\"x\\\":1}\"}}}" },
		{ "contentBlockStop", "{\"contentBlockIndex\":2}" },
		{ "somethingNew", "{}" },
		{ "messageStop", "{\"stopReason\":\"tool_use\"}" },
		{ "metadata",
		  "{\"usage\":{\"inputTokens\":9,\"outputTokens\":4,"
		  "\"cacheReadInputTokens\":2,\"cacheWriteInputTokens\":1}}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		testing_frame(sb, ":event-type", rows[i][0], rows[i][1]);
}

static void a_stream_is_read_in_pieces_of_every_size(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	(void)state;
	make_stream(&sb);
	for (size_t piece = 1; piece <= sb.length; piece += piece < 40 ? 1 : 97) {
		struct answer a;

		assert_true(testing_read(&codec_bedrock, TYPE, sb.data, sb.length, piece,
					 &a));
		assert_int_equal(a.count, 3);
		testing_block(&a, 0, ANSWER_TEXT, "", "", "Hello");
		testing_json(a.blocks[1].kept,
			     "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\","
			     "\"signature\":\"sig\"}}}");
		testing_block(&a, 2, ANSWER_CALL, "t1", "a__b", "{\"x\":1}");
		assert_int_equal(a.stop, ANSWER_CALLS);
		assert_int_equal(a.usage.input, 9);
		assert_int_equal(a.usage.cache_write, 1);
		answer_done(&a);
	}
}

static void what_follows_its_end_is_nothing(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct answer a;

	(void)state;
	make_stream(&sb);
	make_stream(&sb);
	assert_true(
		testing_read(&codec_bedrock, TYPE, sb.data, sb.length, sb.length, &a));
	assert_int_equal(a.count, 3);
	testing_block(&a, 2, ANSWER_CALL, "t1", "a__b", "{\"x\":1}");
	answer_done(&a);
}

static void every_wrong_bit_is_found(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	(void)state;
	testing_frame(&sb, ":event-type", "messageStop", "{\"stopReason\":\"end_turn\"}");
	for (size_t i = 0; i < sb.length * 8; i++) {
		struct answer a;

		sb.data[i / 8] = (char)(sb.data[i / 8] ^ (1 << i % 8));
		if (testing_read(&codec_bedrock, TYPE, sb.data, sb.length, sb.length, &a))
			fail_msg("bit %zu may be wrong", i);
		answer_done(&a);
		sb.data[i / 8] = (char)(sb.data[i / 8] ^ (1 << i % 8));
	}
	struct answer a;
	assert_true(testing_read(&codec_bedrock, TYPE, sb.data, sb.length, 1, &a));
	answer_done(&a);
	/* and each byte that is missing */
	for (size_t length = 0; length < sb.length; length++) {
		assert_false(testing_read(&codec_bedrock, TYPE, sb.data, length, 5, &a));
		answer_done(&a);
	}
}

static void exceptions_have_their_codes(void **state)
{
	static const struct {
		const char *type;
		enum assistant_code code;
	} rows[] = {
		{ "throttlingException", ASSISTANT_MODEL_BUSY },
		{ "serviceUnavailableException", ASSISTANT_MODEL_BUSY },
		{ "validationException", ASSISTANT_MODEL_REFUSED },
		{ "modelStreamErrorException", ASSISTANT_MODEL_DOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		struct answer a;

		testing_frame(&sb, ":exception-type", rows[i].type,
			      "{\"message\":\"x\"}");
		assert_true(
			testing_read(&codec_bedrock, TYPE, sb.data, sb.length, 9, &a));
		assert_int_equal(a.failure, rows[i].code);
		answer_done(&a);
	}
}

/* From AWS's own description of the encoding: an empty message. */
static void a_known_frame(void **state)
{
	static const char empty[] = { 0,    0,          0,          16,
				      0,    0,          0,          0,
				      0x05, (char)0xc2, 0x48,       (char)0xeb,
				      0x7d, (char)0x98, (char)0xc8, (char)0xff };
	struct eventstream s;
	struct eventstream_event ev;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(eventstream_crc("123456789", 9), 0xCBF43926);
	eventstream_init(&s);
	assert_true(eventstream_feed(&s, empty, sizeof empty));
	assert_int_equal(eventstream_next(&s, &ev, &err), EVENTSTREAM_EVENT);
	assert_int_equal(ev.length, 0);
	assert_int_equal(eventstream_next(&s, &ev, &err), EVENTSTREAM_MORE);
	assert_false(eventstream_is_within(&s));
	eventstream_done(&s);
}

static void a_whole_reply(void **state)
{
	static const char text[] =
		"{\"output\":{\"message\":{\"content\":[{\"text\":\"Hi\"},{\"toolUse\":"
		"{\"toolUseId\":\"t\",\"name\":\"n\",\"input\":{\"a\":1}}},"
		"{\"reasoningContent\":{\"redactedContent\":\"eA==\"}}]}},"
		"\"stopReason\":\"guardrail_intervened\",\"usage\":{\"inputTokens\":3}}";
	struct answer a;

	(void)state;
	assert_true(testing_read(&codec_bedrock, "application/json", text,
				 sizeof text - 1, 5, &a));
	testing_block(&a, 0, ANSWER_TEXT, "", "", "Hi");
	testing_block(&a, 1, ANSWER_CALL, "t", "n", "{\"a\":1}");
	assert_int_equal(a.blocks[2].kind, ANSWER_KEPT);
	assert_int_equal(a.stop, ANSWER_FILTERED);
	answer_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_has_points_and_an_encoded_path),
		cmocka_unit_test(a_stream_is_read_in_pieces_of_every_size),
		cmocka_unit_test(what_follows_its_end_is_nothing),
		cmocka_unit_test(every_wrong_bit_is_found),
		cmocka_unit_test(exceptions_have_their_codes),
		cmocka_unit_test(a_known_frame),
		cmocka_unit_test(a_whole_reply),
	};

	return cmocka_run_group_tests_name("codec-bedrock", tests, NULL, NULL);
}
