/*
 * The gate, as far as it is pure: policy, prompt, record, decisions, grant. What its
 * keeper does between them (stores, chains, channels) is proved with the real processes,
 * in attacks_test.py.
 */
#include "attacks/attack.h"

#include <stdio.h>
#include <string.h>

#include "gate/decide.h"
#include "gate/prompt.h"
#include "gate/record.h"
#include "guard/ticket.h"
#include "mcp/definition.h"

struct play {
	struct world *world;
	struct policy *policies[RULES];
	size_t set;
	int64_t gate_epoch_ms;
};

struct request {
	struct play *play;
	size_t instance;
	struct meaning meaning;
	json_t *record;
	char *state;
	char before[VALUE_BYTES];
	int64_t planned_ms;
	struct asked asked;
};

/* ---- Policies ---- */

static struct policy *make_policy(const struct rules *r)
{
	json_auto_t *persons = json_array(), *team = json_array();
	struct error err = ERROR_INIT;

	for (unsigned i = 0; i < PERSONS; i++) {
		json_array_append_new(persons, json_pack("{s:s}", "id", person_names[i]));
		if (r->team & (1U << i))
			json_array_append_new(team, json_string(person_names[i]));
	}
	_cleanup_(config_freep) struct config *file =
		r->yaml ? config_parse("policy.yaml", r->yaml, strlen(r->yaml), &err)
			: NULL;
	need(!r->yaml || file, &err);
	struct policy *p = policy_new(persons, team, file, &err);
	need(p != NULL, &err);
	return p;
}

int64_t play_gate_epoch_ms(const struct play *p)
{
	return p->gate_epoch_ms;
}

void play_begin_anew(struct play *p)
{
	world_set_now(world_now_ms() + 1);
	p->gate_epoch_ms = world_now_ms();
}

struct play *play_new(struct world *w)
{
	struct play *p = calloc(1, sizeof *p);

	if (!p)
		broken("no memory");
	p->world = w;
	play_begin_anew(p);
	model_gate_epoch_ms = p->gate_epoch_ms;
	for (size_t i = 0; i < RULES; i++)
		p->policies[i] = make_policy(&rule_sets[i]);
	return p;
}

void play_free(struct play *p)
{
	for (size_t i = 0; i < RULES; i++)
		policy_free(p->policies[i]);
	free(p);
}

void play_set_rules(struct play *p, size_t set)
{
	p->set = set;
}

size_t play_rules(const struct play *p)
{
	return p->set;
}

/* ---- Asking ---- */

static void digest_meaning(const struct meaning *m, struct dice *d, struct strbuf *text,
			   char ret[static DIGEST_HEX_BYTES])
{
	struct error err = ERROR_INIT;

	meaning_spell(m, d, text);
	json_auto_t *json = json_parse(text->data, text->length, JSON_CONTRACT, &err);
	need(json != NULL, &err);
	need(canonical_digest(json, ret, &err), &err);
	strbuf_clear(text);
	need(canonical_write(text, json, &err), &err);
}

