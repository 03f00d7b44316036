#include "guard/jwt_sign.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>

enum { COORDINATE_BYTES = 32, DER_MAX = 80 };

struct jwt_signer {
	EVP_PKEY *key;
	char *header; /* encoded */
};

void jwt_signer_free(struct jwt_signer *s)
{
	if (!s)
		return;
	EVP_PKEY_free(s->key);
	free(s->header);
	free(s);
}

/* A key that wants a passphrase is none; nobody is asked for it. */
static int no_passphrase(char *text, int size, int writing, void *context)
{
	(void)text, (void)size, (void)writing, (void)context;
	return -1;
}

static EVP_PKEY *read_key(const struct secret *pem)
{
	BIO *bio = BIO_new_mem_buf(secret_bytes(pem), (int)secret_length(pem));
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL)
			    : NULL;
	char curve[32] = "";

	BIO_free(bio);
	if (key && (!EVP_PKEY_is_a(key, "EC") ||
		    EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) != 1 ||
		    strcmp(curve, "prime256v1") != 0)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	ERR_clear_error();
	return key;
}

static char *make_header(const char *kid)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, encoded = STRBUF_INIT;

	strbuf_add_string(&text, "{\"alg\":\"ES256\",\"typ\":\"JWT\"");
	if (kid) {
		strbuf_add_string(&text, ",\"kid\":");
		strbuf_add_json_string(&text, kid, strlen(kid));
	}
	strbuf_add_char(&text, '}');
	digest_base64url(&encoded, text.data, text.length);
	return strbuf_ok(&text) ? strbuf_take(&encoded) : NULL;
}

struct jwt_signer *jwt_signer_new(const struct secret *pem, const char *kid,
				  struct error *err)
{
	_cleanup_(jwt_signer_freep) struct jwt_signer *s = calloc(1, sizeof *s);

	if (!s || !(s->header = make_header(kid))) {
		error_oom(err);
		return NULL;
	}
	s->key = read_key(pem);
	if (!s->key) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the key to sign with is no private key on P-256 in PEM");
		return NULL;
	}
	return TAKE(s);
}

/* JOSE wants the two numbers one after the other, where others want DER. */
static bool unpack(const uint8_t *der, size_t length,
		   uint8_t ret[static 2 * COORDINATE_BYTES])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)length);
	bool good = sig &&
		    BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, COORDINATE_BYTES) > 0 &&
		    BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + COORDINATE_BYTES,
				 COORDINATE_BYTES) > 0;

	ECDSA_SIG_free(sig);
	return good;
}

static bool sign(EVP_PKEY *key, const void *data, size_t length,
		 uint8_t ret[static 2 * COORDINATE_BYTES])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t der[DER_MAX];
	size_t der_bytes = sizeof der;
	bool good = context &&
		    EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestSign(context, der, &der_bytes, data, length) == 1 &&
		    unpack(der, der_bytes, ret);

	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return good;
}

bool jwt_signer_sign(const struct jwt_signer *s, const json_t *claims, struct strbuf *sb,
		     struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, token = STRBUF_INIT;
	uint8_t signature[2 * COORDINATE_BYTES];

	if (!json_write(&text, claims, err))
		return false;
	strbuf_add_string(&token, s->header);
	strbuf_add_char(&token, '.');
	digest_base64url(&token, text.data, text.length);
	if (!strbuf_ok(&text) || !strbuf_ok(&token))
		return error_oom(err);
	if (!sign(s->key, token.data, token.length, signature))
		return error_set(err, ERR_INTERNAL, "cannot sign with the key");
	strbuf_add_char(&token, '.');
	digest_base64url(&token, signature, sizeof signature);
	strbuf_add(sb, token.data, token.length);
	return (strbuf_ok(&token) && strbuf_ok(sb)) || error_oom(err);
}
