/* Registering, reporting and taking back, as the gate's listener has it. */
#include "mcp/approvals_gate.h"

#include <assert.h>

#include "base/clock.h"

enum { GATE_PATIENCE_MS = 15000, GATE_REPLY_MAX = 1024 * 1024, REPORT_TRIES = 2 };

void registration_done(struct registration *r)
{
	json_decref(r->json);
	*r = (struct registration)REGISTRATION_INIT;
}

bool registration_is(const struct registration *r, const char *states)
{
	const char *at = r->state ? strstr(states, r->state) : NULL;
	size_t length = r->state ? strlen(r->state) : 0;

	return length > 0 && at && (at == states || at[-1] == ' ') &&
	       (at[length] == ' ' || at[length] == '\0');
}

bool registration_waits(const struct registration *r)
{
	return !r->error && !r->grant && registration_is(r, REGISTRATION_WAITING);
}

bool gate_post(const struct mcp_service *s, const char *path, const struct strbuf *body,
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
	if (*x->caller.subject) {
		strbuf_add_string(sb, ",\"subject\":");
		strbuf_add_json_string(sb, x->caller.subject, strlen(x->caller.subject));
	}
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
	ret->page = json_get_string(ret->json, "page");
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
	bool good = gate_post(x->service, "/approvals", &body, patience(x), &reply, &why);
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
bool gate_register(struct exchange *x, const char *approval, struct registration *ret,
		   struct error *err)
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

/* ---- Reporting ---- */

void gate_report(const struct exchange *x, const char *approval,
		 const struct execution_report *report, const struct mcp_result *r)
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
		good = gate_post(x->service, path, &body, GATE_PATIENCE_MS, &reply,
				 &err) &&
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

/* ---- Telling later ---- */

enum mcp_told mcp_service_tell(struct mcp_service *s, const char *approval,
			       const char *key, const char *text, struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	json_auto_t *json =
		json_pack("{s:i, s:s, s:s}", "v", 1, "key", key, "text", text);
	enum mcp_told told = MCP_TOLD_LATER;
	char path[128];

	if (!s || !s->http) {
		error_set(err, ERR_BACKEND_UNAVAILABLE, "this server has no gate");
		return MCP_TOLD_NOBODY;
	}
	(void)snprintf(path, sizeof path, "/approvals/%s/news", approval);
	if (!json || !json_write(&body, json, err) ||
	    !gate_post(s, path, &body, GATE_PATIENCE_MS, &reply, err)) {
		if (!error_is_set(err))
			error_oom(err);
	} else if (reply.status == 200) {
		told = MCP_TOLD;
	} else {
		error_set(err, ERR_BACKEND_UNAVAILABLE, "the gate answered %d",
			  reply.status);
		if (reply.status == 400 || reply.status == 404 || reply.status == 409)
			told = MCP_TOLD_NOBODY;
	}
	http_client_reply_done(&reply);
	return told;
}

/* ---- Taking back ---- */

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
		    gate_post(x->service, path, &body, patience(x), &reply, &err);
	bool is_cancelled = good && reply.status == 200;

	if (!good && error_is_set(&err))
		log_failure("gate.not_told", &err);
	http_client_reply_done(&reply);
	return is_cancelled;
}
