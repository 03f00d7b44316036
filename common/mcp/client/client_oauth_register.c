#include "base/clock.h"
#include "mcp/client/client_oauth_private.h"

enum { METHODS_BY_SECRET = OAUTH_METHOD_BASIC | OAUTH_METHOD_POST };

static const struct {
	const char *name;
	enum oauth_method method;
} methods[] = {
	{ "none", OAUTH_METHOD_NONE },
	{ "client_secret_basic", OAUTH_METHOD_BASIC },
	{ "client_secret_post", OAUTH_METHOD_POST },
	{ "private_key_jwt", OAUTH_METHOD_JWT },
};

unsigned oauth_method_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods) && name; i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].method;
	return 0;
}

static const char *method_name(enum oauth_method method)
{
	size_t i = 0;

	while (methods[i].method != method)
		i++;
	return methods[i].name;
}

void oauth_identity_done(struct oauth_identity *i)
{
	secret_free(i->secret);
	*i = (struct oauth_identity){ 0 };
}

static bool refuse_methods(struct error *err)
{
	return error_set(
		err, ERR_PERMISSION_DENIED,
		"the authorization server knows no way to say who we are that this "
		"client has");
}

/* ---- Registered beforehand ---- */

static bool is_known_there(const struct client_oauth *o)
{
	return o->options->client_id &&
	       (!*o->bound || strcmp(o->bound, o->place.issuer) == 0);
}

/* The best that both have; who lists nothing is taken to mean RFC 8414's default, or
 * what there is. */
static bool choose_method(const struct client_oauth *o, enum oauth_method *ret,
			  struct error *err)
{
	const struct oauth_place *p = &o->place;

	if (o->signer && (p->methods & OAUTH_METHOD_JWT || !p->has_methods))
		*ret = OAUTH_METHOD_JWT;
	else if (o->options->client_secret && p->methods & OAUTH_METHOD_BASIC)
		*ret = OAUTH_METHOD_BASIC;
	else if (o->options->client_secret && p->methods & OAUTH_METHOD_POST)
		*ret = OAUTH_METHOD_POST;
	else if (!o->signer && !o->options->client_secret)
		*ret = OAUTH_METHOD_NONE; /* often not listed where it is taken */
	else
		return refuse_methods(err);
	return true;
}

static bool copy_secret(const struct secret *from, struct secret **ret, struct error *err)
{
	*ret = from ? secret_new(secret_bytes(from), secret_length(from)) : NULL;
	return *ret || !from || error_oom(err);
}

static bool use_own(struct client_oauth *o, struct error *err)
{
	struct oauth_identity one = { 0 };

	if (!choose_method(o, &one.method, err))
		return false;
	if (one.method & METHODS_BY_SECRET &&
	    !copy_secret(o->options->client_secret, &one.secret, err))
		return false;
	(void)snprintf(one.id, sizeof one.id, "%s", o->options->client_id);
	oauth_identity_done(&o->identity);
	o->identity = one;
	memcpy(o->bound, o->place.issuer, sizeof o->bound);
	return true;
}

static bool use_document(struct client_oauth *o)
{
	oauth_identity_done(&o->identity);
	(void)snprintf(o->identity.id, sizeof o->identity.id, "%s",
		       o->options->metadata_url);
	o->identity.method = OAUTH_METHOD_NONE;
	return true;
}

/* ---- Registration (RFC 7591) ---- */

static enum oauth_method wanted_method(const struct oauth_place *p)
{
	return p->methods & OAUTH_METHOD_NONE    ? OAUTH_METHOD_NONE
	       : p->methods & OAUTH_METHOD_BASIC ? OAUTH_METHOD_BASIC
	       : p->methods & OAUTH_METHOD_POST  ? OAUTH_METHOD_POST
						 : OAUTH_METHOD_NONE;
}

static json_t *make_request(const struct client_oauth *o, enum oauth_method method)
{
	const char *redirect_uri = o->options->redirect_uri;
	bool is_native = strncmp(redirect_uri, "http://", strlen("http://")) == 0;
	json_t *grants = o->options->is_offline ? json_pack("[s,s]", "authorization_code",
							    "refresh_token")
						: json_pack("[s]", "authorization_code");

	if (!grants)
		return NULL;
	return json_pack("{s:s, s:[s], s:o, s:[s], s:s, s:s}", "client_name", o->name,
			 "redirect_uris", redirect_uri, "grant_types", grants,
			 "response_types", "code", "token_endpoint_auth_method",
			 method_name(method), "application_type",
			 is_native ? "native" : "web");
}

