/* Attacks by another plan, another state, another time, and words that are forged. */
#include "attacks/kinds.h"

#include <stdio.h>
#include <string.h>

/* ---- Plans ---- */

/* The same call, planned and approved twice, while the value was another. */
void attack_other_plan(struct attack *a)
{
	struct issue *is = attack_good_issue(a, TOOL_PUT);
	struct presentation p = attack_good(is), q;
	const bool first = dice_chance(&a->dice, 50);

	world_put(a->world, p.meaning.key,
		  dice_chance(&a->dice, 50) ? "else" : p.meaning.value);
	play_set_rules(a->play, 0);
	a->kept = is;
	q = attack_good(attack_issue_of(a, &p.meaning, p.instance, ALICE, 0, TTL_S));
	a->kept = NULL;
	if (dice_chance(&a->dice, 50))
		p.state = q.state;
	else
		q.state = p.state;
	(void)attack_spelled(a, first ? &p : &q);
	(void)attack_spelled(a, first ? &q : &p);
}

/* Two persons ask for the very same; the state of one comes with the other's grant. */
void attack_same_call_of_another(struct attack *a)
{
	struct issue *is = attack_good_issue(a, TOOL_PUT);
	struct presentation p = attack_good(is), q;
	const bool first = dice_chance(&a->dice, 50);
	unsigned who = ALICE;

	if (strcmp(is->requester, person_names[ALICE]) == 0)
		who = BOB;
	play_set_rules(a->play, 0);
	a->kept = is;
	q = attack_good(attack_issue_of(a, &p.meaning, p.instance, who, 0, TTL_S));
	a->kept = NULL;
	if (first)
		p.state = q.state;
	else
		q.state = p.state;
	(void)attack_spelled(a, first ? &p : &q);
	(void)attack_spelled(a, first ? &q : &p);
}

void attack_changed_world(struct attack *a)
{
	struct issue *is = attack_good_issue(a, TOOL_PUT);
	const struct presentation p = attack_good(is);
	char was[VALUE_BYTES];

	(void)snprintf(was, sizeof was, "%s", is->before);
	world_put(a->world, p.meaning.key, "changed");
	(void)attack_spelled(a, &p);
	/* Back as it was: too late. */
	world_put(a->world, p.meaning.key, was);
	(void)attack_spelled(a, &p);
}

void attack_too_few(struct attack *a)
{
	struct meaning m = attack_meaning(a, TOOL_PUT);
	struct issue *is;

	(void)snprintf(m.key, sizeof m.key, "z%c", (int)('a' + dice_below(&a->dice, 8)));
	is = attack_issue_of(a, &m, 0, attack_rules(a), 0, TTL_S);
	/* A gate that counts wrong. */
	struct grant g;

	attack_read(a, is->word, &g);
	g.approver_count = 1;
	attack_sign_again(a, is, &g);
	is->approvers = 1;
	const struct presentation p = attack_good(is);
	(void)attack_spelled(a, &p);
}

/* ---- requestState ---- */

void attack_other_state(struct attack *a)
{
	struct issue *is = attack_good_issue(a, TOOL_PUT);
	struct presentation p = attack_good(is);
	const size_t first = dice_below(&a->dice, ISSUES);

	for (size_t i = 0; i < ISSUES; i++) {
		const struct issue *other = &a->issues[(first + i) % ISSUES];

		if (other != is && other->state) {
			p.state = other->state;
			break;
		}
	}
	(void)attack_spelled(a, &p);
}

void attack_forged_state(struct attack *a)
{
	static const char *const words[] = { "", "v1.", "v2.AAAA", "v1.AAAA", "q1.AAAA" };
	struct presentation p = attack_good_one(a, TOOL_PUT);
	_cleanup_strbuf_ struct strbuf state = STRBUF_INIT;

	switch (dice_below(&a->dice, 4)) {
	case 0:
		p.state = NULL;
		break;
	case 1:
		p.state = words[dice_below(&a->dice, ARRAY_SIZE(words))];
		break;
	case 2:
		strbuf_add_string(&state, p.state);
		state.data[3 + dice_below(&a->dice, state.length - 3)] ^= 1;
		p.state = state.data;
		break;
	default:
		strbuf_add(&state, p.state, dice_below(&a->dice, strlen(p.state)));
		p.state = state.data;
	}
	(void)attack_spelled(a, &p);
}

