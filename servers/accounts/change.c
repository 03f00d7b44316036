#include "servers/accounts/change.h"

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

static bool act(const struct change *c, int64_t now_ms, struct change_outcome *ret,
		struct error *err)
{
	struct error own = ERROR_INIT;
	const struct account_backend *b = c->system->backend;
	bool ok = c->kind == CHANGE_BLOCK
			  ? b->block(c->system->self, c->identifier, c->id, c->lock, &own)
			  : b->unblock(c->system->self, c->identifier, c->id, c->lock,
				       &own);

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

bool change_account(const struct change *c, struct documents *records,
		    const struct record_event *event, int64_t now_ms,
		    struct change_outcome *ret, struct error *err)
{
	_cleanup_(account_done) struct account before = { 0 };
	struct error undo = ERROR_INIT;
	bool found = false;

	if (!read_account(c, now_ms, &before, &found, err))
		return false;
	if (!found || strcmp(before.lock, c->lock) != 0 || is_done(c, &before) == c->act)
		return fail_changed(c, err);
	*ret = (struct change_outcome){ .before = before.state,
					.after = before.state,
					.verified = true };
	if (!c->act)
		return true;
	/* On record before it is done: no block that nobody answers for. */
	if (!record_add(records, c->system->backend->system, &before, event, err))
		return false;
	if (act(c, now_ms, ret, err)) {
		ret->changed = true;
		return true;
	}
	if (err->code != ERR_UNKNOWN_OUTCOME)
		(void)record_remove(records, c->system->backend->system, &before, event,
				    &undo);
	return false;
}
