#include "gate/policy.h"

#include "gate/policy_rules.h"
#include "guard/grant.h"
#include "mcp/definition.h"

enum { PERSON_UIDS_MAX = 32 };

struct policy {
	json_t *persons; /* as configured, checked */
	json_t *team;    /* array of person ids, checked */
	struct policy_rule *rules;
	size_t rule_count;
	bool built_in;
	/* The team as C strings into 'team', NULL-terminated, for answers that list it. */
	const char **members;
	size_t member_count;
};

void policy_free(struct policy *p)
{
	if (!p)
		return;
	policy_rules_free(p->rules, p->rule_count);
	json_decref(p->persons);
	json_decref(p->team);
	free(p->members);
	free(p);
}

static const json_t *find_person(const json_t *persons, const char *id)
{
	size_t i;
	json_t *person;

	json_array_foreach(persons, i, person)
	{
		const char *name = json_get_string(person, "id");

		if (name && strcmp(name, id) == 0)
			return person;
	}
	return NULL;
}

/* One uid or one token is one person: otherwise nobody could say who decided. */
static bool check_claims(const json_t *persons, const json_t *person, const char *member,
			 struct error *err)
{
	size_t i, j, k;
	json_t *mine, *other, *theirs;

	json_array_foreach(json_object_get(person, member), i, mine)
	{
		json_array_foreach(persons, j, other)
		{
			if (other == person)
				break;
			json_array_foreach(json_object_get(other, member), k, theirs)
			{
				if (json_equal(mine, theirs))
					return error_set(err, ERR_INVALID_ARGUMENT,
							 "'%s' and '%s' share a value "
							 "of '%s': one person each",
							 json_get_string(other, "id"),
							 json_get_string(person, "id"),
							 member);
			}
		}
	}
	return true;
}

static bool check_persons(const json_t *persons, struct error *err)
{
	size_t i;
	json_t *person;

	if (json_array_size(persons) > POLICY_PERSONS_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "more than %d persons",
				 POLICY_PERSONS_MAX);
	json_array_foreach(persons, i, person)
	{
		const char *id = json_get_string(person, "id");

		if (!id || !name_is_principal(id))
			return error_set(
				err, ERR_INVALID_ARGUMENT,
				"person %zu has no id that may stand for a principal",
				i + 1);
		if (strncmp(id, "service/", 8) == 0)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'%s' is a service's principal, no person's",
					 id);
		if (find_person(persons, id) != person)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "two persons are called '%s'", id);
		if (json_array_size(json_object_get(person, "unix")) > PERSON_UIDS_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'%s' has more than %d uids", id,
					 PERSON_UIDS_MAX);
		if (!check_claims(persons, person, "unix", err) ||
		    !check_claims(persons, person, "tokens", err))
			return false;
	}
	return true;
}

static bool read_team(struct policy *p, struct error *err)
{
	size_t i, j;
	json_t *member;

	p->members = calloc(json_array_size(p->team) + 1, sizeof *p->members);
	if (!p->members)
		return error_oom(err);
	json_array_foreach(p->team, i, member)
	{
		const char *id = json_string_value(member);

		if (!id || !find_person(p->persons, id))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'%s' is in the team but not among the persons",
					 id ? id : "?");
		for (j = 0; j < p->member_count; j++)
			if (strcmp(p->members[j], id) == 0)
				return error_set(err, ERR_INVALID_ARGUMENT,
						 "'%s' is in the team twice", id);
		p->members[p->member_count++] = id;
	}
	return true;
}

struct policy *policy_new(const json_t *persons, const json_t *team,
			  const struct config *file, struct error *err)
{
	_cleanup_(policy_freep) struct policy *p = calloc(1, sizeof *p);

	if (p) {
		p->persons = persons ? json_deep_copy(persons) : json_array();
		p->team = team ? json_deep_copy(team) : json_array();
	}
	if (!p || !p->persons || !p->team) {
		error_oom(err);
		return NULL;
	}
	if (!check_persons(p->persons, err) || !read_team(p, err))
		return NULL;
	p->built_in = !file;
	if (file) {
		p->rules = policy_rules_read(file, &p->rule_count, err);
		if (!p->rules)
			return NULL;
	}
	return TAKE(p);
}

