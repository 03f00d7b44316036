/* From a proposal to the prompt that people see: plan, policy, prompt. */
#include "gate/keeper.h"

#include "gate/decide.h"
#include "gate/prompt.h"
#include "gate/slack_where.h"
#include "guard/ticket.h"

/* --- prompt --- */

json_t *keeper_policy_json(const struct policy_answer *answer,
			   const char *const *approvers)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; list && approvers[i]; i++)
		if (json_array_append_new(list, json_string(approvers[i])) != 0)
			return NULL;
	return json_pack("{s:s, s:I, s:b, s:O, s:I, s:I, s:b}", "rule", answer->rule,
			 "approvers_needed", (json_int_t)answer->approvers_needed,
			 "four_eyes", answer->four_eyes, "approvers", list, "expires_s",
			 (json_int_t)(answer->expires_ms / 1000), "good_for_s",
			 (json_int_t)(answer->good_for_ms / 1000), "free", answer->free);
}

static int64_t last_run_ms(struct keeper *k, const json_t *body)
{
	struct error ignored = ERROR_INIT;
	char key[COORD_KEY_MAX + 1];
	_cleanup_free_ char *text = NULL;

	(void)snprintf(key, sizeof key, "last-run/%s", json_get_string(body, "request"));
	if (!coord_get(k->coordination, key, &text, &ignored) || !text)
		return 0;
	return strtoll(text, NULL, 10);
}

/* Whose words the arguments are, besides the requester's. */
static void add_authors(struct strbuf *sb, const json_t *words_from)
{
	size_t i;
	json_t *one;

	json_array_foreach(words_from, i, one)
	{
		strbuf_add_format(sb, "%s%s", i ? ", " : "; with words of ",
				  json_string_value(one));
	}
}

void keeper_surface_words(const struct keeper *k, const struct approval *a,
			  struct strbuf *surface, struct strbuf *outcome_to)
{
	const json_t *s = json_object_get(a->body, "surface");
	const char *client = json_get_string(s, "client");

	if (json_object_get(a->body, "slack")) {
		const struct slack_where where =
			slack_where_of(a->body, &k->settings->slack);

		slack_where_words(&where, a->body, surface, outcome_to);
	} else if (keeper_is_direct(a)) {
		strbuf_add_format(surface, "a client of its own (%s), says %s",
				  client ? client : "?",
				  json_get_string(a->body, "server"));
		strbuf_add_format(outcome_to, "the client that asked (%s)",
				  client ? client : "?");
	} else {
		strbuf_add_format(surface, "console, %s (%s)", client ? client : "?",
				  json_get_string(a->body, "requester"));
		strbuf_add_format(outcome_to, "this terminal (%s)",
				  client ? client : "?");
		if (json_get_string(a->body, "model"))
			strbuf_add_format(outcome_to, ", and the model %s",
					  json_get_string(a->body, "model"));
	}
	add_authors(surface, json_object_get(s, "words_from"));
}

static const char *author_of(const json_t *body)
{
	const char *author = json_get_string(body, "author");

	return author ? author
		      : json_get_string(json_object_get(body, "slack"), "author");
}

json_t *keeper_build_prompt(struct keeper *k, const struct approval *a,
			    const struct policy_question *q,
			    const struct policy_answer *answer,
			    const char *const *approvers,
			    char shown[static DIGEST_HEX_BYTES], struct error *err)
{
	const char *text = json_get_string(a->body, "arguments");
	json_auto_t *arguments = json_parse(text, strlen(text), JSON_CONTRACT, err);
	_cleanup_strbuf_ struct strbuf surface = STRBUF_INIT, outcome_to = STRBUF_INIT;
	const struct tool_definition *tool =
		keeper_definition(k, q->server, q->tool, err);
	const char *warnings[3] = { NULL };
	bool alone = !q->reversible && q->risk != RISK_READ &&
		     answer->approvers_needed < 2;
	size_t count = 0, n = 0;

	if (!arguments || !tool)
		return NULL;
	while (approvers[count])
		count++;
	if (alone)
		warnings[n++] = "this cannot be undone, and no second person is asked";
	if ((int64_t)count < answer->approvers_needed)
		warnings[n++] = "too few people may approve this: it cannot be approved";
	keeper_surface_words(k, a, &surface, &outcome_to);
	struct prompt_input in = {
		.approval = a->id,
		.address = json_get_string(a->body, "address"),
		.requester = q->requester,
		.surface = surface.data,
		.outcome_to = outcome_to.data,
		.tool = tool,
		.arguments = arguments,
		.author = author_of(a->body),
		.provenance = json_object_get(a->body, "provenance"),
		.plan = json_object_get(a->body, "plan"),
		.args_digest = json_get_string(a->body, "args"),
		.plan_digest = json_get_string(a->body, "plan_digest"),
		.asked_at_ms = json_get_int64(a->body, "created_at", 0),
		.expires_at_ms = k->now_ms + answer->expires_ms,
		.good_for_ms = answer->good_for_ms,
		.approvers_needed = answer->approvers_needed,
		.four_eyes = answer->four_eyes,
		.approvers = approvers,
		.last_run_ms = last_run_ms(k, a->body),
		.warnings = warnings,
	};
	return prompt_build(&in, shown, err);
}

