#include "link/http/http_headers.h"

#include <ctype.h>
#include <strings.h>

bool http_headers_token(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("!#$%&'*+-.^_`|~", *text))
			return false;
	return true;
}

bool http_headers_control(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

void http_headers_free(struct curl_slist **list)
{
	for (struct curl_slist *at = *list; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(*list);
	*list = NULL;
}

static bool add_line(struct curl_slist **list, const char *name, const char *separator,
		     const char *value, struct error *err)
{
	_cleanup_(strbuf_wipe) struct strbuf line = STRBUF_INIT;

	if (!http_headers_token(name))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "bad name of a header to send");
	if (http_headers_control(value))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the value of header '%s' has control characters", name);
	strbuf_add_string(&line, name);
	strbuf_add_string(&line, separator);
	strbuf_add_string(&line, value);
	struct curl_slist *longer = strbuf_ok(&line) ? curl_slist_append(*list, line.data)
						     : NULL;
	if (!longer)
		return error_oom(err);
	*list = longer;
	return true;
}

bool http_headers_build(const struct http_client_request *req, struct curl_slist **list,
			struct error *err)
{
	bool typed = false;

	for (const struct http_client_header *h = req->headers; h && h->name; h++) {
		/* curl's "Name;" is an empty header, "Name:" would take one away */
		if (!add_line(list, h->name, *h->value ? ": " : ";", h->value, err))
			return false;
		typed = typed || strcasecmp(h->name, "Content-Type") == 0;
	}
	if (!add_line(list, "Expect", ":", "", err)) /* none: it costs a round trip */
		return false;
	/* curl would call anything a form */
	if (!typed && !add_line(list, "Content-Type", ":", "", err))
		return false;
	if (!req->bearer)
		return true;
	for (const char *at = req->bearer; *at; at++)
		if (*at <= ' ' || *at == 0x7f)
			return error_set(
				err, ERR_INVALID_ARGUMENT,
				"the bearer token has characters that no token has");
	return add_line(list, "Authorization", ": Bearer ", req->bearer, err);
}
