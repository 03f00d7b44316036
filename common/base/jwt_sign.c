#include "base/jwt_sign.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>

enum {
	COORDINATE_BYTES = 32,
	RSA_BITS_MIN = 2048,
	RSA_BITS_MAX = 8192,
	SIGNATURE_MAX = RSA_BITS_MAX / 8, /* the longest of both kinds */
};

struct jwt_signer {
	EVP_PKEY *key;
	unsigned alg;
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

/* What the key signs with; 0: nothing that we do. */
static unsigned alg_of(const EVP_PKEY *key)
{
	char curve[32] = "";
	const int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "RSA"))
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX ? JWT_SIGN_RS256 : 0;
	if (EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) == 1 &&
	    strcmp(curve, "prime256v1") == 0)
		return JWT_SIGN_ES256;
	return 0;
}

static EVP_PKEY *read_key(const struct secret *pem)
{
	BIO *bio = BIO_new_mem_buf(secret_bytes(pem), (int)secret_length(pem));
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL)
			    : NULL;

	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static char *make_header(unsigned alg, const char *kid)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, encoded = STRBUF_INIT;

	strbuf_add_format(&text, "{\"alg\":\"%s\",\"typ\":\"JWT\"",
			  alg == JWT_SIGN_RS256 ? "RS256" : "ES256");
	if (kid) {
		strbuf_add_string(&text, ",\"kid\":");
		strbuf_add_json_string(&text, kid, strlen(kid));
	}
	strbuf_add_char(&text, '}');
	digest_base64url(&encoded, text.data, text.length);
	return strbuf_ok(&text) ? strbuf_take(&encoded) : NULL;
}

static bool refuse(unsigned allowed, struct error *err)
{
	return error_set(err, ERR_INVALID_ARGUMENT,
			 "the key to sign with is no private key %s in PEM",
			 allowed == JWT_SIGN_ES256   ? "on P-256"
			 : allowed == JWT_SIGN_RS256 ? "of RSA with 2048 bits or more"
						     : "on P-256, or of RSA with 2048 "
						       "bits or more,");
}

struct jwt_signer *jwt_signer_new(const struct secret *pem, const char *kid,
				  unsigned allowed, struct error *err)
{
	_cleanup_(jwt_signer_freep) struct jwt_signer *s = calloc(1, sizeof *s);

	if (!s) {
		error_oom(err);
		return NULL;
	}
	s->key = read_key(pem);
	s->alg = s->key ? alg_of(s->key) & allowed : 0;
	if (s->alg == 0) {
		refuse(allowed, err);
		return NULL;
	}
	s->header = make_header(s->alg, kid);
	if (!s->header) {
		error_oom(err);
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

/* Append the signature of 'data' to 'sb', encoded. RSA's padding is PKCS#1 v1.5, which is
 * OpenSSL's default and what RS256 means. */
static bool sign(const struct jwt_signer *s, const void *data, size_t length,
		 struct strbuf *sb)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t raw[SIGNATURE_MAX], joined[2 * COORDINATE_BYTES];
	size_t raw_bytes = sizeof raw;
	bool good = context &&
		    EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, s->key) == 1 &&
		    EVP_DigestSign(context, raw, &raw_bytes, data, length) == 1;

	EVP_MD_CTX_free(context);
	ERR_clear_error();
	if (good && s->alg == JWT_SIGN_RS256)
		digest_base64url(sb, raw, raw_bytes);
	else if (good && (good = unpack(raw, raw_bytes, joined)))
		digest_base64url(sb, joined, sizeof joined);
	return good;
}

bool jwt_signer_sign(const struct jwt_signer *s, const json_t *claims, struct strbuf *sb,
		     struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, token = STRBUF_INIT,
				       signature = STRBUF_INIT;

	if (!json_write(&text, claims, err))
		return false;
	strbuf_add_string(&token, s->header);
	strbuf_add_char(&token, '.');
	digest_base64url(&token, text.data, text.length);
	if (!strbuf_ok(&text) || !strbuf_ok(&token))
		return error_oom(err);
	if (!sign(s, token.data, token.length, &signature))
		return error_set(err, ERR_INTERNAL, "cannot sign with the key");
	strbuf_add_char(&token, '.');
	strbuf_add(&token, signature.data, signature.length);
	strbuf_add(sb, token.data, token.length);
	return (strbuf_ok(&signature) && strbuf_ok(&token) && strbuf_ok(sb)) ||
	       error_oom(err);
}
