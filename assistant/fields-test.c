/* A message of the assistant's is read to its last member, or not at all. */
#include "assistant/fields.h"

#include "base/testing.h"

static bool decode(enum assistant_end at, const char *text, struct assistant_fields *f)
{
	struct error err = ERROR_INIT;
	static json_t *last; /* fields borrow from it */

	json_decref(last);
	last = json_parse(text, strlen(text), JSON_CONTRACT, &err);
	assert_non_null(last);
	bool good = assistant_fields_decode(at, last, f, &err);
	assert_int_equal(good, !error_is_set(&err));
	return good;
}

static void names_go_both_ways(void **state)
{
	(void)state;
	for (enum assistant_message m = 0; m < ASSISTANT_MESSAGE_COUNT; m++)
		assert_int_equal(assistant_message_find(assistant_message_name(m)), m);
	for (enum assistant_code c = 0; c < ASSISTANT_CODE_COUNT; c++)
		assert_int_equal(assistant_code_find(assistant_code_name(c)), c);
	assert_int_equal(assistant_message_find("decide"), ASSISTANT_MESSAGE_COUNT);
	assert_int_equal(assistant_code_find(""), ASSISTANT_CODE_COUNT);
	assert_string_equal(assistant_message_name(ASSISTANT_MESSAGE_COUNT), "?");
	assert_string_equal(assistant_code_name(ASSISTANT_CODE_COUNT), "?");
}

#define USAGE                                                                            \
	"\"usage\":{\"input\":1,\"output\":2,\"cache_read\":3,\"cache_write\":4,"        \
	"\"requests\":5}"
#define CALL "{\"tool\":\"a.b\",\"arguments\":{}}"

static const struct {
	unsigned at;
	const char *text;
} good[] = {
	{ ASSISTANT_AT_WORKER,
	  "{\"m\":\"begin\",\"v\":2,\"provider\":\"openai\",\"model\":\"m\","
	  "\"max_output\":128000,\"stream\":true}" },
	{ ASSISTANT_AT_WORKER, "{\"m\":\"stop\"}" },
	{ ASSISTANT_AT_WORKER,
	  "{\"m\":\"content\",\"read\":1,\"label\":\"l\",\"text\":\"t\",\"cut\":true}" },
	{ ASSISTANT_AT_WORKER, "{\"m\":\"content\",\"read\":1,\"code\":\"not_found\"}" },
	{ ASSISTANT_AT_WORKER,
	  "{\"m\":\"result\",\"proposal\":1,\"results\":[{},{},{},{},{},{},{},{}]}" },
	{ ASSISTANT_AT_WORKER | ASSISTANT_AT_SURFACE_OF_EGRESS,
	  "{\"m\":\"status\",\"request\":1,\"status\":200,\"type\":\"t\"}" },
	{ ASSISTANT_AT_WORKER | ASSISTANT_AT_SURFACE_OF_EGRESS,
	  "{\"m\":\"chunk\",\"request\":1,\"data\":\"AA==\"}" },
	{ ASSISTANT_AT_WORKER | ASSISTANT_AT_SURFACE_OF_EGRESS,
	  "{\"m\":\"ended\",\"request\":1}" },
	{ ASSISTANT_AT_WORKER | ASSISTANT_AT_SURFACE_OF_EGRESS,
	  "{\"m\":\"ended\",\"request\":1,\"code\":\"model_busy\",\"status\":429}" },
	{ ASSISTANT_AT_SURFACE_OF_EGRESS,
	  "{\"m\":\"waiting\",\"request\":1,\"status\":0,\"after_ms\":1000}" },
	{ ASSISTANT_AT_SURFACE_OF_WORKER | ASSISTANT_AT_SURFACE_OF_EGRESS,
	  "{\"m\":\"ready\",\"v\":2}" },
	{ ASSISTANT_AT_SURFACE_OF_WORKER,
	  "{\"m\":\"say\",\"text\":\"t\",\"final\":false}" },
	{ ASSISTANT_AT_SURFACE_OF_WORKER, "{\"m\":\"propose\",\"proposal\":1,\"calls\":"
					  "[" CALL "],\"together\":false}" },
	{ ASSISTANT_AT_SURFACE_OF_WORKER, "{\"m\":\"propose\",\"proposal\":1,\"calls\":"
					  "[" CALL "," CALL "],\"together\":true}" },
	{ ASSISTANT_AT_SURFACE_OF_WORKER,
	  "{\"m\":\"propose\",\"proposal\":1,\"calls\":[" CALL "," CALL "," CALL "," CALL
	  "," CALL "," CALL "," CALL "," CALL "],\"together\":true}" },
	{ ASSISTANT_AT_SURFACE_OF_WORKER, "{\"m\":\"read\",\"read\":1,\"uri\":\"u\"}" },
	{ ASSISTANT_AT_SURFACE_OF_WORKER,
	  "{\"m\":\"read\",\"read\":1,\"template\":\"u\",\"values\":{\"q\":\"x\"}}" },
	{ ASSISTANT_AT_SURFACE_OF_WORKER, "{\"m\":\"done\",\"why\":\"cut\"," USAGE "}" },
	{ ASSISTANT_AT_SURFACE_OF_WORKER,
	  "{\"m\":\"failed\",\"code\":\"limit_time\"," USAGE "}" },
	{ ASSISTANT_AT_SURFACE_OF_WORKER | ASSISTANT_AT_EGRESS,
	  "{\"m\":\"request\",\"request\":1,\"path\":\"/p\",\"body\":\"{}\"}" },
	{ ASSISTANT_AT_EGRESS, "{\"m\":\"drop\",\"request\":1}" },
};

