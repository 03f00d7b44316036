/* A service app's access token: client credentials with private_key_jwt. */
#include <strings.h>

#include "api/okta/okta_private.h"
#include "base/digest.h"

#define TOKEN_PATH     "/oauth2/v1/token"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* Okta takes an hour at most; ours is used at once. */
enum { ASSERTION_S = 300, LIFE_MAX_S = 24 * 3600 };

static bool make_form(struct okta *o, struct strbuf *form, struct error *err)
{
	_cleanup_(strbuf_wipe) struct strbuf assertion = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf audience = STRBUF_INIT;
	const json_int_t now_s = (json_int_t)(rest_vendor_now_ms(o->rest) / 1000);
	char id[DIGEST_ID_BYTES];

	digest_random_id(id);
	strbuf_add_format(&audience, "%s" TOKEN_PATH, rest_base(o->rest));
	json_auto_t *claims = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "iss",
					o->client_id, "sub", o->client_id, "aud",
					audience.data, "iat", now_s, "exp",
					now_s + ASSERTION_S, "jti", id);
	if (!claims || !strbuf_ok(&audience))
		return error_oom(err);
	if (!jwt_signer_sign(o->signer, claims, &assertion, err))
		return false;
	rest_form_add(form, "grant_type", "client_credentials");
	rest_form_add(form, "scope", o->scopes);
	rest_form_add(form, "client_assertion_type", ASSERTION_TYPE);
	rest_form_add(form, "client_assertion", assertion.data);
	return strbuf_ok(form) || error_oom(err);
}

/* An assertion counts once, so that a repetition wants a new one: not rest's to do. */
static bool ask(struct okta *o, const struct rest_patience *patience,
		struct rest_reply *reply, struct error *err)
{
	_cleanup_(strbuf_wipe) struct strbuf form = STRBUF_INIT;

	if (!make_form(o, &form, err))
		return false;
	const struct rest_request request = { .what = "get an access token",
					      .method = "POST",
					      .path = TOKEN_PATH,
					      .form = form.data,
					      .authorization = "",
					      .bucket = "token" };
	return rest_call(o->rest, &request, patience, reply, err);
}

bool okta_fetch_token(void *context, const struct rest_patience *patience,
		      struct strbuf *token, int64_t *ret_life_ms, struct error *err)
{
	struct okta *o = context;
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	struct error why = ERROR_INIT;
	bool good = ask(o, patience, &reply, &why);

	if (!good && why.code == ERR_UNKNOWN_OUTCOME) {
		error_clear(&why);
		good = ask(o, patience, &reply, &why);
	}
	if (!good) {
		/* What this token is for was not even begun. */
		if (why.code == ERR_UNKNOWN_OUTCOME)
			why.code = ERR_BACKEND_UNAVAILABLE;
		*err = why;
		return false;
	}
	const char *type = json_get_string(reply.body, "token_type");
	const char *text = json_get_string(reply.body, "access_token");
	const int64_t life_s = json_get_int64(reply.body, "expires_in", 0);
	if (!text || !type || strcasecmp(type, "Bearer") != 0 || life_s <= 0)
		return okta_fail_shape("access token", err);
	strbuf_add_string(token, text);
	*ret_life_ms = (life_s > LIFE_MAX_S ? LIFE_MAX_S : life_s) * 1000;
	return strbuf_ok(token) || error_oom(err);
}
