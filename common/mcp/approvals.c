/*
 * A client that is not the gate calls what needs a yes: this server registers the
 * call with the gate, and runs it with the grant that the gate gives to exactly one
 * such call. No gate, no answer, an odd answer: nothing runs.
 */
#include "mcp/serving.h"

#include <assert.h>

#include "base/clock.h"
#include "guard/burn.h"

/* States of an approval whose call may still run. */
#define WAITING "proposed planned pending approved granted"

enum { GATE_PATIENCE_MS = 15000, GATE_REPLY_MAX = 1024 * 1024, REPORT_TRIES = 2 };

/* What the gate answered, borrowed from 'json'. */
struct registration {
	json_t *json; /* owned */
	const char *approval, *state, *where, *grant, *request_state;
	int64_t retry_after_ms;
	const char *error; /* bare code of a plan that failed */
	const char *message;
	json_t *outcome;
};

static bool post(const struct mcp_service *s, const char *path, const struct strbuf *body,
		 int64_t timeout_ms, struct http_client_reply *reply, struct error *err)
{
	_cleanup_strbuf_ struct strbuf url = STRBUF_INIT;
	static const struct http_client_header headers[] = {
		{ "Content-Type", "application/json" },
		{ "Accept", "application/json" },
		{ NULL, NULL },
	};
	size_t base = strlen(s->config.gate_url);

	while (base > 0 && s->config.gate_url[base - 1] == '/')
		base--;
	strbuf_add(&url, s->config.gate_url, base);
	strbuf_add_string(&url, path);
	if (!strbuf_ok(&url) || !strbuf_ok(body))
		return error_oom(err);
	const struct http_client_request request = {
		.method = "POST",
		.url = url.data,
		.headers = headers,
		.bearer = secret_bytes(s->gate_token),
		.body = body->data,
		.body_bytes = body->length,
		.timeout_ms = timeout_ms,
		.reply_max = GATE_REPLY_MAX,
		.cancel = &s->is_cancelled,
	};
	return http_client_call(s->http, &request, reply, NULL, err);
}

/* ---- Registering ---- */

/* 'approval' (NULL: none): ask what became of that one, and propose no other. */
static void write_registration(const struct exchange *x, const char *approval,
			       struct strbuf *sb)
{
	strbuf_add_string(sb, "{\"v\":1,\"tool\":");
	strbuf_add_json_string(sb, x->tool->definition->name,
			       strlen(x->tool->definition->name));
	strbuf_add_string(sb, ",\"arguments\":");
	strbuf_add(sb, x->canonical.data, x->canonical.length);
	strbuf_add_string(sb, ",\"principal\":");
	strbuf_add_json_string(sb, x->caller.principal, strlen(x->caller.principal));
	strbuf_add_string(sb, ",\"client\":");
	strbuf_add_json_string(sb, x->caller.client, strlen(x->caller.client));
	if (approval)
		strbuf_add_format(sb, ",\"approval\":\"%s\"", approval); /* name_is_id */
	strbuf_add_char(sb, '}');
}

static bool is_odd(struct error *err, const char *why)
{
	error_set(err, ERR_BACKEND_UNAVAILABLE,
		  "the gate did not answer sensibly, so nothing ran");
	return error_cause(err, "%s", why);
}

static bool read_reply(const struct http_client_reply *reply, struct registration *ret,
		       struct error *err)
{
	struct error why = ERROR_INIT;

	if (reply->status == 401 || reply->status == 403) {
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "the gate does not accept the token of this server, so nothing "
			  "ran");
		return error_hint(err, "see gate.token_file in its configuration");
	}
	ret->json = json_parse(reply->body.data, reply->body.length, JSON_CONTRACT, &why);
	if (!json_is_object(ret->json))
		return is_odd(err, why.message);
	const json_t *error = json_object_get(ret->json, "error");
	ret->error = json_get_string(error, "code");
	ret->message = json_get_string(error, "message");
	if (ret->error)
		return true;
	ret->approval = json_get_string(ret->json, "approval");
	ret->state = json_get_string(ret->json, "state");
	ret->where = json_get_string(ret->json, "where");
	ret->grant = json_get_string(ret->json, "grant");
	ret->request_state = json_get_string(ret->json, "request_state");
	ret->retry_after_ms = json_get_int64(ret->json, "retry_after_ms", -1);
	ret->outcome = json_object_get(ret->json, "outcome");
	if (reply->status != 200 && reply->status != 202)
		return is_odd(err, "its status is not 200");
	if (!ret->approval || !name_is_id(ret->approval) || !ret->state)
		return is_odd(err, "'approval' or 'state' is missing");
	return true;
}

