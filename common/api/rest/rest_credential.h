/*
 * rest_credential -- what stands behind "Authorization:", fixed or fetched.
 *
 * A fetched one is kept while it is good and fetched again before it ends, by one thread
 * while the others wait. None of them is ever shown.
 */
#ifndef API_REST_CREDENTIAL_H
#define API_REST_CREDENTIAL_H

#include "api/rest/rest.h"
#include "base/secret.h"
#include "base/statedir.h"

struct rest_credential;

/* "SSWS", "Bearer": before the token. Takes 'token', also when it fails:
 * ERR_INVALID_ARGUMENT for characters that no token has. */
struct rest_credential *rest_credential_fixed(const char *scheme, struct secret *token,
					      struct error *err) _must_use_;
/* The token in a file that a configuration names. */
struct rest_credential *rest_credential_file(const char *scheme,
					     const struct statedir *dir, const char *name,
					     struct error *err) _must_use_;

/* Append a new token and say how long it is good. */
typedef bool rest_credential_fetch(void *context, const struct rest_patience *patience,
				   struct strbuf *token, int64_t *ret_life_ms,
				   struct error *err);
struct rest_credential *rest_credential_fetched(const char *scheme,
						rest_credential_fetch *fetch,
						void *context,
						struct error *err) _must_use_;

void rest_credential_free(struct rest_credential *c);
DEFINE_CLEANUP(struct rest_credential, rest_credential_free);
/* Borrowed. */
const struct rest_auth *rest_credential_auth(const struct rest_credential *c);

#endif
