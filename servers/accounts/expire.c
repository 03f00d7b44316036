#include "servers/accounts/expire.h"

#include "base/clock.h"
#include "servers/accounts/news.h"
#include "servers/accounts/record.h"
#include "servers/accounts/saga.h"
#include "servers/accounts/undo.h"

static const struct account_system *find_system(const struct expire *e, const char *name)
{
	for (size_t i = 0; i < e->system_count; i++)
		if (strcmp(e->systems[i].backend->system, name) == 0)
			return &e->systems[i];
	return NULL;
}

/* ---- What is said ----------------------------------------------------------------- */

static json_t *describe(const struct expiry *x)
{
	char at[CLOCK_TEXT_BYTES];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "approval", x->approval,
			 "system", x->system, "identifier", x->identifier, "id", x->id,
			 "by", x->by, "approved_by", x->approved_by, "expires_at",
			 clock_format(x->at_ms, at));
}

/* 'value' is stolen. It tells what became of what has begun, so it may use the room
 * that is kept for that. */
static bool say(const struct expire *e, const struct expiry *x, const char *event,
		const char *name, json_t *value, struct error *err)
{
	json_auto_t *data = describe(x);

	if (json_object_set_new(data, name, value) != 0)
		return error_oom(err);
	return audit_append_outcome(e->audit, event, TAKE(data), NULL, err);
}

/* The same for people: once each, whatever is said again after a crash. */
static bool tell(const struct expire *e, const struct expiry *x, const char *key,
		 const char *what, const char *why, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char at[CLOCK_TEXT_BYTES], full[64];

	(void)snprintf(full, sizeof full, "%s-%s", key, x->system);
	strbuf_add_format(&text, "the block of %.*s in %s, which was to end at %s, %s",
			  news_cut(x->identifier, 200), x->identifier, x->system,
			  clock_format(x->at_ms, at), what);
	if (why && *why)
		strbuf_add_format(&text, ": %.*s", news_cut(why, 400), why);
	return strbuf_ok(&text) ? news_put(e->records, x->approval, full, text.data,
					   e->now_ms, err)
				: error_oom(err);
}

/* ---- How it ends ------------------------------------------------------------------ */

/* Said first: what is not in the log yet is found here again. */
static bool conclude(const struct expire *e, const struct expiry *x, bool verified,
		     struct error *err)
{
	return say(e, x, "account.unblocked", "verified", json_boolean(verified), err) &&
	       tell(e, x, "ended",
		    verified ? "is over, as read back" : "is over, not read back yet",
		    NULL, err) &&
	       expiry_remove(e->records, x->system, x->id, err);
}

static bool drop(const struct expire *e, const struct expiry *x, const char *why,
		 struct error *err)
{
	return say(e, x, "account.unblock_dropped", "why", json_string(why), err) &&
	       tell(e, x, "dropped", "is not ended by us", why, err) &&
	       expiry_remove(e->records, x->system, x->id, err);
}

static int64_t retry_in_ms(int64_t attempts)
{
	int64_t ms = EXPIRE_RETRY_MS;

	while (attempts-- > 1 && ms < EXPIRE_RETRY_MAX_MS)
		ms *= 2;
	return ms < EXPIRE_RETRY_MAX_MS ? ms : EXPIRE_RETRY_MAX_MS;
}

static bool postpone(const struct expire *e, const struct expiry *x,
		     const struct error *why, struct error *err)
{
	struct expiry later = *x;

	later.attempts++;
	later.retry_ms = e->now_ms + retry_in_ms(later.attempts);
	later.why = why->message;
	if (!later.reported)
		later.reported =
			say(e, x, "account.unblock_failed", "error",
			    json_pack("{s:s, s:s}", "code", error_name(why->code),
				      "message", why->message),
			    err) &&
			tell(e, x, "failed", "could not be ended and is tried again",
			     why->message, err);
	return expiry_put(e->records, &later, err) && later.reported;
}