static void each_message_is_for_its_side_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		for (unsigned at = 1; at <= ASSISTANT_AT_SURFACE_OF_EGRESS; at *= 2) {
			struct assistant_fields f;

			if (decode((enum assistant_end)at, good[i].text, &f) !=
			    ((good[i].at & at) != 0))
				fail_msg("side %u: %s", at, good[i].text);
		}
}

/* Leaving out any member that is not in a 'may', adding one, or another type for one. */
static void a_member_more_or_of_another_type_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		unsigned at = good[i].at & (~good[i].at + 1);
		struct error err = ERROR_INIT;
		json_auto_t *m = json_parse(good[i].text, strlen(good[i].text),
					    JSON_CONTRACT, &err);
		const char *name;
		json_t *value;
		struct assistant_fields f;

		json_object_foreach(m, name, value)
		{
			json_auto_t *other = json_copy(m);

			assert_int_equal(json_object_set_new(other, name, json_null()),
					 0);
			assert_false(assistant_fields_decode((enum assistant_end)at,
							     other, &f, &err));
			error_clear(&err);
		}
		assert_int_equal(json_object_set_new(m, "person", json_string("a")), 0);
		assert_false(
			assistant_fields_decode((enum assistant_end)at, m, &f, &err));
	}
}

static void what_contradicts_itself_is_refused(void **state)
{
	static const char *const from_worker[] = {
		"{\"m\":\"propose\",\"proposal\":1,\"calls\":[],\"together\":false}",
		"{\"m\":\"propose\",\"proposal\":1,\"calls\":[" CALL
		"],\"together\":true}",
		"{\"m\":\"propose\",\"proposal\":1,\"calls\":[" CALL "," CALL
		"],\"together\":false}",
		"{\"m\":\"propose\",\"proposal\":1,\"calls\":[" CALL "," CALL "," CALL
		"," CALL "," CALL "," CALL "," CALL "," CALL "," CALL
		"],\"together\":true}",
		"{\"m\":\"propose\",\"proposal\":-1,\"calls\":[" CALL
		"],\"together\":false}",
		"{\"m\":\"propose\",\"proposal\":1,\"calls\":[{\"tool\":\"\","
		"\"arguments\":{}}],\"together\":false}",
		"{\"m\":\"propose\",\"proposal\":1,\"calls\":[{\"tool\":\"t\"}],"
		"\"together\":false}",
		"{\"m\":\"propose\",\"proposal\":1,\"calls\":[{\"tool\":\"t\","
		"\"arguments\":{},\"approved\":true}],\"together\":false}",
		"{\"m\":\"read\",\"read\":1}",
		"{\"m\":\"read\",\"read\":1,\"template\":\"u\"}",
		"{\"m\":\"read\",\"read\":1,\"uri\":\"u\",\"values\":{}}",
		"{\"m\":\"read\",\"read\":1,\"uri\":\"u\",\"template\":\"t\","
		"\"values\":{}}",
		"{\"m\":\"read\",\"read\":1,\"template\":\"u\",\"values\":{\"q\":1}}",
		"{\"m\":\"done\",\"why\":\"because\"," USAGE "}",
		"{\"m\":\"failed\",\"code\":\"ok\"," USAGE "}",
		"{\"m\":\"failed\",\"code\":\"no such\"," USAGE "}",
		"{\"m\":\"failed\",\"code\":\"stopped\",\"usage\":{}}",
		"{\"m\":\"failed\",\"code\":\"stopped\",\"usage\":{\"input\":-1,"
		"\"output\":2,\"cache_read\":3,\"cache_write\":4,\"requests\":5}}",
		"{\"m\":\"ready\",\"v\":3}",
		"{\"m\":\"decide\"}",
		"{\"m\":1}",
		"{}",
		"[]",
	};
	static const char *const to_worker[] = {
		"{\"m\":\"content\",\"read\":1}",
		"{\"m\":\"content\",\"read\":1,\"text\":\"t\"}",
		"{\"m\":\"content\",\"read\":1,\"label\":\"l\",\"text\":\"t\","
		"\"code\":\"c\"}",
		"{\"m\":\"result\",\"proposal\":1,\"results\":[{},{},{},{},{},{},{},{},{"
		"}]}",
		"{\"m\":\"status\",\"request\":1,\"status\":1000}",
		"{\"m\":\"ended\",\"request\":1,\"code\":\"ok\"}",
		"{\"m\":\"begin\",\"v\":2,\"provider\":\"openai\",\"model\":\"m\","
		"\"max_output\":128001}",
	};
	struct assistant_fields f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(from_worker); i++)
		if (decode(ASSISTANT_AT_SURFACE_OF_WORKER, from_worker[i], &f))
			fail_msg("taken: %s", from_worker[i]);
	for (size_t i = 0; i < ARRAY_SIZE(to_worker); i++)
		if (decode(ASSISTANT_AT_WORKER, to_worker[i], &f))
			fail_msg("taken: %s", to_worker[i]);
}

