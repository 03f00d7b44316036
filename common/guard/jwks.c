#include "guard/jwks.h"

#include <stdatomic.h>

#include <openssl/err.h>

#include "guard/copy.h"
#include "guard/jose_late.h"

enum { RSA_BYTES_MIN = 2048 / 8, RSA_BYTES_MAX = 4096 / 8, EXPONENT_BYTES_MAX = 4 };

struct jwk {
	enum jwt_alg alg;
	char kid[JWT_KID_MAX + 1];
	bool has_kid;
	json_t *json;            /* RS256, ES256: what verifying needs, nothing else */
	struct verify_key *pure; /* EdDSA */
};

struct jwks {
	atomic_uint references;
	size_t count;
	struct jwk keys[];
};

/* ---- Parsing ---- */

/* A base64url member decoded; false when it is none or its length is not within. */
static bool read_bytes(const json_t *jwk, const char *name, size_t min, size_t max,
		       struct strbuf *ret)
{
	const json_t *member = json_object_get(jwk, name);
	struct error ignored = ERROR_INIT;

	return json_is_string(member) &&
	       json_string_length(member) <= 2 * RSA_BYTES_MAX &&
	       digest_base64url_decode(json_string_value(member),
				       json_string_length(member), ret, &ignored) &&
	       ret->length >= min && ret->length <= max;
}

/* RFC 7518 wants no leading zeros, so the length tells the size of the number. */
static bool read_rsa(const json_t *jwk, struct jwk *ret)
{
	_cleanup_strbuf_ struct strbuf n = STRBUF_INIT, e = STRBUF_INIT;

	if (!read_bytes(jwk, "n", RSA_BYTES_MIN, RSA_BYTES_MAX, &n) ||
	    !read_bytes(jwk, "e", 1, EXPONENT_BYTES_MAX, &e) || !(n.data[0] & 0x80) ||
	    e.data[0] == 0 || !(e.data[e.length - 1] & 1) ||
	    (e.length == 1 && e.data[0] == 1))
		return false;
	ret->alg = JWT_RS256;
	ret->json = json_pack("{s:s, s:s, s:s, s:O, s:O}", "kty", "RSA", "alg", "RS256",
			      "use", "sig", "n", json_object_get(jwk, "n"), "e",
			      json_object_get(jwk, "e"));
	return ret->json != NULL;
}

/* libjose's conversion insists that the point lies on the curve. */
static bool read_ec(const json_t *jwk, struct jwk *ret)
{
	_cleanup_strbuf_ struct strbuf x = STRBUF_INIT, y = STRBUF_INIT;
	const char *curve = json_get_string(jwk, "crv");

	if (!curve || strcmp(curve, "P-256") != 0 || !read_bytes(jwk, "x", 32, 32, &x) ||
	    !read_bytes(jwk, "y", 32, 32, &y))
		return false;
	ret->alg = JWT_ES256;
	ret->json = json_pack("{s:s, s:s, s:s, s:s, s:O, s:O}", "kty", "EC", "crv",
			      "P-256", "alg", "ES256", "use", "sig", "x",
			      json_object_get(jwk, "x"), "y", json_object_get(jwk, "y"));
	EVP_PKEY *key = ret->json ? jose_openssl_jwk_to_EVP_PKEY(NULL, ret->json) : NULL;
	EVP_PKEY_free(key);
	ERR_clear_error();
	return key != NULL;
}

static bool read_ed25519(const json_t *jwk, struct jwk *ret)
{
	_cleanup_strbuf_ struct strbuf x = STRBUF_INIT;
	const char *curve = json_get_string(jwk, "crv");
	struct error ignored = ERROR_INIT;

	if (!curve || strcmp(curve, "Ed25519") != 0 ||
	    !read_bytes(jwk, "x", KEY_PUBLIC_BYTES, KEY_PUBLIC_BYTES, &x))
		return false;
	ret->alg = JWT_EDDSA;
	ret->pure = verify_key_new((const uint8_t *)x.data, &ignored);
	return ret->pure != NULL;
}

static bool may_verify(const json_t *jwk)
{
	const json_t *use = json_object_get(jwk, "use"),
		     *ops = json_object_get(jwk, "key_ops"), *op;
	size_t i;

	if (use && strcmp(json_string_value(use) ?: "", "sig") != 0)
		return false;
	json_array_foreach(ops, i, op)
	{
		if (strcmp(json_string_value(op) ?: "", "verify") == 0)
			return true;
	}
	return !ops;
}

