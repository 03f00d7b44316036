/* tools/call: which of the ways to run a call is open to this caller. */
#include "mcp/serving.h"

#include "base/clock.h"

/* ---- What planning, execute and approvals share ---- */

bool tools_check_rights(const struct exchange *x, const char *principal,
			struct error *err)
{
	const char *right = x->tool->definition->risk == RISK_READ ? "read" : "write";

	return server_config_allows(&x->service->config, principal, right) ||
	       error_set(err, ERR_PERMISSION_DENIED,
			 "%s may not %s with this server, by its own configuration",
			 principal, right);
}

/* Our own bug if it does not fit: said so, never hidden that it ran. */
static void check_output(const struct exchange *x, struct mcp_result *r)
{
	const struct tool_definition *d = x->tool->definition;
	struct error err = ERROR_INIT;
	struct schema_fault fault = { .message = "cannot be checked" };
	/* There since the arguments were judged. */
	const struct tool_schemas *schemas = tool_definition_schemas(d, &err);

	if (schemas &&
	    (!schemas->output ||
	     (r->structured && schema_validate(schemas->output, r->structured, &fault))))
		return;
	error_clear(&err);
	log_error("tool.malformed_result", LOG_STR("tool", d->name),
		  LOG_STR("at", r->structured ? fault.instance : "structuredContent"),
		  LOG_STR("what", r->structured ? fault.message : "is missing"));
	error_set(&err, ERR_INTERNAL,
		  "'%s' ran, but its result is not what it declares: %.200s", d->name,
		  r->text.data);
	error_hint(&err, "this is a bug of the server");
	mcp_result_error(r, &err, NULL);
	r->is_malformed = true;
}

bool mcp_call_as_task(struct mcp_call *call, bool is_required)
{
	struct exchange *x = call->exchange;

	/* Without its bytes it was judged in the loop's thread, where nothing may wait. */
	if (!x || x->is_task || !x->asking.is_allowed || x->canonical.length == 0 ||
	    (!x->has_tasks && !is_required))
		return true;
	x->wants_task = true;
	return false;
}

static bool make_task(struct exchange *x, struct mcp_result *r, struct error *err)
{
	if (x->has_tasks)
		return tasks_create(x, NULL, &r->task, err);
	r->missing = tasks_capability();
	return r->missing || error_oom(err);
}

bool tools_run(struct exchange *x, struct mcp_call *call, struct mcp_result *r,
	       struct error *err)
{
	int64_t start_us = metrics_now_us();

	call->exchange = x;
	call->asking = &x->asking;
	bool good = x->tool->row->run(call, r, err);

	metrics_add_time(&x->service->metrics.run, metrics_now_us() - start_us);
	if (good && x->wants_task)
		good = make_task(x, r, err);
	if (good &&
	    (r->task || r->missing || r->protocol_code || questions_put(x, r, err)))
		return true;
	if (error_is_set(err))
		good = false;
	else if (good && r->broken)
		good = error_oom(err);
	if (good)
		check_output(x, r);
	else
		mcp_result_error(r, err, TAKE(call->error_details));
	return good;
}

void tools_audit_refusal(const struct exchange *x, const char *approval,
			 const struct error *why)
{
	struct error err = ERROR_INIT;
	int64_t retry_ms;

	log_warn("call.refused", LOG_STR("tool", x->tool->definition->name),
		 LOG_STR("caller", x->caller.principal),
		 LOG_STR("client", x->caller.client),
		 LOG_STR("code", error_name(why->code)), LOG_STR("why", why->message));
	/* A hostile client shall not fill the disk. */
	if (!limiter_take(x->service->refusal_limiter, x->caller.client, clock_mono_ms(),
			  &retry_ms, &err))
		return;
	error_clear(&err);
	json_t *data = json_pack("{s:s, s:s, s:s, s:s*, s:s, s:s*}", "tool",
				 x->tool->definition->name, "principal",
				 x->caller.principal, "client", x->caller.client,
				 "approval", approval && *approval ? approval : NULL,
				 "code", error_name(why->code), "why", why->message);
	if (!data || !audit_append(x->service->audit, "call.refused", data, NULL, &err))
		log_failure("audit.failed", &err);
}

/* ---- Judging ---- */

