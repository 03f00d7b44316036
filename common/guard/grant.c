#include "guard/grant.h"

#include "base/canonical.h"
#include "guard/copy.h"

struct members {
	const char *typ, *kid, *id, *aud, *server, *tool, *pin, *args, *plan, *shown,
		*requester;
	const char *rule, *bundle, *head, *store, *gate_store;
	json_t *approvers;
	bool emergency;
	int64_t v, seq, gate_epoch, iat, exp;
};

static const struct json_field fields[] = {
#define MUST(name, type)                                                                 \
	{                                                                                \
#name, type, offsetof(struct members, name), JSON_FIELD_REQUIRED         \
	}
#define MAY(name, type)                                                                  \
	{                                                                                \
#name, type, offsetof(struct members, name), 0                           \
	}
	MUST(typ, JSON_FIELD_STRING),
	MUST(v, JSON_FIELD_INT64),
	MUST(kid, JSON_FIELD_STRING),
	MUST(id, JSON_FIELD_STRING),
	MUST(aud, JSON_FIELD_STRING),
	MUST(server, JSON_FIELD_STRING),
	MUST(tool, JSON_FIELD_STRING),
	MUST(pin, JSON_FIELD_STRING),
	MUST(args, JSON_FIELD_STRING),
	MAY(plan, JSON_FIELD_STRING),
	MUST(shown, JSON_FIELD_STRING),
	MUST(requester, JSON_FIELD_STRING),
	MUST(approvers, JSON_FIELD_ARRAY),
	MAY(rule, JSON_FIELD_STRING),
	MAY(bundle, JSON_FIELD_STRING),
	MAY(seq, JSON_FIELD_INT64),
	MAY(emergency, JSON_FIELD_BOOL),
	MAY(head, JSON_FIELD_STRING),
	MAY(store, JSON_FIELD_STRING),
	MAY(gate_store, JSON_FIELD_STRING),
	MAY(gate_epoch, JSON_FIELD_INT64),
	MUST(iat, JSON_FIELD_INT64),
	MUST(exp, JSON_FIELD_INT64),
#undef MUST
#undef MAY
	{ 0 },
};

static bool refuse(struct error *err, const char *reason)
{
	return error_set(err, ERR_APPROVAL_INVALID, "grant: %s", reason);
}

/* ---- Form ---- */

static bool is_store(const char *text)
{
	return strlen(text) < DIGEST_ID_BYTES && name_is_id(text);
}

