#include "replay/stand.h"

#include "guard/burn.h"
#include "guard/gate_store.h"
#include "guard/grant.h"
#include "guard/plan.h"
#include "guard/state.h"
#include "guard/ticket.h"

/* A call as it came, checked as every server checks it. */
struct call {
	struct tool_definition *tool;
	json_t *arguments;
	char args[DIGEST_HEX_BYTES];
	int64_t now_ms, epoch_ms;
	char store[DIGEST_ID_BYTES];
};

static void call_done(struct call *c)
{
	tool_definition_free(c->tool);
	json_decref(c->arguments);
}

bool stand_open(struct stand *s, const struct statedir *dir, const json_t *servers,
		struct error *err)
{
	_cleanup_free_ char *store = statedir_path(dir, "servers.db");
	_cleanup_free_ char *keys = statedir_path(dir, "keys/trusted");
	uint8_t random[32];

	*s = (struct stand){ .servers = servers,
			     .executed = json_array(),
			     .down = json_object() };
	if (!store || !keys || !s->executed || !s->down)
		return error_oom(err);
	digest_random(random, sizeof random);
	s->state_key = secret_new(random, sizeof random);
	s->store = coord_open_sqlite(store, err);
	s->keys = s->store ? keyring_open(keys, err) : NULL;
	return s->keys != NULL;
}

void stand_close(struct stand *s)
{
	coord_close(s->store);
	keyring_free(s->keys);
	secret_free(s->state_key);
	json_decref(s->executed);
	json_decref(s->down);
}

static bool read_call(struct stand *s, const json_t *message, struct call *c,
		      struct error *err)
{
	const char *server = json_get_string(message, "server");
	const char *tool = json_get_string(message, "tool");
	const char *text = json_get_string(message, "arguments");
	size_t i;
	json_t *listed;

	if (json_object_get(s->down, server))
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "%s does not answer",
				 server);
	json_array_foreach(json_object_get(s->servers, server), i, listed)
	{
		if (strcmp(json_get_string(listed, "name"), tool) == 0)
			c->tool = tool_definition_read(server, listed, err);
	}
	if (!c->tool)
		return error_set(err, ERR_NOT_FOUND, "there is no such tool");
	c->arguments = json_parse(text, strlen(text), JSON_CONTRACT, err);
	return c->arguments &&
	       tool_definition_accept(c->tool, c->arguments, NULL, c->args, err) &&
	       coord_now_ms(s->store, &c->now_ms, err) &&
	       coord_epoch_ms(s->store, &c->epoch_ms, err) &&
	       coord_identity(s->store, c->store, err);
}

/* A pure function of the call: one effect that can be undone. */
static struct plan *make_plan(const struct call *c, struct error *err)
{
	_cleanup_(plan_freep) struct plan *p = plan_new();

	if (!p) {
		error_oom(err);
		return NULL;
	}
	plan_summary(p, "would do what the arguments say");
	plan_effect(p, c->tool->server, "what the arguments name", "as it is",
		    c->tool->name, true);
	plan_state(p, json_pack("{s:s}", "args", c->args));
	return plan_finish(p, err) ? TAKE(p) : NULL;
}

static json_t *error_json(const struct error *err)
{
	return json_pack("{s:s, s:s, s:b}", "code", error_name(err->code), "message",
			 err->message, "retryable", error_retryable(err->code));
}

/* --- plan --- */

static bool seal(struct stand *s, const struct call *c, const char *requester,
		 const struct plan *plan, struct strbuf *word, struct error *err)
{
	struct request_state state = { .planned_at_ms = c->now_ms,
				       .expires_ms = c->now_ms + STATE_TTL_MS };

	(void)snprintf(state.principal, sizeof state.principal, "%s", requester);
	(void)snprintf(state.server, sizeof state.server, "%s", c->tool->server);
	(void)snprintf(state.tool, sizeof state.tool, "%s", c->tool->name);
	memcpy(state.args, c->args, sizeof state.args);
	(void)snprintf(state.plan, sizeof state.plan, "%s", plan_digest(plan));
	return coord_identity(s->store, state.store, err) &&
	       state_seal(word, &state, s->state_key, err);
}

json_t *stand_plan(struct stand *s, const json_t *message)
{
	_cleanup_(call_done) struct call c = { 0 };
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	char request[DIGEST_HEX_BYTES];
	struct ticket ticket;
	struct error err = ERROR_INIT;
	json_t *approval = json_object_get(message, "approval");
	bool ok = read_call(s, message, &c, &err) &&
		  request_digest(c.tool->server, c.tool->name, c.args, request, &err) &&
		  ticket_check(json_get_string(message, "ticket"), c.tool->server,
			       request, c.now_ms, s->keys, &ticket, &err);

	plan = ok ? make_plan(&c, &err) : NULL;
	if (!plan || !seal(s, &c, ticket.requester, plan, &word, &err))
		return json_pack("{s:s, s:O, s:o}", "m", "planned", "approval", approval,
				 "error", error_json(&err));
	return json_pack("{s:s, s:O, s:O, s:s}", "m", "planned", "approval", approval,
			 "plan", plan_json(plan), "request_state", word.data);
}

/* --- execute --- */

