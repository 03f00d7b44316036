/* The plans of block_account and unblock_account: every name becomes an identifier
 * here, and nowhere later. */
#include "servers/accounts/tools.h"

#include <strings.h>

#include "base/clock.h"
#include "servers/accounts/accounts.h"
#include "servers/accounts/change.h"

static void describe_state(const struct account *a, struct strbuf *sb)
{
	char until[CLOCK_TEXT_BYTES];

	strbuf_add_string(sb, account_state_name(a->state));
	if (a->state == ACCOUNT_BLOCKED && a->until_ms != 0)
		strbuf_add_format(sb, " until %s, after failed logins",
				  clock_format(a->until_ms, until));
	else if (a->state == ACCOUNT_BLOCKED && !a->permanent)
		strbuf_add_string(sb, " after failed logins");
	else if (a->state == ACCOUNT_ACTIVE && *a->lock)
		strbuf_add_string(sb, ", with a lock that is not in force");
}

static bool check_allowed(const struct account_system *system, const struct account *a,
			  enum change_kind kind, struct error *err)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	bool is_protected = false;

	if (!system->backend->is_protected(system->self, a, &is_protected, &why, err))
		return false;
	if (is_protected) {
		error_set(err, ERR_PROTECTED, "'%s' is protected: %s", a->identifier,
			  why.data);
		return error_hint(
			err, "protected accounts are changed by hand, in their system");
	}
	if (kind == CHANGE_BLOCK && !a->obeyed) {
		error_set(
			err, ERR_PRECONDITION_FAILED,
			"'%s' could still log in after a block: no password policy that "
			"obeys locks is in force for it",
			a->identifier);
		return error_hint(err,
				  "give it a policy with pwdLockout TRUE, or block it by "
				  "other means");
	}
	return true;
}

/* What would be done to one account, added to the plan, its state and its data. */
static bool plan_account(const struct account_system *system, const struct account *a,
			 enum change_kind kind, struct plan *plan, json_t *state,
			 json_t *data, struct error *err)
{
	_cleanup_strbuf_ struct strbuf target = STRBUF_INIT, from = STRBUF_INIT;
	const char *name = system->backend->system;
	bool act = kind == CHANGE_BLOCK ? !a->permanent : *a->lock != '\0';

	if (!check_allowed(system, a, kind, err))
		return false;
	strbuf_add_format(&target, "%s (id %s)", a->identifier, a->id);
	describe_state(a, &from);
	if (!strbuf_ok(&target) || !strbuf_ok(&from))
		return error_oom(err);
	if (!act) {
		plan_warning(plan, "%s: %s is %s already; nothing will change", name,
			     a->identifier, kind == CHANGE_BLOCK ? "blocked" : "active");
	} else {
		plan_effect(plan, name, target.data, from.data,
			    kind == CHANGE_BLOCK ? "blocked" : "active", true);
		if (kind == CHANGE_BLOCK)
			plan_warning(plan, "%s: %s", name, system->backend->not_ended);
	}
	if (json_array_append_new(state, json_pack("{s:s, s:s, s:s, s:s, s:b}", "system",
						   name, "id", a->id, "identifier",
						   a->identifier, "lock", a->lock,
						   "obeyed", (int)a->obeyed)) != 0 ||
	    json_array_append_new(data,
				  json_pack("{s:s, s:s, s:s, s:s, s:b}", "system", name,
					    "id", a->id, "identifier", a->identifier,
					    "lock", a->lock, "act", (int)act)) != 0)
		return error_oom(err);
	return true;
}

static bool plan_change(struct mcp_call *call, enum change_kind kind, struct plan *plan,
			struct error *err)
{
	_cleanup_(person_done) struct person person = { 0 };
	json_auto_t *state = json_array(), *data = json_array();

	if (!accounts_resolve(call, &person, err))
		return false;
	plan_summary(plan, "%s %s", kind == CHANGE_BLOCK ? "block" : "unblock",
		     person.name);
	plan_note(plan, "person", "%s, %s", person.name,
		  person.accounts[0].account.identifier);
	for (size_t i = 0; i < person.count; i++)
		if (!plan_account(person.accounts[i].system, &person.accounts[i].account,
				  kind, plan, state, data, err))
			return false;
	if (*person.mail && strcasecmp(person.mail, mcp_call_requester(call)) == 0)
		plan_warning(plan, "this is the account of the person who asks");
	plan_state(plan, json_incref(state));
	plan_data(plan,
		  json_pack("{s:O, s:s, s:s, s:s}", "accounts", data, "display_name",
			    person.name, "uid", person.uid, "email", person.mail));
	return true;
}

bool plan_block_account(struct mcp_call *call, struct plan *plan, struct error *err)
{
	return plan_change(call, CHANGE_BLOCK, plan, err);
}

bool plan_unblock_account(struct mcp_call *call, struct plan *plan, struct error *err)
{
	return plan_change(call, CHANGE_UNBLOCK, plan, err);
}
