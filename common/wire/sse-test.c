/* Events written and read; streams whole, in single bytes, and beyond the limits. */
#include "base/testing.h"

#include "wire/sse.h"

enum { DATA_MAX = 32 };

/* Everything of a stream as text: "type|id|data" a line. Data's own line feeds show as '/'. */
static enum sse_got read_all(const char *stream, size_t length, size_t piece,
			     struct strbuf *ret, int64_t *ret_retry_ms)
{
	_cleanup_sse_reader_ struct sse_reader r;
	enum sse_got got = SSE_MORE;
	struct error err = ERROR_INIT;
	struct sse_event e;

	sse_reader_init(&r, DATA_MAX);
	for (size_t at = 0; at < length && got != SSE_BAD; at += piece) {
		size_t n = length - at < piece ? length - at : piece;
		_cleanup_free_ char *copy = malloc(n); /* exactly, for the sanitizers */
		assert_non_null(copy);
		memcpy(copy, stream + at, n);
		sse_reader_feed(&r, copy, n);
		while ((got = sse_reader_next(&r, &e, &err)) == SSE_EVENT) {
			assert_int_equal(strlen(e.data), e.length);
			for (size_t i = 0; i < e.length; i++)
				r.data.data[i] = e.data[i] == '\n' ? '/' : e.data[i];
			strbuf_add_format(ret, "%s|%s|%s\n", e.type, e.id, e.data);
		}
	}
	assert_int_equal(got == SSE_BAD, error_is_set(&err));
	*ret_retry_ms = r.retry_ms;
	return got;
}

static void check_bytes(const char *stream, size_t length, const char *wanted,
			int64_t retry_ms)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 1000 };

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		_cleanup_strbuf_ struct strbuf seen = STRBUF_INIT;
		int64_t seen_ms;
		assert_int_equal(read_all(stream, length, pieces[i], &seen, &seen_ms),
				 SSE_MORE);
		assert_string_equal(seen.data, wanted);
		assert_int_equal(seen_ms, retry_ms);
	}
}

#define CHECK(stream, wanted)   check_bytes(stream, sizeof(stream) - 1, wanted, -1)
#define CHECK_RETRY(stream, ms) check_bytes(stream, sizeof(stream) - 1, "", ms)

static void events_are_read_in_any_pieces(void **state)
{
	(void)state;
	CHECK("event: message\ndata: {\"a\":1}\n\n", "message||{\"a\":1}\n");
	CHECK("data: 1\n\ndata: 2\n\n", "message||1\nmessage||2\n");
	CHECK("data: 1\r\n\r\ndata: 2\r\rdata: 3\n\n",
	      "message||1\nmessage||2\nmessage||3\n");
	CHECK("data: 1\r\n\rdata: 2\n\r\n", "message||1\nmessage||2\n");
	CHECK("\xEF\xBB\xBF"
	      "data: 1\n\n",
	      "message||1\n");
	CHECK("data: 1\n\n\xEF\xBB\xBF"
	      "data: 2\n\n",
	      "message||1\n"); /* a BOM in the middle is a field's name */
	CHECK(": keepalive\n\n:\n\ndata: 1\n\n", "message||1\n");
	CHECK("data:1\n\ndata:  2\n\ndata::\n\n",
	      "message||1\nmessage|| 2\nmessage||:\n");
	CHECK("data: 1\ndata: 2\n\n", "message||1/2\n");
	CHECK("data: 1\ndata\ndata: 2\n\n", "message||1//2\n");
	CHECK("event: endpoint\ndata: /messages?s=1\n\n", "endpoint||/messages?s=1\n");
	CHECK("event:\ndata: 1\n\n", "message||1\n");
	CHECK("event: a\nevent: b\ndata: 1\n\ndata: 2\n\n", "b||1\nmessage||2\n");
	CHECK("datum: 3\nDATA: 4\ndata : 5\nunknown\ndata: 1\n\n", "message||1\n");
}

static void without_data_or_blank_line_there_is_no_event(void **state)
{
	(void)state;
	CHECK("", "");
	CHECK("\n\n\n", "");
	CHECK("data: 1", "");
	CHECK("data: 1\n", "");
	CHECK("data: 1\r\n", "");
	CHECK("event: a\n\ndata: 1\n\n", "message||1\n");
	CHECK("database: 1\n\n", "");
	CHECK("\xEF\xBB\xBF", "");
	/* empty data is an event, for its reader to skip */
	CHECK("data:\n\n", "message||\n");
	CHECK("data\n\n", "message||\n");
}

static void ids_are_remembered(void **state)
{
	(void)state;
	CHECK("id: 1\ndata: a\n\ndata: b\n\nid: 2\n\ndata: c\n\nid\ndata: d\n\n",
	      "message|1|a\nmessage|1|b\nmessage|2|c\nmessage||d\n");
	CHECK("id: 1\nid: 2\0\ndata: a\n\n", "message|1|a\n");
	CHECK("id: 1\ndata: a\n\nid: 2\ndata: b\n", "message|1|a\n");
}

