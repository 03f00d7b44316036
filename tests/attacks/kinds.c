/* The attacks on what is presented to a server. Those on decisions stand in clicks.c. */
#include "attacks/kinds.h"

#include <stdio.h>
#include <string.h>

enum { TTL_MOST_S = 120, LIVE_MS = 3000 };

void attack_read(struct attack *a, const char *word, struct grant *ret)
{
	struct error err = ERROR_INIT;

	need(grant_open(word, world_keys(a->world), ret, &err), &err);
}

/* Another word in the place of the one that was given out. */
void attack_sign_again(struct attack *a, struct issue *is, const struct grant *g)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;

	need(grant_sign(&word, g, world_key(a->world), &err), &err);
	free(is->word);
	is->word = strbuf_take(&word);
}

/* ---- Good approvals to begin with ---- */

void attack_pass_time(int64_t ms)
{
	world_set_now(world_now_ms() + ms);
}

/* Everybody who may says yes until it is enough. */
void attack_agree(struct attack *a, struct request *r)
{
	const struct rules *rules = &rule_sets[play_rules(a->play)];
	struct asked *asked = request_asked(r);

	for (unsigned i = 0; i < PERSONS && asked->state == ASKED; i++) {
		const struct click c = { person_names[i], asked->shown, true };
		const bool wanted = model_click(asked, rules, &c, world_now_ms());

		if (play_click(a->play, r, &c) != wanted)
			attack_differs(a,
				       "a click counted as the model does not want it");
	}
}

/* Any but the one that is kept: of what was given out and forgotten the model knows
 * nothing. */
static struct issue *free_slot(struct attack *a)
{
	struct issue *is;

	do
		is = &a->issues[dice_below(&a->dice, ISSUES)];
	while (is == a->kept);
	return is;
}

struct issue *attack_issue_of(struct attack *a, const struct meaning *m, size_t instance,
			      unsigned requester, int64_t age_s, int64_t ttl_s)
{
	struct issue *is = free_slot(a);
	_cleanup_(request_freep) struct request *r =
		play_ask(a->play, instance, m, requester, 0, &a->dice);

	attack_pass_time(READ_MS);
	attack_agree(a, r);
	if (request_asked(r)->state != AGREED || !play_sign(a->play, r, age_s, ttl_s, is))
		broken("no good approval could be made");
	return is;
}

struct meaning attack_meaning(struct attack *a, enum tool t)
{
	char key[33];

	world_key_name(dice_below(&a->dice, KEYS), key);
	return meaning_roll(&a->dice, t, key);
}

/* Rules under which something can be asked for, and who asks. */
unsigned attack_rules(struct attack *a)
{
	size_t set;
	unsigned who;

	do
		set = dice_below(&a->dice, RULES);
	while (!rule_sets[set].allows);
	play_set_rules(a->play, set);
	do
		who = (unsigned)dice_below(&a->dice, PERSONS);
	while (!(rule_sets[set].team & (1U << who)));
	return who;
}

struct issue *attack_issue_aged(struct attack *a, enum tool t, int64_t age_s,
				int64_t ttl_s)
{
	const struct meaning m = attack_meaning(a, t);

	return attack_issue_of(a, &m, dice_below(&a->dice, INSTANCES), attack_rules(a),
			       age_s, ttl_s);
}

static struct issue *new_issue(struct attack *a, enum tool t)
{
	const int64_t ttl_s = TTL_S +
			      (int64_t)dice_below(&a->dice, TTL_MOST_S - TTL_S + 1);

	return attack_issue_aged(a, t, 0, ttl_s);
}

static bool is_live(const struct attack *a, const struct issue *is)
{
	struct presentation p = attack_good(is);
	struct issue *found;

	p.plan_takes_ms = LIVE_MS;
	return is->word && is->meaning.tool == TOOL_PUT
		       ? model_judge(a->issues, a->world, &p, &found) == EXECUTE
		       : is->word && is->exp_s * 1000 > world_now_ms() + LIVE_MS &&
				 model_judge(a->issues, a->world, &p, &found) == EXECUTE;
}

enum tool attack_tool(struct attack *a)
{
	return dice_chance(&a->dice, 60)   ? TOOL_PUT
	       : dice_chance(&a->dice, 50) ? TOOL_ECHO
					   : TOOL_ROUTE;
}

