#include "mcp/oauth/oauth_discovery.h"

#include "base/clock.h"
#include "mcp/oauth/oauth_url.h"

enum { METADATA_BYTES_MAX = 64 * 1024, CALL_MS = 5000 };

/* A GET whose answer has status 200 fills 'ret'. */
static bool get(const struct oauth_fetch *f, const char *url, size_t bytes_max,
		struct strbuf *ret, struct error *err)
{
	static const struct http_client_header headers[] = {
		{ "Accept", "application/json" },
		{ NULL, NULL },
	};
	const int64_t left_ms = f->deadline_ms - clock_mono_ms();
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	const struct http_client_request request = {
		.method = "GET",
		.url = url,
		.headers = headers,
		.timeout_ms = left_ms < CALL_MS ? left_ms : CALL_MS,
		.reply_max = bytes_max,
		.cancel = f->cancel,
	};
	struct error why = ERROR_INIT;

	if (left_ms <= 0)
		return error_set(err, ERR_TIMEOUT, "%s: no time is left", url);
	if (!http_client_call(f->http, &request, &reply, NULL, &why)) {
		error_set(err, ERR_BACKEND_UNAVAILABLE, "%.200s: %s", url, why.message);
	} else if (reply.status != 200) {
		error_set(err, ERR_NOT_FOUND, "%.200s: status %d", url, reply.status);
	} else {
		strbuf_add(ret, reply.body.data, reply.body.length);
		if (!strbuf_ok(ret))
			error_oom(err);
	}
	http_client_reply_done(&reply);
	return !error_is_set(err);
}

/* An issuer that is not the one we asked must not lend us its keys. */
static bool read_metadata(const char *issuer, const struct strbuf *text,
			  struct strbuf *ret_uri, struct error *err)
{
	struct error why = ERROR_INIT;
	json_auto_t *json = json_parse(text->data, text->length, JSON_SYNTAX, &why);
	const char *name = json_get_string(json, "issuer");
	const char *uri = json_get_string(json, "jwks_uri");
	struct http_url ours, theirs;

	if (!json)
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "its metadata: %s",
				 why.message);
	if (!name || strcmp(name, issuer) != 0)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "its metadata names another issuer");
	if (!uri || !oauth_url_read(uri, &theirs, &why) ||
	    !oauth_url_read(issuer, &ours, &why) || (ours.is_https && !theirs.is_https))
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "its metadata names no jwks_uri that may be fetched");
	strbuf_add_string(ret_uri, uri);
	return strbuf_ok(ret_uri) || error_oom(err);
}

/* PROTOCOL 6.2, 4: the places in their order; only one that does not exist leads on. */
static bool discover(const struct oauth_fetch *f, const char *issuer,
		     struct strbuf *ret_uri, struct error *err)
{
	struct strbuf urls[] = { STRBUF_INIT, STRBUF_INIT, STRBUF_INIT };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	bool found = false;

	oauth_url_well_known(&urls[0], issuer, "oauth-authorization-server");
	oauth_url_well_known(&urls[1], issuer, "openid-configuration");
	oauth_url_well_known_behind(&urls[2], issuer, "openid-configuration");
	for (size_t i = 0; i < ARRAY_SIZE(urls) && !found; i++) {
		/* Without a path the third is the second. */
		if (i == 2 && strcmp(urls[1].data, urls[2].data) == 0)
			break;
		error_clear(err);
		found = get(f, urls[i].data, METADATA_BYTES_MAX, &text, err);
		if (!found && err->code != ERR_NOT_FOUND)
			break;
	}
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++)
		strbuf_done(&urls[i]);
	return found && read_metadata(issuer, &text, ret_uri, err);
}

struct jwks *oauth_fetch_keys(const struct oauth_fetch *f, const char *issuer,
			      const char *jwks_uri, struct error *err)
{
	_cleanup_strbuf_ struct strbuf uri = STRBUF_INIT, text = STRBUF_INIT;

	if (jwks_uri)
		strbuf_add_string(&uri, jwks_uri);
	else if (!discover(f, issuer, &uri, err))
		return NULL;
	if (!get(f, uri.data, JWKS_BYTES_MAX, &text, err))
		return NULL;
	return jwks_parse(text.data, text.length, err);
}
