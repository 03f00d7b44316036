/* wingman config check: what a policy says that its author hardly meant. */
#include "gate/policy.h"
#include "gate/policy_rules.h"
#include "mcp/definition.h"

struct check {
	const struct policy *policy;
	const char *const *tools;
	json_t *findings;
};

_printf_(3, 4) static void find(const struct check *c, const char *level,
				const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	va_list args;

	va_start(args, format);
	strbuf_add_vformat(&text, format, args);
	va_end(args);
	(void)json_array_append_new(
		c->findings, json_pack("{s:s, s:s}", "level", level, "text", text.data));
}

static bool risk_of(const char *server, const char *tool, enum risk *ret)
{
	struct error ignored = ERROR_INIT;
	_cleanup_(tool_definition_freep) struct tool_definition *d =
		tool_definition_load(server, tool, &ignored);

	*ret = d ? d->risk : RISK_DESTRUCTIVE;
	return d != NULL;
}

/* --- rules, one by one --- */

static bool is_member(const struct policy *p, const json_t *persons, const char *person)
{
	return policy_in_team(p, person) && (!persons || policy_names(persons, person));
}

static int64_t count(const struct policy *p, const json_t *persons)
{
	int64_t n = 0;

	for (size_t i = 0; i < p->member_count; i++)
		n += is_member(p, persons, p->members[i]);
	return n;
}

/* Names that stand for nobody are more likely slips than intent. */
static void check_names(const struct check *c, const json_t *persons, const char *rule)
{
	size_t i;
	json_t *person;

	json_array_foreach(persons, i, person)
	{
		const char *id = json_string_value(person);

		if (id && !policy_in_team(c->policy, id))
			find(c, "warning", "rule '%s' names '%s', who is not in the team",
			     rule, id);
	}
}

/* Callers whose own calls too few others could approve; 'ret_one' is one of them. */
static int64_t count_stuck(const struct policy *p, const struct policy_rule *r,
			   const char **ret_one)
{
	int64_t approvers = count(p, r->approvers), stuck = 0;

	for (size_t i = 0; i < p->member_count; i++) {
		const char *who = p->members[i];

		if (!is_member(p, r->callers, who) ||
		    approvers - is_member(p, r->approvers, who) >= r->needed)
			continue;
		if (stuck++ == 0)
			*ret_one = who;
	}
	return stuck;
}

static void check_people(const struct check *c, const struct policy_rule *r)
{
	int64_t callers = count(c->policy, r->callers);
	int64_t approvers = count(c->policy, r->approvers), stuck;
	const char *one = "?";

	if (callers == 0) {
		find(c, "warning", "rule '%s': nobody of the team may call by it",
		     r->name);
		return;
	}
	if (r->free)
		return;
	if (approvers < r->needed) {
		find(c, "warning",
		     "rule '%s' wants %lld approvals and %lld %s give one: nobody could "
		     "approve what falls under it",
		     r->name, (long long)r->needed, (long long)approvers,
		     approvers == 1 ? "person may" : "persons may");
		return;
	}
	stuck = r->four_eyes ? count_stuck(c->policy, r, &one) : 0;
	if (stuck == callers)
		find(c, "warning",
		     "rule '%s' wants four eyes and has too few approvers besides "
		     "whoever "
		     "asks: nobody could approve what falls under it",
		     r->name);
	else if (stuck > 0)
		find(c, "warning",
		     "rule '%s' wants four eyes: what '%s' asks nobody could approve",
		     r->name, one);
}

static bool knows_server(const struct check *c, const char *server)
{
	size_t length = strlen(server);

	for (size_t i = 0; c->tools && c->tools[i]; i++)
		if (strncmp(c->tools[i], server, length) == 0 &&
		    c->tools[i][length] == '.')
			return true;
	return false;
}

static bool knows_tool(const struct check *c, const struct policy_rule *r)
{
	char name[100];

	(void)snprintf(name, sizeof name, "%s.%s", r->server, r->tool);
	for (size_t i = 0; c->tools && c->tools[i]; i++)
		if (strcmp(c->tools[i], name) == 0)
			return true;
	return false;
}

/* What is written down for a tool and can never be so. */
static void check_tool_named(const struct check *c, const struct policy_rule *r)
{
	enum risk risk;

	if (!*r->tool)
		return;
	if (knows_server(c, r->server) && !knows_tool(c, r)) {
		find(c, "warning",
		     "rule '%s' can never match: the server %s has no tool '%s'", r->name,
		     r->server, r->tool);
		return;
	}
	if (!risk_of(r->server, r->tool, &risk))
		return;
	if (r->risks && !(r->risks & 1U << risk))
		find(c, "warning", "rule '%s' can never match: %s.%s is a %s tool",
		     r->name, r->server, r->tool, risk_name(risk));
	else if (risk == RISK_READ && r->reversible == 0)
		find(c, "warning",
		     "rule '%s' can never match: %s.%s is a read, and leaves nothing to "
		     "undo",
		     r->name, r->server, r->tool);
	if (r->free && risk != RISK_READ)
		find(c, "warning", "rule '%s' frees nothing: %s.%s is a %s tool", r->name,
		     r->server, r->tool, risk_name(risk));
}