/* 'format' with a text of 'length' bytes in it. */
static bool long_one(enum assistant_end at, const char *format, size_t length)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, whole = STRBUF_INIT;
	struct assistant_fields f;

	for (size_t i = 0; i < length; i++)
		strbuf_add_char(&text, 'a');
	const char *at_mark = strchr(format, '@');
	strbuf_add(&whole, format, (size_t)(at_mark - format));
	strbuf_add(&whole, text.data, text.length);
	strbuf_add_string(&whole, at_mark + 1);
	assert_true(strbuf_ok(&whole));
	return decode(at, whole.data, &f);
}

static void nothing_is_longer_than_its_limit(void **state)
{
	static const struct {
		enum assistant_end at;
		size_t max;
		const char *format;
	} rows[] = {
		{ ASSISTANT_AT_SURFACE_OF_WORKER, ASSISTANT_SAY_MAX,
		  "{\"m\":\"say\",\"text\":\"@\",\"final\":false}" },
		{ ASSISTANT_AT_EGRESS, ASSISTANT_BODY_MAX,
		  "{\"m\":\"request\",\"request\":1,\"path\":\"/p\",\"body\":\"@\"}" },
		{ ASSISTANT_AT_EGRESS, ASSISTANT_PATH_MAX,
		  "{\"m\":\"request\",\"request\":1,\"path\":\"@\",\"body\":\"\"}" },
		{ ASSISTANT_AT_WORKER, ASSISTANT_CHUNK_TEXT_MAX,
		  "{\"m\":\"chunk\",\"request\":1,\"data\":\"@\"}" },
		{ ASSISTANT_AT_WORKER, ASSISTANT_TEXT_MAX,
		  "{\"m\":\"content\",\"read\":1,\"label\":\"l\",\"text\":\"@\"}" },
		{ ASSISTANT_AT_WORKER, ASSISTANT_LABEL_MAX,
		  "{\"m\":\"content\",\"read\":1,\"label\":\"@\",\"text\":\"\"}" },
		{ ASSISTANT_AT_SURFACE_OF_WORKER, ASSISTANT_URI_MAX,
		  "{\"m\":\"read\",\"read\":1,\"uri\":\"@\"}" },
		{ ASSISTANT_AT_SURFACE_OF_WORKER, ASSISTANT_URI_MAX,
		  "{\"m\":\"read\",\"read\":1,\"template\":\"t\",\"values\":{\"q\":\"@"
		  "\"}}" },
		{ ASSISTANT_AT_SURFACE_OF_WORKER, ASSISTANT_NAME_MAX,
		  "{\"m\":\"propose\",\"proposal\":1,\"calls\":[{\"tool\":\"@\","
		  "\"arguments\":{}}],\"together\":false}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!long_one(rows[i].at, rows[i].format, rows[i].max))
			fail_msg("refused at its limit: %s", rows[i].format);
		if (long_one(rows[i].at, rows[i].format, rows[i].max + 1))
			fail_msg("taken beyond its limit: %s", rows[i].format);
	}
}

static void usage_is_written_as_it_is_read(void **state)
{
	const struct assistant_usage u = { 1, 2, 3, 4, 5 };
	struct assistant_fields f;
	struct error err = ERROR_INIT;
	json_auto_t *m = json_pack("{s:s, s:s, s:o}", "m", "done", "why", "end", "usage",
				   assistant_usage_json(&u));

	(void)state;
	assert_true(assistant_fields_decode(ASSISTANT_AT_SURFACE_OF_WORKER, m, &f, &err));
	assert_memory_equal(&f.usage, &u, sizeof u);
	assert_int_equal(f.retry_after_ms, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(each_message_is_for_its_side_alone),
		cmocka_unit_test(a_member_more_or_of_another_type_is_refused),
		cmocka_unit_test(what_contradicts_itself_is_refused),
		cmocka_unit_test(nothing_is_longer_than_its_limit),
		cmocka_unit_test(usage_is_written_as_it_is_read),
	};

	return cmocka_run_group_tests_name("assistant-fields", tests, NULL, NULL);
}
