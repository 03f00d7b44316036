/*
 * policy -- who may ask, who must say yes, how many, and how long it is good for.
 *
 * Without a policy file: every tool needs one yes of a team member, the
 * requester included; irreversible effects and tools that change who is who need
 * a second person when the team has one; what a plan itself requires is asked always. A file (config/policy.yaml, checked
 * against schemas/policy.schema.json) replaces that: the first rule that matches
 * decides, and what no rule matches is refused. A pure module: configuration and
 * question in, judgement out.
 */
#ifndef GATE_POLICY_H
#define GATE_POLICY_H

#include "base/config.h"
#include "guard/names.h"

enum { POLICY_RULES_MAX = 500, POLICY_PERSONS_MAX = 5000 };

struct policy;

/* 'team' and 'persons' come from the gate's configuration (borrowed during the
 * call, copied). 'file' NULL: the built-in policy. */
struct policy *policy_new(const json_t *persons, const json_t *team,
			  const struct config *file, struct error *err) _must_use_;
void policy_free(struct policy *p);
DEFINE_CLEANUP(struct policy, policy_free);

struct policy_question {
	const char *server, *tool;
	enum risk risk;
	bool reversible;        /* every effect of the plan is */
	int64_t plan_approvers; /* the least that the server's plan asks for */
	const char *requester;
	const json_t
		*words_from; /* persons whose words stand in it; NULL: nobody else's */
	const json_t *words_found; /* the same, as the gate found them out itself */
	const char *arguments; /* canonical text; NULL: not known, so no pattern fits */
};

struct policy_answer {
	char rule[129];
	bool may_call;
	bool free; /* a read that runs without a person */
	int64_t approvers_needed;
	bool four_eyes;                  /* the requester may not approve */
	int64_t expires_ms;              /* of the prompt; 10 minutes */
	int64_t good_for_ms;             /* of the approval; 5 minutes */
	int64_t rate_calls, rate_per_ms; /* of this rule and requester; 0: none */
	char why[240];                   /* in words */
};

/* Tools that change who is who. */
bool policy_is_who_is_who(const char *server, const char *tool);

void policy_judge(const struct policy *p, const struct policy_question *q,
		  struct policy_answer *ret);
/* The same step by step: an array of {rule, matches, why} up to the rule that decides. */
json_t *policy_explain(const struct policy *p,
		       const struct policy_question *q) _must_use_;
/* Whether this person may approve under that answer, which the same policy gave. */
bool policy_may_approve(const struct policy *p, const struct policy_question *q,
			const struct policy_answer *a, const char *person);
/* Whom four eyes exclude: who asked, and whose words an argument came from. */
bool policy_is_author(const struct policy_question *q, const char *person);
/* Everybody who may, NULL-terminated array of borrowed strings; free() the array. */
const char **policy_approvers(const struct policy *p, const struct policy_question *q,
			      const struct policy_answer *a) _must_use_;

/* One of the team, as configured, NULL past its end. Borrowed. */
const char *policy_member(const struct policy *p, size_t index);
/*
 * From now on whoever is in the team must besides be among 'members', an object {person:
 * true} (shared: it may change), as 'where' says, a static name. NULL: it is not known who
 * that is, and nobody is in the team. 'where' NULL: 'team' alone counts. Twice replaces.
 */
void policy_narrow(struct policy *p, json_t *members, const char *where);
bool policy_in_team(const struct policy *p, const char *person);
/* Whether 'team' has this person, whatever it was narrowed by. */
bool policy_is_listed(const struct policy *p, const char *person);
/* The same as policy_in_team, with the reason: ERR_PERMISSION_DENIED, or ERR_BACKEND_UNAVAILABLE where it is
 * not known. */
bool policy_check_team(const struct policy *p, const char *person, struct error *err);
/* The person of a Unix uid, or of a token id; NULL if not mapped. Borrowed. */
const char *policy_person_of_uid(const struct policy *p, uid_t uid);
/* The person of a Slack user; NULL if not mapped. Borrowed. */
const char *policy_person_of_slack(const struct policy *p, const char *user);
/* The Slack users of a person, an array of ids; NULL: none. Borrowed. */
const json_t *policy_slack_of(const struct policy *p, const char *person);
bool policy_knows(const struct policy *p, const char *person);
/* All of them, as the configuration has them. Borrowed. */
const json_t *policy_persons(const struct policy *p);
/*
 * Whether this credential of a direct client may be that person's: its OAuth subject as
 * struct caller has it (NULL: none), else the id of its token. What is mapped to somebody is
 * theirs alone. What is mapped to nobody is whom its server says, unless the map does name
 * subjects of that issuer, or other tokens of that person.
 */
bool policy_check_credential(const struct policy *p, const char *person,
			     const char *subject, const char *token, struct error *err);

/*
 * Faults and warnings of the whole set, an array of {level: error|warning, text}: where
 * nobody could call or approve, reads that are freed, rules that can never match. 'tools'
 * are the names of the tools there are ("accounts.block_account"), NULL-terminated.
 */
json_t *policy_check(const struct policy *p, const char *const *tools) _must_use_;

#endif
