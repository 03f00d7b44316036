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
	    (state && json_object_set(message, "request_state", state) != 0)) {
		log_error("gate.no_memory");
		return;
	}
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
		return json_incref((json_t *)(uintptr_t)result);
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
	json_t *changes, *audit;
	char digest[DIGEST_HEX_BYTES] = "";
	struct error ignored = ERROR_INIT;

	if (!start_ending(k, a, to, err))
		return false;
	changes = json_pack("{s:O, s:O*}", "outcome", outcome, "result", kept);
	if (result)
		(void)canonical_digest(result, digest, &ignored);
	audit = json_pack("{s:s*, s:O*, s:O*, s:s*}", "code", code, "verified", verified,
			  "server_head", head, "result_digest", *digest ? digest : NULL);
	if (!changes || !audit) {
		json_decref(changes);
		json_decref(audit);
		return error_oom(err);
	}
	return keeper_move(k, a,
			   &(struct move){ .to = to,
					   .changes = changes,
					   .audit = audit,
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

/* Nothing ran. Once a call has left, the three ends that a person knows are all there is. */
static void end_not_run(struct keeper *k, struct approval *a, const struct error *why)
{
	end_with_error(k, a, a->state == RECORD_GRANTED ? RECORD_REFUSED : RECORD_FAILED,
		       why);
}

void keeper_give_up(struct keeper *k, struct approval *a)
{
	struct error why = ERROR_INIT;

	error_set(&why, ERR_UNKNOWN_OUTCOME,
		  "the call was sent and its server has not said in time what became of "
		  "it");
	error_hint(&why, "look at the backend before asking again: it may have happened");
	a->unanswered = true;
	end_with_error(k, a, RECORD_UNKNOWN, &why);
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

static void take_result(struct keeper *k, struct approval *a, const json_t *result)
{
	static const enum record_state ends[] = {
		[OUTCOME_SUCCEEDED] = RECORD_SUCCEEDED,
		[OUTCOME_FAILED] = RECORD_FAILED,
		[OUTCOME_UNKNOWN] = RECORD_UNKNOWN,
	};
	struct outcome o =
		outcome_read(result, json_get_string(a->body, "server"), a->id);
	struct error err = ERROR_INIT;
	json_auto_t *outcome = NULL;

	if (o.kind == OUTCOME_RUNNING) {
		a->unanswered = true;
		send_later(k, a);
		return;
	}
	if (o.kind == OUTCOME_NOT_RUN) {
		/* An earlier copy may be under way while the grant lives, and its burn be
		 * on its way to a slow disk a little longer. What was asked before then
		 * may have been looked up before that copy's burn, however late the
		 * answer is: only what is asked afterwards settles it. */
		bool alive = sent_ms(a) < expiry_ms(a) + BURN_WAIT_MS;

		if (alive && (a->unanswered || a->tries < NOT_RUN_TRIES)) {
			send_later(k, a);
			return;
		}
		read_error(o.error, &err);
		end_not_run(k, a, &err);
		return;
	}
	a->unanswered = true; /* it has the grant: executing, then the end */
	outcome = json_pack("{s:s, s:o*, s:o*, s:O*}", "state",
			    record_state_name(ends[o.kind]), "error", error_of(&o),
			    "verified", o.verified < 0 ? NULL : json_boolean(o.verified),
			    "server_head", o.server_head);
	if (!outcome || !keeper_end(k, a, ends[o.kind], outcome, o.result, NULL, &err)) {
		log_failure("approval.stuck", &err);
		send_later(k, a); /* the server will say it again */
	}
}

static void take_fault(struct keeper *k, struct approval *a, const json_t *error,
		       bool sent)
{
	struct error why = ERROR_INIT;
	bool alive = k->now_ms < expiry_ms(a) - 1000;

	read_error(error, &why);
	a->unanswered = a->unanswered || sent;
	if (sent && a->state == RECORD_GRANTED) {
		struct error err = ERROR_INIT;

		if (!keeper_move(k, a, &(struct move){ .to = RECORD_EXECUTING }, &err))
			log_failure("approval.stuck", &err);
	}
	if (a->unanswered || alive) {
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
	    !a->in_flight)
		return true;
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

/* --- definitions --- */

void keeper_ask_definitions(struct keeper *k)
{
	for (size_t i = 0; i < k->settings->server_count; i++) {
		const char *server = k->settings->servers[i].name;
		struct look *look = &k->looks[i];
		const int64_t every_ms = pins_is_up(k->pins, server) ? KEEPER_UP_MS
								     : KEEPER_DOWN_MS;

		if (look->waiting || k->now_ms - look->asked_ms < every_ms)
			continue;
		json_auto_t *message = json_pack("{s:s, s:s}", "m",
						 message_name(MSG_DEFINITIONS), "server",
						 server);
		look->waiting = message && k->caller && channel_send(k->caller, message);
		look->asked_ms = k->now_ms;
	}
}

static void end_look(struct keeper *k, const char *server)
{
	for (size_t i = 0; i < k->settings->server_count; i++)
		if (strcmp(k->settings->servers[i].name, server) == 0)
			k->looks[i].waiting = false;
}

void keeper_supersede_changed(struct keeper *k, const char *server)
{
	for (struct approval *a = k->approvals; a; a = a->next) {
		const char *of = json_get_string(a->body, "server");
		const char *pin = json_get_string(a->body, "pin");
		struct error why = ERROR_INIT, err = ERROR_INIT;
		const struct tool_definition *d;

		if (a->ended || a->state > RECORD_PENDING || !of ||
		    strcmp(of, server) != 0)
			continue;
		d = pins_find(k->pins, server, json_get_string(a->body, "tool"), &why);
		if (d && pin && strcmp(d->pin, pin) == 0 && keeper_is_at_address(k, a))
			continue;
		if (d)
			error_set(&why, ERR_PRECONDITION_FAILED,
				  "the tool or its server's address is another now");
		if (keeper_is_part(a)) {
			struct approval *head = keeper_bundle_of(k, a);

			if (head && !keeper_bundle_end(k, head, RECORD_SUPERSEDED, "gate",
						       why.message, &err))
				log_failure("approval.stuck", &err);
			continue;
		}
		if (!keeper_move(k, a,
				 &(struct move){ .to = RECORD_SUPERSEDED,
						 .by = "gate",
						 .why = why.message },
				 &err))
			log_failure("approval.stuck", &err);
	}
}

bool keeper_on_defined(struct keeper *k, const struct fields *f, struct error *err)
{
	struct error why = ERROR_INIT;
	bool changed = false;

	(void)err;
	end_look(k, f->server);
	if (!pins_learn(k->pins, f->server, f->up ? f->tools : NULL, &changed, &why))
		log_failure("pins.unreadable", &why);
	if (changed)
		keeper_supersede_changed(k, f->server);
	return true;
}

bool keeper_on_listening(struct keeper *k, const struct fields *f, struct error *err)
{
	json_auto_t *ready = NULL;

	if (k->url[0])
		return error_set(err, ERR_INVALID_ARGUMENT, "it listens twice");
	(void)snprintf(k->url, sizeof k->url, "%s", f->url);
	ready = json_pack("{s:b, s:{s:s, s:s}}", "ready", 1, "gate", "url", k->url,
			  "socket", k->socket_path);
	if (!ready || json_dumpf(ready, stdout, JSON_COMPACT) != 0 ||
	    putchar('\n') == EOF || fflush(stdout) != 0)
		return error_set(err, ERR_INTERNAL, "the ready line cannot be written");
	log_info("gate.ready", LOG_STR("url", k->url), LOG_STR("socket", k->socket_path));
	return true;
}
