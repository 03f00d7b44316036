/*
 * A client that is not the gate calls what needs a yes: this server registers the
 * call with the gate, and runs it with the grant that the gate gives to exactly one
 * such call. No gate, no answer, an odd answer: nothing runs.
 */
#include "mcp/approvals_gate.h"
#include "mcp/approvals_page.h"

#include <errno.h>
#include <unistd.h>

#include "guard/burn.h"

enum { STEP_US = 20 * 1000 };

/* ---- What the answer means ---- */

static json_t *make_details(const struct registration *reg)
{
	json_t *details = json_pack("{s:s, s:s, s:s*, s:O*}", "approval", reg->approval,
				    "state", reg->state, "where", reg->where, "outcome",
				    reg->outcome);

	if (details && reg->retry_after_ms >= 0)
		json_object_set_new(details, "retry_after_s",
				    json_integer((reg->retry_after_ms + 999) / 1000));
	return details;
}

static void say_waiting(const struct exchange *x, const struct registration *reg,
			struct error *err)
{
	error_set(err, ERR_APPROVAL_REQUIRED,
		  "'%s' needs a person's approval; it is %s as %s",
		  x->tool->definition->name, reg->state, reg->approval);
	error_hint(
		err,
		"someone who may approve looks at it with 'wingman approvals show %s'; "
		"afterwards repeat the very same call",
		reg->approval);
}

static void say_state(const struct exchange *x, const struct registration *reg,
		      struct error *err)
{
	if (registration_is(reg, REGISTRATION_WAITING))
		say_waiting(x, reg, err);
	else if (strcmp(reg->state, "executing") == 0)
		error_set(err, ERR_CONFLICT,
			  "the same call is being executed right now, as %s",
			  reg->approval);
	else if (registration_is(reg, "succeeded failed unknown"))
		error_set(err, ERR_CONFLICT,
			  "the same call has been executed already as %s; it is '%s'",
			  reg->approval, reg->state);
	else if (registration_is(
			 reg,
			 "denied expired superseded cancelled revoked lapsed refused"))
		error_set(err, ERR_PERMISSION_DENIED,
			  "the approval %s of '%s' was not given: %s", reg->approval,
			  x->tool->definition->name, reg->state);
	else
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "the gate did not answer sensibly, so nothing ran");
}

/* Of several identical calls one runs; the others get what it came to. */
static bool restore_outcome(const struct exchange *x, const struct registration *reg,
			    struct mcp_result *r)
{
	struct error err = ERROR_INIT;
	json_auto_t *record = NULL;

	if (!registration_is(reg, "succeeded failed unknown") ||
	    !burn_find(x->service->store, reg->approval, &record, &err) || !record)
		return false;
	const char *requester = json_get_string(record, "requester");
	const char *tool = json_get_string(record, "tool");
	const char *args = json_get_string(record, "args");
	return requester && tool && args && strcmp(requester, x->caller.principal) == 0 &&
	       strcmp(tool, x->tool->definition->name) == 0 &&
	       strcmp(args, x->args) == 0 &&
	       mcp_result_restore(r, json_object_get(record, "result"));
}

static void say_error(const struct exchange *x, const struct registration *reg,
		      struct error *err)
{
	enum error_code code = error_from_name(reg->error);

	error_set(err, code == ERR_NONE ? ERR_BACKEND_UNAVAILABLE : code,
		  "'%s' cannot be proposed: %s", x->tool->definition->name,
		  reg->message       ? reg->message
		  : code == ERR_NONE ? "the gate refused it"
				     : reg->error);
}

/* ---- Running ---- */

static void run_granted(struct exchange *x, const struct registration *reg,
			struct mcp_result *r)
{
	struct execution_report report;
	const struct presented given = {
		.grant = reg->grant,
		.request_state = reg->request_state,
		.requester = x->caller.principal,
	};

	execute_grant(x, &given, r, &report);
	gate_report(x, reg->approval, &report, r);
}

/* What the gate said of a call that waits no longer. */
static void settle(struct exchange *x, const struct registration *reg,
		   struct mcp_result *r, struct error *err)
{
	if (reg->error)
		say_error(x, reg, err);
	else if (reg->grant && registration_is(reg, "granted"))
		run_granted(x, reg, r);
	else if (!restore_outcome(x, reg, r))
		say_state(x, reg, err);
}

static void finish(const struct registration *reg, struct mcp_result *r,
		   const struct error *err)
{
	if (error_is_set(err))
		mcp_result_error(r, err, reg->approval ? make_details(reg) : NULL);
	if (reg->approval)
		mcp_result_meta(r, META_APPROVAL, json_string(reg->approval));
}

static bool may_ask(const struct exchange *x, struct error *err)
{
	return tools_check_rights(x, x->caller.principal, err) &&
	       (x->service->http ||
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "'%s' needs a person's approval and no gate is configured, so "
			  "nothing ran",
			  x->tool->definition->name));
}

/* As a task, before a page, or by being repeated. */
static void let_wait(struct exchange *x, const struct registration *reg,
		     const struct page_round *round, struct mcp_result *r,
		     struct error *err)
{
	if (x->has_tasks)
		(void)tasks_create(x, reg->approval, &r->task, err);
	else if (!page_show(x, reg, round, r, err) && !error_is_set(err))
		say_state(x, reg, err);
}

/*
 * A freed read is granted at once, without the second that people take at least. What is
 * signed in the second in which the store's epoch began is refused, so ask after it.
 */
static bool leave_first_second(const struct exchange *x, struct error *err)
{
	struct mcp_service *s = x->service;
	int64_t now_ms = 0, epoch_ms = 0;

	if (!x->tool->is_freed)
		return true;
	do {
		if (!coord_now_ms(s->store, &now_ms, err) ||
		    !coord_epoch_ms(s->store, &epoch_ms, err))
			return false;
		if (now_ms / 1000 > epoch_ms / 1000 || exchange_is_gone(x))
			return true;
	} while (usleep(STEP_US) == 0 || errno == EINTR);
	return true;
}

void approvals_answer(struct exchange *x, struct mcp_result *r)
{
	_cleanup_(registration_done) struct registration reg = REGISTRATION_INIT;
	struct error err = ERROR_INIT;
	struct page_round round;
	bool is_again = page_read(x, &round);

	if (may_ask(x, &err) && leave_first_second(x, &err) &&
	    gate_register(x, is_again ? round.approval : NULL, &reg, &err) &&
	    (!is_again || page_wait(x, &round, &reg, &err))) {
		if (registration_waits(&reg))
			let_wait(x, &reg, &round, r, &err);
		else
			settle(x, &reg, r, &err);
	}
	finish(&reg, r, &err);
}

/* ---- Tasks ---- */

void approvals_continue(struct exchange *x, const char *approval, struct mcp_result *r,
			bool *ret_waiting)
{
	_cleanup_(registration_done) struct registration reg = REGISTRATION_INIT;
	struct error err = ERROR_INIT;

	if (tools_check_rights(x, x->caller.principal, &err)) {
		/* A gate that is away for a while comes back. */
		*ret_waiting = !gate_register(x, approval, &reg, &err) ||
			       registration_waits(&reg) ||
			       (!reg.error && registration_is(&reg, "executing"));
		if (*ret_waiting)
			return;
		settle(x, &reg, r, &err);
	}
	finish(&reg, r, &err);
}
