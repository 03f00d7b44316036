/*
 * sign_key_pem -- the PEM files that we write ourselves, read without OpenSSL.
 *
 * An Ed25519 key has one DER form (RFC 8410: a fixed head, then 32 bytes) and OpenSSL
 * writes it as one line of base64 between two fixed ones. Exactly that text is read here,
 * to the byte; whatever else a PEM file may be is left to OpenSSL, which looks for it
 * among all decoders that it has, at a hundred times the cost.
 */
#ifndef BASE_SIGN_KEY_PEM_H
#define BASE_SIGN_KEY_PEM_H

#include "base/secret.h"

enum { KEY_SEED_BYTES = 32 };

/* False: not that text, or no memory; ask OpenSSL. The caller wipes the seed. */
bool sign_key_pem_private(const void *pem, size_t length,
			  uint8_t ret_seed[static KEY_SEED_BYTES]);
bool sign_key_pem_public(const void *pem, size_t length,
			 uint8_t ret_raw[static KEY_PUBLIC_BYTES]);

#endif
