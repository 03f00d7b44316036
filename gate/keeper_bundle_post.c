/* All plans of several calls are there: judge them together and show them. */
#include "gate/keeper.h"

#include "gate/decide.h"
#include "gate/overlap.h"
#include "gate/prompt_several.h"
#include "guard/grant.h"

enum { PLANS_MAX = 128 * 1024 }; /* bytes of all plans, so that one page shows them */

struct several {
	struct keeper *k;
	struct approval *head;
	struct approval *parts[GRANT_BUNDLE_MAX];
	struct policy_question questions[GRANT_BUNDLE_MAX];
	struct policy_answer answers[GRANT_BUNDLE_MAX];
	size_t count;
	struct policy_answer all; /* the strictest of each */
	const char **approvers;   /* who may approve every call */
};

static bool fail_part(const struct several *s, size_t i, enum error_code code,
		      const char *why, struct error *err)
{
	return error_set(err, code, "call %zu (%s.%s): %s", i + 1, s->questions[i].server,
			 s->questions[i].tool, why);
}

static bool check_size(const struct several *s, struct error *err)
{
	size_t bytes = 0;

	for (size_t i = 0; i < s->count; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		const json_t *plan = json_object_get(s->parts[i]->body, "plan");

		if (plan && !canonical_write(&text, plan, err))
			return false;
		bytes += text.length;
	}
	if (bytes <= PLANS_MAX)
		return true;
	error_set(
		err, ERR_INVALID_ARGUMENT,
		"the plans of these calls have %zu bytes together, more than the %d that "
		"can be shown at once",
		bytes, PLANS_MAX);
	return error_hint(err, "propose fewer calls at once");
}

/* An effect that is not marked reversible stands alone. */
static bool check_alone(const struct several *s, struct error *err)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->questions[i].risk == RISK_READ || s->questions[i].reversible)
			continue;
		(void)fail_part(
			s, i, ERR_INVALID_ARGUMENT,
			"it has an effect that cannot be undone, and such a call is "
			"decided alone",
			err);
		return error_hint(err, "propose it by itself, and the others without it");
	}
	return true;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool judge(struct several *s, struct error *err)
{
	for (size_t i = 0; i < s->count; i++) {
		struct policy_answer *a = &s->answers[i];

		s->questions[i] = decide_question(s->parts[i]->body);
		policy_judge(s->k->policy, &s->questions[i], a);
		if (!a->may_call)
			return fail_part(s, i, ERR_PERMISSION_DENIED, a->why, err);
		/* In one decision with others nothing is free: people say yes to all of it. */
		a->free = false;
		if (i == 0)
			s->all = *a;
		if (a->approvers_needed > s->all.approvers_needed)
			s->all.approvers_needed = a->approvers_needed;
		s->all.four_eyes = s->all.four_eyes || a->four_eyes;
		s->all.expires_ms = least(s->all.expires_ms, a->expires_ms);
		s->all.good_for_ms = least(s->all.good_for_ms, a->good_for_ms);
	}
	(void)snprintf(s->all.rule, sizeof s->all.rule, "several");
	return true;
}

static bool may_all(const struct several *s, const char *person)
{
	for (size_t i = 0; i < s->count; i++)
		if (!policy_may_approve(s->k->policy, &s->questions[i], &s->answers[i],
					person))
			return false;
	return !(s->all.four_eyes && policy_is_author(&s->questions[0], person));
}

static bool find_approvers(struct several *s, struct error *err)
{
	size_t kept = 0;

	s->approvers = policy_approvers(s->k->policy, &s->questions[0], &s->answers[0]);
	if (!s->approvers)
		return error_oom(err);
	for (size_t i = 0; s->approvers[i]; i++)
		if (may_all(s, s->approvers[i]))
			s->approvers[kept++] = s->approvers[i];
	s->approvers[kept] = NULL;
	return true;
}

/* Named effects are those of earlier calls, or the server made them up. */
static bool check_assumed(const struct several *s, struct error *err)
{
	const json_t *plans[GRANT_BUNDLE_MAX] = { NULL };
	const char *servers[GRANT_BUNDLE_MAX] = { NULL };

	for (size_t i = 0; i < s->count; i++) {
		plans[i] = json_object_get(s->parts[i]->body, "plan");
		servers[i] = s->questions[i].server;
		if (!overlap_check(plans[i], i, plans, servers, err))
			return false;
	}
	return true;
}

