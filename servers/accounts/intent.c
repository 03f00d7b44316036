#include "servers/accounts/intent.h"

#include "base/clock.h"
#include "servers/accounts/expiry.h"
#include "servers/accounts/intent_private.h"

static void target_done(struct target *t)
{
	json_decref(t->open);
	for (size_t f = 0; f < FACET_COUNT; f++)
		facet_step_done(&t->steps[f]);
	undo_plan_done(&t->undo);
}

/* ---- What is there ---------------------------------------------------------------- */

static bool check_protected(const struct target *t, struct error *err)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	bool is_protected = false;

	if (!t->system->backend->is_protected(t->system->self, t->account, &is_protected,
					      &why, err))
		return false;
	if (!is_protected)
		return true;
	error_set(err, ERR_PROTECTED, "'%s' is protected: %s", t->account->identifier,
		  why.data);
	return error_hint(err, "protected accounts are changed by hand, in their system");
}

static bool read_record(struct documents *records, struct target *t, struct error *err)
{
	_cleanup_(expiry_done) struct expiry x = { 0 };
	json_auto_t *event = NULL;
	bool found = false;

	if (!record_explain(records, target_system(t), t->account, &event, err) ||
	    !expiry_find(records, target_system(t), t->account, &x, &found, err) ||
	    !saga_list_open(records, target_system(t), t->account->id, &t->open, err))
		return false;
	t->is_ours = event != NULL;
	t->ends_ms = found ? x.at_ms : 0;
	return true;
}

/* ---- What is to be done ----------------------------------------------------------- */

static bool is_wanted(const struct target *t, enum account_facet facet)
{
	const bool is_session = facet == FACET_SESSIONS || facet == FACET_TOKENS;

	if (t->system->backend->notion(t->system->self, facet))
		return false;
	return t->intent->kind == SAGA_REVOKE ? is_session
					      : !is_session || t->intent->sessions;
}

static void note_step(struct target *t, const struct facet_step *step)
{
	if (!step->act)
		return;
	t->acts = true;
	if (!step->sets_lock)
		return;
	t->sets_lock = true;
	memcpy(t->lock, step->lock, sizeof t->lock);
}

static bool plan_block(struct target *t, struct error *err)
{
	for (size_t f = 0; f < FACET_COUNT; f++) {
		const enum account_facet facet = (enum account_facet)f;

		if (!is_wanted(t, facet))
			continue;
		if (!t->system->backend->plan_block(t->system->self, facet, t->account,
						    t->intent->now_ms, &t->steps[f], err))
			return false;
		note_step(t, &t->steps[f]);
	}
	return true;
}

static bool plan_unblock(struct documents *records, struct target *t, struct error *err)
{
	if (!undo_plan_make(records, t->system, t->account, (1u << FACET_COUNT) - 1, true,
			    t->intent->now_ms, &t->undo, err))
		return false;
	for (size_t i = 0; i < t->undo.count; i++)
		note_step(t, &t->undo.steps[i].step);
	return true;
}

/* A block that is there already gets the end that was asked for, or loses the one that
 * it has; but only if it is ours: nobody else's lock ends by our doing. */
static void decide_end(struct target *t)
{
	if (t->intent->kind != SAGA_BLOCK)
		return;
	t->reschedule = t->sets_lock ||
			(t->is_ours && t->intent->expires_ms != t->ends_ms);
}

static bool read_target(struct documents *records, struct target *t, struct error *err)
{
	if (!check_protected(t, err) || !read_record(records, t, err))
		return false;
	if (!(t->intent->kind == SAGA_UNBLOCK ? plan_unblock(records, t, err)
					      : plan_block(t, err)))
		return false;
	decide_end(t);
	return true;
}

/* ---- As data ---------------------------------------------------------------------- */

static bool add_state(const struct target *t, json_t *state, struct error *err)
{
	const struct account *a = t->account;
	json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:O}", "system",
				 target_system(t), "id", a->id, "identifier",
				 a->identifier, "lock", a->lock, "obeyed", (int)a->obeyed,
				 "ours", (int)t->is_ours, "ends_ms",
				 (json_int_t)t->ends_ms, "open", t->open);

	return json_array_append_new(state, item) == 0 || error_oom(err);
}

static json_t *list_overtaken(const struct target *t)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; list && i < t->undo.count; i++) {
		const struct undo_step *s = &t->undo.steps[i];

		if (!s->step.act && s->holding && !s->step.refused &&
		    json_array_append_new(list, json_pack("{s:s, s:s}", "facet",
							  account_facet_name(s->facet),
							  "holding", s->holding)) != 0)
			return NULL;
	}
	return TAKE(list);
}

