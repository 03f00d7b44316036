#include "gate/caller_job.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "gate/caller.h"
#include "guard/names.h"

/* Whether 'value' may travel in a frame: contract JSON, and not too long. */
static bool fits(const json_t *value, size_t max, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!json_check_contract(value, err) || !json_write(&text, value, err))
		return false;
	if (text.length > max)
		return error_set(
			err, ERR_BACKEND_UNAVAILABLE,
			"the server's answer has %zu bytes, more than the gate takes",
			text.length);
	return true;
}

static json_t *planned(const struct fields *f, json_t *plan, const char *state,
		       const struct error *err, const json_t *details)
{
	if (plan)
		return json_pack("{s:s, s:s, s:O, s:s*}", "m", message_name(MSG_PLANNED),
				 "approval", f->approval, "plan", plan, "request_state",
				 state);
	return json_pack("{s:s, s:s, s:o}", "m", message_name(MSG_PLANNED), "approval",
			 f->approval, "error", fields_error(err, details));
}

static json_t *executed(const struct fields *f, json_t *result, bool sent,
			const struct error *err)
{
	if (result)
		return json_pack("{s:s, s:s, s:O, s:b, s:b}", "m",
				 message_name(MSG_EXECUTED), "approval", f->approval,
				 "result", result, "sent", 1, "revoke", (int)f->revoke);
	return json_pack("{s:s, s:s, s:o, s:b, s:b}", "m", message_name(MSG_EXECUTED),
			 "approval", f->approval, "error", fields_error(err, NULL),
			 "sent", sent, "revoke", (int)f->revoke);
}

static json_t *defined(const struct fields *f, json_t *tools, bool up,
		       const struct error *err)
{
	if (tools)
		return json_pack("{s:s, s:s, s:b, s:O}", "m", message_name(MSG_DEFINED),
				 "server", f->server, "up", 1, "tools", tools);
	return json_pack("{s:s, s:s, s:b, s:o}", "m", message_name(MSG_DEFINED), "server",
			 f->server, "up", up, "error", fields_error(err, NULL));
}

static json_t *fetched(const struct fields *f, json_t *result, const struct error *err)
{
	if (result)
		return json_pack("{s:s, s:s, s:O}", "m", message_name(MSG_FETCHED),
				 "approval", f->approval, "result", result);
	return json_pack("{s:s, s:s, s:o}", "m", message_name(MSG_FETCHED), "approval",
			 f->approval, "error", fields_error(err, NULL));
}

json_t *caller_job_refuse(enum message m, const struct fields *f, const struct error *err)
{
	if (m == MSG_PLAN)
		return planned(f, NULL, NULL, err, NULL);
	if (m == MSG_EXECUTE)
		return executed(f, NULL, false, err);
	if (m == MSG_FETCH)
		return fetched(f, NULL, err);
	return defined(f, NULL, false, err);
}

/* --- plan --- */

/* The error of a tool's result, for the requester: what stands in structuredContent. */
static void read_error(const json_t *result, struct error *ret,
		       const json_t **ret_details)
{
	const json_t *e =
		json_object_get(json_object_get(result, "structuredContent"), "error");
	const char *code = json_get_string(e, "code");
	const char *message = json_get_string(e, "message");
	const char *hint = json_get_string(e, "hint");
	enum error_code number = code ? error_from_name(code) : ERR_INTERNAL;

	error_set(ret, number == ERR_NONE ? ERR_INTERNAL : number, "%s",
		  message ? message
			  : "the server refused to plan this and did not say why");
	if (hint)
		error_hint(ret, "%s", hint);
	*ret_details = json_object_get(e, "details");
}

static json_t *run_plan(struct mcp_client *client, const struct fields *f)
{
	const struct mcp_client_call call = { .tool = f->tool,
					      .arguments = f->arguments_text,
					      .ticket = f->ticket,
					      .request_state = f->request_state,
					      .assumes = f->assumes,
					      .timeout_ms = CALLER_PLAN_MS };
	struct error err = ERROR_INIT;
	json_auto_t *result = mcp_client_call(client, &call, NULL, &err);
	const char *type = json_get_string(result, "resultType");
	json_t *plan = json_object_get(json_object_get(result, "_meta"), META_PLAN);
	const json_t *details = NULL;

	if (!result || !fits(result, CALLER_PLAN_MAX, &err))
		return planned(f, NULL, NULL, &err, NULL);
	if (type && strcmp(type, "input_required") == 0 && json_is_object(plan))
		return planned(f, plan, json_get_string(result, "requestState"), &err,
			       NULL);
	if (json_is_true(json_object_get(result, "isError")))
		read_error(result, &err, &details);
	else
		error_set(&err, ERR_INTERNAL,
			  "the server answered neither with a plan nor an error");
	return planned(f, NULL, NULL, &err, json_is_object(details) ? details : NULL);
}

