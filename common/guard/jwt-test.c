/* What is no token for us: its form, and its claims. */
#include "guard/testing_jwt.h"

#define NOW_S  1795000000
#define NOW_MS (NOW_S * INT64_C(1000))
#define ISS    "https://login.example/realm"
#define AUD    "https://tools.example/accounts/mcp"

static const struct jwt_scope scopes[] = {
	{ "accounts:read", "accounts:read" },
	{ "accounts:write", "accounts:write" },
	{ "api://tools/Everything", "accounts:read" },
	{ "api://tools/Everything", "accounts:write" },
	{ "gate", "wingman:gate" },
	{ "register", "wingman:register" },
};
static const struct jwt_rules rules = {
	.issuer = ISS,
	.audience = AUD,
	.algs = JWT_ALGS_ALL,
	.principal_claim = "sub",
	.scopes = scopes,
	.scope_count = ARRAY_SIZE(scopes),
};

static bool read_text(const char *text, struct error *err)
{
	struct jwt t;

	error_clear(err);
	if (!jwt_read(&t, text, err)) {
		assert_int_equal(err->code, ERR_PERMISSION_DENIED);
		return false;
	}
	jwt_done(&t);
	return true;
}

static bool read_header(const char *header, struct error *err)
{
	_cleanup_strbuf_ struct strbuf token = STRBUF_INIT;

	jwt_begin(&token, header, "{}");
	strbuf_add_string(&token, ".AAAA");
	return read_text(token.data, err);
}

/* ---- Form ---- */

static void headers(void **state)
{
	static const char *const good[] = {
		"{\"alg\":\"RS256\"}",
		"{\"alg\":\"ES256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"application/AT+JWT\"}",
		("{\"typ\":\"jwt\",\"x5t\":\"abc\",\"jku\":\"https://evil.example\","
		 "\"alg\":\"RS256\"}"),
	};
	static const char *const bad[] = {
		"",
		"x",
		"[]",
		"null",
		"\"RS256\"",
		"{}",
		"{\"alg\":\"none\"}",
		"{\"alg\":\"None\"}",
		"{\"alg\":\"NONE\"}",
		"{\"alg\":\"\"}",
		"{\"alg\":null}",
		"{\"alg\":[\"RS256\"]}",
		"{\"alg\":{\"RS256\":1}}",
		"{\"alg\":\"HS256\"}",
		"{\"alg\":\"HS384\"}",
		"{\"alg\":\"HS512\"}",
		"{\"alg\":\"PS256\"}",
		"{\"alg\":\"RS384\"}",
		"{\"alg\":\"ES384\"}",
		"{\"alg\":\"ES256K\"}",
		"{\"alg\":\"rs256\"}",
		"{\"alg\":\"RS256 \"}",
		"{\"alg\":\"RS256\\u0000\"}",
		"{\"ALG\":\"RS256\"}",
		"{\"alg\":\"RS256\",\"alg\":\"none\"}",
		"{\"alg\":\"none\",\"alg\":\"RS256\"}",
		"{\"alg\":\"RS256\",\"crit\":[\"exp\"]}",
		"{\"alg\":\"RS256\",\"crit\":[]}",
		"{\"alg\":\"RS256\",\"crit\":\"b64\"}",
		"{\"alg\":\"RS256\",\"b64\":false}",
		"{\"alg\":\"RS256\",\"b64\":true}",
		"{\"alg\":\"RS256\",\"jwk\":{\"kty\":\"RSA\"}}",
		"{\"alg\":\"RS256\",\"x5c\":[\"MII\"]}",
		"{\"alg\":\"RS256\",\"zip\":\"DEF\"}",
		"{\"alg\":\"RS256\",\"enc\":\"A128GCM\"}",
		"{\"alg\":\"RS256\",\"cty\":\"JWT\"}",
		"{\"alg\":\"RS256\",\"typ\":\"dpop+jwt\"}",
		"{\"alg\":\"RS256\",\"typ\":\"id+jwt\"}",
		"{\"alg\":\"RS256\",\"typ\":\"\"}",
		"{\"alg\":\"RS256\",\"typ\":\"JWT\\u0000\"}",
		"{\"alg\":\"RS256\",\"typ\":1}",
		"{\"alg\":\"RS256\",\"kid\":7}",
		"{\"alg\":\"RS256\",\"kid\":\"a\\u0000b\"}",
		"{\"alg\":\"RS256\"} x",
	};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!read_header(good[i], &err))
			fail_msg("%s: %s", good[i], err.message);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (read_header(bad[i], &err))
			fail_msg("was read: %s", bad[i]);
}