/* A plan, made by the server for the requester; a new object. Fills the state. */
static json_t *get_plan(struct request *r, const char *arguments, const char *args)
{
	_cleanup_strbuf_ struct strbuf ticket = STRBUF_INIT;
	const char *requester = person_names[r->asked.requester];
	char request[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;

	need(request_digest("fixture", tool_word(r->meaning.tool), args, request, &err) &&
		     ticket_sign(&ticket, instance_names[r->instance], requester, request,
				 world_now_ms(), world_key(r->play->world), &err),
	     &err);
	const struct presented_call call = { .instance = r->instance,
					     .tool = r->meaning.tool,
					     .arguments = arguments,
					     .ticket = ticket.data };
	json_auto_t *answer = world_call(r->play->world, &call);
	const char *state = json_get_string(answer, "requestState");
	json_t *plan = json_object_get(json_object_get(answer, "_meta"), META_PLAN);

	if (!state || !plan)
		broken("no plan for %s", arguments);
	r->state = strdup(state);
	return json_incref(plan);
}

static json_t *frozen_policy(const struct policy_answer *answer, const char **approvers,
			     unsigned *ret_frozen)
{
	json_auto_t *list = json_array();

	*ret_frozen = 0;
	for (size_t i = 0; approvers[i]; i++) {
		json_array_append_new(list, json_string(approvers[i]));
		for (unsigned j = 0; j < PERSONS; j++)
			if (strcmp(person_names[j], approvers[i]) == 0)
				*ret_frozen |= 1U << j;
	}
	return json_pack("{s:s, s:I, s:b, s:O, s:I}", "rule", answer->rule,
			 "approvers_needed", (json_int_t)answer->approvers_needed,
			 "four_eyes", answer->four_eyes, "approvers", list, "good_for_s",
			 (json_int_t)(answer->good_for_ms / 1000));
}

/* What is shown says exactly what runs, whatever the texts are. */
static json_t *make_prompt(const struct request *r, const struct policy_answer *answer,
			   const char **approvers, const json_t *arguments,
			   char shown[static DIGEST_HEX_BYTES])
{
	const char *args = json_get_string(r->record, "args");
	struct error err = ERROR_INIT;
	char again[DIGEST_HEX_BYTES];
	const struct prompt_input in = {
		.approval = json_get_string(r->record, "id"),
		.address = "http://127.0.0.1/mcp",
		.requester = person_names[r->asked.requester],
		.surface = "console",
		.outcome_to = "this terminal",
		.tool = world_definition(r->play->world, r->meaning.tool),
		.arguments = arguments,
		.plan = json_object_get(r->record, "plan"),
		.args_digest = args,
		.plan_digest = json_get_string(r->record, "plan_digest"),
		.asked_at_ms = world_now_ms(),
		.expires_at_ms = world_now_ms() + answer->expires_ms,
		.good_for_ms = answer->good_for_ms,
		.approvers_needed = answer->approvers_needed,
		.four_eyes = answer->four_eyes,
		.approvers = approvers,
	};
	json_t *prompt = prompt_build(&in, shown, &err);
	need(prompt != NULL, &err);
	json_auto_t *recovered = prompt_arguments(prompt, &err);
	need(recovered && canonical_digest(recovered, again, &err), &err);
	if (strcmp(again, args) != 0)
		broken("the prompt does not say the arguments");
	return prompt;
}

static void move(struct request *r, enum record_state to, const json_t *changes)
{
	struct error err = ERROR_INIT;
	json_t *next =
		record_next(r->record, to, changes, world_now_ms(), "gate", NULL, &err);

	need(next != NULL, &err);
	json_decref(r->record);
	r->record = next;
}

static void post(struct request *r, const json_t *arguments)
{
	const struct policy *policy = r->play->policies[r->play->set];
	struct policy_question q = decide_question(r->record);
	struct policy_answer answer;
	char shown[DIGEST_HEX_BYTES];
	struct asked *a = &r->asked;

	policy_judge(policy, &q, &answer);
	if (!answer.may_call)
		broken("the policy refuses: %s", answer.why);
	_cleanup_free_ const char **approvers = policy_approvers(policy, &q, &answer);
	json_t *frozen = frozen_policy(&answer, approvers, &a->frozen);
	json_auto_t *prompt = make_prompt(r, &answer, approvers, arguments, shown);
	json_auto_t *changes =
		json_pack("{s:o, s:s, s:O, s:I, s:I}", "policy", frozen, "shown", shown,
			  "prompt", prompt, "posted_at", (json_int_t)world_now_ms(),
			  "expires_at", (json_int_t)(world_now_ms() + answer.expires_ms));
	move(r, RECORD_PENDING, changes);
	/* The model's view: of its own numbers and rules. */
	const struct rules *rules = &rule_sets[r->play->set];
	a->four_eyes = rules->four_eyes;
	a->needed = r->meaning.key[0] >= 'z' ? NEEDED_MAX : rules->needed;
	a->posted_ms = world_now_ms();
	a->until_ms = a->posted_ms + 10 * 60 * 1000;
	const unsigned may = rules->team & ~(a->four_eyes ? a->authors : 0U);
	if (a->frozen != may)
		broken("the policy asks others than the model: %x, %x", a->frozen, may);
	(void)snprintf(a->shown, sizeof a->shown, "%s", shown);
}

struct request *play_ask(struct play *p, size_t instance, const struct meaning *m,
			 unsigned requester, unsigned authors, struct dice *d)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct request *r = calloc(1, sizeof *r);
	char id[RECORD_ID_BYTES], args[DIGEST_HEX_BYTES], plan_hex[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;

	if (!r)
		broken("no memory");
	r->play = p;
	r->instance = instance;
	r->meaning = *m;
	r->asked.requester = requester;
	r->asked.authors = authors | 1U << requester;
	r->planned_ms = world_now_ms();
	(void)snprintf(r->before, sizeof r->before, "%s", world_value(p->world, m->key));
	digest_meaning(m, d, &text, args);
	record_new_id(world_now_ms(), id);
	r->record = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[], s:[]}",
			      "id", id, "state", "proposed", "server", "fixture", "tool",
			      tool_word(m->tool), "risk",
			      m->tool == TOOL_PUT ? "write" : "read", "requester",
			      person_names[requester], "args", args, "arguments",
			      text.data, "decisions", "history");
	json_t *words_from = json_array();
	for (unsigned i = 0; i < PERSONS; i++)
		if (authors & (1U << i))
			json_array_append_new(words_from, json_string(person_names[i]));
	json_t *surface =
		json_pack("{s:s, s:o}", "kind", "console", "words_from", words_from);
	if (!r->record || json_object_set_new(r->record, "surface", surface) != 0)
		broken("no record");
	if (m->tool == TOOL_PUT) {
		json_auto_t *plan = get_plan(r, text.data, args);
		need(canonical_digest(plan, plan_hex, &err), &err);
		json_auto_t *changes =
			json_pack("{s:O, s:s}", "plan", plan, "plan_digest", plan_hex);
		move(r, RECORD_PLANNED, changes);
	}
	json_auto_t *arguments = json_parse(text.data, text.length, JSON_CONTRACT, &err);
	post(r, arguments);
	return r;
}

