/* What the policy would say of a call, and by which steps; asks nobody anything. */
#include "gate/keeper.h"

/* Of a rule that names none, no rate. */
static json_t *rate_json(const struct policy_answer *a)
{
	return a->rate_calls > 0
		       ? json_pack("{s:I, s:I}", "calls", (json_int_t)a->rate_calls,
				   "per_s", (json_int_t)(a->rate_per_ms / 1000))
		       : NULL;
}

static json_t *approvers_json(const struct policy *p, const struct policy_question *q,
			      const struct policy_answer *a)
{
	_cleanup_free_ const char **who = policy_approvers(p, q, a);
	json_auto_t *list = json_array();

	for (size_t i = 0; who && list && who[i]; i++)
		if (json_array_append_new(list, json_string(who[i])) != 0)
			return NULL;
	return who ? TAKE(list) : NULL;
}

static json_t *judgement(const struct policy *p, const struct policy_question *q,
			 const char *as)
{
	struct policy_answer a;
	json_auto_t *approvers = NULL;
	json_auto_t *steps = policy_explain(p, q);
	json_auto_t *answer = NULL;
	json_auto_t *rate = NULL;

	policy_judge(p, q, &a);
	approvers = approvers_json(p, q, &a);
	rate = rate_json(&a);
	if (!approvers || !steps)
		return NULL;
	answer = json_pack("{s:s, s:b, s:b, s:I, s:b, s:b, s:I, s:I, s:O, s:s, s:O}",
			   "rule", a.rule, "may_call", a.may_call, "may_approve",
			   policy_may_approve(p, q, &a, as), "approvers_needed",
			   (json_int_t)a.approvers_needed, "four_eyes", a.four_eyes,
			   "free", a.free, "expires_s", (json_int_t)(a.expires_ms / 1000),
			   "good_for_s", (json_int_t)(a.good_for_ms / 1000), "approvers",
			   approvers, "why", a.why, "steps", steps);
	if (!answer || (rate && json_object_set(answer, "rate", rate) != 0))
		return NULL;
	return TAKE(answer);
}

static json_t *both(const struct keeper *k, struct policy_question q, const char *as)
{
	json_auto_t *answer = judgement(k->policy, &q, as);
	json_t *worse;

	if (!answer || q.risk == RISK_READ)
		return TAKE(answer);
	q.reversible = false;
	worse = judgement(k->policy, &q, as);
	if (!worse || json_object_set_new(answer, "irreversible", worse) != 0)
		return NULL;
	return TAKE(answer);
}

/* Of one tool; false without memory. */
static bool add_right(const struct keeper *k, json_t *rights, const char *server,
		      const char *tool, const char *as)
{
	char name[33 + 65];
	struct error ignored = ERROR_INIT;
	struct policy_answer a;
	struct policy_question q = { .server = server,
				     .tool = tool,
				     .reversible = true,
				     .plan_approvers = 1,
				     .requester = as };
	const struct tool_definition *d =
		tool ? keeper_definition(k, server, tool, &ignored) : NULL;

	if (!d)
		return true;
	q.risk = d->risk;
	policy_judge(k->policy, &q, &a);
	(void)snprintf(name, sizeof name, "%s.%s", server, tool);
	return json_object_set_new(rights, name,
				   json_pack("{s:b, s:b, s:b}", "call", a.may_call,
					     "approve",
					     policy_may_approve(k->policy, &q, &a, as),
					     "free", a.may_call && a.free)) == 0;
}

json_t *keeper_rights_json(const struct keeper *k, const json_t *servers, const char *as)
{
	json_auto_t *rights = json_object();
	size_t i, j;
	json_t *server, *tool;

	json_array_foreach(servers, i, server)
	{
		const char *name = json_get_string(server, "name");

		json_array_foreach(json_object_get(server, "tools"), j, tool)
		{
			if (name && !add_right(k, rights, name,
					       json_get_string(tool, "name"), as))
				return NULL;
		}
	}
	return TAKE(rights);
}

json_t *keeper_on_explain(struct keeper *k, struct peer *p, const struct fields *f,
			  struct error *err)
{
	char server[33], tool[65];
	_cleanup_strbuf_ struct strbuf arguments = STRBUF_INIT;
	struct policy_question q = { .server = server,
				     .tool = tool,
				     .reversible = true,
				     .plan_approvers = 1,
				     .requester = f->as };
	const struct tool_definition *d;

	(void)p;
	if (!keeper_split_tool(f->tool, server, tool, err) ||
	    !keeper_refresh_policy(k, err))
		return NULL;
	d = keeper_definition(k, server, tool, err);
	if (!d || (f->arguments && !canonical_write(&arguments, f->arguments, err)))
		return NULL;
	q.risk = d->risk;
	q.arguments = f->arguments ? arguments.data : NULL;
	return both(k, q, f->as);
}
