#include "gate/policy.h"

#include "gate/policy_rules.h"
#include "guard/grant.h"

enum { PERSON_UIDS_MAX = 32 };

void policy_free(struct policy *p)
{
	if (!p)
		return;
	policy_rules_free(p->rules, p->rule_count);
	json_decref(p->persons);
	json_decref(p->team);
	json_decref(p->groups);
	json_decref(p->present);
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
		if (strncmp(id, "service/", 8) == 0 || strncmp(id, "surface/", 8) == 0)
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
		    !check_claims(persons, person, "tokens", err) ||
		    !check_claims(persons, person, "oauth", err) ||
		    !check_claims(persons, person, "slack", err))
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
		p->groups = json_incref(json_object_get(config_root(file), "groups"));
	}
	return TAKE(p);
}

bool policy_names(const json_t *persons, const char *person)
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

/* NULL when they are not known. */
static json_t *read_arguments(const struct policy_question *q)
{
	struct error ignored = ERROR_INIT;

	return q->arguments ? json_parse(q->arguments, strlen(q->arguments),
					 JSON_CONTRACT, &ignored)
			    : NULL;
}

static const struct policy_rule *find_rule(const struct policy *p,
					   const struct policy_question *q)
{
	json_auto_t *arguments = read_arguments(q);
	char why[POLICY_WHY_BYTES];

	for (size_t i = 0; i < p->rule_count; i++)
		if (policy_rule_matches(&p->rules[i], q, arguments, why))
			return &p->rules[i];
	return NULL;
}

static const struct policy_rule *rule_named(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->rule_count; i++)
		if (strcmp(p->rules[i].name, name) == 0)
			return &p->rules[i];
	return NULL;
}

json_t *policy_explain(const struct policy *p, const struct policy_question *q)
{
	json_auto_t *arguments = read_arguments(q);
	json_auto_t *steps = json_array();

	for (size_t i = 0; steps && i < p->rule_count; i++) {
		char why[POLICY_WHY_BYTES];
		bool matches = policy_rule_matches(&p->rules[i], q, arguments, why);

		if (json_array_append_new(steps, json_pack("{s:s, s:b, s:s}", "rule",
							   p->rules[i].name, "matches",
							   matches, "why", why)) != 0)
			return NULL;
		if (matches)
			break;
	}
	return TAKE(steps);
}

static int64_t clamp_needed(int64_t needed)
{
	return needed < 1                     ? 1
	       : needed > GRANT_APPROVERS_MAX ? GRANT_APPROVERS_MAX
					      : needed;
}

bool policy_is_who_is_who(const char *server, const char *tool)
{
	static const struct {
		const char *server, *tool;
	} rows[] = {
		{ "people", "link_identity" },
		{ "people", "unlink_identity" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].server, server) == 0 &&
		    strcmp(rows[i].tool, tool) == 0)
			return true;
	return false;
}

/* Of somebody who is on the list and yet not in the team it is said why. */
static const char *not_in_team(const struct policy *p, const struct policy_question *q,
			       const char *otherwise, struct error *why)
{
	if (!policy_is_listed(p, q->requester) || policy_check_team(p, q->requester, why))
		return otherwise;
	return why->message;
}

static void judge_built_in(const struct policy *p, const struct policy_question *q,
			   struct policy_answer *a)
{
	/* A second person is wanted when the team has one; what the plan asks for stays,
	 * because the server would take no less. */
	int64_t wanted = q->risk != RISK_READ && p->member_count > 1 &&
					 (!q->reversible ||
					  policy_is_who_is_who(q->server, q->tool))
				 ? 2
				 : 1;

	struct error why = ERROR_INIT;

	(void)snprintf(a->rule, sizeof a->rule, "built-in");
	a->may_call = policy_in_team(p, q->requester);
	a->approvers_needed =
		clamp_needed(wanted > q->plan_approvers ? wanted : q->plan_approvers);
	(void)snprintf(a->why, sizeof a->why, "%.239s",
		       !a->may_call ? not_in_team(p, q, "only the team may call", &why)
		       : a->approvers_needed > 1
			       ? "built-in policy: a second person must agree"
			       : "built-in policy: one yes of the team");
}

