/* What our records say of an account: before a saga's steps for it begin, so that no
 * block can come about that nobody answers for or that outlasts its yes, and after they
 * ended, when that is taken back which did not happen. */
#include "servers/accounts/saga_private.h"

#include "servers/accounts/expiry.h"
#include "servers/accounts/held.h"

static bool copy_text(const json_t *from, const char *member, char **ret)
{
	const char *text = json_get_string(from, member);

	*ret = strdup(text ? text : "");
	return *ret;
}

/* Enough of it for the records; account_done ends it. */
static bool read_account(const json_t *a, struct account *ret, struct error *err)
{
	return (copy_text(a, "id", &ret->id) &&
		copy_text(a, "identifier", &ret->identifier) &&
		copy_text(a, "uid", &ret->uid) &&
		copy_text(a, "display_name", &ret->name) &&
		copy_text(a, "email", &ret->mail) &&
		copy_text(a, "detail", &ret->detail)) ||
	       error_oom(err);
}

/* The account's step that sets its lock; NULL: none. */
static const json_t *lock_step(const json_t *saga, const json_t *account)
{
	const json_t *step;
	size_t i;

	json_array_foreach(json_object_get(saga, "steps"), i, step)
	{
		if (saga_account(saga, step) == account && json_get_string(step, "lock"))
			return step;
	}
	return NULL;
}

/* What may have happened counts as if it had. */
static bool may_be_so(const json_t *step)
{
	return saga_step_is_done(step) || json_is_true(json_object_get(step, "sent"));
}

static const char *text_of(const json_t *saga, const char *member)
{
	const char *text = json_get_string(saga, member);

	return text ? text : "";
}

static struct record_event read_event(const json_t *saga, const char *action)
{
	return (struct record_event){
		.action = action,
		.at_ms = json_get_int64(saga, "at_ms", 0),
		.by = text_of(saga, "by"),
		.approved_by = text_of(saga, "approved_by"),
		.approval = text_of(saga, "approval"),
		.reason = text_of(saga, "reason"),
		.incident = json_get_string(saga, "incident"),
		.ticket = json_get_string(saga, "ticket"),
	};
}

/* NULL: nothing worth an event. */
static const char *choose_action(const json_t *saga, const json_t *account)
{
	const json_t *lock = lock_step(saga, account), *step;
	size_t i;

	if (lock)
		return saga_text_is(saga, "kind", "block") ? "blocked" : "unblocked";
	if (json_is_true(json_object_get(account, "reschedule")))
		return "rescheduled";
	json_array_foreach(json_object_get(saga, "steps"), i, step)
	{
		if (saga_account(saga, step) == account)
			return saga_text_is(saga, "kind", "unblock") ? "restored"
								     : "sessions_ended";
	}
	return NULL;
}

static bool add_event(const struct saga_env *env, const json_t *account,
		      const struct record_event *e, struct error *err)
{
	_cleanup_(account_done) struct account a = { 0 };
	const char *system = json_get_string(account, "system");

	/* Once, however often this is begun. */
	return read_account(account, &a, err) &&
	       record_remove(env->records, system, &a, e, err) &&
	       record_add(env->records, system, &a, e, err);
}

static bool remove_event(const struct saga_env *env, const json_t *account,
			 const struct record_event *e, struct error *err)
{
	_cleanup_(account_done) struct account a = { 0 };

	return read_account(account, &a, err) &&
	       record_remove(env->records, json_get_string(account, "system"), &a, e,
			     err);
}

/* A block that has no end must not inherit that of an earlier one. */
static bool put_end(const struct saga_env *env, const json_t *account, const char *lock,
		    const struct record_event *e, struct error *err)
{
	const struct expiry x = {
		.system = json_get_string(account, "system"),
		.id = json_get_string(account, "id"),
		.identifier = json_get_string(account, "identifier"),
		.lock = lock,
		.by = e->by,
		.approved_by = e->approved_by,
		.approval = e->approval,
		.at_ms = e->expires_ms,
	};

	return x.at_ms != 0 ? expiry_put(env->records, &x, err)
			    : expiry_remove(env->records, x.system, x.id, err);
}

static bool open_records(const struct saga_env *env, const json_t *saga,
			 const json_t *account, struct error *err)
{
	const char *action = choose_action(saga, account);
	const json_t *lock = lock_step(saga, account);
	struct record_event e;

	if (!action)
		return true;
	e = read_event(saga, action);
	if (strcmp(action, "blocked") == 0)
		e.lock = json_get_string(lock, "lock");
	if (saga_text_is(saga, "kind", "block"))
		e.expires_ms = json_get_int64(account, "expires_ms", 0);
	if (!add_event(env, account, &e, err))
		return false;
	saga_point(env, "event");
	if (!saga_text_is(saga, "kind", "block") ||
	    !json_is_true(json_object_get(account, "reschedule")))
		return true;
	return put_end(env, account, e.lock ? e.lock : json_get_string(account, "lock"),
		       &e, err);
}

