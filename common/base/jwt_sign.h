/*
 * jwt_sign -- short texts that we sign to say who we are (RFC 7523, private_key_jwt).
 *
 * ES256 with a key on P-256, RS256 with an RSA key of 2048 to 8192 bits; the caller says
 * which of them the other side takes. The key is a PEM text (PKCS#8, SEC 1 or PKCS#1,
 * not encrypted).
 */
#ifndef BASE_JWT_SIGN_H
#define BASE_JWT_SIGN_H

#include "base/json.h"
#include "base/secret.h"

struct jwt_signer;

enum { JWT_SIGN_ES256 = 1, JWT_SIGN_RS256 = 2 };

/* 'allowed' is a mask of the above; the key decides among them. ERR_INVALID_ARGUMENT for
 * what is no such key; quotes nothing. 'kid' goes into the header of every token; NULL:
 * none. */
struct jwt_signer *jwt_signer_new(const struct secret *pem, const char *kid,
				  unsigned allowed, struct error *err) _must_use_;
void jwt_signer_free(struct jwt_signer *s);
DEFINE_CLEANUP(struct jwt_signer, jwt_signer_free);

/* header.claims.signature, appended. 'claims' is an object. */
bool jwt_signer_sign(const struct jwt_signer *s, const json_t *claims, struct strbuf *sb,
		     struct error *err);

#endif