static bool count_rates(const struct several *s, struct error *err)
{
	for (size_t i = 0; i < s->count; i++)
		if (!keeper_check_rate(s->k, &s->questions[i], &s->answers[i], err))
			return false;
	return true;
}

/* --- the prompt --- */

static json_t *build(const struct several *s, char shown[static DIGEST_HEX_BYTES],
		     struct error *err)
{
	_cleanup_strbuf_ struct strbuf surface = STRBUF_INIT, outcome_to = STRBUF_INIT;
	json_auto_t *prompts = json_array();
	json_auto_t *plans = json_array();
	size_t approvers = 0;

	for (size_t i = 0; prompts && i < s->count; i++) {
		char one[DIGEST_HEX_BYTES];
		json_t *prompt = keeper_build_prompt(s->k, s->parts[i], &s->questions[i],
						     &s->all, s->approvers, one, err);

		json_t *plan = json_object_get(s->parts[i]->body, "plan");

		if (!prompt || json_array_append_new(prompts, prompt) != 0 ||
		    json_array_append_new(plans,
					  plan ? json_incref(plan) : json_null()) != 0)
			return NULL;
	}
	while (s->approvers[approvers])
		approvers++;
	keeper_surface_words(s->k, s->head, &surface, &outcome_to);
	const struct prompt_several in = {
		.approval = s->head->id,
		.requester = s->questions[0].requester,
		.surface = surface.data,
		.outcome_to = outcome_to.data,
		.prompts = prompts,
		.plans = plans,
		.asked_at_ms = json_get_int64(s->head->body, "created_at", 0),
		.expires_at_ms = s->k->now_ms + s->all.expires_ms,
		.good_for_ms = s->all.good_for_ms,
		.approvers_needed = s->all.approvers_needed,
		.four_eyes = s->all.four_eyes,
		.approvers = s->approvers,
		.too_few = (int64_t)approvers < s->all.approvers_needed,
	};
	return prompt_several_build(&in, shown, err);
}

/* Again after a crash in between: then it has been posted by a process that fell. */
static bool post_part(const struct several *s, size_t i, const char *shown,
		      struct error *err)
{
	const json_int_t now_ms = s->k->now_ms, expires_at = now_ms + s->all.expires_ms;
	json_t *changes = json_pack("{s:s, s:o, s:I, s:I}", "shown", shown, "policy",
				    keeper_policy_json(&s->answers[i], s->approvers),
				    "posted_at", now_ms, "expires_at", expires_at);

	if (!changes)
		return error_oom(err);
	if (s->parts[i]->state == RECORD_PENDING)
		return keeper_update(s->k, s->parts[i], "posted", changes, NULL, err);
	return keeper_move(
		s->k, s->parts[i],
		&(struct move){ .to = RECORD_PENDING,
				.changes = changes,
				.audit = json_pack("{s:s}", "rule", s->answers[i].rule) },
		err);
}

/* The calls first: a decision that is before people is about calls that are, too. */
static bool post(struct several *s, struct error *err)
{
	const json_int_t now_ms = s->k->now_ms, expires_at = now_ms + s->all.expires_ms;
	char shown[DIGEST_HEX_BYTES];
	json_auto_t *prompt = build(s, shown, err);
	json_t *changes;

	if (!prompt)
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (!post_part(s, i, shown, err))
			return false;
	changes = json_pack("{s:O, s:s, s:o, s:I, s:I}", "prompt", prompt, "shown", shown,
			    "policy", keeper_policy_json(&s->all, s->approvers),
			    "posted_at", now_ms, "expires_at", expires_at);
	if (!changes)
		return error_oom(err);
	return keeper_move(s->k, s->head,
			   &(struct move){ .to = RECORD_PENDING, .changes = changes },
			   err);
}

bool keeper_bundle_post(struct keeper *k, struct approval *head, struct error *err)
{
	struct several s = { .k = k, .head = head, .count = keeper_bundle_count(head) };
	bool ok;

	if (s.count > GRANT_BUNDLE_MAX)
		return error_set(err, ERR_INTERNAL, "a decision on too many calls");
	for (size_t i = 0; i < s.count; i++) {
		s.parts[i] = keeper_bundle_part(k, head, i);
		if (!s.parts[i])
			return error_set(err, ERR_INTERNAL, "call %zu is lost", i + 1);
	}
	ok = judge(&s, err) && check_alone(&s, err) && check_assumed(&s, err) &&
	     check_size(&s, err) && count_rates(&s, err) && find_approvers(&s, err) &&
	     post(&s, err);
	free(s.approvers);
	return ok;
}
