/*
 * Reads that the configuration frees, where no gate is configured to be asked.
 *
 * Each leaves a line in the audit log before it runs, unless that is switched off. A
 * durable line takes a wait for the disk; quick reads that come meanwhile share the
 * next one: one worker takes all that wait, writes their lines at once, and runs them.
 */
#include "mcp/serving.h"

#include "base/clock.h"

enum { BATCH_MAX = 256 };

static const char EVENT[] = "call.free_read";

void free_reads_init(struct free_reads *f)
{
	*f = (struct free_reads){ 0 };
	f->last = &f->first;
	pthread_mutex_init(&f->lock, NULL);
}

void free_reads_done(struct free_reads *f)
{
	pthread_mutex_destroy(&f->lock);
}

bool free_read_is(const struct exchange *x)
{
	return !x->from_gate && x->tool->is_freed && !x->service->config.gate_url &&
	       !x->grant && !x->ticket;
}

static json_t *audit_data(const struct exchange *x)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "tool", x->tool->definition->name,
			 "args", x->args, "requester", x->caller.principal, "client",
			 x->caller.client);
}

static void run(struct exchange *x, struct mcp_result *r)
{
	struct error err = ERROR_INIT;
	struct mcp_call call = {
		.context = x->service->context,
		.arguments = x->arguments,
		.requester = x->caller.principal,
		.approval = "",
		.approvers = "",
		.now_ms = clock_wall_ms(),
		.deadline_ms = x->deadline_ms,
		.cancelled = &x->service->is_cancelled,
	};

	(void)tools_run(x, &call, r, &err);
	mcp_call_done(&call);
}

void free_read_run(struct exchange *x, struct mcp_result *r)
{
	struct error err = ERROR_INIT;

	if (tools_check_rights(x, x->caller.principal, &err) &&
	    (!x->service->config.audit_freed_reads ||
	     audit_append(x->service->audit, EVENT, audit_data(x), NULL, &err)))
		run(x, r);
	else
		mcp_result_error(r, &err, NULL);
}

static void run_and_finish(struct exchange *x)
{
	struct mcp_result result = MCP_RESULT_INIT;

	run(x, &result);
	log_debug("tool.done", LOG_STR("tool", x->tool->definition->name),
		  LOG_STR("caller", x->caller.principal),
		  LOG_STR("client", x->caller.client),
		  LOG_STR("outcome", result.code ? error_name(result.code) : "ok"));
	exchange_finish(x, &result);
}

/* False: refused and replied to. */
static bool may_run(struct exchange *x, bool needs_bytes)
{
	struct error err = ERROR_INIT;

	if (tools_accept(x, needs_bytes, &err) &&
	    tools_check_rights(x, x->caller.principal, &err))
		return true;
	tools_finish_error(x, &err);
	return false;
}

void free_read_answer(struct exchange *x)
{
	if (may_run(x, false))
		run_and_finish(x);
}

/* ---- Together ---- */

/* The first of those that wait, in order; 0 and no more draining when there are none. */
static size_t take_batch(struct free_reads *f, struct exchange *batch[static BATCH_MAX])
{
	size_t count = 0;

	pthread_mutex_lock(&f->lock);
	while (count < BATCH_MAX && f->first) {
		batch[count++] = f->first;
		f->first = f->first->next;
	}
	if (!f->first)
		f->last = &f->first;
	f->count -= (int64_t)count;
	f->is_draining = count > 0;
	pthread_mutex_unlock(&f->lock);
	return count;
}

static void run_batch(struct mcp_service *s, struct exchange **batch, size_t count)
{
	json_t *data[BATCH_MAX];
	struct error err = ERROR_INIT;
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (may_run(batch[i], true))
			batch[kept++] = batch[i];
	for (size_t i = 0; i < kept; i++)
		data[i] = audit_data(batch[i]);
	bool is_logged = audit_append_all(s->audit, EVENT, data, kept, &err);
	for (size_t i = 0; i < kept; i++) {
		if (is_logged)
			run_and_finish(batch[i]);
		else
			tools_finish_error(batch[i], &err);
	}
}

static void drain(void *argument)
{
	struct mcp_service *s = argument;
	struct exchange *batch[BATCH_MAX];
	size_t count;

	while ((count = take_batch(&s->free_reads, batch)) > 0)
		run_batch(s, batch, count);
}

void free_reads_add(struct exchange *x)
{
	struct mcp_service *s = x->service;
	struct free_reads *f = &s->free_reads;

	pthread_mutex_lock(&f->lock);
	bool has_room = f->count < s->config.queue;
	/* Under the lock, so that nobody is left waiting for a worker that was refused. */
	if (has_room && !f->is_draining)
		f->is_draining = has_room = workers_submit(s->workers, drain, s);
	if (has_room) {
		*f->last = x;
		f->last = &x->next;
		f->count++;
	}
	pthread_mutex_unlock(&f->lock);
	if (!has_room)
		tools_finish_busy(x);
}
