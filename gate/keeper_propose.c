#include "gate/keeper_propose_private.h"

#include "base/clock.h"
#include "gate/provenance.h"
#include "gate/sensitive.h"
#include "guard/grant.h"
#include "guard/ticket.h"

void keeper_checked_done(struct checked *c)
{
	strbuf_done(&c->arguments);
}

const struct tool_definition *keeper_definition(const struct keeper *k,
						const char *server, const char *tool,
						struct error *err)
{
	const struct tool_definition *d;

	if (strcmp(server, "gate") != 0)
		return pins_find(k->pins, server, tool, err);
	d = keeper_own_definition(k, tool);
	if (!d)
		error_set(err, ERR_NOT_FOUND, "there is no tool 'gate.%.64s'", tool);
	return d;
}

bool keeper_check_proposal(const struct keeper *k, const struct proposal *p,
			   struct checked *c, struct error *err)
{
	json_auto_t *body = NULL;

	strbuf_init(&c->arguments);
	c->tool = keeper_definition(k, p->server, p->tool, err);
	if (!c->tool ||
	    !tool_definition_accept(c->tool, p->arguments, &c->arguments, c->args, err))
		return false;
	if (c->arguments.length > RECORD_ARGUMENTS_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the arguments have %zu bytes, more than the %d that "
				 "can be shown",
				 c->arguments.length, RECORD_ARGUMENTS_MAX);
	if (!request_digest(p->server, p->tool, c->args, c->request, err))
		return false;
	body = json_pack("{s:s, s:O, s:s}", "requester", p->requester, "surface",
			 p->surface, "request", c->request);
	return body ? record_identity(body, c->identity, err) : error_oom(err);
}

bool keeper_identify(struct keeper *k, const struct proposal *p,
		     char ret[static DIGEST_HEX_BYTES], struct error *err)
{
	_cleanup_(keeper_checked_done) struct checked c = { .arguments = STRBUF_INIT };

	if (!keeper_check_proposal(k, p, &c, err))
		return false;
	memcpy(ret, c.identity, sizeof c.identity);
	return true;
}

/* --- may it be asked at all? --- */

bool keeper_check_policy(const struct keeper *k, const struct proposal *p,
			 const struct checked *c, struct error *err)
{
	struct policy_question q = { .server = p->server,
				     .tool = p->tool,
				     .risk = c->tool->risk,
				     .reversible = true,
				     .plan_approvers = 1,
				     .requester = p->requester,
				     .arguments = c->arguments.data };
	struct policy_answer a, worse;

	if (policy_is_listed(k->policy, p->requester) &&
	    !policy_check_team(k->policy, p->requester, err))
		return false;
	policy_judge(k->policy, &q, &a);
	/* The plan may find irreversible effects, which another rule may allow. */
	q.reversible = false;
	policy_judge(k->policy, &q, &worse);
	if (!a.may_call && !worse.may_call)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "'%s' may not call %s.%s: %s", p->requester, p->server,
				 p->tool, a.why);
	return true;
}

bool keeper_check_denied(struct keeper *k, const char *identity, struct error *err)
{
	char key[COORD_KEY_MAX + 1];
	_cleanup_free_ char *denied = NULL;

	(void)snprintf(key, sizeof key, "denied/%s", identity);
	if (!coord_get(k->coordination, key, &denied, err))
		return false;
	if (denied)
		return error_set(
			err, ERR_PERMISSION_DENIED,
			"the same was denied less than ten minutes ago (approval %s)",
			denied);
	return true;
}

static bool is_direct(const struct proposal *p)
{
	const char *kind = json_get_string(p->surface, "kind");

	return kind && strcmp(kind, "direct") == 0;
}

/* What a server registers in somebody's name does not use up that person's own turns. */
static bool is_by_same_way(const struct approval *a, const struct proposal *p)
{
	const char *server = json_get_string(a->body, "server");

	return keeper_is_direct(a) == is_direct(p) &&
	       (!is_direct(p) || (server && p->server && strcmp(server, p->server) == 0));
}