static bool read_key(const json_t *jwk, struct jwk *ret)
{
	static const struct {
		const char *kty;
		bool (*read)(const json_t *jwk, struct jwk *ret);
	} kinds[] = { { "RSA", read_rsa }, { "EC", read_ec }, { "OKP", read_ed25519 } };
	const char *kty = json_get_string(jwk, "kty"), *kid = json_get_string(jwk, "kid");
	const json_t *alg = json_object_get(jwk, "alg");

	/* One whose private half was published can be anybody's. */
	if (!kty || json_object_get(jwk, "d") || !may_verify(jwk))
		return false;
	ret->has_kid = json_object_get(jwk, "kid") != NULL;
	if (ret->has_kid && (!kid || strlen(kid) > JWT_KID_MAX))
		return false;
	COPY(ret->kid, kid ? kid : "");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].kty, kty) == 0)
			return kinds[i].read(jwk, ret) &&
			       (!alg || strcmp(json_string_value(alg) ?: "",
					       jwt_alg_name(ret->alg)) == 0);
	return false;
}

static void key_done(struct jwk *k)
{
	json_decref(k->json);
	verify_key_free(k->pure);
	*k = (struct jwk){ 0 };
}

static struct jwks *parse_keys(const json_t *keys, struct error *err)
{
	const size_t size = json_array_size(keys);
	struct jwks *s = calloc(1, sizeof *s + size * sizeof *s->keys);

	if (!s) {
		error_oom(err);
		return NULL;
	}
	atomic_init(&s->references, 1);
	for (size_t i = 0; i < size; i++) {
		if (read_key(json_array_get(keys, i), &s->keys[s->count]))
			s->count++;
		else
			key_done(&s->keys[s->count]);
	}
	if (s->count > 0)
		return s;
	jwks_unref(s);
	error_set(err, ERR_INVALID_ARGUMENT,
		  "the key set has no RSA, P-256 or Ed25519 key for signatures");
	return NULL;
}

bool jwks_load(struct error *err)
{
	return jose_need(err);
}

struct jwks *jwks_parse(const char *text, size_t length, struct error *err)
{
	struct error why = ERROR_INIT;

	if (length > JWKS_BYTES_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT, "the key set is longer than %d",
			  JWKS_BYTES_MAX);
		return NULL;
	}
	if (!jwks_load(err))
		return NULL;
	json_auto_t *json = json_parse(text, length, JSON_SYNTAX, &why);
	const json_t *keys = json_object_get(json, "keys");
	if (json_is_array(keys) && json_array_size(keys) <= JWKS_KEYS_MAX)
		return parse_keys(keys, err);
	if (!json)
		error_set(err, ERR_INVALID_ARGUMENT, "the key set is no JSON: %s",
			  why.message);
	else
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the key set is no array \"keys\" of at most %d",
			  JWKS_KEYS_MAX);
	return NULL;
}

struct jwks *jwks_ref(struct jwks *s)
{
	atomic_fetch_add(&s->references, 1);
	return s;
}

void jwks_unref(struct jwks *s)
{
	if (!s || atomic_fetch_sub(&s->references, 1) != 1)
		return;
	for (size_t i = 0; i < s->count; i++)
		key_done(&s->keys[i]);
	free(s);
}

size_t jwks_count(const struct jwks *s)
{
	return s->count;
}

/* ---- Verifying ---- */

static const struct jwk *find(const struct jwks *s, const struct jwt *t)
{
	const struct jwk *found = NULL;

	for (size_t i = 0; i < s->count; i++) {
		const struct jwk *k = &s->keys[i];

		if (k->alg != t->alg)
			continue;
		if (t->has_kid && k->has_kid && strcmp(k->kid, t->kid) == 0)
			return k;
		if (!t->has_kid && found)
			return NULL;
		if (!t->has_kid)
			found = k;
	}
	return found;
}

/* A compact token is the flattened form with dots instead of names. */
static bool check_with_jose(const struct jwk *k, const struct jwt *t)
{
	const char *payload = t->text + t->header_bytes + 1;
	json_auto_t *jws = json_pack(
		"{s:s%, s:s%, s:s}", "protected", t->text, t->header_bytes, "payload",
		payload, t->payload_bytes, "signature", payload + t->payload_bytes + 1);
	const bool good = jws && jose_jws_ver(NULL, jws, NULL, k->json, true);

	ERR_clear_error();
	return good;
}

static bool check_pure(const struct jwk *k, const struct jwt *t)
{
	return t->signature.length == KEY_SIGNATURE_BYTES &&
	       verify_key_check(k->pure, t->text, t->header_bytes + 1 + t->payload_bytes,
				(const uint8_t *)t->signature.data);
}

enum jwks_verdict jwks_check(const struct jwks *s, const struct jwt *t)
{
	const struct jwk *k = find(s, t);

	if (!k)
		return JWKS_UNKNOWN_KEY;
	return (k->pure ? check_pure(k, t) : check_with_jose(k, t)) ? JWKS_GOOD
								    : JWKS_BAD_SIGNATURE;
}