static bool names(const json_t *persons, const char *person)
{
	size_t i;
	json_t *one;

	json_array_foreach(persons, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), person) == 0)
			return true;
	}
	return false;
}

static bool rule_matches(const struct policy_rule *r, const struct policy_question *q)
{
	return (!*r->server || strcmp(r->server, q->server) == 0) &&
	       (!*r->tool || strcmp(r->tool, q->tool) == 0) &&
	       (!r->risks || (r->risks & (1U << q->risk))) &&
	       (r->reversible < 0 || r->reversible == q->reversible);
}

static const struct policy_rule *find_rule(const struct policy *p,
					   const struct policy_question *q)
{
	for (size_t i = 0; i < p->rule_count; i++)
		if (rule_matches(&p->rules[i], q))
			return &p->rules[i];
	return NULL;
}

static int64_t clamp_needed(int64_t needed)
{
	return needed < 1                     ? 1
	       : needed > GRANT_APPROVERS_MAX ? GRANT_APPROVERS_MAX
					      : needed;
}

static void judge_built_in(const struct policy *p, const struct policy_question *q,
			   struct policy_answer *a)
{
	/* A second person is wanted when the team has one; what the plan asks for stays,
	 * because the server would take no less. */
	int64_t wanted =
		q->risk != RISK_READ && !q->reversible && p->member_count > 1 ? 2 : 1;

	(void)snprintf(a->rule, sizeof a->rule, "built-in");
	a->may_call = policy_in_team(p, q->requester);
	a->approvers_needed =
		clamp_needed(wanted > q->plan_approvers ? wanted : q->plan_approvers);
	(void)snprintf(a->why, sizeof a->why, "%s",
		       !a->may_call ? "only the team may call"
		       : a->approvers_needed > 1
			       ? "built-in policy: a second person must agree"
			       : "built-in policy: one yes of the team");
}

static void judge_by_rule(const struct policy *p, const struct policy_rule *r,
			  const struct policy_question *q, struct policy_answer *a)
{
	(void)snprintf(a->rule, sizeof a->rule, "%s", r->name);
	a->expires_ms = r->expires_ms;
	a->good_for_ms = r->good_for_ms;
	a->four_eyes = r->four_eyes;
	a->may_call = !r->refuse && policy_in_team(p, q->requester) &&
		      (!r->callers || names(r->callers, q->requester));
	a->free = a->may_call && r->free && q->risk == RISK_READ;
	a->approvers_needed = clamp_needed(
		r->needed > q->plan_approvers ? r->needed : q->plan_approvers);
	(void)snprintf(a->why, sizeof a->why, "rule '%s': %s", r->name,
		       r->refuse                 ? "nobody may call this"
		       : !a->may_call            ? "this person may not call it"
		       : a->free                 ? "a freed read"
		       : a->approvers_needed > 1 ? "several people must agree"
						 : "one person must agree");
}

void policy_judge(const struct policy *p, const struct policy_question *q,
		  struct policy_answer *ret)
{
	const struct policy_rule *r;

	*ret = (struct policy_answer){
		.approvers_needed = 1,
		.expires_ms = POLICY_EXPIRES_MS,
		.good_for_ms = POLICY_GOOD_FOR_MS,
	};
	if (p->built_in) {
		judge_built_in(p, q, ret);
		return;
	}
	r = find_rule(p, q);
	if (r)
		judge_by_rule(p, r, q, ret);
	else
		(void)snprintf(ret->why, sizeof ret->why,
			       "no rule of the policy names this call");
}

bool policy_may_approve(const struct policy *p, const struct policy_question *q,
			const struct policy_answer *a, const char *person)
{
	const struct policy_rule *r = p->built_in ? NULL : find_rule(p, q);

	if (!policy_in_team(p, person))
		return false;
	if (!p->built_in && (!r || r->refuse || strcmp(r->name, a->rule) != 0))
		return false;
	if (r && r->approvers && !names(r->approvers, person))
		return false;
	return !(a->four_eyes && strcmp(person, q->requester) == 0);
}

