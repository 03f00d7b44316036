/*
 * oauth_url -- which URLs are taken for issuers, keys and resources, and where their
 * metadata is.
 *
 * What link/http/http_url.h takes, and short. Judged here and not by whoever fetches, so
 * that a document of an issuer cannot send us elsewhere.
 */
#ifndef MCP_OAUTH_URL_H
#define MCP_OAUTH_URL_H

#include "base/error.h"
#include "base/strbuf.h"
#include "link/http/http_url.h"

enum { OAUTH_URL_MAX = 512 };

/* ERR_INVALID_ARGUMENT says why not; quotes nothing. */
bool oauth_url_read(const char *url, struct http_url *ret, struct error *err);

/* RFC 8414 and 9728: the word between host and path; one slash at the end of the path is
 * dropped. 'url' must be good. */
void oauth_url_well_known(struct strbuf *sb, const char *url, const char *word);
/* OpenID Connect: behind the path. */
void oauth_url_well_known_behind(struct strbuf *sb, const char *url, const char *word);

#endif
