/*
 * decide -- whether a person's word counts. Pure: record, policy and time in, judgement out.
 *
 * A decision counts only if the person is in the team now, both the policy frozen in
 * the record and the present one let this person approve, the request is pending, and
 * what the person saw is what the record holds. Who the person is has been proved by
 * then; a PIN is the caller's matter.
 */
#ifndef GATE_DECIDE_H
#define GATE_DECIDE_H

#include "gate/policy.h"

enum { DECIDE_READ_FIRST_MS = 1000 };

struct decide_input {
	const json_t *record;
	const struct policy *policy; /* as it is now */
	const char *person;
	const char *shown;
	int64_t now_ms;
	bool is_yes;
};

/* Whether this decision (yes or no) may be taken; 'err' is the reason that is told. */
bool decide_judge(const struct decide_input *in, struct error *err);

/* Its two halves, for a decision on several calls: whether this person may decide the call
 * of a record, and whether the record is to be decided now and as it was shown. */
bool decide_check_person(const json_t *record, const struct policy *policy,
			 const char *person, struct error *err);
bool decide_check_open(const struct decide_input *in, struct error *err);

/* Whether the approvals that a record has are enough now, under both policies; for signing. */
bool decide_is_approved(const json_t *record, const struct policy *policy,
			struct error *err);

/* Persons that said yes, each once; of decisions in the record. */
size_t decide_count_approvals(const json_t *record);

/* What the record asks the policy. Borrowed from the record. */
struct policy_question decide_question(const json_t *record);

#endif
