/* Several calls in one decision: planned one after the other, decided once, run in order. */
#include "gate/keeper.h"

#include "gate/decide.h"
#include "gate/outcome.h"

bool keeper_is_bundle(const struct approval *a)
{
	return json_is_array(json_object_get(a->body, "calls"));
}

bool keeper_is_part(const struct approval *a)
{
	return json_is_object(json_object_get(a->body, "bundle"));
}

size_t keeper_bundle_count(const struct approval *head)
{
	return json_array_size(json_object_get(head->body, "calls"));
}

struct approval *keeper_bundle_of(const struct keeper *k, const struct approval *part)
{
	const char *id = json_get_string(json_object_get(part->body, "bundle"), "id");

	return id ? keeper_find(k, id) : NULL;
}

struct approval *keeper_bundle_part(const struct keeper *k, const struct approval *head,
				    size_t seq)
{
	const char *id = json_get_string(
		json_array_get(json_object_get(head->body, "calls"), seq), "approval");

	for (struct approval *a = k->approvals; id && a; a = a->next)
		if (strcmp(a->id, id) == 0)
			return a;
	return NULL;
}

static bool is_read(const struct approval *a)
{
	const char *risk = json_get_string(a->body, "risk");

	return risk && strcmp(risk, risk_name(RISK_READ)) == 0;
}

/* --- ending --- */

static void end_part(struct keeper *k, struct approval *part, enum record_state to,
		     const char *by, const char *why)
{
	struct error err = ERROR_INIT;

	if (!record_may_move(part->state, to))
		to = RECORD_CANCELLED; /* what a state before the grant always may become */
	part->again = false;
	if (!keeper_move(k, part, &(struct move){ .to = to, .by = by, .why = why }, &err))
		log_failure("approval.stuck", &err);
}

void keeper_bundle_end_parts(struct keeper *k, struct approval *head,
			     enum record_state to, const char *by, const char *why)
{
	for (size_t i = 0; i < keeper_bundle_count(head); i++) {
		struct approval *part = keeper_bundle_part(k, head, i);

		if (part && !part->ended && part->state < RECORD_GRANTED)
			end_part(k, part, to, by, why);
	}
}

bool keeper_bundle_end(struct keeper *k, struct approval *head, enum record_state to,
		       const char *by, const char *why, struct error *err)
{
	if (!keeper_move(k, head, &(struct move){ .to = to, .by = by, .why = why }, err))
		return false;
	keeper_bundle_end_parts(k, head, to, by, why);
	return true;
}

/* No plan of this one, so none of all. */
static void refuse_all(struct keeper *k, struct approval *head, const struct error *why)
{
	keeper_refuse(k, head, why, NULL);
	keeper_bundle_end_parts(k, head, RECORD_SUPERSEDED, "gate",
				"the other calls of this proposal are refused");
}

/* --- planning --- */

json_t *keeper_bundle_assumes(const struct keeper *k, const struct approval *part)
{
	const struct approval *head =
		keeper_is_part(part) && !part->again ? keeper_bundle_of(k, part) : NULL;
	const json_t *server = json_object_get(part->body, "server");
	json_auto_t *list = head ? json_array() : NULL;

	for (size_t i = 0; list && i < keeper_bundle_count(head); i++) {
		const struct approval *earlier = keeper_bundle_part(k, head, i);
		json_t *effects =
			earlier ? json_object_get(json_object_get(earlier->body, "plan"),
						  "effects")
				: NULL;

		if (earlier == part)
			break;
		if (effects &&
		    json_equal(json_object_get(earlier->body, "server"), server) &&
		    json_array_append_new(list, json_pack("{s:I, s:O}", "call",
							  (json_int_t)i + 1, "effects",
							  effects)) != 0)
			return NULL;
	}
	return json_array_size(list) > 0 ? TAKE(list) : NULL;
}

static const char *error_text(const struct approval *part)
{
	const json_t *error =
		json_object_get(json_object_get(part->body, "outcome"), "error");
	const char *message = json_get_string(error, "message");

	return message ? message : record_state_name(part->state);
}