/* {"alg":"RS256"} is eyJhbGciOiJSUzI1NiJ9, {} is e30. */
static void parts(void **state)
{
	static const char *const bad[] = {
		"",
		".",
		"..",
		"...",
		"eyJhbGciOiJSUzI1NiJ9",
		"eyJhbGciOiJSUzI1NiJ9.e30",
		"eyJhbGciOiJSUzI1NiJ9.e30.",
		"eyJhbGciOiJSUzI1NiJ9..AAAA",
		".e30.AAAA",
		"eyJhbGciOiJSUzI1NiJ9.e30.AAAA.",
		"eyJhbGciOiJSUzI1NiJ9.e30.AAAA.AAAA.AAAA", /* five: encrypted */
		"eyJhbGciOiJSUzI1NiJ9=.e30.AAAA",
		"eyJhbGciOiJSUzI1NiJ9.e30=.AAAA",
		"eyJhbGciOiJSUzI1NiJ9.e30.AAA=",
		"eyJhbGciOiJSUzI1NiJ9.e31.AAAA", /* a second spelling of e30 */
		"eyJhbGciOiJSUzI1NiJ9.e30.AAB",  /* of AAA */
		"eyJhbGciOiJSUzI1NiJ9.e30.AAA+", /* the other alphabet */
		"eyJhbGciOiJSUzI1NiJ9.e30.AA A",
		"eyJhbGciOiJSUzI1NiJ9.e30\n.AAAA",
		" eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
		"eyJhbGciOiJSUzI1NiJ9.e30.A",
		"eyJhbGciOiJSUzI1NiJ9.W10.AAAA",                /* [] */
		"eyJhbGciOiJSUzI1NiJ9.eyJhIjoxLCJhIjoyfQ.AAAA", /* {"a":1,"a":2} */
		"eyJhbGciOiJSUzI1NiJ9.e30gMQ.AAAA",             /* {} 1 */
	};
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(read_text("eyJhbGciOiJSUzI1NiJ9.e30.AAAA", &err));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (read_text(bad[i], &err))
			fail_msg("was read: %s", bad[i]);
	assert_true(jwt_is_one("a.b.c"));
	assert_false(jwt_is_one("wm_0000000000000000000000000000000000000000000"));
	assert_false(jwt_is_one("a.b"));
}

static void lengths_have_limits(void **state)
{
	_cleanup_strbuf_ struct strbuf token = STRBUF_INIT;
	struct error err = ERROR_INIT;
	char header[JWT_HEADER_BYTES_MAX + 64], kid[JWT_KID_MAX + 64];

	(void)state;
	strbuf_add_string(&token, "eyJhbGciOiJSUzI1NiJ9.e30.");
	while (token.length < JWT_BYTES_MAX)
		strbuf_add_char(&token, 'A');
	while (token.length % 4 == 2) /* 25 + 4n + 3: any tail but one digit is base64 */
		strbuf_truncate(&token, token.length - 1);
	assert_true(read_text(token.data, &err));
	strbuf_add_string(&token, "AAAA");
	assert_false(read_text(token.data, &err));
	assert_non_null(strstr(err.message, "too long"));
	for (int extra = 0; extra < 2; extra++) {
		(void)snprintf(
			header, sizeof header, "{\"alg\":\"RS256\",\"x\":\"%0*d\"}",
			(int)(JWT_HEADER_BYTES_MAX -
			      strlen("{\"alg\":\"RS256\",\"x\":\"\"}") + (size_t)extra),
			0);
		assert_int_equal(read_header(header, &err), !extra);
		(void)snprintf(kid, sizeof kid, "{\"alg\":\"RS256\",\"kid\":\"%0*d\"}",
			       JWT_KID_MAX + extra, 0);
		assert_int_equal(read_header(kid, &err), !extra);
	}
}

/* Issuers put objects into their claims, and we have no need to look into them. */
static void deep_claims(void **state)
{
	_cleanup_strbuf_ struct strbuf claims = STRBUF_INIT, token = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	jwt_begin(&token, "{\"alg\":\"RS256\"}",
		  "{\"realm_access\":{\"roles\":[\"a\"]}}");
	strbuf_add_string(&token, ".AAAA");
	assert_true(read_text(token.data, &err));
	strbuf_add_string(&claims, "{\"a\":");
	for (int i = 0; i < 1000; i++)
		strbuf_add_char(&claims, '[');
	for (int i = 0; i < 1000; i++)
		strbuf_add_char(&claims, ']');
	strbuf_add_char(&claims, '}');
	jwt_begin(&token, "{\"alg\":\"RS256\"}", claims.data);
	strbuf_add_string(&token, ".AAAA");
	assert_false(read_text(token.data, &err));
}

