#include "servers/accounts/expire.h"

#include "base/clock.h"
#include "servers/accounts/change.h"

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

/* ---- How it ends ------------------------------------------------------------------ */

/* Said first: what is not in the log yet is found here again. */
static bool conclude(const struct expire *e, const struct expiry *x, bool verified,
		     struct error *err)
{
	return say(e, x, "account.unblocked", "verified", json_boolean(verified), err) &&
	       expiry_remove(e->records, x->system, x->id, err);
}

static bool drop(const struct expire *e, const struct expiry *x, const char *why,
		 struct error *err)
{
	return say(e, x, "account.unblock_dropped", "why", json_string(why), err) &&
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
			    err);
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

static bool unblock(const struct expire *e, const struct account_system *system,
		    struct expiry *x, struct error *err)
{
	const struct change c = { .kind = CHANGE_UNBLOCK,
				  .system = system,
				  .identifier = x->identifier,
				  .id = x->id,
				  .lock = x->lock,
				  .act = true };
	const struct record_event event = {
		.action = "unblocked",
		.at_ms = e->now_ms,
		.by = x->by,
		.approved_by = x->approved_by,
		.approval = x->approval,
		.reason = "the block ended by itself, as approved with it",
	};
	struct change_outcome outcome = { 0 };
	struct error why = ERROR_INIT;

	if (!begin(e, x, err))
		return false;
	if (change_account(&c, e->records, &event, e->now_ms, &outcome, &why))
		return conclude(e, x, outcome.verified, err);
	x->ending = why.code == ERR_UNKNOWN_OUTCOME;
	return postpone(e, x, &why, err);
}

/* It is due, and the account was read. */
static bool settle(const struct expire *e, const struct account_system *system,
		   struct expiry *x, const struct account *now, struct error *err)
{
	_cleanup_strbuf_ struct strbuf rule = STRBUF_INIT;
	struct error why = ERROR_INIT;
	bool is_protected = false;

	if (strcmp(now->lock, x->lock) != 0) /* gone: an end of ours, or somebody's */
		return x->ending && !*now->lock ? conclude(e, x, true, err)
						: drop_changed(e, x, now, err);
	if (!system->backend->is_protected(system->self, now, &is_protected, &rule, &why))
		return postpone(e, x, &why, err);
	if (is_protected)
		return drop(e, x, "the account is protected now", err);
	return unblock(e, system, x, err);
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

/* What cannot be seen now is looked at another time. */
static bool look(const struct expire *e, const struct expiry *x, struct error *err)
{
	const struct account_system *system = find_system(e, x->system);
	_cleanup_(account_done) struct account now = { 0 };
	struct error why = ERROR_INIT;
	bool found = false;

	return !read_account(e, system, x, &now, &found, &why) || !found ||
	       strcmp(now.lock, x->lock) == 0 || drop_changed(e, x, &now, err);
}

/* One of them, while nobody else changes the account. */
static bool visit(const struct expire *e, struct expiry *x, struct error *err)
{
	if (x->at_ms <= e->now_ms)
		return x->retry_ms > e->now_ms || end(e, x, err);
	return !e->watch || look(e, x, err);
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