/* With the person's address where the account has none: by that it is found again. */
static bool add_account(const struct target *t, const struct person *person,
			json_t *accounts, struct error *err)
{
	const struct account *a = t->account;
	const bool has_end = t->reschedule && t->intent->expires_ms != 0;
	json_auto_t *item = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:o}", "system",
		target_system(t), "identifier", a->identifier, "id", a->id, "uid", a->uid,
		"display_name", *a->name ? a->name : person->name, "email",
		*a->mail ? a->mail : person->mail, "state", account_state_name(a->state),
		"lock", a->lock, "act", (int)t->acts, "reschedule", (int)t->reschedule,
		"expires_ms", (json_int_t)(has_end ? t->intent->expires_ms : 0),
		"overtaken", list_overtaken(t));

	return json_array_append(accounts, item) == 0 || error_oom(err);
}

static bool add_step(size_t account, enum account_facet facet, const char *holding,
		     const struct facet_step *step, json_t *steps, struct error *err)
{
	json_auto_t *item = NULL;

	if (!step->act || step->refused)
		return true;
	if (!step->change)
		return error_set(err, ERR_INTERNAL,
				 "a step does not say what it changes");
	item = json_pack("{s:I, s:s, s:O}", "account", (json_int_t)account, "facet",
			 account_facet_name(facet), "change", step->change);
	if (!item ||
	    (step->snapshot && json_object_set(item, "snapshot", step->snapshot) != 0) ||
	    (step->sets_lock &&
	     json_object_set_new(item, "lock", json_string(step->lock)) != 0) ||
	    (holding && json_object_set_new(item, "holding", json_string(holding)) != 0))
		return error_oom(err);
	return json_array_append(steps, item) == 0 || error_oom(err);
}

/* Facet by facet, so that nobody can sign in anywhere before sessions end somewhere. */
static bool add_steps(const struct target *targets, size_t count, json_t *steps,
		      struct error *err)
{
	for (size_t f = 0; f < FACET_COUNT; f++)
		for (size_t i = 0; i < count; i++)
			if (!add_step(i, (enum account_facet)f, NULL,
				      &targets[i].steps[f], steps, err))
				return false;
	for (size_t f = FACET_COUNT; f-- > 0;) {
		for (size_t i = 0; i < count; i++) {
			const struct undo_plan *undo = &targets[i].undo;

			for (size_t k = 0; k < undo->count; k++)
				if (undo->steps[k].facet == (enum account_facet)f &&
				    !add_step(i, undo->steps[k].facet,
					      undo->steps[k].holding,
					      &undo->steps[k].step, steps, err))
					return false;
		}
	}
	return true;
}

/* ---- The plan --------------------------------------------------------------------- */

/* Why nothing at all can be done, if that is so. */
static bool check_any(const struct target *targets, size_t count, struct error *err)
{
	const struct target *first = &targets[0];
	const char *why = NULL;
	bool knows_sessions = false;

	for (size_t i = 0; i < count; i++) {
		const struct target *t = &targets[i];

		if (t->acts || t->reschedule || json_array_size(t->open) > 0)
			return true;
		for (size_t f = 0; f < FACET_COUNT; f++)
			why = why ? why : t->steps[f].refused;
		for (size_t k = 0; k < t->undo.count; k++)
			why = why ? why : t->undo.steps[k].step.refused;
		knows_sessions |= is_wanted(t, FACET_SESSIONS) ||
				  is_wanted(t, FACET_TOKENS);
	}
	if (why)
		return error_set(err, ERR_PRECONDITION_FAILED, "'%s': %s",
				 first->account->identifier, why);
	if (first->intent->kind != SAGA_REVOKE || knows_sessions)
		return true;
	return error_set(
		err, ERR_PRECONDITION_FAILED, "%s: %s", target_system(first),
		first->system->backend->notion(first->system->self, FACET_SESSIONS));
}

/* Its target names the person: two calls in one decision are two different things. */
static void say_retries(const struct target *targets, size_t count, int64_t until_ms,
			struct plan *plan)
{
	char at[CLOCK_TEXT_BYTES], to[CLOCK_TEXT_BYTES + 32], what[PLAN_TEXT_MAX / 2];

	for (size_t i = 0; i < count; i++) {
		if (!targets[i].acts)
			continue;
		(void)snprintf(to, sizeof to, "tried again until %s",
			       clock_format(until_ms, at));
		(void)snprintf(what, sizeof what,
			       "what fails or is interrupted of %.512s",
			       targets[i].account->identifier);
		plan_effect(plan, "wingman", what, "open", to, true);
		return;
	}
}

