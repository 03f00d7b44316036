/* record_progress, and the resource playbook-run://. */
#include "servers/playbooks/run.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "servers/playbooks/reading.h"
#include "servers/playbooks/tools.h"

#define RUNS "runs"

enum { RUN_ID_BYTES = 4 + DIGEST_ID_BYTES };

/* ---- Reading ---- */

static bool may_see(struct playbooks *p, const json_t *body, const char *requester)
{
	struct error none = ERROR_INIT;
	_cleanup_(index_unrefp) struct index *x = playbooks_index(p, &none);
	const char *playbook = json_get_string(body, "playbook");
	const struct index_document kept = { .readers =
						     json_object_get(body, "readers") };
	uint32_t document;

	if (!playbooks_may_see(&kept, requester))
		return false;
	return !x || !playbook || !index_find_page(x, playbook, &document) ||
	       playbooks_may_see(&x->documents[document], requester);
}

bool run_get(struct playbooks *p, const char *id, const char *requester,
	     struct document *ret, struct error *err)
{
	bool found;

	if (!documents_get(p->records, RUNS, id, ret, &found, err))
		return false;
	if (found && may_see(p, ret->body, requester))
		return true;
	if (found)
		document_done(ret);
	return error_set(err, ERR_NOT_FOUND, "there is no run '%.60s'", id);
}

static bool is_over(const char *state)
{
	return state && (strcmp(state, "done") == 0 || strcmp(state, "skipped") == 0);
}

size_t run_done(const json_t *body)
{
	const json_t *step;
	size_t i, done = 0;

	json_array_foreach(json_object_get(body, "steps"), i, step)
		done += is_over(json_get_string(step, "state"));
	return done;
}

bool read_run(struct mcp_call *call, struct mcp_contents *c, struct error *err)
{
	struct document d = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	bool ok;

	if (!run_get(mcp_call_context(call), mcp_call_string(call, "id", ""),
		     mcp_call_requester(call), &d, err))
		return false;
	ok = json_write(&text, d.body, err);
	if (ok)
		mcp_contents_text(c, "application/json", text.data, text.length);
	document_done(&d);
	return ok;
}

/* ---- Beginning ---- */

static bool set_new(json_t *object, const char *name, json_t *value)
{
	return value && json_object_set_new(object, name, value) == 0;
}

static bool open_steps(json_t *steps)
{
	json_t *step;
	size_t i;

	json_array_foreach(steps, i, step)
	{
		if (!set_new(step, "state", json_string("open")))
			return false;
	}
	return true;
}

/* A run that has not begun: the playbook's steps, all open. NULL with 'err'. */
static json_t *begin(struct playbooks *p, const char *playbook, const char *requester,
		     struct error *err)
{
	_cleanup_(reading_done) struct reading r = READING_INIT;
	_cleanup_(section_names_done) struct section_names names = { 0 };
	json_auto_t *body = json_object();

	if (!reading_start(p, playbook, NULL, requester, &r, err))
		return NULL;
	const struct index_document *d = &r.index->documents[r.document];
	if (!body || !section_names_make(r.index, r.document, &names)) {
		error_oom(err);
		return NULL;
	}
	json_auto_t *steps = reading_steps(&r, &names);
	_cleanup_free_ char *title = answer_visible(d->title);
	if (!steps || !title || !open_steps(steps) ||
	    !set_new(body, "playbook", json_string(d->id)) ||
	    !set_new(body, "title", json_string(title)) ||
	    !set_new(body, "citation",
		     answer_citation(r.index, r.document, 0, r.body.length)) ||
	    (d->readers && !set_new(body, "readers", json_deep_copy(d->readers))) ||
	    json_object_set(body, "steps", steps) != 0) {
		error_oom(err);
		return NULL;
	}
	return TAKE(body);
}

/* The run that a call means: a new one at revision 0, or one that is kept. */
static json_t *load(struct playbooks *p, const char *id, const char *playbook,
		    const char *requester, int64_t *ret_revision, struct error *err)
{
	struct document d = { 0 };

	*ret_revision = 0;
	if (!id && !playbook) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "say which playbook is begun, or which "
			  "run goes on");
		return NULL;
	}
	if (!id)
		return begin(p, playbook, requester, err);
	if (!run_get(p, id, requester, &d, err))
		return NULL;
	const char *of = json_get_string(d.body, "playbook");
	if (playbook && of && strcmp(of, playbook) != 0) {
		error_set(err, ERR_INVALID_ARGUMENT, "that run is of '%.200s'", of);
		document_done(&d);
		return NULL;
	}
	*ret_revision = d.revision;
	json_t *body = json_incref(d.body);
	document_done(&d);
	return body;
}

static json_t *find_step(const json_t *body, int64_t number)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(body, "steps"), i, step)
	{
		if (json_get_int64(step, "step", 0) == number)
			return step;
	}
	return NULL;
}

/* ---- The plan ---- */

static bool plan_steps(struct plan *plan, const json_t *body, const json_t *steps,
		       struct error *err)
{
	const json_t *one;
	size_t i;

	json_array_foreach(steps, i, one)
	{
		const int64_t number = json_get_int64(one, "step", 0);
		const json_t *step = find_step(body, number);
		_cleanup_strbuf_ struct strbuf target = STRBUF_INIT;

		if (!step)
			return error_set(err, ERR_NOT_FOUND,
					 "the playbook has no step %lld",
					 (long long)number);
		strbuf_add_format(&target, "step %lld: %.120s", (long long)number,
				  json_get_string(step, "text"));
		while (target.length > 0 && !text_is_utf8(target.data, target.length))
			strbuf_truncate(&target, target.length - 1);
		plan_effect(plan, "playbooks", target.data,
			    json_get_string(step, "state"), json_get_string(one, "state"),
			    true);
	}
	return true;
}

