#include "gate/keeper.h"

#include "gate/outcome.h"
#include "guard/state.h"

enum {
	RETRY_FIRST_MS = 500,
	RETRY_MAX_MS = 8000,
	NOT_RUN_TRIES = 3,
	BURN_WAIT_MS = 5000,
	RESULT_MAX = 1024 * 1024,
	DETAILS_MAX = 64 * 1024, /* of an error: candidates and the like */
};

static json_t *unconst(const json_t *j)
{
	return (json_t *)(uintptr_t)j;
}

/* --- sending --- */

void keeper_send(struct keeper *k, struct approval *a)
{
	json_auto_t *message = json_pack(
		"{s:s, s:s, s:O, s:O, s:O, s:O}", "m", message_name(MSG_EXECUTE),
		"approval", a->id, "server", json_object_get(a->body, "server"), "tool",
		json_object_get(a->body, "tool"), "arguments",
		json_object_get(a->body, "arguments"), "grant",
		json_object_get(a->body, "grant"));
	json_t *state = json_object_get(a->body, "request_state");

	if (!message ||
	    (state && json_object_set(message, "request_state", state) != 0) ||
	    ((keeper_is_direct(a) || keeper_is_revoking(a)) &&
	     json_object_set_new(message, "look", json_true()) != 0)) {
		log_error("gate.no_memory");
		return;
	}
	/* Its server has the grant, and may be at it. */
	a->unanswered = a->unanswered || keeper_is_direct(a);
	if (a->first_sent_ms == 0)
		a->first_sent_ms = k->now_ms;
	a->tries++;
	a->next_ms = k->now_ms + RETRY_FIRST_MS;
	a->in_flight = k->caller && channel_send(k->caller, message);
}

static void send_later(struct keeper *k, struct approval *a)
{
	int64_t wait = RETRY_FIRST_MS;

	for (unsigned i = 1; i < a->tries && wait < RETRY_MAX_MS; i++)
		wait *= 2;
	a->next_ms = k->now_ms + wait;
}

static int64_t expiry_ms(const struct approval *a)
{
	return json_get_int64(json_object_get(a->body, "grant_claims"), "exp", 0) * 1000;
}

/* When what is being answered was sent; see keeper_send. */
static int64_t sent_ms(const struct approval *a)
{
	return a->next_ms - RETRY_FIRST_MS;
}

/* --- ending --- */

/* A result is kept whole or not at all; what it was can be asked of its server. */
static json_t *kept_result(const json_t *result)
{
	struct error err = ERROR_INIT;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!result)
		return NULL;
	if (json_write(&text, result, &err) && text.length <= RESULT_MAX)
		return json_incref(unconst(result));
	return json_pack("{s:[{s:s, s:s}], s:b}", "content", "type", "text", "text",
			 "the result is too large to be kept by the gate", "isError",
			 json_is_true(json_object_get(result, "isError")));
}

static bool start_ending(struct keeper *k, struct approval *a, enum record_state to,
			 struct error *err)
{
	if (a->state != RECORD_GRANTED || to == RECORD_REFUSED ||
	    (to == RECORD_UNKNOWN && !a->unanswered))
		return true;
	return keeper_move(k, a, &(struct move){ .to = RECORD_EXECUTING }, err);
}

bool keeper_end(struct keeper *k, struct approval *a, enum record_state to,
		const json_t *outcome, const json_t *result, const char *by,
		struct error *err)
{
	json_auto_t *kept = kept_result(result);
	const char *code = json_get_string(json_object_get(outcome, "error"), "code");
	const char *why = json_get_string(json_object_get(outcome, "error"), "message");
	json_t *head = json_object_get(outcome, "server_head");
	json_t *verified = json_object_get(outcome, "verified");
	json_auto_t *changes = NULL;
	json_auto_t *audit = json_object();
	char digest[DIGEST_HEX_BYTES] = "";
	struct error ignored = ERROR_INIT;

	if (!start_ending(k, a, to, err))
		return false;
	if (result)
		(void)canonical_digest(result, digest, &ignored);
	if (result && !kept)
		return error_oom(err);
	changes = json_pack("{s:O}", "outcome", outcome);
	if (!changes || (kept && json_object_set(changes, "result", kept) != 0) ||
	    !audit ||
	    (code && json_object_set_new(audit, "code", json_string(code)) != 0) ||
	    (verified && json_object_set(audit, "verified", verified) != 0) ||
	    (head && json_object_set(audit, "server_head", head) != 0) ||
	    !json_put_string(audit, "result_digest", *digest ? digest : NULL))
		return error_oom(err);
	return keeper_move(k, a,
			   &(struct move){ .to = to,
					   .changes = TAKE(changes),
					   .audit = TAKE(audit),
					   .by = by,
					   .why = why },
			   err);
}

