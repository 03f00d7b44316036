/* The Ed25519 keys of the house; see secret.h. */
#include "base/secret_private.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "base/file.h"

struct sign_key {
	EVP_PKEY *pkey;
	char kid[KEY_KID_BYTES];
};

struct verify_key {
	EVP_PKEY *pkey;
	char kid[KEY_KID_BYTES];
};

static void bio_freep(BIO **bio)
{
	BIO_free(*bio);
}

static void md_ctx_freep(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

/* Also refuses whatever is no Ed25519 key. */
static bool fill_kid(const EVP_PKEY *pkey, char kid[static KEY_KID_BYTES],
		     const char *what, struct error *err)
{
	unsigned char raw[KEY_PUBLIC_BYTES];
	uint8_t sum[DIGEST_BYTES];
	size_t length = sizeof raw;

	if (EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) {
		error_set(err, ERR_INTERNAL, "'%s' is no Ed25519 key", what);
		return false;
	}
	if (EVP_PKEY_get_raw_public_key(pkey, raw, &length) != 1 || length != sizeof raw)
		return secret_crypto_error(err, ERR_INTERNAL, "cannot get a public key");
	digest_sha256(raw, sizeof raw, sum);
	digest_hex(sum, (KEY_KID_BYTES - 1) / 2, kid);
	return true;
}

/* Takes the pkey over, also when it fails. */
static struct sign_key *sign_key_steal(EVP_PKEY *pkey, const char *what,
				       struct error *err)
{
	_cleanup_(sign_key_freep) struct sign_key *k = calloc(1, sizeof *k);

	if (!k) {
		EVP_PKEY_free(pkey);
		error_oom(err);
		return NULL;
	}
	k->pkey = pkey;
	return fill_kid(pkey, k->kid, what, err) ? TAKE(k) : NULL;
}

static struct verify_key *verify_key_steal(EVP_PKEY *pkey, const char *what,
					   struct error *err)
{
	_cleanup_(verify_key_freep) struct verify_key *k = calloc(1, sizeof *k);

	if (!k) {
		EVP_PKEY_free(pkey);
		error_oom(err);
		return NULL;
	}
	k->pkey = pkey;
	return fill_kid(pkey, k->kid, what, err) ? TAKE(k) : NULL;
}

struct sign_key *sign_key_create(const char *pem_path, struct error *err)
{
	/* A memory BIO wipes what it held when it grows and when it is freed. */
	_cleanup_(bio_freep) BIO *pem = BIO_new(BIO_s_mem());
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	char *text;

	if (!pem || !pkey ||
	    PEM_write_bio_PKCS8PrivateKey(pem, pkey, NULL, NULL, 0, NULL, NULL) != 1) {
		EVP_PKEY_free(pkey);
		secret_crypto_error(err, ERR_INTERNAL, "cannot make a key");
		return NULL;
	}
	_cleanup_(sign_key_freep) struct sign_key *k =
		sign_key_steal(pkey, pem_path, err);
	long length = BIO_get_mem_data(pem, &text);
	if (!k || !file_create(pem_path, text, (size_t)length, 0600, err))
		return NULL;
	return TAKE(k);
}

/* Without this OpenSSL would ask at the terminal for the password of a PEM file. */
static int no_password(char *buffer, int size, int writing, void *data)
{
	(void)buffer, (void)size, (void)writing, (void)data;
	return -1;
}

/* Private key to encrypted PEM: scrypt (N=2^14, r=8, p=1) and AES-256-CBC. */
static bool write_encrypted(BIO *pem, EVP_PKEY *pkey, const struct secret *passphrase)
{
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(pkey);
	X509_ALGOR *how =
		PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 0, NULL, 1 << 14, 8, 1);
	X509_SIG *sealed = NULL;
	bool good = false;

	if (plain && how)
		sealed = PKCS8_set0_pbe((const char *)passphrase->bytes,
					(int)passphrase->length, plain, how);
	if (sealed)
		good = PEM_write_bio_PKCS8(pem, sealed) == 1;
	else
		X509_ALGOR_free(how);
	X509_SIG_free(sealed);
	PKCS8_PRIV_KEY_INFO_free(plain);
	return good;
}

struct sign_key *sign_key_create_encrypted(const char *pem_path,
					   const struct secret *passphrase,
					   struct error *err)
{
	_cleanup_(bio_freep) BIO *pem = BIO_new(BIO_s_mem());
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	char *text;

	if (!pem || !pkey || passphrase->length > INT_MAX ||
	    !write_encrypted(pem, pkey, passphrase)) {
		EVP_PKEY_free(pkey);
		secret_crypto_error(err, ERR_INTERNAL, "cannot make an encrypted key");
		return NULL;
	}
	_cleanup_(sign_key_freep) struct sign_key *k =
		sign_key_steal(pkey, pem_path, err);
	long length = BIO_get_mem_data(pem, &text);
	if (!k || !file_create(pem_path, text, (size_t)length, 0600, err))
		return NULL;
	return TAKE(k);
}