static bool check_words(const struct members *m, struct error *err)
{
	const struct {
		const char *name, *value;
		bool (*is)(const char *);
	} words[] = {
		{ "id", m->id, name_is_id },
		{ "aud", m->aud, name_is_instance },
		{ "server", m->server, name_is_server },
		{ "tool", m->tool, name_is_tool },
		{ "pin", m->pin, digest_is_hex },
		{ "args", m->args, digest_is_hex },
		{ "plan", m->plan, digest_is_hex },
		{ "shown", m->shown, digest_is_hex },
		{ "requester", m->requester, name_is_principal },
		{ "rule", m->rule, name_is_rule },
		{ "bundle", m->bundle, name_is_id },
		{ "head", m->head, digest_is_hex },
		{ "store", m->store, is_store },
		{ "gate_store", m->gate_store, is_store },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		/* Absent ones are optional: the table above has seen to the others. */
		if (words[i].value && !words[i].is(words[i].value))
			return error_set(err, ERR_APPROVAL_INVALID,
					 "grant: '%s' is malformed", words[i].name);
	return true;
}

static bool check_approvers(const struct members *m, struct error *err)
{
	const size_t count = json_array_size(m->approvers);

	if (count > GRANT_APPROVERS_MAX)
		return refuse(err, "it has too many approvers");
	for (size_t i = 0; i < count; i++) {
		const char *who = json_string_value(json_array_get(m->approvers, i));
		if (!who || !name_is_principal(who))
			return refuse(err, "an approver is no person");
		for (size_t j = 0; j < i; j++)
			if (strcmp(who, json_string_value(
						json_array_get(m->approvers, j))) == 0)
				return refuse(err, "an approver is named twice");
	}
	if (count == 0 && !m->rule)
		return refuse(err, "nobody approved it");
	if (count > 0 && m->rule)
		return refuse(err, "it claims both a rule and approvers");
	/* A rule frees reads, one by one; nothing else may come without a person. */
	if (m->rule && (m->plan || m->bundle || m->emergency))
		return refuse(err, "a rule frees nothing but a read");
	return true;
}

static bool check_numbers(const struct members *m, struct error *err)
{
	if (m->v != 1)
		return refuse(err, "its version is not 1");
	if (m->iat < 0 || m->exp <= m->iat || m->exp - m->iat > GRANT_TTL_MAX_S)
		return refuse(err, "its times are out of range");
	if ((m->bundle != NULL) != (m->seq != -1) || m->seq < -1 ||
	    m->seq >= GRANT_BUNDLE_MAX)
		return refuse(err, "its place among several calls is malformed");
	if (m->gate_store ? m->gate_epoch <= 0 : m->gate_epoch != -1)
		return refuse(err, "the store of its gate is malformed");
	return true;
}

/* The one judge of form, for what is about to be signed and for what came. */
static bool read_payload(json_t *payload, struct grant *ret, struct error *err)
{
	struct members m = { .seq = -1, .gate_epoch = -1 };
	struct error why = ERROR_INIT;

	if (!json_decode(payload, fields, &m, "the payload", &why))
		return refuse(err, why.message);
	if (m.seq == -1 && json_object_get(payload, "seq"))
		return refuse(err, "its place among several calls is malformed");
	if (m.gate_epoch == -1 && json_object_get(payload, "gate_epoch"))
		return refuse(err, "the store of its gate is malformed");
	if (!m.emergency && json_object_get(payload, "emergency"))
		return refuse(err, "'emergency' is true or absent");
	if (!check_words(&m, err) || !check_numbers(&m, err) || !check_approvers(&m, err))
		return false;

	*ret = (struct grant){
		.seq = m.seq, .emergency = m.emergency, .iat = m.iat, .exp = m.exp
	};
	COPY(ret->kid, m.kid);
	COPY(ret->id, m.id);
	COPY(ret->aud, m.aud);
	COPY(ret->server, m.server);
	COPY(ret->tool, m.tool);
	COPY(ret->pin, m.pin);
	COPY(ret->args, m.args);
	COPY(ret->plan, m.plan ? m.plan : "");
	COPY(ret->shown, m.shown);
	COPY(ret->requester, m.requester);
	COPY(ret->rule, m.rule ? m.rule : "");
	COPY(ret->bundle, m.bundle ? m.bundle : "");
	COPY(ret->head, m.head ? m.head : "");
	COPY(ret->store, m.store ? m.store : "");
	COPY(ret->gate_store, m.gate_store ? m.gate_store : "");
	ret->gate_epoch_ms = m.gate_store ? m.gate_epoch : 0;
	for (; ret->approver_count < json_array_size(m.approvers); ret->approver_count++)
		COPY(ret->approvers[ret->approver_count],
		     json_string_value(json_array_get(m.approvers, ret->approver_count)));
	return true;
}

/* ---- Signing and opening ---- */

static const char *or_absent(const char *text)
{
	return *text ? text : NULL;
}

/* Members that a grant has or has not; false without memory. */
static bool put_optional(json_t *payload, const struct grant *g)
{
	return json_put_string(payload, "plan", or_absent(g->plan)) &&
	       json_put_string(payload, "rule", or_absent(g->rule)) &&
	       json_put_string(payload, "bundle", or_absent(g->bundle)) &&
	       json_put_string(payload, "head", or_absent(g->head)) &&
	       json_put_string(payload, "store", or_absent(g->store)) &&
	       json_put_string(payload, "gate_store", or_absent(g->gate_store)) &&
	       (g->gate_epoch_ms == 0 ||
		json_object_set_new(payload, "gate_epoch",
				    json_integer((json_int_t)g->gate_epoch_ms)) == 0) &&
	       (g->seq == -1 ||
		json_object_set_new(payload, "seq", json_integer((json_int_t)g->seq)) ==
			0) &&
	       (!g->emergency ||
		json_object_set_new(payload, "emergency", json_true()) == 0);
}

static json_t *write_payload(const struct grant *g, const char *kid)
{
	json_auto_t *approvers = json_array();

	for (size_t i = 0; i < g->approver_count && i < GRANT_APPROVERS_MAX; i++)
		if (json_array_append_new(approvers, json_string(g->approvers[i])) != 0)
			return NULL;
	json_auto_t *payload = json_pack(
		"{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O, s:I, s:I}",
		"typ", TYP_GRANT, "v", 1, "kid", kid, "id", g->id, "aud", g->aud,
		"server", g->server, "tool", g->tool, "pin", g->pin, "args", g->args,
		"shown", g->shown, "requester", g->requester, "approvers", approvers,
		"iat", (json_int_t)g->iat, "exp", (json_int_t)g->exp);

	return payload && put_optional(payload, g) ? TAKE(payload) : NULL;
}

bool grant_sign(struct strbuf *sb, const struct grant *g, const struct sign_key *key,
		struct error *err)
{
	struct grant again;

	if (g->approver_count > GRANT_APPROVERS_MAX)
		return refuse(err, "it has too many approvers");
	json_auto_t *payload = write_payload(g, sign_key_kid(key));
	if (!payload)
		return error_set(err, ERR_INTERNAL, "cannot write the grant");
	return read_payload(payload, &again, err) && envelope_seal(sb, payload, key, err);
}

bool grant_open(const char *word, struct keyring *keys, struct grant *ret,
		struct error *err)
{
	json_auto_t *payload = envelope_open(word, TYP_GRANT, keys, err);

	return payload && read_payload(payload, ret, err);
}

/* ---- This call, now ---- */

bool grant_is_older(const struct grant *g, int64_t epoch_ms)
{
	/* In whole seconds, because 'iat' may be any: its product need not fit. */
	return g->iat < epoch_ms / 1000 ||
	       (g->iat == epoch_ms / 1000 && epoch_ms % 1000 != 0);
}

static bool check_times(const struct grant *g, const struct grant_call *call,
			struct error *err)
{
	const int64_t now = call->now_ms / 1000;

	if (g->exp - g->iat > GRANT_TTL_MAX_S)
		return refuse(err, "its times are out of range");
	if (g->iat > now + GRANT_AHEAD_MAX_S)
		return refuse(err, "it is from the future");
	if (g->exp <= now)
		return refuse(err, "it has expired");
	/* The store may have forgotten what was burnt before its epoch. */
	if (grant_is_older(g, call->epoch_ms))
		return refuse(err,
			      "it was signed before the store of this server began anew");
	return true;
}

static bool check_plan(const struct grant *g, const struct grant_call *call,
		       struct error *err)
{
	if (call->risk == RISK_READ) {
		if (*g->plan)
			return refuse(err, "it names a plan, and a read has none");
		return true;
	}
	if (g->approver_count == 0)
		return refuse(err, "nobody approved it, and this is no read");
	if (!*g->plan || !call->plan)
		return refuse(err, "it names no plan, and this is no read");
	if (!digest_equal_text(g->plan, call->plan)) {
		error_set(err, ERR_PRECONDITION_FAILED,
			  "what the call would do has changed since it was approved");
		return error_hint(err, "ask again: the new plan needs a new approval");
	}
	return true;
}

/* A replica with a store of its own would burn what another burns as well. */
static bool check_store(const struct grant *g, const char *store, struct error *err)
{
	if (!*g->store || strcmp(g->store, store) == 0)
		return true;
	(void)refuse(err, "it is to be burnt in another store than this server has");
	return error_hint(err, "replicas of a server share one store; if it was lost or "
			       "replaced, ask again");
}

bool grant_check(const struct grant *g, const struct grant_call *call, struct error *err)
{
	if (strcmp(g->aud, call->aud) != 0)
		return refuse(err, "it is for another instance of a server");
	if (strcmp(g->server, call->server) != 0)
		return refuse(err, "it is for another server");
	if (strcmp(g->tool, call->tool) != 0)
		return refuse(err, "it is for another tool");
	if (!digest_equal_text(g->pin, call->pin))
		return refuse(err, "it is for another definition of the tool");
	if (!digest_equal_text(g->args, call->args))
		return refuse(err, "it is for other arguments");
	if (call->requester && strcmp(g->requester, call->requester) != 0)
		return refuse(err, "it is for another requester");
	if (call->store && !check_store(g, call->store, err))
		return false;
	return check_times(g, call, err) && check_plan(g, call, err);
}