/* A rule's own rate, counted where it is known for certain which rule it is. */
bool keeper_check_rate(struct keeper *k, const struct policy_question *q,
		       const struct policy_answer *answer, struct error *err)
{
	json_auto_t *who = json_pack("[s, s]", answer->rule, q->requester);
	char digest[DIGEST_HEX_BYTES], key[COORD_KEY_MAX + 1];
	int64_t total = 0;

	if (answer->rate_calls == 0)
		return true;
	if (!who)
		return error_oom(err);
	if (!canonical_digest(who, digest, err))
		return false;
	(void)snprintf(key, sizeof key, "rate/%s", digest);
	if (!coord_count(k->coordination, key, 1, answer->rate_per_ms, &total, err))
		return false;
	if (total <= answer->rate_calls)
		return true;
	error_set(err, ERR_RATE_LIMITED,
		  "rule '%s' lets one person ask for %lld such calls in %lld minutes",
		  answer->rule, (long long)answer->rate_calls,
		  (long long)(answer->rate_per_ms / 60000));
	return error_hint(err, "wait, or let somebody else ask");
}

static bool post(struct keeper *k, struct approval *a, struct error *err)
{
	struct policy_question q = decide_question(a->body);
	struct policy_answer answer;
	_cleanup_free_ const char **approvers = NULL;
	char shown[DIGEST_HEX_BYTES];
	json_auto_t *prompt = NULL;
	json_t *policy, *changes;
	int64_t expires_at;

	policy_judge(k->policy, &q, &answer);
	if (!answer.may_call)
		return error_set(err, ERR_PERMISSION_DENIED, "'%s' may not call this: %s",
				 q.requester, answer.why);
	if (!keeper_check_rate(k, &q, &answer, err))
		return false;
	approvers = policy_approvers(k->policy, &q, &answer);
	if (!approvers)
		return error_oom(err);
	prompt = keeper_build_prompt(k, a, &q, &answer, approvers, shown, err);
	if (!prompt)
		return false;
	expires_at = k->now_ms + answer.expires_ms;
	policy = keeper_policy_json(&answer, approvers);
	changes = json_pack("{s:O, s:s, s:o, s:I, s:I}", "prompt", prompt, "shown", shown,
			    "policy", policy, "posted_at", (json_int_t)k->now_ms,
			    "expires_at", (json_int_t)expires_at);
	if (!changes)
		return error_oom(err);
	if (answer.free) {
		if (!keeper_update(k, a, "freed", changes,
				   json_pack("{s:s}", "rule", answer.rule), err))
			return false;
		if (!keeper_is_direct(a))
			keeper_claim_free(k, a);
		return true;
	}
	if (keeper_is_direct(a) && !keeper_make_page(k, a->id, changes, err)) {
		json_decref(changes);
		return false;
	}
	return keeper_move(
		k, a,
		&(struct move){ .to = RECORD_PENDING,
				.changes = changes,
				.audit = json_pack("{s:s}", "rule", answer.rule) },
		err);
}