static int64_t patience(const struct exchange *x)
{
	int64_t left = x->deadline_ms - clock_mono_ms();

	return left < GATE_PATIENCE_MS ? (left > 1 ? left : 1) : GATE_PATIENCE_MS;
}

static bool call_gate(struct exchange *x, const char *approval, struct registration *ret,
		      struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	struct error why = ERROR_INIT;

	write_registration(x, approval, &body);
	bool good = post(x->service, "/approvals", &body, patience(x), &reply, &why);
	if (good) {
		good = read_reply(&reply, ret, err);
	} else {
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "the gate cannot be reached, so nothing ran");
		error_cause(err, "%s", why.message);
	}
	if (!good)
		log_failure("gate.failed", err);
	http_client_reply_done(&reply);
	return good;
}

/*
 * The gate asks this very server for the plan while the registration waits: if such
 * calls held all workers, it would never be answered. They get half of them.
 */
static bool register_call(struct exchange *x, const char *approval,
			  struct registration *ret, struct error *err)
{
	struct mcp_service *s = x->service;
	bool good;

	if (atomic_fetch_add(&s->registering, 1) >= s->config.workers / 2)
		good = error_set(err, ERR_RATE_LIMITED,
				 "too many calls wait for the gate at the moment");
	else
		good = call_gate(x, approval, ret, err);
	atomic_fetch_sub(&s->registering, 1);
	assert(!good || ret->error || ret->state); /* read_reply saw to it */
	return good;
}

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

static bool is_one_of(const char *state, const char *states)
{
	const char *at = strstr(states, state);
	size_t length = strlen(state);

	return length > 0 && at && (at == states || at[-1] == ' ') &&
	       (at[length] == ' ' || at[length] == '\0');
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
	if (is_one_of(reg->state, WAITING))
		say_waiting(x, reg, err);
	else if (strcmp(reg->state, "executing") == 0)
		error_set(err, ERR_CONFLICT,
			  "the same call is being executed right now, as %s",
			  reg->approval);
	else if (is_one_of(reg->state, "succeeded failed unknown"))
		error_set(err, ERR_CONFLICT,
			  "the same call has been executed already as %s; it is '%s'",
			  reg->approval, reg->state);
	else if (is_one_of(reg->state,
			   "denied expired superseded cancelled revoked lapsed refused"))
		error_set(err, ERR_PERMISSION_DENIED,
			  "the approval %s of '%s' was not given: %s", reg->approval,
			  x->tool->definition->name, reg->state);
	else
		(void)is_odd(err, "its state is none that there is");
}

/* Of several identical calls one runs; the others get what it came to. */
static bool restore_outcome(const struct exchange *x, const struct registration *reg,
			    struct mcp_result *r)
{
	struct error err = ERROR_INIT;
	json_auto_t *record = NULL;