/* An id becomes part of URLs and headers, a secret part of headers. */
static bool is_printable(const char *text, size_t max)
{
	size_t length = 0;

	for (; text[length]; length++)
		if (text[length] < ' ' || text[length] > '~' || length >= max)
			return false;
	return length > 0;
}

static bool read_method(const json_t *reply, enum oauth_method asked,
			struct oauth_identity *ret)
{
	const char *name = json_get_string(reply, "token_endpoint_auth_method");
	unsigned method = name ? oauth_method_of(name) : asked;

	if (method == 0 || method == OAUTH_METHOD_JWT ||
	    (method & METHODS_BY_SECRET && !ret->secret))
		return false;
	ret->method = (enum oauth_method)method;
	return true;
}

static bool read_reply(const json_t *reply, enum oauth_method asked,
		       struct oauth_identity *ret, struct error *err)
{
	const char *id = json_get_string(reply, "client_id");
	const char *secret = json_get_string(reply, "client_secret");
	int64_t until_s = json_get_int64(reply, "client_secret_expires_at", 0);

	if (!id || !is_printable(id, CLIENT_OAUTH_ID_MAX) ||
	    (secret && !is_printable(secret, CLIENT_OAUTH_TOKEN_MAX)))
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the authorization server registers us with an id or a "
				 "secret that cannot be used");
	if (secret && !(ret->secret = secret_new(secret, strlen(secret))))
		return error_oom(err);
	if (!read_method(reply, asked, ret))
		return refuse_methods(err);
	memcpy(ret->id, id, strlen(id) + 1);
	ret->is_registered = true;
	if (secret && until_s > 0 && until_s < INT64_MAX / 1000)
		ret->secret_until_ms = until_s * 1000;
	return true;
}

static bool post_request(const struct oauth_flow *f, const json_t *request,
			 json_t **ret_reply, struct error *err)
{
	static const struct http_client_header headers[] = {
		{ "Content-Type", "application/json" },
		{ "Accept", "application/json" },
		{ NULL, NULL },
	};
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	char why[OAUTH_ERROR_MAX + 1];
	int status = 0;

	if (!json_write(&body, request, err))
		return false;
	if (!strbuf_ok(&body))
		return error_oom(err);
	json_t *reply = oauth_post(f, f->o->place.registration_endpoint, headers, &body,
				   &status, err);
	if (!reply)
		return false;
	if (status == 200 || status == 201) {
		*ret_reply = reply;
		return true;
	}
	oauth_error_of(reply, why);
	json_decref(reply);
	return error_set(err, ERR_PERMISSION_DENIED,
			 "the authorization server does not register us (HTTP %d%s%s)",
			 status, *why ? ", " : "", why);
}

static bool register_us(struct oauth_flow *f, struct error *err)
{
	const enum oauth_method asked = wanted_method(&f->o->place);
	json_auto_t *request = make_request(f->o, asked);
	json_auto_t *reply = NULL;
	struct oauth_identity one = { 0 };

	if (!request)
		return error_oom(err);
	if (!post_request(f, request, &reply, err))
		return false;
	if (!read_reply(reply, asked, &one, err)) {
		oauth_identity_done(&one);
		return false;
	}
	oauth_identity_done(&f->o->identity);
	f->o->identity = one;
	return true;
}

static bool is_good_still(const struct oauth_identity *i)
{
	return *i->id &&
	       (i->secret_until_ms == 0 || clock_wall_ms() < i->secret_until_ms);
}

static bool refuse_unknown(const struct client_oauth *o, struct error *err)
{
	error_set(err, ERR_PERMISSION_DENIED,
		  "the authorization server does not know this client");
	return error_hint(
		err, "register it with the issuer '%.150s', and configure its client id",
		o->place.issuer);
}

bool oauth_identify(struct oauth_flow *f, struct error *err)
{
	struct client_oauth *o = f->o;

	if (is_known_there(o))
		return use_own(o, err);
	if (o->options->is_unattended)
		return refuse_unknown(o, err);
	if (o->options->metadata_url && o->place.takes_documents)
		return use_document(o);
	if (is_good_still(&o->identity) && o->identity.is_registered)
		return true;
	if (*o->place.registration_endpoint)
		return register_us(f, err);
	return refuse_unknown(o, err);
}