static void end_with_error(struct keeper *k, struct approval *a, enum record_state to,
			   const struct error *why)
{
	struct error err = ERROR_INIT;
	json_auto_t *outcome = json_pack("{s:s, s:o}", "state", record_state_name(to),
					 "error", fields_error(why, NULL));

	if (!outcome || !keeper_end(k, a, to, outcome, NULL, NULL, &err))
		log_failure("approval.stuck", &err);
}

/* Nothing will run, and whether it has, nobody can tell. */
static void end_unknown(struct keeper *k, struct approval *a, const char *message)
{
	struct error why = ERROR_INIT;

	error_set(&why, ERR_UNKNOWN_OUTCOME, "%s", message);
	error_hint(&why, "look at the backend before asking again: it may have happened");
	a->unanswered = true;
	end_with_error(k, a, RECORD_UNKNOWN, &why);
}

/* Nothing ran. Once a call has left, the three ends that a person knows are all there is. */
static void end_not_run(struct keeper *k, struct approval *a, const struct error *why)
{
	end_with_error(k, a, a->state == RECORD_GRANTED ? RECORD_REFUSED : RECORD_FAILED,
		       why);
}

void keeper_give_up(struct keeper *k, struct approval *a)
{
	end_unknown(k, a,
		    "the call was sent and its server has not said in time what became "
		    "of it");
}

/* --- what the caller answers --- */

static enum error_code code_of(const json_t *error)
{
	const char *code = json_get_string(error, "code");
	enum error_code number = code ? error_from_name(code) : ERR_INTERNAL;

	return number == ERR_NONE ? ERR_INTERNAL : number;
}

static void read_error(const json_t *error, struct error *ret)
{
	const char *message = json_get_string(error, "message");
	const char *hint = json_get_string(error, "hint");

	error_set(ret, code_of(error), "%s", message ? message : "no reason was given");
	if (hint)
		error_hint(ret, "%s", hint);
}

/* NULL when there are none, or more than anybody reads. Borrowed. */
static const json_t *short_details(const json_t *error)
{
	const json_t *details = json_object_get(error, "details");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	return json_is_object(details) && json_write(&text, details, &ignored) &&
			       text.length <= DETAILS_MAX
		       ? details
		       : NULL;
}

bool keeper_on_planned(struct keeper *k, const struct fields *f, struct error *err)
{
	struct approval *a = keeper_find(k, f->approval);
	struct error why = ERROR_INIT;

	if (!f->plan == !f->error)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a plan or an error, one of them");
	if (a && a->again) {
		keeper_bundle_take_again(k, a, f);
		return true;
	}
	/* Cancelled meanwhile, or planned by an earlier question: nothing is lost. */
	if (!a || a->state != RECORD_PROPOSED || a->asked_ms == 0)
		return true;
	if (f->plan && (!f->request_state || strlen(f->request_state) > STATE_MAX))
		error_set(
			&why, ERR_BACKEND_UNAVAILABLE,
			"the server gave a plan without its state, or a state too long");
	else if (f->plan) {
		keeper_take_plan(k, a, f->plan, f->request_state);
		return true;
	}
	if (f->error)
		read_error(f->error, &why);
	keeper_refuse(k, a, &why, short_details(f->error));
	keeper_bundle_step_of(k, a);
	return true;
}

/* A server's error in our words and sizes: it is kept, logged and shown. */
static json_t *own_error(const json_t *error)
{
	struct error err = ERROR_INIT;

	read_error(error, &err);
	return fields_error(&err, short_details(error));
}

/* Of an outcome that nobody knows people are told so, whatever the server gave as its reason. */
static json_t *error_of(const struct outcome *o)
{
	struct error err = ERROR_INIT;

	if (o->kind != OUTCOME_UNKNOWN ||
	    (o->error && code_of(o->error) == ERR_UNKNOWN_OUTCOME))
		return o->error ? own_error(o->error) : NULL;
	error_set(&err, ERR_UNKNOWN_OUTCOME, "it may or may not have happened");
	error_hint(&err, "look at the backend before asking again");
	return fields_error(&err, NULL);
}

/* The server says that nothing began with this copy. True: that is the end of it. */
static bool take_not_run(struct keeper *k, struct approval *a, const struct outcome *o)
{
	struct error why = ERROR_INIT;
	/* An earlier copy may be under way while the grant lives, and its burn be
	 * on its way to a slow disk a little longer. What was asked before then
	 * may have been looked up before that copy's burn, however late the
	 * answer is: only what is asked afterwards settles it. */
	const bool alive = sent_ms(a) < expiry_ms(a) + BURN_WAIT_MS;

	/* Without its memory the store is no witness of what came before. */
	if (o->kind == OUTCOME_FORGOTTEN && a->unanswered) {
		end_unknown(k, a,
			    "the server's store has begun anew since the call was sent, "
			    "and does not know whether it was executed before");
		return true;
	}
	if (o->kind == OUTCOME_NOT_RUN && alive &&
	    (a->unanswered || keeper_is_revoking(a) || a->tries < NOT_RUN_TRIES))
		return false;
	read_error(o->error, &why);
	end_not_run(k, a, &why);
	return true;
}

