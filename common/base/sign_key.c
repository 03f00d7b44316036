/* The Ed25519 keys of the house; see secret.h. */
#include "base/secret_private.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdatomic.h>

#include "base/file.h"
#include "base/sign_key_pem.h"

/* OpenSSL's own is there, or is made of the seed when something is first signed. */
struct sign_key {
	EVP_PKEY *_Atomic pkey;
	uint8_t seed[KEY_SEED_BYTES];
	char kid[KEY_KID_BYTES];
};

/* OpenSSL's own is made when a signature is first looked at. */
struct verify_key {
	uint8_t raw[KEY_PUBLIC_BYTES];
	char kid[KEY_KID_BYTES];
	EVP_PKEY *_Atomic pkey;
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
static bool get_raw(const EVP_PKEY *pkey, uint8_t raw[static KEY_PUBLIC_BYTES],
		    const char *what, struct error *err)
{
	size_t length = KEY_PUBLIC_BYTES;

	if (EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) {
		error_set(err, ERR_INTERNAL, "'%s' is no Ed25519 key", what);
		return false;
	}
	return (EVP_PKEY_get_raw_public_key(pkey, raw, &length) == 1 &&
		length == KEY_PUBLIC_BYTES) ||
	       secret_crypto_error(err, ERR_INTERNAL, "cannot get a public key");
}

static void fill_kid(const uint8_t raw[static KEY_PUBLIC_BYTES],
		     char kid[static KEY_KID_BYTES])
{
	uint8_t sum[DIGEST_BYTES];

	digest_sha256(raw, KEY_PUBLIC_BYTES, sum);
	digest_hex(sum, (KEY_KID_BYTES - 1) / 2, kid);
}

/* Takes the pkey over, also when it fails. */
static struct sign_key *sign_key_steal(EVP_PKEY *pkey, const char *what,
				       struct error *err)
{
	_cleanup_(sign_key_freep) struct sign_key *k = calloc(1, sizeof *k);
	uint8_t raw[KEY_PUBLIC_BYTES];

	if (!k) {
		EVP_PKEY_free(pkey);
		error_oom(err);
		return NULL;
	}
	atomic_store(&k->pkey, pkey);
	if (!get_raw(pkey, raw, what, err))
		return NULL;
	fill_kid(raw, k->kid);
	return TAKE(k);
}

/* Takes the pkey over, also when it fails; its PEM becomes a new file. */
static struct sign_key *keep_new(EVP_PKEY *pkey, BIO *pem, const char *pem_path,
				 struct error *err)
{
	_cleanup_(sign_key_freep) struct sign_key *k =
		sign_key_steal(pkey, pem_path, err);
	char *text;
	long length = BIO_get_mem_data(pem, &text);

	if (!k || !file_create(pem_path, text, (size_t)length, 0600, err))
		return NULL;
	return TAKE(k);
}

struct sign_key *sign_key_create(const char *pem_path, struct error *err)
{
	/* A memory BIO wipes what it held when it grows and when it is freed. */
	_cleanup_(bio_freep) BIO *pem = BIO_new(BIO_s_mem());
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	if (!pem || !pkey ||
	    PEM_write_bio_PKCS8PrivateKey(pem, pkey, NULL, NULL, 0, NULL, NULL) != 1) {
		EVP_PKEY_free(pkey);
		secret_crypto_error(err, ERR_INTERNAL, "cannot make a key");
		return NULL;
	}
	return keep_new(pkey, pem, pem_path, err);
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

	if (!pem || !pkey || passphrase->length > INT_MAX ||
	    !write_encrypted(pem, pkey, passphrase)) {
		EVP_PKEY_free(pkey);
		secret_crypto_error(err, ERR_INTERNAL, "cannot make an encrypted key");
		return NULL;
	}
	return keep_new(pkey, pem, pem_path, err);
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

static EVP_PKEY *read_private(const struct secret *pem)
{
	uint8_t seed[KEY_SEED_BYTES];

	if (sign_key_pem_private(pem->bytes, pem->length, seed)) {
		EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
							      seed, sizeof seed);
		explicit_bzero(seed, sizeof seed);
		return pkey;
	}
	_cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem->bytes, (int)pem->length);
	return bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
}

