/* Keys of an issuer: which are taken, and that each verifies its own tokens alone. */
#include "guard/testing_jwt.h"

#define CLAIMS "{\"iss\":\"https://login.example\"}"

static struct issuer issuer;

static int set_up(void **state)
{
	(void)state;
	issuer_open(&issuer);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	issuer_close(&issuer);
	return 0;
}

static enum jwks_verdict check(const struct jwks *s, const struct strbuf *token)
{
	struct error err = ERROR_INIT;
	struct jwt t;

	if (!jwt_read(&t, token->data, &err))
		fail_msg("%s", err.message);
	enum jwks_verdict verdict = jwks_check(s, &t);
	jwt_done(&t);
	return verdict;
}

static void each_algorithm_verifies(void **state)
{
	_cleanup_strbuf_ struct strbuf r = STRBUF_INIT, e = STRBUF_INIT, d = STRBUF_INIT;

	(void)state;
	assert_int_equal(jwks_count(issuer.all), 3);
	jwt_sign_jose(&r, issuer.rsa, "{\"alg\":\"RS256\",\"kid\":\"r\"}", CLAIMS);
	jwt_sign_jose(&e, issuer.ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}", CLAIMS);
	jwt_sign_ed(&d, issuer.ed, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", CLAIMS);
	assert_int_equal(check(issuer.all, &r), JWKS_GOOD);
	assert_int_equal(check(issuer.all, &e), JWKS_GOOD);
	assert_int_equal(check(issuer.all, &d), JWKS_GOOD);
}

static void every_changed_byte_is_noticed(void **state)
{
	_cleanup_strbuf_ struct strbuf token = STRBUF_INIT;

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		if (kind == 0)
			jwt_sign_jose(&token, issuer.rsa,
				      "{\"alg\":\"RS256\",\"kid\":\"r\"}", CLAIMS);
		else if (kind == 1)
			jwt_sign_jose(&token, issuer.ec,
				      "{\"alg\":\"ES256\",\"kid\":\"e\"}", CLAIMS);
		else
			jwt_sign_ed(&token, issuer.ed,
				    "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", CLAIMS);
		for (size_t i = 0; i < token.length; i += 3) {
			struct error err = ERROR_INIT;
			const char was = token.data[i];
			struct jwt t;

			token.data[i] = was == 'B' ? 'C' : 'B';
			if (jwt_read(&t, token.data, &err)) {
				assert_int_not_equal(jwks_check(issuer.all, &t),
						     JWKS_GOOD);
				jwt_done(&t);
			}
			token.data[i] = was;
		}
		assert_int_equal(check(issuer.all, &token), JWKS_GOOD);
	}
}

/* Another algorithm's name over the same key never verifies, whoever signed. */
static void keys_keep_to_their_algorithm(void **state)
{
	_cleanup_strbuf_ struct strbuf token = STRBUF_INIT;
	static const char *const kids[] = { "r", "e", "d" };
	static const char *const algs[] = { "RS256", "ES256", "EdDSA" };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++) {
			char header[64];

			if (i == j)
				continue;
			(void)snprintf(header, sizeof header,
				       "{\"alg\":\"%s\",\"kid\":\"%s\"}", algs[i],
				       kids[j]);
			jwt_sign_ed(&token, issuer.ed, header, CLAIMS);
			assert_int_equal(check(issuer.all, &token), JWKS_UNKNOWN_KEY);
		}
	/* The right name of the algorithm over the signature of another. */
	jwt_sign_ed(&token, issuer.ed, "{\"alg\":\"ES256\",\"kid\":\"e\"}", CLAIMS);
	assert_int_equal(check(issuer.all, &token), JWKS_BAD_SIGNATURE);
	jwt_sign_ed(&token, issuer.ed, "{\"alg\":\"RS256\",\"kid\":\"r\"}", CLAIMS);
	assert_int_equal(check(issuer.all, &token), JWKS_BAD_SIGNATURE);
}

/* Zeros for r and s, which some verifiers once took for good. */
static void signatures_of_nothing(void **state)
{
	static const struct {
		const char *header;
		size_t bytes;
	} rows[] = { { "{\"alg\":\"ES256\",\"kid\":\"e\"}", 64 },
		     { "{\"alg\":\"ES256\",\"kid\":\"e\"}", 63 },
		     { "{\"alg\":\"ES256\",\"kid\":\"e\"}", 65 },
		     { "{\"alg\":\"ES256\",\"kid\":\"e\"}", 1 },
		     { "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", 64 },
		     { "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", 63 },
		     { "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", 65 },
		     { "{\"alg\":\"RS256\",\"kid\":\"r\"}", 256 },
		     { "{\"alg\":\"RS256\",\"kid\":\"r\"}", 1 } };
	static const char zeros[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf token = STRBUF_INIT;

		jwt_begin(&token, rows[i].header, CLAIMS);
		strbuf_add_char(&token, '.');
		digest_base64url(&token, zeros, rows[i].bytes);
		assert_int_equal(check(issuer.all, &token), JWKS_BAD_SIGNATURE);
	}
}

