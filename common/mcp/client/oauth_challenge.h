/*
 * oauth_challenge -- what a server's WWW-Authenticate says that it wants (RFC 9110
 * 11.6.1, RFC 6750 3, RFC 9728 5.1).
 *
 * Reads strangers' text, strictly: a field that is not as the grammar has it says
 * nothing at all, and so does a Bearer challenge with a parameter that is there twice.
 * Several fields, several challenges in one and any order of parameters are taken. What
 * comes out is safe to send on: a URL as mcp/oauth/oauth_url.h wants it, scopes as RFC 6749
 * 3.3 has them, and an error of its characters. Descriptions are for developers, and
 * dropped.
 */
#ifndef MCP_OAUTH_CHALLENGE_H
#define MCP_OAUTH_CHALLENGE_H

#include "mcp/client/oauth_scope.h"
#include "mcp/oauth/oauth_url.h"

enum {
	OAUTH_CHALLENGE_BYTES_MAX = 8192, /* of one field */
	OAUTH_CHALLENGE_PARAMETERS_MAX = 32,
	OAUTH_CHALLENGES_MAX = 16, /* in one field, and fields */
	OAUTH_ERROR_MAX = 48,
};

struct oauth_challenge {
	bool is_bearer;                  /* there is one; all else is "" without */
	bool is_bad_metadata;            /* it names some that must not be fetched */
	char error[OAUTH_ERROR_MAX + 1]; /* "insufficient_scope"; "": none */
	char scope[OAUTH_SCOPE_MAX + 1];
	char metadata[OAUTH_URL_MAX + 1];
};

/* Add a field; the first Bearer challenge of all counts. False when the field says
 * nothing, or is none that can be read. '*ret' begins as zeros. */
bool oauth_challenge_read(struct oauth_challenge *ret, const char *field);

#endif
