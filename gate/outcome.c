#include "gate/outcome.h"

#include "base/digest.h"
#include "guard/names.h"

bool outcome_head_is_good(const json_t *head, const char *server)
{
	const char *program = json_get_string(head, "program");
	const char *hash = json_get_string(head, "hash");

	return program && strcmp(program, server) == 0 && hash && digest_is_hex(hash) &&
	       json_get_int64(head, "seq", -1) >= 0;
}

static bool equals(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

/* This grant was used before: the server tells what became of that. */
static bool read_recorded(const json_t *error, struct outcome *o)
{
	const json_t *details = json_object_get(error, "details");
	const char *state = json_get_string(details, "state");
	const json_t *recorded = json_object_get(details, "outcome");

	if (equals(state, "succeeded"))
		o->kind = OUTCOME_SUCCEEDED;
	else if (equals(state, "failed"))
		o->kind = OUTCOME_FAILED;
	else if (equals(state, "unknown"))
		o->kind = OUTCOME_UNKNOWN;
	else if (equals(state, "started"))
		o->kind = OUTCOME_RUNNING;
	else if (equals(state, "revoked"))
		o->kind = OUTCOME_REVOKED;
	else if (equals(state, "void"))
		o->kind = OUTCOME_VOID;
	else if (equals(state, "forgotten"))
		o->kind = OUTCOME_FORGOTTEN;
	else
		return false;
	if (json_is_object(recorded)) {
		o->result = recorded;
		o->error = json_object_get(json_object_get(recorded, "structuredContent"),
					   "error");
	} else if (o->kind == OUTCOME_SUCCEEDED) {
		o->error = NULL;
	}
	return true;
}

static void read_error(const json_t *error, const char *said, struct outcome *o)
{
	const char *code = json_get_string(error, "code");

	o->error = json_is_object(error) ? error : NULL;
	o->kind = OUTCOME_FAILED;
	if (equals(said,
		   "succeeded")) /* done, and the answer about it is not as declared */
		o->kind = OUTCOME_SUCCEEDED;
	else if (equals(code, error_name(ERR_UNKNOWN_OUTCOME)))
		o->kind = OUTCOME_UNKNOWN;
	else if (equals(code, error_name(ERR_PRECONDITION_FAILED)))
		o->kind = OUTCOME_FAILED;
	else if (equals(code, error_name(ERR_APPROVAL_INVALID)))
		o->kind = read_recorded(error, o) ? o->kind : OUTCOME_NOT_RUN;
	else if (equals(said, "refused"))
		o->kind = OUTCOME_NOT_RUN;
}

struct outcome outcome_read(const json_t *result, const char *server,
			    const char *approval)
{
	struct outcome o = { .kind = OUTCOME_SUCCEEDED,
			     .verified = -1,
			     .result = result };
	const json_t *meta =
		json_object_get(json_object_get(result, "_meta"), META_OUTCOME);
	const json_t *structured = json_object_get(result, "structuredContent");
	const json_t *verified, *head;

	if (meta && !equals(json_get_string(meta, "approval"), approval))
		meta = NULL;
	verified = json_object_get(meta, "verified");
	head = json_object_get(meta, "server_head");
	if (json_is_boolean(verified))
		o.verified = json_is_true(verified);
	if (outcome_head_is_good(head, server))
		o.server_head = head;
	if (equals(json_get_string(result, "resultType"), "input_required"))
		o.kind = OUTCOME_NOT_RUN; /* it did not take the grant */
	else if (json_is_true(json_object_get(result, "isError")))
		read_error(json_object_get(structured, "error"),
			   json_get_string(meta, "state"), &o);
	else if (!equals(json_get_string(meta, "state"), "succeeded"))
		o.kind = OUTCOME_UNKNOWN; /* who took our grant says so, by its id */
	return o;
}
