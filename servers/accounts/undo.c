#include "servers/accounts/undo.h"

#include "servers/accounts/step.h"

void undo_plan_done(struct undo_plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->steps[i].holding);
		facet_step_done(&p->steps[i].step);
	}
	p->count = 0;
}

enum account_facet undo_lock_facet(const struct account_system *system)
{
	return system->backend->notion(system->self, FACET_SIGN_IN) ? FACET_MEMBERSHIPS
								    : FACET_SIGN_IN;
}

/* ---- Planning --------------------------------------------------------------------- */

struct planning {
	struct documents *records;
	const struct account_system *system;
	const struct account *account;
	int64_t now_ms;
	struct undo_plan *plan;
};

static bool add(const struct planning *p, enum account_facet facet, const char *holding,
		const json_t *snapshot, struct error *err)
{
	struct undo_step *s;

	if (p->plan->count == UNDO_STEPS_MAX)
		return error_set(err, ERR_INTERNAL, "there is too much to give back");
	s = &p->plan->steps[p->plan->count++];
	*s = (struct undo_step){ .facet = facet };
	if (holding && !(s->holding = strdup(holding)))
		return error_oom(err);
	return p->system->backend->plan_undo(p->system->self, facet, p->account, snapshot,
					     p->now_ms, &s->step, err);
}

static bool add_facet(const struct planning *p, enum account_facet facet,
		      bool also_others, struct error *err)
{
	json_auto_t *held = NULL;
	const json_t *one;
	size_t i;

	if (p->system->backend->notion(p->system->self, facet))
		return true;
	if (!held_list(p->records, p->system->backend->system, p->account->id, facet,
		       &held, err))
		return false;
	json_array_foreach(held, i, one)
	{
		if (!add(p, facet, json_get_string(one, "approval"),
			 json_object_get(one, "snapshot"), err))
			return false;
	}
	if (json_array_size(held) == 0 && also_others &&
	    facet == undo_lock_facet(p->system))
		return add(p, facet, NULL, NULL, err);
	return true;
}

bool undo_plan_make(struct documents *d, const struct account_system *system,
		    const struct account *account, unsigned facets, bool also_others,
		    int64_t now_ms, struct undo_plan *ret, struct error *err)
{
	const struct planning p = { .records = d,
				    .system = system,
				    .account = account,
				    .now_ms = now_ms,
				    .plan = ret };

	for (size_t f = FACET_COUNT; f-- > 0;)
		if ((facets & 1u << f) &&
		    !add_facet(&p, (enum account_facet)f, also_others, err))
			return false;
	return true;
}

/* ---- Doing ------------------------------------------------------------------------ */

static struct step step_of(const struct account_system *system,
			   const struct account *account, enum account_facet facet,
			   const json_t *change)
{
	return (struct step){ .system = system,
			      .facet = facet,
			      .identifier = account->identifier,
			      .id = account->id,
			      .change = change };
}

static struct held_key key_of(const struct account_system *system,
			      const struct account *account)
{
	return (struct held_key){ .system = system->backend->system,
				  .identifier = account->identifier,
				  .id = account->id };
}

/* What had begun before, and reads as done, is ours no more. */
static bool drop_done(struct documents *d, const struct account_system *system,
		      const struct account *account, enum account_facet facet,
		      int64_t now_ms, struct undo_outcome *ret, struct error *err)
{
	const struct held_key key = key_of(system, account);
	json_auto_t *held = NULL;
	const json_t *one;
	size_t i;

	if (!held_list(d, key.system, key.id, facet, &held, err))
		return false;
	json_array_foreach(held, i, one)
	{
		const json_t *change = json_object_get(one, "undo");
		const struct step step = step_of(system, account, facet, change);
		struct step_outcome o = { .end = STEP_UNKNOWN };

		if (!change)
			continue;
		step_look(&step, now_ms, &o);
		if (o.end == STEP_UNKNOWN) {
			*err = o.why;
			return false;
		}
		if (o.end != STEP_VERIFIED)
			continue;
		ret->changed = true;
		if (!held_drop(d, &key, facet, json_get_string(one, "approval"), err))
			return false;
	}
	return true;
}

static bool give_back(struct documents *d, const struct account_system *system,
		      const struct account *account, const struct undo_step *s,
		      int64_t now_ms, struct undo_outcome *ret, struct error *err)
{
	const struct held_key key = key_of(system, account);
	const struct step step = step_of(system, account, s->facet, s->step.change);
	struct step_outcome o;

	if (!s->step.act)
		return !s->holding || held_drop(d, &key, s->facet, s->holding, err);
	if (s->holding &&
	    !held_begin_undo(d, &key, s->facet, s->holding, s->step.change, err))
		return false;
	step_run(&step, now_ms, &o);
	ret->changed |= o.end != STEP_WAITS && o.end != STEP_REFUSED;
	ret->verified &= o.end == STEP_VERIFIED;
	if (o.end == STEP_WAITS || o.end == STEP_UNKNOWN || o.end == STEP_REFUSED) {
		*err = o.why;
		return false;
	}
	return !s->holding || held_drop(d, &key, s->facet, s->holding, err);
}

bool undo_account(struct documents *d, const struct account_system *system,
		  const struct account *account, int64_t now_ms, struct undo_outcome *ret,
		  struct error *err)
{
	*ret = (struct undo_outcome){ .verified = true };
	for (size_t f = FACET_COUNT; f-- > 0;) {
		_cleanup_(undo_plan_done) struct undo_plan plan = { 0 };
		const enum account_facet facet = (enum account_facet)f;
		struct error why = ERROR_INIT;

		if (!drop_done(d, system, account, facet, now_ms, ret, &why) ||
		    !undo_plan_make(d, system, account, 1u << f,
				    facet == undo_lock_facet(system), now_ms, &plan,
				    &why)) {
			if (!error_is_set(err))
				*err = why;
			continue;
		}
		for (size_t i = 0; i < plan.count; i++) {
			error_clear(&why);
			if (!give_back(d, system, account, &plan.steps[i], now_ms, ret,
				       &why) &&
			    !error_is_set(err))
				*err = why;
		}
	}
	return !error_is_set(err);
}

bool undo_lock_is_done(struct documents *d, const struct account_system *system,
		       const struct account *account, int64_t now_ms, bool *ret,
		       struct error *err)
{
	const enum account_facet facet = undo_lock_facet(system);
	json_auto_t *held = NULL;
	const json_t *one;
	size_t i;

	*ret = false;
	if (!held_list(d, system->backend->system, account->id, facet, &held, err))
		return false;
	json_array_foreach(held, i, one)
	{
		const json_t *change = json_object_get(one, "undo");
		const struct step step = step_of(system, account, facet, change);
		struct step_outcome o = { .end = STEP_UNKNOWN };

		if (change)
			step_look(&step, now_ms, &o);
		*ret |= change && o.end == STEP_VERIFIED;
	}
	return true;
}
