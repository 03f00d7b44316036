/* A plan for the gate: what a write would do, sealed for the grant to come. */
#include "mcp/serving.h"

#include "base/clock.h"
#include "guard/state.h"
#include "guard/ticket.h"

/* Only the first plan that the gate asks for may count on what has not happened: the one
 * that is made before a grant is used asks the backend, whatever anybody says. */
static const json_t *assumed(const struct exchange *x)
{
	return x->from_gate && x->ticket && !x->grant && !x->request_state ? x->assumes
									   : NULL;
}

struct plan *planning_make(const struct exchange *x, const char *requester,
			   int64_t now_ms, json_t **ret_details, struct error *err)
{
	_cleanup_(plan_freep) struct plan *plan = plan_new();
	int64_t start_us = metrics_now_us();
	char store[DIGEST_ID_BYTES];
	struct mcp_call call = {
		.context = x->service->context,
		.arguments = x->arguments,
		.requester = requester,
		.assumes = assumed(x),
		.approval = "",
		.approvers = "",
		.now_ms = now_ms,
		.deadline_ms = x->deadline_ms,
		.cancelled = &x->service->is_cancelled,
	};

	if (!plan) {
		error_oom(err);
		return NULL;
	}
	bool good = x->tool->row->plan(&call, plan, err);
	metrics_add_time(&x->service->metrics.plan, metrics_now_us() - start_us);
	if (!good && !error_is_set(err))
		error_set(err, ERR_INTERNAL,
			  "no plan could be made, and it was not said why");
	if (!good && ret_details)
		*ret_details = TAKE(call.error_details);
	mcp_call_done(&call);
	/* What is approved here runs at no process whose burns are others'. */
	return good && coord_identity(x->service->store, store, err) &&
			       joining_check(x->service, store, err) &&
			       plan_bind(plan, store, err) && plan_finish(plan, err)
		       ? TAKE(plan)
		       : NULL;
}

static bool check_ticket(const struct exchange *x, int64_t now_ms, struct ticket *ret,
			 struct error *err)
{
	const struct mcp_service *s = x->service;
	char request[DIGEST_HEX_BYTES];

	return request_digest(s->server->name, x->tool->definition->name, x->args,
			      request, err) &&
	       ticket_check(x->ticket, s->config.instance, request, now_ms, s->keys, ret,
			    err) &&
	       tools_check_rights(x, ret->requester, err);
}

bool planning_check_store(const struct mcp_service *s, const struct request_state *state,
			  struct error *err)
{
	char store[DIGEST_ID_BYTES];

	if (!coord_identity(s->store, store, err))
		return false;
	if (strcmp(store, state->store) == 0)
		return true;
	error_set(err, ERR_APPROVAL_INVALID,
		  "the plan was made on another store than this process of '%s' has",
		  s->server->name);
	return error_hint(err,
			  "replicas of a server share one store (docs/operators.md); "
			  "if it was lost or replaced, ask again");
}

/* When the plan is made: now, or, asked for again with the state of the first, then. */
static bool find_moment(const struct exchange *x, const struct ticket *ticket,
			int64_t now_ms, int64_t *ret_planned_ms, struct error *err)
{
	struct request_state state;
	struct error why = ERROR_INIT;

	*ret_planned_ms = now_ms;
	if (!x->request_state)
		return true;
	if (!state_open(x->request_state, x->service->state_key, now_ms, &state, &why))
		return error_set(err, ERR_APPROVAL_INVALID,
				 "the requestState is not good: %s", why.message);
	if (strcmp(state.principal, ticket->requester) != 0 ||
	    strcmp(state.server, x->service->server->name) != 0 ||
	    strcmp(state.tool, x->tool->definition->name) != 0 ||
	    strcmp(state.args, x->args) != 0)
		return error_set(err, ERR_APPROVAL_INVALID,
				 "the requestState belongs to another call");
	if (!planning_check_store(x->service, &state, err))
		return false;
	*ret_planned_ms = state.planned_at_ms;
	return true;
}

static char *seal(const struct exchange *x, const struct ticket *ticket,
		  const struct plan *plan, int64_t planned_ms, int64_t now_ms,
		  struct error *err)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct request_state state = {
		.planned_at_ms = planned_ms,
		.expires_ms = now_ms + STATE_TTL_MS,
	};

	(void)snprintf(state.principal, sizeof state.principal, "%s", ticket->requester);
	(void)snprintf(state.server, sizeof state.server, "%s", x->service->server->name);
	(void)snprintf(state.tool, sizeof state.tool, "%s", x->tool->definition->name);
	memcpy(state.args, x->args, sizeof state.args);
	(void)snprintf(state.plan, sizeof state.plan, "%s", plan_digest(plan));
	if (!coord_identity(x->service->store, state.store, err) ||
	    !state_seal(&word, &state, x->service->state_key, err))
		return NULL;
	char *text = strbuf_take(&word);
	if (!text)
		error_oom(err);
	return text;
}

/* Plans cost the backend something and commit nobody to anything. */
static bool take_turn(const struct exchange *x, const char *requester,
		      json_t **ret_details, struct error *err)
{
	int64_t retry_ms = 0;

	if (limiter_take(x->service->plan_limiter, requester, clock_mono_ms(), &retry_ms,
			 err))
		return true;
	*ret_details =
		json_pack("{s:I}", "retry_after_s", (json_int_t)(retry_ms + 999) / 1000);
	return false;
}

void planning_answer(struct exchange *x, struct mcp_result *r)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct error err = ERROR_INIT;
	struct ticket ticket;
	json_t *details = NULL;
	int64_t now_ms, planned_ms = 0;

	/* Times of the store: those that a grant is judged by later. */
	if (coord_now_ms(x->service->store, &now_ms, &err) &&
	    check_ticket(x, now_ms, &ticket, &err) &&
	    find_moment(x, &ticket, now_ms, &planned_ms, &err) &&
	    take_turn(x, ticket.requester, &details, &err))
		plan = planning_make(x, ticket.requester, planned_ms, &details, &err);
	if (plan)
		r->request_state = seal(x, &ticket, plan, planned_ms, now_ms, &err);
	if (r->request_state) {
		mcp_result_meta(r, META_PLAN, json_incref(plan_json(plan)));
		return;
	}
	if (err.code == ERR_APPROVAL_INVALID)
		tools_audit_refusal(x, NULL, &err);
	mcp_result_error(r, &err, details);
}