static enum error_code error_number(const struct approval *part)
{
	const json_t *error =
		json_object_get(json_object_get(part->body, "outcome"), "error");
	const char *code = json_get_string(error, "code");
	enum error_code number = code ? error_from_name(code) : ERR_NONE;

	return number == ERR_NONE ? ERR_PRECONDITION_FAILED : number;
}

static void name_part(const struct approval *part, size_t i, char ret[static 128])
{
	(void)snprintf(ret, 128, "call %zu (%s.%s)", i + 1,
		       json_get_string(part->body, "server"),
		       json_get_string(part->body, "tool"));
}

static void ask_part(struct keeper *k, struct approval *head, struct approval *part)
{
	struct error err = ERROR_INIT;

	if (part->asked_ms == 0 && !keeper_ask_plan(k, part, &err))
		refuse_all(k, head, &err);
	if (part->asked_ms == 0 || k->now_ms - part->asked_ms <= KEEPER_PLAN_MS)
		return;
	error_set(&err, ERR_TIMEOUT,
		  "the server did not say in time what the call would do");
	refuse_all(k, head, &err);
}

/* One after the other; then all of them are shown. */
static void plan(struct keeper *k, struct approval *head)
{
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < keeper_bundle_count(head); i++) {
		struct approval *part = keeper_bundle_part(k, head, i);
		char name[128];

		if (part && !part->ended &&
		    (part->state > RECORD_PROPOSED || is_read(part)))
			continue;
		if (part && !part->ended) {
			ask_part(k, head, part);
			return;
		}
		if (part) {
			name_part(part, i, name);
			error_set(&err, error_number(part), "%s: %s", name,
				  error_text(part));
		} else {
			error_set(&err, ERR_INTERNAL, "call %zu is lost", i + 1);
		}
		refuse_all(k, head, &err);
		return;
	}
	if (head->state == RECORD_PROPOSED &&
	    !keeper_move(k, head, &(struct move){ .to = RECORD_PLANNED }, &err)) {
		log_failure("approval.stuck", &err);
		return;
	}
	if (!keeper_bundle_post(k, head, &err))
		refuse_all(k, head, &err);
}

/* --- deciding --- */

bool keeper_bundle_judge(struct keeper *k, const struct approval *head,
			 const char *person, struct error *err)
{
	for (size_t i = 0; i < keeper_bundle_count(head); i++) {
		const struct approval *part = keeper_bundle_part(k, head, i);

		if (!part || part->ended)
			return error_set(err, ERR_CONFLICT, "call %zu has ended already",
					 i + 1);
		if (!decide_check_person(part->body, k->policy, person, err))
			return false;
	}
	return true;
}

bool keeper_bundle_is_approved(const struct keeper *k, const struct approval *head,
			       const json_t *decisions, struct error *err)
{
	for (size_t i = 0; i < keeper_bundle_count(head); i++) {
		const struct approval *part = keeper_bundle_part(k, head, i);
		json_auto_t *then = part ? json_copy(part->body) : NULL;

		if (!then || json_object_set(then, "decisions",
					     (json_t *)(uintptr_t)decisions) != 0)
			return error_oom(err);
		if (!decide_is_approved(then, k->policy, err))
			return false;
	}
	return true;
}

void keeper_bundle_approve(struct keeper *k, struct approval *head)
{
	for (size_t i = 0; i < keeper_bundle_count(head); i++) {
		struct approval *part = keeper_bundle_part(k, head, i);
		struct error err = ERROR_INIT;
		struct move m = {
			.to = RECORD_APPROVED,
			.changes = json_pack("{s:O, s:O}", "decisions",
					     json_object_get(head->body, "decisions"),
					     "good_until",
					     json_object_get(head->body, "good_until")),
		};

		if (part && m.changes && keeper_move(k, part, &m, &err))
			continue;
		log_failure("approval.stuck", &err);
		keeper_bundle_end_parts(k, head, RECORD_REVOKED, "gate",
					"the gate could not keep the approval");
		break;
	}
	keeper_bundle_step(k, head);
}

