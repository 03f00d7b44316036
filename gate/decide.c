#include "gate/decide.h"

#include "gate/record.h"

struct policy_question decide_question(const json_t *record)
{
	const json_t *plan = json_object_get(record, "plan");
	const json_t *requires = json_object_get(plan, "requires");
	const char *risk = json_get_string(record, "risk");
	struct policy_question q = {
		.server = json_get_string(record, "server"),
		.tool = json_get_string(record, "tool"),
		.requester = json_get_string(record, "requester"),
		.arguments = json_get_string(record, "arguments"),
		.words_from =
			json_object_get(json_object_get(record, "surface"), "words_from"),
		.words_found =
			json_object_get(json_object_get(record, "provenance"), "persons"),
		.risk = RISK_DESTRUCTIVE,
		.reversible = true,
		.plan_approvers = json_get_int64(requires, "approvers", 1),
	};
	size_t i;
	json_t *effect;

	if (risk)
		(void)risk_parse(risk, &q.risk);
	json_array_foreach(json_object_get(plan, "effects"), i, effect)
	{
		q.reversible = q.reversible &&
			       json_is_true(json_object_get(effect, "reversible"));
	}
	return q;
}

static bool is_frozen_approver(const json_t *record, const char *person)
{
	const json_t *policy = json_object_get(record, "policy");
	struct policy_question q = decide_question(record);
	size_t i;
	json_t *one;

	if (json_is_true(json_object_get(policy, "four_eyes")) && q.requester &&
	    policy_is_author(&q, person))
		return false;
	json_array_foreach(json_object_get(policy, "approvers"), i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), person) == 0)
			return true;
	}
	return false;
}

/* Frozen and present policy both. */
bool decide_check_person(const json_t *record, const struct policy *policy,
			 const char *person, struct error *err)
{
	struct policy_question q = decide_question(record);
	struct policy_answer now;

	if (!policy_check_team(policy, person, err))
		return false;
	policy_judge(policy, &q, &now);
	if (!now.may_call)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the policy no longer lets '%s' call this: %s",
				 q.requester, now.why);
	if (now.four_eyes && policy_is_author(&q, person))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "four eyes are wanted: whoever asked, or whose words "
				 "stand in it, may not decide");
	if (!policy_may_approve(policy, &q, &now, person))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the policy does not let '%s' decide this", person);
	if (!is_frozen_approver(record, person))
		return error_set(
			err, ERR_PERMISSION_DENIED,
			"when this was posted the policy did not let '%s' decide it",
			person);
	return true;
}

static bool check_pending(const json_t *record, int64_t now_ms, struct error *err)
{
	const char *state = json_get_string(record, "state");
	const json_t *history = json_object_get(record, "history");
	const json_t *last = json_array_get(history, json_array_size(history) - 1);
	const char *by = json_get_string(last, "by");

	if (record_state_of(record) != RECORD_PENDING) {
		error_set(err, ERR_CONFLICT, "this is %s already%s%s",
			  state ? state : "?", by ? ", by " : "", by ? by : "");
		return false;
	}
	if (now_ms >= json_get_int64(record, "expires_at", 0))
		return error_set(err, ERR_CONFLICT, "this has expired");
	return true;
}

static bool has_decided(const json_t *record, const char *person)
{
	size_t i;
	json_t *d;

	json_array_foreach(json_object_get(record, "decisions"), i, d)
	{
		const char *by = json_get_string(d, "by");

		if (by && strcmp(by, person) == 0)
			return true;
	}
	return false;
}

bool decide_judge(const struct decide_input *in, struct error *err)
{
	return decide_check_person(in->record, in->policy, in->person, err) &&
	       decide_check_open(in, err);
}

bool decide_check_open(const struct decide_input *in, struct error *err)
{
	const char *shown = json_get_string(in->record, "shown");

	if (!check_pending(in->record, in->now_ms, err))
		return false;
	if (!shown || !digest_equal_text(shown, in->shown))
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "what was decided on is not what is asked: read again");
	if (in->now_ms <
	    json_get_int64(in->record, "posted_at", INT64_MAX / 2) + DECIDE_READ_FIRST_MS)
		return error_set(err, ERR_CONFLICT,
				 "this was posted less than a second ago: read again");
	/* A no may follow one's own yes while others are waited for. */
	if (in->is_yes && has_decided(in->record, in->person))
		return error_set(err, ERR_CONFLICT, "'%s' has said yes already",
				 in->person);
	return true;
}

size_t decide_count_approvals(const json_t *record)
{
	const json_t *decisions = json_object_get(record, "decisions");
	size_t i, j, count = 0;
	json_t *d;

	json_array_foreach(decisions, i, d)
	{
		const char *by = json_get_string(d, "by");
		const char *what = json_get_string(d, "decision");
		bool first = by && what && strcmp(what, "approve") == 0;

		for (j = 0; first && j < i; j++) {
			const char *other =
				json_get_string(json_array_get(decisions, j), "by");

			first = !other || strcmp(other, by) != 0;
		}
		count += first;
	}
	return count;
}

bool decide_is_approved(const json_t *record, const struct policy *policy,
			struct error *err)
{
	struct policy_question q = decide_question(record);
	struct policy_answer now;
	int64_t needed = json_get_int64(json_object_get(record, "policy"),
					"approvers_needed", INT64_MAX);
	size_t i;
	json_t *d;

	policy_judge(policy, &q, &now);
	if (now.approvers_needed > needed)
		needed = now.approvers_needed;
	json_array_foreach(json_object_get(record, "decisions"), i, d)
	{
		const char *by = json_get_string(d, "by");

		if (!by || !decide_check_person(record, policy, by, err))
			return error_set(err, ERR_PERMISSION_DENIED,
					 "a decision names nobody");
	}
	if ((int64_t)decide_count_approvals(record) < needed)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "%lld persons must agree, %zu have", (long long)needed,
				 decide_count_approvals(record));
	return true;
}