static int give_passphrase(char *buffer, int size, int writing, void *data)
{
	const struct secret *passphrase = data;

	if (writing || size < 0 || passphrase->length > (size_t)size)
		return -1;
	memcpy(buffer, passphrase->bytes, passphrase->length);
	return (int)passphrase->length;
}

struct sign_key *sign_key_read_encrypted(const char *pem_path,
					 const struct secret *passphrase,
					 struct error *err)
{
	_cleanup_(secret_freep) struct secret *pem = secret_read(pem_path, false, err);

	if (!pem)
		return NULL;
	if (!memmem(pem->bytes, pem->length, "ENCRYPTED", 9)) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "this key is not encrypted: whoever reads the file has it");
		error_hint(err, "look at '%s'", pem_path);
		return NULL;
	}
	_cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem->bytes, (int)pem->length);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_passphrase,
						       (void *)(uintptr_t)passphrase)
			     : NULL;
	if (!pkey) {
		secret_crypto_error(err, ERR_PERMISSION_DENIED,
				    "the passphrase does not open this key");
		return NULL;
	}
	return sign_key_steal(pkey, pem_path, err);
}

struct sign_key *sign_key_read(const char *pem_path, struct error *err)
{
	_cleanup_(secret_freep) struct secret *pem = secret_read(pem_path, false, err);

	if (!pem)
		return NULL;
	_cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem->bytes, (int)pem->length);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
			     : NULL;
	if (!pkey) {
		secret_crypto_error(err, ERR_INTERNAL, "no private key in PEM");
		error_hint(err, "look at '%s'", pem_path);
		return NULL;
	}
	return sign_key_steal(pkey, pem_path, err);
}

void sign_key_free(struct sign_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

const char *sign_key_kid(const struct sign_key *k)
{
	return k->kid;
}

bool sign_key_sign(const struct sign_key *k, const void *data, size_t length,
		   uint8_t ret[static KEY_SIGNATURE_BYTES], struct error *err)
{
	_cleanup_(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[KEY_SIGNATURE_BYTES];
	size_t signature_bytes = sizeof signature;

	if (!ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pkey) != 1 ||
	    EVP_DigestSign(ctx, signature, &signature_bytes, data, length) != 1 ||
	    signature_bytes != sizeof signature)
		return secret_crypto_error(err, ERR_INTERNAL, "cannot sign");
	memcpy(ret, signature, sizeof signature);
	return true;
}

bool sign_key_write_public(const struct sign_key *k, const char *pem_path,
			   struct error *err)
{
	_cleanup_(bio_freep) BIO *pem = BIO_new(BIO_s_mem());
	char *text;

	if (!pem || PEM_write_bio_PUBKEY(pem, k->pkey) != 1)
		return secret_crypto_error(err, ERR_INTERNAL,
					   "cannot write a public key");
	long length = BIO_get_mem_data(pem, &text);
	return file_write(pem_path, text, (size_t)length, 0644, err);
}

struct verify_key *verify_key_read(const char *pem_path, struct error *err)
{
	_cleanup_strbuf_ struct strbuf pem = STRBUF_INIT;

	if (!file_read(pem_path, SECRET_MAX, &pem, err))
		return NULL;
	_cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.length);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL) : NULL;
	if (!pkey) {
		secret_crypto_error(err, ERR_INTERNAL, "no public key in PEM");
		error_hint(err, "look at '%s'", pem_path);
		return NULL;
	}
	return verify_key_steal(pkey, pem_path, err);
}

struct verify_key *verify_key_new(const uint8_t raw[static KEY_PUBLIC_BYTES],
				  struct error *err)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw,
						     KEY_PUBLIC_BYTES);

	if (!pkey) {
		secret_crypto_error(err, ERR_INTERNAL, "cannot make a public key");
		return NULL;
	}
	return verify_key_steal(pkey, "raw", err);
}

struct verify_key *verify_key_of(const struct sign_key *k, struct error *err)
{
	unsigned char raw[KEY_PUBLIC_BYTES];
	size_t length = sizeof raw;

	if (EVP_PKEY_get_raw_public_key(k->pkey, raw, &length) != 1) {
		secret_crypto_error(err, ERR_INTERNAL, "cannot get a public key");
		return NULL;
	}
	return verify_key_new(raw, err);
}

void verify_key_free(struct verify_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

const char *verify_key_kid(const struct verify_key *k)
{
	return k->kid;
}

bool verify_key_check(const struct verify_key *k, const void *data, size_t length,
		      const uint8_t signature[static KEY_SIGNATURE_BYTES])
{
	_cleanup_(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
		    EVP_DigestVerify(ctx, signature, KEY_SIGNATURE_BYTES, data, length) ==
			    1;

	if (!good)
		ERR_clear_error();
	return good;
}
