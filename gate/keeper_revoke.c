/*
 * Taking back: who asked cancels, who may approve revokes, until the burn.
 *
 * Before the grant is signed that is a transition like any other. Afterwards its server has
 * it, or may have: then the server is asked to burn it unused, and of that burn and the
 * call's own the first one counts. That it was asked for is on record before it is sent;
 * from then on nothing else is sent that could run, and only the server's answer, or the
 * grant's expiry, ends it.
 */
#include "gate/keeper.h"

#include "gate/decide.h"
#include "gate/outcome.h"

enum { AGAIN_MS = 1000 };

/* --- what has left --- */

bool keeper_is_revoking(const struct approval *a)
{
	return json_object_get(a->body, "revoke") != NULL;
}

static int64_t expiry_ms(const struct approval *a)
{
	return json_get_int64(json_object_get(a->body, "grant_claims"), "exp", 0) * 1000;
}

static bool has_left(const struct approval *a)
{
	return (a->state == RECORD_GRANTED || a->state == RECORD_EXECUTING) &&
	       !keeper_is_own(a) && !keeper_is_bundle(a);
}

void keeper_revoke_step(struct keeper *k, struct approval *a)
{
	json_auto_t *message = NULL;

	if (!has_left(a) || !keeper_is_revoking(a) || a->revoke_in_flight ||
	    k->now_ms < a->revoke_next_ms || k->now_ms > expiry_ms(a))
		return;
	message = json_pack("{s:s, s:s, s:O, s:O, s:O, s:O, s:b}", "m",
			    message_name(MSG_EXECUTE), "approval", a->id, "server",
			    json_object_get(a->body, "server"), "tool",
			    json_object_get(a->body, "tool"), "arguments",
			    json_object_get(a->body, "arguments"), "grant",
			    json_object_get(a->body, "grant"), "revoke", 1);
	a->revoke_next_ms = k->now_ms + AGAIN_MS;
	a->revoke_in_flight = message && k->caller && channel_send(k->caller, message);
	if (!a->revoke_in_flight)
		log_error("gate.revoke_not_sent", LOG_STR("approval", a->id));
}

/* Its server has burnt it unused. Which of two words it ends with, its state says. */
void keeper_end_revoked(struct keeper *k, struct approval *a, const json_t *server_head)
{
	const json_t *revoke = json_object_get(a->body, "revoke");
	const char *by = json_get_string(revoke, "by");
	const char *why = json_get_string(revoke, "why");
	const enum record_state to = a->state == RECORD_GRANTED ? RECORD_REFUSED
								: RECORD_FAILED;
	struct error err = ERROR_INIT, said = ERROR_INIT;
	json_auto_t *outcome = NULL;

	error_set(&said, ERR_PERMISSION_DENIED, "%s took it back before it ran%s%.200s",
		  by ? by : "somebody", why ? ": " : "", why ? why : "");
	outcome = json_pack("{s:s, s:o}", "state", record_state_name(to), "error",
			    fields_error(&said, NULL));
	if (!outcome ||
	    (server_head && json_object_set(outcome, "server_head",
					    (json_t *)(uintptr_t)server_head) != 0))
		error_oom(&err);
	else if (keeper_end(k, a, to, outcome, NULL, by, &err))
		return;
	log_failure("approval.stuck", &err);
}

/* Its server was at it already: whoever asked is told that nothing stops it any more. */
static void note_late(struct keeper *k, struct approval *a)
{
	json_auto_t *revoke = json_copy(json_object_get(a->body, "revoke"));
	struct error err = ERROR_INIT;

	if (json_object_get(revoke, "late"))
		return;
	if (!revoke ||
	    json_object_set_new(revoke, "late", json_integer((json_int_t)k->now_ms)) != 0)
		error_oom(&err);
	else if (keeper_update(k, a, "revoke_late", json_pack("{s:O}", "revoke", revoke),
			       json_object(), &err))
		return;
	log_failure("approval.stuck", &err);
}

void keeper_take_revoked(struct keeper *k, struct approval *a, const struct fields *f)
{
	struct outcome o;

	if (!a->revoke_in_flight)
		return;
	a->revoke_in_flight = false;
	/* Without an answer, or with another, it is asked again, and looked what became of it. */
	if (!f->result)
		return;
	o = outcome_read(f->result, json_get_string(a->body, "server"), a->id);
	if (o.kind == OUTCOME_REVOKED) {
		keeper_end_revoked(k, a, o.server_head);
		return;
	}
	if (o.kind == OUTCOME_RUNNING)
		note_late(k, a);
	if (o.kind != OUTCOME_NOT_RUN && !a->in_flight)
		a->next_ms = k->now_ms; /* it was burnt before: what became of it? */
}