static bool check_shadow(const struct check *c, size_t at)
{
	const struct policy_rule *rules = c->policy->rules;

	for (size_t i = 0; i < at; i++) {
		if (!policy_rule_covers(&rules[i], &rules[at]))
			continue;
		find(c, "warning",
		     "rule '%s' can never match: rule '%s' above it takes the same calls",
		     rules[at].name, rules[i].name);
		return true;
	}
	return false;
}

static void check_rule(const struct check *c, size_t at)
{
	const struct policy_rule *r = &c->policy->rules[at];

	check_names(c, r->callers, r->name);
	check_names(c, r->approvers, r->name);
	if (check_shadow(c, at))
		return;
	check_tool_named(c, r);
	if (r->refuse)
		return;
	check_people(c, r);
	if (r->free)
		find(c, "warning",
		     "%s.%s runs without a person (rule '%s'), where the server's own "
		     "configuration frees it too",
		     r->server, r->tool, r->name);
}

static void check_groups(const struct check *c)
{
	const char *name;
	json_t *group;

	json_object_foreach(c->policy->groups, name, group)
	{
		if (json_array_size(group) == 0)
			find(c, "warning", "group '%s' is empty", name);
	}
}

/* --- tools, one by one --- */

/* A rule that looks at arguments may let it happen, though none does for every call. */
static bool is_patterned(const struct check *c, const char *server, const char *tool)
{
	for (size_t i = 0; i < c->policy->rule_count; i++) {
		const struct policy_rule *r = &c->policy->rules[i];

		if (r->pattern_count > 0 && !r->refuse &&
		    (!*r->server || strcmp(r->server, server) == 0) &&
		    (!*r->tool || strcmp(r->tool, tool) == 0))
			return true;
	}
	return false;
}

struct chances {
	bool callable, enough;
};

static struct chances chances_of(const struct policy *p, struct policy_question q)
{
	struct chances ret = { false, false };

	for (size_t i = 0; i < p->member_count && !ret.enough; i++) {
		struct policy_answer a;
		_cleanup_free_ const char **who = NULL;
		int64_t n = 0;

		q.requester = p->members[i];
		policy_judge(p, &q, &a);
		ret.callable = ret.callable || a.may_call;
		who = policy_approvers(p, &q, &a);
		while (who && who[n])
			n++;
		ret.enough = a.free || (a.may_call && n >= a.approvers_needed);
	}
	return ret;
}

/* Whether enough people could say yes to a call of one member of the team. */
static void check_tool(const struct check *c, const char *name)
{
	const char *dot = strchr(name, '.');
	char server[33];
	struct policy_question q = { .server = server,
				     .plan_approvers = 1,
				     .reversible = true };
	struct chances can, cannot_be_undone;

	if (!dot || (size_t)(dot - name) >= sizeof server)
		return;
	(void)snprintf(server, sizeof server, "%.*s", (int)(dot - name), name);
	q.tool = dot + 1;
	(void)risk_of(server, q.tool, &q.risk);
	can = chances_of(c->policy, q);
	q.reversible = q.risk == RISK_READ;
	cannot_be_undone = chances_of(c->policy, q);
	if (can.enough && cannot_be_undone.enough)
		return;
	if (!can.enough && !cannot_be_undone.enough) {
		if (is_patterned(c, server, q.tool))
			find(c, "warning",
			     "%s can be approved only with arguments that a rule names",
			     name);
		else
			find(c, "warning", "%s %s",
			     can.callable || cannot_be_undone.callable
				     ? "nobody could approve"
				     : "nobody may call",
			     name);
		return;
	}
	find(c, "warning", "nobody could approve %s where its effects %s be undone", name,
	     can.enough ? "cannot" : "can");
}

json_t *policy_check(const struct policy *p, const char *const *tools)
{
	json_auto_t *findings = json_array();
	const struct check c = { p, tools, findings };

	if (!findings)
		return NULL;
	if (p->member_count == 0)
		find(&c, "error", "the team is empty: nobody could approve anything");
	if (p->member_count == 1 && p->built_in)
		find(&c, "warning",
		     "the team has one person: a second yes cannot be asked for");
	check_groups(&c);
	for (size_t i = 0; i < p->rule_count; i++)
		check_rule(&c, i);
	for (size_t i = 0; tools && tools[i]; i++)
		check_tool(&c, tools[i]);
	return TAKE(findings);
}
