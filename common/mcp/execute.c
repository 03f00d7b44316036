/*
 * A grant is checked, burned and carried out: APPROVALS.md, step 6. The order of
 * the steps is the promise; nothing may move above what stands before it here.
 */
#include "mcp/execution.h"

#include "base/clock.h"
#include "guard/gate_store.h"
#include "guard/state.h"

static bool is_read(const struct execution *e)
{
	return e->x->tool->definition->risk == RISK_READ;
}

json_t *execute_head(const struct mcp_service *s)
{
	char hash[DIGEST_HEX_BYTES];
	int64_t seq;

	audit_head(s->audit, &seq, hash);
	return json_pack("{s:s, s:I, s:s}", "program", s->server->name, "seq",
			 (json_int_t)seq, "hash", hash);
}

/* ---- Checks ---- */

/* Everything but the plan, before the backend is bothered: the plan is taken as promised. */
static bool check_grant(const struct execution *e, const char *plan, struct error *err)
{
	const struct mcp_service *s = e->x->service;
	const struct tool_definition *d = e->x->tool->definition;
	const struct tool_schemas *schemas = tool_definition_schemas(d, err);
	const struct grant_call call = {
		.aud = s->config.instance,
		.server = s->server->name,
		.tool = d->name,
		.pin = schemas ? schemas->pin : "",
		.args = e->x->args,
		.plan = is_read(e) ? NULL : plan,
		.requester = e->given->requester,
		.store = e->store,
		.risk = d->risk,
		.now_ms = e->now_ms,
		.epoch_ms = e->epoch_ms,
	};

	return schemas && grant_check(&e->grant, &call, err);
}

/* Nobody's yes is enough only where this server's own configuration says so too. */
static bool check_people(const struct execution *e, struct error *err)
{
	if (e->grant.approver_count == 0 && !(is_read(e) && e->x->tool->is_freed))
		return error_set(err, ERR_APPROVAL_INVALID,
				 "nobody approved it, and this server does not free '%s'",
				 execution_tool(e));
	if (e->grant.emergency && e->x->tool->refuses_emergency)
		return error_set(
			err, ERR_APPROVAL_INVALID,
			"this server takes no emergency approval for '%s': it waits "
			"for the usual way",
			execution_tool(e));
	return tools_check_rights(e->x, e->grant.requester, err);
}

/* The sealed word that came with the plan belongs to this very call. */
static bool open_state(struct execution *e, struct error *err)
{
	const struct mcp_service *s = e->x->service;
	struct error why = ERROR_INIT;
	struct request_state state;

	if (!e->given->request_state)
		return error_set(err, ERR_APPROVAL_INVALID,
				 "the requestState of the plan is missing");
	if (!state_open(e->given->request_state, s->state_key, e->now_ms, &state, &why))
		return error_set(err, ERR_APPROVAL_INVALID,
				 "the requestState is not good: %s", why.message);
	if (strcmp(state.principal, e->grant.requester) != 0 ||
	    strcmp(state.server, s->server->name) != 0 ||
	    strcmp(state.tool, execution_tool(e)) != 0 ||
	    strcmp(state.args, e->x->args) != 0 || strcmp(state.plan, e->grant.plan) != 0)
		return error_set(err, ERR_APPROVAL_INVALID,
				 "the requestState belongs to another call");
	if (!planning_check_store(s, &state, err))
		return false;
	e->planned_at_ms = state.planned_at_ms;
	return true;
}

/* Does the plan, made again in whole, say what people saw? Burns the grant if not. */
static bool plan_again(struct execution *e, struct mcp_result *r)
{
	struct error err = ERROR_INIT, why = ERROR_INIT;
	json_t *details = NULL;

	e->plan =
		planning_make(e->x, e->grant.requester, e->planned_at_ms, &details, &why);
	if (!e->plan) {
		/* An outage keeps its name; all else means that the world has changed. */
		if (why.code == ERR_BACKEND_UNAVAILABLE || why.code == ERR_TIMEOUT)
			error_set(&err, why.code, "%s", why.message);
		else
			error_set(&err, ERR_PRECONDITION_FAILED,
				  "what the call would do has changed since it was "
				  "approved: %s",
				  why.message);
		error_hint(&err, "nothing was done; ask again, with a new approval");
		execution_burn_unused(e, r, &err, details);
		return false;
	}
	if (!check_grant(e, plan_digest(e->plan), &err)) {
		execution_burn_unused(e, r, &err, NULL);
		return false;
	}
	if (plan_approvers(e->plan) > (int64_t)e->grant.approver_count) {
		error_set(&err, ERR_APPROVAL_INVALID,
			  "its plan wants %d approvers, it has %zu",
			  (int)plan_approvers(e->plan), e->grant.approver_count);
		execution_refuse(e, r, &err, NULL);
		return false;
	}
	return true;
}

