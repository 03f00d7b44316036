/* A press in Slack: believed, taken once, judged, carried out. */
#include "gate/keeper.h"

static const char *const actions[] = {
	[SLACK_APPROVE] = "approve", [SLACK_DENY] = "deny", [SLACK_REVIEW] = "review",
	[SLACK_PAGE] = "page",       [SLACK_WHY] = "why",   [SLACK_CANCEL] = "cancel",
	[SLACK_REVOKE] = "revoke",
};

/* What is known of a request, for the answer and for the log, as far as it was read. */
struct press {
	struct slack_word word;
	struct slack_click click;
	bool is_read;
	char person[129]; /* "": not known */
};

/*
 * The order counts: nothing unsigned is remembered, and whatever was signed is taken, once,
 * before anybody looks at what it says: refused, it stays spent.
 */
static bool take(struct keeper *k, const struct fields *f, struct press *p,
		 struct error *err)
{
	bool is_first = false;

	if (!keeper_slack_believe(k, f, &p->word, err) ||
	    !keeper_slack_once(k, &p->word, "click", 0, &is_first, NULL, err))
		return false;
	if (!is_first)
		return error_set(err, ERR_CONFLICT, "this very request was taken before");
	if (p->word.delivery != SLACK_INTERACTION)
		return error_set(err, ERR_INVALID_ARGUMENT, "this is no press");
	p->is_read = slack_click_of(p->word.payload, &p->click, err);
	return p->is_read && keeper_slack_is_ours(k, p->click.app, p->click.team, err) &&
	       keeper_slack_person(k, p->click.user, p->person, err);
}

static json_t *evidence_json(const struct press *p)
{
	const struct slack_click *c = &p->click;
	json_auto_t *e = json_pack("{s:s, s:s, s:s, s:s}", "kind",
				   p->word.is_signed ? "slack" : "slack-socket", "digest",
				   p->word.digest, "user", c->user, "team", c->team);

	if (!e || (p->word.is_signed &&
		   json_object_set_new(
			   e, "at", json_integer((json_int_t)p->word.at_s * 1000)) != 0))
		return NULL;
	if (c->view[0]
		    ? json_object_set_new(e, "view", json_string(c->view)) != 0
		    : json_object_set_new(e, "channel", json_string(c->channel)) != 0 ||
			      json_object_set_new(e, "ts", json_string(c->message_ts)) !=
				      0)
		return NULL;
	return TAKE(e);
}

/* The approval that is open, so that where it was posted is known. */
static struct approval *find(struct keeper *k, const struct press *p, struct error *err)
{
	struct approval *a = keeper_find(k, p->click.approval);
	json_auto_t *body = NULL;

	if (a && !keeper_is_part(a))
		return a;
	body = keeper_load(k, p->click.approval, err);
	if (body)
		error_set(err, ERR_CONFLICT, "this is %s already",
			  json_get_string(body, "state"));
	return NULL;
}

static struct approval *decide(struct keeper *k, const struct press *p, struct error *err)
{
	const struct slack_click *c = &p->click;
	json_auto_t *evidence = evidence_json(p);
	const struct decision d = {
		.approval = c->approval,
		.shown = c->shown,
		.person = p->person,
		.reason = c->reason[0] ? c->reason : NULL,
		.is_yes = c->action == SLACK_APPROVE,
		.evidence = evidence,
	};
	struct approval *a = find(k, p, err);

	if (!evidence)
		error_oom(err);
	if (!a || !evidence || !keeper_slack_is_at(k, a, c, err) ||
	    (d.is_yes && c->view[0] && !keeper_slack_has_read(k, a, c, err)))
		return NULL;
	return keeper_decide_as(k, &d, err);
}

/* What is stopped must be the prompt that the button names; where it stands is no matter. */
static struct approval *stop(struct keeper *k, const struct press *p, struct error *err)
{
	const struct slack_click *c = &p->click;
	struct approval *a = find(k, p, err);
	const char *shown = a ? json_get_string(a->body, "shown") : NULL;

	if (!a)
		return NULL;
	if (!shown || !digest_equal_text(shown, c->shown)) {
		error_set(err, ERR_PRECONDITION_FAILED,
			  "that button is of another prompt");
		return NULL;
	}
	return c->action == SLACK_CANCEL
		       ? keeper_cancel_as(k, c->approval, p->person, NULL, err)
		       : keeper_revoke_as(k, c->approval, p->person, NULL, err);
}

static json_t *reply(const struct press *p, const struct approval *a, json_t *more,
		     struct error *err)
{
	json_auto_t *answer = more ? more : json_object();

	if (!answer ||
	    json_object_set_new(answer, "action",
				json_string(actions[p->click.action])) != 0 ||
	    json_object_set_new(answer, "approval", json_string(a->id)) != 0 ||
	    json_object_set_new(answer, "state",
				json_string(record_state_name(a->state))) != 0 ||
	    (!a->ended && keeper_is_revoking(a) &&
	     json_object_set_new(answer, "revoking", json_true()) != 0) ||
	    json_object_set_new(answer, "user", json_string(p->click.user)) != 0 ||
	    json_object_set_new(answer, "principal", json_string(p->person)) != 0) {
		error_oom(err);
		return NULL;
	}
	return TAKE(answer);
}

static json_t *act(struct keeper *k, const struct press *p, struct error *err)
{
	const struct approval *a = NULL;
	json_t *page = NULL;

	switch (p->click.action) {
	case SLACK_APPROVE:
	case SLACK_DENY:
		a = decide(k, p, err);
		break;
	case SLACK_CANCEL:
	case SLACK_REVOKE:
		a = stop(k, p, err);
		break;
	case SLACK_REVIEW:
	case SLACK_PAGE:
	case SLACK_WHY:
		a = find(k, p, err);
		page = a ? keeper_slack_page(k, a, &p->click, p->person, err) : NULL;
		if (!page)
			return NULL;
		break;
	}
	return a ? reply(p, a, page, err) : NULL;
}

static void audit(struct keeper *k, const struct press *p, const struct error *err)
{
	const struct slack_click *c = &p->click;
	json_auto_t *line =
		json_pack("{s:s, s:s, s:s}", "surface", "slack", "evidence",
			  p->word.payload ? keeper_slack_evidence(&p->word) : "none",
			  "action", p->is_read ? actions[c->action] : "?");

	if (line && p->is_read)
		(void)json_object_update_new(
			line, json_pack("{s:s, s:s, s:s}", "approval", c->approval,
					"user", c->user, "digest", p->word.digest));
	keeper_audit_refusal(k, "decision.refused", p->person[0] ? p->person : "slack",
			     TAKE(line), err);
}

json_t *keeper_on_slack_click(struct keeper *k, struct peer *peer, const struct fields *f,
			      struct error *err)
{
	struct press p = { .word = { .payload = NULL } };
	json_t *answer = NULL;

	(void)peer;
	if (keeper_refresh_policy(k, err) && take(k, f, &p, err))
		answer = act(k, &p, err);
	if (!answer)
		audit(k, &p, err);
	keeper_slack_word_done(&p.word);
	return answer;
}
