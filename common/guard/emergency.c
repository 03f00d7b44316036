#include "guard/emergency.h"

struct members {
	const char *typ, *kid, *approval, *shown, *typed, *reason;
	int64_t v, iat;
};

static bool read_members(const json_t *payload, struct members *m, struct error *err)
{
#define NEED(member, type)                                                               \
	{                                                                                \
#member, type, offsetof(struct members, member), JSON_FIELD_REQUIRED     \
	}
	static const struct json_field fields[] = {
		NEED(typ, JSON_FIELD_STRING),
		NEED(v, JSON_FIELD_INT64),
		NEED(kid, JSON_FIELD_STRING),
		NEED(approval, JSON_FIELD_STRING),
		NEED(shown, JSON_FIELD_STRING),
		NEED(typed, JSON_FIELD_STRING),
		NEED(reason, JSON_FIELD_STRING),
		NEED(iat, JSON_FIELD_INT64),
		{ 0 },
	};
#undef NEED

	return json_decode(payload, fields, m, "emergency", err) &&
	       (m->v == 1 || error_set(err, ERR_INVALID_ARGUMENT, "its 'v' is not 1"));
}

static bool check_members(const struct members *m, const char *approval,
			  const char *shown, int64_t now_ms, struct error *err)
{
	int64_t age_s = now_ms / 1000 - m->iat;
	size_t length = strlen(m->reason);

	if (strcmp(m->approval, approval) != 0)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the emergency word is about another approval");
	if (!digest_equal_text(m->shown, shown))
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "what was decided on is not what is asked: read again");
	if (strlen(m->typed) != EMERGENCY_TYPED ||
	    strncmp(m->typed, shown, EMERGENCY_TYPED) != 0)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the digest that was typed is not that of the prompt: "
				 "read again, and type all %d digits",
				 EMERGENCY_TYPED);
	if (length < EMERGENCY_REASON_MIN || length > EMERGENCY_REASON_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "say in %d to %d bytes why it cannot wait",
				 EMERGENCY_REASON_MIN, EMERGENCY_REASON_MAX);
	if (age_s < -EMERGENCY_AHEAD_S || age_s > EMERGENCY_OLD_S)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the emergency word was not made just now");
	return true;
}

bool emergency_open(const char *word, struct keyring *keys, const char *approval,
		    const char *shown, int64_t now_ms, struct emergency_word *ret,
		    struct error *err)
{
	struct error why = ERROR_INIT;
	json_auto_t *payload = envelope_open(word, TYP_EMERGENCY, keys, &why);
	struct members m = { 0 };

	if (!payload || !read_members(payload, &m, &why)) {
		error_set(err, ERR_PERMISSION_DENIED,
			  "this is no word of the emergency key: %s", why.message);
		return error_hint(err, "its public half must be in keys/emergency");
	}
	if (!check_members(&m, approval, shown, now_ms, err))
		return false;
	(void)snprintf(ret->kid, sizeof ret->kid, "%s", m.kid);
	(void)snprintf(ret->reason, sizeof ret->reason, "%s", m.reason);
	return true;
}

bool emergency_seal(struct strbuf *sb, const char *approval, const char *shown,
		    const char *typed, const char *reason, int64_t now_ms,
		    const struct sign_key *key, struct error *err)
{
	json_auto_t *payload = json_pack(
		"{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:I}", "typ", TYP_EMERGENCY, "v", 1,
		"kid", sign_key_kid(key), "approval", approval, "shown", shown, "typed",
		typed, "reason", reason, "iat", (json_int_t)(now_ms / 1000));

	if (!payload)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the reason is no UTF-8 text");
	return envelope_seal(sb, payload, key, err);
}