void attack_late_state(struct attack *a)
{
	const struct meaning m = attack_meaning(a, TOOL_PUT);
	struct issue *is = &a->issues[dice_below(&a->dice, ISSUES)];
	const unsigned who = attack_rules(a);
	_cleanup_(request_freep) struct request *r =
		play_ask(a->play, 0, &m, who, 0, &a->dice);
	struct asked *asked = request_asked(r);

	/* As if it had been posted long after it was planned. */
	attack_pass_time(READ_MS);
	attack_agree(a, r);
	if (!play_sign(a->play, r, 0, TTL_S, is) || asked->state != AGREED)
		broken("no good approval could be made");
	const int64_t left_ms = is->state_until_ms - world_now_ms();
	const int64_t edge_ms = (int64_t)dice_below(&a->dice, 3) - 1;
	attack_pass_time(left_ms + edge_ms);
	/* A word of the same approval that is in time. */
	struct grant g;
	attack_read(a, is->word, &g);
	g.iat = world_now_ms() / 1000;
	g.exp = g.iat + TTL_S;
	attack_sign_again(a, is, &g);
	is->iat_s = g.iat;
	is->exp_s = g.exp;
	const struct presentation p = attack_good(is);
	(void)attack_spelled(a, &p);
}

/* ---- Time ---- */

void attack_around_expiry(struct attack *a)
{
	struct issue *is = attack_issue_aged(a, attack_tool(a), 10, 10 + 2);
	const struct presentation p = attack_good(is);

	world_set_now(is->exp_s * 1000 + (int64_t)dice_below(&a->dice, 5) - 3);
	(void)attack_spelled(a, &p);
}

void attack_expires_meanwhile(struct attack *a)
{
	struct issue *is = attack_issue_aged(a, TOOL_PUT, 10, 10 + 2);
	struct presentation p = attack_good(is);

	p.plan_takes_ms = is->exp_s * 1000 - world_now_ms() +
			  (int64_t)dice_below(&a->dice, 3) - 1;
	(void)attack_spelled(a, &p);
}

void attack_from_the_future(struct attack *a)
{
	const int64_t ahead_s = 29 + (int64_t)dice_below(&a->dice, 4);
	struct issue *is = attack_issue_aged(a, attack_tool(a), -ahead_s, TTL_S);
	const struct presentation p = attack_good(is);

	(void)attack_spelled(a, &p);
}

void attack_before_the_epoch(struct attack *a)
{
	struct issue *is = attack_issue_aged(a, attack_tool(a),
					     (int64_t)dice_below(&a->dice, 3), TTL_S);
	const struct presentation p = attack_good(is);

	world_set_epoch(world_now_ms() / 1000 * 1000 - 1000 +
			(int64_t)dice_below(&a->dice, 3) * 500);
	(void)attack_spelled(a, &p);
}

void attack_epoch_meanwhile(struct attack *a)
{
	struct presentation p = attack_good_one(a, TOOL_PUT);

	p.begins_anew = true;
	(void)attack_spelled(a, &p);
	p.begins_anew = false;
	(void)attack_spelled(a, &p);
}

/* ---- Forged words ---- */

static void forge(struct attack *a, void (*by)(struct dice *, struct world *,
					       const char *, struct strbuf *))
{
	struct presentation p = attack_good_one(a, attack_tool(a));
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;

	by(&a->dice, a->world, p.word, &word);
	p.word = word.data;
	(void)attack_spelled(a, &p);
}

void attack_altered_word(struct attack *a)
{
	struct presentation p = attack_good_one(a, attack_tool(a));
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;

	forge_bytes(&a->dice, p.word, &word);
	p.word = word.data;
	(void)attack_spelled(a, &p);
}

void attack_forged_signature(struct attack *a)
{
	forge(a, forge_signature);
}

void attack_confused_key(struct attack *a)
{
	forge(a, forge_key);
}

void attack_second_spelling(struct attack *a)
{
	forge(a, forge_payload);
}

void attack_odd_member(struct attack *a)
{
	forge(a, forge_member);
}

void attack_other_type(struct attack *a)
{
	forge(a, forge_type);
}