bool keeper_check_open(const struct keeper *k, const struct proposal *p, int64_t more,
		       struct error *err)
{
	int64_t mine = 0, same_way = 0, all = 0;

	for (const struct approval *a = k->approvals; a; a = a->next) {
		const char *who = json_get_string(a->body, "requester");
		bool same = is_by_same_way(a, p);

		/* Of several in one decision each call counts. */
		if (a->ended || a->state > RECORD_APPROVED || keeper_is_bundle(a))
			continue;
		all++;
		same_way += same;
		mine += same && who && p->requester && strcmp(who, p->requester) == 0;
	}
	if (mine + more > k->settings->open_per_person)
		return error_set(err, ERR_RATE_LIMITED,
				 "%lld calls of '%s' wait for a decision already",
				 (long long)mine, p->requester);
	if (all + more > k->settings->open ||
	    (is_direct(p) && same_way >= (k->settings->open + 1) / 2))
		return error_set(err, ERR_RATE_LIMITED,
				 "%lld calls wait for a decision already",
				 (long long)all);
	return true;
}

/* Of a conversation, whoever takes part in it; no person's name has a space. */
bool keeper_take_conversation(struct keeper *k, const struct proposal *p,
			      struct error *err)
{
	const char *conversation = json_get_string(p->surface, "conversation");
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
	int64_t wait_ms = 0;

	if (!conversation)
		return true;
	strbuf_add_format(&key, "in %s", conversation);
	return strbuf_ok(&key) ? limiter_take(k->proposals, key.data, clock_mono_ms(),
					      &wait_ms, err)
			       : error_oom(err);
}

static bool check_limits(struct keeper *k, const struct proposal *p, struct error *err)
{
	int64_t wait_ms = 0;
	char who[192];

	(void)snprintf(who, sizeof who, "%s%s%s", is_direct(p) ? p->server : "",
		       is_direct(p) ? " for " : "", p->requester);
	return keeper_check_open(k, p, 1, err) &&
	       limiter_take(k->proposals, who, clock_mono_ms(), &wait_ms, err) &&
	       keeper_take_conversation(k, p, err);
}

/* --- the record --- */

/* What is known of who asked, where that was in Slack. */
bool keeper_add_slack(json_t *line, const json_t *slack)
{
	return !slack || json_object_set(line, "slack", (json_t *)(uintptr_t)slack) == 0;
}

bool keeper_add_author(json_t *body, const struct proposal *p)
{
	return ((!p->sources && !p->provenance) ||
		json_object_set_new(body, "author", json_string("assistant")) == 0) &&
	       (!p->model ||
		json_object_set_new(body, "model", json_string(p->model)) == 0);
}

/* Where the values of the arguments were said; only the assistant's are traced. */
static bool add_provenance(json_t *body, const struct proposal *p)
{
	struct error err = ERROR_INIT;
	json_t *judged;

	if (p->provenance)
		return json_object_set(body, "provenance",
				       (json_t *)(uintptr_t)p->provenance) == 0;
	if (!p->sources)
		return true;
	judged = provenance_judge(p->sources, p->arguments, &err);
	return judged && json_object_set_new(body, "provenance", judged) == 0;
}

