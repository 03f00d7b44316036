#include "guard/jwt.h"

#include <strings.h>

static const struct {
	enum jwt_alg alg;
	const char *name;
} algs[] = {
	{ JWT_RS256, "RS256" },
	{ JWT_ES256, "ES256" },
	{ JWT_EDDSA, "EdDSA" },
};

bool jwt_alg_parse(const char *name, enum jwt_alg *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
		if (strcmp(algs[i].name, name) == 0) {
			*ret = algs[i].alg;
			return true;
		}
	return false;
}

const char *jwt_alg_name(enum jwt_alg alg)
{
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
		if (algs[i].alg == alg)
			return algs[i].name;
	return "";
}

static bool refuse(struct error *err, const char *reason)
{
	return error_set(err, ERR_PERMISSION_DENIED, "%s", reason);
}

bool jwt_is_one(const char *token)
{
	const char *dot = strchr(token, '.');

	return dot && strchr(dot + 1, '.');
}

/* ---- Header ---- */

/* RFC 9068 wants "at+jwt"; issuers older than it write "JWT" or nothing. */
static bool is_access_token(const char *typ)
{
	static const char application[] = "application/";

	if (!typ)
		return true;
	if (strncasecmp(typ, application, strlen(application)) == 0)
		typ += strlen(application);
	return strcasecmp(typ, "at+jwt") == 0 || strcasecmp(typ, "JWT") == 0;
}

/* What a plain signed token needs is text. All that changes how a token is read is an
 * object, an array or a boolean ("crit", "jwk", "x5c", "b64"), or one of three words. */
static bool is_plain(const json_t *header)
{
	static const char *const never[] = { "crit", "cty", "enc", "zip" };
	union {
		const json_t *in;
		json_t *out;
	} borrowed = { .in = header };
	const char *name;
	json_t *value;

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (json_object_get(header, never[i]))
			return false;
	json_object_foreach(borrowed.out, name, value)
	{
		if (!json_is_string(value))
			return false;
	}
	return true;
}

static bool read_header(struct jwt *t, const char *text, size_t length, struct error *err)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *header = json_parse(text, length, JSON_SYNTAX, &ignored);

	if (length > JWT_HEADER_BYTES_MAX || !json_is_object(header))
		return refuse(err, "the header of the token is no JSON object");
	if (!is_plain(header))
		return refuse(err, "the header of the token asks for what is not "
				   "understood here");
	const char *alg = json_get_string(header, "alg");
	if (!alg || !jwt_alg_parse(alg, &t->alg))
		return refuse(err, "the token is not signed with RS256, ES256 or EdDSA");
	if (json_object_get(header, "typ") &&
	    !is_access_token(json_get_string(header, "typ") ?: ""))
		return refuse(err, "the token is of another type than at+jwt or JWT");
	t->has_kid = json_object_get(header, "kid") != NULL;
	const char *kid = json_get_string(header, "kid");
	if (t->has_kid && (!kid || strlen(kid) > JWT_KID_MAX))
		return refuse(err, "the token's key id is too long or no text");
	(void)snprintf(t->kid, sizeof t->kid, "%s", kid ? kid : "");
	return true;
}

/* ---- The whole ---- */

/* Two dots, with something before, between and behind them. */
static bool split(struct jwt *t, size_t length)
{
	const char *end = t->text + length;
	const char *first = memchr(t->text, '.', length);
	const char *second = first ? memchr(first + 1, '.', (size_t)(end - first) - 1)
				   : NULL;

	if (!second || memchr(second + 1, '.', (size_t)(end - second) - 1))
		return false;
	t->header_bytes = (size_t)(first - t->text);
	t->payload_bytes = (size_t)(second - first) - 1;
	return t->header_bytes > 0 && t->payload_bytes > 0 && second + 1 < end;
}

static bool read_parts(struct jwt *t, struct error *err)
{
	_cleanup_strbuf_ struct strbuf header = STRBUF_INIT, payload = STRBUF_INIT;
	const size_t length = strnlen(t->text, JWT_BYTES_MAX + 1);
	struct error ignored = ERROR_INIT;

	if (length > JWT_BYTES_MAX)
		return refuse(err, "the token is too long");
	if (!split(t, length))
		return refuse(err, "the token has not three parts");
	const char *middle = t->text + t->header_bytes + 1;
	const char *tail = middle + t->payload_bytes + 1;
	if (!digest_base64url_decode(t->text, t->header_bytes, &header, &ignored) ||
	    !digest_base64url_decode(middle, t->payload_bytes, &payload, &ignored) ||
	    !digest_base64url_decode(tail, length - (size_t)(tail - t->text),
				     &t->signature, &ignored))
		return refuse(err, "the token is not base64url");
	if (!read_header(t, header.data, header.length, err))
		return false;
	t->claims = json_parse(payload.data, payload.length, JSON_SYNTAX, &ignored);
	return json_is_object(t->claims) ||
	       refuse(err, "the claims of the token are no JSON object");
}

bool jwt_read(struct jwt *ret, const char *text, struct error *err)
{
	struct jwt t = { .text = text, .signature = STRBUF_INIT };

	if (!read_parts(&t, err)) {
		jwt_done(&t);
		return false;
	}
	*ret = t;
	return true;
}

void jwt_done(struct jwt *t)
{
	json_decref(TAKE(t->claims));
	strbuf_done(&t->signature);
}

const char *jwt_issuer(const struct jwt *t)
{
	return json_get_string(t->claims, "iss");
}
