#include "mcp/header_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_is_written_reads_back(void **state)
{
	static const char *const texts[] = {
		"eu",
		"",
		" x",
		"x ",
		"Z\u00fcrich",
		"a\tb",
		"a b",
		"=?base64?eu?=",
		"=?base64?",
		"?=",
		"a\r\nX-Evil: 1",
		"\x01",
		"0",
		"=?BASE64?eu?=",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		header_value_encode(&sb, texts[i], strlen(texts[i]));
		assert_null(strpbrk(sb.data, "\r\n\t"));
		assert_true(sb.length > 0);
		assert_true(header_value_is(sb.data, texts[i], strlen(texts[i])));
		assert_false(header_value_is(sb.data, "other", 5));
	}
}

static void the_examples_of_the_protocol(void **state)
{
	static const struct {
		const char *text, *header;
	} rows[] = {
		{ "eu", "eu" },
		{ "Z\u00fcrich", "=?base64?WsO8cmljaA==?=" },
		{ " x", "=?base64?IHg=?=" },
		{ "", "=?base64?\?=" },
		{ "true", "true" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		header_value_encode(&sb, rows[i].text, strlen(rows[i].text));
		assert_string_equal(sb.data, rows[i].header);
	}
}

static void what_is_wrong_is_refused(void **state)
{
	static const char *const bad[] = {
		"=?base64?WsO8cmljaA?=",    /* no padding */
		"=?base64?WsO8cmljaA===?=", /* too much */
		"=?base64?WsO8cm-jaA==?=",  /* another alphabet */
		"=?base64?/w==?=",          /* no UTF-8 */
		"=?base64?a?=",
		"Z\xc3\xbcrich", /* not ASCII */
		"a\x01z",
		"a\x7f",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		assert_false(header_value_decode(bad[i], &sb));
	}
}

static void half_a_marker_is_a_literal(void **state)
{
	static const char *const literals[] = { "=?base64?eu",
						"eu?=", "=?Base64?ZXU=?=", "=?base64=" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(literals); i++)
		assert_true(
			header_value_is(literals[i], literals[i], strlen(literals[i])));
	assert_true(header_value_is(" \t eu\t", "eu", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(the_examples_of_the_protocol),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(half_a_marker_is_a_literal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
