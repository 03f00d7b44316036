#include "gate/keeper.h"

#include "gate/decide.h"
#include "guard/grant.h"

bool keeper_is_direct(const struct approval *a)
{
	const char *kind = json_get_string(json_object_get(a->body, "surface"), "kind");

	return kind && strcmp(kind, "direct") == 0;
}

bool keeper_is_own(const struct approval *a)
{
	const char *server = json_get_string(a->body, "server");

	return server && strcmp(server, "gate") == 0 && !keeper_is_bundle(a);
}

/* The address that was shown is the one that would be called. */
bool keeper_is_at_address(const struct keeper *k, const struct approval *a)
{
	const struct settings_server *s =
		settings_find_server(k->settings, json_get_string(a->body, "server"));
	const char *shown = json_get_string(a->body, "address");
	const char *instance = json_get_string(a->body, "instance");

	if (keeper_is_own(a))
		return true;
	return s && shown && instance && strcmp(s->url, shown) == 0 &&
	       strcmp(s->instance, instance) == 0;
}

bool keeper_refresh_policy(struct keeper *k, struct error *err)
{
	struct policy *fresh = settings_fresh_policy(k->reader, err);

	if (!fresh)
		return false;
	policy_free(k->policy);
	k->policy = fresh;
	keeper_door_mind(k);
	return true;
}

bool keeper_is_free(const struct approval *a)
{
	return json_is_true(json_object_get(json_object_get(a->body, "policy"), "free"));
}

/* Is it still approved, by people and for a tool as they were? */
static bool check_still(struct keeper *k, const struct approval *a, struct error *err)
{
	const struct tool_definition *tool =
		keeper_definition(k, json_get_string(a->body, "server"),
				  json_get_string(a->body, "tool"), err);
	const char *pin = json_get_string(a->body, "pin");
	struct policy_question q = decide_question(a->body);
	struct policy_answer now;

	if (!tool)
		return false;
	if (!pin || strcmp(pin, tool->pin) != 0)
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "the tool's definition changed since this was asked");
	if (!keeper_is_at_address(k, a))
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "the server's address changed since this was asked");
	if (!keeper_is_free(a))
		return decide_is_approved(a->body, k->policy, err);
	policy_judge(k->policy, &q, &now);
	if (!now.free || tool->risk != RISK_READ)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "this read is not freed any more");
	return true;
}

static void copy(char *to, size_t size, const char *text)
{
	(void)snprintf(to, size, "%s", text ? text : "");
}

static bool is_emergency(const json_t *decision)
{
	const char *kind = json_get_string(json_object_get(decision, "evidence"), "kind");

	return kind && strcmp(kind, "emergency") == 0;
}

static void fill(const struct keeper *k, const struct approval *a, struct grant *g)
{
	const json_t *b = a->body;
	const json_t *policy = json_object_get(b, "policy");
	size_t i;
	json_t *d;

	*g = (struct grant){ .seq = -1, .iat = k->now_ms / 1000 };
	g->exp = g->iat + GRANT_TTL_S;
	copy(g->id, sizeof g->id, a->id);
	copy(g->aud, sizeof g->aud, json_get_string(b, "instance"));
	copy(g->server, sizeof g->server, json_get_string(b, "server"));
	copy(g->tool, sizeof g->tool, json_get_string(b, "tool"));
	copy(g->pin, sizeof g->pin, json_get_string(b, "pin"));
	copy(g->args, sizeof g->args, json_get_string(b, "args"));
	copy(g->plan, sizeof g->plan, json_get_string(b, "plan_digest"));
	copy(g->shown, sizeof g->shown, json_get_string(b, "shown"));
	copy(g->requester, sizeof g->requester, json_get_string(b, "requester"));
	copy(g->bundle, sizeof g->bundle,
	     json_get_string(json_object_get(b, "bundle"), "id"));
	g->seq = json_get_int64(json_object_get(b, "bundle"), "seq", -1);
	if (keeper_is_free(a)) {
		copy(g->rule, sizeof g->rule, json_get_string(policy, "rule"));
		return;
	}
	json_array_foreach(json_object_get(b, "decisions"), i, d)
	{
		const char *what = json_get_string(d, "decision");

		if (what && strcmp(what, "approve") == 0 && is_emergency(d))
			g->emergency = true;
		if (g->approver_count < GRANT_APPROVERS_MAX && what &&
		    strcmp(what, "approve") == 0)
			copy(g->approvers[g->approver_count++], sizeof g->approvers[0],
			     json_get_string(d, "by"));
	}
}

