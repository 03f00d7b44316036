#include "console/event_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void check(const char *body, size_t length, const char *const *wanted,
		  size_t count)
{
	_cleanup_strbuf_ struct strbuf data = STRBUF_INIT;
	struct event_stream s;
	size_t n = 0;

	event_stream_init(&s, body, length);
	for (; n < count && event_stream_next(&s, &data); n++)
		assert_string_equal(data.data, wanted[n]);
	assert_int_equal(n, count);
	assert_false(event_stream_next(&s, &data));
}

#define CHECK(body, ...)                                                                 \
	check(body, sizeof(body) - 1, (const char *const[]){ __VA_ARGS__ },              \
	      ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })))
#define CHECK_NONE(body) check(body, sizeof(body) - 1, NULL, 0)

static void test_events(void **state)
{
	(void)state;
	CHECK("event: message\ndata: {\"a\":1}\n\n", "{\"a\":1}");
	CHECK("data: 1\n\ndata: 2\n\n", "1", "2");
	CHECK("data: 1\r\n\r\ndata: 2\r\rdata: 3\n\n", "1", "2", "3");
	CHECK("\xEF\xBB\xBF"
	      "data: 1\n\n",
	      "1");
	CHECK(": keepalive\n\ndata: 1\n\n", "1");
	CHECK("data:1\n\n", "1");
	CHECK("data:  1\n\n", " 1");
	CHECK("data: 1\ndata: 2\n\n", "1\n2");
	CHECK("data: 1\ndata\ndata: 2\n\n", "1\n\n2");
	CHECK("id: 7\nretry: x\ndatum: 3\ndata: 1\nunknown\n\n", "1");
}

static void test_no_events(void **state)
{
	(void)state;
	CHECK_NONE("");
	CHECK_NONE("\n\n\n");
	CHECK_NONE("data: 1");
	CHECK_NONE("data: 1\n");
	CHECK_NONE("data:\n\n");
	CHECK_NONE("data\n\n");
	CHECK_NONE("event: message\n\n");
	CHECK_NONE("database: 1\n\n");
	CHECK_NONE("\xEF\xBB\xBF");
}

/* Nothing is read behind the end, wherever a body is cut. */
static void test_cut_anywhere(void **state)
{
	static const char body[] = "\xEF\xBB\xBF"
				   "data: one\r\ndata: two\r\n\r\ndata: three\r\n\r\n";

	(void)state;
	for (size_t n = 0; n < sizeof body; n++) {
		_cleanup_free_ char *part = malloc(n ? n : 1);
		_cleanup_strbuf_ struct strbuf data = STRBUF_INIT;
		struct event_stream s;

		memcpy(part, body, n);
		event_stream_init(&s, part, n);
		while (event_stream_next(&s, &data))
			assert_true(data.length > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_no_events),
		cmocka_unit_test(test_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
