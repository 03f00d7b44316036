/* The engine: steps of a saga that are due, one after the other, each on record before
 * and after. */
#include "servers/accounts/saga_private.h"

#include "base/clock.h"
#include "servers/accounts/held.h"
#include "servers/accounts/step.h"

struct work {
	const struct saga_env *env;
	json_t *saga, *step;
	const json_t *account;
	const struct account_system *system; /* NULL: not connected any more */
	enum account_facet facet;
	struct held_key key;
};

static bool is_kind(const struct work *w, enum saga_kind kind)
{
	return saga_text_is(w->saga, "kind", saga_kind_name(kind));
}

static const char *approval_of(const struct work *w)
{
	return json_get_string(w->saga, "approval");
}

/* ---- What is said ----------------------------------------------------------------- */

static bool may_act(const struct work *w, struct error *err)
{
	return !w->env->audit || audit_is_sound(w->env->audit) ||
	       error_set(err, ERR_INTERNAL,
			 "the audit log cannot be written, so nothing is tried again");
}

static bool say(const struct work *w, const char *event, bool is_outcome,
		struct error *err)
{
	const char *why = json_get_string(w->step, "message");
	json_t *data;

	if (!w->env->audit)
		return true;
	data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "approval",
			 approval_of(w), "system", w->key.system, "identifier",
			 w->key.identifier, "facet", account_facet_name(w->facet), "kind",
			 json_get_string(w->saga, "kind"), "phase",
			 json_get_string(w->step, "phase"), "attempts",
			 (json_int_t)json_get_int64(w->step, "attempts", 0));
	if (!data)
		return error_oom(err);
	if (why && *why && json_object_set_new(data, "message", json_string(why)) != 0) {
		json_decref(data);
		return error_oom(err);
	}
	return is_outcome ? audit_append_outcome(w->env->audit, event, data, NULL, err)
			  : audit_append(w->env->audit, event, data, NULL, err);
}

/* ---- What is on record ------------------------------------------------------------ */

static bool set_phase(const struct work *w, const char *phase, bool sent,
		      struct error *err)
{
	return saga_set(w->step, "phase", json_string(phase), err) &&
	       saga_set(w->step, "sent", json_boolean(sent), err);
}

static bool set_why(const struct work *w, const struct error *why, struct error *err)
{
	if (!error_is_set(why)) {
		(void)json_object_del(w->step, "code");
		(void)json_object_del(w->step, "message");
		return true;
	}
	return saga_set(w->step, "code", json_string(error_name(why->code)), err) &&
	       saga_set(w->step, "message", json_string(why->message), err);
}

static bool was_sent(const struct work *w)
{
	return json_is_true(json_object_get(w->step, "sent"));
}

/* Until when this may be tried: what ends by itself must not be begun after its end. */
static int64_t last_ms(const struct work *w)
{
	int64_t until = json_get_int64(w->saga, "retry_until_ms", 0);
	int64_t end = is_kind(w, SAGA_BLOCK) ? json_get_int64(w->account, "expires_ms", 0)
					     : 0;

	return end != 0 && end < until ? end : until;
}

static int64_t next_ms(const struct work *w, int64_t after_ms)
{
	int64_t attempts = json_get_int64(w->step, "attempts", 0), ms = SAGA_RETRY_MS;

	while (attempts-- > 1 && ms < SAGA_RETRY_MAX_MS)
		ms *= 2;
	if (ms > SAGA_RETRY_MAX_MS)
		ms = SAGA_RETRY_MAX_MS;
	if (after_ms > ms)
		ms = after_ms;
	ms += w->env->now_ms;
	return ms < last_ms(w) ? ms : last_ms(w);
}

/* The snapshot first: there is one for whatever may have happened. */
static bool hold(const struct work *w, struct error *err)
{
	const json_t *snapshot = json_object_get(w->step, "snapshot");
	const char *holding = json_get_string(w->step, "holding");

	if (snapshot)
		return held_add(w->env->records, &w->key, w->facet, approval_of(w),
				snapshot, json_get_string(w->step, "lock") != NULL, err);
	return !holding || held_begin_undo(w->env->records, &w->key, w->facet, holding,
					   json_object_get(w->step, "change"), err);
}

/* Nothing of ours is there any more, or never was. */
static bool let_go(const struct work *w, struct error *err)
{
	const char *holding = json_get_string(w->step, "holding");
	const bool has_snapshot = json_object_get(w->step, "snapshot") != NULL;

	if (has_snapshot && !saga_step_is_done(w->step) && !was_sent(w))
		return held_drop(w->env->records, &w->key, w->facet, approval_of(w), err);
	return !holding || saga_step_is_open(w->step) || !saga_step_is_done(w->step) ||
	       held_drop(w->env->records, &w->key, w->facet, holding, err);
}