struct sign_key *sign_key_read(const char *pem_path, struct error *err)
{
	_cleanup_(secret_freep) struct secret *pem = secret_read(pem_path, false, err);

	if (!pem)
		return NULL;
	EVP_PKEY *pkey = read_private(pem);
	if (!pkey) {
		secret_crypto_error(err, ERR_INTERNAL, "no private key in PEM");
		error_hint(err, "look at '%s'", pem_path);
		return NULL;
	}
	return sign_key_steal(pkey, pem_path, err);
}

/* ---- Halves of one pair ---- */

enum { PROOF_BYTES = DIGEST_HEX_BYTES - 1 };

/* What only who has the seed can say of the public half. */
static void fill_proof(const uint8_t seed[static KEY_SEED_BYTES],
		       const struct verify_key *half, char ret[static DIGEST_HEX_BYTES])
{
	static const char purpose[] = "org.wingman/key-pair v1";
	uint8_t text[sizeof purpose + KEY_PUBLIC_BYTES], mac[DIGEST_BYTES];

	memcpy(text, purpose, sizeof purpose);
	memcpy(text + sizeof purpose, half->raw, KEY_PUBLIC_BYTES);
	digest_hmac_sha256(seed, KEY_SEED_BYTES, text, sizeof text, mac);
	digest_hex(mac, sizeof mac, ret);
}

static bool is_proven(const char *proof_path, const char proof[static DIGEST_HEX_BYTES])
{
	_cleanup_strbuf_ struct strbuf found = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	return file_exists(proof_path) &&
	       file_read(proof_path, PROOF_BYTES, &found, &ignored) &&
	       digest_equal(found.data, found.length, proof, PROOF_BYTES);
}

static struct sign_key *sign_key_of_seed(const uint8_t seed[static KEY_SEED_BYTES],
					 const struct verify_key *half, struct error *err)
{
	struct sign_key *k = calloc(1, sizeof *k);

	if (!k) {
		error_oom(err);
		return NULL;
	}
	memcpy(k->seed, seed, sizeof k->seed);
	memcpy(k->kid, half->kid, sizeof k->kid);
	return k;
}

struct sign_key *sign_key_read_half(const char *pem_path, const struct verify_key *half,
				    const char *proof_path, struct error *err)
{
	_cleanup_(secret_freep) struct secret *pem = secret_read(pem_path, false, err);
	_cleanup_(sign_key_freep) struct sign_key *k = NULL;
	struct error ignored = ERROR_INIT;
	uint8_t seed[KEY_SEED_BYTES];
	char proof[DIGEST_HEX_BYTES];

	if (!pem)
		return NULL;
	if (!sign_key_pem_private(pem->bytes, pem->length, seed))
		return sign_key_read(pem_path, err);
	fill_proof(seed, half, proof);
	if (is_proven(proof_path, proof)) {
		k = sign_key_of_seed(seed, half, err);
	} else {
		k = sign_key_read(pem_path, err);
		/* Without it the next start takes a little longer. */
		if (k && strcmp(k->kid, half->kid) == 0)
			(void)file_write(proof_path, proof, PROOF_BYTES, 0600, &ignored);
	}
	explicit_bzero(seed, sizeof seed);
	return TAKE(k);
}

/* Several threads may come at once: the first one's is kept. NULL without memory. */
static EVP_PKEY *private_key(const struct sign_key *k)
{
	struct sign_key *own = (struct sign_key *)(uintptr_t)k;
	EVP_PKEY *there = atomic_load(&own->pkey);

	if (there)
		return there;
	EVP_PKEY *made = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, own->seed,
						      sizeof own->seed);
	if (!made || atomic_compare_exchange_strong(&own->pkey, &there, made))
		return made;
	EVP_PKEY_free(made);
	return there;
}

void sign_key_free(struct sign_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(atomic_load(&k->pkey));
	explicit_bzero(k->seed, sizeof k->seed);
	free(k);
}

const char *sign_key_kid(const struct sign_key *k)
{
	return k->kid;
}