bool saga_open_account(const struct saga_env *env, const json_t *saga, json_t *account,
		       struct error *err)
{
	if (json_is_true(json_object_get(account, "opened")))
		return true;
	return open_records(env, saga, account, err) &&
	       saga_set(account, "opened", json_true(), err);
}

/* ---- Afterwards ------------------------------------------------------------------- */

static bool any_step(const json_t *saga, const json_t *account,
		     bool (*is)(const json_t *step))
{
	const json_t *step;
	size_t i;

	json_array_foreach(json_object_get(saga, "steps"), i, step)
	{
		if (saga_account(saga, step) == account && is(step))
			return true;
	}
	return false;
}

/* The end that this very approval set. */
static bool remove_own_end(const struct saga_env *env, const json_t *saga,
			   const json_t *account, struct error *err)
{
	_cleanup_(expiry_done) struct expiry x = { 0 };
	const char *system = json_get_string(account, "system");
	const char *id = json_get_string(account, "id");
	bool found = false;

	if (!expiry_get(env->records, system, id, &x, &found, err))
		return false;
	return !found || strcmp(x.approval, text_of(saga, "approval")) != 0 ||
	       expiry_remove(env->records, system, id, err);
}

/* The block of the sign-in did not happen, but what else was taken still comes back. */
static bool took_something(const json_t *step)
{
	return may_be_so(step) && json_object_get(step, "snapshot");
}

static bool take_back_end(const struct saga_env *env, const json_t *saga,
			  const json_t *account, struct error *err)
{
	struct record_event e = read_event(saga, "blocked");

	e.expires_ms = json_get_int64(account, "expires_ms", 0);
	if (e.expires_ms == 0 || !any_step(saga, account, took_something))
		return remove_own_end(env, saga, account, err);
	return put_end(env, account, json_get_string(account, "lock"), &e, err);
}

/* It did not happen: nobody blocked or unblocked it; what else was done is said. */
static bool take_back(const struct saga_env *env, const json_t *saga,
		      const json_t *account, const char *action, struct error *err)
{
	const struct record_event e = read_event(saga, action);
	const bool is_block = action && strcmp(action, "blocked") == 0;
	const struct record_event rest =
		read_event(saga, is_block ? "sessions_ended" : "restored");

	if (!remove_event(env, account, &e, err) ||
	    (is_block && !take_back_end(env, saga, account, err)))
		return false;
	return strcmp(action, rest.action) == 0 || !any_step(saga, account, may_be_so) ||
	       add_event(env, account, &rest, err);
}

/* Snapshots that the plan found overtaken by somebody else's changes. */
static bool forget_overtaken(const struct saga_env *env, const json_t *account,
			     struct error *err)
{
	const struct held_key key = { .system = json_get_string(account, "system"),
				      .identifier =
					      json_get_string(account, "identifier"),
				      .id = json_get_string(account, "id") };
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(account, "overtaken"), i, one)
	{
		const char *name = json_get_string(one, "facet");
		const char *holding = json_get_string(one, "holding");
		enum account_facet facet;

		if (name && holding && account_facet_from_name(name, &facet) &&
		    !held_drop(env->records, &key, facet, holding, err))
			return false;
	}
	return true;
}

static bool close_records(const struct saga_env *env, const json_t *saga,
			  const json_t *account, struct error *err)
{
	const json_t *lock = lock_step(saga, account);
	const char *action = choose_action(saga, account);

	if (lock && !may_be_so(lock))
		return take_back(env, saga, account, action, err);
	if (!lock && action && strcmp(action, "rescheduled") != 0 &&
	    !any_step(saga, account, may_be_so))
		return take_back(env, saga, account, action, err);
	/* One that stays behind ends nothing: its lock is gone. */
	if (saga_text_is(saga, "kind", "unblock") && (!lock || saga_step_is_done(lock)))
		return expiry_remove(env->records, json_get_string(account, "system"),
				     json_get_string(account, "id"), err);
	return true;
}

bool saga_close_account(const struct saga_env *env, const json_t *saga, json_t *account,
			struct error *err)
{
	if (json_is_true(json_object_get(account, "closed")) ||
	    any_step(saga, account, saga_step_is_open))
		return true;
	return close_records(env, saga, account, err) &&
	       forget_overtaken(env, account, err) &&
	       saga_set(account, "closed", json_true(), err);
}
