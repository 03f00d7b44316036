/* The plans of block_account and unblock_account: every name becomes an identifier
 * here, and nowhere later. */
#include "servers/accounts/tools.h"

#include <strings.h>

#include "base/clock.h"
#include "servers/accounts/accounts.h"
#include "servers/accounts/change.h"
#include "servers/accounts/expiry.h"

#define DAY_MS INT64_C(86400000)

enum { EXPIRES_IN_DAYS_MAX = 365 };

/* One account, and what is to come of it. */
struct intent {
	enum change_kind kind;
	const struct account_system *system;
	const struct account *account;
	bool act;
	bool is_ours;       /* its lock was set here */
	int64_t ends_ms;    /* when that lock ends by itself now; 0: it does not */
	bool reschedule;    /* that becomes 'expires_ms' */
	int64_t expires_ms; /* as asked for; 0: not at all */
};

/* ---- What is there, and what is wanted -------------------------------------------- */

static void describe_state(const struct intent *in, struct strbuf *sb)
{
	const struct account *a = in->account;
	char until[CLOCK_TEXT_BYTES];

	strbuf_add_string(sb, account_state_name(a->state));
	if (a->state == ACCOUNT_BLOCKED && in->ends_ms != 0)
		strbuf_add_format(sb, " until %s", clock_format(in->ends_ms, until));
	else if (a->state == ACCOUNT_BLOCKED && a->until_ms != 0)
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

/* The instant that 'expires_in' means, in whole seconds; 0: it was not given. */
static bool read_expires(struct mcp_call *call, int64_t *ret_ms, struct error *err)
{
	const char *text = mcp_call_string(call, "expires_in", NULL);
	int64_t length_ms = 0;

	*ret_ms = 0;
	if (!text)
		return true;
	if (!clock_parse_duration(text, &length_ms, err))
		return false;
	if (length_ms > EXPIRES_IN_DAYS_MAX * DAY_MS) {
		error_set(err, ERR_INVALID_ARGUMENT, "'expires_in' is at most %dd",
			  EXPIRES_IN_DAYS_MAX);
		return error_hint(err, "leave it out for a block without an end");
	}
	*ret_ms = (mcp_call_now_ms(call) + length_ms + 999) / 1000 * 1000;
	return true;
}

/* What is on record about the lock that it has now. */
static bool read_record(struct documents *records, struct intent *in, struct error *err)
{
	_cleanup_(expiry_done) struct expiry x = { 0 };
	const char *system = in->system->backend->system;
	json_auto_t *event = NULL;
	bool found = false;

	if (!record_explain(records, system, in->account, &event, err) ||
	    !expiry_find(records, system, in->account, &x, &found, err))
		return false;
	in->is_ours = event != NULL;
	in->ends_ms = found ? x.at_ms : 0;
	return true;
}

/* A block that is there already gets the end that was asked for, or loses the one that
 * it has; but only if it is ours: nobody else's lock ends by our doing. */
static void decide(struct intent *in)
{
	const struct account *a = in->account;

	in->act = in->kind == CHANGE_BLOCK ? !a->permanent : *a->lock != '\0';
	in->reschedule = in->act || (in->kind == CHANGE_BLOCK && in->is_ours &&
				     in->expires_ms != in->ends_ms);
}

/* ---- What the plan says of it ----------------------------------------------------- */

static void add_no_change(const struct intent *in, struct plan *plan)
{
	const char *name = in->system->backend->system;

	if (in->kind == CHANGE_BLOCK && in->expires_ms != 0 && !in->is_ours)
		plan_warning(plan,
			     "%s: %s is blocked already, and not from here: it will not "
			     "be unblocked by itself; nothing will change",
			     name, in->account->identifier);
	else
		plan_warning(plan, "%s: %s is %s already; nothing will change", name,
			     in->account->identifier,
			     in->kind == CHANGE_BLOCK ? "blocked" : "active");
}

/* The end of a block is an effect of its own: it runs later, under the same yes. */
static void add_end(const struct intent *in, const char *target, const char *from,
		    struct plan *plan)
{
	char at[CLOCK_TEXT_BYTES], to[64] = "blocked, until somebody unblocks it";

	if (in->expires_ms != 0)
		(void)snprintf(to, sizeof to, "active, at %s by itself",
			       clock_format(in->expires_ms, at));
	plan_effect(plan, in->system->backend->system, target, from, to, true);
}

/* What the system has no notion of is said, not skipped. */
static void add_not_ended(const struct intent *in, struct plan *plan)
{
	const struct account_backend *b = in->system->backend;

	for (size_t f = 0; f < FACET_COUNT; f++) {
		const char *why = b->notion(in->system->self, (enum account_facet)f);

		if (why)
			plan_warning(plan, "%s: %s", b->system, why);
	}
}

static bool add_effects(const struct intent *in, struct plan *plan, struct error *err)
{
	_cleanup_strbuf_ struct strbuf target = STRBUF_INIT, from = STRBUF_INIT;
	const char *name = in->system->backend->system;

	strbuf_add_format(&target, "%s (id %s)", in->account->identifier,
			  in->account->id);
	describe_state(in, &from);
	if (!strbuf_ok(&target) || !strbuf_ok(&from))
		return error_oom(err);
	if (!in->act && !in->reschedule)
		add_no_change(in, plan);
	if (in->act)
		plan_effect(plan, name, target.data, from.data,
			    in->kind == CHANGE_BLOCK ? "blocked" : "active", true);
	if (in->act && in->expires_ms != 0)
		add_end(in, target.data, "blocked", plan);
	if (!in->act && in->reschedule)
		add_end(in, target.data, from.data, plan);
	if (in->act && in->kind == CHANGE_BLOCK)
		add_not_ended(in, plan);
	return true;
}

static bool add_state(const struct intent *in, json_t *state, struct error *err)
{
	const struct account *a = in->account;
	json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:I}", "system",
				 in->system->backend->system, "id", a->id, "identifier",
				 a->identifier, "lock", a->lock, "obeyed", (int)a->obeyed,
				 "ours", (int)in->is_ours, "ends_ms",
				 (json_int_t)in->ends_ms);

	return json_array_append_new(state, item) == 0 || error_oom(err);
}

