/*
 * secret -- bytes that must not leak: keys, tokens, PINs.
 *
 * Wiped by the destructor, without a log field, read from files (or descriptors)
 * and never from arguments. A file that group or others can read is refused.
 * Also the Ed25519 keys of the house: PKCS#8 PEM private keys (mode 0600) and
 * SubjectPublicKeyInfo PEM public keys. 'kid' is the first 16 hex digits of the
 * SHA-256 of the raw 32-byte public key.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/digest.h"
#include "base/error.h"

enum {
	SECRET_MAX = 64 * 1024,
	KEY_KID_BYTES = 17,
	KEY_SIGNATURE_BYTES = 64,
	KEY_PUBLIC_BYTES = 32
};

struct secret;

struct secret *secret_new(const void *bytes,
			  size_t length); /* copies; NULL without memory */
void secret_free(struct secret *s);
DEFINE_CLEANUP(struct secret, secret_free);
const void *secret_bytes(const struct secret *s);
size_t secret_length(const struct secret *s);

/* The file's content; 'trim' drops one trailing newline. Refuses what group or
 * others can read (unless owned by root and group-readable for systemd
 * credentials), symlinks to elsewhere are followed, empty files refused. */
struct secret *secret_read(const char *path, bool trim, struct error *err) _must_use_;
/* Random bytes written as a new file of mode 0600 (O_EXCL), synced; and read back. */
struct secret *secret_create(const char *path, size_t length,
			     struct error *err) _must_use_;

/* An Ed25519 key pair or public half. Opaque; counted by nobody: one owner. */
struct sign_key;
struct verify_key;

struct sign_key *sign_key_create(const char *pem_path,
				 struct error *err) _must_use_; /* O_EXCL, 0600 */
struct sign_key *sign_key_read(const char *pem_path, struct error *err) _must_use_;
/*
 * The same; who compares its kid with that of 'half', which is believed to be its public
 * half, has it sooner. To find the public half of a key takes all of OpenSSL, and is done
 * once: 'proof_path' then says so of these two in a way that wants the private one, and
 * OpenSSL is left alone until something is signed. Any other text there proves nothing.
 */
struct sign_key *sign_key_read_half(const char *pem_path, const struct verify_key *half,
				    const char *proof_path, struct error *err) _must_use_;
/* The same, encrypted with a passphrase (PKCS#8, AES-256, scrypt): for a key that is kept
 * offline. Reading takes whatever OpenSSL encrypts; ERR_PERMISSION_DENIED: wrong words. */
struct sign_key *sign_key_create_encrypted(const char *pem_path,
					   const struct secret *passphrase,
					   struct error *err) _must_use_;
struct sign_key *sign_key_read_encrypted(const char *pem_path,
					 const struct secret *passphrase,
					 struct error *err) _must_use_;
void sign_key_free(struct sign_key *k);
DEFINE_CLEANUP(struct sign_key, sign_key_free);
const char *sign_key_kid(const struct sign_key *k);
bool sign_key_sign(const struct sign_key *k, const void *data, size_t length,
		   uint8_t ret[static KEY_SIGNATURE_BYTES], struct error *err);
/* Write the public half as PEM (mode 0644, replaced atomically). */
bool sign_key_write_public(const struct sign_key *k, const char *pem_path,
			   struct error *err);

struct verify_key *verify_key_read(const char *pem_path, struct error *err) _must_use_;
/* From the raw public key. */
struct verify_key *verify_key_new(const uint8_t raw[static KEY_PUBLIC_BYTES],
				  struct error *err) _must_use_;
struct verify_key *verify_key_of(const struct sign_key *k, struct error *err) _must_use_;
void verify_key_free(struct verify_key *k);
DEFINE_CLEANUP(struct verify_key, verify_key_free);
const char *verify_key_kid(const struct verify_key *k);
bool verify_key_check(const struct verify_key *k, const void *data, size_t length,
		      const uint8_t signature[static KEY_SIGNATURE_BYTES]);

/* AES-256-GCM with a random nonce; 'aad' binds the context. seal appends
 * nonce+ciphertext+tag to 'ret'; open refuses anything altered with
 * ERR_INVALID_ARGUMENT. The key must have 32 bytes. */
bool secret_seal(const struct secret *key, const char *aad, const void *data,
		 size_t length, struct strbuf *ret, struct error *err);
bool secret_open(const struct secret *key, const char *aad, const void *data,
		 size_t length, struct strbuf *ret, struct error *err);

/* scrypt (N=2^15, r=8, p=1, 32 bytes out) for PINs. */
bool secret_scrypt(const struct secret *pin, const uint8_t salt[static 16],
		   uint8_t ret[static 32], struct error *err);

#endif
