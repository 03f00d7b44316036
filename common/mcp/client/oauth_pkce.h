/*
 * oauth_pkce -- the proof that who brings an authorization code is who asked for it
 * (RFC 7636, S256 alone).
 */
#ifndef MCP_OAUTH_PKCE_H
#define MCP_OAUTH_PKCE_H

#include "base/digest.h"

enum { OAUTH_PKCE_BYTES = 44 }; /* verifier or challenge: 43 characters and the NUL */

/* 256 random bits as text; also good for a state. A secret: wiped by the caller. */
bool oauth_pkce_verifier(char ret[static OAUTH_PKCE_BYTES], struct error *err);
bool oauth_pkce_challenge(const char *verifier, char ret[static OAUTH_PKCE_BYTES],
			  struct error *err);

#endif
