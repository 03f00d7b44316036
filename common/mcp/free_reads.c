/*
 * Reads that the configuration frees, where no gate is configured to be asked.
 *
 * Each leaves a line in the audit log before it runs, unless that is switched off. A
 * durable line takes a wait for the disk; quick reads that come meanwhile share the
 * next one: one worker takes the lines of all that wait and appends them at once. It
 * touches nothing else: a quick read is judged, run and answered by the thread of
 * httpd that has its request, as it is without a line.
 */
#include "mcp/serving.h"

#include "base/clock.h"

static const char EVENT[] = "call.free_read";

void free_reads_init(struct free_reads *f)
{
	*f = (struct free_reads){ .lines = AUDIT_LINES_INIT,
				  .writing = AUDIT_LINES_INIT };
	f->last = &f->first;
	pthread_mutex_init(&f->lock, NULL);
}

void free_reads_done(struct free_reads *f)
{
	audit_lines_done(&f->lines);
	audit_lines_done(&f->writing);
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
static bool may_run(struct exchange *x, enum tools_need need)
{
	struct error err = ERROR_INIT;

	if (tools_accept(x, need, &err) &&
	    tools_check_rights(x, x->caller.principal, &err))
		return true;
	tools_finish_error(x, &err);
	return false;
}

void free_read_answer(struct exchange *x)
{
	if (may_run(x, TOOLS_NEED_NOTHING))
		run_and_finish(x);
}

/* ---- Together ---- */

/* Its line is on the disk, or 'contract' says why not. */
static void go_on(void *context)
{
	struct exchange *x = context;
	char request[32];

	/* The line after the reply still belongs to it. */
	memcpy(request, x->request, sizeof request);
	log_set_request(request);
	if (!error_is_set(&x->contract) && clock_mono_ms() >= x->deadline_ms)
		error_set(&x->contract, ERR_TIMEOUT,
			  "the call waited too long for its turn");
	if (error_is_set(&x->contract))
		tools_finish_error(x, &x->contract);
	else
		run_and_finish(x);
	log_set_request(NULL);
}

/* All that wait, in order, and their lines in 'writing'; NULL and no more draining when
 * there are none. */
static struct exchange *take_all(struct free_reads *f)
{
	pthread_mutex_lock(&f->lock);
	struct exchange *all = TAKE(f->first);
	const struct audit_lines lines = f->lines;

	f->last = &f->first;
	f->count = 0;
	f->is_draining = all != NULL;
	f->lines = f->writing;
	f->writing = lines;
	audit_lines_clear(&f->lines);
	pthread_mutex_unlock(&f->lock);
	return all;
}

static void drain(void *argument)
{
	struct mcp_service *s = argument;
	struct free_reads *f = &s->free_reads;
	struct exchange *x, *next;

	while ((x = take_all(f))) {
		struct error err = ERROR_INIT;
		const bool is_logged =
			audit_append_lines(s->audit, EVENT, &f->writing, &err);

		for (; x; x = next) {
			next = x->next;
			if (!is_logged)
				x->contract = err;
			/* Members of a batch have one request, and would all ask for it. */
			if (!x->http || x->batch ||
			    !http_request_go_on(x->http, go_on, x))
				go_on(x);
		}
	}
}

/* Of what 'add' found in the way. */
enum adding { ADDED, NO_ROOM, NO_LINE };

static enum adding add(struct mcp_service *s, struct exchange *x, struct error *err)
{
	struct free_reads *f = &s->free_reads;
	const struct audit_text texts[] = { { "args", x->args },
					    { "client", x->caller.client },
					    { "requester", x->caller.principal },
					    { "tool", x->tool->definition->name } };

	if (f->count >= s->config.queue)
		return NO_ROOM;
	if (!audit_lines_add(&f->lines, texts, ARRAY_SIZE(texts), err))
		return NO_LINE;
	*f->last = x;
	f->last = &x->next;
	f->count++;
	return ADDED;
}

void free_reads_add(struct exchange *x)
{
	struct mcp_service *s = x->service;
	struct free_reads *f = &s->free_reads;
	struct error err = ERROR_INIT;
	enum adding found = NO_ROOM;

	if (!may_run(x, TOOLS_NEED_DIGEST))
		return;
	pthread_mutex_lock(&f->lock);
	/* Under the lock, so that nobody is left waiting for a worker that was refused; it
	 * finds nothing where nothing is added. */
	if (!f->is_draining)
		f->is_draining = workers_submit(s->workers, drain, s);
	if (f->is_draining)
		found = add(s, x, &err);
	pthread_mutex_unlock(&f->lock);
	if (found == NO_ROOM)
		tools_finish_busy(x);
	else if (found == NO_LINE)
		tools_finish_error(x, &err);
}
