/*
 * What pages of other origins may do (the Fetch standard, 'CORS protocol'). Whether an
 * origin may talk to us at all was checked before: here it is told to the browser.
 */
#include "wire/httpd_private.h"

#include <ctype.h>

enum { NAMES_MAX = 32, NAME_BYTES_MAX = 128, MAX_AGE_S = 600 };

static bool is_token(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    !strchr("!#$%&'*+-.^_`|~", name[i]))
			return false;
	return length > 0 && length <= NAME_BYTES_MAX;
}

static bool is_allowed(const struct httpd_cors *cors, const char *name, size_t length)
{
	const size_t prefix = cors->prefix ? strlen(cors->prefix) : 0;

	if (!is_token(name, length))
		return false;
	for (size_t i = 0; cors->headers[i]; i++)
		if (strlen(cors->headers[i]) == length &&
		    strncasecmp(cors->headers[i], name, length) == 0)
			return true;
	return prefix > 0 && length > prefix &&
	       strncasecmp(name, cors->prefix, prefix) == 0;
}

void httpd_cors_choose(const struct httpd_cors *cors, const char *wanted,
		       struct strbuf *ret)
{
	for (int i = 0; wanted && *wanted && i < NAMES_MAX; i++) {
		size_t skip = strspn(wanted, " \t,"), length;

		wanted += skip;
		length = strcspn(wanted, " \t,");
		if (is_allowed(cors, wanted, length)) {
			if (ret->length > 0)
				strbuf_add_string(ret, ", ");
			strbuf_add(ret, wanted, length);
		}
		wanted += length;
	}
}

size_t httpd_cors_headers(const struct http_request *r,
			  struct http_header ret[static HTTPD_CORS_HEADERS])
{
	const struct httpd_cors *cors = r->loop->config->cors;
	const char *origin = cors ? http_request_header(r, "Origin") : NULL;
	size_t n = 0;

	if (cors) /* for caches, also where there is none */
		ret[n++] = (struct http_header){ "Vary", "Origin" };
	if (origin) {
		ret[n++] = (struct http_header){ "Access-Control-Allow-Origin", origin };
		ret[n++] = (struct http_header){ "Access-Control-Expose-Headers",
						 cors->expose };
	}
	return n;
}

bool httpd_cors_preflight(struct http_request *r)
{
	const struct httpd_cors *cors = r->loop->config->cors;
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
	char age[16];

	if (!cors || strcmp(http_request_method(r), "OPTIONS") != 0 ||
	    !http_request_header(r, "Origin") ||
	    !http_request_header(r, "Access-Control-Request-Method"))
		return false;
	httpd_cors_choose(cors, http_request_header(r, "Access-Control-Request-Headers"),
			  &names);
	(void)snprintf(age, sizeof age, "%d", MAX_AGE_S);
	const struct http_header headers[] = {
		{ "Access-Control-Allow-Methods", cors->methods },
		{ "Access-Control-Allow-Headers", strbuf_ok(&names) ? names.data : "" },
		{ "Access-Control-Max-Age", age },
		{ NULL, NULL },
	};
	http_reply(r, MHD_HTTP_NO_CONTENT, NULL, headers, NULL);
	return true;
}
