/* What is said, recorded and burnt when a grant runs nothing; see execution.h. */
#include "mcp/execution.h"

const char *execution_tool(const struct execution *e)
{
	return e->x->tool->definition->name;
}

void execution_refuse(struct execution *e, struct mcp_result *r, const struct error *err,
		      json_t *details)
{
	e->state = "refused";
	e->code = err->code;
	tools_audit_refusal(e->x, e->grant.id, err);
	mcp_result_error(r, err, details);
}

static bool is_text(const json_t *record, const char *name, const char *wanted)
{
	const char *found = json_get_string(record, name);

	return found && strcmp(found, wanted) == 0;
}

/* Whether that execution was this very call, by this very person. */
static bool is_same_call(const struct execution *e, const json_t *record)
{
	const char *requester = e->given->requester;

	return is_text(record, "tool", execution_tool(e)) &&
	       is_text(record, "args", e->x->args) &&
	       is_text(record, "requester", e->grant.requester) &&
	       (!requester || is_text(record, "requester", requester));
}

/* This grant was used. Whoever presents it again for the same call learns what became of it. */
void execution_refuse_used(struct execution *e, struct mcp_result *r,
			   const json_t *record)
{
	const char *state = json_get_string(record, "state") ?: "unknown";
	struct error err = ERROR_INIT;
	json_t *details = NULL;

	if (is_same_call(e, record)) {
		error_set(&err, ERR_APPROVAL_INVALID,
			  "this approval was already used; that call is '%s' and is not "
			  "repeated",
			  state);
		details = json_pack("{s:s, s:O*}", "state", state, "outcome",
				    json_object_get(record, "result"));
	} else {
		error_set(&err, ERR_APPROVAL_INVALID,
			  "this approval was already used for another call");
	}
	execution_refuse(e, r, &err, details);
}

/* Whether the store may have forgotten, since it was looked, that this grant was used. */
bool execution_has_forgotten(const struct execution *e)
{
	struct error err = ERROR_INIT;
	int64_t epoch_ms;

	return !coord_epoch_ms(e->x->service->store, &epoch_ms, &err) ||
	       epoch_ms != e->epoch_ms;
}

/* It is burnt, and may have been before: nobody can tell what became of it then. */
void execution_refuse_forgotten(struct execution *e, struct mcp_result *r)
{
	struct mcp_service *s = e->x->service;
	struct error err = ERROR_INIT, why = ERROR_INIT;

	error_set(
		&err, ERR_UNKNOWN_OUTCOME,
		"the store of what was used began anew while this was looked at: whether "
		"it was executed before is not known, and it is not executed now");
	execution_refuse(e, r, &err, NULL);
	json_auto_t *result = mcp_result_record(r);
	if (!burn_finish(s->store, e->grant.id, "unknown", result, e->now_ms, &why))
		log_failure("burn.failed", &why);
}

/*
 * Spend the grant without running anything: what people saw is not what is there now.
 * Unless another copy of this call spent it meanwhile: then that is why the world is
 * another, and what is told is what became of that.
 */
void execution_burn_unused(struct execution *e, struct mcp_result *r,
			   const struct error *err, json_t *details)
{
	struct mcp_service *s = e->x->service;
	json_auto_t *owned = details;
	struct error why = ERROR_INIT;
	json_auto_t *record = NULL;
	bool is_first = false;
	bool is_burnt = burn_start(s->store, &e->grant, e->x->caller.client, NULL,
				   e->now_ms, &is_first, &record, &why);

	if (is_burnt && !is_first) {
		execution_refuse_used(e, r, record);
		return;
	}
	if (is_burnt && execution_has_forgotten(e)) {
		execution_refuse_forgotten(e, r);
		return;
	}
	execution_refuse(e, r, err, TAKE(owned));
	json_auto_t *result = mcp_result_record(r);
	if (!is_burnt ||
	    !burn_finish(s->store, e->grant.id, "failed", result, e->now_ms, &why))
		log_failure("burn.failed", &why);
}

/*
 * What became of a grant that was never burnt, as far as this store knows, in one word:
 * 'unused' may still be used. One from before the store's epoch never will be: it is
 * 'void', or 'forgotten' where the store may have lost that it was used, or where it is
 * burnt in another.
 */
static const char *unburnt_state(const struct execution *e)
{
	struct error err = ERROR_INIT;
	int64_t since_ms;

	if (*e->grant.store && strcmp(e->grant.store, e->store) != 0)
		return "forgotten";
	if (!grant_is_older(&e->grant, e->epoch_ms))
		return "unused";
	return coord_remembers_ms(e->x->service->store, &since_ms, &err) &&
			       !grant_is_older(&e->grant, since_ms)
		       ? "void"
		       : "forgotten";
}

void execution_refuse_unburnt(struct execution *e, struct mcp_result *r,
			      const struct error *err)
{
	execution_refuse(e, r, err, json_pack("{s:s}", "state", unburnt_state(e)));
}

/* It was asked what became of this grant, and nothing has. */
void execution_tell_unburnt(struct execution *e, struct mcp_result *r)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERR_APPROVAL_INVALID, "this approval was not used");
	e->state = "refused";
	mcp_result_error(r, &err, json_pack("{s:s}", "state", unburnt_state(e)));
}

/* Before its effect, like everything that is burnt. */
static bool note_revoked(const struct execution *e, struct error *err)
{
	json_t *data = json_pack("{s:s, s:s, s:s}", "approval", e->grant.id, "tool",
				 e->grant.tool, "requester", e->grant.requester);

	return data ? audit_append(e->x->service->audit, "call.revoked", data, NULL, err)
		    : error_oom(err);
}

static void finish_revoked(struct execution *e, struct mcp_result *r)
{
	struct mcp_service *s = e->x->service;
	struct error err = ERROR_INIT, why = ERROR_INIT;

	error_set(&err, ERR_APPROVAL_INVALID,
		  "this approval was taken back before it was used; nothing ran");
	e->state = "refused";
	/* It is burnt: nothing runs whether or not the record can say why. */
	if (!burn_finish(s->store, e->grant.id, "revoked", NULL, e->now_ms, &why))
		log_failure("burn.failed", &why);
	mcp_result_error(r, &err, json_pack("{s:s}", "state", "revoked"));
}

void execution_revoke(struct execution *e, struct mcp_result *r)
{
	struct mcp_service *s = e->x->service;
	json_auto_t *record = NULL;
	struct error err = ERROR_INIT;
	bool is_first = false;

	if (!note_revoked(e, &err) ||
	    !burn_start(s->store, &e->grant, e->x->caller.client, NULL, e->now_ms,
			&is_first, &record, &err))
		execution_refuse(e, r, &err, NULL);
	else if (!is_first)
		execution_refuse_used(e, r, record);
	else if (execution_has_forgotten(e))
		execution_refuse_forgotten(e, r);
	else
		finish_revoked(e, r);
}