/* Somebody else took our lock away; what is there now is not ours to explain. */
static bool drop_changed(const struct expire *e, const struct expiry *x,
			 const struct account *now, struct error *err)
{
	const struct record_event event = {
		.action = "changed_elsewhere",
		.at_ms = e->now_ms,
		.by = "",
		.approved_by = "",
		.approval = x->approval,
		.reason = "the lock that was set here was found changed",
	};

	return record_add(e->records, x->system, now, &event, err) &&
	       drop(e, x, "the lock that was set here was changed elsewhere", err);
}

/* ---- The end ---------------------------------------------------------------------- */

/* From here on it may have happened, whatever becomes of this process. */
static bool begin(const struct expire *e, struct expiry *x, struct error *err)
{
	if (!audit_is_sound(e->audit))
		return error_set(err, ERR_INTERNAL,
				 "the audit log cannot be written, so no block ends");
	if (!x->announced &&
	    !audit_append(e->audit, "call.expired", describe(x), NULL, err))
		return false;
	x->announced = true;
	x->ending = true;
	return expiry_put(e->records, x, err);
}

/* On record first; taken back when it did not happen. */
static bool give_back(const struct expire *e, const struct account_system *system,
		      const struct expiry *x, const struct account *now,
		      struct undo_outcome *ret, struct error *why)
{
	const struct record_event event = {
		.action = "unblocked",
		.at_ms = e->now_ms,
		.by = x->by,
		.approved_by = x->approved_by,
		.approval = x->approval,
		.reason = "the block ended by itself, as approved with it",
	};
	struct error undo = ERROR_INIT;

	if (!record_add(e->records, x->system, now, &event, why))
		return false;
	if (undo_account(e->records, system, now, e->now_ms, ret, why))
		return true;
	if (!ret->changed)
		(void)record_remove(e->records, x->system, now, &event, &undo);
	return false;
}

static bool unblock(const struct expire *e, const struct account_system *system,
		    struct expiry *x, const struct account *now, struct error *err)
{
	struct undo_outcome outcome = { 0 };
	struct error why = ERROR_INIT;

	if (!begin(e, x, err))
		return false;
	if (give_back(e, system, x, now, &outcome, &why))
		return conclude(e, x, outcome.verified, err);
	x->ending = outcome.changed;
	return postpone(e, x, &why, err);
}

/* The lock is gone: an end of ours that was interrupted, or somebody's doing. */
static bool settle_gone(const struct expire *e, const struct account_system *system,
			struct expiry *x, const struct account *now, struct error *err)
{
	struct undo_outcome outcome = { 0 };
	struct error why = ERROR_INIT;
	bool is_done = x->ending && !*now->lock;

	if (x->ending && !is_done &&
	    !undo_lock_is_done(e->records, system, now, e->now_ms, &is_done, &why))
		return postpone(e, x, &why, err);
	if (!is_done)
		return drop_changed(e, x, now, err);
	/* What else there is to give back. */
	return undo_account(e->records, system, now, e->now_ms, &outcome, &why)
		       ? conclude(e, x, outcome.verified, err)
		       : postpone(e, x, &why, err);
}

/* It is due, and the account was read. */
static bool settle(const struct expire *e, const struct account_system *system,
		   struct expiry *x, const struct account *now, struct error *err)
{
	_cleanup_strbuf_ struct strbuf rule = STRBUF_INIT;
	struct error why = ERROR_INIT;
	bool is_protected = false;

	if (strcmp(now->lock, x->lock) != 0)
		return settle_gone(e, system, x, now, err);
	if (!system->backend->is_protected(system->self, now, &is_protected, &rule, &why))
		return postpone(e, x, &why, err);
	if (is_protected)
		return drop(e, x, "the account is protected now", err);
	return unblock(e, system, x, now, err);
}

/* It may have another name for a while; it may also have gone for good. */
static bool miss(const struct expire *e, const struct expiry *x, struct error *err)
{
	struct error why = ERROR_INIT;

	if (e->now_ms - x->at_ms > EXPIRE_MISSING_MS)
		return drop(e, x, "there is no such account any more", err);
	error_set(&why, ERR_NOT_FOUND, "there is no account '%s' with this id",
		  x->identifier);
	return postpone(e, x, &why, err);
}

