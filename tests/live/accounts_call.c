/*
 * The tools of this server, called as the dispatcher calls them, for a test that has its
 * systems in doubles: accounts_vendors_test.py.
 *
 *   live-accounts_call FOLDER      lines of JSON on stdin, a line for each on stdout
 *
 * First the configuration of the backend; then {"tool", "arguments"} each, or {"tick": s}
 * for what the server's own thread does s seconds later. Answers are {"plan", "result",
 * "text"} or {"plan"?, "error": {"code", "message", "hint"}}. Every result is held against
 * its outputSchema. With {"only_plan": true} nothing is done. {"again": true} makes the plan
 * twice and says whether it came out the same.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "guard/plan.h"
#include "mcp/call.h"
#include "mcp/definition.h"
#include "mcp/result.h"
#include "servers/accounts/accounts.h"
#include "servers/accounts/tools.h"

static const struct mcp_tool tools[] = {
	{ .name = "get_account", .run = get_account },
	{ .name = "list_blocked_accounts", .run = list_blocked_accounts },
	{ .name = "block_account", .plan = plan_block_account, .run = block_account },
	{ .name = "unblock_account",
	  .plan = plan_unblock_account,
	  .run = unblock_account },
	{ .name = "revoke_sessions",
	  .plan = plan_revoke_sessions,
	  .run = revoke_sessions },
};

struct session {
	struct accounts *accounts;
	struct audit *audit;
	int approvals;
};

struct run {
	struct mcp_call call;
	struct plan *plan;
	struct mcp_result result;
};

static void run_done(struct run *r)
{
	mcp_call_done(&r->call);
	mcp_result_done(&r->result);
	plan_free(r->plan);
}

static const struct mcp_tool *tool_named(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(tools); i++)
		if (strcmp(tools[i].name, name) == 0)
			return &tools[i];
	return NULL;
}

static bool make_plan(const struct mcp_tool *tool, struct run *r, struct error *err)
{
	plan_free(r->plan);
	r->plan = plan_new();
	r->call.plan = NULL;
	if (!tool->plan(&r->call, r->plan, err) || !plan_finish(r->plan, err))
		return false;
	r->call.plan = r->plan;
	return true;
}

static bool check_result(const struct tool_definition *d, const struct run *r,
			 struct error *err)
{
	struct schema_fault fault = { 0 };
	const struct tool_schemas *schemas = tool_definition_schemas(d, err);

	if (!schemas)
		return false;
	return schema_validate(schemas->output, r->result.structured, &fault) ||
	       error_set(err, ERR_INTERNAL, "the result is not as declared");
}

/* Members of 'answer' are what came of it. */
static bool go(struct session *s, struct run *r, const json_t *line, json_t *answer,
	       struct error *err)
{
	const char *name = json_get_string(line, "tool");
	const struct mcp_tool *tool = tool_named(name);
	_cleanup_(tool_definition_freep) struct tool_definition *d =
		tool ? tool_definition_load("accounts", name, err) : NULL;
	char digest[DIGEST_HEX_BYTES] = "";

	if (!tool || !d)
		return error_set(err, ERR_INTERNAL, "no tool '%s'", name ? name : "");
	if (!tool_definition_accept(d, r->call.arguments, NULL, digest, err))
		return false;
	if (tool->plan) {
		if (!make_plan(tool, r, err))
			return false;
		(void)json_object_set(answer, "plan", plan_json(r->plan));
		if (json_is_true(json_object_get(line, "again"))) {
			(void)snprintf(digest, sizeof digest, "%s", plan_digest(r->plan));
			if (!make_plan(tool, r, err))
				return false;
			(void)json_object_set_new(
				answer, "same",
				json_boolean(strcmp(digest, plan_digest(r->plan)) == 0));
		}
		if (json_is_true(json_object_get(line, "only_plan")))
			return true;
	}
	(void)s;
	if (!tool->run(&r->call, &r->result, err) || !check_result(d, r, err))
		return false;
	(void)json_object_set(answer, "result", r->result.structured);
	return json_object_set_new(answer, "text", json_string(r->result.text.data)) == 0;
}

static json_t *call_tool(struct session *s, json_t *line)
{
	char approval[48];
	_cleanup_(run_done) struct run r = {
		.result = MCP_RESULT_INIT,
		.call = { .context = s->accounts,
			  .arguments = json_object_get(line, "arguments"),
			  .requester = "alice@example.test",
			  .approval = approval,
			  .approvers = "bob@example.test",
			  .now_ms = clock_wall_ms(),
			  .deadline_ms = clock_mono_ms() + 60000 },
	};
	struct error err = ERROR_INIT;
	json_t *answer = json_object();

	/* No other process with this folder has had it. */
	(void)snprintf(approval, sizeof approval, "ap-%d-%d", (int)getpid(),
		       ++s->approvals);
	if (!go(s, &r, line, answer, &err))
		(void)json_object_set_new(answer, "error",
					  json_pack("{s:s, s:s, s:s}", "code",
						    error_name(err.code), "message",
						    err.message, "hint", err.hint));
	return answer;
}

static json_t *answer_line(struct session *s, json_t *line)
{
	if (!json_object_get(line, "tick"))
		return call_tool(s, line);
	const struct mcp_tick tick = { .now_ms = clock_wall_ms() +
						 json_get_int64(line, "tick", 0) * 1000,
				       .audit = s->audit };
	accounts_tick(s->accounts, &tick);
	return json_object();
}

static json_t *read_line(void)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;

	return getline(&text, &size, stdin) < 0 ? NULL : json_loads(text, 0, NULL);
}

int main(int argc, char **argv)
{
	_cleanup_(statedir_freep) struct statedir *dir = NULL;
	json_auto_t *config = read_line();
	struct session s = { 0 };
	struct error err = ERROR_INIT;

	dir = statedir_new(argc > 1 ? argv[1] : NULL, &err);
	if (dir && statedir_create(dir, &err))
		s.accounts = accounts_open(dir, config, &err);
	if (s.accounts)
		s.audit = audit_open(dir, "accounts", &err);
	(void)printf("{\"open\":%s}\n", s.audit ? "true" : "false");
	(void)fflush(stdout);
	if (!s.audit)
		(void)fprintf(stderr, "%s\n", err.message);
	for (json_t *line; s.audit && (line = read_line()); json_decref(line)) {
		json_auto_t *answer = answer_line(&s, line);
		(void)json_dumpf(answer, stdout, JSON_COMPACT);
		(void)putchar('\n');
		(void)fflush(stdout);
	}
	accounts_close(s.accounts);
	audit_close(s.audit);
	return s.audit ? 0 : 1;
}
