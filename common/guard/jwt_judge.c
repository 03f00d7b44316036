/* What the claims of a token say, held against what an operator wrote down. */
#include "guard/jwt.h"

#include "guard/copy.h"
#include "guard/names.h"

enum { SECONDS_MAX = INT32_MAX * INT64_C(100), SUBJECT_MAX = 255 };

static bool refuse(struct error *err, const char *reason)
{
	return error_set(err, ERR_PERMISSION_DENIED, "%s", reason);
}

/* ---- For whom and when ---- */

static bool is_text(const json_t *value, const char *text)
{
	const size_t length = strlen(text);

	return json_is_string(value) && json_string_length(value) == length &&
	       memcmp(json_string_value(value), text, length) == 0;
}

static bool is_for(const json_t *aud, const char *audience)
{
	const json_t *one;
	size_t i;

	json_array_foreach(aud, i, one)
	{
		if (is_text(one, audience))
			return true;
	}
	return is_text(aud, audience);
}

/* Seconds since 1970, which may have a fraction. False: it is something else. */
static bool read_time(const json_t *value, int64_t *ret_ms)
{
	const double seconds = json_number_value(value);

	if (!json_is_number(value) || !(seconds >= 0 && seconds <= (double)SECONDS_MAX))
		return false;
	*ret_ms = (int64_t)(seconds * 1000);
	return true;
}

static bool check_times(const json_t *claims, int64_t now_ms, int64_t *ret_until_ms,
			struct error *err)
{
	const json_t *nbf = json_object_get(claims, "nbf"),
		     *iat = json_object_get(claims, "iat");
	int64_t at_ms, until_ms;

	if (!read_time(json_object_get(claims, "exp"), &until_ms))
		return refuse(err, "the token does not say when it expires");
	until_ms += JWT_SKEW_MS;
	if (now_ms >= until_ms)
		return refuse(err, "the token has expired");
	if (nbf && (!read_time(nbf, &at_ms) || at_ms > now_ms + JWT_SKEW_MS))
		return refuse(err, "the token is not valid yet");
	if (iat && (!read_time(iat, &at_ms) || at_ms > now_ms + JWT_SKEW_MS))
		return refuse(err, "the token was issued in the future");
	*ret_until_ms = until_ms;
	return true;
}

/* ---- Who ---- */

static bool read_principal(const json_t *claims, const char *claim, struct caller *ret,
			   struct error *err)
{
	const char *principal = json_get_string(claims, claim);
	const json_t *verified = json_object_get(claims, "email_verified");

	/* "service/..." are our own programs. */
	if (!principal || !name_is_principal(principal) ||
	    strncmp(principal, "service/", strlen("service/")) == 0)
		return refuse(err, "the token names nobody who can be a principal");
	/* Whoever may type an address into an account must not become its owner. */
	if (strcmp(claim, "email") == 0 && verified && !json_is_true(verified))
		return refuse(err, "the issuer has not verified the address");
	COPY(ret->principal, principal);
	return true;
}

/* Letters, digits, '.', '_' and '-': written out. Whatever else: by its digest, behind a
 * word with a ':', which the first kind has not. */
static bool is_simple(const char *id)
{
	const size_t length =
		strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			   "0123456789._-");

	return length <= 40 && id[length] == '\0';
}

static bool read_client(const json_t *claims, const struct jwt_rules *rules,
			struct caller *ret, struct error *err)
{
	const char *id = rules->client_claim
				 ? json_get_string(claims, rules->client_claim)
				 : json_get_string(claims, "client_id")
					   ?: json_get_string(claims, "azp");
	char issuer[DIGEST_HEX_BYTES], digest[DIGEST_HEX_BYTES];

	if (!id || !*id)
		return refuse(err, "the token does not name its client");
	digest_sha256_hex(rules->issuer, strlen(rules->issuer), issuer);
	digest_sha256_hex(id, strlen(id), digest);
	if (is_simple(id))
		(void)snprintf(ret->client, sizeof ret->client, "oauth:%.8s:%.40s",
			       issuer, id);
	else
		(void)snprintf(ret->client, sizeof ret->client, "oauth:%.8s:sha256:%.32s",
			       issuer, digest);
	return true;
}