	if (!is_one_of(reg->state, "succeeded failed unknown") ||
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

/* ---- Reporting ---- */

static void report_outcome(const struct exchange *x, const char *approval,
			   const struct execution_report *report,
			   const struct mcp_result *r)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct error err = ERROR_INIT;
	char path[128];

	json_auto_t *json =
		json_pack("{s:i, s:s, s:s*, s:s*, s:o*}", "v", 1, "state", report->state,
			  "error", r->code ? error_name(r->code) : NULL, "result_digest",
			  *report->result ? report->result : NULL, "server_head",
			  execute_head(x->service));
	(void)snprintf(path, sizeof path, "/approvals/%s/outcome", approval);
	bool good = json && json_write(&body, json, &err);
	for (int i = 0; json && i < REPORT_TRIES; i++) {
		struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;

		error_clear(&err);
		good = post(x->service, path, &body, GATE_PATIENCE_MS, &reply, &err) &&
		       (reply.status / 100 == 2 ||
			error_set(&err, ERR_BACKEND_UNAVAILABLE, "the gate answered %d",
				  reply.status));
		http_client_reply_done(&reply);
		if (good || err.code != ERR_BACKEND_UNAVAILABLE)
			break;
	}
	/* The gate will ask, or say 'unknown'; what happened stands in our record. */
	if (!good)
		log_failure("gate.not_told", &err);
}

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
	report_outcome(x, reg->approval, &report, r);
}

void approvals_answer(struct exchange *x, struct mcp_result *r)
{
	struct registration reg = { .retry_after_ms = -1 };
	struct error err = ERROR_INIT;

	if (!tools_check_rights(x, x->caller.principal, &err)) {
		mcp_result_error(r, &err, NULL);
		return;
	}
	if (!x->service->http) {
		error_set(&err, ERR_BACKEND_UNAVAILABLE,
			  "'%s' needs a person's approval and no gate is configured, so "
			  "nothing ran",
			  x->tool->definition->name);
		mcp_result_error(r, &err, NULL);
		return;
	}
	bool good = register_call(x, NULL, &reg, &err);
	json_auto_t *owner = reg.json;

	if (good && reg.error)
		say_error(x, &reg, &err);
	else if (good && reg.grant && is_one_of(reg.state, "granted"))
		run_granted(x, &reg, r);
	else if (good && x->has_tasks && is_one_of(reg.state, WAITING))
		(void)tasks_create(x, reg.approval, &r->task, &err);
	else if (good && !restore_outcome(x, &reg, r))
		say_state(x, &reg, &err);
	if (error_is_set(&err))
		mcp_result_error(r, &err, reg.approval ? make_details(&reg) : NULL);
	if (reg.approval && owner)
		mcp_result_meta(r, META_APPROVAL, json_string(reg.approval));
}

/* ---- Tasks ---- */

void approvals_continue(struct exchange *x, const char *approval, struct mcp_result *r,
			bool *ret_waiting)
{
	struct registration reg = { .retry_after_ms = -1 };
	struct error err = ERROR_INIT;
	bool good = tools_check_rights(x, x->caller.principal, &err);

	if (good && !register_call(x, approval, &reg, &err)) {
		/* A gate that is away for a while comes back. */
		json_decref(reg.json);
		*ret_waiting = true;
		return;
	}
	json_auto_t *owner = reg.json;
	*ret_waiting = good && !reg.error && !reg.grant &&
		       is_one_of(reg.state, WAITING " executing");
	if (*ret_waiting)
		return;
	if (good && reg.error)
		say_error(x, &reg, &err);
	else if (good && reg.grant && is_one_of(reg.state, "granted"))
		run_granted(x, &reg, r);
	else if (good && !restore_outcome(x, &reg, r))
		say_state(x, &reg, &err);
	if (error_is_set(&err))
		mcp_result_error(r, &err, reg.approval ? make_details(&reg) : NULL);
	if (owner)
		mcp_result_meta(r, META_APPROVAL, json_string(approval));
}

bool approvals_cancel(const struct exchange *x, const char *approval)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	struct error err = ERROR_INIT;
	char path[128];

	(void)snprintf(path, sizeof path, "/approvals/%s/cancel", approval);
	strbuf_add_string(&body, "{\"v\":1,\"principal\":");
	strbuf_add_json_string(&body, x->caller.principal, strlen(x->caller.principal));
	strbuf_add_char(&body, '}');
	bool good = x->service->http &&
		    post(x->service, path, &body, patience(x), &reply, &err);
	bool is_cancelled = good && reply.status == 200;

	if (!good && error_is_set(&err))
		log_failure("gate.not_told", &err);
	http_client_reply_done(&reply);
	return is_cancelled;
}
