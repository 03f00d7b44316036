#include "gate/keeper.h"

#include "gate/decide.h"
#include "gate/person_pin.h"

enum { REASON_MAX = 2000, QUICK_MS = 2000 /* too soon to have read it */ };

static json_t *state_reply(const struct approval *a)
{
	return json_pack("{s:s, s:s}", "approval", a->id, "state",
			 record_state_name(a->state));
}

bool keeper_check_reason(const char *reason, struct error *err)
{
	if (reason && strlen(reason) > REASON_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a reason has %d bytes at most", REASON_MAX);
	return true;
}

/* The open approval, or an error that says how it ended. */
struct approval *keeper_find_open(struct keeper *k, const char *id, struct error *err)
{
	struct approval *a = keeper_find(k, id);
	json_auto_t *body = NULL;

	if (a && !keeper_is_part(a))
		return a;
	body = keeper_load(k, id, err);
	if (body && json_object_get(body, "bundle")) {
		error_set(err, ERR_CONFLICT,
			  "this is one of several calls in one decision");
		error_hint(err, "the decision is %s",
			   json_get_string(json_object_get(body, "bundle"), "id"));
	} else if (body)
		error_set(err, ERR_CONFLICT, "this is %s already",
			  json_get_string(body, "state"));
	return NULL;
}

/* --- decide --- */

/* Since when it could be read: in Slack since its first message stood there. */
static int64_t readable_ms(const struct approval *a)
{
	const int64_t posted_ms = json_get_int64(a->body, "posted_at", 0);
	const int64_t stood_ms = json_get_int64(
		json_array_get(json_object_get(a->body, "places"), 0), "at", 0);

	return stood_ms > posted_ms ? stood_ms : posted_ms;
}

/* How long there was to read it; for the audit log. */
static bool note_time(const struct keeper *k, const struct approval *a, json_t *decision)
{
	const int64_t after_ms = k->now_ms - readable_ms(a);

	return json_object_set_new(decision, "after_ms",
				   json_integer((json_int_t)after_ms)) == 0 &&
	       (after_ms >= QUICK_MS ||
		json_object_set_new(decision, "quick", json_true()) == 0);
}

static json_t *decision_of(const struct keeper *k, const struct approval *a,
			   const struct decision *of, struct error *err)
{
	const char *what = of->is_yes ? "approve" : "deny";
	const char *reason = of->reason;
	json_auto_t *d = json_pack("{s:s, s:s, s:I, s:O}", "by", of->person, "decision",
				   what, "at", (json_int_t)k->now_ms, "evidence",
				   (json_t *)(uintptr_t)of->evidence);

	if (!d || !note_time(k, a, d) ||
	    (reason && json_object_set_new(d, "reason", json_string(reason)) != 0)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(d);
}

/* What this person did, as it goes into the record; the PIN does not. */
static json_t *decision_json(const struct keeper *k, const struct approval *a,
			     const struct peer *p, const struct fields *f,
			     const char *person, struct error *err)
{
	char digest[DIGEST_HEX_BYTES];
	json_auto_t *said = json_pack("{s:s, s:s, s:s, s:I}", "approval", f->approval,
				      "decision", f->decision, "shown", f->shown, "uid",
				      (json_int_t)p->uid);
	json_auto_t *d = NULL;

	if (!said) {
		error_oom(err);
		return NULL;
	}
	if (!canonical_digest(said, digest, err))
		return NULL;
	d = json_pack("{s:s, s:I, s:s}", "kind", "uid", "uid", (json_int_t)p->uid,
		      "digest", digest);
	if (!d) {
		error_oom(err);
		return NULL;
	}
	const struct decision of = { .person = person,
				     .reason = f->reason,
				     .is_yes = strcmp(f->decision, "approve") == 0,
				     .evidence = d };

	return decision_of(k, a, &of, err);
}

/* The same of a yes by break-glass: whose key, and the word's digest. */
static bool note_emergency(json_t *decision, const struct fields *f,
			   const struct emergency_word *word)
{
	char digest[DIGEST_HEX_BYTES];
	json_t *evidence = json_object_get(decision, "evidence");

	digest_sha256_hex(f->word, strlen(f->word), digest);
	return json_object_set_new(evidence, "kind", json_string("emergency")) == 0 &&
	       json_object_set_new(evidence, "kid", json_string(word->kid)) == 0 &&
	       json_object_set_new(evidence, "digest", json_string(digest)) == 0 &&
	       json_object_set_new(decision, "reason", json_string(word->reason)) == 0;
}

static json_t *with_decision(const json_t *body, json_t *decision)
{
	json_auto_t *decisions = json_copy(json_object_get(body, "decisions"));

	if (!decisions || json_array_append(decisions, decision) != 0)
		return NULL;
	return json_pack("{s:O}", "decisions", decisions);
}

static bool approve(struct keeper *k, struct approval *a, json_t *decision,
		    const char *person, struct error *err)
{
	json_auto_t *changes = with_decision(a->body, decision);
	json_auto_t *then = changes ? json_copy(a->body) : NULL;
	const json_t *policy = json_object_get(a->body, "policy");
	struct error not_yet = ERROR_INIT;
	int64_t good_until = k->now_ms + json_get_int64(policy, "good_for_s", 0) * 1000;

	if (!then || json_object_update(then, changes) != 0)
		return error_oom(err);
	/* Enough by the frozen policy and the present one? */
	if (keeper_is_bundle(a)
		    ? !keeper_bundle_is_approved(k, a, json_object_get(then, "decisions"),
						 &not_yet)
		    : !decide_is_approved(then, k->policy, &not_yet))
		return keeper_update(k, a, "decision", TAKE(changes),
				     json_pack("{s:O}", "decision", decision), err);
	if (json_object_set_new(changes, "good_until",
				json_integer((json_int_t)good_until)) != 0)
		return error_oom(err);
	if (!keeper_move(
		    k, a,
		    &(struct move){ .to = RECORD_APPROVED,
				    .changes = TAKE(changes),
				    .audit = json_pack("{s:O}", "decision", decision),
				    .by = person },
		    err))
		return false;
	if (keeper_is_bundle(a))
		keeper_bundle_approve(k, a);
	else if (!keeper_is_direct(a))
		keeper_claim(k, a);
	return true;
}

static bool deny(struct keeper *k, struct approval *a, json_t *decision,
		 const char *person, const char *reason, struct error *err)
{
	json_auto_t *changes = with_decision(a->body, decision);
	int64_t until_ms = 0;

	if (!changes)
		return error_oom(err);
	if (!keeper_note_denied(k, a, person, &until_ms, err))
		return false;
	if (until_ms > 0 && json_object_set_new(changes, "paused_until",
						json_integer((json_int_t)until_ms)) != 0)
		return error_oom(err);
	if (!keeper_move(
		    k, a,
		    &(struct move){ .to = RECORD_DENIED,
				    .changes = TAKE(changes),
				    .audit = json_pack("{s:O}", "decision", decision),
				    .by = person,
				    .why = reason },
		    err))
		return false;
	if (keeper_is_bundle(a))
		keeper_bundle_end_parts(k, a, RECORD_DENIED, person, reason);
	return true;
}

static bool judge(struct keeper *k, const struct approval *a, const char *shown,
		  const char *person, bool is_yes, struct error *err)
{
	const struct decide_input in = { .record = a->body,
					 .policy = k->policy,
					 .person = person,
					 .shown = shown,
					 .now_ms = k->now_ms,
					 .is_yes = is_yes };

	return keeper_is_bundle(a) ? keeper_bundle_judge(k, a, person, err) &&
					     decide_check_open(&in, err)
				   : decide_judge(&in, err);
}

/* A no is safe whoever types it; a PIN keeps others from typing a yes. */
static bool judge_typed(struct keeper *k, const struct approval *a,
			const struct fields *f, const char *person, bool is_yes,
			struct error *err)
{
	const struct pin_store pins = { k->documents, k->coordination };

	return judge(k, a, f->shown, person, is_yes, err) &&
	       (!is_yes || person_pin_check(&pins, person, f->pin, err));
}

/* Where people decide elsewhere, a console takes a yes only by break-glass. */
static bool check_surface(const struct keeper *k, struct error *err)
{
	if (!k->settings->no_yes_by_console)
		return true;
	error_set(err, ERR_PERMISSION_DENIED,
		  "this gate takes no yes on a console (yes_by_console: false)");
	return error_hint(err, "decide where your team does; while that is down: "
			       "wingman emergency approve ID");
}

/*
 * The no of who asked and may not decide (four eyes, or no approver): it is taken back, as
 * cancelling does. What nobody wants any more must not run because somebody else says yes.
 * 'err': why that no was none; kept where it is not the requester's.
 */
static struct approval *take_back_own(struct keeper *k, const struct approval *a,
				      const struct decision *d, struct error *err)
{
	const struct decide_input in = { .record = a->body,
					 .policy = k->policy,
					 .person = d->person,
					 .shown = d->shown,
					 .now_ms = k->now_ms };
	const char *requester = json_get_string(a->body, "requester");

	if (d->is_yes || err->code != ERR_PERMISSION_DENIED || !requester ||
	    strcmp(requester, d->person) != 0)
		return NULL;
	error_clear(err);
	return decide_check_open(&in, err)
		       ? keeper_cancel_as(k, a->id, d->person, d->reason, err)
		       : NULL;
}

static struct approval *decide(struct keeper *k, struct peer *p, const struct fields *f,
			       const char **ret_person, struct error *err)
{
	bool is_yes = strcmp(f->decision, "approve") == 0;
	json_auto_t *decision = NULL;
	struct emergency_word word = { .reason = "" };
	struct approval *a;

	if (!is_yes && strcmp(f->decision, "deny") != 0) {
		error_set(err, ERR_INVALID_ARGUMENT, "a decision is approve or deny");
		return NULL;
	}
	if (!keeper_check_reason(f->reason, err) || !keeper_refresh_policy(k, err))
		return NULL;
	*ret_person = keeper_person(k, p);
	if (!*ret_person) {
		error_set(err, ERR_PERMISSION_DENIED, "uid %u is nobody the gate knows",
			  (unsigned)p->uid);
		return NULL;
	}
	a = keeper_find_open(k, f->approval, err);
	if (!a || (is_yes && !f->word && !check_surface(k, err)))
		return NULL;
	if (!judge_typed(k, a, f, *ret_person, is_yes, err))
		return take_back_own(k, a,
				     &(struct decision){ .shown = f->shown,
							 .person = *ret_person,
							 .reason = f->reason,
							 .is_yes = is_yes },
				     err);
	if (f->word && !keeper_emergency_check(k, a, f->word, &word, err))
		return NULL;
	decision = decision_json(k, a, p, f, *ret_person, err);
	if (!decision)
		return NULL;
	if (f->word && !note_emergency(decision, f, &word)) {
		error_oom(err);
		return NULL;
	}
	if (f->word && !keeper_emergency_note(k, a, &word, *ret_person, err))
		return NULL;
	return (is_yes ? approve(k, a, decision, *ret_person, err)
		       : deny(k, a, decision, *ret_person, f->reason, err))
		       ? a
		       : NULL;
}

struct approval *keeper_decide_as(struct keeper *k, const struct decision *d,
				  struct error *err)
{
	struct approval *a = keeper_find_open(k, d->approval, err);
	json_auto_t *decision = NULL;

	if (!a || !keeper_check_reason(d->reason, err))
		return NULL;
	if (!judge(k, a, d->shown, d->person, d->is_yes, err))
		return take_back_own(k, a, d, err);
	decision = decision_of(k, a, d, err);
	if (!decision)
		return NULL;
	return (d->is_yes ? approve(k, a, decision, d->person, err)
			  : deny(k, a, decision, d->person, d->reason, err))
		       ? a
		       : NULL;
}

json_t *keeper_on_decide(struct keeper *k, struct peer *p, const struct fields *f,
			 struct error *err)
{
	const char *person = NULL;
	struct approval *a = decide(k, p, f, &person, err);
	char who[129];

	if (a)
		return state_reply(a);
	if (person)
		(void)snprintf(who, sizeof who, "%s", person);
	else
		(void)snprintf(who, sizeof who, "uid %u", (unsigned)p->uid);
	keeper_audit_refusal(
		k, "decision.refused", who,
		json_pack("{s:s, s:s, s:I}", "approval",
			  name_is_id(f->approval) ? f->approval : "?", "decision",
			  strcmp(f->decision, "deny") == 0 ? "deny" : "approve", "uid",
			  (json_int_t)p->uid),
		err);
	return NULL;
}

/* A yes like any other, but for how it is proved. */
json_t *keeper_on_emergency(struct keeper *k, struct peer *p, const struct fields *f,
			    struct error *err)
{
	struct fields as_yes = *f;

	as_yes.decision = "approve";
	return keeper_on_decide(k, p, &as_yes, err);
}

/* --- PIN --- */

json_t *keeper_on_set_pin(struct keeper *k, struct peer *p, const struct fields *f,
			  struct error *err)
{
	const struct pin_store pins = { k->documents, k->coordination };
	const char *person = keeper_person(k, p);
	json_t *line = json_pack("{s:s, s:b, s:I}", "person", person, "set",
				 f->pin != NULL, "uid", (json_int_t)p->uid);

	if (!person || !person_pin_check(&pins, person, f->old, err)) {
		keeper_audit_refusal(k, "pin.refused", person ? person : "?", line, err);
		return NULL;
	}
	if (!line || !audit_append(k->audit, "pin.set", line, NULL, err) ||
	    !person_pin_set(&pins, person, f->pin, err))
		return NULL;
	return json_object();
}