/* ---- Claims ---- */

static bool judge_with(const struct jwt_rules *r, const char *claims, struct caller *ret,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf token = STRBUF_INIT;
	struct jwt t;

	error_clear(err);
	memset(ret, '?', sizeof *ret);
	jwt_begin(&token, "{\"alg\":\"ES256\"}", claims);
	strbuf_add_string(&token, ".AAAA");
	if (!jwt_read(&t, token.data, err))
		fail_msg("%s: %s", claims, err->message);
	int64_t until_ms = 0;
	const bool good = jwt_judge(&t, r, NOW_MS, ret, &until_ms, err);
	jwt_done(&t);
	assert_int_equal(until_ms > NOW_MS, good);
	if (!good)
		assert_int_equal(err->code, ERR_PERMISSION_DENIED);
	return good;
}

#define GOOD                                                                             \
	"\"iss\":\"" ISS "\",\"aud\":\"" AUD "\",\"exp\":1795000300,\"iat\":1795000000," \
	"\"sub\":\"alice@example.org\",\"client_id\":\"cli\""

static void a_good_token(void **state)
{
	struct error err = ERROR_INIT;
	struct caller c;

	(void)state;
	if (!judge_with(&rules, "{" GOOD ",\"scope\":\"openid accounts:read\"}", &c,
			&err))
		fail_msg("%s", err.message);
	assert_string_equal(c.principal, "alice@example.org");
	assert_string_equal(strchr(c.subject, ' '), " alice@example.org");
	assert_string_equal(c.scopes, " accounts:read ");
	assert_int_equal(strncmp(c.client, "oauth:", 6), 0);
	assert_string_equal(strrchr(c.client, ':'), ":cli");
	assert_true(caller_may(&c, "accounts", "read"));
	assert_false(caller_may(&c, "accounts", "write"));
	/* No scopes is a token all the same: it may nothing. */
	assert_true(judge_with(&rules, "{" GOOD "}", &c, &err));
	assert_string_equal(c.scopes, " ");
}

static void claims_that_are_not_for_us(void **state)
{
#define WITH(iss, aud, exp, more)                                                        \
	"{\"iss\":" iss ",\"aud\":" aud ",\"exp\":" exp                                  \
	",\"sub\":\"alice@example.org\",\"client_id\":\"cli\"" more "}"
#define I "\"" ISS "\""
#define A "\"" AUD "\""
#define E "1795000300"
	static const struct {
		const char *claims, *says;
	} rows[] = {
		{ "{}", "issuer" },
		{ WITH("\"https://login.example/realm/\"", A, E, ""), "issuer" },
		{ WITH("\"https://login.example\"", A, E, ""), "issuer" },
		{ WITH("\"HTTPS://login.example/realm\"", A, E, ""), "issuer" },
		{ WITH("[" I "]", A, E, ""), "issuer" },
		{ WITH("\"" ISS "\\u0000\"", A, E, ""), "issuer" },
		{ WITH(I, "\"https://tools.example\"", E, ""), "audience" },
		{ WITH(I, "\"https://tools.example/accounts/mcp/\"", E, ""), "audience" },
		{ WITH(I, "\"https://tools.example/accounts\"", E, ""), "audience" },
		{ WITH(I, "\"https://tools.example/accounts/mcp#x\"", E, ""),
		  "audience" },
		{ WITH(I, "\"" AUD "\\u0000\"", E, ""), "audience" },
		{ WITH(I, "[]", E, ""), "audience" },
		{ WITH(I, "[[" A "]]", E, ""), "audience" },
		{ WITH(I, "{\"0\":" A "}", E, ""), "audience" },
		{ WITH(I, "null", E, ""), "audience" },
		{ WITH(I, "\"\"", E, ""), "audience" },
		{ WITH(I, A, "null", ""), "expires" },
		{ WITH(I, A, "\"1795000300\"", ""), "expires" },
		{ WITH(I, A, "-1", ""), "expires" },
		{ WITH(I, A, "1e300", ""), "expires" },
		{ WITH(I, A, "99999999999999999999", ""), "expires" },
		{ WITH(I, A, "0", ""), "expired" },
		{ WITH(I, A, "1794999970", ""), "expired" },
		{ WITH(I, A, "1794999969.5", ""), "expired" },
		{ WITH(I, A, E, ",\"nbf\":1795000031"), "not valid yet" },
		{ WITH(I, A, E, ",\"nbf\":\"0\""), "not valid yet" },
		{ WITH(I, A, E, ",\"nbf\":null"), "not valid yet" },
		{ WITH(I, A, E, ",\"iat\":1795000031"), "future" },
		{ WITH(I, A, E, ",\"iat\":true"), "future" },
		{ WITH(I, A, E, ",\"cnf\":{\"jkt\":\"x\"}"), "cnf" },
		{ WITH(I, A, E, ",\"cnf\":null"), "cnf" },
	};
	struct error err = ERROR_INIT;
	struct caller c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (judge_with(&rules, rows[i].claims, &c, &err))
			fail_msg("was good: %s", rows[i].claims);
		if (!strstr(err.message, rows[i].says))
			fail_msg("%s: %s", rows[i].claims, err.message);
		assert_int_equal(c.principal[0], '?'); /* untouched */
	}
	/* Just within the skew, and an audience among others. */
	assert_true(judge_with(&rules,
			       WITH(I, "[\"x\",7," A "]", "1794999971",
				    ",\"nbf\":1795000030,\"iat\":1795000030"),
			       &c, &err));
	assert_true(judge_with(&rules, WITH(I, A, "1794999970.5", ""), &c, &err));
}

