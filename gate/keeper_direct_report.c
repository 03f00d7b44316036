/* What servers say of calls that they registered: what became of one, that one is taken back. */
#include "gate/keeper_direct_private.h"

#include "gate/outcome.h"

/* --- outcome --- */

struct report {
	int64_t v;
	const char *state, *error, *result_digest;
	json_t *server_head;
};

static bool read_report(const struct fields *f, struct report *r,
			enum record_state *ret_state, struct error *err)
{
	static const struct json_field fields[] = {
		{ "v", JSON_FIELD_INT64, offsetof(struct report, v),
		  JSON_FIELD_REQUIRED },
		{ "state", JSON_FIELD_STRING, offsetof(struct report, state),
		  JSON_FIELD_REQUIRED },
		{ "error", JSON_FIELD_STRING, offsetof(struct report, error), 0 },
		{ "result_digest", JSON_FIELD_STRING,
		  offsetof(struct report, result_digest), 0 },
		{ "server_head", JSON_FIELD_OBJECT, offsetof(struct report, server_head),
		  0 },
		{ 0 }
	};
	static const unsigned ends = 1U << RECORD_SUCCEEDED | 1U << RECORD_FAILED |
				     1U << RECORD_UNKNOWN | 1U << RECORD_REFUSED;

	if (!json_decode(f->body, fields, r, "outcome", err))
		return false;
	if (r->v != 1 || !record_state_parse(r->state, ret_state) ||
	    !(ends & 1U << *ret_state))
		return error_set(
			err, ERR_INVALID_ARGUMENT,
			"outcome: 'state' is succeeded, failed, unknown or refused");
	if (r->result_digest && !digest_is_hex(r->result_digest))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "outcome: 'result_digest' is no digest");
	return true;
}

static json_t *outcome_json(const struct report *r, const char *server)
{
	enum error_code code = r->error ? error_from_name(r->error) : ERR_NONE;
	json_t *head = outcome_head_is_good(r->server_head, server) ? r->server_head
								    : NULL;
	json_auto_t *outcome = json_pack("{s:s}", "state", r->state);

	if (!json_put_string(outcome, "result_digest", r->result_digest) ||
	    (head && json_object_set(outcome, "server_head", head) != 0))
		return NULL;
	if (r->error &&
	    json_object_set_new(
		    outcome, "error",
		    json_pack("{s:s, s:s}", "code",
			      error_name(code == ERR_NONE ? ERR_INTERNAL : code),
			      "message", "told by the server")) != 0)
		return NULL;
	return TAKE(outcome);
}

/* Only the server whose call it is, and only once; the same word again is fine. */
static struct approval *find_reported(struct keeper *k, const struct fields *f,
				      enum record_state to, bool *ret_known,
				      struct error *err)
{
	json_auto_t *body = keeper_load(k, f->approval, err);
	const char *server = json_get_string(body, "server");
	struct approval *a = keeper_find(k, f->approval);

	*ret_known = false;
	if (!body)
		return NULL;
	if (!server || strcmp(server, f->server) != 0) {
		error_set(err, ERR_NOT_FOUND, "there is no such approval of this server");
		return NULL;
	}
	if (a && keeper_is_direct(a) &&
	    (a->state == RECORD_GRANTED || a->state == RECORD_EXECUTING))
		return a;
	*ret_known = record_state_of(body) == to;
	error_set(err, ERR_CONFLICT, "approval %s is %s", f->approval,
		  json_get_string(body, "state"));
	return NULL;
}

bool keeper_on_outcome(struct keeper *k, const struct fields *f, struct error *err)
{
	struct report r = { 0 };
	struct error why = ERROR_INIT;
	enum record_state to = RECORD_UNKNOWN;
	struct approval *a = NULL;
	json_auto_t *outcome = NULL;
	bool known = false;

	(void)err;
	if (read_report(f, &r, &to, &why))
		a = find_reported(k, f, to, &known, &why);
	if (known)
		return keeper_answer(k, f->request, 200,
				     json_pack("{s:s}", "state", r.state));
	outcome = a ? outcome_json(&r, f->server) : NULL;
	if (a && outcome) {
		/* What has been seen executing can only have failed. */
		if (to == RECORD_REFUSED && a->state == RECORD_EXECUTING)
			to = RECORD_FAILED;
		if (to == RECORD_UNKNOWN)
			a->unanswered = true;
		if (keeper_end(k, a, to, outcome, NULL, f->server, &why))
			return keeper_answer(
				k, f->request, 200,
				json_pack("{s:s}", "state", record_state_name(to)));
	}
	if (!error_is_set(&why))
		error_oom(&why);
	return keeper_direct_error(k, f->request, &why);
}

/* --- withdraw --- */

static struct approval *find_withdrawn(struct keeper *k, const struct fields *f,
				       struct error *err)
{
	const char *principal = json_get_string(f->body, "principal");
	struct approval *a = name_is_id(f->approval) ? keeper_find(k, f->approval) : NULL;

	if (json_get_int64(f->body, "v", 0) != 1 || !principal) {
		error_set(err, ERR_INVALID_ARGUMENT, "cancel: 'v' is not 1, or who?");
		return NULL;
	}
	json_auto_t *body = keeper_direct_load(k, f->approval, f->server, principal, err);
	if (!body)
		return NULL;
	if (a && !a->ended && keeper_is_direct(a))
		return a;
	error_set(err, ERR_CONFLICT, "approval %s is %s", f->approval,
		  json_get_string(body, "state"));
	return NULL;
}

/* Of click and cancel the first counts: what was granted is not taken back. */
bool keeper_on_withdraw(struct keeper *k, const struct fields *f, struct error *err)
{
	struct error why = ERROR_INIT;
	struct approval *a = find_withdrawn(k, f, &why);

	(void)err;
	if (a && keeper_move(k, a,
			     &(struct move){ .to = RECORD_CANCELLED,
					     .by = json_get_string(a->body, "requester"),
					     .why = "taken back by the client" },
			     &why))
		return keeper_direct_state(k, f->request, a->body);
	if (!error_is_set(&why))
		error_oom(&why);
	return keeper_direct_error(k, f->request, &why);
}
