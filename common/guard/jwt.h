/*
 * jwt -- access tokens that somebody else's issuer signed (RFC 7519, RFC 9068).
 *
 * Reading splits a token and refuses, before any key is looked at, whatever is no plain
 * signed token: an algorithm but the three below ("none" and the HMACs among them), a
 * header member that is no text ("crit", "jwk", "x5c", "b64"), a nested or encrypted
 * one, a member that is there twice, base64url that has a second spelling, and what is
 * too long. Keys that a token brings or points to ("jku", "x5u") are never used.
 *
 * Nothing that was read may be believed before jwks_check (guard/jwks.h) found the
 * signature good and jwt_judge the claims. What comes out is the struct caller of a
 * static token, with no scope but those that the rules name: a token of an issuer never
 * speaks for the gate or registers calls.
 */
#ifndef GUARD_JWT_H
#define GUARD_JWT_H

#include "base/json.h"
#include "guard/token.h"

enum jwt_alg { JWT_RS256 = 1, JWT_ES256 = 2, JWT_EDDSA = 4 }; /* bits of a mask */
enum { JWT_ALGS_ALL = JWT_RS256 | JWT_ES256 | JWT_EDDSA };

enum {
	JWT_BYTES_MAX = 8192,
	JWT_HEADER_BYTES_MAX = 1024, /* decoded */
	JWT_KID_MAX = 128,
	JWT_SKEW_MS = 30 * 1000, /* how far an issuer's clock may be from ours */
};

/* "RS256", "ES256", "EdDSA"; false for anything else. */
bool jwt_alg_parse(const char *name, enum jwt_alg *ret);
const char *jwt_alg_name(enum jwt_alg alg);

struct jwt {
	enum jwt_alg alg;
	char kid[JWT_KID_MAX + 1];
	bool has_kid;
	json_t *claims;          /* an object */
	const char *text;        /* borrowed */
	size_t header_bytes;     /* of 'text', before the first dot */
	size_t payload_bytes;    /* between the dots */
	struct strbuf signature; /* decoded */
};

/* Whether a bearer token can be one at all; static tokens have no dots. */
bool jwt_is_one(const char *token);
/* ERR_PERMISSION_DENIED says which check failed and quotes nothing. 'text' is borrowed;
 * on failure there is nothing to free. */
bool jwt_read(struct jwt *ret, const char *text, struct error *err);
void jwt_done(struct jwt *t);
/* Who says to have signed it; NULL if it does not say. */
const char *jwt_issuer(const struct jwt *t);

/* A scope of the issuer, and what it is called here. */
struct jwt_scope {
	const char *name, *gives;
};

struct jwt_rules {
	const char *issuer;          /* "iss" is exactly this */
	const char *audience;        /* "aud" is or contains exactly this */
	unsigned algs;               /* mask of enum jwt_alg */
	const char *principal_claim; /* whom the caller is called after */
	const char *client_claim;    /* NULL: "client_id", else "azp" */
	const struct jwt_scope *scopes;
	size_t scope_count;
};

/*
 * The claims against the rules: issuer, audience, algorithm, "exp" (required), "nbf" and
 * "iat" within JWT_SKEW_MS, principal, client. Refused besides: a token that is bound to
 * a key ("cnf"), the names of our own programs, and "email" as a principal where
 * "email_verified" denies it. Scopes come from "scope" and "scp", texts or arrays.
 * 'ret' gets a client that meets no static token's id: "oauth:", a digest of the issuer,
 * and the client's name or its digest. '*ret_until_ms' is when the token stops being
 * good. ERR_PERMISSION_DENIED quotes nothing of the token.
 */
bool jwt_judge(const struct jwt *t, const struct jwt_rules *rules, int64_t now_ms,
	       struct caller *ret, int64_t *ret_until_ms, struct error *err);

#endif
