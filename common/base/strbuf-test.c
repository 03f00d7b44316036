#include "base/strbuf.h"

#include "base/testing.h"

static void test_empty(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	(void)state;
	assert_string_equal(sb.data, "");
	strbuf_clear(&sb);
	strbuf_truncate(&sb, 0);
	strbuf_commit(&sb, 0);
	strbuf_wipe(&sb);
	strbuf_add(&sb, NULL, 0);
	assert_int_equal(sb.length, 0);
	assert_int_equal(sb.capacity, 0);
	assert_true(strbuf_ok(&sb));
	strbuf_init(&sb);
	assert_ptr_equal(sb.data, strbuf_empty);
}

static void test_add(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_add_string(&sb, "one");
	strbuf_add_char(&sb, ' ');
	strbuf_add(&sb, "t\0o", 3);
	assert_int_equal(sb.length, 7);
	assert_memory_equal(sb.data, "one t\0o", 8);
	strbuf_truncate(&sb, 9);
	assert_int_equal(sb.length, 7);
	strbuf_truncate(&sb, 3);
	assert_string_equal(sb.data, "one");
	strbuf_clear(&sb);
	assert_string_equal(sb.data, "");
	assert_int_not_equal(sb.capacity, 0);
	for (int i = 0; i < 1000; i++)
		strbuf_add_char(&sb, (char)('a' + i % 26));
	assert_int_equal(strlen(sb.data), 1000);
	assert_int_equal(sb.data[999], 'a' + 999 % 26);
}

static void test_format(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_add_format(&sb, "%d-%s", 5, "x");
	assert_string_equal(sb.data, "5-x");
	/* Texts that just fit, just do not, and are far too long for what is there. */
	for (int length = 50; length < 300; length++) {
		strbuf_done(&sb);
		strbuf_add_format(&sb, "%0*d", length, 7);
		assert_int_equal(sb.length, length);
		assert_int_equal(strlen(sb.data), length);
		assert_int_equal(sb.data[length - 1], '7');
	}
}

static void test_int64(void **state)
{
	static const int64_t values[] = { 0, 7, -1, 10, -10, INT64_MAX, INT64_MIN };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		char want[32];
		(void)snprintf(want, sizeof want, "%lld", (long long)values[i]);
		strbuf_add_int64(&sb, values[i]);
		assert_string_equal(sb.data, want);
	}
}

static void test_json_string(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_add_json_string(&sb, "", 0);
	assert_string_equal(sb.data, "\"\"");
	strbuf_clear(&sb);
	strbuf_add_json_string(&sb, "a\"b\\c/\b\t\n\f\r\x01\x1f\x7f\0z€", 19);
	assert_string_equal(sb.data,
			    "\"a\\\"b\\\\c/\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\\u0000z€\"");
}

/* Wherever it stands among characters that are nothing special. */
static void test_json_string_anywhere(void **state)
{
	static const struct {
		char c;
		const char *written;
	} rows[] = { { '"', "\\\"" },     { '\\', "\\\\" }, { '\n', "\\n" },
		     { 0x1f, "\\u001f" }, { ' ', " " },     { (char)0xff, "\xff" } };
	char text[20], want[64];

	(void)state;
	for (size_t row = 0; row < ARRAY_SIZE(rows); row++)
		for (size_t at = 0; at < sizeof text; at++) {
			_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
			memset(text, 'x', sizeof text);
			text[at] = rows[row].c;
			(void)snprintf(want, sizeof want, "\"%.*s%s%.*s\"", (int)at,
				       "xxxxxxxxxxxxxxxxxxxx", rows[row].written,
				       (int)(sizeof text - at - 1),
				       "xxxxxxxxxxxxxxxxxxxx");
			strbuf_add_json_string(&sb, text, sizeof text);
			assert_string_equal(sb.data, want);
		}
}

/* One byte over the maximum fails, and nothing is added from then on. */
static void test_maximum(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_add_string(&sb, "kept");
	assert_null(strbuf_reserve(&sb, STRBUF_MAX - 3));
	assert_false(strbuf_ok(&sb));
	strbuf_add_string(&sb, "dropped");
	strbuf_add_char(&sb, 'x');
	strbuf_add_format(&sb, "%d", 1);
	assert_string_equal(sb.data, "kept");
	assert_null(strbuf_take(&sb));
	assert_true(strbuf_ok(&sb));
	assert_null(strbuf_reserve(&sb, SIZE_MAX));
	assert_false(strbuf_ok(&sb));
	strbuf_clear(&sb);
	assert_true(strbuf_ok(&sb));
	assert_non_null(strbuf_reserve(&sb, STRBUF_MAX));
	assert_true(strbuf_ok(&sb));
}

static void test_reserve(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	(void)state;
	char *to = strbuf_reserve(&sb, 5);
	assert_non_null(to);
	memset(to, 'x', 5); /* no NUL: strbuf_commit's to write */
	strbuf_commit(&sb, 5);
	assert_string_equal(sb.data, "xxxxx");
	strbuf_commit(&sb, sb.capacity); /* more than was reserved: ignored */
	assert_int_equal(sb.length, 5);
	strbuf_wipe(&sb);
	assert_string_equal(sb.data, "");
	assert_int_equal(sb.capacity, 0);
}

static void test_take(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	char *text = strbuf_take(&sb);
	assert_non_null(text);
	assert_ptr_not_equal(text, strbuf_empty);
	assert_string_equal(text, "");
	free(text);
	strbuf_add_string(&sb, "mine");
	text = strbuf_take(&sb);
	assert_string_equal(text, "mine");
	assert_int_equal(sb.length, 0);
	free(text);
	strbuf_done(&sb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_int64),
		cmocka_unit_test(test_json_string),
		cmocka_unit_test(test_json_string_anywhere),
		cmocka_unit_test(test_maximum),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests_name("strbuf", tests, NULL, NULL);
}
