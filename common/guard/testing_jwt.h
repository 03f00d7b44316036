/*
 * testing_jwt -- for tests: keys of an issuer, and tokens that they sign.
 *
 * RSA and P-256 by libjose, Ed25519 by the house. tests/oauth_test.py has keys and
 * tokens of another implementation.
 */
#ifndef GUARD_TESTING_JWT_H
#define GUARD_TESTING_JWT_H

#include <jose/jwk.h>
#include <jose/jws.h>

#include "base/testing.h"
#include "guard/jwks.h"

struct issuer {
	char folder[TESTING_PATH_BYTES];
	json_t *rsa, *ec; /* JWKs with private halves */
	struct sign_key *ed;
	char ed_x[64];    /* its public half, base64url */
	struct jwks *all; /* kids "r", "e", "d" */
};

/* The public member 'name' of a JWK. */
static inline const char *issuer_member(const json_t *jwk, const char *name)
{
	return json_string_value(json_object_get(jwk, name));
}

/* The public half of each as text, with these further members (each ends with a comma). */
static inline void issuer_add_rsa(const struct issuer *i, struct strbuf *sb,
				  const char *more)
{
	strbuf_add_format(sb, "{%s\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}", more,
			  issuer_member(i->rsa, "n"), issuer_member(i->rsa, "e"));
}

static inline void issuer_add_ec(const struct issuer *i, struct strbuf *sb,
				 const char *more)
{
	strbuf_add_format(
		sb, "{%s\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}",
		more, issuer_member(i->ec, "x"), issuer_member(i->ec, "y"));
}

static inline void issuer_add_ed(const struct issuer *i, struct strbuf *sb,
				 const char *more)
{
	strbuf_add_format(sb, "{%s\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"}",
			  more, i->ed_x);
}

static inline json_t *issuer_generate(const char *alg)
{
	json_t *jwk = json_pack("{s:s}", "alg", alg);

	assert_true(jose_jwk_gen(NULL, jwk));
	return jwk;
}

/* The raw public key is the end of its PEM. */
static inline void issuer_read_public(struct issuer *i)
{
	_cleanup_strbuf_ struct strbuf der = STRBUF_INIT, x = STRBUF_INIT;
	char path[TESTING_PATH_BYTES + 16], line[128] = "";
	struct error err = ERROR_INIT;

	(void)snprintf(path, sizeof path, "%s/ed.pem", i->folder);
	assert_true(sign_key_write_public(i->ed, path, &err));
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	assert_non_null(fgets(line, sizeof line, f));
	(void)fclose(f);
	line[strcspn(line, "\n")] = '\0';
	assert_true(digest_base64_decode(line, strlen(line), &der, &err));
	digest_base64url(&x, der.data + der.length - KEY_PUBLIC_BYTES, KEY_PUBLIC_BYTES);
	(void)snprintf(i->ed_x, sizeof i->ed_x, "%s", x.data);
}

static inline void issuer_open(struct issuer *i)
{
	_cleanup_strbuf_ struct strbuf set = STRBUF_INIT;
	char path[TESTING_PATH_BYTES + 16];
	struct error err = ERROR_INIT;

	testing_folder(i->folder);
	(void)snprintf(path, sizeof path, "%s/ed.key", i->folder);
	i->rsa = issuer_generate("RS256");
	i->ec = issuer_generate("ES256");
	i->ed = sign_key_create(path, &err);
	assert_non_null(i->ed);
	issuer_read_public(i);
	strbuf_add_string(&set, "{\"keys\":[");
	issuer_add_rsa(i, &set, "\"kid\":\"r\",");
	strbuf_add_char(&set, ',');
	issuer_add_ec(i, &set, "\"kid\":\"e\",");
	strbuf_add_char(&set, ',');
	issuer_add_ed(i, &set, "\"kid\":\"d\",");
	strbuf_add_string(&set, "]}");
	i->all = jwks_parse(set.data, set.length, &err);
	assert_non_null(i->all);
}

static inline void issuer_close(struct issuer *i)
{
	json_decref(i->rsa);
	json_decref(i->ec);
	sign_key_free(i->ed);
	jwks_unref(i->all);
	testing_remove(i->folder);
}

/* base64url(header) "." base64url(claims), whatever they are. */
static inline void jwt_begin(struct strbuf *sb, const char *header, const char *claims)
{
	strbuf_clear(sb);
	digest_base64url(sb, header, strlen(header));
	strbuf_add_char(sb, '.');
	digest_base64url(sb, claims, strlen(claims));
}

/* What libjose signs; 'jwk' has the algorithm, whatever the header says. */
static inline void jwt_sign_jose(struct strbuf *sb, const json_t *jwk, const char *header,
				 const char *claims)
{
	_cleanup_strbuf_ struct strbuf h = STRBUF_INIT, c = STRBUF_INIT;

	digest_base64url(&h, header, strlen(header));
	digest_base64url(&c, claims, strlen(claims));
	json_auto_t *jws = json_pack("{s:s}", "payload", c.data);
	json_auto_t *sig = json_pack("{s:s}", "protected", h.data);
	assert_true(jose_jws_sig(NULL, jws, sig, jwk));
	jwt_begin(sb, header, claims);
	strbuf_add_format(sb, ".%s", issuer_member(jws, "signature"));
}

static inline void jwt_sign_ed(struct strbuf *sb, const struct sign_key *key,
			       const char *header, const char *claims)
{
	uint8_t signature[KEY_SIGNATURE_BYTES];
	struct error err = ERROR_INIT;

	jwt_begin(sb, header, claims);
	assert_true(sign_key_sign(key, sb->data, sb->length, signature, &err));
	strbuf_add_char(sb, '.');
	digest_base64url(sb, signature, sizeof signature);
}

#endif
