#include "api/rest/rest.h"

#include <string.h>

#include "api/rest/rest_private.h"
#include "base/clock.h"

struct rest_patience rest_patience(int64_t ms)
{
	return (struct rest_patience){ .until_ms = clock_mono_ms() + ms };
}

void rest_free(struct rest *r)
{
	if (!r)
		return;
	http_client_free(r->client);
	rest_limits_done(&r->limits);
	free(r->base);
	free(r);
}

static bool check_base(struct rest *r, const char *vendor, struct error *err)
{
	struct error why = ERROR_INIT;
	const size_t length = strlen(r->base);

	if (!http_url_read(r->base, REST_URL_MAX - REST_PATH_MAX, &r->parts, &why))
		return error_set(err, ERR_INVALID_ARGUMENT, "the address of %s: %s",
				 vendor, why.message);
	if (r->parts.has_query || r->base[length - 1] == '/')
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the address of %s ends with a query or a slash",
				 vendor);
	return true;
}

static struct http_client *make_client(const char *ca_file, struct error *err)
{
	struct http_tls *tls = ca_file ? http_tls_read(ca_file, NULL, NULL, err) : NULL;
	struct http_client *client;

	if (ca_file && !tls)
		return NULL;
	client = http_client_new("wingman/" WINGMAN_VERSION, err);
	if (client)
		http_client_use_tls(client, tls);
	else
		http_tls_free(tls);
	return client;
}

struct rest *rest_new(const struct rest_vendor *vendor, const struct rest_auth *auth,
		      const struct rest_options *options, struct error *err)
{
	_cleanup_(rest_freep) struct rest *r = calloc(1, sizeof *r);

	if (!r) {
		error_oom(err);
		return NULL;
	}
	rest_limits_init(&r->limits);
	r->vendor = vendor;
	r->auth = auth;
	r->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : REST_TIMEOUT_MS;
	r->pause = options->pause;
	r->pause_context = options->pause_context;
	r->base = strdup(options->base);
	if (!r->base) {
		error_oom(err);
		return NULL;
	}
	if (!check_base(r, vendor->name, err))
		return NULL;
	r->client = make_client(options->ca_file, err);
	return r->client ? TAKE(r) : NULL;
}

const char *rest_base(const struct rest *r)
{
	return r->base;
}

bool rest_base_is_loopback(const struct rest *r)
{
	return r->parts.is_loopback;
}

struct http_client *rest_client(const struct rest *r)
{
	return r->client;
}

int64_t rest_vendor_now_ms(struct rest *r)
{
	return clock_wall_ms() + (int64_t)atomic_load(&r->ahead_ms);
}

int64_t rest_wait_ms(struct rest *r)
{
	return rest_limits_longest(&r->limits, clock_mono_ms());
}

void rest_reply_done(struct rest_reply *reply)
{
	json_decref(reply->body);
	free(reply->next);
	free(reply->etag);
	http_client_reply_done(&reply->http);
	*reply = (struct rest_reply)REST_REPLY_INIT;
}

bool rest_url(const struct rest *r, const char *path, struct strbuf *url,
	      struct error *err)
{
	struct http_url parts;
	struct error why = ERROR_INIT;

	if (*path == '/' && strlen(path) <= REST_PATH_MAX) {
		strbuf_add_format(url, "%s%s", r->base, path);
	} else {
		if (!http_url_read(path, REST_URL_MAX, &parts, &why))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "%s leads to an address that is none: %s",
					 r->vendor->name, why.message);
		if (!http_url_same_origin(r->base, &r->parts, path, &parts))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "%s leads to another host", r->vendor->name);
		strbuf_add_string(url, path);
	}
	return strbuf_ok(url) || error_oom(err);
}

void rest_encode(struct strbuf *sb, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";
	const bool is_dots = strcmp(text, ".") == 0 || strcmp(text, "..") == 0;

	for (; *text; text++) {
		if (strchr(plain, *text) && !is_dots)
			strbuf_add_char(sb, *text);
		else
			strbuf_add_format(sb, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

void rest_form_add(struct strbuf *form, const char *name, const char *value)
{
	if (form->length > 0)
		strbuf_add_char(form, '&');
	rest_encode(form, name);
	strbuf_add_char(form, '=');
	rest_encode(form, value);
}

bool rest_each_page(struct rest *r, const struct rest_request *request,
		    const struct rest_patience *patience,
		    bool (*fn)(void *context, const json_t *body, struct error *err),
		    void *context, struct error *err)
{
	struct rest_request page = *request;
	_cleanup_free_ char *path = NULL;

	for (int pages = 0; pages < REST_PAGES_MAX; pages++) {
		_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;

		if (!rest_call(r, &page, patience, &reply, err) ||
		    !fn(context, reply.body, err))
			return false;
		if (!reply.next)
			return true;
		if (strcmp(reply.next, page.path) == 0)
			break;
		free(path);
		page.path = path = TAKE(reply.next);
	}
	return error_set(err, ERR_BACKEND_UNAVAILABLE, "cannot %s: %s has no last page",
			 request->what, r->vendor->name);
}
