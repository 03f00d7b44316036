/*
 * okta_private -- what the files of the Okta client share.
 */
#ifndef API_OKTA_PRIVATE_H
#define API_OKTA_PRIVATE_H

#include "api/okta/okta.h"
#include "api/rest/rest_credential.h"
#include "base/jwt_sign.h"

struct okta {
	struct rest *rest;
	struct rest_credential *credential;
	/* Of a service app; NULL otherwise. */
	struct jwt_signer *signer;
	char *client_id, *scopes;
};

/* A service app's access token; a rest_credential_fetch. */
bool okta_fetch_token(void *context, const struct rest_patience *patience,
		      struct strbuf *token, int64_t *ret_life_ms, struct error *err);

/* Ids of Okta are letters and digits: others never reach a path. */
bool okta_check_id(const char *id, struct error *err);

/* What came as an item of a list, or as a reply, is not what it should be. */
bool okta_fail_shape(const char *what, struct error *err);

/* One request below /api/v1 whose answer is not needed. */
bool okta_do(struct okta *o, const char *what, const char *method, const char *path,
	     const char *bucket, bool may_repeat, const struct rest_patience *patience,
	     struct error *err);
/* A list, page by page: 'fn' gets each item. */
bool okta_each(struct okta *o, const char *what, const char *path, const char *bucket,
	       const struct rest_patience *patience,
	       bool (*fn)(void *context, const json_t *item, struct error *err),
	       void *context, struct error *err);

#endif
