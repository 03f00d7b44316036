#include "base/canonical.h"

#include <float.h>
#include <math.h>

#include "base/testing.h"

static double double_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

/* RFC 8785, appendix B. */
static void test_rfc_numbers(void **state)
{
	static const struct {
		uint64_t bits;
		const char *text;
	} cases[] = {
		{ 0x0000000000000000, "0" },
		{ 0x8000000000000000, "0" },
		{ 0x0000000000000001, "5e-324" },
		{ 0x8000000000000001, "-5e-324" },
		{ 0x7fefffffffffffff, "1.7976931348623157e+308" },
		{ 0xffefffffffffffff, "-1.7976931348623157e+308" },
		{ 0x4340000000000000, "9007199254740992" },
		{ 0xc340000000000000, "-9007199254740992" },
		{ 0x4430000000000000, "295147905179352830000" },
		{ 0x44b52d02c7e14af5, "9.999999999999997e+22" },
		{ 0x44b52d02c7e14af6, "1e+23" },
		{ 0x44b52d02c7e14af7, "1.0000000000000001e+23" },
		{ 0x444b1ae4d6e2ef4e, "999999999999999700000" },
		{ 0x444b1ae4d6e2ef4f, "999999999999999900000" },
		{ 0x444b1ae4d6e2ef50, "1e+21" },
		{ 0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7" },
		{ 0x3eb0c6f7a0b5ed8d, "0.000001" },
		{ 0x41b3de4355555553, "333333333.3333332" },
		{ 0x41b3de4355555554, "333333333.33333325" },
		{ 0x41b3de4355555555, "333333333.3333333" },
		{ 0x41b3de4355555556, "333333333.3333334" },
		{ 0x41b3de4355555557, "333333333.33333343" },
		{ 0xbecbf647612f3696, "-0.0000033333333333333333" },
		{ 0x43143ff3c1cb0959, "1424953923781206.2" },
		/* Just above powers of two, where the nearest 16 digits do not read back. */
		{ 0x3d30000000000000, "5.684341886080802e-14" },
		{ 0x0010000000000000, "2.2250738585072014e-308" },
		{ 0x000fffffffffffff, "2.225073858507201e-308" },
		{ 0x0000000000000002, "1e-323" },
		{ 0x3ff0000000000000, "1" },
		{ 0xbff8000000000000, "-1.5" },
		{ 0x3fb999999999999a, "0.1" },
		{ 0x3fd3333333333334, "0.30000000000000004" },
	};
	char text[CANONICAL_NUMBER_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t length = canonical_number(double_of(cases[i].bits), text);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(length, strlen(text));
	}
}

/* Random doubles, and all powers of two with their neighbours, read back as they were. */
static void test_numbers_read_back(void **state)
{
	char text[CANONICAL_NUMBER_BYTES];
	uint64_t bits = 88172645463325252u;

	(void)state;
	for (int i = 0; i < 40000; i++) {
		bits ^= bits << 13;
		bits ^= bits >> 7;
		bits ^= bits << 17;
		uint64_t now = i < 34000 ? bits : (uint64_t)(i - 34000) / 3 % 2047 << 52;
		double value =
			double_of(i < 34000 ? now : now + (uint64_t)(i % 3) - (now > 0));
		if (!isfinite(value))
			continue;
		assert_in_range(canonical_number(value, text), 1,
				CANONICAL_NUMBER_BYTES - 1);
		assert_true(strtod(text, NULL) == value);
	}
}

static void check(const char *text, const char *want)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *value = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	testing_no_error(&err);
	assert_true(canonical_write(&sb, value, &err));
	assert_string_equal(sb.data, want);
}

