#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/file.h"

struct secret {
	size_t length;
	unsigned char bytes[]; /* and a NUL, so that a token is a string too */
};

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

static void cipher_ctx_freep(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}

/* OpenSSL's reasons go to the log alone; its queue must be empty for the next user. */
static bool crypto_error(struct error *err, enum error_code code, const char *what)
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

struct secret *secret_new(const void *bytes, size_t length)
{
	if (length > SECRET_MAX)
		return NULL;
	struct secret *s = malloc(sizeof *s + length + 1);
	if (!s)
		return NULL;
	s->length = length;
	if (length > 0)
		memcpy(s->bytes, bytes, length);
	s->bytes[length] = '\0';
	return s;
}

void secret_free(struct secret *s)
{
	if (!s)
		return;
	explicit_bzero(s->bytes, s->length);
	free(s);
}

const void *secret_bytes(const struct secret *s)
{
	return s->bytes;
}

size_t secret_length(const struct secret *s)
{
	return s->length;
}

/* Judged on the open descriptor: the name may mean another file a moment later. */
static bool check_private(int fd, const char *path, struct error *err)
{
	const uid_t me = geteuid();
	struct stat st;

	if (fstat(fd, &st) != 0)
		return error_errno(err, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERR_INTERNAL, "'%s' is no regular file", path);
	if (st.st_uid != me && st.st_uid != 0 && me != 0)
		return error_set(err, ERR_INTERNAL,
				 "secret '%s' belongs to somebody else", path);
	/* systemd credentials and mounted secrets belong to root, readable by our group. */
	mode_t forbidden = st.st_uid == 0 ? S_IRWXO | S_IWGRP | S_IXGRP
					  : S_IRWXO | S_IRWXG;
	if (st.st_mode & forbidden) {
		error_set(err, ERR_INTERNAL,
			  "others may read or write secret '%s' (mode %04o)", path,
			  (unsigned)(st.st_mode & 07777));
		return error_hint(err, "chmod 600 '%s'", path);
	}
	return true;
}

/* Into 'buffer' of SECRET_MAX + 1 bytes, which tells a file that is too long. */
static bool read_secret(int fd, const char *path, unsigned char *buffer,
			size_t *ret_length, struct error *err)
{
	size_t length = 0;

	while (length <= SECRET_MAX) {
		ssize_t n = read(fd, buffer + length, SECRET_MAX + 1 - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read '%s'", path);
		if (n == 0)
			break;
		length += (size_t)n;
	}
	if (length > SECRET_MAX)
		return error_set(err, ERR_INTERNAL, "secret '%s' is longer than %d bytes",
				 path, SECRET_MAX);
	*ret_length = length;
	return true;
}

static struct secret *secret_of_fd(int fd, const char *path, bool trim, struct error *err)
{
	unsigned char *buffer = malloc(SECRET_MAX + 1);
	struct secret *s = NULL;
	size_t length = 0;

	if (!buffer) {
		error_oom(err);
		return NULL;
	}
	if (read_secret(fd, path, buffer, &length, err)) {
		if (trim && length > 0 && buffer[length - 1] == '\n')
			length--;
		if (length == 0)
			error_set(err, ERR_INTERNAL, "secret '%s' is empty", path);
		else if (!(s = secret_new(buffer, length)))
			error_oom(err);
	}
	explicit_bzero(buffer, SECRET_MAX + 1);
	free(buffer);
	return s;
}

struct secret *secret_read(const char *path, bool trim, struct error *err)
{
	/* Without O_NONBLOCK a FIFO in the place of a key would stop the program. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		if (errno == ENOENT)
			error_set(err, ERR_NOT_FOUND, "there is no secret '%s'", path);
		else
			error_errno(err, "cannot open secret '%s'", path);
		return NULL;
	}
	if (!check_private(fd, path, err))
		return NULL;
	return secret_of_fd(fd, path, trim, err);
}

struct secret *secret_create(const char *path, size_t length, struct error *err)
{
	if (length == 0 || length > SECRET_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT, "a secret has 1 to %d bytes",
			  SECRET_MAX);
		return NULL;
	}
	unsigned char *bytes = malloc(length);
	if (!bytes) {
		error_oom(err);
		return NULL;
	}
	digest_random(bytes, length);
	bool done = file_create(path, bytes, length, 0600, err);
	explicit_bzero(bytes, length);
	free(bytes);
	return done ? secret_read(path, false, err) : NULL;
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
		return crypto_error(err, ERR_INTERNAL, "cannot get a public key");
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
		crypto_error(err, ERR_INTERNAL, "cannot make a key");
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
		crypto_error(err, ERR_INTERNAL, "cannot make an encrypted key");
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
		crypto_error(err, ERR_PERMISSION_DENIED,
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
		crypto_error(err, ERR_INTERNAL, "no private key in PEM");
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
		return crypto_error(err, ERR_INTERNAL, "cannot sign");
	memcpy(ret, signature, sizeof signature);
	return true;
}

bool sign_key_write_public(const struct sign_key *k, const char *pem_path,
			   struct error *err)
{
	_cleanup_(bio_freep) BIO *pem = BIO_new(BIO_s_mem());
	char *text;

	if (!pem || PEM_write_bio_PUBKEY(pem, k->pkey) != 1)
		return crypto_error(err, ERR_INTERNAL, "cannot write a public key");
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
		crypto_error(err, ERR_INTERNAL, "no public key in PEM");
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
		crypto_error(err, ERR_INTERNAL, "cannot make a public key");
		return NULL;
	}
	return verify_key_steal(pkey, "raw", err);
}

struct verify_key *verify_key_of(const struct sign_key *k, struct error *err)
{
	unsigned char raw[KEY_PUBLIC_BYTES];
	size_t length = sizeof raw;

	if (EVP_PKEY_get_raw_public_key(k->pkey, raw, &length) != 1) {
		crypto_error(err, ERR_INTERNAL, "cannot get a public key");
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
		return crypto_error(err, ERR_INTERNAL, "cannot seal");
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
		return crypto_error(err, ERR_INTERNAL, "cannot seal");
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
		return crypto_error(err, ERR_INTERNAL, "cannot open sealed text");
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
		return crypto_error(err, ERR_INVALID_ARGUMENT, altered);
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
		return crypto_error(err, ERR_INTERNAL, "cannot derive a key from a PIN");
	return true;
}