bool sign_key_sign(const struct sign_key *k, const void *data, size_t length,
		   uint8_t ret[static KEY_SIGNATURE_BYTES], struct error *err)
{
	EVP_PKEY *pkey = private_key(k);
	_cleanup_(md_ctx_freep) EVP_MD_CTX *ctx = pkey ? EVP_MD_CTX_new() : NULL;
	unsigned char signature[KEY_SIGNATURE_BYTES];
	size_t signature_bytes = sizeof signature;

	if (!ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) != 1 ||
	    EVP_DigestSign(ctx, signature, &signature_bytes, data, length) != 1 ||
	    signature_bytes != sizeof signature)
		return secret_crypto_error(err, ERR_INTERNAL, "cannot sign");
	memcpy(ret, signature, sizeof signature);
	return true;
}

bool sign_key_write_public(const struct sign_key *k, const char *pem_path,
			   struct error *err)
{
	EVP_PKEY *pkey = private_key(k);
	_cleanup_(bio_freep) BIO *pem = pkey ? BIO_new(BIO_s_mem()) : NULL;
	char *text;

	if (!pem || PEM_write_bio_PUBKEY(pem, pkey) != 1)
		return secret_crypto_error(err, ERR_INTERNAL,
					   "cannot write a public key");
	long length = BIO_get_mem_data(pem, &text);
	return file_write(pem_path, text, (size_t)length, 0644, err);
}

/* Any other form of PEM than our own. */
static bool read_public(const struct strbuf *pem, const char *pem_path,
			uint8_t ret[static KEY_PUBLIC_BYTES], struct error *err)
{
	_cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->length);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL) : NULL;

	if (!pkey) {
		secret_crypto_error(err, ERR_INTERNAL, "no public key in PEM");
		return error_hint(err, "look at '%s'", pem_path);
	}
	const bool good = get_raw(pkey, ret, pem_path, err);
	EVP_PKEY_free(pkey);
	return good;
}

struct verify_key *verify_key_read(const char *pem_path, struct error *err)
{
	_cleanup_strbuf_ struct strbuf pem = STRBUF_INIT;
	uint8_t raw[KEY_PUBLIC_BYTES];

	if (!file_read(pem_path, SECRET_MAX, &pem, err))
		return NULL;
	if (!sign_key_pem_public(pem.data, pem.length, raw) &&
	    !read_public(&pem, pem_path, raw, err))
		return NULL;
	return verify_key_new(raw, err);
}

struct verify_key *verify_key_new(const uint8_t raw[static KEY_PUBLIC_BYTES],
				  struct error *err)
{
	struct verify_key *k = calloc(1, sizeof *k);

	if (!k) {
		error_oom(err);
		return NULL;
	}
	memcpy(k->raw, raw, sizeof k->raw);
	fill_kid(raw, k->kid);
	return k;
}

struct verify_key *verify_key_of(const struct sign_key *k, struct error *err)
{
	uint8_t raw[KEY_PUBLIC_BYTES];
	EVP_PKEY *pkey = private_key(k);

	if (!pkey) {
		secret_crypto_error(err, ERR_INTERNAL, "cannot read a private key");
		return NULL;
	}
	return get_raw(pkey, raw, "of a pair", err) ? verify_key_new(raw, err) : NULL;
}

void verify_key_free(struct verify_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(atomic_load(&k->pkey));
	free(k);
}

const char *verify_key_kid(const struct verify_key *k)
{
	return k->kid;
}

/* Several threads may come at once: the first one's is kept. NULL without memory. */
static EVP_PKEY *openssl_key(struct verify_key *k)
{
	EVP_PKEY *there = atomic_load(&k->pkey);

	if (there)
		return there;
	EVP_PKEY *made = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, k->raw,
						     sizeof k->raw);
	if (!made || atomic_compare_exchange_strong(&k->pkey, &there, made))
		return made;
	EVP_PKEY_free(made);
	return there;
}

bool verify_key_check(const struct verify_key *k, const void *data, size_t length,
		      const uint8_t signature[static KEY_SIGNATURE_BYTES])
{
	EVP_PKEY *pkey = openssl_key((struct verify_key *)(uintptr_t)k);
	_cleanup_(md_ctx_freep) EVP_MD_CTX *ctx = pkey ? EVP_MD_CTX_new() : NULL;
	bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		    EVP_DigestVerify(ctx, signature, KEY_SIGNATURE_BYTES, data, length) ==
			    1;

	if (!good)
		ERR_clear_error();
	return good;
}