/* An issuer and whom it means, as people write it into the gate's map of persons. */
static bool read_subject(const json_t *claims, const struct jwt_rules *rules,
			 struct caller *ret, struct error *err)
{
	const json_t *sub = json_object_get(claims, "sub");
	const char *text = json_string_value(sub);
	const size_t length = json_string_length(sub);
	char digest[DIGEST_HEX_BYTES];
	int n;

	if (length == 0)
		return true;
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~' || length > SUBJECT_MAX) {
			digest_sha256_hex(text, length, digest);
			n = snprintf(ret->subject, sizeof ret->subject, "%s sha256:%s",
				     rules->issuer, digest);
			return n < (int)sizeof ret->subject ||
			       refuse(err, "the issuer's name is too long");
		}
	n = snprintf(ret->subject, sizeof ret->subject, "%s %s", rules->issuer, text);
	return n < (int)sizeof ret->subject ||
	       refuse(err, "the issuer's name is too long");
}

/* ---- What he may ---- */

/* Whether 'name' is among the words of 'text', which spaces separate. */
static bool has_word(const json_t *text, const char *name)
{
	const char *at = json_string_value(text), *end = at + json_string_length(text);
	const size_t length = strlen(name);

	while (at < end) {
		const char *space = memchr(at, ' ', (size_t)(end - at));
		const char *stop = space ? space : end;

		if ((size_t)(stop - at) == length && memcmp(at, name, length) == 0)
			return true;
		at = stop + 1;
	}
	return false;
}

static bool grants(const json_t *claim, const char *name)
{
	const json_t *one;
	size_t i;

	if (json_is_string(claim))
		return has_word(claim, name);
	json_array_foreach(claim, i, one)
	{
		if (is_text(one, name))
			return true;
	}
	return false;
}

static bool read_scopes(const json_t *claims, const struct jwt_rules *rules,
			struct caller *ret, struct error *err)
{
	const json_t *scope = json_object_get(claims, "scope"),
		     *scp = json_object_get(claims, "scp");
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	ret->scopes[0] = '\0';
	strbuf_add_char(&sb, ' ');
	for (size_t i = 0; i < rules->scope_count; i++) {
		const struct jwt_scope *s = &rules->scopes[i];

		/* The scopes of our own programs are no issuer's to give. */
		if (strncmp(s->gives, "wingman:", strlen("wingman:")) == 0 ||
		    !(grants(scope, s->name) || grants(scp, s->name)))
			continue;
		COPY(ret->scopes, sb.data);
		if (!caller_has_scope(ret, s->gives))
			strbuf_add_format(&sb, "%s ", s->gives);
	}
	if (!strbuf_ok(&sb) || sb.length >= sizeof ret->scopes)
		return refuse(err, "the token has too many scopes");
	COPY(ret->scopes, sb.data);
	return true;
}

/* ---- All of it ---- */

bool jwt_judge(const struct jwt *t, const struct jwt_rules *rules, int64_t now_ms,
	       struct caller *ret, int64_t *ret_until_ms, struct error *err)
{
	struct caller caller = { 0 };
	int64_t until_ms = 0;

	if (!is_text(json_object_get(t->claims, "iss"), rules->issuer))
		return refuse(err, "the token is of another issuer");
	if (!(rules->algs & t->alg))
		return refuse(err, "this issuer does not sign with this algorithm");
	if (!is_for(json_object_get(t->claims, "aud"), rules->audience))
		return refuse(err, "the token is for another audience");
	/* Bound to a key or a certificate that we cannot ask for: whoever stole it must not
	 * be let in as if it were not. */
	if (json_object_get(t->claims, "cnf"))
		return refuse(err, "the token is bound to a key (cnf), which is not "
				   "understood here");
	if (!check_times(t->claims, now_ms, &until_ms, err) ||
	    !read_principal(t->claims, rules->principal_claim, &caller, err) ||
	    !read_client(t->claims, rules, &caller, err) ||
	    !read_subject(t->claims, rules, &caller, err) ||
	    !read_scopes(t->claims, rules, &caller, err))
		return false;
	*ret = caller;
	*ret_until_ms = until_ms;
	return true;
}