void request_free(struct request *r)
{
	if (!r)
		return;
	json_decref(r->record);
	free(r->state);
	free(r);
}

struct asked *request_asked(struct request *r)
{
	return &r->asked;
}

/* ---- Deciding ---- */

bool play_click(struct play *p, struct request *r, const struct click *c)
{
	const struct decide_input in = { .record = r->record,
					 .policy = p->policies[p->set],
					 .person = c->who,
					 .shown = c->shown,
					 .now_ms = world_now_ms(),
					 .is_yes = c->is_yes };
	struct error err = ERROR_INIT, not_yet = ERROR_INIT;

	if (!decide_judge(&in, &err))
		return false;
	if (!c->is_yes) {
		move(r, RECORD_DENIED, NULL);
		return true;
	}
	json_auto_t *decisions = json_deep_copy(json_object_get(r->record, "decisions"));
	json_array_append_new(
		decisions, json_pack("{s:s, s:s}", "by", c->who, "decision", "approve"));
	json_object_set(r->record, "decisions", decisions);
	if (!decide_is_approved(r->record, p->policies[p->set], &not_yet))
		return true;
	const json_t *policy = json_object_get(r->record, "policy");
	json_auto_t *changes =
		json_pack("{s:I}", "good_until",
			  (json_int_t)(world_now_ms() +
				       json_get_int64(policy, "good_for_s", 0) * 1000));
	move(r, RECORD_APPROVED, changes);
	return true;
}

bool play_end(struct request *r, const char *state)
{
	struct error err = ERROR_INIT;
	enum record_state to;

	if (!record_state_parse(state, &to))
		broken("no state");
	json_t *next =
		record_next(r->record, to, NULL, world_now_ms(), "gate", NULL, &err);
	if (!next)
		return false;
	json_decref(r->record);
	r->record = next;
	return true;
}

/* ---- Signing ---- */

struct grant play_grant(struct world *w, const struct issue *is, const char *plan)
{
	struct grant g = { .seq = -1, .iat = is->iat_s, .exp = is->exp_s };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct dice plain = { 1 };

