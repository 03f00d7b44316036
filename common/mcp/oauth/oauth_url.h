/*
 * oauth_url -- which URLs are taken for issuers, keys and resources, and where their
 * metadata is.
 *
 * https, or http on a loopback address; no user, no fragment, no characters that a URL
 * has not. Judged here and not by whoever fetches, so that a document of an issuer
 * cannot send us elsewhere.
 */
#ifndef MCP_OAUTH_URL_H
#define MCP_OAUTH_URL_H

#include "base/error.h"
#include "base/strbuf.h"

enum { OAUTH_URL_MAX = 512 };

struct oauth_url {
	bool is_https;
	size_t origin_bytes; /* "https://host:port" */
	const char *path;    /* borrowed; "" or "/..." */
	bool has_query;
};

/* ERR_INVALID_ARGUMENT says why not; quotes nothing. */
bool oauth_url_read(const char *url, struct oauth_url *ret, struct error *err);

/* RFC 8414 and 9728: the word between host and path; one slash at the end of the path is
 * dropped. 'url' must be good. */
void oauth_url_well_known(struct strbuf *sb, const char *url, const char *word);
/* OpenID Connect: behind the path. */
void oauth_url_well_known_behind(struct strbuf *sb, const char *url, const char *word);

#endif