/* --- execute --- */

/* What happened, without what cannot be carried. */
static json_t *shorten(const json_t *result)
{
	const json_t *meta =
		json_object_get(json_object_get(result, "_meta"), META_OUTCOME);
	struct error ignored = ERROR_INIT;
	json_auto_t *outcome = meta && fits(meta, CALLER_PLAN_MAX, &ignored)
				       ? json_deep_copy(meta)
				       : NULL;

	return json_pack(
		"{s:s, s:b, s:[{s:s, s:s}], s:{s:O*}}", "resultType", "complete",
		"isError", json_is_true(json_object_get(result, "isError")), "content",
		"type", "text", "text",
		"the server's answer is too long for the gate, or no strict JSON",
		"_meta", META_OUTCOME, outcome);
}

/* --- how far it is --- */

enum {
	PROGRESS_MS = 500, /* no more often than that */
	PROGRESS_WORDS_MAX = 500,
};

struct progress {
	const struct fields *f;
	caller_job_say *say;
	void *context;
	int64_t said_ms;
};

/* What says too much is heard now and then; what cannot be carried is not missed. */
static void on_progress(void *context, double done, double total, const char *words)
{
	struct progress *p = context;
	const int64_t now_ms = clock_mono_ms();
	json_auto_t *body = NULL;
	struct error ignored = ERROR_INIT;
	json_t *message;

	if (p->said_ms != 0 && now_ms < p->said_ms + PROGRESS_MS)
		return;
	body = json_pack("{s:f}", "done", done);
	if (!body ||
	    (total > 0 && json_object_set_new(body, "total", json_real(total)) != 0) ||
	    (words && json_object_set_new(
			      body, "words",
			      json_stringn(words, utf8_cut(words, strlen(words),
							   PROGRESS_WORDS_MAX))) != 0) ||
	    !json_check_contract(body, &ignored))
		return;
	p->said_ms = now_ms;
	message = json_pack("{s:s, s:s, s:O}", "m", message_name(MSG_PROGRESS),
			    "approval", p->f->approval, "body", body);
	if (message)
		p->say(p->context, message);
}

static json_t *run_execute(struct mcp_client *client, const struct fields *f,
			   caller_job_say *say, void *context)
{
	bool refused = false;
	struct progress progress = { .f = f, .say = say, .context = context };
	const struct mcp_client_call call = { .tool = f->tool,
					      .arguments = f->arguments_text,
					      .request_state = f->request_state,
					      .grant = f->grant,
					      /* Who does not know 'revoke' looks. */
					      .is_look = f->look || f->revoke,
					      .is_revoked = f->revoke,
					      .timeout_ms = CALLER_EXECUTE_MS,
					      .progressed = f->look || f->revoke
								    ? NULL
								    : on_progress,
					      .progress_context = &progress,
					      .ret_refused = &refused };
	struct error err = ERROR_INIT, unfit = ERROR_INIT;
	bool sent = false;
	json_auto_t *result = mcp_client_call(client, &call, &sent, &err);
	json_auto_t *shortened = NULL;

	if (!result)
		return executed(f, NULL, sent && !refused, &err);
	if (fits(result, CALLER_RESULT_MAX, &unfit))
		return executed(f, result, true, &err);
	shortened = shorten(result);
	return executed(f, shortened, true, &err);
}

/* --- definitions --- */

static json_t *run_definitions(struct mcp_client *client, const struct fields *f)
{
	struct error err = ERROR_INIT;
	json_auto_t *tools = mcp_client_list_tools(client, CALLER_DEFINITIONS_MS, &err);

	if (!tools)
		return defined(f, NULL, false, &err);
	return fits(tools, CALLER_RESULT_MAX, &err) ? defined(f, tools, true, &err)
						    : defined(f, NULL, true, &err);
}

/* --- what conversations read --- */

static json_t *run_fetch(struct mcp_client *client, const struct fields *f)
{
	struct error err = ERROR_INIT;
	json_auto_t *result =
		mcp_client_read_for(client, f->uri, f->ticket, CALLER_FETCH_MS, &err);

	return fetched(f, result && fits(result, CALLER_PLAN_MAX, &err) ? result : NULL,
		       &err);
}

json_t *caller_job_run(struct mcp_client *client, enum message m, const struct fields *f,
		       caller_job_say *say, void *context)
{
	if (m == MSG_PLAN)
		return run_plan(client, f);
	if (m == MSG_FETCH)
		return run_fetch(client, f);
	return m == MSG_EXECUTE ? run_execute(client, f, say, context)
				: run_definitions(client, f);
}
