#include <strings.h>

#include "base/clock.h"
#include "mcp/client/client_oauth_private.h"

enum {
	ASSERTION_S = 120,
	EARLY_MS = 30 * 1000,              /* before its end a token is renewed */
	LIFE_MAX_S = 10 * 365 * 24 * 3600, /* more is as good as not told */
};

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

void oauth_tokens_done(struct oauth_tokens *t)
{
	secret_free(t->access);
	secret_free(t->refresh);
	*t = (struct oauth_tokens){ 0 };
}

/* ---- Who we are ---- */

/* RFC 6749, 2.3.1: both parts encoded like a form's. */
static bool add_basic(const struct oauth_identity *i, struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf pair = STRBUF_INIT;
	bool good;

	oauth_form_encode(&pair, i->id);
	strbuf_add_char(&pair, ':');
	oauth_form_encode(&pair, secret_bytes(i->secret));
	strbuf_add_string(ret, "Basic ");
	digest_base64(ret, pair.data, pair.length);
	good = strbuf_ok(&pair) && strbuf_ok(ret);
	strbuf_wipe(&pair);
	return good;
}

/* RFC 7523, 3, with the issuer for the audience (PROTOCOL 10, 10). */
static bool add_assertion(const struct oauth_flow *f, struct strbuf *body,
			  struct error *err)
{
	const char *id = f->o->identity.id;
	const json_int_t now_s = clock_wall_ms() / 1000;
	const json_int_t until_s = now_s + ASSERTION_S;
	_cleanup_strbuf_ struct strbuf token = STRBUF_INIT;
	char jti[DIGEST_ID_BYTES];
	bool good;

	digest_random_id(jti);
	json_auto_t *claims = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "iss", id,
					"sub", id, "aud", f->o->place.issuer, "jti", jti,
					"iat", now_s, "exp", until_s);
	if (!claims)
		return error_oom(err);
	good = jwt_signer_sign(f->o->signer, claims, &token, err);
	if (good) {
		oauth_form_add(body, "client_assertion_type", ASSERTION_TYPE);
		oauth_form_add(body, "client_assertion", token.data);
	}
	strbuf_wipe(&token);
	return good;
}

static bool add_identity(const struct oauth_flow *f, struct strbuf *body,
			 struct strbuf *basic, struct error *err)
{
	const struct oauth_identity *i = &f->o->identity;

	switch (i->method) {
	case OAUTH_METHOD_BASIC:
		return add_basic(i, basic) || error_oom(err);
	case OAUTH_METHOD_POST:
		oauth_form_add(body, "client_id", i->id);
		oauth_form_add(body, "client_secret", secret_bytes(i->secret));
		return true;
	case OAUTH_METHOD_JWT:
		oauth_form_add(body, "client_id", i->id);
		return add_assertion(f, body, err);
	case OAUTH_METHOD_NONE:
		oauth_form_add(body, "client_id", i->id);
		return true;
	}
	return error_set(err, ERR_INTERNAL, "it is not said who we are");
}

/* ---- What comes ---- */

/* RFC 6750's b64token, so that it can be a header: nothing else goes out. */
static bool is_bearer_token(const char *text)
{
	size_t length = strspn(text,
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			       "0123456789-._~+/");

	length += strspn(text + length, "=");
	return length > 0 && text[length] == '\0' && length <= CLIENT_OAUTH_TOKEN_MAX;
}

static struct secret *read_refresh(const json_t *reply)
{
	const char *text = json_get_string(reply, "refresh_token");
	size_t length = text ? strlen(text) : 0;

	return length > 0 && length <= CLIENT_OAUTH_TOKEN_MAX ? secret_new(text, length)
							      : NULL;
}