static void join_approvers(struct execution *e)
{
	size_t at = 0;

	for (size_t i = 0; i < e->grant.approver_count; i++) {
		int n = snprintf(e->approvers + at, sizeof e->approvers - at, "%s%s",
				 i ? ", " : "", e->grant.approvers[i]);
		at += n > 0 ? (size_t)n : 0;
	}
}

/* Signature first; then whether it was used; then whether it is for this. */
static bool verify(struct execution *e, struct mcp_result *r)
{
	struct mcp_service *s = e->x->service;
	struct error err = ERROR_INIT;
	json_auto_t *record = NULL;
	bool good = grant_open(e->given->grant, s->keys, &e->grant, &err) &&
		    burn_find(s->store, e->grant.id, &record, &err);

	if (good && record) {
		execution_refuse_used(e, r, record);
		return false;
	}
	/* In this order: what was burnt before an epoch that began meanwhile may be lost. */
	good = good && coord_now_ms(s->store, &e->now_ms, &err) &&
	       coord_epoch_ms(s->store, &e->epoch_ms, &err) &&
	       coord_identity(s->store, e->store, &err);
	if (!good) {
		execution_refuse(e, r, &err, NULL);
		return false;
	}
	if (e->given->is_look && !e->given->is_revoked) {
		execution_tell_unburnt(e, r);
		return false;
	}
	good = check_grant(e, e->grant.plan, &err);
	if (good && e->given->is_revoked) {
		execution_revoke(e, r);
		return false;
	}
	if (!good || !joining_check(s, e->store, &err) ||
	    !gate_store_check(s->store, &e->grant, &err) || !check_people(e, &err) ||
	    (!is_read(e) && !open_state(e, &err))) {
		execution_refuse_unburnt(e, r, &err);
		return false;
	}
	join_approvers(e);
	return is_read(e) || plan_again(e, r);
}

/* ---- The act ---- */

static const char *or_absent(const char *text)
{
	return *text ? text : NULL;
}

/* NULL without memory: what is on record of an act is never told in part. */
static json_t *started_data(const struct execution *e)
{
	const struct grant *g = &e->grant;
	json_auto_t *approvers = json_array();

	for (size_t i = 0; i < g->approver_count; i++)
		if (json_array_append_new(approvers, json_string(g->approvers[i])) != 0)
			return NULL;
	json_auto_t *data = json_pack("{s:s, s:s, s:s, s:s, s:O, s:s}", "approval", g->id,
				      "tool", g->tool, "args", g->args, "requester",
				      g->requester, "approvers", approvers, "client",
				      e->x->caller.client);
	if (!json_put_string(data, "plan", or_absent(g->plan)) ||
	    !json_put_string(data, "rule", or_absent(g->rule)) ||
	    (*g->head && json_object_set_new(data, "gate_head",
					     json_pack("{s:s, s:s}", "program", "gate",
						       "hash", g->head)) != 0) ||
	    (g->emergency && json_object_set_new(data, "emergency", json_true()) != 0))
		return NULL;
	return TAKE(data);
}

/*
 * Plan and log took their time. The gate says of a grant that has expired unused that
 * nothing ran, and a moment before the burn that is made sure.
 */
static bool check_again(struct execution *e, struct mcp_result *r)
{
	struct error err = ERROR_INIT;

	if (coord_now_ms(e->x->service->store, &e->now_ms, &err) &&
	    check_grant(e, e->plan ? plan_digest(e->plan) : NULL, &err))
		return true;
	execution_refuse(e, r, &err, NULL);
	return false;
}

/* The log, then the burn: both durable before anything happens. */
static bool begin(struct execution *e, struct mcp_result *r)
{
	struct mcp_service *s = e->x->service;
	struct error err = ERROR_INIT;
	json_auto_t *record = NULL;
	bool is_first = false;

	/* The last moment at which it can be given up. */
	if (exchange_is_gone(e->x)) {
		error_set(&err, ERR_TIMEOUT, "the client has left, so nothing was done");
		execution_refuse(e, r, &err, NULL);
		return false;
	}
	e->x->is_committed = true;
	json_t *data = started_data(e);

	if (!data || !audit_append(s->audit, "call.started", data, NULL, &err)) {
		struct error said = ERROR_INIT;

		error_set(&said, ERR_BACKEND_UNAVAILABLE,
			  "the audit log of this server cannot be written, so nothing "
			  "was done");
		log_failure("audit.failed", &err);
		execution_refuse(e, r, &said, NULL);
		return false;
	}
	if (!check_again(e, r))
		return false;
	if (!burn_start(s->store, &e->grant, e->x->caller.client,
			e->plan ? plan_json(e->plan) : NULL, e->now_ms, &is_first,
			&record, &err)) {
		execution_refuse(e, r, &err, NULL);
		return false;
	}
	if (!is_first)
		execution_refuse_used(e, r, record);
	else if (execution_has_forgotten(e))
		execution_refuse_forgotten(e, r);
	else
		return true;
	return false;
}