static void test_write(void **state)
{
	(void)state;
	check(" [ null , true , false ] ", "[null,true,false]");
	check("{\"b\":1,\"a\":{\"d\":[],\"c\":{}}}",
	      "{\"a\":{\"c\":{},\"d\":[]},\"b\":1}");
	check("[1.0,1e2,-0,-0.0,0.10,1E-7,100e-2]", "[1,100,0,0,0.1,1e-7,1]");
	/* RFC 8785, section 3.2.2. */
	check("{\"numbers\":[333333333.33333329,1E30,4.50,2e-3,0."
	      "000000000000000000000000001],"
	      "\"string\":\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\","
	      "\"literals\":[null,true,false]}",
	      "{\"literals\":[null,true,false],"
	      "\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
	      "\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

/* RFC 8785, section 3.2.3: by UTF-16 units, so the emoji stands before U+FB33. */
static void test_order(void **state)
{
	(void)state;
	check("{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage "
	      "Return\",\"\\ufb33\":\"Hebrew\","
	      "\"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji\",\"\\u0080\":\"Control\","
	      "\"\\u00f6\":\"Latin\"}",
	      "{\"\\r\":\"Carriage "
	      "Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\",\"ö\":\"Latin\","
	      "\"€\":\"Euro "
	      "Sign\",\"\xf0\x9f\x98\x80\":\"Emoji\",\"\xef\xac\xb3\":\"Hebrew\"}");
	check("{\"ab\":1,\"a\":2,\"\":3,\"a\\u0000\":4,\"b\":5,\"B\":6}",
	      "{\"\":3,\"B\":6,\"a\":2,\"a\\u0000\":4,\"ab\":1,\"b\":5}");
	check("{\"\\ue000\":1,\"\\ud7ff\":2,\"\\ud800\\udc00\":3,\"x\\uffee\":4,"
	      "\"x\\udbff\\udffd\":5}",
	      "{\"x\xf4\x8f\xbf\xbd\":5,\"x\xef\xbf\xae\":4,\"\xed\x9f\xbf\":2,"
	      "\"\xf0\x90\x80\x80\":3,\"\xee\x80\x80\":1}");
}

/* Around the size where sorting changes its way. */
static void test_many_members(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	for (int count = 31; count <= 34; count++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT, want = STRBUF_INIT;
		json_auto_t *object = json_object();
		char key[16];
		for (int i = count - 1; i >= 0; i--) {
			(void)snprintf(key, sizeof key, "k%02d", i);
			json_object_set_new(object, key, json_integer(i));
		}
		strbuf_add_char(&want, '{');
		for (int i = 0; i < count; i++)
			strbuf_add_format(&want, "%s\"k%02d\":%d", i ? "," : "", i, i);
		strbuf_add_char(&want, '}');
		assert_true(canonical_write(&sb, object, &err));
		assert_string_equal(sb.data, want.data);
	}
}

static void test_refused(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *most = json_integer(JSON_INTEGER_MAX);
	json_auto_t *over = json_pack("[i,I]", 1, JSON_INTEGER_MAX + 1);
	json_auto_t *under = json_integer(-JSON_INTEGER_MAX - 1);
	json_auto_t *deep = json_integer(1);
	char hex[DIGEST_HEX_BYTES] = "untouched";

	(void)state;
	strbuf_add_string(&sb, "kept ");
	assert_false(canonical_write(&sb, over, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "9007199254740992");
	assert_false(canonical_write(&sb, under, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "-9007199254740992");
	assert_false(canonical_digest(over, hex, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, NULL);
	assert_string_equal(hex, "untouched");
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		deep = json_pack("[o]", deep);
	strbuf_clear(&sb);
	assert_true(canonical_write(&sb, deep, &err));
	deep = json_pack("{s:o}", "a", deep);
	strbuf_clear(&sb);
	strbuf_add_string(&sb, "kept ");
	assert_false(canonical_write(&sb, deep, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "deeper than 64");
	assert_string_equal(sb.data, "kept ");
	assert_true(canonical_write(&sb, most, &err));
	assert_string_equal(sb.data, "kept 9007199254740991");
}

static void test_digest(void **state)
{
	json_auto_t *a = json_pack("{s:i,s:f}", "b", 1, "a", 2.0);
	json_auto_t *b = json_pack("{s:i,s:i}", "a", 2, "b", 1);
	char hex_a[DIGEST_HEX_BYTES], hex_b[DIGEST_HEX_BYTES], want[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;

	(void)state;
	digest_sha256_hex("{\"a\":2,\"b\":1}", 13, want);
	assert_true(canonical_digest(a, hex_a, &err));
	assert_true(canonical_digest(b, hex_b, &err));
	assert_string_equal(hex_a, want);
	assert_string_equal(hex_b, want);
}

static void test_is(void **state)
{
	static const char *const yes[] = { "1",     "null", "\"é\"", "{\"a\":1,\"b\":[]}",
					   "1e+21", "0.1" };
	static const char *const no[] = { "1.0",
					  " 1",
					  "1 ",
					  "-0",
					  "{\"b\":1,\"a\":1}",
					  "1e21",
					  "\"\\u0041\"",
					  "{\"a\": 1}",
					  "9007199254740992",
					  "\"\\/\"",
					  "",
					  "x",
					  "\"\\u0000\"",
					  "100000000000000000000",
					  "{\"a\":1,\"a\":1}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		assert_true(canonical_is(yes[i], strlen(yes[i])));
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_false(canonical_is(no[i], strlen(no[i])));
}

/* What the contract accepts is written so that the contract accepts it again, unchanged. */
static void test_stable(void **state)
{
	static const char *const texts[] = {
		"1.0",
		"1e2",
		"-0",
		"1e21",
		"123456789e-20",
		"5e-324",
		"9007199254740991.0",
		"0.1e1",
		"1.7976931348623157E308",
		"{\"\\ud83d\\ude00\":[\"\\u007f\",1E-7],\"\\ufb33\":{}}"
	};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		json_auto_t *value =
			json_parse(texts[i], strlen(texts[i]), JSON_CONTRACT, &err);
		testing_no_error(&err);
		assert_true(json_check_contract(value, &err));
		assert_true(canonical_write(&sb, value, &err));
		assert_true(canonical_is(sb.data, sb.length));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_numbers),
		cmocka_unit_test(test_numbers_read_back),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_many_members),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_is),
		cmocka_unit_test(test_stable),
	};

	return cmocka_run_group_tests_name("canonical", tests, NULL, NULL);
}