static void retries_are_digits(void **state)
{
	(void)state;
	CHECK_RETRY("retry: 1500\n", 1500);
	CHECK_RETRY("retry:0\n\n", 0);
	CHECK_RETRY("retry: 007\n\n", 7);
	CHECK_RETRY("retry: 1\nretry: 2x\nretry: -3\nretry: 4.0\nretry:  5\nretry\n", 1);
	CHECK_RETRY("retry: 99999999999999999999999\n", SSE_RETRY_MAX_MS);
	CHECK_RETRY("retry: 1500", -1);
}

/* 'before', then 'n' times x, then 'after'. */
static enum sse_got read_long(const char *before, size_t n, const char *after,
			      size_t piece)
{
	_cleanup_strbuf_ struct strbuf stream = STRBUF_INIT, seen = STRBUF_INIT;
	int64_t retry_ms;

	strbuf_add_string(&stream, before);
	for (size_t i = 0; i < n; i++)
		strbuf_add_char(&stream, 'x');
	strbuf_add_string(&stream, after);
	return read_all(stream.data, stream.length, piece, &seen, &retry_ms);
}

static void limits_hold_in_any_pieces(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 5000; piece = piece * 8 + 1) {
		assert_int_equal(read_long("data: ", DATA_MAX, "\n\n", piece), SSE_MORE);
		assert_int_equal(read_long("data: ", DATA_MAX + 1, "\n\n", piece),
				 SSE_BAD);
		assert_int_equal(
			read_long("data: 12\ndata: ", DATA_MAX - 3, "\n\n", piece),
			SSE_MORE);
		assert_int_equal(
			read_long("data: 12\ndata: ", DATA_MAX - 2, "\n\n", piece),
			SSE_BAD);
		assert_int_equal(
			read_long(":", DATA_MAX + SSE_LINE_EXTRA - 1, "\n", piece),
			SSE_MORE);
		assert_int_equal(read_long(":", DATA_MAX + SSE_LINE_EXTRA, "\n", piece),
				 SSE_BAD);
		/* a line that never ends is not kept either */
		assert_int_equal(read_long("", DATA_MAX + SSE_LINE_EXTRA + 1, "", piece),
				 SSE_BAD);
	}
}

static void who_was_refused_stays_refused(void **state)
{
	_cleanup_sse_reader_ struct sse_reader r;
	struct error err = ERROR_INIT, again = ERROR_INIT;
	struct sse_event e;

	(void)state;
	sse_reader_init(&r, 3);
	sse_reader_feed(&r, "data: 1234\n\n", 12);
	assert_int_equal(sse_reader_next(&r, &e, &err), SSE_BAD);
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	sse_reader_feed(&r, "data: 1\n\n", 9);
	assert_int_equal(sse_reader_next(&r, &e, &again), SSE_BAD);
	assert_true(error_is_set(&again));
}

static void long_ids_and_types_are_refused(void **state)
{
	static const struct {
		const char *field;
		size_t max;
	} limits[] = { { "id: ", SSE_ID_MAX }, { "event: ", SSE_TYPE_MAX } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		for (size_t more = 0; more < 2; more++) {
			_cleanup_sse_reader_ struct sse_reader r;
			_cleanup_strbuf_ struct strbuf s = STRBUF_INIT;
			struct error err = ERROR_INIT;
			struct sse_event e;
			sse_reader_init(&r, 4096);
			strbuf_add_string(&s, limits[i].field);
			for (size_t n = 0; n < limits[i].max + more; n++)
				strbuf_add_char(&s, 'x');
			strbuf_add_string(&s, "\ndata: 1\n\n");
			sse_reader_feed(&r, s.data, s.length);
			assert_int_equal(sse_reader_next(&r, &e, &err),
					 more ? SSE_BAD : SSE_EVENT);
		}
}

static void what_is_written_is_compact(void **state)
{
	_cleanup_strbuf_ struct strbuf s = STRBUF_INIT;

	(void)state;
	sse_write(&s, "message", NULL, -1, "{\"a\":1}", 7);
	assert_string_equal(s.data, "event: message\ndata: {\"a\":1}\n\n");
	strbuf_clear(&s);
	sse_write(&s, NULL, "s3:0", 1500, NULL, 0);
	assert_string_equal(s.data, "id: s3:0\nretry: 1500\ndata: \n\n");
	strbuf_clear(&s);
	sse_write(&s, NULL, NULL, -1, "a\nb\r\nc\rd\n", 9);
	assert_string_equal(s.data, "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
}

static void fields_cannot_be_broken_out_of(void **state)
{
	static const char *const bad[] = { "a\nb", "a\r", "\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_strbuf_ struct strbuf type = STRBUF_INIT, id = STRBUF_INIT;
		sse_write(&type, bad[i], NULL, -1, "x", 1);
		assert_false(strbuf_ok(&type));
		sse_write(&id, "message", bad[i], -1, "x", 1);
		assert_false(strbuf_ok(&id));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_read_in_any_pieces),
		cmocka_unit_test(without_data_or_blank_line_there_is_no_event),
		cmocka_unit_test(ids_are_remembered),
		cmocka_unit_test(retries_are_digits),
		cmocka_unit_test(limits_hold_in_any_pieces),
		cmocka_unit_test(who_was_refused_stays_refused),
		cmocka_unit_test(long_ids_and_types_are_refused),
		cmocka_unit_test(what_is_written_is_compact),
		cmocka_unit_test(fields_cannot_be_broken_out_of),
	};

	return cmocka_run_group_tests_name("sse", tests, NULL, NULL);
}
