/*
 * http_url -- which URLs a configuration or another's document may name.
 *
 * https, or http on a loopback address; no user, no fragment, no characters that a URL
 * has not. Judged before anything is fetched, so that a document of a stranger cannot
 * send us elsewhere.
 */
#ifndef LINK_HTTP_URL_H
#define LINK_HTTP_URL_H

#include "base/error.h"

struct http_url {
	bool is_https;
	bool is_loopback;    /* by the text of its host */
	size_t origin_bytes; /* "https://host:port" */
	const char *path;    /* borrowed; "" or "/..." or "?..." */
	bool has_query;
};

/* ERR_INVALID_ARGUMENT says why not; quotes nothing. More than 'max' bytes are too many. */
bool http_url_read(const char *url, size_t max, struct http_url *ret, struct error *err);

/* Whether two good URLs have one origin: scheme, host and port, as they are written. */
bool http_url_same_origin(const char *a, const struct http_url *a_parts, const char *b,
			  const struct http_url *b_parts);

#endif
