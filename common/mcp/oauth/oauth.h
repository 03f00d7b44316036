/*
 * oauth -- a server as an OAuth 2.1 resource server: other issuers' access tokens into
 * callers, and what clients are told about where to get some (RFC 9728, RFC 6750).
 *
 * Stands beside the static tokens; a server without "oauth" in its configuration has
 * none of this. Knows no HTTP server: mcp/authorize.c speaks.
 */
#ifndef MCP_OAUTH_H
#define MCP_OAUTH_H

#include "guard/token.h"
#include "mcp/oauth/oauth_config.h"
#include "mcp/oauth/oauth_keys.h"

struct oauth;

/* No threads, no network. 'config' and 'server' are borrowed. */
struct oauth *oauth_new(const struct oauth_config *config, const char *server,
			struct error *err) _must_use_;
/* Before it starts: the authorities (PEM) that vouch for issuers' servers, in place of
 * the system's. */
bool oauth_trust(struct oauth *o, const char *ca_file, struct error *err);
bool oauth_start(struct oauth *o, const char *user_agent, struct error *err);
/* Who waits is woken; nobody waits afterwards. */
void oauth_stop(struct oauth *o);
void oauth_free(struct oauth *o);
DEFINE_CLEANUP(struct oauth, oauth_free);

enum oauth_verdict {
	OAUTH_GOOD,
	OAUTH_REFUSED,     /* 'err' says why, quoting nothing of the token */
	OAUTH_UNAVAILABLE, /* the issuer's keys cannot be had at the moment */
	OAUTH_WAITING,     /* 'waiter' will be woken: check again, with NULL */
};
enum oauth_verdict oauth_check(struct oauth *o, const char *token, int64_t now_ms,
			       struct oauth_waiter *waiter, struct caller *ret,
			       struct error *err);

/* ---- What clients are told ---- */

/* Whether a path is one of the two of the protected resource metadata. */
bool oauth_is_metadata_path(const struct oauth *o, const char *path);
/* The document, JSON text, and the URL of it that challenges name. */
const char *oauth_metadata(const struct oauth *o);
const char *oauth_metadata_url(const struct oauth *o);

/* Append all that is needed to use 'right' ("read", "write") with 'tool' (NULL: with
 * none in particular), as issuers call it, separated by spaces. */
void oauth_add_scopes(const struct oauth *o, struct strbuf *sb, const char *right,
		      const char *tool);
/* Whether the caller of a token has what this tool needs beside the right. */
bool oauth_may_use(const struct oauth *o, const struct caller *c, const char *tool);

#endif