static void an_issuer_keeps_to_its_algorithms(void **state)
{
	struct jwt_rules only = rules;
	struct error err = ERROR_INIT;
	struct caller c;

	(void)state;
	only.algs = JWT_RS256 | JWT_EDDSA;
	assert_false(judge_with(&only, "{" GOOD "}", &c, &err));
	only.algs = JWT_ES256;
	assert_true(judge_with(&only, "{" GOOD "}", &c, &err));
}

#define WHO(text) "{\"iss\":\"" ISS "\",\"aud\":\"" AUD "\",\"exp\":1795000300," text "}"

static void principals(void **state)
{
	static const char *const bad[] = {
		WHO("\"client_id\":\"c\""),
		WHO("\"client_id\":\"c\",\"sub\":\"\""),
		WHO("\"client_id\":\"c\",\"sub\":\"service/accounts\""),
		WHO("\"client_id\":\"c\",\"sub\":7"),
		WHO("\"client_id\":\"c\",\"sub\":[\"alice@example.org\"]"),
		WHO("\"client_id\":\"c\",\"sub\":\"alice smith\""),
		WHO("\"client_id\":\"c\",\"sub\":\"ali\\u0000ce\""),
		WHO("\"client_id\":\"c\",\"sub\":\"alic\\u00e9\""),
		WHO("\"client_id\":\"c\",\"sub\":\"a\\\"b\""),
	};
	struct jwt_rules by_mail = rules;
	struct error err = ERROR_INIT;
	struct caller c;
	char claims[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (judge_with(&rules, bad[i], &c, &err))
			fail_msg("was good: %s", bad[i]);
	for (int extra = 0; extra < 2; extra++) {
		(void)snprintf(claims, sizeof claims,
			       WHO("\"client_id\":\"c\",\"sub\":\"%0*d\""), 128 + extra,
			       0);
		assert_int_equal(judge_with(&rules, claims, &c, &err), !extra);
	}
	by_mail.principal_claim = "email";
	assert_true(judge_with(&by_mail, WHO("\"azp\":\"c\",\"email\":\"a@b.example\""),
			       &c, &err));
	assert_string_equal(c.principal, "a@b.example");
	assert_true(judge_with(
		&by_mail,
		WHO("\"azp\":\"c\",\"email\":\"a@b.example\",\"email_verified\":true"),
		&c, &err));
	assert_false(judge_with(
		&by_mail,
		WHO("\"azp\":\"c\",\"email\":\"a@b.example\",\"email_verified\":false"),
		&c, &err));
	assert_false(judge_with(&by_mail,
				WHO("\"azp\":\"c\",\"email\":\"a@b.example\",\"email_"
				    "verified\":\"false\""),
				&c, &err));
}

static void client_of(const struct jwt_rules *r, const char *member, const char *id,
		      struct caller *c)
{
	struct error err = ERROR_INIT;
	char claims[512];

	(void)snprintf(claims, sizeof claims, WHO("\"sub\":\"alice\",\"%s\":\"%s\""),
		       member, id);
	if (!judge_with(r, claims, c, &err))
		fail_msg("%s: %s", id, err.message);
}

/* Two clients are two, whatever they call themselves, and none is a static token's id. */
static void clients(void **state)
{
	static const char *const ids[] = {
		"cli",
		"CLI",
		"0oa1bcd2efGHIJ3kl4x7",
		"123e4567-e89b-12d3-a456-426614174000",
		"https://app.example/client.json",
		"https://app.example/client.json2",
		"sha256:0123456789abcdef0123456789abcdef",
		"a very long name with spaces that goes on and on and on and on",
		"1234567890123456789012345678901234567890",
		"12345678901234567890123456789012345678901",
	};
	struct caller c[ARRAY_SIZE(ids)], other, again;
	struct jwt_rules elsewhere = rules, by_cid = rules;
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		client_of(&rules, "client_id", ids[i], &c[i]);
		assert_int_equal(strncmp(c[i].client, "oauth:", 6), 0);
		assert_true(strlen(c[i].client) <= 64);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(c[i].client, c[j].client);
	}
	client_of(&rules, "azp", "cli", &again);
	assert_string_equal(again.client, c[0].client);
	/* The same name at another issuer is another client. */
	elsewhere.issuer = "https://other.example";
	assert_false(judge_with(&elsewhere, "{" GOOD "}", &other, &err));
	assert_true(judge_with(&elsewhere,
			       "{\"iss\":\"https://other.example\",\"aud\":\"" AUD
			       "\",\"exp\":1795000300,\"sub\":\"alice\",\"client_id\":"
			       "\"cli\"}",
			       &other, &err));
	assert_string_not_equal(other.client, c[0].client);
	by_cid.client_claim = "cid";
	client_of(&by_cid, "cid", "cli", &again);
	assert_string_equal(again.client, c[0].client);
	assert_false(judge_with(&by_cid, "{" GOOD "}", &other, &err));
	assert_false(judge_with(&rules, WHO("\"sub\":\"alice\""), &other, &err));
	assert_false(judge_with(&rules, WHO("\"sub\":\"alice\",\"client_id\":\"\""),
				&other, &err));
	assert_false(judge_with(&rules, WHO("\"sub\":\"alice\",\"client_id\":[\"x\"]"),
				&other, &err));
}

