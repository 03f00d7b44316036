/*
 * policy_rules -- config/policy.yaml, decoded: private to policy.
 *
 * The schema (schemas/policy.schema.json) has judged the file's shape; here lie
 * the names: groups are replaced by their persons, durations by milliseconds,
 * and what contradicts itself is refused with its line.
 */
#ifndef GATE_POLICY_RULES_H
#define GATE_POLICY_RULES_H

#include "base/config.h"
#include "guard/names.h"

enum { POLICY_EXPIRES_MS = 10 * 60 * 1000, POLICY_GOOD_FOR_MS = 5 * 60 * 1000 };

struct policy_rule {
	char name[129];
	char server[33]; /* "": any */
	char tool[65];   /* "": any */
	unsigned risks;  /* bit a risk; 0: any */
	int reversible;  /* 1: only plans that are, 0: only those that are not, -1: any */
	bool refuse;
	bool free;
	bool four_eyes;
	int64_t needed;
	int64_t expires_ms, good_for_ms;
	json_t *callers;   /* array of persons, or NULL: the team */
	json_t *approvers; /* likewise */
};

/* A new array; policy_rules_free ends it. */
struct policy_rule *policy_rules_read(const struct config *file, size_t *ret_count,
				      struct error *err) _must_use_;
void policy_rules_free(struct policy_rule *rules, size_t count);

#endif
