/* A task on a worker: its function goes on, or the gate is asked whether it may. */
#include "mcp/task.h"

#include "base/clock.h"

enum { RESULT_MAX = COORD_VALUE_MAX / 2 };

struct job {
	struct tasks *tasks;
	struct task *task; /* stays: it is running */
};

/* The exchange that the call once was, without anybody to reply to. */
static struct exchange *rebuild(struct tasks *t, const struct task *k, struct error *err)
{
	const char *text = task_text(k, "arguments") ?: "",
		   *tool = task_text(k, "tool") ?: "";
	struct exchange *x = exchange_new(t->service, NULL);

	if (!x) {
		error_oom(err);
		return NULL;
	}
	x->method = MCP_TOOLS_CALL;
	(void)snprintf(x->caller.principal, sizeof x->caller.principal, "%s",
		       task_text(k, "principal"));
	(void)snprintf(x->caller.client, sizeof x->caller.client, "%s",
		       task_text(k, "client"));
	(void)snprintf(x->caller.subject, sizeof x->caller.subject, "%s",
		       task_text(k, "subject") ?: "");
	(void)snprintf(x->caller.scopes, sizeof x->caller.scopes, "%s",
		       task_text(k, "scopes") ?: "");
	x->is_task = true;
	x->task_cancelled = &k->is_cancelled;
	x->tool = tool_table_find(&t->service->tools, tool);
	x->arguments = json_parse(text, strlen(text), JSON_CONTRACT, err);
	strbuf_add_string(&x->canonical, text);
	digest_sha256_hex(text, strlen(text), x->args);
	x->asking.is_allowed = true;
	/* A copy: the record changes while the function runs. */
	x->body = json_deep_copy(k->record);
	x->asking.capabilities = json_object_get(x->body, "capabilities");
	x->asking.answers = json_incref(json_object_get(x->body, "answers"));
	x->asking.memory = json_incref(json_object_get(x->body, "memory"));
	x->deadline_ms = clock_mono_ms() + (task_text(k, "approval")
						    ? t->service->config.deadline_ms
						    : TASK_TTL_MS);
	if (x->body && x->tool && x->arguments && strbuf_ok(&x->canonical))
		return x;
	error_set(err, ERR_INTERNAL, "this server cannot go on with the task");
	exchange_drop(x);
	return NULL;
}

/* ---- What it came to; under the lock ---- */

/* The result of tools/call, as its own answer would have said it. */
static json_t *result_json(const struct mcp_result *r)
{
	json_auto_t *record = mcp_result_record(r);

	if (!record)
		return NULL;
	(void)json_object_del(record, "verified");
	if (r->meta && json_object_set(record, "_meta", r->meta) != 0)
		return NULL;
	return TAKE(record);
}

/* What the store cannot keep would be lost; that it ran is said all the same. */
static json_t *short_result(const struct exchange *x, struct mcp_result *r)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *json = result_json(r);
	struct error err = ERROR_INIT, why = ERROR_INIT;

	if (json && json_write(&text, json, &err) && text.length <= RESULT_MAX)
		return TAKE(json);
	error_set(&why, ERR_INTERNAL, "'%s' ran, but its result is too long for a task",
		  x->tool->definition->name);
	mcp_result_error(r, &why, NULL);
	return result_json(r);
}

static void fail(struct tasks *t, struct task *k, int code, const char *message,
		 json_t *data)
{
	task_move(t, k, "failed", "error",
		  json_pack("{s:i, s:s, s:o*}", "code", code, "message", message, "data",
			    data));
}

static void ask(struct tasks *t, struct task *k, const struct exchange *x,
		struct mcp_result *r)
{
	if (x->asking.answers)
		(void)json_object_set(k->record, "answers", x->asking.answers);
	if (x->asking.memory)
		(void)json_object_set(k->record, "memory", x->asking.memory);
	task_move(t, k, "input_required", "requests", TAKE(r->input_requests));
}

static void settle(struct tasks *t, struct task *k, const struct exchange *x,
		   struct mcp_result *r)
{
	if (task_is_over(k)) /* cancelled meanwhile */
		return;
	if (r->missing)
		fail(t, k, JSONRPC_MISSING_CAPABILITY,
		     "the client did not declare a capability that this needs",
		     json_pack("{s:O}", "requiredCapabilities", r->missing));
	else if (r->protocol_code)
		fail(t, k, r->protocol_code, r->text.data, NULL);
	else if (r->input_requests)
		ask(t, k, x, r);
	else
		task_move(t, k, "completed", "result", short_result(x, r));
}

/* ---- On a worker ---- */

static void work(void *argument)
{
	struct job *job = argument;
	struct tasks *t = job->tasks;
	struct task *k = job->task;
	struct mcp_result result = MCP_RESULT_INIT;
	struct error err = ERROR_INIT;
	bool is_waiting = false;

	free(job);
	(void)pthread_mutex_lock(&t->lock);
	bool is_approval = task_text(k, "approval") != NULL;
	_cleanup_free_ char *approval = is_approval ? strdup(task_text(k, "approval"))
						    : NULL;
	struct exchange *x = rebuild(t, k, &err);
	(void)pthread_mutex_unlock(&t->lock);

	if (!x)
		mcp_result_error(&result, &err, NULL);
	else if (approval)
		approvals_continue(x, approval, &result, &is_waiting);
	else
		free_read_run(x, &result);

	(void)pthread_mutex_lock(&t->lock);
	if (is_waiting)
		k->due_ms = clock_mono_ms() + TASK_POLL_MS;
	else if (x)
		settle(t, k, x, &result);
	else
		fail(t, k, JSONRPC_INTERNAL_ERROR, err.message, NULL);
	k->is_running = false;
	(void)pthread_mutex_unlock(&t->lock);
	mcp_result_done(&result);
	if (x)
		exchange_drop(x);
}

bool task_submit(struct tasks *t, struct task *k)
{
	struct job *job = t->is_stopping ? NULL : malloc(sizeof *job);

	if (!job)
		return false;
	*job = (struct job){ t, k };
	k->is_running = true;
	if (workers_submit(t->service->workers, work, job))
		return true;
	k->is_running = false;
	free(job);
	return false;
}