static void scopes_are_those_that_the_rules_name(void **state)
{
	static const struct {
		const char *claims, *scopes;
	} rows[] = {
		{ ",\"scope\":\"accounts:write accounts:read\"",
		  " accounts:read accounts:write " },
		{ ",\"scp\":[\"accounts:write\",7,\"x\"]", " accounts:write " },
		{ ",\"scp\":\"accounts:read\"", " accounts:read " },
		{ ",\"scope\":[\"accounts:read\"]", " accounts:read " },
		{ ",\"scope\":\"accounts:read\",\"scp\":[\"accounts:write\"]",
		  " accounts:read accounts:write " },
		{ ",\"scope\":\"api://tools/Everything accounts:read\"",
		  " accounts:read accounts:write " },
		{ ",\"scope\":\"  accounts:read  \"", " accounts:read " },
		{ ",\"scope\":\"accounts:readx xaccounts:read accounts:rea\"", " " },
		{ ",\"scope\":\"ACCOUNTS:READ\"", " " },
		{ ",\"scope\":\"accounts:read,accounts:write\"", " " },
		{ ",\"scope\":\"accounts:read\\u0000\"", " " },
		{ ",\"scp\":[\"accounts:read accounts:write\"]", " " },
		{ ",\"scope\":{\"accounts:read\":true}", " " },
		{ ",\"scope\":\"\"", " " },
		/* never, even when the rules say so */
		{ ",\"scope\":\"gate register wingman:gate wingman:register\"", " " },
		{ ",\"scp\":[\"wingman:gate\",\"gate\"]", " " },
	};
	struct error err = ERROR_INIT;
	struct caller c;
	char claims[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)snprintf(claims, sizeof claims, "{" GOOD "%s}", rows[i].claims);
		if (!judge_with(&rules, claims, &c, &err))
			fail_msg("%s: %s", claims, err.message);
		if (strcmp(c.scopes, rows[i].scopes) != 0)
			fail_msg("%s: '%s'", claims, c.scopes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers),
		cmocka_unit_test(parts),
		cmocka_unit_test(lengths_have_limits),
		cmocka_unit_test(deep_claims),
		cmocka_unit_test(a_good_token),
		cmocka_unit_test(claims_that_are_not_for_us),
		cmocka_unit_test(an_issuer_keeps_to_its_algorithms),
		cmocka_unit_test(principals),
		cmocka_unit_test(clients),
		cmocka_unit_test(scopes_are_those_that_the_rules_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