static bool read_account(const struct expire *e, const struct account_system *system,
			 const struct expiry *x, struct account *ret, bool *ret_found,
			 struct error *err)
{
	if (!system)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "this server is not connected to '%s' any more",
				 x->system);
	return system->backend->read(system->self, x->identifier, x->id, e->now_ms, ret,
				     ret_found, err);
}

static bool end(const struct expire *e, struct expiry *x, struct error *err)
{
	const struct account_system *system = find_system(e, x->system);
	_cleanup_(account_done) struct account now = { 0 };
	struct error why = ERROR_INIT;
	bool found = false;

	if (!read_account(e, system, x, &now, &found, &why))
		return postpone(e, x, &why, err);
	return found ? settle(e, system, x, &now, err) : miss(e, x, err);
}

/* What cannot be seen now is looked at another time. '*ret_kept': it is still to end. */
static bool look(const struct expire *e, const struct expiry *x, bool *ret_kept,
		 struct error *err)
{
	const struct account_system *system = find_system(e, x->system);
	_cleanup_(account_done) struct account now = { 0 };
	struct error why = ERROR_INIT;
	bool found = false;

	if (!read_account(e, system, x, &now, &found, &why) || !found ||
	    strcmp(now.lock, x->lock) == 0)
		return true;
	*ret_kept = false;
	return drop_changed(e, x, &now, err);
}

/* Once, a while before. */
static bool announce(const struct expire *e, struct expiry *x, struct error *err)
{
	if (x->foretold || x->at_ms - e->now_ms > EXPIRE_FORETELL_MS)
		return true;
	if (!audit_append(e->audit, "account.unblock_due", describe(x), NULL, err) ||
	    !tell(e, x, "due", "ends soon", NULL, err))
		return false;
	x->foretold = true;
	return expiry_put(e->records, x, err);
}

/* The block itself may still be on its way, and its lock not be there yet. */
static bool is_being_blocked(const struct expire *e, const struct expiry *x, bool *ret,
			     struct error *err)
{
	json_auto_t *open = NULL;

	if (!saga_list_open(e->records, x->system, x->id, &open, err))
		return false;
	*ret = json_array_size(open) > 0;
	return true;
}

/* One of them, while nobody else changes the account. */
static bool visit(const struct expire *e, struct expiry *x, struct error *err)
{
	bool kept = true, blocking = false;

	if (x->at_ms <= e->now_ms)
		return x->retry_ms > e->now_ms || end(e, x, err);
	if (!e->watch && (x->foretold || x->at_ms - e->now_ms > EXPIRE_FORETELL_MS))
		return true;
	if (!is_being_blocked(e, x, &blocking, err))
		return false;
	if (blocking)
		return true;
	if (e->watch && !look(e, x, &kept, err))
		return false;
	return !kept || announce(e, x, err);
}

static bool take_turn(const struct expire *e, const char *system, const char *id,
		      struct error *err)
{
	_cleanup_(turn_end) const struct turn turn = turn_take(e->turns, system, id);
	_cleanup_(expiry_done) struct expiry x = { 0 };
	bool found;

	(void)turn;
	/* Read again: it may have been replaced, or be gone, by now. */
	return expiry_get(e->records, system, id, &x, &found, err) &&
	       (!found || visit(e, &x, err));
}

bool expire_blocks(const struct expire *e, struct error *err)
{
	json_auto_t *list = NULL;
	const json_t *item;
	bool good = true;
	size_t i;

	if (!expiry_list(e->records, &list, err))
		return false;
	json_array_foreach(list, i, item)
	{
		const char *system = json_get_string(item, "system");
		const char *id = json_get_string(item, "id");

		if (e->stopping && atomic_load(e->stopping))
			break;
		if (system && id && !take_turn(e, system, id, err))
			good = false;
	}
	return good;
}
