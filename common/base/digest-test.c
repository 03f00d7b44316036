#include "base/digest.h"

#include "base/testing.h"

/* FIPS 180-2, appendix B. */
static void test_sha256(void **state)
{
	char hex[DIGEST_HEX_BYTES];

	(void)state;
	digest_sha256_hex("", 0, hex);
	assert_string_equal(
		hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_sha256_hex("abc", 3, hex);
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
			  hex);
	assert_string_equal(
		hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* RFC 4231, cases 1, 2, 3 and 6; and keys around the block's 64 bytes. */
static void test_hmac(void **state)
{
	uint8_t key[131], data[50], sum[DIGEST_BYTES];
	char hex[DIGEST_HEX_BYTES];

	(void)state;
	memset(key, 0x0b, 20);
	digest_hmac_sha256(key, 20, "Hi There", 8, sum);
	digest_hex(sum, sizeof sum, hex);
	assert_string_equal(
		hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	digest_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, sum);
	digest_hex(sum, sizeof sum, hex);
	assert_string_equal(
		hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	memset(data, 0xdd, sizeof data);
	digest_hmac_sha256(key, 20, data, sizeof data, sum);
	digest_hex(sum, sizeof sum, hex);
	assert_string_equal(
		hex, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
	digest_hmac_sha256(key, 131,
			   "Test Using Larger Than Block-Size Key - Hash Key First", 54,
			   sum);
	digest_hex(sum, sizeof sum, hex);
	assert_string_equal(
		hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_hex(void **state)
{
	char hex[9];

	(void)state;
	digest_hex("\x00\xff\x10\xab", 4, hex);
	assert_string_equal(hex, "00ff10ab");
	digest_hex("", 0, hex);
	assert_string_equal(hex, "");
	assert_true(digest_is_hex(
		"00000000000000000000000000000000000000000000000000000000000000af"));
	assert_false(digest_is_hex(
		"00000000000000000000000000000000000000000000000000000000000000aF"));
	assert_false(digest_is_hex(
		"00000000000000000000000000000000000000000000000000000000000000a"));
	assert_false(digest_is_hex(
		"00000000000000000000000000000000000000000000000000000000000000aff"));
	assert_false(digest_is_hex(
		"00000000000000000000000000000000000000000000000000000000000000a "));
	assert_false(digest_is_hex(""));
}

/* RFC 4648, section 10, and the letters in which the alphabets differ. */
static void test_base64(void **state)
{
	static const char *const cases[][3] = {
		{ "", "", "" },
		{ "f", "Zg", "Zg==" },
		{ "fo", "Zm8", "Zm8=" },
		{ "foo", "Zm9v", "Zm9v" },
		{ "foob", "Zm9vYg", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "-__-", "+//+" },
	};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf url = STRBUF_INIT, padded = STRBUF_INIT;
		_cleanup_strbuf_ struct strbuf back = STRBUF_INIT;
		size_t length = strlen(cases[i][0]);
		digest_base64url(&url, cases[i][0], length);
		digest_base64(&padded, cases[i][0], length);
		assert_string_equal(url.data, cases[i][1]);
		assert_string_equal(padded.data, cases[i][2]);
		assert_true(digest_base64url_decode(url.data, url.length, &back, &err));
		assert_string_equal(back.data, cases[i][0]);
		strbuf_clear(&back);
		assert_true(
			digest_base64_decode(padded.data, padded.length, &back, &err));
		assert_string_equal(back.data, cases[i][0]);
	}
}

static void test_base64_refused(void **state)
{
	/* Padding, the other alphabet, one digit alone, bits of no byte, white space. */
	static const char *const url[] = { "Zg==",   "Zg=",   "+//+", "A",
					   "Zm9vY",  "Zh",    "Zm9",  "Zm 9v",
					   "Zm9v\n", "Zm\0v", "é" };
	static const char *const padded[] = {
		"Zg",   "Zg=",  "Zg===", "====",     "=",      "Zm8",  "-__-",
		"Zh==", "Zm9=", "Z===",  "Zg==Zg==", "Zm9v\n", "Zg= ="
	};
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	strbuf_add_string(&out, "kept");
	for (size_t i = 0; i < ARRAY_SIZE(url); i++) {
		if (digest_base64url_decode(url[i], i == 9 ? 4 : strlen(url[i]), &out,
					    &err))
			fail_msg("'%s' was accepted", url[i]);
		testing_error(&err, ERR_INVALID_ARGUMENT, "base64url");
		assert_string_equal(out.data, "kept");
	}
	for (size_t i = 0; i < ARRAY_SIZE(padded); i++) {
		if (digest_base64_decode(padded[i], strlen(padded[i]), &out, &err))
			fail_msg("'%s' was accepted", padded[i]);
		testing_error(&err, ERR_INVALID_ARGUMENT, "base64");
		assert_string_equal(out.data, "kept");
	}
}

static void test_base64_all_bytes(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, back = STRBUF_INIT;
	struct error err = ERROR_INIT;
	uint8_t bytes[256];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	for (size_t length = 250; length <= 256; length++) {
		strbuf_clear(&text);
		strbuf_clear(&back);
		digest_base64url(&text, bytes, length);
		assert_true(digest_base64url_decode(text.data, text.length, &back, &err));
		assert_int_equal(back.length, length);
		assert_memory_equal(back.data, bytes, length);
	}
}

static void test_random(void **state)
{
	uint8_t a[1000] = { 0 }, b[1000] = { 0 };
	char id[DIGEST_ID_BYTES], other[DIGEST_ID_BYTES];

	(void)state;
	digest_random(a, sizeof a);
	digest_random(b, sizeof b);
	assert_memory_not_equal(a, b, sizeof a);
	digest_random(a, 0);
	digest_random_id(id);
	digest_random_id(other);
	assert_int_equal(strspn(id, "0123456789abcdefghjkmnpqrstvwxyz"), 26);
	assert_int_equal(strlen(id), 26);
	assert_string_not_equal(id, other);
}

static void test_equal(void **state)
{
	(void)state;
	assert_true(digest_equal("abc", 3, "abc", 3));
	assert_true(digest_equal("", 0, "", 0));
	assert_false(digest_equal("abc", 3, "abd", 3));
	assert_false(digest_equal("abc", 3, "abc", 2));
	assert_true(digest_equal_text("token", "token"));
	assert_false(digest_equal_text("token", "tokem"));
	assert_false(digest_equal_text("token", "toke"));
	assert_false(digest_equal_text("", "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_refused),
		cmocka_unit_test(test_base64_all_bytes),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