static bool build(const struct intent *in, const struct person *person,
		  const struct target *targets, size_t count, struct plan *plan,
		  struct error *err)
{
	/* In whole seconds, as people read it. */
	const int64_t until_ms = (in->now_ms + SAGA_RETRY_FOR_MS + 999) / 1000 * 1000;
	json_auto_t *state = json_array(), *accounts = json_array(),
		    *steps = json_array();
	json_t *data;

	for (size_t i = 0; i < count; i++)
		if (!intent_say(&targets[i], plan, err) ||
		    !add_state(&targets[i], state, err) ||
		    !add_account(&targets[i], person, accounts, err))
			return false;
	if (!add_steps(targets, count, steps, err))
		return false;
	say_retries(targets, count, until_ms, plan);
	data = json_pack("{s:s, s:I, s:O, s:O, s:s, s:s, s:s}", "kind",
			 saga_kind_name(in->kind), "retry_until_ms", (json_int_t)until_ms,
			 "accounts", accounts, "steps", steps, "display_name",
			 person->name, "uid", person->uid, "email", person->mail);
	if (!data)
		return error_oom(err);
	plan_state(plan, json_incref(state));
	plan_data(plan, data);
	return true;
}

bool intent_plan(struct documents *records, const struct intent *in,
		 const struct person *person, struct plan *plan, struct error *err)
{
	struct target targets[PERSON_ACCOUNTS_MAX] = { 0 };
	bool good = person->count > 0;

	for (size_t i = 0; good && i < person->count; i++) {
		targets[i] = (struct target){ .intent = in,
					      .system = person->accounts[i].system,
					      .account = &person->accounts[i].account };
		good = read_target(records, &targets[i], err);
	}
	for (size_t i = 0; good && i < json_array_size(person->notes); i++)
		plan_warning(plan, "%s",
			     json_string_value(json_array_get(person->notes, i)));
	good = good && check_any(targets, person->count, err) &&
	       build(in, person, targets, person->count, plan, err);
	for (size_t i = 0; i < PERSON_ACCOUNTS_MAX; i++)
		target_done(&targets[i]);
	return good;
}

/* ---- The saga --------------------------------------------------------------------- */

bool intent_check_end(const json_t *data, int64_t now_ms, struct error *err)
{
	const json_t *account;
	size_t i;

	json_array_foreach(json_object_get(data, "accounts"), i, account)
	{
		const int64_t end_ms = json_get_int64(account, "expires_ms", 0);

		if (end_ms == 0 || end_ms > now_ms)
			continue;
		error_set(err, ERR_PRECONDITION_FAILED,
			  "the block of '%s' was to end by itself before now; nothing "
			  "was done",
			  json_get_string(account, "identifier"));
		return error_hint(err, "ask again, with a longer 'expires_in'");
	}
	return true;
}

static bool begin_steps(json_t *steps)
{
	json_t *step;
	size_t i;

	json_array_foreach(steps, i, step)
	{
		if (json_object_set_new(step, "phase", json_string("planned")) != 0 ||
		    json_object_set_new(step, "sent", json_false()) != 0 ||
		    json_object_set_new(step, "attempts", json_integer(0)) != 0)
			return false;
	}
	return true;
}

static bool set_optional(json_t *saga, const char *member, const char *text)
{
	return !text || json_object_set_new(saga, member, json_string(text)) == 0;
}

json_t *intent_saga(const json_t *data, const struct record_event *e)
{
	json_auto_t *accounts = json_deep_copy(json_object_get(data, "accounts"));
	json_auto_t *steps = json_deep_copy(json_object_get(data, "steps"));
	json_auto_t *saga = NULL;

	if (!accounts || !steps || !begin_steps(steps))
		return NULL;
	saga = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:O, s:O, s:{s:s, s:s, s:s}}",
		"approval", e->approval, "kind", json_get_string(data, "kind"), "by",
		e->by, "approved_by", e->approved_by, "reason", e->reason, "at_ms",
		(json_int_t)e->at_ms, "retry_until_ms",
		(json_int_t)json_get_int64(data, "retry_until_ms", 0), "accounts",
		accounts, "steps", steps, "person", "display_name",
		json_get_string(data, "display_name"), "uid",
		json_get_string(data, "uid"), "email", json_get_string(data, "email"));
	if (!saga || !set_optional(saga, "incident", e->incident) ||
	    !set_optional(saga, "ticket", e->ticket))
		return NULL;
	return TAKE(saga);
}