const char **policy_approvers(const struct policy *p, const struct policy_question *q,
			      const struct policy_answer *a)
{
	const char **list = calloc(p->member_count + 1, sizeof *list);
	size_t count = 0;

	for (size_t i = 0; list && i < p->member_count; i++)
		if (policy_may_approve(p, q, a, p->members[i]))
			list[count++] = p->members[i];
	return list;
}

bool policy_in_team(const struct policy *p, const char *person)
{
	return person && names(p->team, person);
}

const char *policy_person_of_uid(const struct policy *p, uid_t uid)
{
	size_t i, j;
	json_t *person, *one;

	json_array_foreach(p->persons, i, person)
	{
		json_array_foreach(json_object_get(person, "unix"), j, one)
		{
			if (json_is_integer(one) &&
			    json_integer_value(one) == (json_int_t)uid)
				return json_get_string(person, "id");
		}
	}
	return NULL;
}

bool policy_knows(const struct policy *p, const char *person)
{
	return person && find_person(p->persons, person);
}

/* --- config check --- */

static bool add_finding(json_t *findings, const char *level, const char *text)
{
	return json_array_append_new(findings, json_pack("{s:s, s:s}", "level", level,
							 "text", text)) == 0;
}

static enum risk risk_of(const char *server, const char *tool)
{
	struct error ignored = ERROR_INIT;
	_cleanup_(tool_definition_freep) struct tool_definition *d =
		tool_definition_load(server, tool, &ignored);

	return d ? d->risk : RISK_DESTRUCTIVE;
}

/* Whether enough people could say yes to a call of one member of the team. */
static void check_tool(const struct policy *p, const char *name, json_t *findings)
{
	const char *dot = strchr(name, '.');
	char server[33], text[400];
	struct policy_question q = { .server = server, .plan_approvers = 1 };
	struct policy_answer a;
	bool callable = false, enough = false;

	if (!dot || (size_t)(dot - name) >= sizeof server)
		return;
	(void)snprintf(server, sizeof server, "%.*s", (int)(dot - name), name);
	q.tool = dot + 1;
	q.risk = risk_of(server, q.tool);
	for (size_t i = 0; i < p->member_count && !enough; i++) {
		_cleanup_free_ const char **who = NULL;
		int64_t count = 0;

		q.requester = p->members[i];
		policy_judge(p, &q, &a);
		callable = callable || a.may_call;
		who = policy_approvers(p, &q, &a);
		while (who && who[count])
			count++;
		enough = a.free || (a.may_call && count >= a.approvers_needed);
		if (a.free) {
			(void)snprintf(text, sizeof text,
				       "%s runs without a person (rule '%s')", name,
				       a.rule);
			(void)add_finding(findings, "warning", text);
		}
	}
	if (enough)
		return;
	(void)snprintf(text, sizeof text,
		       callable ? "nobody could approve %s" : "nobody may call %s", name);
	(void)add_finding(findings, "warning", text);
}

/* Names in rules that stand for nobody are more likely slips than intent. */
static void check_names(const struct policy *p, const json_t *persons, const char *rule,
			json_t *findings)
{
	size_t i;
	json_t *person;

	json_array_foreach(persons, i, person)
	{
		const char *id = json_string_value(person);
		char text[400];

		if (!id || policy_in_team(p, id))
			continue;
		(void)snprintf(text, sizeof text,
			       "rule '%s' names '%s', who is not in the team", rule, id);
		(void)add_finding(findings, "warning", text);
	}
}

json_t *policy_check(const struct policy *p, const char *const *tools)
{
	json_t *findings = json_array();

	if (!findings)
		return NULL;
	if (p->member_count == 0)
		(void)add_finding(findings, "error",
				  "the team is empty: nobody could approve anything");
	if (p->member_count == 1 && p->built_in)
		(void)add_finding(
			findings, "warning",
			"the team has one person: a second yes cannot be asked for");
	for (size_t i = 0; i < p->rule_count; i++) {
		check_names(p, p->rules[i].callers, p->rules[i].name, findings);
		check_names(p, p->rules[i].approvers, p->rules[i].name, findings);
	}
	for (size_t i = 0; tools && tools[i]; i++)
		check_tool(p, tools[i], findings);
	return findings;
}
