/* The plans of block_account, unblock_account and revoke_sessions: every name becomes an
 * identifier here, and nowhere later. */
#include "servers/accounts/tools.h"

#include "base/clock.h"
#include "servers/accounts/accounts.h"
#include "servers/accounts/intent.h"

#define DAY_MS INT64_C(86400000)

enum { EXPIRES_IN_DAYS_MAX = 365 };

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

static const char *verb(enum saga_kind kind)
{
	switch (kind) {
	case SAGA_BLOCK:
		return "block";
	case SAGA_UNBLOCK:
		return "unblock";
	case SAGA_REVOKE:
		break;
	}
	return "end the sessions of";
}

static bool plan_change(struct mcp_call *call, enum saga_kind kind, struct plan *plan,
			struct error *err)
{
	const struct accounts *a = mcp_call_context(call);
	_cleanup_(person_done) struct person person = { 0 };
	struct intent intent = { .kind = kind,
				 .sessions = mcp_call_bool(call, "revoke_sessions", true),
				 .now_ms = mcp_call_now_ms(call) };
	char until[CLOCK_TEXT_BYTES];

	if (!read_expires(call, &intent.expires_ms, err) ||
	    !accounts_resolve(call, true, &person, err))
		return false;
	plan_summary(plan, "%s %s", verb(kind), person.name);
	plan_note(plan, "person", "%s, %s", person.name,
		  person.accounts[0].account.identifier);
	if (intent.expires_ms != 0)
		plan_note(plan, "expires_in", "until %s",
			  clock_format(intent.expires_ms, until));
	return guards_check(&a->guards, a->records, kind, mcp_call_requester(call),
			    &person, intent.now_ms, plan, err) &&
	       intent_plan(a->records, &intent, &person, plan, err);
}

bool plan_block_account(struct mcp_call *call, struct plan *plan, struct error *err)
{
	return plan_change(call, SAGA_BLOCK, plan, err);
}

bool plan_unblock_account(struct mcp_call *call, struct plan *plan, struct error *err)
{
	return plan_change(call, SAGA_UNBLOCK, plan, err);
}

bool plan_revoke_sessions(struct mcp_call *call, struct plan *plan, struct error *err)
{
	return plan_change(call, SAGA_REVOKE, plan, err);
}