static void the_kid_selects(void **state)
{
	_cleanup_strbuf_ struct strbuf token = STRBUF_INIT, text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	jwt_sign_ed(&token, issuer.ed, "{\"alg\":\"EdDSA\",\"kid\":\"D\"}", CLAIMS);
	assert_int_equal(check(issuer.all, &token), JWKS_UNKNOWN_KEY);
	/* Without one: the only key of its algorithm. */
	jwt_sign_ed(&token, issuer.ed, "{\"alg\":\"EdDSA\"}", CLAIMS);
	assert_int_equal(check(issuer.all, &token), JWKS_GOOD);
	strbuf_add_string(&text, "{\"keys\":[");
	issuer_add_ed(&issuer, &text, "\"kid\":\"1\",");
	strbuf_add_char(&text, ',');
	issuer_add_ed(&issuer, &text, "");
	strbuf_add_string(&text, "]}");
	_cleanup_(jwks_unrefp) struct jwks *two =
		jwks_parse(text.data, text.length, &err);
	assert_int_equal(jwks_count(two), 2);
	assert_int_equal(check(two, &token), JWKS_UNKNOWN_KEY);
	jwt_sign_ed(&token, issuer.ed, "{\"alg\":\"EdDSA\",\"kid\":\"1\"}", CLAIMS);
	assert_int_equal(check(two, &token), JWKS_GOOD);
	/* An empty kid is one, and no wildcard for the key that has none. */
	jwt_sign_ed(&token, issuer.ed, "{\"alg\":\"EdDSA\",\"kid\":\"\"}", CLAIMS);
	assert_int_equal(check(two, &token), JWKS_UNKNOWN_KEY);
}

/* ---- Parsing ---- */

static size_t count_of(const char *keys)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	strbuf_add_format(&text, "{\"keys\":[%s]}", keys);
	_cleanup_(jwks_unrefp) struct jwks *s = jwks_parse(text.data, text.length, &err);
	if (!s)
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	return s ? jwks_count(s) : 0;
}

static size_t ed_with(const char *more)
{
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;

	issuer_add_ed(&issuer, &key, more);
	return count_of(key.data);
}

static void what_a_key_is_for(void **state)
{
	(void)state;
	assert_int_equal(ed_with(""), 1);
	assert_int_equal(ed_with("\"use\":\"sig\","), 1);
	assert_int_equal(ed_with("\"use\":\"enc\","), 0);
	assert_int_equal(ed_with("\"use\":1,"), 0);
	assert_int_equal(ed_with("\"key_ops\":[\"verify\"],"), 1);
	assert_int_equal(ed_with("\"key_ops\":[\"sign\"],"), 0);
	assert_int_equal(ed_with("\"key_ops\":[],"), 0);
	assert_int_equal(ed_with("\"key_ops\":\"verify\","), 0);
	assert_int_equal(ed_with("\"alg\":\"EdDSA\","), 1);
	assert_int_equal(ed_with("\"alg\":\"RS256\","), 0);
	assert_int_equal(ed_with("\"alg\":null,"), 0);
	assert_int_equal(ed_with("\"kid\":1,"), 0);
	assert_int_equal(ed_with("\"x5c\":[\"whatever\"],\"x5t\":\"y\","), 1);
	/* A private half that was published. */
	assert_int_equal(ed_with("\"d\":\"AAAA\","), 0);
}

static void a_kid_has_a_limit(void **state)
{
	char more[JWT_KID_MAX + 32];

	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		(void)snprintf(more, sizeof more, "\"kid\":\"%0*d\",",
			       JWT_KID_MAX + extra, 0);
		assert_int_equal(ed_with(more), !extra);
	}
}

