/* The reader of base/json.h: what RFC 8259 and the contract profile accept and refuse. */
#include "base/json.h"

#include <math.h>

#include "base/testing.h"

struct text {
	const char *bytes;
	size_t length;
};

#define TEXT(literal)                                                                    \
	{                                                                                \
		literal, sizeof(literal) - 1                                             \
	}

static json_t *parse(struct text t, enum json_profile profile, struct error *err)
{
	/* Exactly as long as it claims, so that a sanitizer sees each byte too many. */
	_cleanup_free_ char *copy = malloc(t.length ? t.length : 1);

	assert_non_null(copy);
	memcpy(copy, t.bytes, t.length);
	return json_parse(copy, t.length, profile, err);
}

static void accept(struct text t, enum json_profile profile)
{
	struct error err = ERROR_INIT;
	json_auto_t *value = parse(t, profile, &err);

	if (!value)
		fail_msg("'%.*s' was refused: %s", (int)t.length, t.bytes, err.message);
}

static void refuse(struct text t, enum json_profile profile, const char *why)
{
	struct error err = ERROR_INIT;
	json_auto_t *value = parse(t, profile, &err);

	if (value)
		fail_msg("'%.*s' was accepted", (int)t.length, t.bytes);
	testing_error(&err, ERR_INVALID_ARGUMENT, why);
}

static void test_accepted(void **state)
{
	static const struct text texts[] = {
		TEXT("null"),
		TEXT("true"),
		TEXT("false"),
		TEXT("0"),
		TEXT("-0"),
		TEXT("-0.0"),
		TEXT("1"),
		TEXT("-1"),
		TEXT("0.1"),
		TEXT("1e5"),
		TEXT("1E+5"),
		TEXT("1.5e-5"),
		TEXT("\"\""),
		TEXT("\"a\""),
		TEXT("[]"),
		TEXT("{}"),
		TEXT(" [ ] "),
		TEXT("\t\n\r {\"a\" : [ 1 , 2 ] , \"b\":null} \n"),
		TEXT("[[[]]]"),
		TEXT("{\"\":0}"),
		TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\""),
		TEXT("\"\\uD83D\\uDE00\""),
		TEXT("\"\\ud83d\\ude00 \xf0\x9f\x98\x80\""),
		TEXT("\"\x7f\""),
		TEXT("\"\xe2\x80\xa8\""),
		TEXT("\"\xf4\x8f\xbf\xbd\""),
		TEXT("[1,\"x\",true,null,{\"k\":[]}]"),
		TEXT("{\"a\":1,\"A\":2}"),
		TEXT("{\"a\":{\"a\":1}}"),
		TEXT("\"\\u00e9\""),
		TEXT("9007199254740991"),
		TEXT("-9007199254740991"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		accept(texts[i], JSON_SYNTAX);
		accept(texts[i], JSON_CONTRACT);
	}
}

