/* An app's installation token: a JWT of ours for an hour's token of theirs. */
#include "api/github/github_private.h"
#include "base/clock.h"

/* GitHub takes ten minutes at most, and clocks that are a minute apart. */
enum { JWT_BACK_S = 60, JWT_AHEAD_S = 8 * 60, LIFE_MAX_MS = 24 * 3600 * 1000 };

bool github_fetch_token(void *context, const struct rest_patience *patience,
			struct strbuf *token, int64_t *ret_life_ms, struct error *err)
{
	struct github *g = context;
	_cleanup_(strbuf_wipe) struct strbuf authorization = STRBUF_INIT;
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	const json_int_t now_s = (json_int_t)(rest_vendor_now_ms(g->rest) / 1000);
	char path[64], issuer[24];
	int64_t until_ms;

	(void)snprintf(issuer, sizeof issuer, "%lld", (long long)g->app_id);
	(void)snprintf(path, sizeof path, "/app/installations/%lld/access_tokens",
		       (long long)g->installation_id);
	json_auto_t *claims = json_pack("{s:I, s:I, s:s}", "iat", now_s - JWT_BACK_S,
					"exp", now_s + JWT_AHEAD_S, "iss", issuer);
	if (!claims)
		return error_oom(err);
	strbuf_add_string(&authorization, "Bearer ");
	if (!jwt_signer_sign(g->signer, claims, &authorization, err))
		return false;
	/* One token more does no harm. */
	const struct rest_request request = { .what = "get an access token",
					      .method = "POST",
					      .path = path,
					      .authorization = authorization.data,
					      .bucket = "token",
					      .reads = true };
	if (!rest_call(g->rest, &request, patience, &reply, err))
		return false;
	const char *text = json_get_string(reply.body, "token");
	const char *until = json_get_string(reply.body, "expires_at");
	struct error ignored = ERROR_INIT;
	if (!text || !until || !clock_parse(until, &until_ms, &ignored))
		return github_fail_shape("access token", err);
	const int64_t life_ms = until_ms - rest_vendor_now_ms(g->rest);
	if (life_ms <= 0)
		return github_fail_shape("access token that is good", err);
	strbuf_add_string(token, text);
	*ret_life_ms = life_ms > LIFE_MAX_MS ? LIFE_MAX_MS : life_ms;
	return strbuf_ok(token) || error_oom(err);
}
