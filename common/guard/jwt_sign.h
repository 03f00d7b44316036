/*
 * jwt_sign -- short texts that we sign to say who we are (RFC 7523, private_key_jwt).
 *
 * ES256 alone. The key is a PEM text (PKCS#8 or SEC 1, not encrypted) with a private
 * key on P-256.
 */
#ifndef GUARD_JWT_SIGN_H
#define GUARD_JWT_SIGN_H

#include "base/json.h"
#include "base/secret.h"

struct jwt_signer;

/* ERR_INVALID_ARGUMENT for what is no such key; quotes nothing. 'kid' goes into the
 * header of every token; NULL: none. */
struct jwt_signer *jwt_signer_new(const struct secret *pem, const char *kid,
				  struct error *err) _must_use_;
void jwt_signer_free(struct jwt_signer *s);
DEFINE_CLEANUP(struct jwt_signer, jwt_signer_free);

/* header.claims.signature, appended. 'claims' is an object. */
bool jwt_signer_sign(const struct jwt_signer *s, const json_t *claims, struct strbuf *sb,
		     struct error *err);

#endif
