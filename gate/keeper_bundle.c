/* Several calls in one decision: planned one after the other, decided once, run in order. */
#include "gate/keeper_bundle_private.h"

#include "gate/decide.h"

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

bool keeper_bundle_is_read(const struct approval *a)
{
	const char *risk = json_get_string(a->body, "risk");

	return risk && strcmp(risk, risk_name(RISK_READ)) == 0;
}

/* --- ending --- */

void keeper_bundle_end_part(struct keeper *k, struct approval *part, enum record_state to,
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
			keeper_bundle_end_part(k, part, to, by, why);
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

const char *keeper_bundle_error_text(const struct approval *part)
{
	const json_t *error =
		json_object_get(json_object_get(part->body, "outcome"), "error");
	const char *message = json_get_string(error, "message");

	return message ? message : record_state_name(part->state);
}

enum error_code keeper_bundle_error_code(const struct approval *part)
{
	const json_t *error =
		json_object_get(json_object_get(part->body, "outcome"), "error");
	const char *code = json_get_string(error, "code");
	enum error_code number = code ? error_from_name(code) : ERR_NONE;

	return number == ERR_NONE ? ERR_PRECONDITION_FAILED : number;
}

void keeper_bundle_name(const struct approval *part, size_t i, char ret[static 128])
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
		    (part->state > RECORD_PROPOSED || keeper_bundle_is_read(part)))
			continue;
		if (part && !part->ended) {
			ask_part(k, head, part);
			return;
		}
		if (part) {
			keeper_bundle_name(part, i, name);
			error_set(&err, keeper_bundle_error_code(part), "%s: %s", name,
				  keeper_bundle_error_text(part));
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
	struct error late = ERROR_INIT;
	bool any = false;

	if (head->state < RECORD_APPROVED)
		return keeper_bundle_end(k, head, to, by, why, err);
	for (size_t i = 0; i < keeper_bundle_count(head); i++) {
		struct approval *part = keeper_bundle_part(k, head, i);

		any = any || (part && !part->ended && part->state < RECORD_GRANTED);
		/* What has left may not be burnt yet. */
		if (part && !part->ended && part->state >= RECORD_GRANTED)
			any = keeper_ask_revoke(k, part, by, why, &late) || any;
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
		keeper_bundle_run(k, head);
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
			keeper_bundle_end_part(
				k, a, RECORD_CANCELLED, "gate",
				"the decision that it belongs to is no more");
	}
	return true;
}
