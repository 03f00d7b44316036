/* tasks/get, tasks/update, tasks/cancel: what clients say and see of tasks. */
#include "mcp/task.h"

#include "base/clock.h"

json_t *tasks_capability(void)
{
	return json_pack("{s:{s:{}}}", "extensions", TASKS_EXTENSION);
}

json_t *task_json(const struct task *k)
{
	char created[CLOCK_TEXT_BYTES], updated[CLOCK_TEXT_BYTES];
	const char *status = task_text(k, "status");
	bool is_failed = strcmp(status, "failed") == 0,
	     is_completed = strcmp(status, "completed") == 0,
	     is_asking = strcmp(status, "input_required") == 0;

	return json_pack(
		"{s:s, s:s, s:s*, s:s, s:s, s:i, s:i, s:O*, s:O*, s:O*}", "taskId", k->id,
		"status", status, "statusMessage",
		!task_is_over(k) && task_text(k, "approval")
			? "Waits for a person's approval."
			: NULL,
		"createdAt",
		clock_format_ms(json_get_int64(k->record, "created", 0), created),
		"lastUpdatedAt",
		clock_format_ms(json_get_int64(k->record, "updated", 0), updated),
		"ttlMs", TASK_TTL_MS, "pollIntervalMs", TASK_POLL_MS, "result",
		is_completed ? json_object_get(k->record, "result") : NULL, "error",
		is_failed ? json_object_get(k->record, "error") : NULL, "inputRequests",
		is_asking ? json_object_get(k->record, "requests") : NULL);
}

/* ---- Replies ---- */

static void refuse(struct exchange *x, const char *message)
{
	struct refusal refusal = { 0 };

	refusal_set(&refusal, 200, JSONRPC_INVALID_PARAMS, "%s", message);
	exchange_refuse(x, &refusal);
}

static void acknowledge(struct exchange *x)
{
	exchange_body(x, &(struct mcp_body){ 0 });
}

/* The id, when the client may use these methods at all; replies otherwise. */
static const char *begin(struct exchange *x)
{
	const char *id = json_get_string(x->message.params, "taskId");

	if (!x->has_tasks)
		exchange_refuse_missing(x, tasks_capability());
	else if (!id)
		refuse(x, "params.taskId is missing");
	else
		return id;
	return NULL;
}

static struct task *find(const struct exchange *x, const char *id)
{
	return task_find(x->service->tasks, id, x->caller.principal, x->caller.client);
}

/* On a worker: the lock may be held while the disk is waited for. */
static void work_get(void *argument)
{
	struct exchange *x = argument;
	struct tasks *t = x->service->tasks;

	(void)pthread_mutex_lock(&t->lock);
	const struct task *k = find(x, json_get_string(x->message.params, "taskId"));
	json_auto_t *shown = k ? task_json(k) : NULL;
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	bool good = shown && json_write(&sb, shown, &ignored) && sb.length > 2;
	(void)pthread_mutex_unlock(&t->lock);
	if (!k)
		refuse(x, "Unknown task");
	else if (good)
		exchange_body(x, &(struct mcp_body){ .members = sb.data + 1,
						     .length = sb.length - 2 });
	else
		exchange_refuse(x, &(struct refusal){ 200, JSONRPC_INTERNAL_ERROR,
						      "the task could not be written",
						      NULL });
}

/* ---- Answers ---- */

/* What answers a question is kept, the question vanishes; all else is ignored. */
static bool take_answers(struct task *k, json_t *responses)
{
	json_t *requests = json_object_get(k->record, "requests");
	json_t *answers = json_object_get(k->record, "answers"), *response;
	const char *key;
	void *next;
	bool is_new = false;

	if (!answers && json_object_set_new(k->record, "answers", json_object()) == 0)
		answers = json_object_get(k->record, "answers");
	json_object_foreach_safe(responses, next, key, response)
	{
		const json_t *request = json_object_get(requests, key);
		json_t *good = request ? ask_judge(request, response) : NULL;

		if (!good || json_object_set_new(answers, key, good) != 0)
			continue;
		(void)json_object_del(requests, key);
		is_new = true;
	}
	return is_new;
}

static void update(struct exchange *x, const char *id)
{
	json_t *responses = json_object_get(x->message.params, "inputResponses");
	struct tasks *t = x->service->tasks;

	(void)pthread_mutex_lock(&t->lock);
	struct task *k = find(x, id);
	if (k && task_is(k, "input_required") && take_answers(k, responses)) {
		bool is_all = json_object_size(json_object_get(k->record, "requests")) ==
			      0;

		task_move(t, k, is_all ? "working" : "input_required", NULL, NULL);
		k->due_ms = clock_mono_ms();
		if (is_all)
			(void)task_submit(t, k); /* or soon, when a worker is free */
	}
	(void)pthread_mutex_unlock(&t->lock);
	if (k)
		acknowledge(x);
	else
		refuse(x, "Unknown task");
}

static void work_update(void *argument)
{
	struct exchange *x = argument;

	update(x, json_get_string(x->message.params, "taskId"));
}

/* ---- Cancelling ---- */

/* Of what waits for a person the gate decides: of click and cancel the first counts. */
static void cancel(struct exchange *x, const char *id)
{
	struct tasks *t = x->service->tasks;
	_cleanup_free_ char *approval = NULL;

	(void)pthread_mutex_lock(&t->lock);
	struct task *k = find(x, id);
	if (k && !task_is_over(k)) {
		atomic_store(&k->is_cancelled, true);
		if (task_text(k, "approval"))
			approval = strdup(task_text(k, "approval"));
		else
			task_move(t, k, "cancelled", NULL, NULL);
	}
	(void)pthread_mutex_unlock(&t->lock);
	if (k && approval && approvals_cancel(x, approval)) {
		(void)pthread_mutex_lock(&t->lock);
		k = find(x, id);
		if (k && !task_is_over(k))
			task_move(t, k, "cancelled", NULL, NULL);
		(void)pthread_mutex_unlock(&t->lock);
	}
	if (k)
		acknowledge(x);
	else
		refuse(x, "Unknown task");
}

static void work_cancel(void *argument)
{
	struct exchange *x = argument;

	cancel(x, json_get_string(x->message.params, "taskId"));
}

static void hand_over(struct exchange *x, void (*work)(void *argument))
{
	struct refusal refusal = { 0 };

	x->deadline_ms = clock_mono_ms() + x->service->config.deadline_ms;
	if (workers_submit(x->service->workers, work, x))
		return;
	refusal_set(&refusal, 200, JSONRPC_INTERNAL_ERROR,
		    "this server has too many calls waiting");
	exchange_refuse(x, &refusal);
}

void tasks_get(struct exchange *x)
{
	if (begin(x))
		hand_over(x, work_get);
}

void tasks_update(struct exchange *x)
{
	if (!begin(x))
		return;
	if (!json_is_object(json_object_get(x->message.params, "inputResponses")))
		refuse(x, "params.inputResponses must be an object");
	else
		hand_over(x, work_update);
}

void tasks_cancel(struct exchange *x)
{
	if (begin(x))
		hand_over(x, work_cancel);
}