static bool add_data(const struct intent *in, json_t *data, struct error *err)
{
	const struct account *a = in->account;
	char at[CLOCK_TEXT_BYTES];
	bool has_end = in->reschedule && in->expires_ms != 0;
	json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:s*}", "system",
				 in->system->backend->system, "id", a->id, "identifier",
				 a->identifier, "lock", a->lock, "act", (int)in->act,
				 "reschedule", (int)in->reschedule, "expires_at",
				 has_end ? clock_format(in->expires_ms, at) : NULL);

	return json_array_append_new(data, item) == 0 || error_oom(err);
}

static bool plan_account(struct documents *records, struct intent *in, struct plan *plan,
			 json_t *state, json_t *data, struct error *err)
{
	if (!check_allowed(in->system, in->account, in->kind, err) ||
	    !read_record(records, in, err))
		return false;
	decide(in);
	return add_effects(in, plan, err) && add_state(in, state, err) &&
	       add_data(in, data, err);
}

/* ---- The plan --------------------------------------------------------------------- */

static bool plan_accounts(struct mcp_call *call, enum change_kind kind,
			  const struct person *person, struct plan *plan, json_t *state,
			  json_t *data, struct error *err)
{
	const struct accounts *a = mcp_call_context(call);
	char until[CLOCK_TEXT_BYTES];
	int64_t expires_ms;

	if (!read_expires(call, &expires_ms, err))
		return false;
	if (expires_ms != 0)
		plan_note(plan, "expires_in", "until %s",
			  clock_format(expires_ms, until));
	for (size_t i = 0; i < person->count; i++) {
		struct intent in = { .kind = kind,
				     .system = person->accounts[i].system,
				     .account = &person->accounts[i].account,
				     .expires_ms = expires_ms };

		if (!plan_account(a->records, &in, plan, state, data, err))
			return false;
	}
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
	if (!plan_accounts(call, kind, &person, plan, state, data, err))
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