bool keeper_bundle_stop(struct keeper *k, struct approval *head, enum record_state to,
			const char *by, const char *why, struct error *err)
{
	bool any = false;

	if (head->state < RECORD_APPROVED)
		return keeper_bundle_end(k, head, to, by, why, err);
	for (size_t i = 0; i < keeper_bundle_count(head); i++) {
		const struct approval *part = keeper_bundle_part(k, head, i);

		any = any || (part && !part->ended && part->state < RECORD_GRANTED);
	}
	if (!any)
		return error_set(err, ERR_CONFLICT,
				 "all of its calls have begun: nothing is left to stop");
	if (!keeper_update(k, head, "stopped", json_pack("{s:s}", "stopped_by", by), NULL,
			   err))
		return false;
	keeper_bundle_end_parts(k, head, to, by, why);
	keeper_bundle_step(k, head);
	return true;
}

/* --- running --- */

static bool has_left(const struct approval *part)
{
	return part->state >= RECORD_GRANTED && part->state <= RECORD_UNKNOWN;
}

/* The decision is as far as its calls are. */
static void follow(struct keeper *k, struct approval *head, const struct approval *part)
{
	struct error err = ERROR_INIT;
	bool ok = true;

	if (head->state == RECORD_APPROVED &&
	    (has_left(part) || part->state == RECORD_REFUSED))
		ok = keeper_move(k, head, &(struct move){ .to = RECORD_GRANTED }, &err);
	if (ok && head->state == RECORD_GRANTED && part->state >= RECORD_EXECUTING &&
	    part->state <= RECORD_UNKNOWN)
		ok = keeper_move(k, head, &(struct move){ .to = RECORD_EXECUTING }, &err);
	if (!ok)
		log_failure("approval.stuck", &err);
}

struct tally {
	size_t succeeded, left, unknown, total;
	size_t broken; /* the first that did not succeed; 'total' if all did */
};

static struct tally count(const struct keeper *k, const struct approval *head)
{
	struct tally t = { .total = keeper_bundle_count(head) };

	t.broken = t.total;
	for (size_t i = 0; i < t.total; i++) {
		const struct approval *part = keeper_bundle_part(k, head, i);

		t.succeeded += part && part->state == RECORD_SUCCEEDED;
		t.unknown += part && part->state == RECORD_UNKNOWN;
		t.left += part && part->state >= RECORD_SUCCEEDED &&
			  part->state <= RECORD_UNKNOWN;
		if (t.broken == t.total && (!part || part->state != RECORD_SUCCEEDED))
			t.broken = i;
	}
	return t;
}

static enum record_state end_of(const struct approval *head, const struct tally *t,
				const struct approval *broken)
{
	if (t->unknown > 0)
		return RECORD_UNKNOWN;
	if (t->succeeded == t->total)
		return RECORD_SUCCEEDED;
	if (head->state == RECORD_EXECUTING)
		return RECORD_FAILED;
	if (head->state == RECORD_GRANTED)
		return RECORD_REFUSED;
	return broken && record_may_move(head->state, broken->state) ? broken->state
								     : RECORD_REVOKED;
}

static const char *why_of(const struct approval *part)
{
	const json_t *history = json_object_get(part->body, "history");
	const char *why = json_get_string(
		json_array_get(history, json_array_size(history) - 1), "why");

	return why ? why : error_text(part);
}

/* What became of each call, in their order. */
static json_t *calls_outcome(const struct keeper *k, const struct approval *head)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; list && i < keeper_bundle_count(head); i++) {
		const struct approval *part = keeper_bundle_part(k, head, i);
		json_t *row = json_pack("{s:s, s:s}", "approval", part ? part->id : "?",
					"state",
					part ? record_state_name(part->state) : "?");

		if (json_array_append_new(list, row) != 0)
			return NULL;
	}
	return TAKE(list);
}

