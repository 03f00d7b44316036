#include "base/clock.h"
#include "mcp/client/client_oauth_private.h"

enum { CALL_MS = 10 * 1000 };

bool oauth_may_fetch(const struct client_oauth *o, const char *url)
{
	struct error ignored = ERROR_INIT;
	struct http_url ours, theirs;

	return oauth_url_read(url, &theirs, &ignored) &&
	       oauth_url_read(o->server, &ours, &ignored) &&
	       (theirs.is_https || !ours.is_https);
}

bool oauth_read_url(const struct client_oauth *o, const json_t *object, const char *name,
		    char ret[static OAUTH_URL_MAX + 1])
{
	const char *url = json_get_string(object, name);

	if (!json_object_get(object, name))
		return true;
	if (!url || !oauth_may_fetch(o, url))
		return false;
	memcpy(ret, url, strlen(url) + 1);
	return true;
}

/* ---- Calls ---- */

static bool call(const struct oauth_flow *f, struct http_client_request *req,
		 struct http_client_reply *reply, struct error *err)
{
	const struct client_oauth *o = f->o;
	const int64_t left_ms = f->until_ms - clock_mono_ms();
	struct error why = ERROR_INIT;

	if (left_ms <= 0)
		return error_set(err, ERR_TIMEOUT, "no time is left for authorization");
	req->timeout_ms = left_ms < CALL_MS ? left_ms : CALL_MS;
	req->reply_max = CLIENT_OAUTH_DOCUMENT_MAX;
	req->cancel = f->cancel;
	/* Names of strangers lead into our own network only from there, or when the
	 * operator says so. The server itself is the operator's choice. */
	req->public_only = !o->options->private_issuer && !atomic_load(&o->is_private);
	if (http_client_call(o->http, req, reply, NULL, &why))
		return true;
	error_set(err, ERR_BACKEND_UNAVAILABLE, "authorization: %s", why.message);
	return error_cause(err, "%s", why.cause);
}

/* The object in a reply; NULL: there is none. */
static json_t *read_object(const struct http_client_reply *reply)
{
	struct error ignored = ERROR_INIT;
	json_t *object =
		json_parse(reply->body.data, reply->body.length, JSON_SYNTAX, &ignored);

	if (json_is_object(object))
		return object;
	json_decref(object);
	return NULL;
}

json_t *oauth_fetch(const struct oauth_flow *f, const char *url, struct error *err)
{
	static const struct http_client_header headers[] = {
		{ "Accept", "application/json" },
		{ NULL, NULL },
	};
	_cleanup_(http_client_reply_done) struct http_client_reply reply =
		HTTP_CLIENT_REPLY_INIT;
	struct http_client_request req = { .method = "GET",
					   .url = url,
					   .headers = headers };
	json_t *object = NULL;

	if (!call(f, &req, &reply, err))
		return NULL;
	/* A server in trouble is no evidence that there is nothing. */
	if (reply.status == 429 || reply.status >= 500) {
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "authorization: '%s' has trouble (HTTP %d)", url, reply.status);
		return NULL;
	}
	if (reply.status == 200)
		object = read_object(&reply);
	if (!object)
		error_set(err, ERR_NOT_FOUND,
			  "authorization: nothing is at '%s' (HTTP %d)", url,
			  reply.status);
	return object;
}

json_t *oauth_post(const struct oauth_flow *f, const char *url,
		   const struct http_client_header *headers, const struct strbuf *body,
		   int *ret_status, struct error *err)
{
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	struct http_client_request req = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.body = body->data,
		.body_bytes = body->length,
	};
	json_t *object = NULL;

	if (call(f, &req, &reply, err)) {
		*ret_status = reply.status;
		object = read_object(&reply);
		if (!object)
			error_set(err, ERR_BACKEND_UNAVAILABLE,
				  "authorization: '%.*s' answers HTTP %d and nothing "
				  "that can be read",
				  (int)strcspn(url, "?"), url, reply.status);
	}
	strbuf_wipe(&reply.body); /* tokens may be in it */
	http_client_reply_done(&reply);
	return object;
}

void oauth_error_of(const json_t *reply, char ret[static OAUTH_ERROR_MAX + 1])
{
	const char *text = json_get_string(reply, "error");
	size_t length = text ? strlen(text) : 0;

	*ret = '\0';
	if (length <= OAUTH_ERROR_MAX &&
	    (!text || strspn(text, "abcdefghijklmnopqrstuvwxyz_") == length))
		memcpy(ret, text ? text : "", length + 1);
}

/* ---- Forms ---- */

void oauth_form_encode(struct strbuf *sb, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (; *text; text++)
		if (strchr(plain, *text))
			strbuf_add_char(sb, *text);
		else
			strbuf_add_format(sb, "%%%02X", (unsigned)(unsigned char)*text);
}

void oauth_form_add(struct strbuf *sb, const char *name, const char *value)
{
	if (sb->length > 0 && sb->data[sb->length - 1] != '?')
		strbuf_add_char(sb, '&');
	strbuf_add_string(sb, name);
	strbuf_add_char(sb, '=');
	oauth_form_encode(sb, value);
}