static bool read_tokens(const json_t *reply, struct oauth_tokens *ret, struct error *err)
{
	const char *access = json_get_string(reply, "access_token");
	const char *type = json_get_string(reply, "token_type");
	int64_t life_s = json_get_int64(reply, "expires_in", 0);

	if (!access || !type || strcasecmp(type, "Bearer") != 0 ||
	    !is_bearer_token(access))
		return error_set(
			err, ERR_BACKEND_UNAVAILABLE,
			"the authorization server gives no token that can be used");
	ret->access = secret_new(access, strlen(access));
	if (!ret->access)
		return error_oom(err);
	ret->refresh = read_refresh(reply);
	if (life_s > 0 && life_s < LIFE_MAX_S)
		ret->renew_ms = clock_wall_ms() + life_s * 1000 -
				(life_s * 250 < EARLY_MS ? life_s * 250 : EARLY_MS);
	return true;
}

/* A refusal that tells that what we are there, or the token, is not known any more. */
static void forget_what_is_refused(struct client_oauth *o, const char *why)
{
	if (strcmp(why, "invalid_client") == 0 && o->identity.is_registered)
		oauth_identity_done(&o->identity);
}

static bool refuse(struct client_oauth *o, const json_t *reply, int status,
		   struct error *err)
{
	char why[OAUTH_ERROR_MAX + 1];

	oauth_error_of(reply, why);
	forget_what_is_refused(o, why);
	return error_set(err,
			 status >= 500 || status == 429 ? ERR_BACKEND_UNAVAILABLE
							: ERR_PERMISSION_DENIED,
			 "the authorization server gives no token (HTTP %d%s%s)", status,
			 *why ? ", " : "", why);
}

/* 'body' has the grant; who we are and for what is added. Wipes it. */
static bool request(struct oauth_flow *f, struct strbuf *body, struct oauth_tokens *ret,
		    struct error *err)
{
	_cleanup_strbuf_ struct strbuf basic = STRBUF_INIT;
	struct http_client_header headers[4] = {
		{ "Content-Type", "application/x-www-form-urlencoded" },
		{ "Accept", "application/json" },
	};
	json_t *reply = NULL;
	bool good = false;
	int status = 0;

	oauth_form_add(body, "resource", f->o->resource.resource);
	if (add_identity(f, body, &basic, err)) {
		if (basic.length > 0)
			headers[2] = (struct http_client_header){ "Authorization",
								  basic.data };
		if (strbuf_ok(body) && strbuf_ok(&basic))
			reply = oauth_post(f, f->o->place.token_endpoint, headers, body,
					   &status, err);
		else
			error_oom(err);
	}
	strbuf_wipe(body);
	strbuf_wipe(&basic);
	if (reply)
		good = status == 200 ? read_tokens(reply, ret, err)
				     : refuse(f->o, reply, status, err);
	json_decref(reply);
	return good;
}

/* ---- Grants ---- */

bool oauth_request_by_code(struct oauth_flow *f, const struct secret *code,
			   const char *verifier, struct oauth_tokens *ret,
			   struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;

	oauth_form_add(&body, "grant_type", "authorization_code");
	oauth_form_add(&body, "code", secret_bytes(code));
	oauth_form_add(&body, "redirect_uri", f->o->options->redirect_uri);
	oauth_form_add(&body, "code_verifier", verifier);
	return request(f, &body, ret, err);
}

bool oauth_request_by_refresh(struct oauth_flow *f, const struct secret *refresh,
			      struct oauth_tokens *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;

	oauth_form_add(&body, "grant_type", "refresh_token");
	oauth_form_add(&body, "refresh_token", secret_bytes(refresh));
	if (!request(f, &body, ret, err))
		return false;
	/* One that does not rotate stays good. */
	if (!ret->refresh)
		ret->refresh = secret_new(secret_bytes(refresh), secret_length(refresh));
	return true;
}

bool oauth_request_by_credentials(struct oauth_flow *f, const char *scope,
				  struct oauth_tokens *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;

	oauth_form_add(&body, "grant_type", "client_credentials");
	if (*scope)
		oauth_form_add(&body, "scope", scope);
	return request(f, &body, ret, err);
}