static json_t *outcome_of(const struct keeper *k, const struct approval *head,
			  const struct tally *t, enum record_state to)
{
	const struct approval *broken = keeper_bundle_part(k, head, t->broken);
	json_auto_t *outcome = json_pack("{s:s, s:o}", "state", record_state_name(to),
					 "calls", calls_outcome(k, head));
	struct error err = ERROR_INIT;
	char name[128];

	if (!outcome || to == RECORD_SUCCEEDED || !broken)
		return TAKE(outcome);
	name_part(broken, t->broken, name);
	error_set(
		&err, to == RECORD_UNKNOWN ? ERR_UNKNOWN_OUTCOME : error_number(broken),
		"%s is %s: %.300s; %zu of %zu calls ran to a good end, %zu did not begin",
		name, record_state_name(broken->state), why_of(broken), t->succeeded,
		t->total, t->total - t->left);
	if (to == RECORD_UNKNOWN)
		error_hint(&err, "look at the backend before asking again: it may have "
				 "happened");
	else
		error_hint(&err, "what did not begin has to be asked for again");
	if (json_object_set_new(outcome, "error", fields_error(&err, NULL)) != 0)
		return NULL;
	return TAKE(outcome);
}

static void finish(struct keeper *k, struct approval *head)
{
	struct tally t = count(k, head);
	const struct approval *broken = keeper_bundle_part(k, head, t.broken);
	enum record_state to = end_of(head, &t, broken);
	struct error err = ERROR_INIT;
	struct move m = { .to = to, .by = "gate" };
	json_t *outcome = outcome_of(k, head, &t, to);

	m.changes = outcome ? json_pack("{s:o}", "outcome", outcome) : NULL;
	m.why = m.changes ? json_get_string(json_object_get(outcome, "error"), "message")
			  : NULL;
	if (json_get_string(head->body, "stopped_by"))
		m.by = json_get_string(head->body, "stopped_by");
	if (!m.changes || !keeper_move(k, head, &m, &err))
		log_failure("approval.stuck", &err);
}

static void stop_rest(struct keeper *k, struct approval *head,
		      const struct approval *broken, size_t i)
{
	char name[128], why[200];

	name_part(broken, i, name);
	(void)snprintf(why, sizeof why, "%s is %s, which stops the rest", name,
		       record_state_name(broken->state));
	keeper_bundle_end_parts(k, head, RECORD_REVOKED, "gate", why);
}

/* A read is called at once; anything else is planned again first. */
static void start(struct keeper *k, struct approval *head, struct approval *part)
{
	struct error err = ERROR_INIT;

	if (k->now_ms >= json_get_int64(head->body, "good_until", 0)) {
		end_part(k, part, RECORD_LAPSED, "gate",
			 "the approval was no longer good when its turn came");
		return;
	}
	if (part->again) {
		if (k->now_ms - part->asked_ms > KEEPER_PLAN_MS)
			end_part(k, part, RECORD_REVOKED, "gate",
				 "its server did not say in time what it would do now");
		return;
	}
	if (k->now_ms < part->next_ms)
		return;
	if (is_read(part)) {
		keeper_claim(k, part);
		return;
	}
	part->again = true;
	if (!keeper_ask_plan(k, part, &err))
		end_part(k, part, RECORD_REVOKED, "gate", err.message);
}

static void run(struct keeper *k, struct approval *head)
{
	for (size_t i = 0; i < keeper_bundle_count(head); i++) {
		struct approval *part = keeper_bundle_part(k, head, i);

		if (!part)
			break;
		if (part->state == RECORD_APPROVED && k->stop_by_ms == 0)
			start(k, head, part);
		follow(k, head, part);
		if (part->state == RECORD_SUCCEEDED)
			continue;
		if (!part->ended)
			return;
		stop_rest(k, head, part, i);
		break;
	}
	finish(k, head);
}

