/*
 * jwks -- an issuer's public keys (RFC 7517), and what they signed.
 *
 * Taken are RSA keys of 2048 to 4096 bits (for RS256), P-256 (for ES256) and Ed25519
 * (for EdDSA), unless their "use", "key_ops" or "alg" say that they are for something
 * else; private halves and secrets that an issuer published by mistake, and all other
 * keys, are passed over. A key signs with its own algorithm only, so a token cannot
 * have one key read as another kind. Of two with the same id and algorithm the first
 * counts. Counted references, never changed after parsing, for any number of threads.
 *
 * RSA and ECDSA are libjose's; it has no EdDSA, which is OpenSSL's (base/secret.h).
 */
#ifndef GUARD_JWKS_H
#define GUARD_JWKS_H

#include "guard/jwt.h"

enum { JWKS_BYTES_MAX = 256 * 1024, JWKS_KEYS_MAX = 64 };

struct jwks;

/* Load what keys are read with, which jwks_parse does at the latest: for a program that
 * will be in a sandbox by then. */
bool jwks_load(struct error *err);

/* ERR_INVALID_ARGUMENT for what is no key set, for one past the limits, and for one
 * without any key that can be used. */
struct jwks *jwks_parse(const char *text, size_t length, struct error *err) _must_use_;
struct jwks *jwks_ref(struct jwks *s);
void jwks_unref(struct jwks *s);
DEFINE_CLEANUP(struct jwks, jwks_unref);
size_t jwks_count(const struct jwks *s);

enum jwks_verdict { JWKS_GOOD, JWKS_BAD_SIGNATURE, JWKS_UNKNOWN_KEY };
/* The signature of 't' alone. A token without "kid" wants a set with exactly one key of
 * its algorithm. */
enum jwks_verdict jwks_check(const struct jwks *s, const struct jwt *t);

#endif
