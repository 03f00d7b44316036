#include "base/clock.h"
#include "mcp/client/client_oauth_private.h"

/* ---- Out ---- */

static bool write_url(const struct oauth_flow *f, const char *scope, const char *state,
		      const char *challenge, struct strbuf *sb, struct error *err)
{
	const struct client_oauth *o = f->o;
	const char *endpoint = o->place.authorization_endpoint;

	strbuf_add_string(sb, endpoint);
	strbuf_add_string(sb, strchr(endpoint, '?') ? "" : "?");
	oauth_form_add(sb, "response_type", "code");
	oauth_form_add(sb, "client_id", o->identity.id);
	oauth_form_add(sb, "redirect_uri", o->options->redirect_uri);
	if (*scope)
		oauth_form_add(sb, "scope", scope);
	oauth_form_add(sb, "state", state);
	oauth_form_add(sb, "code_challenge", challenge);
	oauth_form_add(sb, "code_challenge_method", "S256");
	oauth_form_add(sb, "resource", o->resource.resource);
	/* OpenID Connect: a refresh token comes only when a person was asked. */
	if (oauth_scope_has(scope, "offline_access"))
		oauth_form_add(sb, "prompt", "consent");
	return strbuf_ok(sb) || error_oom(err);
}

/* ---- Back ---- */

struct answer {
	struct strbuf code, state, iss, error;
	bool has_code, has_state, has_iss, has_error;
};

static void answer_done(struct answer *a)
{
	strbuf_wipe(&a->code);
	strbuf_wipe(&a->state);
	strbuf_done(&a->iss);
	strbuf_done(&a->error);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Visible ASCII and spaces alone: nothing else is in what we look for. */
static bool decode(const char *text, size_t length, struct strbuf *ret)
{
	for (size_t i = 0; i < length; i++) {
		int c = (unsigned char)text[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
			int low = i + 2 < length ? hex_digit(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = high * 16 + low;
			i += 2;
		}
		if (c < ' ' || c > '~')
			return false;
		strbuf_add_char(ret, (char)c);
	}
	return strbuf_ok(ret);
}

/* One name=value. What we look for may be there once. */
static bool take_pair(struct answer *a, const char *pair, size_t length)
{
	const struct {
		const char *name;
		struct strbuf *value;
		bool *has;
	} known[] = {
		{ "code", &a->code, &a->has_code },
		{ "state", &a->state, &a->has_state },
		{ "iss", &a->iss, &a->has_iss },
		{ "error", &a->error, &a->has_error },
	};
	const char *equals = memchr(pair, '=', length);
	size_t name = equals ? (size_t)(equals - pair) : length;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strlen(known[i].name) != name ||
		    memcmp(pair, known[i].name, name) != 0)
			continue;
		if (*known[i].has || !equals)
			return false;
		*known[i].has = true;
		return decode(equals + 1, length - name - 1, known[i].value);
	}
	return true;
}

static bool read_query(struct answer *a, const char *query)
{
	size_t length = strcspn(query, "#");

	while (length > 0) {
		const char *end = memchr(query, '&', length);
		size_t pair = end ? (size_t)(end - query) : length;

		if (!take_pair(a, query, pair))
			return false;
		query += end ? pair + 1 : pair;
		length -= end ? pair + 1 : pair;
	}
	return true;
}

/* The query of 'url', if it is our redirect URI with one. NULL if it is another. */
static const char *query_of(const char *url, const char *redirect_uri)
{
	size_t length = strlen(redirect_uri);
	char want = strchr(redirect_uri, '?') ? '&' : '?';

	return strncmp(url, redirect_uri, length) == 0 && url[length] == want
		       ? url + length + 1
		       : NULL;
}

/* RFC 9207 and PROTOCOL 6.2, 9: who answers is whom we asked, as a plain text. */
static bool is_from_issuer(const struct answer *a, const struct oauth_place *place)
{
	if (!a->has_iss)
		return !place->tells_issuer;
	return strcmp(a->iss.data, place->issuer) == 0;
}