/* Arguments as the audit log keeps them: sensitive values as keyed digests. */
json_t *keeper_proposal_audit(struct keeper *k, const struct proposal *p,
			      const struct checked *c)
{
	json_auto_t *line = NULL;

	struct error ignored = ERROR_INIT;
	json_auto_t *arguments = json_parse(c->arguments.data, c->arguments.length,
					    JSON_CONTRACT, &ignored);
	const json_t *schema = json_object_get(c->tool->json, "inputSchema");
	const json_t *properties = json_object_get(schema, "properties");
	bool all = sensitive_is_any(schema);
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(arguments, next, name, value)
	{
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, digest = STRBUF_INIT;

		if (!all && !sensitive_is(json_object_get(properties, name)))
			continue;
		if (!canonical_write(&text, value, &ignored))
			return NULL;
		audit_sensitive(k->audit, text.data, &digest);
		if (!strbuf_ok(&digest) ||
		    json_object_set_new(arguments, name, json_string(digest.data)) != 0)
			return NULL;
	}
	line = arguments ? json_pack("{s:O, s:s}", "arguments", arguments, "risk",
				     risk_name(c->tool->risk))
			 : NULL;
	return line && keeper_add_slack(line, p->slack) ? TAKE(line) : NULL;
}

json_t *keeper_proposal_body(const struct keeper *k, const struct proposal *p,
			     const struct checked *c)
{
	const struct settings_server *s = settings_find_server(k->settings, p->server);
	char id[RECORD_ID_BYTES];
	json_auto_t *body = NULL;

	record_new_id(k->now_ms, id);
	body = json_pack("{s:i, s:s, s:s, s:O, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
			 "s:s, s:s, s:[], "
			 "s:I, s:[{s:s, s:I}]}",
			 "v", 1, "id", id, "state", "proposed", "surface", p->surface,
			 "requester", p->requester, "server", p->server, "instance",
			 s ? s->instance : "gate", "address", s ? s->url : "this gate",
			 "tool", p->tool, "risk", risk_name(c->tool->risk), "pin",
			 c->tool->pin, "arguments", c->arguments.data, "args", c->args,
			 "request", c->request, "decisions", "created_at",
			 (json_int_t)k->now_ms, "history", "state", "proposed", "at",
			 (json_int_t)k->now_ms);
	return body && keeper_add_slack(body, p->slack) && keeper_add_author(body, p) &&
			       add_provenance(body, p)
		       ? TAKE(body)
		       : NULL;
}

/* Nobody is asked. */
static bool is_freed(const struct keeper *k, const struct proposal *p,
		     const struct checked *c)
{
	const struct policy_question q = { .server = p->server,
					   .tool = p->tool,
					   .risk = c->tool->risk,
					   .reversible = true,
					   .plan_approvers = 1,
					   .requester = p->requester,
					   .arguments = c->arguments.data };
	struct policy_answer a;

	policy_judge(k->policy, &q, &a);
	return c->tool->risk == RISK_READ && a.may_call && a.free;
}

static struct approval *make(struct keeper *k, const struct proposal *p,
			     const struct checked *c, struct error *err)
{
	json_t *audit, *body;

	if (!keeper_check_policy(k, p, c, err) ||
	    !keeper_check_denied(k, c->identity, err) ||
	    (!is_freed(k, p, c) && !keeper_check_pause(k, p, err)) ||
	    !check_limits(k, p, err))
		return NULL;
	audit = keeper_proposal_audit(k, p, c);
	body = keeper_proposal_body(k, p, c);
	if (!audit || !body) {
		json_decref(audit);
		json_decref(body);
		error_oom(err);
		return NULL;
	}
	return keeper_add(k, body, audit, err);
}

struct approval *keeper_propose(struct keeper *k, const struct proposal *p,
				struct error *err)
{
	_cleanup_(keeper_checked_done) struct checked c = { .arguments = STRBUF_INIT };
	struct approval *a = NULL;

	if (keeper_refresh_policy(k, err) && keeper_check_proposal(k, p, &c, err)) {
		a = keeper_find_identical(k, c.identity);
		if (a)
			return a;
		a = make(k, p, &c, err);
	}
	if (!a) {
		keeper_audit_refusal(
			k, "proposal.refused", p->requester,
			json_pack("{s:s, s:s}", "server", p->server, "tool", p->tool),
			err);
		return NULL;
	}
	keeper_advance(k, a);
	return a;
}