/* NULL without memory: what is known of the end must not be told in part. */
static json_t *outcome_json(enum record_state to, const struct outcome *o)
{
	json_auto_t *outcome = json_pack("{s:s}", "state", record_state_name(to));
	const bool has_error = o->kind == OUTCOME_UNKNOWN || o->error;

	if (!outcome ||
	    (has_error && json_object_set_new(outcome, "error", error_of(o)) != 0) ||
	    (o->verified >= 0 &&
	     json_object_set_new(outcome, "verified", json_boolean(o->verified)) != 0) ||
	    (o->server_head &&
	     json_object_set(outcome, "server_head", unconst(o->server_head)) != 0))
		return NULL;
	return TAKE(outcome);
}

static void take_end(struct keeper *k, struct approval *a, const struct outcome *o)
{
	static const enum record_state ends[] = {
		[OUTCOME_SUCCEEDED] = RECORD_SUCCEEDED,
		[OUTCOME_FAILED] = RECORD_FAILED,
		[OUTCOME_UNKNOWN] = RECORD_UNKNOWN,
	};
	/* What a direct client gets is between it and its server. */
	const json_t *result = keeper_is_direct(a) ? NULL : o->result;
	struct error err = ERROR_INIT;
	json_auto_t *outcome = outcome_json(ends[o->kind], o);

	a->unanswered = true; /* it has the grant: executing, then the end */
	if (outcome && keeper_end(k, a, ends[o->kind], outcome, result, NULL, &err))
		return;
	if (!outcome)
		error_oom(&err);
	log_failure("approval.stuck", &err);
	send_later(k, a); /* the server will say it again */
}

static void take_result(struct keeper *k, struct approval *a, const json_t *result)
{
	const struct outcome o =
		outcome_read(result, json_get_string(a->body, "server"), a->id);

	a->away = false;
	switch (o.kind) {
	case OUTCOME_SUCCEEDED:
	case OUTCOME_FAILED:
	case OUTCOME_UNKNOWN:
		take_end(k, a, &o);
		break;
	case OUTCOME_REVOKED:
		keeper_end_revoked(k, a, o.server_head);
		break;
	case OUTCOME_RUNNING:
		a->unanswered = true;
		send_later(k, a);
		break;
	case OUTCOME_NOT_RUN:
	case OUTCOME_VOID:
	case OUTCOME_FORGOTTEN:
		if (!take_not_run(k, a, &o))
			send_later(k, a);
		break;
	}
}

/* Whoever looks at the record meanwhile reads what is waited for. */
static void note_away(struct keeper *k, struct approval *a, const struct error *why)
{
	struct error err = ERROR_INIT;
	json_t *changes;

	a->away = true;
	keeper_server_is_away(k, json_get_string(a->body, "server"));
	if (!a->unanswered || json_object_get(a->body, "unanswered"))
		return;
	changes = json_pack("{s:{s:I, s:s, s:s}}", "unanswered", "since",
			    (json_int_t)k->now_ms, "code", error_name(why->code),
			    "message", why->message);
	if (!changes ||
	    !keeper_update(k, a, "unanswered", changes,
			   json_pack("{s:s}", "code", error_name(why->code)), &err))
		log_failure("approval.stuck", &err);
}

static void take_fault(struct keeper *k, struct approval *a, const json_t *error,
		       bool sent)
{
	struct error why = ERROR_INIT, err = ERROR_INIT;
	bool alive = k->now_ms < expiry_ms(a) - 1000;

	read_error(error, &why);
	a->unanswered = a->unanswered || sent;
	if (sent && a->state == RECORD_GRANTED && !keeper_is_direct(a) &&
	    !keeper_move(k, a, &(struct move){ .to = RECORD_EXECUTING }, &err))
		log_failure("approval.stuck", &err);
	if (a->unanswered || alive) {
		note_away(k, a, &why);
		send_later(k, a);
		return;
	}
	end_not_run(k, a, &why);
}

bool keeper_on_executed(struct keeper *k, const struct fields *f, struct error *err)
{
	struct approval *a = keeper_find(k, f->approval);

	if (!f->result == !f->error)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a result or an error, one of them");
	if (!a || (a->state != RECORD_GRANTED && a->state != RECORD_EXECUTING) ||
	    (!f->revoke && !a->in_flight))
		return true;
	if (f->revoke) {
		keeper_take_revoked(k, a, f);
		keeper_bundle_step_of(k, a);
		return true;
	}
	a->in_flight = false;
	if (f->result)
		take_result(k, a, f->result);
	else
		take_fault(k, a, f->error, f->sent);
	if (!a->ended && k->now_ms - a->first_sent_ms >= KEEPER_GIVE_UP_MS)
		keeper_give_up(k, a);
	keeper_bundle_step_of(k, a);
	return true;
}
