/*
 * digest -- SHA-256, HMAC, Ed25519, hex, base64url, random bytes, equal time.
 *
 * Thin over OpenSSL 3; nothing else in the tree includes <openssl/...> except
 * base/secret.c and wire's TLS. Hex is lower case; a digest as text is 64 digits.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/error.h"
#include "base/strbuf.h"

enum {
	DIGEST_BYTES = 32,
	DIGEST_HEX_BYTES = 65, /* with the NUL */
};

void digest_sha256(const void *data, size_t length, uint8_t ret[static DIGEST_BYTES]);
void digest_sha256_hex(const void *data, size_t length,
		       char ret_hex[static DIGEST_HEX_BYTES]);
void digest_hmac_sha256(const void *key, size_t key_bytes, const void *data,
			size_t length, uint8_t ret[static DIGEST_BYTES]);

/* 2 * length digits and a NUL go to 'ret_hex'. */
void digest_hex(const void *data, size_t length, char *ret_hex);
/* Whether 'text' is exactly 64 lower-case hex digits. */
bool digest_is_hex(const char *text);

/* base64url without padding, appended; decoding refuses padding, other
 * alphabets and non-zero trailing bits. */
void digest_base64url(struct strbuf *sb, const void *data, size_t length);
bool digest_base64url_decode(const char *text, size_t length, struct strbuf *ret,
			     struct error *err);
/* Standard padded base64 (RFC 4648 section 4), strict both ways. */
void digest_base64(struct strbuf *sb, const void *data, size_t length);
bool digest_base64_decode(const char *text, size_t length, struct strbuf *ret,
			  struct error *err);

/* Random bytes of the kernel; aborts the process if it has none. */
void digest_random(void *ret, size_t length);
/* 26 lower-case base32 characters (Crockford) of 130 random bits; for ids. 27 bytes with the NUL. */
enum { DIGEST_ID_BYTES = 27 };
void digest_random_id(char ret[static DIGEST_ID_BYTES]);

/* Compare in time that depends on the lengths alone. */
bool digest_equal(const void *a, size_t a_bytes, const void *b, size_t b_bytes);
bool digest_equal_text(const char *a, const char *b);

#endif
