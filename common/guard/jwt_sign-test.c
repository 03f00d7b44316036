/* What is signed can be checked with the public half, and only the keys that are taken
 * sign. Here and not beside its module, because the other half of it is ours. */
#include "base/jwt_sign.h"

#include <openssl/pem.h>

#include "base/testing.h"
#include "guard/jwks.h"

enum { BOTH = JWT_SIGN_ES256 | JWT_SIGN_RS256 };

/* The PEM of a new private key; 'parameter' is the curve, or the bits of RSA. */
static struct secret *make_pem(const char *type, const char *parameter)
{
	EVP_PKEY *key = strcmp(type, "EC") == 0
				? EVP_PKEY_Q_keygen(NULL, NULL, type, parameter)
			: strcmp(type, "RSA") == 0
				? EVP_PKEY_Q_keygen(NULL, NULL, type,
						    (size_t)strtoul(parameter, NULL, 10))
				: EVP_PKEY_Q_keygen(NULL, NULL, type);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;

	assert_non_null(key);
	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL),
			 1);
	long length = BIO_get_mem_data(bio, &text);
	struct secret *pem = secret_new(text, (size_t)length);
	BIO_free(bio);
	EVP_PKEY_free(key);
	assert_non_null(pem);
	return pem;
}

/* The key set with its public half. */
static struct jwks *public_half(const struct secret *pem)
{
	BIO *bio = BIO_new_mem_buf(secret_bytes(pem), (int)secret_length(pem));
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	_cleanup_strbuf_ struct strbuf x = STRBUF_INIT, y = STRBUF_INIT,
				       set = STRBUF_INIT;
	struct error err = ERROR_INIT;
	uint8_t point[65];
	size_t length;

	assert_int_equal(
		EVP_PKEY_get_octet_string_param(key, "pub", point, sizeof point, &length),
		1);
	assert_int_equal(length, 65);
	digest_base64url(&x, point + 1, 32);
	digest_base64url(&y, point + 33, 32);
	strbuf_add_format(
		&set,
		"{\"keys\":[{\"kid\":\"k\\\"1\",\"kty\":\"EC\",\"crv\":\"P-256\","
		"\"x\":\"%s\",\"y\":\"%s\"}]}",
		x.data, y.data);
	BIO_free(bio);
	EVP_PKEY_free(key);
	struct jwks *keys = jwks_parse(set.data, set.length, &err);
	assert_non_null(keys);
	return keys;
}

static void a_token_is_checked_with_the_public_half(void **state)
{
	_cleanup_(secret_freep) struct secret *pem = make_pem("EC", "P-256");
	_cleanup_(secret_freep) struct secret *other = make_pem("EC", "P-256");
	_cleanup_(jwks_unrefp) struct jwks *keys = public_half(pem);
	_cleanup_(jwks_unrefp) struct jwks *others = public_half(other);
	struct error err = ERROR_INIT;
	_cleanup_(jwt_signer_freep) struct jwt_signer *s =
		jwt_signer_new(pem, "k\"1", BOTH, &err);

	(void)state;
	assert_non_null(s);
	/* Often enough for numbers with zeros in front. */
	for (int i = 0; i < 300; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		json_auto_t *claims = json_pack("{s:s, s:i}", "iss", "me", "iat", i);
		struct jwt t;

		assert_true(jwt_signer_sign(s, claims, &text, &err));
		assert_true(jwt_read(&t, text.data, &err));
		assert_int_equal(t.alg, JWT_ES256);
		assert_string_equal(t.kid, "k\"1");
		assert_string_equal(jwt_issuer(&t), "me");
		assert_int_equal(jwks_check(keys, &t), JWKS_GOOD);
		assert_int_equal(jwks_check(others, &t), JWKS_BAD_SIGNATURE);
		jwt_done(&t);
	}
}

/* The key set with the public half of an RSA key. */
static struct jwks *public_rsa(const struct secret *pem)
{
	BIO *bio = BIO_new_mem_buf(secret_bytes(pem), (int)secret_length(pem));
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	_cleanup_strbuf_ struct strbuf n = STRBUF_INIT, set = STRBUF_INIT;
	struct error err = ERROR_INIT;
	BIGNUM *number = NULL;
	uint8_t bytes[256];

	assert_int_equal(EVP_PKEY_get_bn_param(key, "n", &number), 1);
	assert_int_equal(BN_bn2bin(number, bytes), sizeof bytes);
	digest_base64url(&n, bytes, sizeof bytes);
	strbuf_add_format(&set,
			  "{\"keys\":[{\"kid\":\"r\",\"kty\":\"RSA\",\"e\":\"AQAB\","
			  "\"n\":\"%s\"}]}",
			  n.data);
	BN_free(number);
	BIO_free(bio);
	EVP_PKEY_free(key);
	struct jwks *keys = jwks_parse(set.data, set.length, &err);
	assert_non_null(keys);
	return keys;
}

static void an_rsa_key_signs_where_it_is_taken(void **state)
{
	_cleanup_(secret_freep) struct secret *pem = make_pem("RSA", "2048");
	_cleanup_(secret_freep) struct secret *other = make_pem("RSA", "2048");
	_cleanup_(jwks_unrefp) struct jwks *keys = public_rsa(pem);
	_cleanup_(jwks_unrefp) struct jwks *others = public_rsa(other);
	json_auto_t *claims = json_pack("{s:s}", "iss", "12345");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	_cleanup_(jwt_signer_freep) struct jwt_signer *s =
		jwt_signer_new(pem, "r", JWT_SIGN_RS256, &err);
	struct jwt t;

	(void)state;
	assert_non_null(s);
	assert_true(jwt_signer_sign(s, claims, &text, &err));
	assert_true(jwt_read(&t, text.data, &err));
	assert_int_equal(t.alg, JWT_RS256);
	assert_int_equal(jwks_check(keys, &t), JWKS_GOOD);
	assert_int_equal(jwks_check(others, &t), JWKS_BAD_SIGNATURE);
	jwt_done(&t);
}

static void a_key_of_the_other_kind_is_refused(void **state)
{
	_cleanup_(secret_freep) struct secret *rsa = make_pem("RSA", "2048");
	_cleanup_(secret_freep) struct secret *ec = make_pem("EC", "P-256");
	struct error err = ERROR_INIT;

	(void)state;
	assert_null(jwt_signer_new(rsa, NULL, JWT_SIGN_ES256, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	assert_null(jwt_signer_new(ec, NULL, JWT_SIGN_RS256, &err));
}

static void refuses(const struct secret *pem)
{
	struct error err = ERROR_INIT;

	assert_null(jwt_signer_new(pem, NULL, BOTH, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
}

static void other_keys_are_refused(void **state)
{
	_cleanup_(secret_freep) struct secret *curve = make_pem("EC", "P-384");
	_cleanup_(secret_freep) struct secret *ed = make_pem("ED25519", NULL);
	_cleanup_(secret_freep) struct secret *weak = make_pem("RSA", "1024");
	_cleanup_(secret_freep) struct secret *none = secret_new("none", 4);
	static const char locked[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHsMFcG\n"
				     "-----END ENCRYPTED PRIVATE KEY-----\n";
	_cleanup_(secret_freep) struct secret *closed =
		secret_new(locked, strlen(locked));

	(void)state;
	refuses(curve);
	refuses(ed);
	refuses(weak);
	refuses(none);
	refuses(closed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_checked_with_the_public_half),
		cmocka_unit_test(an_rsa_key_signs_where_it_is_taken),
		cmocka_unit_test(a_key_of_the_other_kind_is_refused),
		cmocka_unit_test(other_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