/* One that would be executed, made now or before. */
struct issue *attack_good_issue(struct attack *a, enum tool t)
{
	const size_t first = dice_below(&a->dice, ISSUES);

	for (size_t i = 0; i < ISSUES; i++) {
		struct issue *is = &a->issues[(first + i) % ISSUES];

		if (is->word && is->meaning.tool == t && is_live(a, is))
			return is;
	}
	return new_issue(a, t);
}

struct presentation attack_good(const struct issue *is)
{
	return (struct presentation){ .instance = is->instance,
				      .tool = is->meaning.tool,
				      .is_readable = true,
				      .meaning = is->meaning,
				      .word = is->word,
				      .state = is->state };
}

bool attack_spelled(struct attack *a, const struct presentation *p)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	meaning_spell(&p->meaning, &a->dice, &text);
	return attack_present(a, p, text.data);
}

struct presentation attack_good_one(struct attack *a, enum tool t)
{
	return attack_good(attack_good_issue(a, t));
}

void attack_must(struct attack *a, bool executed)
{
	if (!executed)
		attack_differs(a, "what is good was not executed");
}

const struct kind kinds[] = {
	{ "a good call", 150, attack_good_call },
	{ "a good call, its grant fetched for its principal", 60, attack_good_fetched },
	{ "a read that both sides freed", 20, attack_good_free_read },
	{ "a replay", 60, attack_replay },
	{ "a word of some time ago", 20, attack_old_word },
	{ "a replay for somebody else", 15, attack_replay_for_another },
	{ "several at once", 15, attack_at_once },
	{ "another argument", 60, attack_other_argument },
	{ "a text that looks alike", 60, attack_odd_text },
	{ "another default", 30, attack_other_default },
	{ "a number that collides", 40, attack_other_number },
	{ "the number beside it", 20, attack_near_number },
	{ "a name given twice", 30, attack_twice_named },
	{ "arguments that are none", 15, attack_no_object },
	{ "another tool", 40, attack_other_tool },
	{ "another audience", 40, attack_other_audience },
	{ "registered by another server", 30, attack_registered_elsewhere },
	{ "another principal", 50, attack_other_principal },
	{ "a principal without rights", 10, attack_without_rights },
	{ "a read freed on one side", 15, attack_freed_elsewhere },
	{ "another pin", 15, attack_other_pin },
	{ "another plan", 20, attack_other_plan },
	{ "the same call of another person", 15, attack_same_call_of_another },
	{ "a changed world", 20, attack_changed_world },
	{ "too few approvers", 15, attack_too_few },
	{ "requestState of another call", 40, attack_other_state },
	{ "a forged requestState", 40, attack_forged_state },
	{ "a late requestState", 1, attack_late_state },
	{ "around the expiry", 25, attack_around_expiry },
	{ "it expires meanwhile", 20, attack_expires_meanwhile },
	{ "from the future", 15, attack_from_the_future },
	{ "from before an epoch", 4, attack_before_the_epoch },
	{ "an epoch begins meanwhile", 4, attack_epoch_meanwhile },
	{ "to be burnt in another store", 20, attack_other_store },
	{ "a gate of another store, with the key", 20, attack_other_gate },
	{ "the gate's store begins anew", 4, attack_gate_begins_anew },
	{ "taken back while it begins", 20, attack_taken_back },
	{ "an altered, cut or extended word", 80, attack_altered_word },
	{ "a forged or malleated signature", 80, attack_forged_signature },
	{ "a confused key", 60, attack_confused_key },
	{ "bytes that are not canonical", 60, attack_second_spelling },
	{ "members that are no grant", 60, attack_odd_member },
	{ "a word of another type", 30, attack_other_type },
	{ "decisions: as they come", 30, clicks_any },
	{ "decisions: twice the same person", 15, clicks_double },
	{ "decisions: by somebody else", 20, clicks_stranger },
	{ "decisions: on what is not shown", 20, clicks_stale },
	{ "decisions: too early, too late", 15, clicks_times },
	{ "decisions: the policy changes", 20, clicks_policy },
	{ "decisions: cancelled, revoked, lapsed", 25, clicks_ends },
	{ "a press in Slack, forged or changed", 60, presses_any },
	{ "an emergency word, forged or changed", 30, presses_emergency },
	{ "one decision on several calls", 40, presses_several },
};

size_t kind_count(void)
{
	return ARRAY_SIZE(kinds);
}