static void test_refused(void **state)
{
	static const struct text texts[] = {
		TEXT(""),
		TEXT(" "),
		TEXT("nul"),
		TEXT("nulll"),
		TEXT("Null"),
		TEXT("TRUE"),
		TEXT("undefined"),
		TEXT("NaN"),
		TEXT("Infinity"),
		TEXT("-Infinity"),
		TEXT("inf"),
		TEXT("-"),
		TEXT("+1"),
		TEXT("01"),
		TEXT("-01"),
		TEXT("00"),
		TEXT("1."),
		TEXT(".1"),
		TEXT("-.1"),
		TEXT("1.e1"),
		TEXT("1e"),
		TEXT("1e+"),
		TEXT("1e1.5"),
		TEXT("0x10"),
		TEXT("1_000"),
		TEXT("1 2"),
		TEXT("--1"),
		TEXT("1e1e1"),
		TEXT("0e"),
		TEXT("- 1"),
		TEXT("[1,]"),
		TEXT("[,1]"),
		TEXT("[1,,2]"),
		TEXT("[1 2]"),
		TEXT("["),
		TEXT("[1"),
		TEXT("[1,"),
		TEXT("]"),
		TEXT("[]]"),
		TEXT("[}"),
		TEXT("{]"),
		TEXT("{"),
		TEXT("{\"a\""),
		TEXT("{\"a\":"),
		TEXT("{\"a\":1"),
		TEXT("{\"a\":1,"),
		TEXT("{\"a\":1,}"),
		TEXT("{,}"),
		TEXT("{\"a\" 1}"),
		TEXT("{\"a\",1}"),
		TEXT("{a:1}"),
		TEXT("{'a':1}"),
		TEXT("{1:1}"),
		TEXT("{\"a\":1}}"),
		TEXT("{\"a\":1 \"b\":2}"),
		TEXT("{\"a\"::1}"),
		TEXT("{null:1}"),
		TEXT("\""),
		TEXT("\"a"),
		TEXT("'a'"),
		TEXT("\"\\\""),
		TEXT("\"\\"),
		TEXT("\"\\u"),
		TEXT("\"\\u12\""),
		TEXT("\"\\u12G4\""),
		TEXT("\"\\x41\""),
		TEXT("\"\\a\""),
		TEXT("\"\\'\""),
		TEXT("\"\\\n\""),
		TEXT("\"\n\""),
		TEXT("\"\t\""),
		TEXT("\"\0\""),
		TEXT("\"\x1f\""),
		TEXT("\"\\\xe9\""),
		TEXT("\"\\U0041\""),
		TEXT("\"\\0\""),
		TEXT("// x\n1"),
		TEXT("/* x */1"),
		TEXT("1//x"),
		TEXT("#\n1"),
		TEXT("1;"),
		TEXT("\xef\xbb\xbf"
		     "1"),
		TEXT("\xef\xbb\xbf{}"),
		TEXT("\xff\xfe[\0]\0"),
		TEXT("1\0"),
		TEXT("[1\0]"),
		TEXT("\x0c[]"),
		TEXT("\xc2\xa0[]"),
		TEXT("[\v1]"),
		TEXT("\xe2\x81\xa0[]"),
		TEXT("{\"a\":1}#{}"),
		TEXT("[true, fals]"),
		TEXT("*"),
		TEXT("<null>"),
		TEXT("[a"),
		TEXT("\"\"\"\""),
		TEXT("\"a\"b"),
		TEXT("[\"\",]"),
		TEXT("{\"a\":\"b\"}/"),
		TEXT("\xef\xbb"),
		TEXT("é"),
		TEXT("[\"a\",\n4\n,1,"),
		TEXT("1e400"),
		TEXT("-1e400"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		refuse(texts[i], JSON_SYNTAX, NULL);
		refuse(texts[i], JSON_CONTRACT, NULL);
	}
}

static void test_bad_utf8(void **state)
{
	static const struct text texts[] = {
		TEXT("\"\x80\""),
		TEXT("\"\xbf\""),
		TEXT("\"\xc0\x80\""),
		TEXT("\"\xc0\xaf\""),
		TEXT("\"\xc1\xbf\""),
		TEXT("\"\xc3\""),
		TEXT("\"\xc3"),
		TEXT("\"\xc3\x28\""),
		TEXT("\"\xe0\x80\x80\""),
		TEXT("\"\xe0\x9f\xbf\""),
		TEXT("\"\xe2\x82\""),
		TEXT("\"\xe2\x82"),
		TEXT("\"\xed\xa0\x80\""),
		TEXT("\"\xed\xbf\xbf\""),
		TEXT("\"\xed\xa0\xbd\xed\xb8\x80\""),
		TEXT("\"\xf0\x80\x80\x80\""),
		TEXT("\"\xf0\x8f\xbf\xbf\""),
		TEXT("\"\xf0\x9f\x98\""),
		TEXT("\"\xf4\x90\x80\x80\""),
		TEXT("\"\xf5\x80\x80\x80\""),
		TEXT("\"\xf8\x88\x80\x80\x80\""),
		TEXT("\"\xfe\""),
		TEXT("\"\xff\""),
		TEXT("{\"\xff\":1}"),
		TEXT("\"\xe9\""),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		refuse(texts[i], JSON_SYNTAX, "UTF-8");
}

static void test_surrogates(void **state)
{
	static const struct text texts[] = {
		TEXT("\"\\uD800\""),
		TEXT("\"\\uDC00\""),
		TEXT("\"\\uDFFF\""),
		TEXT("\"\\uDBFF\""),
		TEXT("\"\\uD800\\uD800\""),
		TEXT("\"\\uDC00\\uD800\""),
		TEXT("\"\\uD800\\u0041\""),
		TEXT("\"\\uD800x\\uDC00\""),
		TEXT("\"\\uD800\\n\""),
		TEXT("\"\\uD800\\"),
		TEXT("\"\\uD800\\u"),
		TEXT("\"\\uD83D\\uDE0\""),
		TEXT("{\"\\uD800\":1}"),
		TEXT("\"\\ud83d\""),
		TEXT("\"\\uD800\\uDBFF\\uDC00\""),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		refuse(texts[i], JSON_SYNTAX, "lone surrogate");
}

/* Compared as decoded, also with NULs and across escapes. */
static void test_duplicates(void **state)
{
	static const struct text twice[] = {
		TEXT("{\"a\":1,\"a\":1}"),
		TEXT("{\"a\":1,\"b\":2,\"a\":3}"),
		TEXT("{\"a\":1,\"\\u0061\":2}"),
		TEXT("{\"\\u0061\":1,\"a\":2}"),
		TEXT("{\"\\/\":1,\"/\":2}"),
		TEXT("{\"\":1,\"\":2}"),
		TEXT("[{\"x\":{\"a\":1,\"a\":2}}]"),
		TEXT("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"),
		TEXT("{\"é\":1,\"\\u00E9\":1}"),
		TEXT("{\"a\\u0000b\":1,\"a\\u0000b\":2}"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(twice); i++)
		refuse(twice[i], JSON_SYNTAX, "there before");
	accept((struct text)TEXT("{\"a\\u0000b\":1,\"a\\u0000c\":2,\"a\":3}"),
	       JSON_SYNTAX);
	accept((struct text)TEXT("{\"a\":1,\"á\":2}"), JSON_CONTRACT);
}

static void test_nul_and_noncharacters(void **state)
{
	static const struct text contract_only[] = {
		TEXT("\"\\u0000\""),
		TEXT("{\"\\u0000\":1}"),
		TEXT("{\"a\":[\"x\\u0000y\"]}"),
		TEXT("\"\\uFFFF\""),
		TEXT("\"\\uFFFE\""),
		TEXT("\"\\uFDD0\""),
		TEXT("\"\xef\xbf\xbf\""),
		TEXT("\"\\uD83F\\uDFFE\""),
		TEXT("\"\xf4\x8f\xbf\xbf\""),
	};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(contract_only); i++) {
		accept(contract_only[i], JSON_SYNTAX);
		refuse(contract_only[i], JSON_CONTRACT, i < 3 ? "NUL" : "noncharacter");
	}
	json_auto_t *value = parse((struct text)TEXT("\"a\\u0000b\""), JSON_SYNTAX, &err);
	assert_int_equal(json_string_length(value), 3);
	assert_memory_equal(json_string_value(value), "a\0b", 4);
}

static void test_escapes(void **state)
{
	struct error err = ERROR_INIT;
	json_auto_t *value =
		parse((struct text)TEXT("{\"\\u006bey\":\"\\u0041\\n\\u00e9\\u20AC"
					"\\ud83d\\ude00-\\/\\\\\\\"\\b\\f\\r\\t\"}"),
		      JSON_CONTRACT, &err);

	(void)state;
	testing_no_error(&err);
	assert_string_equal(json_get_string(value, "key"),
			    "A\né€\xf0\x9f\x98\x80-/\\\"\b\f\r\t");
}

static void nest(struct strbuf *sb, int depth, const char *open, const char *close)
{
	strbuf_clear(sb);
	for (int i = 0; i < depth; i++)
		strbuf_add_string(sb, open);
	strbuf_add_string(sb, "1");
	for (int i = 0; i < depth; i++)
		strbuf_add_string(sb, close);
}

static void test_depth(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	(void)state;
	nest(&sb, JSON_DEPTH_MAX, "[", "]");
	accept((struct text){ sb.data, sb.length }, JSON_CONTRACT);
	nest(&sb, JSON_DEPTH_MAX + 1, "[", "]");
	refuse((struct text){ sb.data, sb.length }, JSON_CONTRACT, "deeper than 64");
	nest(&sb, JSON_DEPTH_MAX, "{\"a\":", "}");
	accept((struct text){ sb.data, sb.length }, JSON_SYNTAX);
	nest(&sb, JSON_DEPTH_MAX + 1, "{\"a\":", "}");
	refuse((struct text){ sb.data, sb.length }, JSON_SYNTAX, "deeper than 64");
	nest(&sb, 100000, "[", "");
	refuse((struct text){ sb.data, sb.length }, JSON_SYNTAX, "deeper than 64");
	nest(&sb, 100000, "[{\"\":", "");
	refuse((struct text){ sb.data, sb.length }, JSON_SYNTAX, "deeper than 64");
}

static void test_length(void **state)
{
	_cleanup_free_ char *text = malloc((size_t)JSON_TEXT_MAX + 1);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', (size_t)JSON_TEXT_MAX + 1);
	text[0] = '1';
	accept((struct text){ text, JSON_TEXT_MAX }, JSON_SYNTAX);
	refuse((struct text){ text, (size_t)JSON_TEXT_MAX + 1 }, JSON_SYNTAX,
	       "more than");
}

/* Every prefix of a text ends before its value does, and is read to its last byte only. */
static void test_prefixes(void **state)
{
	static const char text[] =
		"{\"a\\n\":[1.5e3,\"\\ud83d\\ude00é\",true,null,{\"b\":-0}]}";

	(void)state;
	for (size_t length = 0; length < sizeof text - 1; length++)
		refuse((struct text){ text, length }, JSON_SYNTAX, NULL);
	accept((struct text){ text, sizeof text - 1 }, JSON_CONTRACT);
}

/* The place is the byte, counted from one. */
static void test_place(void **state)
{
	(void)state;
	refuse((struct text)TEXT("[1, x]"), JSON_SYNTAX, "at byte 5:");
	refuse((struct text)TEXT("{\"a\":1,\"a\":2}"), JSON_SYNTAX, "at byte 8:");
	refuse((struct text)TEXT("\"ab\\q\""), JSON_SYNTAX, "at byte 4:");
	refuse((struct text)TEXT("1 1"), JSON_SYNTAX, "at byte 3:");
	refuse((struct text)TEXT("\"a\x01\""), JSON_SYNTAX, "at byte 3:");
}

static void test_numbers(void **state)
{
	static const struct {
		struct text text;
		bool is_integer;
		json_int_t integer;
		double real;
	} numbers[] = {
		{ TEXT("0"), true, 0, 0 },
		{ TEXT("-0"), true, 0, 0 },
		{ TEXT("9223372036854775807"), true, INT64_MAX, 0 },
		{ TEXT("-9223372036854775808"), true, INT64_MIN, 0 },
		{ TEXT("9223372036854775808"), false, 0, 9223372036854775808.0 },
		{ TEXT("-9223372036854775809"), false, 0, -9223372036854775808.0 },
		{ TEXT("123456789012345678901234567890"), false, 0,
		  123456789012345678901234567890.0 },
		{ TEXT("1.0"), false, 0, 1 },
		{ TEXT("1e2"), false, 0, 100 },
		{ TEXT("1e-400"), false, 0, 0 },
		{ TEXT("5e-324"), false, 0, 5e-324 },
		{ TEXT("1.7976931348623157e308"), false, 0, 1.7976931348623157e308 },
		{ TEXT("0.1"), false, 0, 0.1 },
		{ TEXT("-2.5E+3"), false, 0, -2500 },
		{ TEXT("9007199254740993.0"), false, 0, 9007199254740992.0 },
		{ TEXT("2.2250738585072011e-308"), false, 0, 2.2250738585072011e-308 },
		{ TEXT("0e99999999999999999999"), false, 0, 0 },
		{ TEXT("0.0000000000000000000000000001e28"), false, 0, 1 },
		{ TEXT("10000000000000000000000000000e-28"), false, 0, 1 },
		/* Just above the middle of two doubles: the last digit decides. */
		{ TEXT("1.00000000000000011102230246251565404236316680908203125"), false,
		  0, 1 },
		{ TEXT("1.000000000000000111022302462515654042363166809082031250000001"),
		  false, 0, 1.0000000000000002 },
	};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		json_auto_t *value = parse(numbers[i].text, JSON_SYNTAX, &err);
		testing_no_error(&err);
		assert_int_equal(json_is_integer(value), numbers[i].is_integer);
		if (numbers[i].is_integer)
			assert_true(json_integer_value(value) == numbers[i].integer);
		else
			assert_true(json_real_value(value) == numbers[i].real);
	}
}

static void test_contract_numbers(void **state)
{
	static const struct text good[] = {
		TEXT("0.1"),
		TEXT("1.0"),
		TEXT("1.10"),
		TEXT("1e2"),
		TEXT("100e-2"),
		TEXT("-0"),
		TEXT("-0.0"),
		TEXT("0e5"),
		TEXT("0.000"),
		TEXT("9007199254740991"),
		TEXT("1e21"),
		TEXT("9007199254740991.0"),
		TEXT("-9007199254740991.000"),
		TEXT("1e300"),
		TEXT("1.7976931348623157e308"),
		TEXT("5e-324"),
		TEXT("2.2250738585072014e-308"),
		TEXT("0.30000000000000004"),
		TEXT("123456.789e3"),
		TEXT("0.1e1"),
	};
	static const struct text bad[] = {
		TEXT("9007199254740992"),
		TEXT("-9007199254740992"),
		TEXT("9007199254740993"),
		TEXT("9007199254740993.0"),
		TEXT("9007199254740992.0"),
		TEXT("9007199254740994.0"),
		TEXT("1e16"),
		TEXT("1e20"),
		TEXT("-1e20"),
		TEXT("100000000000000000000"),
		TEXT("999999999999999999999"),
		TEXT("1e400"),
		TEXT("1e-400"),
		TEXT("4.9e-324"),
		TEXT("0.10000000000000000001"),
		TEXT("0.1000000000000000055511151231257827"),
		TEXT("1.00000000000000000001"),
		TEXT("3.141592653589793238"),
		TEXT("0.3000000000000000401"),
		TEXT("1e-99999999999999999999"),
		TEXT("9007199254740990.5"),
		TEXT("1.0000000000000000000000000000000000000000001e21"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		accept(good[i], JSON_CONTRACT);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(bad[i], JSON_CONTRACT, NULL);
}

/* Digits by the million cost no more than reading them. */
static void test_long_numbers(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	strbuf_add_string(&sb, "0.");
	for (int i = 0; i < 1000000; i++)
		strbuf_add_char(&sb, '0');
	strbuf_add_string(&sb, "1e1000001");
	json_auto_t *one =
		parse((struct text){ sb.data, sb.length }, JSON_CONTRACT, &err);
	assert_true(json_real_value(one) == 1);
	strbuf_clear(&sb);
	for (int i = 0; i < 1000000; i++)
		strbuf_add_char(&sb, '9');
	refuse((struct text){ sb.data, sb.length }, JSON_SYNTAX, "too large");
	strbuf_add_string(&sb, "e-1000000");
	json_auto_t *nines =
		parse((struct text){ sb.data, sb.length }, JSON_SYNTAX, &err);
	assert_true(json_real_value(nines) == 1);
	refuse((struct text){ sb.data, sb.length }, JSON_CONTRACT, "cannot hold");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bad_utf8),
		cmocka_unit_test(test_surrogates),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_nul_and_noncharacters),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_contract_numbers),
		cmocka_unit_test(test_long_numbers),
	};

	return cmocka_run_group_tests_name("json-parse", tests, NULL, NULL);
}
