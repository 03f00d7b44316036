#include "servers/accounts/change.h"

#include "servers/accounts/expiry.h"

static bool read_account(const struct change *c, int64_t now_ms, struct account *ret,
			 bool *ret_found, struct error *err)
{
	return c->system->backend->read(c->system->self, c->identifier, c->id, now_ms,
					ret, ret_found, err);
}

static bool is_done(const struct change *c, const struct account *a)
{
	return c->kind == CHANGE_BLOCK ? a->permanent : *a->lock == '\0';
}

static bool fail_changed(const struct change *c, struct error *err)
{
	error_set(err, ERR_PRECONDITION_FAILED,
		  "'%s' is not as it was when the plan was made; nothing was done",
		  c->identifier);
	return error_hint(err, "ask again: the new plan shows how it is now");
}

/* Read after the act. What cannot be read is told, not guessed. */
static void read_back(const struct change *c, int64_t now_ms, struct change_outcome *ret)
{
	_cleanup_(account_done) struct account now = { 0 };
	struct error err = ERROR_INIT;
	bool found = false;

	ret->after = ACCOUNT_UNKNOWN;
	ret->verified = false;
	if (!read_account(c, now_ms, &now, &found, &err) || !found)
		return;
	ret->after = now.state;
	ret->verified = is_done(c, &now);
}

/* The system did not say whether it acted: done if it reads so now, else unknown. */
static bool settle(const struct change *c, int64_t now_ms, struct change_outcome *ret,
		   const struct error *lost, struct error *err)
{
	read_back(c, now_ms, ret);
	if (ret->verified)
		return true;
	error_set(err, ERR_UNKNOWN_OUTCOME, "%s; '%s' reads as %s now", lost->message,
		  c->identifier, account_state_name(ret->after));
	return error_cause(err, "%s", lost->cause);
}

/* What the backend makes of it; 'account' is as the plan found it. */
static bool plan_step(const struct change *c, const struct account *account,
		      int64_t now_ms, struct facet_step *ret, struct error *err)
{
	const struct account_backend *b = c->system->backend;

	if (c->kind == CHANGE_BLOCK ? !b->plan_block(c->system->self, FACET_SIGN_IN,
						     account, now_ms, ret, err)
				    : !b->plan_undo(c->system->self, FACET_SIGN_IN,
						    account, NULL, now_ms, ret, err))
		return false;
	return (ret->act && !ret->refused) || fail_changed(c, err);
}

static bool act(const struct change *c, const struct facet_step *step, int64_t now_ms,
		struct change_outcome *ret, struct error *err)
{
	struct error own = ERROR_INIT;
	struct facet_applied applied = { 0 };
	bool ok = c->system->backend->apply(c->system->self, FACET_SIGN_IN, c->identifier,
					    c->id, step->change, &applied, &own);

	if (ok) {
		read_back(c, now_ms, ret);
		return true;
	}
	if (own.code == ERR_UNKNOWN_OUTCOME)
		return settle(c, now_ms, ret, &own, err);
	if (own.code == ERR_CONFLICT || own.code == ERR_NOT_FOUND)
		return fail_changed(c, err);
	*err = own;
	return false;
}

/* ---- On record -------------------------------------------------------------------- */

static const char *system_name(const struct change *c)
{
	return c->system->backend->system;
}

/* A person's yes may come after the end that it was for. */
static bool check_end(const struct change *c, int64_t at_ms, struct error *err)
{
	if (c->expires_ms == 0 || c->expires_ms > at_ms)
		return true;
	error_set(err, ERR_PRECONDITION_FAILED,
		  "the block of '%s' was to end by itself before now; nothing was done",
		  c->identifier);
	return error_hint(err, "ask again, with a longer 'expires_in'");
}

/* When the block ends. One that has no end must not inherit that of an earlier one. */
static bool put_end(const struct change *c, struct documents *records,
		    const struct account *account, const struct record_event *e,
		    struct error *err)
{
	const struct expiry x = {
		.system = system_name(c),
		.id = c->id,
		.identifier = c->identifier,
		.lock = e->lock ? e->lock : account->lock,
		.by = e->by,
		.approved_by = e->approved_by,
		.approval = e->approval,
		.at_ms = c->expires_ms,
	};

	return c->expires_ms != 0 ? expiry_put(records, &x, err)
				  : expiry_remove(records, x.system, x.id, err);
}

/* Before it is done: no block that nobody answers for, or that outlasts its yes. */
static bool put_on_record(const struct change *c, struct documents *records,
			  const struct account *account, const struct record_event *e,
			  struct error *err)
{
	struct error undo = ERROR_INIT;

	if (!record_add(records, system_name(c), account, e, err))
		return false;
	if (c->kind == CHANGE_UNBLOCK || !c->reschedule ||
	    put_end(c, records, account, e, err))
		return true;
	(void)record_remove(records, system_name(c), account, e, &undo);
	return false;
}

/* It did not happen. An end of before was that of a lock that was gone already. */
static void take_back(const struct change *c, struct documents *records,
		      const struct account *account, const struct record_event *e)
{
	struct error undo = ERROR_INIT, undo_end = ERROR_INIT;

	(void)record_remove(records, system_name(c), account, e, &undo);
	if (c->kind == CHANGE_BLOCK && c->reschedule)
		(void)expiry_remove(records, system_name(c), c->id, &undo_end);
}

static bool change_recorded(const struct change *c, struct documents *records,
			    const struct account *before, const struct facet_step *step,
			    const struct record_event *e, int64_t now_ms,
			    struct change_outcome *ret, struct error *err)
{
	struct error odd = ERROR_INIT;

	if (!put_on_record(c, records, before, e, err))
		return false;
	if (c->act && !act(c, step, now_ms, ret, err)) {
		if (err->code != ERR_UNKNOWN_OUTCOME)
			take_back(c, records, before, e);
		return false;
	}
	ret->changed = true;
	/* One that stays behind ends nothing: its lock is gone. */
	if (c->kind == CHANGE_UNBLOCK && c->reschedule && ret->verified)
		(void)expiry_remove(records, system_name(c), c->id, &odd);
	return true;
}

bool change_account(const struct change *c, struct documents *records,
		    const struct record_event *event, int64_t now_ms,
		    struct change_outcome *ret, struct error *err)
{
	_cleanup_(account_done) struct account before = { 0 };
	_cleanup_(facet_step_done) struct facet_step step = { 0 };
	struct record_event e = *event;
	bool found = false;

	if (!check_end(c, event->at_ms, err) ||
	    !read_account(c, now_ms, &before, &found, err))
		return false;
	if (!found || strcmp(before.lock, c->lock) != 0 || is_done(c, &before) == c->act)
		return fail_changed(c, err);
	*ret = (struct change_outcome){ .before = before.state,
					.after = before.state,
					.verified = true };
	if (!c->act && !c->reschedule)
		return true;
	e.expires_ms = c->expires_ms;
	if (!c->act)
		e.action = "rescheduled";
	else if (!plan_step(c, &before, now_ms, &step, err))
		return false;
	else if (c->kind == CHANGE_BLOCK)
		e.lock = step.lock;
	return change_recorded(c, records, &before, &step, &e, now_ms, ret, err);
}