static json_t *copy_argument(struct mcp_call *call, const char *name)
{
	const json_t *value = json_object_get(mcp_call_arguments(call), name);

	return value ? json_deep_copy(value) : json_null();
}

bool plan_progress(struct mcp_call *call, struct plan *plan, struct error *err)
{
	const char *id = mcp_call_string(call, "run", NULL);
	int64_t revision;
	json_auto_t *body = load(mcp_call_context(call), id,
				 mcp_call_string(call, "playbook", NULL),
				 mcp_call_requester(call), &revision, err);

	if (!body)
		return false;
	if (id && !json_object_get(mcp_call_arguments(call), "steps"))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "say what became of which steps");
	if (id)
		plan_summary(plan, "Record progress of %s: %s", id,
			     json_get_string(body, "title"));
	else {
		plan_summary(plan, "Begin to keep record of a run of %s",
			     json_get_string(body, "title"));
		plan_effect(plan, "playbooks", json_get_string(body, "playbook"),
			    "no record", "a record of its steps", true);
	}
	if (!plan_steps(plan, body, json_object_get(mcp_call_arguments(call), "steps"),
			err))
		return false;
	const char *sha = json_get_string(json_object_get(body, "citation"), "sha256");
	plan_state(plan, json_pack("{s:I, s:s}", "revision", (json_int_t)revision,
				   "sha256", sha ? sha : ""));
	plan_data(plan, json_pack("{s:o, s:s, s:o, s:I, s:o, s:o}", "run",
				  copy_argument(call, "run"), "playbook",
				  json_get_string(body, "playbook"), "steps",
				  copy_argument(call, "steps"), "revision",
				  (json_int_t)revision, "incident",
				  copy_argument(call, "incident"), "ticket",
				  copy_argument(call, "ticket")));
	return true;
}

/* ---- Doing it ---- */

static bool apply(struct mcp_call *call, json_t *body, const json_t *steps,
		  struct error *err)
{
	char at[CLOCK_TEXT_BYTES];
	const json_t *one;
	size_t i;

	clock_format(clock_wall_ms(), at);
	json_array_foreach(steps, i, one)
	{
		json_t *step = find_step(body, json_get_int64(one, "step", 0));
		const char *note = json_get_string(one, "note");

		if (!step)
			return error_set(err, ERR_PRECONDITION_FAILED,
					 "the playbook has changed meanwhile");
		if (!set_new(step, "state", json_string(json_get_string(one, "state"))) ||
		    !set_new(step, "by", json_string(mcp_call_requester(call))) ||
		    !set_new(step, "at", json_string(at)) ||
		    (note && !set_new(step, "note", json_string(note))))
			return error_oom(err);
	}
	return true;
}

static bool set_head(struct mcp_call *call, json_t *body, const json_t *data,
		     const char *id)
{
	static const char *const kept[] = { "incident", "ticket" };
	char at[CLOCK_TEXT_BYTES];

	clock_format(clock_wall_ms(), at);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		const char *text = json_get_string(data, kept[i]);

		if (text && !set_new(body, kept[i], json_string(text)))
			return false;
	}
	if (!json_object_get(body, "started_at") &&
	    (!set_new(body, "started_at", json_string(at)) ||
	     !set_new(body, "started_by", json_string(mcp_call_requester(call))) ||
	     !set_new(body, "reason", json_string(mcp_call_string(call, "reason", "")))))
		return false;
	return set_new(body, "updated_at", json_string(at)) &&
	       set_new(body, "run", json_string(id));
}

static bool answer(struct playbooks *p, const char *id, int64_t revision,
		   const json_t *body, struct mcp_result *r, struct error *err)
{
	const size_t steps = json_array_size(json_object_get(body, "steps"));
	const size_t done = run_done(body);
	_cleanup_free_ char *uri = NULL;
	struct document after = { 0 };
	struct error ignored = ERROR_INIT;
	bool found;

	mcp_result_verified(
		r, documents_get(p->records, RUNS, id, &after, &found, &ignored) &&
			   found && after.revision == revision);
	document_done(&after);
	json_t *structured = json_pack("{s:s, s:s, s:I, s:I, s:I}", "run", id, "playbook",
				       json_get_string(body, "playbook"), "revision",
				       (json_int_t)revision, "steps", (json_int_t)steps,
				       "done", (json_int_t)done);
	if (!structured || asprintf(&uri, "playbook-run://%s", id) < 0) {
		json_decref(structured);
		return error_oom(err);
	}
	mcp_result_text(r, "%zu of %zu steps are done (%s).", done, steps, id);
	mcp_result_structured(r, structured);
	mcp_result_link(r, uri, json_get_string(body, "title"));
	return true;
}

bool record_progress(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	struct playbooks *p = mcp_call_context(call);
	const json_t *data = plan_get_data(mcp_call_plan(call));
	const char *id = json_get_string(data, "run");
	char made[RUN_ID_BYTES + 1] = "run-";
	int64_t revision, written;
	json_auto_t *body = load(p, id, json_get_string(data, "playbook"),
				 mcp_call_requester(call), &revision, err);

	if (!body)
		return false;
	if (!id)
		digest_random_id(made + strlen("run-"));
	const char *name = id ? id : made;
	if (!apply(call, body, json_object_get(data, "steps"), err))
		return false;
	if (!set_head(call, body, data, name))
		return error_oom(err);
	if (!documents_put(p->records, RUNS, name, body,
			   json_get_int64(data, "revision", 0), &written, err))
		return false;
	if (written == 0)
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "somebody else recorded progress meanwhile");
	return answer(p, name, written, body, r, err);
}