static bool check_state(struct stand *s, const struct call *c, const struct grant *g,
			const char *word, struct error *err)
{
	struct request_state state;

	if (!word)
		return error_set(err, ERR_APPROVAL_INVALID, "there is no requestState");
	if (!state_open(word, s->state_key, c->now_ms, &state, err))
		return false;
	if (strcmp(state.principal, g->requester) != 0 ||
	    strcmp(state.server, c->tool->server) != 0 ||
	    strcmp(state.tool, c->tool->name) != 0 || strcmp(state.args, c->args) != 0 ||
	    strcmp(state.plan, g->plan) != 0)
		return error_set(err, ERR_APPROVAL_INVALID,
				 "the requestState belongs to another call");
	return true;
}

static bool check_grant(struct stand *s, const struct call *c, const struct grant *g,
			const char *word, const char *plan, struct error *err)
{
	bool is_read = c->tool->risk == RISK_READ;
	const struct grant_call call = { .aud = c->tool->server,
					 .server = c->tool->server,
					 .tool = c->tool->name,
					 .pin = c->tool->pin,
					 .args = c->args,
					 .plan = is_read ? NULL : plan,
					 .store = c->store,
					 .risk = c->tool->risk,
					 .now_ms = c->now_ms,
					 .epoch_ms = c->epoch_ms };

	if (!grant_check(g, &call, err) || !gate_store_check(s->store, g, err))
		return false;
	if (g->approver_count == 0)
		return error_set(err, ERR_APPROVAL_INVALID, "nobody approved it");
	return is_read || check_state(s, c, g, word, err);
}

static json_t *outcome(const struct grant *g, const char *state, json_t *structured)
{
	return json_pack("{s:[{s:s, s:s}], s:b, s:o, s:{s:{s:s, s:s}}}", "content",
			 "type", "text", "text", state, "isError",
			 strcmp(state, "succeeded") != 0, "structuredContent", structured,
			 "_meta", META_OUTCOME, "approval", g->id, "state", state);
}

static json_t *refusal(const struct grant *g, const struct error *err, json_t *details)
{
	json_t *error = error_json(err);

	if (details)
		(void)json_object_set_new(error, "details", details);
	return outcome(g, "refused", json_pack("{s:o}", "error", error));
}

/* It was used: what became of that. */
static json_t *recorded(const struct grant *g, const json_t *record)
{
	struct error err = ERROR_INIT;
	json_t *result = json_object_get(record, "result");
	json_t *details = json_pack("{s:s}", "state", json_get_string(record, "state"));

	if (result)
		(void)json_object_set(details, "outcome", result);
	error_set(&err, ERR_APPROVAL_INVALID, "this approval was already used");
	return refusal(g, &err, details);
}

/* The act. */
static json_t *run(struct stand *s, const struct call *c, const struct grant *g)
{
	char name[128];

	(void)snprintf(name, sizeof name, "%s.%s", c->tool->server, c->tool->name);
	(void)json_array_append_new(s->executed, json_pack("{s:s, s:O}", "name", name,
							   "arguments", c->arguments));
	return outcome(g, "succeeded", json_object());
}

static json_t *burn_and_run(struct stand *s, const struct call *c, const struct grant *g,
			    const struct plan *plan)
{
	struct error err = ERROR_INIT;
	json_auto_t *record = NULL;
	json_t *result;
	bool is_first = false;

	if (!burn_start(s->store, g, "service/gate", plan ? plan_json(plan) : NULL,
			c->now_ms, &is_first, &record, &err))
		return refusal(g, &err, NULL);
	if (!is_first)
		return recorded(g, record);
	result = run(s, c, g);
	(void)burn_finish(s->store, g->id, "succeeded", result, c->now_ms, &err);
	return result;
}

static json_t *execute(struct stand *s, const struct call *c, const json_t *message,
		       struct grant *g)
{
	const char *word = json_get_string(message, "request_state");
	struct error err = ERROR_INIT;
	json_auto_t *record = NULL;
	_cleanup_(plan_freep) struct plan *plan = NULL;

	if (!grant_open(json_get_string(message, "grant"), s->keys, g, &err) ||
	    !burn_find(s->store, g->id, &record, &err))
		return refusal(g, &err, NULL);
	if (record)
		return recorded(g, record);
	if (!check_grant(s, c, g, word, g->plan, &err))
		return refusal(g, &err, NULL);
	if (c->tool->risk != RISK_READ) {
		plan = make_plan(c, &err);
		if (!plan || !check_grant(s, c, g, word, plan_digest(plan), &err))
			return refusal(g, &err, NULL);
	}
	return burn_and_run(s, c, g, plan);
}

json_t *stand_execute(struct stand *s, const json_t *message)
{
	_cleanup_(call_done) struct call c = { 0 };
	struct grant g = { 0 };
	struct error err = ERROR_INIT;
	json_t *approval = json_object_get(message, "approval");

	if (!read_call(s, message, &c, &err))
		return json_pack("{s:s, s:O, s:o, s:b}", "m", "executed", "approval",
				 approval, "error", error_json(&err), "sent", 0);
	return json_pack("{s:s, s:O, s:o}", "m", "executed", "approval", approval,
			 "result", execute(s, &c, message, &g));
}
