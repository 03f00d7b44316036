/*
 * http_headers -- the header lines of a request, as curl takes them. Private to
 * common/link/http.
 *
 * Names must be tokens and values without control characters, so that no value
 * can become a line of its own.
 */
#ifndef LINK_HTTP_HEADERS_H
#define LINK_HTTP_HEADERS_H

#include <curl/curl.h>

#include "link/http/http_client.h"

/* Append to 'list' what 'req' asks for, and the lines that keep curl from adding its own. */
bool http_headers_build(const struct http_client_request *req, struct curl_slist **list,
			struct error *err);
/* Wipes, because a line may be a token, and frees. */
void http_headers_free(struct curl_slist **list);

bool http_headers_token(const char *text);
/* Whether there are control characters other than the tabulator. */
bool http_headers_control(const char *text);

#endif