void keeper_bundle_take_again(struct keeper *k, struct approval *part,
			      const struct fields *f)
{
	struct error err = ERROR_INIT;
	_cleanup_(plan_freep) struct plan *now = f->plan ? plan_read(f->plan, &err)
							 : NULL;
	const char *shown = json_get_string(part->body, "plan_digest");
	const char *said = json_get_string(f->error, "message");
	char why[400];

	part->again = false;
	part->asked_ms = 0;
	if (part->state != RECORD_APPROVED)
		return;
	if (now && shown && strcmp(plan_digest(now), shown) == 0) {
		keeper_claim(k, part);
	} else {
		(void)snprintf(why, sizeof why,
			       "what it would do is not what was shown any more%s%.300s",
			       now ? "" : ": ",
			       now    ? ""
			       : said ? said
				      : err.message);
		end_part(k, part, RECORD_REVOKED, "gate", why);
	}
	keeper_bundle_step_of(k, part);
}

void keeper_bundle_step(struct keeper *k, struct approval *head)
{
	struct error err = ERROR_INIT;

	if (head->ended)
		return;
	if (head->state <= RECORD_PLANNED) {
		plan(k, head);
		return;
	}
	if (head->state > RECORD_PENDING) {
		run(k, head);
		return;
	}
	if (k->now_ms >= json_get_int64(head->body, "expires_at", 0) &&
	    !keeper_bundle_end(k, head, RECORD_EXPIRED, "gate", NULL, &err))
		log_failure("approval.stuck", &err);
}

void keeper_bundle_step_of(struct keeper *k, const struct approval *part)
{
	struct approval *head = keeper_is_part(part) ? keeper_bundle_of(k, part) : NULL;

	if (head)
		keeper_bundle_step(k, head);
}

/* --- at start --- */

static bool bring_back(struct keeper *k, const struct approval *head, struct error *err)
{
	size_t i;
	json_t *call;

	json_array_foreach(json_object_get(head->body, "calls"), i, call)
	{
		const char *id = json_get_string(call, "approval");

		if (!id ||
		    (!keeper_bundle_part(k, head, i) && !keeper_bring_back(k, id, err)))
			return false;
	}
	return true;
}

bool keeper_bundle_recover(struct keeper *k, struct error *err)
{
	for (struct approval *a = k->approvals; a; a = a->next) {
		if (keeper_is_bundle(a) && !bring_back(k, a, err))
			return false;
		if (keeper_is_bundle(a) && a->state > RECORD_PENDING)
			keeper_bundle_end_parts(
				k, a, RECORD_REVOKED, "gate",
				"the gate was restarted, which stops what had not begun");
		/* Of a decision that has ended, or was never stored. */
		if (keeper_is_part(a) && !a->ended && a->state < RECORD_GRANTED &&
		    !keeper_bundle_of(k, a))
			end_part(k, a, RECORD_CANCELLED, "gate",
				 "the decision that it belongs to is no more");
	}
	return true;
}

/* --- showing --- */

enum { RESULTS_MAX = 1024 * 1024 }; /* of all calls together, in one reply */

static json_t *part_json(const json_t *body, size_t *results)
{
	static const char *const members[] = { "id",   "state",   "server",
					       "tool", "outcome", "history" };
	json_auto_t *shown = json_object();
	json_t *result = json_object_get(body, "result");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	for (size_t i = 0; shown && i < ARRAY_SIZE(members); i++) {
		json_t *member = json_object_get(body, members[i]);

		if (member && json_object_set(shown, members[i], member) != 0)
			return NULL;
	}
	if (!shown || !result || !json_write(&text, result, &ignored))
		return TAKE(shown);
	*results += text.length;
	if (*results <= RESULTS_MAX && json_object_set(shown, "result", result) != 0)
		return NULL;
	return TAKE(shown);
}

json_t *keeper_bundle_parts_json(struct keeper *k, const json_t *body)
{
	const json_t *calls = json_object_get(body, "calls");
	json_auto_t *parts = calls ? json_array() : NULL;
	size_t i, results = 0;
	json_t *call;

	if (!parts)
		return NULL;
	json_array_foreach(calls, i, call)
	{
		const char *id = json_get_string(call, "approval");
		struct error ignored = ERROR_INIT;
		json_auto_t *part = id ? keeper_load(k, id, &ignored) : NULL;

		if (part && json_array_append_new(parts, part_json(part, &results)) != 0)
			return NULL;
	}
	return TAKE(parts);
}
