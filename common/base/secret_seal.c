/* Sealing with AES-256-GCM, and what is derived from a PIN. */
#include "base/secret_private.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <pthread.h>

bool secret_crypto_error(struct error *err, enum error_code code, const char *what)
{
	unsigned long number = ERR_peek_last_error();
	char reason[160];

	error_set(err, code, "%s", what);
	if (number) {
		ERR_error_string_n(number, reason, sizeof reason);
		error_cause(err, "%s", reason);
	}
	ERR_clear_error();
	return false;
}

static void cipher_ctx_freep(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}

enum { SEAL_KEY_BYTES = 32, SEAL_NONCE_BYTES = 12, SEAL_TAG_BYTES = 16 };

/* Looking the cipher up costs more than sealing a small state. Never written again. */
static EVP_CIPHER *gcm;
static pthread_once_t gcm_once = PTHREAD_ONCE_INIT;

static void fetch_gcm(void)
{
	gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

/* A context with key, nonce and associated data in it; NULL on failure. */
static EVP_CIPHER_CTX *start_cipher(const struct secret *key, const uint8_t *nonce,
				    const char *aad, bool encrypt)
{
	int n;

	pthread_once(&gcm_once, fetch_gcm);
	if (!gcm || key->length != SEAL_KEY_BYTES)
		return NULL;
	_cleanup_(cipher_ctx_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	if (!ctx || EVP_CipherInit_ex2(ctx, gcm, key->bytes, nonce, encrypt, NULL) != 1 ||
	    EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)aad,
			     (int)strlen(aad)) != 1)
		return NULL;
	return TAKE(ctx);
}

/* Nonces are random: fine for the 2^32 seals that a key may make (NIST SP 800-38D, 8.3). */
bool secret_seal(const struct secret *key, const char *aad, const void *data,
		 size_t length, struct strbuf *ret, struct error *err)
{
	uint8_t nonce[SEAL_NONCE_BYTES];
	int n = 0, tail = 0;

	if (length > STRBUF_MAX / 2)
		return error_set(err, ERR_INVALID_ARGUMENT, "too long to seal");
	digest_random(nonce, sizeof nonce);
	_cleanup_(cipher_ctx_freep)
		EVP_CIPHER_CTX *ctx = start_cipher(key, nonce, aad, true);
	if (!ctx)
		return secret_crypto_error(err, ERR_INTERNAL, "cannot seal");
	uint8_t *out =
		(uint8_t *)strbuf_reserve(ret, sizeof nonce + length + SEAL_TAG_BYTES);
	if (!out)
		return error_oom(err);
	memcpy(out, nonce, sizeof nonce);
	uint8_t *text = out + sizeof nonce;
	if ((length > 0 && EVP_CipherUpdate(ctx, text, &n, data, (int)length) != 1) ||
	    EVP_CipherFinal_ex(ctx, text + n, &tail) != 1 || n + tail != (int)length ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES,
				text + length) != 1) {
		strbuf_truncate(ret, ret->length); /* puts the NUL back */
		return secret_crypto_error(err, ERR_INTERNAL, "cannot seal");
	}
	strbuf_commit(ret, sizeof nonce + length + SEAL_TAG_BYTES);
	return true;
}

bool secret_open(const struct secret *key, const char *aad, const void *data,
		 size_t length, struct strbuf *ret, struct error *err)
{
	static const char altered[] = "sealed text was altered, or sealed by another key";
	const uint8_t *in = data;
	uint8_t tag[SEAL_TAG_BYTES];
	int n = 0, tail = 0;

	if (length < SEAL_NONCE_BYTES + SEAL_TAG_BYTES || length > STRBUF_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, altered);
	size_t text_bytes = length - SEAL_NONCE_BYTES - SEAL_TAG_BYTES;
	_cleanup_(cipher_ctx_freep)
		EVP_CIPHER_CTX *ctx = start_cipher(key, in, aad, false);
	if (!ctx)
		return secret_crypto_error(err, ERR_INTERNAL, "cannot open sealed text");
	uint8_t *out = (uint8_t *)strbuf_reserve(ret, text_bytes + 1);
	if (!out)
		return error_oom(err);
	memcpy(tag, in + length - SEAL_TAG_BYTES, sizeof tag);
	if ((text_bytes > 0 && EVP_CipherUpdate(ctx, out, &n, in + SEAL_NONCE_BYTES,
						(int)text_bytes) != 1) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) != 1 ||
	    EVP_CipherFinal_ex(ctx, out + n, &tail) != 1) {
		explicit_bzero(out, text_bytes);
		strbuf_truncate(ret, ret->length); /* puts the NUL back */
		return secret_crypto_error(err, ERR_INVALID_ARGUMENT, altered);
	}
	strbuf_commit(ret, text_bytes);
	return true;
}

bool secret_scrypt(const struct secret *pin, const uint8_t salt[static 16],
		   uint8_t ret[static 32], struct error *err)
{
	static const uint64_t cost = 1 << 15, block = 8, lanes = 1, memory_max = 64 << 20;

	if (EVP_PBE_scrypt((const char *)pin->bytes, pin->length, salt, 16, cost, block,
			   lanes, memory_max, ret, 32) != 1)
		return secret_crypto_error(err, ERR_INTERNAL,
					   "cannot derive a key from a PIN");
	return true;
}
