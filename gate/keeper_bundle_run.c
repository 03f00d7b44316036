/* Several calls that were approved: one after the other, as long as all is as it was shown. */
#include "gate/keeper_bundle_private.h"

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

	return why ? why : keeper_bundle_error_text(part);
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
	keeper_bundle_name(broken, t->broken, name);
	error_set(
		&err,
		to == RECORD_UNKNOWN ? ERR_UNKNOWN_OUTCOME
				     : keeper_bundle_error_code(broken),
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

	keeper_bundle_name(broken, i, name);
	(void)snprintf(why, sizeof why, "%s is %s, which stops the rest", name,
		       record_state_name(broken->state));
	keeper_bundle_end_parts(k, head, RECORD_REVOKED, "gate", why);
}

/* A read is called at once; anything else is planned again first. */
static void start(struct keeper *k, struct approval *head, struct approval *part)
{
	struct error err = ERROR_INIT;

	if (k->now_ms >= json_get_int64(head->body, "good_until", 0)) {
		keeper_bundle_end_part(
			k, part, RECORD_LAPSED, "gate",
			"the approval was no longer good when its turn came");
		return;
	}
	if (part->again) {
		if (k->now_ms - part->asked_ms > KEEPER_PLAN_MS)
			keeper_bundle_end_part(
				k, part, RECORD_REVOKED, "gate",
				"its server did not say in time what it would do now");
		return;
	}
	if (k->now_ms < part->next_ms)
		return;
	if (keeper_bundle_is_read(part)) {
		keeper_claim(k, part);
		return;
	}
	part->again = true;
	if (!keeper_ask_plan(k, part, &err))
		keeper_bundle_end_part(k, part, RECORD_REVOKED, "gate", err.message);
}

void keeper_bundle_run(struct keeper *k, struct approval *head)
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
		keeper_bundle_end_part(k, part, RECORD_REVOKED, "gate", why);
	}
	keeper_bundle_step_of(k, part);
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