	(void)snprintf(g.id, sizeof g.id, "%s", is->id);
	(void)snprintf(g.aud, sizeof g.aud, "%s", instance_names[is->instance]);
	(void)snprintf(g.server, sizeof g.server, "fixture");
	(void)snprintf(g.tool, sizeof g.tool, "%s", tool_word(is->meaning.tool));
	(void)snprintf(g.pin, sizeof g.pin, "%s", world_pin(w, is->meaning.tool));
	digest_meaning(&is->meaning, &plain, &text, g.args);
	(void)snprintf(g.plan, sizeof g.plan, "%s", plan ? plan : "");
	digest_sha256_hex("shown", 5, g.shown);
	(void)snprintf(g.store, sizeof g.store, "%s", world_store(w, is->instance));
	(void)snprintf(g.gate_store, sizeof g.gate_store, PLAY_STORE);
	g.gate_epoch_ms = is->gate_epoch_ms;
	(void)snprintf(g.requester, sizeof g.requester, "%s", is->requester);
	return g;
}

static void sign_word(struct world *w, const struct grant *g, struct issue *is)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;

	need(grant_sign(&word, g, world_key(w), &err), &err);
	is->word = strbuf_take(&word);
}

static void start_issue(const struct play *p, struct issue *is, size_t instance,
			const struct meaning *m, const char *requester, const char *id,
			int64_t age_s, int64_t ttl_s)
{
	issue_done(is);
	is->instance = instance;
	is->meaning = *m;
	(void)snprintf(is->requester, sizeof is->requester, "%s", requester);
	(void)snprintf(is->id, sizeof is->id, "%s", id);
	is->iat_s = world_now_ms() / 1000 - age_s;
	is->exp_s = is->iat_s + ttl_s;
	is->gate_epoch_ms = p->gate_epoch_ms;
}

bool play_sign(struct play *p, struct request *r, int64_t age_s, int64_t ttl_s,
	       struct issue *ret)
{
	struct error err = ERROR_INIT;
	const json_t *d;
	size_t i;

	if (world_now_ms() >= json_get_int64(r->record, "good_until", 0) ||
	    !decide_is_approved(r->record, p->policies[p->set], &err) ||
	    !play_end(r, "granted"))
		return false;
	start_issue(p, ret, r->instance, &r->meaning, person_names[r->asked.requester],
		    json_get_string(r->record, "id"), age_s, ttl_s);
	struct grant g =
		play_grant(p->world, ret, json_get_string(r->record, "plan_digest"));
	(void)snprintf(g.shown, sizeof g.shown, "%s",
		       json_get_string(r->record, "shown"));
	json_array_foreach(json_object_get(r->record, "decisions"), i, d)
	{
		if (g.approver_count < GRANT_APPROVERS_MAX)
			(void)snprintf(g.approvers[g.approver_count++],
				       sizeof g.approvers[0], "%s",
				       json_get_string(d, "by"));
	}
	sign_word(p->world, &g, ret);
	ret->approvers = (unsigned)g.approver_count;
	ret->state = r->state ? strdup(r->state) : NULL;
	ret->state_until_ms = r->planned_ms + 30 * 60 * 1000;
	(void)snprintf(ret->before, sizeof ret->before, "%s", r->before);
	return true;
}

void play_free_read(struct play *p, size_t instance, const struct meaning *m,
		    struct issue *ret)
{
	char id[RECORD_ID_BYTES];

	/* Asked for after the second in which an epoch began, as servers and gate do. */
	if (world_now_ms() / 1000 <= world_epoch_ms() / 1000)
		world_set_now((world_epoch_ms() / 1000 + 1) * 1000);
	record_new_id(world_now_ms(), id);
	start_issue(p, ret, instance, m, person_names[ALICE], id, 0, 60);
	ret->is_freed = true;
	struct grant g = play_grant(p->world, ret, NULL);
	(void)snprintf(g.rule, sizeof g.rule, "reads are free");
	sign_word(p->world, &g, ret);
}

void issue_done(struct issue *i)
{
	free(i->word);
	free(i->state);
	*i = (struct issue){ 0 };
}
