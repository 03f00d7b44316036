/* reindex_playbooks: all pages anew, now. */
#include <string.h>

#include "base/clock.h"
#include "servers/playbooks/answer.h"
#include "servers/playbooks/playbooks.h"
#include "servers/playbooks/tools.h"

static bool check_source(const struct playbooks *p, const char *only, struct error *err)
{
	if (!only || playbooks_source(p, only))
		return true;
	error_set(err, ERR_NOT_FOUND, "there is no source '%s'", only);
	return error_hint(err, "list_playbooks names them");
}

bool plan_reindex(struct mcp_call *call, struct plan *plan, struct error *err)
{
	const struct playbooks *p = mcp_call_context(call);
	const char *only = mcp_call_string(call, "source", NULL);

	if (!check_source(p, only, err))
		return false;
	plan_summary(plan, "Read %s%s anew", only ? "the playbooks of " : "all playbooks",
		     only ? only : "");
	for (size_t i = 0; i < p->source_count; i++)
		if (!only || strcmp(only, p->sources[i].name) == 0)
			plan_effect(plan, "playbooks", p->sources[i].name,
				    "the index as it is", "read anew from the source",
				    true);
	json_t *data = json_object();
	if (only && data && json_object_set_new(data, "source", json_string(only)) != 0) {
		json_decref(data);
		return error_oom(err);
	}
	plan_state(plan, json_pack("{s:I}", "sources", (json_int_t)p->source_count));
	plan_data(plan, data);
	return true;
}

static json_t *list_faults(struct playbooks *p)
{
	json_auto_t *list = json_array();
	bool ok = list != NULL;

	(void)pthread_mutex_lock(&p->faults_lock);
	for (size_t i = 0; ok && i < p->source_count; i++)
		if (p->faults[i]) {
			json_t *one = json_pack("{s:s, s:s}", "source",
						p->sources[i].name, "fault",
						p->faults[i]);

			ok = one && json_array_append_new(list, one) == 0;
		}
	(void)pthread_mutex_unlock(&p->faults_lock);
	return ok ? TAKE(list) : NULL;
}

bool reindex_playbooks(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	struct playbooks *p = mcp_call_context(call);
	const char *only = json_get_string(plan_get_data(mcp_call_plan(call)), "source");
	const int64_t start_ms = clock_mono_ms();
	bool changed;

	if (!check_source(p, only, err) ||
	    !playbooks_make(p, true, only, NULL, &changed, err))
		return false;
	_cleanup_(index_unrefp) struct index *x = playbooks_index(p, err);
	if (!x)
		return false;
	mcp_service_changed(mcp_call_service(call), MCP_CHANGED_RESOURCES, NULL);
	mcp_result_verified(r, changed);
	mcp_result_text(r, "%u playbooks, %u sections.", x->document_count,
			x->section_count);
	json_auto_t *faults = list_faults(p);
	json_t *answer = json_pack("{s:I, s:I, s:I, s:o, s:O}", "documents",
				   (json_int_t)x->document_count, "sections",
				   (json_int_t)x->section_count, "took_ms",
				   (json_int_t)(clock_mono_ms() - start_ms), "indexed_at",
				   answer_indexed_at(x), "faults", faults);
	if (!answer)
		return error_oom(err);
	mcp_result_structured(r, answer);
	return true;
}
