/*
 * After a crash: what had been started and not finished is unknown, and nobody
 * repeats it. Whether it happened is asked of the backend, by a worker, because
 * the backend may be slow or down.
 */
#include "mcp/serving.h"

#include "base/clock.h"
#include "guard/burn.h"

struct recovery {
	struct mcp_service *service;
	json_t *records; /* array */
	bool is_logged;
};

static void recovery_free(struct recovery *r)
{
	json_decref(r->records);
	free(r);
}
DEFINE_CLEANUP(struct recovery, recovery_free);

static void note_unknown(void *context, const json_t *record)
{
	struct recovery *r = context;
	struct error err = ERROR_INIT;
	json_t *data = json_pack("{s:s*, s:s*, s:s*, s:s*}", "approval",
				 json_get_string(record, "id"), "tool",
				 json_get_string(record, "tool"), "args",
				 json_get_string(record, "args"), "requester",
				 json_get_string(record, "requester"));

	log_warn("call.unknown", LOG_STR("approval", json_get_string(record, "id")),
		 LOG_STR("tool", json_get_string(record, "tool")));
	if (!data ||
	    !audit_append_outcome(r->service->audit, "call.unknown", data, NULL, &err)) {
		log_failure("audit.failed", &err);
		r->is_logged = false;
	}
	json_array_append_new(r->records, json_deep_copy(record));
}

/* What the row's check function sees in the backend now, in words. */
static bool observe(struct mcp_service *s, const json_t *record, struct strbuf *ret,
		    struct error *err)
{
	const char *name = json_get_string(record, "tool");
	const struct tool_entry *tool = tool_table_find(&s->tools, name ? name : "");
	const json_t *json = json_object_get(record, "plan");
	_cleanup_(plan_freep) struct plan *plan = NULL;

	if (!tool || !tool->row->check)
		return error_set(err, ERR_NOT_FOUND, "it cannot be checked");
	if (json && !(plan = plan_read(json, err)))
		return false;
	json_auto_t *none = json_object();
	struct mcp_call call = {
		.context = s->context,
		.arguments = none,
		.plan = plan,
		.requester = json_get_string(record, "requester") ?: "",
		.approval = json_get_string(record, "id") ?: "",
		.approvers = "",
		.now_ms = json_get_int64(record, "at", 0),
		.deadline_ms = clock_mono_ms() + s->config.deadline_ms,
		.cancelled = &s->is_cancelled,
	};
	bool good = tool->row->check(&call, ret, err);
	mcp_call_done(&call);
	return good;
}

static void check_one(struct mcp_service *s, const json_t *record)
{
	_cleanup_strbuf_ struct strbuf observed = STRBUF_INIT;
	struct error err = ERROR_INIT, why = ERROR_INIT;
	const char *id = json_get_string(record, "id");

	if (!observe(s, record, &observed, &why)) {
		strbuf_clear(&observed);
		strbuf_add_string(&observed, why.message);
	}
	json_t *data = json_pack("{s:s*, s:s*, s:s%}", "approval", id, "tool",
				 json_get_string(record, "tool"), "observed",
				 observed.data, observed.length);
	if (!data || !audit_append_outcome(s->audit, "call.observed", data, NULL, &err))
		log_failure("audit.failed", &err);
	error_clear(&err);
	if (id && !burn_observe(s->store, id, observed.data, &err))
		log_failure("burn.failed", &err);
}

static void check_all(void *argument)
{
	_cleanup_(recovery_freep) struct recovery *r = argument;
	const json_t *record;
	size_t i;

	json_array_foreach(r->records, i, record)
	{
		check_one(r->service, record);
	}
}

bool recover_started(struct mcp_service *s, struct error *err)
{
	_cleanup_(recovery_freep) struct recovery *r = calloc(1, sizeof *r);
	int64_t now_ms;
	size_t count;

	if (!r || !(r->records = json_array()))
		return error_oom(err);
	r->service = s;
	r->is_logged = true;
	if (!coord_now_ms(s->store, &now_ms, err) ||
	    !burn_recover(s->store, now_ms, note_unknown, r, &count, err))
		return false;
	if (!r->is_logged)
		return error_set(
			err, ERR_INTERNAL,
			"the audit log cannot be written, so nothing may execute");
	if (json_array_size(r->records) > 0 && workers_submit(s->workers, check_all, r))
		r = NULL;
	return true;
}
