/* What a plan says of an account. */
#include "servers/accounts/intent_private.h"

#include "base/clock.h"

static bool is_kind(const struct target *t, enum saga_kind kind)
{
	return t->intent->kind == kind;
}

static void describe_state(const struct target *t, struct strbuf *sb)
{
	const struct account *a = t->account;
	char until[CLOCK_TEXT_BYTES];

	strbuf_add_string(sb, account_state_name(a->state));
	if (a->state == ACCOUNT_BLOCKED && t->ends_ms != 0)
		strbuf_add_format(sb, " until %s", clock_format(t->ends_ms, until));
	else if (a->state == ACCOUNT_BLOCKED && a->until_ms != 0)
		strbuf_add_format(sb, " until %s, after failed logins",
				  clock_format(a->until_ms, until));
	else if (a->state == ACCOUNT_BLOCKED && !a->permanent)
		strbuf_add_string(sb, " after failed logins");
	else if (a->state == ACCOUNT_ACTIVE && *a->lock)
		strbuf_add_string(sb, ", with a lock that is not in force");
}

/* The account itself for what keeps the person out, a side of it for the rest. */
static void describe_target(const struct target *t, enum account_facet facet,
			    struct strbuf *sb)
{
	if (facet != undo_lock_facet(t->system))
		strbuf_add_format(sb, "%s of ", account_facet_name(facet));
	strbuf_add_format(sb, "%s (id %s)", t->account->identifier, t->account->id);
}

/* The end of a block is an effect of its own: it runs later, under the same yes. */
static bool say_end(const struct target *t, enum account_facet facet, const char *from,
		    const char *to, struct plan *plan, struct error *err)
{
	_cleanup_strbuf_ struct strbuf target = STRBUF_INIT, end = STRBUF_INIT;
	char at[CLOCK_TEXT_BYTES];

	describe_target(t, facet, &target);
	if (t->intent->expires_ms != 0)
		strbuf_add_format(&end, "%s, at %s by itself", to,
				  clock_format(t->intent->expires_ms, at));
	else
		strbuf_add_string(&end, "blocked, until somebody unblocks it");
	if (!strbuf_ok(&target) || !strbuf_ok(&end))
		return error_oom(err);
	plan_effect(plan, target_system(t), target.data, from, end.data, true);
	return true;
}

static bool say_effect(const struct target *t, enum account_facet facet,
		       const struct facet_step *step, struct plan *plan,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf target = STRBUF_INIT, from = STRBUF_INIT;

	describe_target(t, facet, &target);
	if (step->sets_lock && (*t->account->lock || t->account->state != ACCOUNT_ACTIVE))
		describe_state(t, &from);
	else
		strbuf_add_string(&from, step->from);
	if (!strbuf_ok(&target) || !strbuf_ok(&from))
		return error_oom(err);
	plan_effect(plan, target_system(t), target.data, from.data, step->to,
		    step->reversible);
	return true;
}

static void say_warnings(const struct target *t, enum account_facet facet,
			 const struct facet_step *step, struct plan *plan)
{
	if (step->refused)
		plan_warning(plan, "%s: %s of %s cannot be changed: %s", target_system(t),
			     account_facet_name(facet), t->account->identifier,
			     step->refused);
	for (size_t i = 0; i < step->warning_count; i++)
		plan_warning(plan, "%s: %s", target_system(t), step->warnings[i]);
}

/* What the system has no notion of is said, not skipped. */
static void say_not_known(const struct target *t, struct plan *plan)
{
	for (size_t f = 0; f < FACET_COUNT; f++) {
		const enum account_facet facet = (enum account_facet)f;
		const char *why = t->system->backend->notion(t->system->self, facet);

		if (!why || (is_kind(t, SAGA_REVOKE) && facet != FACET_SESSIONS &&
			     facet != FACET_TOKENS))
			continue;
		plan_warning(plan, "%s: %s", target_system(t), why);
	}
}

static void say_no_change(const struct target *t, struct plan *plan)
{
	if (is_kind(t, SAGA_BLOCK) && t->intent->expires_ms != 0 && !t->is_ours)
		plan_warning(plan,
			     "%s: %s is blocked already, and not from here: it will not "
			     "be unblocked by itself; nothing will change",
			     target_system(t), t->account->identifier);
	else if (!is_kind(t, SAGA_REVOKE))
		plan_warning(plan, "%s: %s is %s already; nothing will change",
			     target_system(t), t->account->identifier,
			     is_kind(t, SAGA_BLOCK) ? "blocked" : "active");
}

static bool say_block(const struct target *t, struct plan *plan, struct error *err)
{
	for (size_t f = 0; f < FACET_COUNT; f++) {
		const enum account_facet facet = (enum account_facet)f;
		const struct facet_step *step = &t->steps[f];

		say_warnings(t, facet, step, plan);
		if (!step->act)
			continue;
		if (!say_effect(t, facet, step, plan, err))
			return false;
		if (step->snapshot && !t->reschedule && t->intent->expires_ms != 0)
			plan_warning(plan,
				     "%s: %s of %s will not come back by themselves: its "
				     "sign-in was not blocked from here",
				     target_system(t), account_facet_name(facet),
				     t->account->identifier);
		if (t->reschedule && t->intent->expires_ms != 0 && step->snapshot &&
		    !say_end(t, facet, step->to, step->sets_lock ? "active" : "restored",
			     plan, err))
			return false;
	}
	return true;
}

/* Only when it ends is another. */
static bool say_reschedule(const struct target *t, struct plan *plan, struct error *err)
{
	_cleanup_strbuf_ struct strbuf from = STRBUF_INIT;

	describe_state(t, &from);
	if (!strbuf_ok(&from))
		return error_oom(err);
	return say_end(t, undo_lock_facet(t->system), from.data, "active", plan, err);
}

static bool say_unblock(const struct target *t, struct plan *plan, struct error *err)
{
	for (size_t i = 0; i < t->undo.count; i++) {
		const struct undo_step *s = &t->undo.steps[i];

		say_warnings(t, s->facet, &s->step, plan);
		if (s->step.act && !say_effect(t, s->facet, &s->step, plan, err))
			return false;
	}
	return true;
}

/* What an earlier decision still tries is over with this one. */
static void say_stopped(const struct target *t, struct plan *plan)
{
	const json_t *approval;
	size_t i;

	json_array_foreach(t->open, i, approval)
	{
		const char *id = json_string_value(approval);

		if (is_kind(t, SAGA_UNBLOCK))
			plan_effect(plan, target_system(t), id,
				    "steps of this decision still open", "stopped", true);
		else
			plan_warning(plan,
				     "%s: steps of the decision %s are still open; those "
				     "that this one repeats are stopped",
				     target_system(t), id);
	}
}

bool intent_say(const struct target *t, struct plan *plan, struct error *err)
{
	if (!(is_kind(t, SAGA_UNBLOCK) ? say_unblock(t, plan, err)
				       : say_block(t, plan, err)))
		return false;
	if (t->reschedule && !t->sets_lock && !say_reschedule(t, plan, err))
		return false;
	if (!t->acts && !t->reschedule)
		say_no_change(t, plan);
	if (is_kind(t, SAGA_REVOKE) || (is_kind(t, SAGA_BLOCK) && t->acts))
		say_not_known(t, plan);
	say_stopped(t, plan);
	return true;
}