void keeper_refuse(struct keeper *k, struct approval *a, const struct error *why,
		   const json_t *details)
{
	struct error err = ERROR_INIT;
	json_t *outcome = json_pack("{s:s, s:o}", "state", "refused", "error",
				    fields_error(why, details));
	struct move m = { .to = RECORD_REFUSED,
			  .changes = json_pack("{s:o}", "outcome", outcome),
			  .audit = json_pack("{s:s}", "code", error_name(why->code)),
			  .why = why->message };

	if (!keeper_move(k, a, &m, &err))
		log_failure("approval.stuck", &err);
}

/* --- plan --- */

bool keeper_ask_plan(struct keeper *k, struct approval *a, struct error *err)
{
	_cleanup_strbuf_ struct strbuf ticket = STRBUF_INIT;
	json_auto_t *assumes = NULL;
	json_t *state = a->again ? json_object_get(a->body, "request_state") : NULL;
	json_auto_t *message = NULL;

	if (!ticket_sign(&ticket, json_get_string(a->body, "instance"),
			 json_get_string(a->body, "requester"),
			 json_get_string(a->body, "request"), k->now_ms, k->key, err))
		return false;
	message = json_pack("{s:s, s:s, s:O, s:O, s:O, s:s}", "m", message_name(MSG_PLAN),
			    "approval", a->id, "server",
			    json_object_get(a->body, "server"), "tool",
			    json_object_get(a->body, "tool"), "arguments",
			    json_object_get(a->body, "arguments"), "ticket", ticket.data);
	assumes = keeper_bundle_assumes(k, a);
	if (!message ||
	    (state && json_object_set(message, "request_state", state) != 0) ||
	    (assumes && json_object_set(message, "assumes", assumes) != 0))
		return error_oom(err);
	a->asked_ms = k->now_ms;
	if (!k->caller || !channel_send(k->caller, message))
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the gate's caller is not there");
	return true;
}

static void plan_own(struct keeper *k, struct approval *a)
{
	const char *text = json_get_string(a->body, "arguments");
	struct error err = ERROR_INIT;
	json_auto_t *arguments = json_parse(text, strlen(text), JSON_CONTRACT, &err);
	_cleanup_(plan_freep) struct plan *plan =
		arguments ? keeper_own_plan(k, json_get_string(a->body, "tool"),
					    arguments, &err)
			  : NULL;

	if (plan)
		keeper_take_plan(k, a, plan_json(plan), NULL);
	else
		keeper_refuse(k, a, &err, NULL);
}

void keeper_advance(struct keeper *k, struct approval *a)
{
	const char *risk = json_get_string(a->body, "risk");
	bool is_read = risk && strcmp(risk, risk_name(RISK_READ)) == 0;
	struct error err = ERROR_INIT;
	bool ok;

	if (keeper_is_part(a)) {
		keeper_bundle_step_of(k, a);
		return;
	}
	if (a->state == RECORD_PROPOSED && !is_read && keeper_is_own(a)) {
		plan_own(k, a);
		return;
	}
	ok = a->state == RECORD_PROPOSED && !is_read ? keeper_ask_plan(k, a, &err)
						     : post(k, a, &err);
	if (!ok && !a->ended && a->state < RECORD_PENDING)
		keeper_refuse(k, a, &err, NULL);
}

void keeper_take_plan(struct keeper *k, struct approval *a, const json_t *plan,
		      const char *request_state)
{
	struct error err = ERROR_INIT;
	_cleanup_(plan_freep) struct plan *checked = plan_read(plan, &err);
	json_t *changes = NULL;

	if (checked && !keeper_is_part(a) &&
	    json_object_get(plan_json(checked), "assumes"))
		error_set(
			&err, ERR_BACKEND_UNAVAILABLE,
			"the server's plan counts on earlier calls, and there are none");
	else if (checked)
		changes = json_pack("{s:O, s:s, s:I}", "plan", plan_json(checked),
				    "plan_digest", plan_digest(checked), "planned_at",
				    (json_int_t)k->now_ms);
	if (changes && request_state &&
	    json_object_set_new(changes, "request_state", json_string(request_state)) !=
		    0)
		error_oom(&err);
	if (error_is_set(&err))
		json_decref(changes);
	if (!changes || error_is_set(&err) ||
	    !keeper_move(k, a, &(struct move){ .to = RECORD_PLANNED, .changes = changes },
			 &err)) {
		keeper_refuse(k, a, &err, NULL);
		return;
	}
	keeper_advance(k, a);
}
