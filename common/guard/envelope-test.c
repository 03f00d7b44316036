#include "guard/envelope.h"

#include "base/canonical.h"
#include "guard/testing_keys.h"

#define TYP "org.wingman/test"

static json_t *payload(const struct keys *k)
{
	return json_pack("{s:s, s:s, s:i}", "typ", TYP, "kid", sign_key_kid(k->gate), "n",
			 7);
}

/* A word over these very bytes, canonical or not. */
static char *sign_bytes(const char *bytes, const struct sign_key *key)
{
	struct strbuf word = STRBUF_INIT;
	uint8_t signature[KEY_SIGNATURE_BYTES];
	struct error err = ERROR_INIT;

	assert_true(sign_key_sign(key, bytes, strlen(bytes), signature, &err));
	digest_base64url(&word, bytes, strlen(bytes));
	strbuf_add_char(&word, '.');
	digest_base64url(&word, signature, sizeof signature);
	return strbuf_take(&word);
}

static void assert_refused(const struct keys *k, const char *word, const char *why)
{
	struct error err = ERROR_INIT;

	assert_null(envelope_open(word, TYP, k->ring, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, why);
}

static void assert_bytes_refused(const struct keys *k, const char *format,
				 const char *why)
{
	char bytes[1024];
	_cleanup_free_ char *word = NULL;

	/* Every '@' stands for the trusted kid. */
	size_t n = 0;
	for (const char *p = format; *p; p++)
		n += (size_t)snprintf(bytes + n, sizeof bytes - n, "%.*s",
				      *p == '@' ? KEY_KID_BYTES - 1 : 1,
				      *p == '@' ? sign_key_kid(k->gate) : p);
	word = sign_bytes(bytes, k->gate);
	assert_refused(k, word, why);
}

static void test_there_and_back(void **state)
{
	const struct keys *k = *state;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *sent = payload(k);

	strbuf_add_string(&word, "");
	assert_true(envelope_seal(&word, sent, k->gate, &err));
	json_auto_t *got = envelope_open(word.data, TYP, k->ring, &err);
	testing_no_error(&err);
	assert_true(json_equal(got, sent));
	/* The very same bytes at any time: signing again after a crash changes nothing. */
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT;
	assert_true(envelope_seal(&again, sent, k->gate, &err));
	assert_string_equal(again.data, word.data);
}

static void test_other_type(void **state)
{
	const struct keys *k = *state;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *sent = payload(k);

	assert_true(envelope_seal(&word, sent, k->gate, &err));
	assert_null(envelope_open(word.data, "org.wingman/other", k->ring, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "another type");
}

static void test_every_bit_counts(void **state)
{
	const struct keys *k = *state;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *sent = payload(k);

	assert_true(envelope_seal(&word, sent, k->gate, &err));
	for (size_t i = 0; i < word.length; i++)
		for (int bit = 0; bit < 7; bit++) {
			word.data[i] = (char)(word.data[i] ^ 1 << bit);
			assert_null(envelope_open(word.data, TYP, k->ring, &err));
			testing_error(&err, ERR_APPROVAL_INVALID, "");
			word.data[i] = (char)(word.data[i] ^ 1 << bit);
		}
	json_auto_t *got = envelope_open(word.data, TYP, k->ring, &err);
	assert_non_null(got);
}

static void test_form(void **state)
{
	const struct keys *k = *state;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *sent = payload(k);

	assert_true(envelope_seal(&word, sent, k->gate, &err));
	assert_refused(k, NULL, "no signed word");
	assert_refused(k, "", "no signature");
	assert_refused(k, "e30", "no signature");
	assert_refused(k, ".", "wrong length");
	assert_refused(k, "e30.e30", "wrong length");
	assert_refused(k, "e30=.e30", "not base64url");
	for (size_t length = 0; length < word.length; length++) {
		_cleanup_free_ char *cut = strndup(word.data, length);
		assert_refused(k, cut, "");
	}
	strbuf_add_char(&word, '.');
	assert_refused(k, word.data, "not base64url");
	word.data[word.length - 1] = '=';
	assert_refused(k, word.data, "not base64url");
	word.data[word.length - 1] = '\n';
	assert_refused(k, word.data, "not base64url");
}

static void test_not_canonical(void **state)
{
	const struct keys *k = *state;

	assert_bytes_refused(k, "{\"kid\":\"@\",\"typ\": \"" TYP "\"}", "not canonical");
	assert_bytes_refused(k, "{\"typ\":\"" TYP "\",\"kid\":\"@\"}", "not canonical");
	assert_bytes_refused(k, "{\"kid\":\"@\",\"n\":1.0,\"typ\":\"" TYP "\"}",
			     "not canonical");
	assert_bytes_refused(k, "{\"kid\":\"@\",\"n\":\"\\u0041\",\"typ\":\"" TYP "\"}",
			     "not canonical");
	assert_bytes_refused(k, "{\"kid\":\"@\",\"typ\":\"" TYP "\"}\n", "not canonical");
	/* Two readers, two meanings. */
	assert_bytes_refused(k, "{\"kid\":\"@\",\"typ\":\"" TYP "\",\"typ\":\"" TYP "\"}",
			     "not JSON");
	assert_bytes_refused(k,
			     "{\"kid\":\"@\",\"n\":9007199254740992,\"typ\":\"" TYP "\"}",
			     "not JSON");
	assert_bytes_refused(k, "{\"kid\":\"@\",\"n\":\"\\u0000\",\"typ\":\"" TYP "\"}",
			     "not JSON");
	assert_bytes_refused(k, "", "not JSON");
	assert_bytes_refused(k, "[\"@\"]", "no object");
	assert_bytes_refused(k, "\"@\"", "no object");
}

static void test_typ_and_kid(void **state)
{
	const struct keys *k = *state;

	assert_bytes_refused(k, "{\"kid\":\"@\"}", "another type");
	assert_bytes_refused(k, "{\"kid\":\"@\",\"typ\":7}", "another type");
	assert_bytes_refused(k, "{\"kid\":\"@\",\"typ\":\"" TYP "2\"}", "another type");
	assert_bytes_refused(k, "{\"typ\":\"" TYP "\"}", "names no key");
	assert_bytes_refused(k, "{\"kid\":null,\"typ\":\"" TYP "\"}", "names no key");
	assert_bytes_refused(k, "{\"kid\":\"0000000000000000\",\"typ\":\"" TYP "\"}",
			     "not trusted");
}

static void test_stranger(void **state)
{
	const struct keys *k = *state;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *sent = payload(k);

	/* Under the trusted kid, then under his own. */
	assert_true(envelope_seal(&word, sent, k->stranger, &err));
	assert_refused(k, word.data, "does not fit");
	strbuf_clear(&word);
	assert_int_equal(
		json_object_set_new(sent, "kid", json_string(sign_key_kid(k->stranger))),
		0);
	assert_true(envelope_seal(&word, sent, k->stranger, &err));
	assert_refused(k, word.data, "not trusted");
}

static void test_length(void **state)
{
	const struct keys *k = *state;
	static char filler[ENVELOPE_MAX];
	struct error err = ERROR_INIT;
	json_auto_t *sent = payload(k);
	size_t fits = 0;

	/* The longest payload that still fits opens; one byte more is not sealed. */
	memset(filler, 'x', sizeof filler - 1);
	for (size_t length = 12000;; length++) {
		_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
		assert_true(length < sizeof filler);
		assert_int_equal(
			json_object_set_new(sent, "x", json_stringn(filler, length)), 0);
		if (!envelope_seal(&word, sent, k->gate, &err)) {
			testing_error(&err, ERR_INVALID_ARGUMENT, "longer than 16384");
			assert_int_equal(word.length, 0);
			break;
		}
		json_auto_t *got = envelope_open(word.data, TYP, k->ring, &err);
		assert_non_null(got);
		fits = word.length;
	}
	assert_in_range(fits, ENVELOPE_MAX - 1, ENVELOPE_MAX);

	_cleanup_free_ char *flood = malloc(ENVELOPE_MAX + 2);
	memset(flood, 'e', ENVELOPE_MAX + 1);
	flood[ENVELOPE_MAX + 1] = '\0';
	assert_refused(k, flood, "too long");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_set_up, keys_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_there_and_back),   TEST(test_other_type),
		TEST(test_every_bit_counts), TEST(test_form),
		TEST(test_not_canonical),    TEST(test_typ_and_kid),
		TEST(test_stranger),         TEST(test_length),
	};

	return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
