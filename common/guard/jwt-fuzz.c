/*
 * jwt_read, jwks_parse and jwt_judge: of a stranger's bytes, and, so that what stands
 * behind the signature is reached too, of a token made of their first line as its
 * header and the rest as its claims. Nothing but our own key's signature is ever good.
 */
#include "tests/fuzz/fuzz.h"

#include <assert.h>

#include "guard/jwks.h"
#include "guard/names.h"

static const struct jwt_scope scopes[] = {
	{ "read", "accounts:read" },
	{ "gate", "wingman:gate" },
};
static const struct jwt_rules rules = {
	.issuer = "i",
	.audience = "a",
	.algs = JWT_ALGS_ALL,
	.principal_claim = "sub",
	.scopes = scopes,
	.scope_count = ARRAY_SIZE(scopes),
};

/* A signature that is good for nothing that can be invented. */
static const char set[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
			  "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

static void try_token(const char *text, const struct jwks *keys)
{
	struct error err = ERROR_INIT;
	struct caller caller;
	int64_t until_ms;
	struct jwt t;

	if (!jwt_read(&t, text, &err)) {
		assert(err.code == ERR_PERMISSION_DENIED);
		return;
	}
	assert(jwks_check(keys, &t) != JWKS_GOOD);
	if (jwt_judge(&t, &rules, 1000, &caller, &until_ms, &err)) {
		assert(name_is_principal(caller.principal));
		assert(!caller_has_scope(&caller, SCOPE_GATE));
		assert(strncmp(caller.client, "oauth:", 6) == 0);
	} else {
		assert(err.code == ERR_PERMISSION_DENIED);
	}
	jwt_done(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, token = STRBUF_INIT;
	struct error err = ERROR_INIT;
	_cleanup_(jwks_unrefp) struct jwks *keys = jwks_parse(set, strlen(set), &err);

	assert(keys);
	strbuf_add(&text, data, size);
	try_token(text.data, keys);
	_cleanup_(jwks_unrefp) struct jwks *invented = jwks_parse(text.data, size, &err);
	const char *line = memchr(text.data, '\n', size);
	const size_t header = line ? (size_t)(line - text.data) : size;

	digest_base64url(&token, text.data, header);
	strbuf_add_char(&token, '.');
	if (line)
		digest_base64url(&token, line + 1, size - header - 1);
	strbuf_add_string(&token, ".AAAA");
	try_token(token.data, keys);
	if (invented)
		try_token(token.data, invented);
	return 0;
}
