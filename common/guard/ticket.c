#include "guard/ticket.h"

#include "base/canonical.h"
#include "guard/copy.h"

enum { AHEAD_MAX_S = 30 }; /* how far the gate's clock may be before ours */

struct members {
	const char *typ, *kid, *aud, *requester, *request;
	int64_t v, iat, exp;
};

bool request_digest(const char *server, const char *tool, const char *args_digest,
		    char ret_hex[static DIGEST_HEX_BYTES], struct error *err)
{
	json_auto_t *json = json_pack("{s:s, s:s, s:s}", "args", args_digest, "server",
				      server, "tool", tool);

	if (!json)
		return error_oom(err);
	return canonical_digest(json, ret_hex, err);
}

bool ticket_sign(struct strbuf *sb, const char *aud, const char *requester,
		 const char *request, int64_t now_ms, const struct sign_key *key,
		 struct error *err)
{
	const json_int_t iat = now_ms / 1000, exp = iat + TICKET_TTL_S;

	if (!name_is_instance(aud) || !name_is_principal(requester) ||
	    !digest_is_hex(request))
		return error_set(err, ERR_INTERNAL,
				 "the requester ticket to be signed is incomplete");
	json_auto_t *json = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:I, s:I}", "typ",
				      TYP_REQUESTER, "v", 1, "kid", sign_key_kid(key),
				      "aud", aud, "requester", requester, "request",
				      request, "iat", iat, "exp", exp);
	if (!json)
		return error_oom(err);
	return envelope_seal(sb, json, key, err);
}

static bool refuse(struct error *err, const char *reason)
{
	return error_set(err, ERR_APPROVAL_INVALID, "requester ticket: %s", reason);
}

static bool check_times(const struct members *m, int64_t now_ms, struct error *err)
{
	const int64_t now = now_ms / 1000;

	if (m->iat < 0 || m->exp <= m->iat || m->exp - m->iat > TICKET_TTL_S)
		return refuse(err, "its times are out of range");
	if (m->iat > now + AHEAD_MAX_S)
		return refuse(err, "it is from the future");
	if (m->exp <= now)
		return refuse(err, "it has expired");
	return true;
}

bool ticket_check(const char *word, const char *aud, const char *request, int64_t now_ms,
		  struct keyring *keys, struct ticket *ret, struct error *err)
{
	static const struct json_field fields[] = {
#define FIELD(name, type)                                                                \
	{ #name, type, offsetof(struct members, name), JSON_FIELD_REQUIRED }
		FIELD(typ, JSON_FIELD_STRING),
		FIELD(v, JSON_FIELD_INT64),
		FIELD(kid, JSON_FIELD_STRING),
		FIELD(aud, JSON_FIELD_STRING),
		FIELD(requester, JSON_FIELD_STRING),
		FIELD(request, JSON_FIELD_STRING),
		FIELD(iat, JSON_FIELD_INT64),
		FIELD(exp, JSON_FIELD_INT64),
#undef FIELD
		{ 0 },
	};
	struct error why = ERROR_INIT;
	struct members m = { 0 };

	json_auto_t *payload = envelope_open(word, TYP_REQUESTER, keys, err);
	if (!payload)
		return false;
	if (!json_decode(payload, fields, &m, "the payload", &why))
		return refuse(err, why.message);
	if (m.v != 1)
		return refuse(err, "its version is not 1");
	if (strcmp(m.aud, aud) != 0)
		return refuse(err, "it is for another server");
	if (!name_is_principal(m.requester))
		return refuse(err, "its requester is no person");
	if (!digest_equal_text(m.request, request))
		return refuse(err, "it is for another request");
	if (!check_times(&m, now_ms, err))
		return false;
	*ret = (struct ticket){ 0 };
	COPY(ret->requester, m.requester);
	return true;
}