/* Told, let go, recorded; in this order, so that what is missing is found here again. */
static bool conclude(const struct work *w, struct error *err)
{
	if (!say(w,
		 saga_step_is_open(w->step) ? "account.step_waits"
					    : "account.step_settled",
		 true, err) ||
	    !let_go(w, err))
		return false;
	saga_point(w->env, "let go");
	if (w->env->audit && !saga_tell_settled(w->env, w->saga, err))
		return false;
	if (!saga_save(w->env, w->saga, err))
		return false;
	if (w->env->changed && saga_step_is_done(w->step))
		w->env->changed(w->env->changed_context, w->account);
	return true;
}

/* ---- One step --------------------------------------------------------------------- */

static struct step read_step(const struct work *w)
{
	return (struct step){
		.system = w->system,
		.facet = w->facet,
		.identifier = w->key.identifier,
		.id = w->key.id,
		.change = json_object_get(w->step, "change"),
		.may_have_happened = was_sent(w),
		.was_accepted = json_is_true(json_object_get(w->step, "was_accepted")),
	};
}

static bool set_requested(const struct work *w, const struct step_outcome *o,
			  struct error *err)
{
	return set_phase(w, "requested", true, err) &&
	       saga_set(w->step, "was_accepted", json_true(), err) &&
	       saga_set(w->step, "retry_ms",
			json_integer(next_ms(w, o->applied.retry_after_ms)), err);
}

static bool set_outcome(const struct work *w, const struct step_outcome *o,
			struct error *err)
{
	if (o->applied.has_count &&
	    !saga_set(w->step, "count", json_integer(o->applied.count), err))
		return false;
	if (!set_why(w, &o->why, err))
		return false;
	switch (o->end) {
	case STEP_VERIFIED:
		return set_phase(w, "verified", true, err);
	case STEP_ACCEPTED:
		return set_phase(w, "accepted", true, err);
	case STEP_REQUESTED:
		return set_requested(w, o, err);
	case STEP_WAITS:
	case STEP_UNKNOWN:
		return set_phase(w, "retry",
				 o->end == STEP_UNKNOWN || o->may_have_happened, err) &&
		       saga_set(w->step, "retry_ms",
				json_integer(next_ms(w, o->applied.retry_after_ms)), err);
	case STEP_REFUSED:
		return o->may_have_happened ? set_phase(w, "given_up", true, err)
					    : set_phase(w, "refused", false, err);
	}
	return false;
}

/* A later attempt looks again whether it is protected by now. */
static bool check_protected(const struct work *w, struct error *why)
{
	_cleanup_(account_done) struct account now = { 0 };
	_cleanup_strbuf_ struct strbuf rule = STRBUF_INIT;
	const struct account_backend *b = w->system->backend;
	bool found = false, is_protected = false;

	if (!w->env->audit)
		return true;
	if (!b->read(w->system->self, w->key.identifier, w->key.id, w->env->now_ms, &now,
		     &found, why))
		return false;
	if (!found)
		return true; /* the step itself says so */
	if (!b->is_protected(w->system->self, &now, &is_protected, &rule, why))
		return false;
	return !is_protected || error_set(why, ERR_PROTECTED, "'%s' is protected now: %s",
					  w->key.identifier, rule.data);
}

static bool attempt(const struct work *w, struct error *err)
{
	const struct step step = read_step(w);
	struct step_outcome o = { .end = STEP_WAITS };

	if (!saga_set(w->step, "attempts",
		      json_integer(json_get_int64(w->step, "attempts", 0) + 1), err) ||
	    !say(w, "account.step_tried", false, err))
		return false;
	if (!check_protected(w, &o.why)) {
		o.end = o.why.code == ERR_PROTECTED && !was_sent(w) ? STEP_REFUSED
			: was_sent(w)                               ? STEP_UNKNOWN
								    : STEP_WAITS;
		return set_outcome(w, &o, err) && conclude(w, err);
	}
	if (!hold(w, err))
		return false;
	saga_point(w->env, "held");
	if (!set_phase(w, "started", true, err) || !saga_save(w->env, w->saga, err))
		return false;
	step_run(&step, w->env->now_ms, &o);
	saga_point(w->env, "applied");
	return set_outcome(w, &o, err) && conclude(w, err);
}