bool keeper_ask_revoke(struct keeper *k, struct approval *a, const char *by,
		       const char *why, struct error *err)
{
	json_auto_t *asked = NULL;

	if (keeper_is_revoking(a))
		return true;
	if (k->now_ms > expiry_ms(a))
		return error_set(
			err, ERR_CONFLICT,
			"its grant has expired: what became of it is being asked");
	asked = json_pack("{s:s, s:I}", "by", by, "at", (json_int_t)k->now_ms);
	if (!json_put_string(asked, "why", why))
		return error_oom(err);
	if (!keeper_update(k, a, "revoking", json_pack("{s:O}", "revoke", asked),
			   json_pack("{s:O}", "revoke", asked), err))
		return false;
	a->revoke_next_ms = k->now_ms;
	keeper_revoke_step(k, a);
	return true;
}

static bool take_back(struct keeper *k, struct approval *a, const struct move *m,
		      struct error *err)
{
	return has_left(a) ? keeper_ask_revoke(k, a, m->by, m->why, err)
			   : keeper_move(k, a, m, err);
}

static json_t *state_reply(const struct approval *a)
{
	json_auto_t *reply = json_pack("{s:s, s:s}", "approval", a->id, "state",
				       record_state_name(a->state));

	if (reply && has_left(a) && keeper_is_revoking(a) &&
	    json_object_set_new(reply, "revoking", json_true()) != 0)
		return NULL;
	return TAKE(reply);
}

/* --- who may --- */

struct approval *keeper_cancel_as(struct keeper *k, const char *approval,
				  const char *person, const char *reason,
				  struct error *err)
{
	const struct move m = { .to = RECORD_CANCELLED, .by = person, .why = reason };
	struct approval *a = keeper_find_open(k, approval, err);

	if (!a || !keeper_check_reason(reason, err))
		return NULL;
	if (!person || strcmp(person, json_get_string(a->body, "requester")) != 0) {
		error_set(err, ERR_PERMISSION_DENIED, "only who asked may cancel");
		return NULL;
	}
	return (keeper_is_bundle(a)
			? keeper_bundle_stop(k, a, RECORD_CANCELLED, person, reason, err)
			: take_back(k, a, &m, err))
		       ? a
		       : NULL;
}

json_t *keeper_on_cancel(struct keeper *k, struct peer *p, const struct fields *f,
			 struct error *err)
{
	const char *person = keeper_person(k, p);
	const struct approval *a;
	char who[129];

	(void)snprintf(who, sizeof who, "%s", person ? person : "");
	a = keeper_cancel_as(k, f->approval, who, f->reason, err);
	return a ? state_reply(a) : NULL;
}

/* Whether this person might have said yes; whoever asked may take it back as well. */
static bool may_revoke(const struct keeper *k, const struct approval *a,
		       const char *person)
{
	struct policy_question q = decide_question(a->body);
	struct policy_answer answer;

	policy_judge(k->policy, &q, &answer);
	answer.four_eyes = false;
	return policy_may_approve(k->policy, &q, &answer, person);
}

static bool check_revoke(const struct keeper *k, const struct approval *a,
			 const char *person, struct error *err)
{
	bool may = person != NULL;

	if (keeper_is_bundle(a))
		for (size_t i = 0; may && i < keeper_bundle_count(a); i++) {
			const struct approval *part = keeper_bundle_part(k, a, i);

			may = part && may_revoke(k, part, person);
		}
	else
		may = may && may_revoke(k, a, person);
	return may || error_set(err, ERR_PERMISSION_DENIED,
				"only who may approve this may revoke it");
}

struct approval *keeper_revoke_as(struct keeper *k, const char *approval,
				  const char *person, const char *reason,
				  struct error *err)
{
	const struct move m = { .to = RECORD_REVOKED, .by = person, .why = reason };
	struct approval *a = keeper_find_open(k, approval, err);

	if (!a || !keeper_check_reason(reason, err) || !check_revoke(k, a, person, err))
		return NULL;
	if (keeper_is_bundle(a) && a->state > RECORD_APPROVED)
		return keeper_bundle_stop(k, a, RECORD_REVOKED, person, reason, err)
			       ? a
			       : NULL;
	if (!take_back(k, a, &m, err))
		return NULL;
	if (keeper_is_bundle(a))
		keeper_bundle_end_parts(k, a, RECORD_REVOKED, person, reason);
	return a;
}

json_t *keeper_on_revoke(struct keeper *k, struct peer *p, const struct fields *f,
			 struct error *err)
{
	const char *person;
	const struct approval *a;
	char who[129];

	if (!keeper_refresh_policy(k, err))
		return NULL;
	person = keeper_person(k, p);
	(void)snprintf(who, sizeof who, "%s", person ? person : "");
	a = keeper_revoke_as(k, f->approval, person ? who : NULL, f->reason, err);
	return a ? state_reply(a) : NULL;
}