static bool has_real(const json_t *value)
{
	union {
		const json_t *in;
		json_t *out;
	} borrowed = { .in = value };
	const char *name;
	json_t *member;
	size_t i;

	if (json_is_real(value))
		return true;
	json_array_foreach(borrowed.out, i, member)
	{
		if (has_real(member))
			return true;
	}
	if (!json_is_object(value))
		return false;
	json_object_foreach(borrowed.out, name, member)
	{
		if (has_real(member))
			return true;
	}
	return false;
}

/*
 * From here on only the canonical bytes exist, and the handler sees what they say: the
 * tree that came says the same unless a number was written with a fraction or exponent.
 */
static bool accept_arguments(struct exchange *x, enum tools_need need, struct error *err)
{
	json_t *given = json_object_get(x->message.params, "arguments");
	bool is_rewritten = given && has_real(given);
	bool needs_bytes = need == TOOLS_NEED_BYTES || is_rewritten;

	if (!tool_definition_accept(x->tool->definition, given,
				    needs_bytes ? &x->canonical : NULL,
				    need == TOOLS_NEED_NOTHING ? NULL : x->args, err))
		return false;
	if (is_rewritten)
		x->arguments = json_parse(x->canonical.data, x->canonical.length,
					  JSON_CONTRACT, err);
	else
		x->arguments = given ? json_incref(given) : json_object();
	return x->arguments || error_oom(err);
}

static bool check_sound(const struct exchange *x, struct error *err)
{
	if (!audit_is_sound(x->service->audit)) {
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "the audit log of this server cannot be written, so nothing "
			  "executes");
		return error_hint(err, "free its disk and restart it");
	}
	if (clock_mono_ms() >= x->deadline_ms)
		return error_set(err, ERR_TIMEOUT,
				 "the call waited too long for its turn");
	return true;
}

bool tools_accept(struct exchange *x, enum tools_need need, struct error *err)
{
	return check_sound(x, err) && accept_arguments(x, need, err);
}

/* ---- Deciding ---- */

static void refuse_gate_words(struct exchange *x, struct mcp_result *r)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERR_APPROVAL_INVALID,
		  "only the gate may present a grant or a requester ticket");
	tools_audit_refusal(x, NULL, &err);
	mcp_result_error(r, &err, NULL);
}

static void decide_gate(struct exchange *x, struct mcp_result *r)
{
	const struct presented given = { .grant = x->grant,
					 .request_state = x->request_state,
					 .is_look = x->is_look,
					 .is_revoked = x->is_revoked };
	struct error err = ERROR_INIT;

	if (x->grant) {
		execute_grant(x, &given, r, NULL);
	} else if (!x->ticket) {
		error_set(&err, ERR_APPROVAL_REQUIRED, "a ticket or a grant is needed");
		mcp_result_error(r, &err, NULL);
	} else if (x->tool->definition->risk == RISK_READ) {
		error_set(&err, ERR_APPROVAL_REQUIRED,
			  "'%s' is a read: it has no plan, and a grant runs it",
			  x->tool->definition->name);
		mcp_result_error(r, &err, NULL);
	} else {
		planning_answer(x, r);
	}
}

static void decide(struct exchange *x, struct mcp_result *r)
{
	if (x->from_gate)
		decide_gate(x, r);
	else if (x->grant || x->ticket)
		refuse_gate_words(x, r);
	else if (free_read_is(x))
		free_read_run(x, r);
	else
		approvals_answer(x, r);
}

static void answer(struct exchange *x)
{
	struct mcp_result result = MCP_RESULT_INIT;
	struct error err = ERROR_INIT;
	int64_t start_ms = clock_mono_ms();

	if (!tools_accept(x, TOOLS_NEED_BYTES, &err))
		mcp_result_error(&result, &err, NULL);
	else
		decide(x, &result);
	log_info("tool.done", LOG_STR("tool", x->tool->definition->name),
		 LOG_STR("caller", x->caller.principal),
		 LOG_STR("client", x->caller.client),
		 LOG_INT("took_ms", clock_mono_ms() - start_ms),
		 LOG_STR("trace", x->trace ? x->trace : ""),
		 LOG_STR("outcome", result.request_state ? "input_required"
				    : result.code        ? error_name(result.code)
							 : "ok"));
	exchange_finish(x, &result);
}

