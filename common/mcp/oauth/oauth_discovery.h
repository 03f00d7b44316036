/*
 * oauth_discovery -- an issuer's key set over HTTP.
 *
 * Blocking. Redirects are not followed; an https issuer's keys come over https.
 */
#ifndef MCP_OAUTH_DISCOVERY_H
#define MCP_OAUTH_DISCOVERY_H

#include "guard/jwks.h"
#include "link/http/http_client.h"

struct oauth_fetch {
	struct http_client *http;
	const atomic_bool *cancel;
	int64_t deadline_ms; /* monotonic, for everything together */
};

/* 'jwks_uri' NULL: the issuer's metadata says where. ERR_BACKEND_UNAVAILABLE or
 * ERR_TIMEOUT, with a message for the log. */
struct jwks *oauth_fetch_keys(const struct oauth_fetch *f, const char *issuer,
			      const char *jwks_uri, struct error *err) _must_use_;

#endif
