/*
 * policy_rules -- config/policy.yaml, decoded: private to policy.
 *
 * The schema (schemas/policy.schema.json) has judged the file's shape; here lie
 * the names: groups are replaced by their persons, durations by milliseconds,
 * and what contradicts itself is refused with its line.
 */
#ifndef GATE_POLICY_RULES_H
#define GATE_POLICY_RULES_H

#include "gate/policy_pattern.h"
#include "guard/names.h"

struct policy_question;

enum { POLICY_EXPIRES_MS = 10 * 60 * 1000, POLICY_GOOD_FOR_MS = 5 * 60 * 1000 };

struct policy_rule {
	char name[129];
	char server[33]; /* "": any */
	char tool[65];   /* "": any */
	unsigned risks;  /* bit a risk; 0: any */
	int reversible;  /* 1: only plans that are, 0: only those that are not, -1: any */
	struct policy_pattern *patterns; /* of arguments: all must match */
	size_t pattern_count;
	int64_t rate_calls, rate_per_ms; /* of one requester; 0: no limit of its own */
	bool refuse;
	bool free;
	bool four_eyes;
	int64_t needed;
	int64_t expires_ms, good_for_ms;
	json_t *callers;   /* array of persons, or NULL: the team */
	json_t *approvers; /* likewise */
};

struct policy {
	json_t *persons; /* as configured, checked */
	json_t *team;    /* array of person ids, checked */
	json_t *groups;  /* as in the file, or NULL */
	struct policy_rule *rules;
	size_t rule_count;
	bool built_in;
	/* The team as C strings into 'team', NULL-terminated, for answers that list it. */
	const char **members;
	size_t member_count;
	/* Who is in the team's group elsewhere, {person: true}; NULL with 'where': nobody
	 * knows. 'where' NULL: nobody need be. */
	json_t *present;
	const char *where;
};

/* Whether a list of persons (NULL: the team) has this one. */
bool policy_names(const json_t *persons, const char *person);

/* A new array; policy_rules_free ends it. */
struct policy_rule *policy_rules_read(const struct config *file, size_t *ret_count,
				      struct error *err) _must_use_;
void policy_rules_free(struct policy_rule *rules, size_t count);

enum { POLICY_WHY_BYTES = 160 };

/* 'arguments' as parsed, NULL when unknown. 'why' says what does not fit, or that all does. */
bool policy_rule_matches(const struct policy_rule *r, const struct policy_question *q,
			 const json_t *arguments, char why[static POLICY_WHY_BYTES]);
/* Whether 'earlier' takes everything that 'later' could match. */
bool policy_rule_covers(const struct policy_rule *earlier,
			const struct policy_rule *later);

#endif