static struct secret *judge(const struct answer *a, const struct oauth_place *place,
			    const char *state, struct error *err)
{
	struct secret *code = NULL;

	if (!a->has_state || !digest_equal_text(a->state.data, state)) {
		error_set(err, ERR_PERMISSION_DENIED,
			  "the answer is not to what was asked of the authorization "
			  "server");
	} else if (!is_from_issuer(a, place)) {
		/* What else it says is not even shown. */
		error_set(err, ERR_PERMISSION_DENIED,
			  "the answer is not of the authorization server that was asked");
	} else if (a->has_error) {
		const char *why = a->error.data;
		bool plain = strspn(why, "abcdefghijklmnopqrstuvwxyz_") ==
				     a->error.length &&
			     a->error.length <= OAUTH_ERROR_MAX;

		error_set(err, ERR_PERMISSION_DENIED,
			  "the authorization server gives no access (%s)",
			  plain && *why ? why : "it does not say why");
	} else if (!a->has_code || a->code.length == 0 ||
		   a->code.length > CLIENT_OAUTH_TOKEN_MAX) {
		error_set(err, ERR_PERMISSION_DENIED,
			  "the authorization server's answer has no code");
	} else if (!(code = secret_new(a->code.data, a->code.length))) {
		error_oom(err);
	}
	return code;
}

struct secret *oauth_read_redirect(const struct oauth_place *place,
				   const char *redirect_uri, const char *url,
				   const char *state, struct error *err)
{
	struct answer a = { STRBUF_INIT, STRBUF_INIT, STRBUF_INIT, STRBUF_INIT,
			    false,       false,       false,       false };
	const char *query = NULL;
	struct secret *code = NULL;

	if (strnlen(url, CLIENT_OAUTH_REDIRECT_MAX + 1) <= CLIENT_OAUTH_REDIRECT_MAX)
		query = query_of(url, redirect_uri);
	if (query && read_query(&a, query))
		code = judge(&a, place, state, err);
	else
		error_set(err, ERR_PERMISSION_DENIED,
			  "what came back from authorization is no answer to us");
	answer_done(&a);
	return code;
}

/* ---- Asking ---- */

static struct secret *ask(struct oauth_flow *f, const char *url, const char *state,
			  struct error *err)
{
	const struct mcp_client_oauth *options = f->o->options;
	_cleanup_strbuf_ struct strbuf back = STRBUF_INIT;
	const int64_t began_ms = clock_mono_ms();
	struct secret *code = NULL;
	bool good = options->authorize(options->context, url, f->cancel, &back, err);
	const int64_t took_ms = clock_mono_ms() - began_ms;

	f->until_ms += took_ms;
	(void)atomic_fetch_add(&f->o->asked_ms, took_ms);
	if (!good || !strbuf_ok(&back) || strlen(back.data) != back.length)
		error_set(err, ERR_PERMISSION_DENIED, "nobody authorized this client");
	else
		code = oauth_read_redirect(&f->o->place, options->redirect_uri, back.data,
					   state, err);
	strbuf_wipe(&back);
	return code;
}

struct secret *oauth_ask(struct oauth_flow *f, const char *scope,
			 char verifier[static OAUTH_PKCE_BYTES], struct error *err)
{
	const struct client_oauth *o = f->o;
	char state[OAUTH_PKCE_BYTES], challenge[OAUTH_PKCE_BYTES];
	_cleanup_strbuf_ struct strbuf url = STRBUF_INIT;

	if (!o->options->authorize || !*o->place.authorization_endpoint) {
		error_set(err, ERR_PERMISSION_DENIED,
			  "the server wants a person's authorization, and none can be "
			  "asked");
		return NULL;
	}
	if (!o->place.has_s256) {
		error_set(err, ERR_PERMISSION_DENIED,
			  "the authorization server does not say that it takes PKCE with "
			  "S256");
		return NULL;
	}
	if (!oauth_pkce_verifier(verifier, err) || !oauth_pkce_verifier(state, err) ||
	    !oauth_pkce_challenge(verifier, challenge, err) ||
	    !write_url(f, scope, state, challenge, &url, err))
		return NULL;
	struct secret *code = ask(f, url.data, state, err);
	explicit_bzero(state, sizeof state);
	strbuf_wipe(&url); /* the state is in it */
	return code;
}