static void work(void *argument)
{
	struct exchange *x = argument;
	char request[32];

	/* The line after the reply still belongs to it. */
	(void)snprintf(request, sizeof request, "%s", x->request);
	log_set_request(request);
	answer(x);
	log_set_request(NULL);
}

/* ---- In the loop's thread ---- */

void tools_finish_error(struct exchange *x, const struct error *err)
{
	struct mcp_result result = MCP_RESULT_INIT;

	mcp_result_error(&result, err, NULL);
	exchange_finish(x, &result);
}

void tools_finish_busy(struct exchange *x)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERR_RATE_LIMITED, "this server has too many calls waiting");
	error_hint(&err, "repeat it in a few seconds");
	tools_finish_error(x, &err);
}

static void start(struct exchange *x)
{
	struct mcp_service *s = x->service;
	struct error err = ERROR_INIT;
	bool is_quick = free_read_is(x) && x->tool->row->quick;

	if (is_quick && !s->config.audit_freed_reads) {
		free_read_answer(x);
		return;
	}
	/* The gate calls for everybody, and its own limits are its own. */
	if (!x->from_gate) {
		x->is_entered = callers_enter(&s->callers, x->caller.client,
					      (unsigned)s->config.calls_per_caller, &err);
		if (!x->is_entered) {
			tools_finish_error(x, &err);
			return;
		}
	}
	if (is_quick)
		free_reads_add(x);
	else if (!workers_submit(s->workers, work, x))
		tools_finish_busy(x);
}

static void invalid_params(struct exchange *x, const char *message)
{
	struct refusal refusal = { 0 };

	refusal_set(&refusal, 200, JSONRPC_INVALID_PARAMS, "%s", message);
	exchange_refuse(x, &refusal);
}

static const char *find_header(void *context, const char *name)
{
	return http_request_header(context, name);
}

/* PROTOCOL 2.3, steps 11 and 13. Replies itself when it returns false. */
static bool check_params(struct exchange *x)
{
	const json_t *params = x->message.params,
		     *arguments = json_object_get(params, "arguments");
	const json_t *state = json_object_get(params, "requestState");
	const char *name = json_get_string(params, "name");
	struct refusal refusal = { 0 };
	struct error err = ERROR_INIT;

	x->tool = name ? tool_table_find(&x->service->tools, name) : NULL;
	if (x->tool && x->revision == LEGACY_NONE &&
	    !param_headers_check(x->tool->headers, arguments, find_header, x->http,
				 &err)) {
		refusal_set(&refusal, 400, JSONRPC_HEADER_MISMATCH, "%s", err.message);
		exchange_refuse(x, &refusal);
		return false;
	}
	const char *fault = !name      ? "params.name is missing"
			    : !x->tool ? "Unknown tool"
			    : arguments && !json_is_object(arguments)
				    ? "params.arguments must be an object"
			    : state && !json_is_string(state)
				    ? "params.requestState must be a string"
				    : NULL;
	/* The gate's word is that of a plan; a direct client has one of a question. */
	if (!fault && !x->from_gate && !error_is_set(&x->contract) &&
	    !questions_read(x, &err))
		fault = err.message;
	if (fault)
		invalid_params(x, fault);
	return !fault;
}

void tools_call(struct exchange *x)
{
	const json_t *meta = json_object_get(x->message.params, "_meta");
	int64_t deadline_ms = x->service->config.deadline_ms;

	if (!check_params(x) || !authorize_tool(x))
		return;
	if (error_is_set(&x->contract)) {
		tools_finish_error(x, &x->contract);
		return;
	}
	/* Whatever stands there is judged; a number is no grant, but no freed read either. */
	x->grant = json_object_get(meta, META_GRANT)
			   ? json_get_string(meta, META_GRANT) ?: ""
			   : NULL;
	x->ticket = json_object_get(meta, META_REQUESTER)
			    ? json_get_string(meta, META_REQUESTER) ?: ""
			    : NULL;
	x->assumes = json_object_get(meta, META_ASSUMES);
	/* Whatever else stands there runs nothing either. */
	x->is_look = json_object_get(meta, META_LOOK) != NULL;
	x->is_revoked = json_object_get(meta, META_REVOKE) != NULL;
	x->request_state = json_get_string(x->message.params, "requestState");
	x->trace = json_get_string(meta, "traceparent");
	x->deadline_ms = clock_mono_ms() + deadline_ms;
	start(x);
}
