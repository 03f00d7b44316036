#include "authorize.h"

#include "link/http/http_client_stream.h"

enum { TIMEOUT_MS = 10000 };

static bool authorize(void *context, const char *url, const atomic_bool *cancel,
		      struct strbuf *ret, struct error *err)
{
	const struct authorization *a = context;
	const struct http_client_request req = {
		.method = "GET", .url = url, .timeout_ms = TIMEOUT_MS, .cancel = cancel
	};
	_cleanup_(http_client_stream_closep) struct http_client_stream *s =
		http_client_stream_open(a->http, &req, NULL, err);
	const char *location = s ? http_client_stream_header(s, "Location", 0) : NULL;

	if (!location)
		return error_set(err, ERR_NOT_FOUND, "there is no redirect");
	strbuf_add_string(ret, location);
	return strbuf_ok(ret);
}

static bool read_secret(const json_t *context, const char *name, struct secret **ret,
			struct error *err)
{
	const char *text = json_get_string(context, name);

	*ret = text ? secret_new(text, strlen(text)) : NULL;
	return *ret || !text || error_oom(err);
}

bool authorization_begin(struct authorization *a, struct http_client *http,
			 const json_t *context, bool is_unattended, struct error *err)
{
	*a = (struct authorization){ .http = http };
	if (!read_secret(context, "client_secret", &a->secret, err) ||
	    !read_secret(context, "private_key_pem", &a->key, err))
		return false;
	a->oauth = (struct mcp_client_oauth){
		.context = a,
		.issuer = json_get_string(context, "issuer"),
		.client_id = json_get_string(context, "client_id"),
		.client_secret = a->secret,
		.signing_key = a->key,
		.metadata_url = "https://conformance-test.local/client-metadata.json",
		.redirect_uri = "http://localhost:3030/callback",
		.is_unattended = is_unattended,
		.is_offline = true,
		.authorize = authorize,
	};
	return true;
}

void authorization_done(struct authorization *a)
{
	secret_free(a->secret);
	secret_free(a->key);
}
