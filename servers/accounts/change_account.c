/* block_account, unblock_account and revoke_sessions: the run functions. They act on the
 * plan. */
#include "servers/accounts/tools.h"

#include "base/clock.h"
#include "servers/accounts/accounts.h"
#include "servers/accounts/intent.h"
#include "servers/accounts/outcome.h"

static struct record_event read_event(const struct mcp_call *call)
{
	return (struct record_event){
		.at_ms = clock_wall_ms(),
		.by = mcp_call_requester(call),
		.approved_by = mcp_call_approvers(call),
		.approval = mcp_call_approval(call),
		.reason = mcp_call_string(call, "reason", ""),
		.incident = mcp_call_string(call, "incident", NULL),
		.ticket = mcp_call_string(call, "ticket", NULL),
	};
}

static const json_t *plan_accounts(const struct mcp_call *call)
{
	return json_object_get(plan_get_data(mcp_call_plan(call)), "accounts");
}

/* Who was acted on, for the count of people within an hour. */
static bool note_person(const struct mcp_call *call, enum saga_kind kind, int64_t now_ms,
			struct error *err)
{
	const struct accounts *a = mcp_call_context(call);
	const char *person = json_get_string(plan_get_data(mcp_call_plan(call)), "email");

	if (!person || !*person)
		person = json_get_string(json_array_get(plan_accounts(call), 0), "id");
	return guards_note(a->records, kind, mcp_call_requester(call),
			   mcp_call_approval(call), person ? person : "", now_ms, err);
}

static bool run_change(struct mcp_call *call, enum saga_kind kind,
		       struct mcp_result *result, struct error *err)
{
	struct accounts *a = mcp_call_context(call);
	const struct record_event event = read_event(call);
	struct saga_env env = accounts_env(a, event.at_ms);
	json_auto_t *saga = NULL, *after = NULL;
	struct error why = ERROR_INIT;

	env.deadline_mono_ms = mcp_call_deadline_ms(call);
	accounts_tell_changes(&env, mcp_call_service(call));
	if (!intent_check_end(plan_get_data(mcp_call_plan(call)), event.at_ms, err) ||
	    !note_person(call, kind, event.at_ms, err))
		return false;
	saga = intent_saga(plan_get_data(mcp_call_plan(call)), &event);
	if (!saga)
		return error_oom(err);
	if (!saga_begin(&env, TAKE(saga), err))
		return false;
	if (!saga_work(&env, event.approval, &after, &why)) {
		/* Our own record failed in the midst of it: steps may have happened. */
		error_set(err, ERR_UNKNOWN_OUTCOME, "%s", why.message);
		return error_cause(err, "%s", why.cause);
	}
	return outcome_report(&env, after, result, err);
}

bool block_account(struct mcp_call *call, struct mcp_result *result, struct error *err)
{
	return run_change(call, SAGA_BLOCK, result, err);
}

bool unblock_account(struct mcp_call *call, struct mcp_result *result, struct error *err)
{
	return run_change(call, SAGA_UNBLOCK, result, err);
}

bool revoke_sessions(struct mcp_call *call, struct mcp_result *result, struct error *err)
{
	return run_change(call, SAGA_REVOKE, result, err);
}

/* ---- What became of a plan whose process died ------------------------------------- */

static bool observe_account(struct mcp_call *call, const json_t *item,
			    struct strbuf *observed, struct error *err)
{
	const struct accounts *a = mcp_call_context(call);
	const char *name = json_get_string(item, "system");
	const char *identifier = json_get_string(item, "identifier");
	const char *id = json_get_string(item, "id");
	const struct account_system *system = name ? accounts_system(a, name) : NULL;
	_cleanup_(account_done) struct account now = { 0 };
	bool found = false;

	if (!system || !identifier || !id)
		return error_set(err, ERR_INTERNAL, "the plan names no account of ours");
	if (!system->backend->read(system->self, identifier, id, mcp_call_now_ms(call),
				   &now, &found, err))
		return false;
	strbuf_add_format(observed, "%s%s: %s is %s now", observed->length ? "; " : "",
			  name, identifier,
			  found ? account_state_name(now.state) : "not there");
	return true;
}

bool check_accounts(struct mcp_call *call, struct strbuf *observed, struct error *err)
{
	const struct accounts *a = mcp_call_context(call);
	json_auto_t *saga = NULL;
	const json_t *item, *step;
	size_t i, open = 0;

	json_array_foreach(plan_accounts(call), i, item)
	{
		if (!observe_account(call, item, observed, err))
			return false;
	}
	if (!saga_get(a->records, mcp_call_approval(call), &saga, err))
		return false;
	json_array_foreach(json_object_get(saga, "steps"), i, step)
		open += saga_step_is_open(step);
	if (open > 0)
		strbuf_add_format(observed, "; %zu steps are open and tried again", open);
	return true;
}