static void judge_by_rule(const struct policy *p, const struct policy_rule *r,
			  const struct policy_question *q, struct policy_answer *a)
{
	struct error why = ERROR_INIT;

	(void)snprintf(a->rule, sizeof a->rule, "%s", r->name);
	a->expires_ms = r->expires_ms;
	a->good_for_ms = r->good_for_ms;
	a->rate_calls = r->rate_calls;
	a->rate_per_ms = r->rate_per_ms;
	a->four_eyes = r->four_eyes;
	a->may_call = !r->refuse && policy_in_team(p, q->requester) &&
		      (!r->callers || policy_names(r->callers, q->requester));
	a->free = a->may_call && r->free && q->risk == RISK_READ;
	a->approvers_needed = clamp_needed(
		r->needed > q->plan_approvers ? r->needed : q->plan_approvers);
	(void)snprintf(a->why, sizeof a->why, "rule '%s': %.100s", r->name,
		       r->refuse ? "nobody may call this"
		       : !a->may_call
			       ? not_in_team(p, q, "this person may not call it", &why)
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

bool policy_is_author(const struct policy_question *q, const char *person)
{
	return strcmp(person, q->requester) == 0 || policy_names(q->words_from, person) ||
	       policy_names(q->words_found, person);
}

bool policy_may_approve(const struct policy *p, const struct policy_question *q,
			const struct policy_answer *a, const char *person)
{
	const struct policy_rule *r = p->built_in ? NULL : rule_named(p, a->rule);

	if (!policy_in_team(p, person))
		return false;
	if (!p->built_in && (!r || r->refuse))
		return false;
	if (r && r->approvers && !policy_names(r->approvers, person))
		return false;
	return !(a->four_eyes && policy_is_author(q, person));
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

const char *policy_member(const struct policy *p, size_t index)
{
	return index < p->member_count ? p->members[index] : NULL;
}

void policy_narrow(struct policy *p, json_t *members, const char *where)
{
	json_decref(p->present);
	p->present = json_incref(members);
	p->where = where;
}

bool policy_is_listed(const struct policy *p, const char *person)
{
	return person && policy_names(p->team, person);
}

bool policy_in_team(const struct policy *p, const char *person)
{
	return policy_is_listed(p, person) &&
	       (!p->where || json_object_get(p->present, person));
}

bool policy_check_team(const struct policy *p, const char *person, struct error *err)
{
	if (policy_in_team(p, person))
		return true;
	if (!policy_is_listed(p, person))
		return error_set(err, ERR_PERMISSION_DENIED, "'%s' is not in the team",
				 person ? person : "?");
	if (p->present)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "'%s' is not in the team's group in %s", person,
				 p->where);
	error_set(err, ERR_BACKEND_UNAVAILABLE,
		  "%s does not say right now who is in the team's group, so nobody "
		  "counts as being in it",
		  p->where);
	return error_hint(err, "try again in a minute; whoever runs this finds the "
			       "reason in the gate's log: members.unknown");
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

const char *policy_person_of_slack(const struct policy *p, const char *user)
{
	size_t i;
	json_t *person;

	json_array_foreach(p->persons, i, person)
	{
		if (policy_names(json_object_get(person, "slack"), user))
			return json_get_string(person, "id");
	}
	return NULL;
}

const json_t *policy_slack_of(const struct policy *p, const char *person)
{
	const json_t *one = find_person(p->persons, person);
	const json_t *ids = json_object_get(one, "slack");

	return json_array_size(ids) > 0 ? ids : NULL;
}

bool policy_knows(const struct policy *p, const char *person)
{
	return person && find_person(p->persons, person);
}

const json_t *policy_persons(const struct policy *p)
{
	return p->persons;
}