static void run(struct execution *e, struct mcp_result *r)
{
	struct exchange *x = e->x;
	struct error err = ERROR_INIT, unknown = ERROR_INIT;
	struct mcp_call call = {
		.context = x->service->context,
		.arguments = x->arguments,
		.plan = e->plan,
		.requester = e->grant.requester,
		.approval = e->grant.id,
		.approvers = e->approvers,
		.now_ms = is_read(e) ? e->now_ms : e->planned_at_ms,
		.deadline_ms = x->deadline_ms,
		/* After the burn a disconnect or cancel stops nothing. */
		.cancelled = NULL,
	};
	/* What is asked now would have no effect but to lose the grant. */
	x->asking.is_allowed = false;
	bool good = tools_run(x, &call, r, &err);

	mcp_call_done(&call);
	/* A write that ran out of time may have happened; 'timeout' would invite a repeat. */
	if (!good && err.code == ERR_TIMEOUT && !is_read(e)) {
		error_set(&unknown, ERR_UNKNOWN_OUTCOME,
			  "it may or may not have happened: %s", err.message);
		mcp_result_error(r, &unknown, NULL);
	}
	e->code = r->code;
	if (good)
		e->state = r->failed && !r->is_malformed ? "failed" : "succeeded";
	else
		e->state = r->code == ERR_UNKNOWN_OUTCOME ? "unknown" : "failed";
}

static const char *verified_text(const struct mcp_result *r)
{
	return r->verified == MCP_VERIFIED_YES  ? "yes"
	       : r->verified == MCP_VERIFIED_NO ? "no"
						: NULL;
}

static json_t *finished_data(const struct execution *e, const struct mcp_result *r)
{
	json_auto_t *data = json_pack("{s:s, s:s, s:s}", "approval", e->grant.id, "tool",
				      e->grant.tool, "state", e->state);

	if (!json_put_string(data, "error", e->code ? error_name(e->code) : NULL) ||
	    !json_put_string(data, "verified", verified_text(r)) ||
	    !json_put_string(data, "result", or_absent(e->result)))
		return NULL;
	return TAKE(data);
}

static void finish(struct execution *e, struct mcp_result *r)
{
	struct mcp_service *s = e->x->service;
	struct error err = ERROR_INIT, why = ERROR_INIT, odd = ERROR_INIT;
	json_auto_t *result = mcp_result_record(r);
	int64_t now_ms = e->now_ms;

	/* A result with numbers beyond the contract has no canonical bytes, and so no digest. */
	if (!result || !canonical_digest(result, e->result, &odd))
		e->result[0] = '\0';
	json_t *data = finished_data(e, r);
	bool is_logged =
		data && audit_append_outcome(s->audit, "call.finished", data, NULL, &err);
	if (!is_logged)
		log_failure("audit.failed", &err);
	error_clear(&err);
	(void)coord_now_ms(s->store, &now_ms, &err);
	if (!burn_finish(s->store, e->grant.id, e->state, result, now_ms, &why))
		log_failure("burn.failed", &why);

	/* It happened, and that is said even where the log could not be told. */
	json_t *outcome = json_pack(
		"{s:s, s:s, s:o*, s:o*, s:s*}", "approval", e->grant.id, "state",
		e->state, "verified",
		r->verified == MCP_VERIFIED_UNSAID
			? NULL
			: json_boolean(r->verified == MCP_VERIFIED_YES),
		"server_head", execute_head(s), "audit", is_logged ? NULL : "broken");
	mcp_result_meta(r, META_OUTCOME, outcome);
}

void execute_grant(struct exchange *x, const struct presented *given,
		   struct mcp_result *r, struct execution_report *report)
{
	struct execution e = { .x = x, .given = given, .state = "refused" };

	if (verify(&e, r) && begin(&e, r)) {
		run(&e, r);
		finish(&e, r);
	}
	plan_free(e.plan);
	if (report) {
		memcpy(report->approval, e.grant.id, sizeof report->approval);
		memcpy(report->result, e.result, sizeof report->result);
		report->state = e.state;
	}
}
