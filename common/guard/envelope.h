/*
 * envelope -- canonical bytes with an Ed25519 signature, as one word.
 *
 *   base64url(canonical JSON) "." base64url(signature over those very bytes)
 *
 * Grants and requester tickets travel so. Opening checks, in this order: length,
 * form, that the payload is canonical JSON_CONTRACT text to the byte, that it is
 * an object with the expected "typ" and a "kid" that is trusted, and the
 * signature. What else the payload must hold is for those who know it.
 */
#ifndef GUARD_ENVELOPE_H
#define GUARD_ENVELOPE_H

#include "base/json.h"
#include "guard/keyring.h"

enum { ENVELOPE_MAX = 16 * 1024 };

/* Append the word. 'payload' is an object with "typ" and "kid" set by the caller.
 * A word longer than ENVELOPE_MAX is ERR_INVALID_ARGUMENT. */
bool envelope_seal(struct strbuf *sb, const json_t *payload, const struct sign_key *key,
		   struct error *err);
/* The payload, new reference. ERR_APPROVAL_INVALID for whatever is wrong; the
 * message names which check failed and quotes nothing of the word. 'word' may be NULL. */
json_t *envelope_open(const char *word, const char *typ, struct keyring *keys,
		      struct error *err) _must_use_;

#endif