/* Time is over: what may have happened is looked at once more, and then said. */
static bool give_up(const struct work *w, struct error *err)
{
	const struct step step = read_step(w);
	struct step_outcome o = { .end = STEP_UNKNOWN };

	if (w->system && was_sent(w))
		step_look(&step, w->env->now_ms, &o);
	if (o.end == STEP_VERIFIED || (o.end == STEP_ACCEPTED && step.was_accepted))
		return set_outcome(w, &o, err) && conclude(w, err);
	if (!json_get_string(w->step, "message") &&
	    !saga_set(w->step, "message",
		      json_string(was_sent(w) ? "it was accepted, but never shown"
					      : "it was not begun in time"),
		      err))
		return false;
	return set_phase(w, "given_up", was_sent(w), err) && conclude(w, err);
}

static bool unconnected(const struct work *w, struct error *err)
{
	struct step_outcome o = { .end = was_sent(w) ? STEP_UNKNOWN : STEP_WAITS };

	error_set(&o.why, ERR_BACKEND_UNAVAILABLE,
		  "this server is not connected to '%s' any more", w->key.system);
	return set_outcome(w, &o, err) && conclude(w, err);
}

static bool is_due(const struct work *w)
{
	return saga_step_is_open(w->step) &&
	       (json_get_int64(w->step, "retry_ms", 0) <= w->env->now_ms ||
		saga_text_is(w->step, "phase", "started"));
}

static bool is_stopped(const struct saga_env *env)
{
	return (env->stopping && atomic_load(env->stopping)) ||
	       (env->deadline_mono_ms != 0 && clock_mono_ms() >= env->deadline_mono_ms);
}

static bool do_step(struct work *w, struct error *err)
{
	_cleanup_(turn_end) const struct turn turn =
		turn_take(w->env->turns, w->key.system, w->key.id);

	(void)turn;
	if (!may_act(w, err))
		return false;
	if (w->env->now_ms >= last_ms(w))
		return give_up(w, err);
	return w->system ? attempt(w, err) : unconnected(w, err);
}

static bool prepare(struct work *w, struct error *err)
{
	const char *facet = json_get_string(w->step, "facet");

	w->account = saga_account(w->saga, w->step);
	w->key = (struct held_key){
		.system = json_get_string(w->account, "system"),
		.identifier = json_get_string(w->account, "identifier"),
		.id = json_get_string(w->account, "id"),
	};
	if (!facet || !account_facet_from_name(facet, &w->facet) || !w->key.system ||
	    !w->key.identifier || !w->key.id || !json_object_get(w->step, "change"))
		return error_set(err, ERR_INTERNAL, "a recorded step cannot be read");
	w->system = saga_system(w->env, w->key.system);
	return true;
}

/* ---- The whole -------------------------------------------------------------------- */

/* 'each' for every account, in its turn; saved where that changed something. */
static bool each_account(const struct saga_env *env, json_t *saga,
			 bool (*each)(const struct saga_env *env, const json_t *saga,
				      json_t *account, struct error *err),
			 const char *mark, struct error *err)
{
	json_t *account;
	size_t i;

	json_array_foreach(json_object_get(saga, "accounts"), i, account)
	{
		_cleanup_(turn_end) const struct turn turn =
			turn_take(env->turns, json_get_string(account, "system"),
				  json_get_string(account, "id"));

		(void)turn;
		if (json_is_true(json_object_get(account, mark)))
			continue;
		if (!each(env, saga, account, err))
			return false;
		if (json_is_true(json_object_get(account, mark)) &&
		    !saga_save(env, saga, err))
			return false;
	}
	return true;
}

static bool work(const struct saga_env *env, json_t *saga, struct error *err)
{
	json_t *step;
	size_t i;

	if (!each_account(env, saga, saga_open_account, "opened", err))
		return false;
	json_array_foreach(json_object_get(saga, "steps"), i, step)
	{
		struct work w = { .env = env, .saga = saga, .step = step };

		if (is_stopped(env))
			break;
		if (is_due(&w) && (!prepare(&w, err) || !do_step(&w, err)))
			return false;
	}
	return each_account(env, saga, saga_close_account, "closed", err);
}

bool saga_work(const struct saga_env *env, const char *approval, json_t **ret,
	       struct error *err)
{
	_cleanup_(turn_end)
		const struct turn turn = turn_take(env->sagas, SAGAS, approval);
	json_auto_t *saga = NULL;
	bool good;

	(void)turn;
	if (!saga_get(env->records, approval, &saga, err))
		return false;
	if (!saga)
		return error_set(err, ERR_INTERNAL, "there is no record of '%s'",
				 approval);
	good = work(env, saga, err);
	if (ret)
		*ret = json_incref(saga);
	return good;
}