static void keys_of_other_kinds_are_passed_over(void **state)
{
	static const char *const others[] = {
		"{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"HS256\"}",
		("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":"
		 "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"not base64url!\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}",
		"{\"kty\":\"OKP\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\"}",
		"{\"kty\":\"rsa\"}",
		"{\"kty\":7}",
		"{}",
		"7",
		"null",
		"[]",
		/* not on the curve */
		("{\"kty\":\"EC\",\"crv\":\"P-256\","
		 "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
		 "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}"),
		/* the point at infinity, as some write it */
		("{\"kty\":\"EC\",\"crv\":\"P-256\","
		 "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		 "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
	};
	_cleanup_strbuf_ struct strbuf all = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		assert_int_equal(count_of(others[i]), 0);
		strbuf_add_format(&all, "%s,", others[i]);
	}
	/* They do not take the good ones with them. */
	issuer_add_ec(&issuer, &all, "");
	assert_int_equal(count_of(all.data), 1);
}

/* 'bytes' of modulus with the highest bit set, exponent as it stands. */
static size_t rsa_of(size_t bytes, const char *exponent, unsigned char first)
{
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
	unsigned char modulus[1024];

	memset(modulus, 0xa5, sizeof modulus);
	modulus[0] = first;
	strbuf_add_string(&key, "{\"kty\":\"RSA\",\"n\":\"");
	digest_base64url(&key, modulus, bytes);
	strbuf_add_format(&key, "\",\"e\":\"%s\"}", exponent);
	return count_of(key.data);
}

static void rsa_keys_have_a_size(void **state)
{
	(void)state;
	assert_int_equal(rsa_of(256, "AQAB", 0x80), 1);
	assert_int_equal(rsa_of(512, "AQAB", 0x80), 1);
	assert_int_equal(rsa_of(255, "AQAB", 0x80), 0);
	assert_int_equal(rsa_of(513, "AQAB", 0x80), 0);
	/* 2047 bits, and leading zeros that only look like size */
	assert_int_equal(rsa_of(256, "AQAB", 0x7f), 0);
	assert_int_equal(rsa_of(256, "AQAB", 0), 0);
	assert_int_equal(rsa_of(256, "Aw", 0x80), 1);      /* 3 */
	assert_int_equal(rsa_of(256, "AQ", 0x80), 0);      /* 1 */
	assert_int_equal(rsa_of(256, "AA", 0x80), 0);      /* 0 */
	assert_int_equal(rsa_of(256, "AQAA", 0x80), 0);    /* even */
	assert_int_equal(rsa_of(256, "AAEAAQ", 0x80), 0);  /* a leading zero */
	assert_int_equal(rsa_of(256, "AQAAAAE", 0x80), 0); /* more than 32 bits */
	assert_int_equal(rsa_of(256, "", 0x80), 0);
}

static void sets_have_limits(void **state)
{
	_cleanup_strbuf_ struct strbuf keys = STRBUF_INIT, padded = STRBUF_INIT;
	static const char *const none[] = { "",
					    "[]",
					    "{}",
					    "null",
					    "{\"keys\":{}}",
					    "{\"keys\":[]}",
					    "{\"keys\":",
					    "{\"keys\":[],\"keys\":[]}" };
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		error_clear(&err);
		assert_null(jwks_parse(none[i], strlen(none[i]), &err));
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	}
	for (int i = 0; i < JWKS_KEYS_MAX; i++) {
		if (i > 0)
			strbuf_add_char(&keys, ',');
		issuer_add_ed(&issuer, &keys, "");
	}
	assert_int_equal(count_of(keys.data), JWKS_KEYS_MAX);
	strbuf_add_string(&keys, ",{}");
	assert_int_equal(count_of(keys.data), 0);
	strbuf_add_string(&padded, "{\"keys\":[");
	issuer_add_ed(&issuer, &padded, "");
	strbuf_add_string(&padded, "]}");
	while (padded.length < JWKS_BYTES_MAX)
		strbuf_add_char(&padded, ' ');
	for (int extra = 0; extra < 2; extra++) {
		error_clear(&err);
		struct jwks *s = jwks_parse(padded.data, padded.length, &err);
		assert_int_equal(s != NULL, !extra);
		jwks_unref(s);
		strbuf_add_char(&padded, ' ');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_algorithm_verifies),
		cmocka_unit_test(every_changed_byte_is_noticed),
		cmocka_unit_test(keys_keep_to_their_algorithm),
		cmocka_unit_test(signatures_of_nothing),
		cmocka_unit_test(the_kid_selects),
		cmocka_unit_test(what_a_key_is_for),
		cmocka_unit_test(a_kid_has_a_limit),
		cmocka_unit_test(keys_of_other_kinds_are_passed_over),
		cmocka_unit_test(rsa_keys_have_a_size),
		cmocka_unit_test(sets_have_limits),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
