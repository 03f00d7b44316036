/*
 * authorize -- the person of the scenarios 'auth/...', who always says yes.
 *
 * The suite's authorization server redirects at once; the answer is read off the
 * redirect, which nobody follows and nothing listens for.
 */
#ifndef CONFORMANCE_AUTHORIZE_H
#define CONFORMANCE_AUTHORIZE_H

#include "base/json.h"
#include "mcp/client/client.h"

struct authorization {
	struct mcp_client_oauth oauth;
	struct http_client *http;
	struct secret *secret, *key;
};

/* Credentials are those of 'context' (NULL: none), which is borrowed like 'http'. */
bool authorization_begin(struct authorization *a, struct http_client *http,
			 const json_t *context, bool is_unattended, struct error *err);
void authorization_done(struct authorization *a);

#endif