/* Where it is burnt, and by which of the gates that may have this key it was signed. */
static bool fill_stores(struct keeper *k, struct grant *g, struct error *err)
{
	/* One that has forgotten everything is still the one that we have. */
	if (!(k->store[0] ? coord_identity_as(k->coordination, k->store, k->store, err)
			  : coord_identity(k->coordination, k->store, err)))
		return false;
	memcpy(g->gate_store, k->store, sizeof g->gate_store);
	return keeper_store_of(k, g->server, g->store, err) &&
	       coord_epoch_ms(k->coordination, &g->gate_epoch_ms, err);
}

static json_t *claims_json(const struct keeper *k, const struct grant *g)
{
	json_auto_t *approvers = json_array();

	for (size_t i = 0; approvers && i < g->approver_count; i++)
		if (json_array_append_new(approvers, json_string(g->approvers[i])) != 0)
			return NULL;
	return json_pack("{s:s, s:I, s:I, s:O}", "kid", sign_key_kid(k->key), "iat",
			 (json_int_t)g->iat, "exp", (json_int_t)g->exp, "approvers",
			 approvers);
}

/*
 * The audit line comes first, because the grant carries its hash. Should we fall before
 * the bytes are stored, nobody has them, and the next signing is the first.
 */
static bool sign(struct keeper *k, struct approval *a, struct error *err)
{
	struct grant g;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	json_t *line;

	fill(k, a, &g);
	if (!fill_stores(k, &g, err))
		return false;
	line = json_pack("{s:s, s:s, s:s, s:o}", "approval", a->id, "server", g.server,
			 "tool", g.tool, "grant", claims_json(k, &g));
	if (!line)
		return error_oom(err);
	if (!audit_append(k->audit, "grant.signing", line, g.head, err) ||
	    !grant_sign(&word, &g, k->key, err))
		return false;
	struct move m = { .to = RECORD_GRANTED,
			  .changes = json_pack("{s:s, s:o}", "grant", word.data,
					       "grant_claims", claims_json(k, &g)),
			  .audit = json_pack("{s:I}", "exp", (json_int_t)g.exp) };
	strbuf_wipe(&word);
	return keeper_move(k, a, &m, err);
}

/* A yes that does not hold any more is taken back, so that nobody waits for it. */
static void take_back(struct keeper *k, struct approval *a, const struct error *why)
{
	struct error err = ERROR_INIT;

	if (a->state == RECORD_PROPOSED) {
		keeper_refuse(k, a, why, NULL);
		return;
	}
	if (!keeper_move(k, a,
			 &(struct move){ .to = RECORD_REVOKED,
					 .by = "gate",
					 .why = why->message },
			 &err))
		log_failure("approval.stuck", &err);
}

/* Later is not never: what waits for an answer stays approved. */
static bool check_members(struct keeper *k, struct approval *a, struct error *err)
{
	enum keeper_membership m = keeper_members_judge(k, a, err);

	if (m == KEEPER_MEMBERS_NOT)
		take_back(k, a, err);
	if (m != KEEPER_MEMBERS)
		return false;
	/* Or the policy would find nobody in the team, and take the yes back. */
	return keeper_door_is_known(k) ||
	       error_set(err, ERR_BACKEND_UNAVAILABLE,
			 "it is not known who is in the team's group");
}

bool keeper_grant(struct keeper *k, struct approval *a, struct error *err)
{
	if (!keeper_is_sound(k, err) || !keeper_refresh_policy(k, err))
		return false;
	if (k->now_ms >= json_get_int64(a->body, "good_until", INT64_MAX))
		return error_set(err, ERR_CONFLICT, "the approval has lapsed");
	if (!check_members(k, a, err))
		return false;
	if (!check_still(k, a, err)) {
		take_back(k, a, err);
		return false;
	}
	return sign(k, a, err);
}

/* Nobody clicks, so nothing else keeps the grant out of the second in which its server's
 * store began an epoch: such a grant would be refused. */
void keeper_claim_free(struct keeper *k, struct approval *a)
{
	if (keeper_server_is_settled(k, json_get_string(a->body, "server")))
		keeper_claim(k, a);
}

void keeper_claim(struct keeper *k, struct approval *a)
{
	struct error err = ERROR_INIT;
	bool ok;

	a->next_ms = k->now_ms + 2000; /* should this fail for a passing reason */
	if (keeper_is_own(a)) {
		ok = keeper_is_sound(k, &err) && keeper_refresh_policy(k, &err) &&
		     check_members(k, a, &err);
		if (ok && !check_still(k, a, &err)) {
			take_back(k, a, &err);
			return;
		}
		ok = ok &&
		     keeper_move(k, a, &(struct move){ .to = RECORD_GRANTED }, &err);
		if (ok)
			keeper_own_run(k, a);
	} else {
		ok = keeper_grant(k, a, &err);
		if (ok)
			keeper_send(k, a);
	}
	if (!ok && !a->members_waiting)
		log_failure("approval.not_claimed", &err);
}
