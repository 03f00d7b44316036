/* Attacks on decisions: who says yes, to what, when, and what comes in between. */
#include <stdio.h>
#include <string.h>

#include "attacks/kinds.h"

enum twist { PLAIN, TWICE, STRANGER, STALE, TIMES, POLICY, ENDS };
enum { STEPS_MAX = 6 };

struct scene {
	struct attack *attack;
	struct request *request;
	struct asked *asked;
	enum twist twist;
};

static const struct rules *rules_of(const struct scene *s)
{
	return &rule_sets[play_rules(s->attack->play)];
}

/* ---- One click ---- */

static const char *pick_person(const struct scene *s)
{
	static const char *const names[] = {
		"",
		"alice",
		"ALICE@EXAMPLE.ORG",
		"alice@example.org ",
		" alice@example.org",
		"\xd0\xb0lice@example.org",
		"alice@example.org\n",
		"alice@example.org,bob@example.org",
		"service/gate",
		"gate",
		"*",
		"bob@example.org\xe2\x80\x8b",
	};
	struct dice *d = &s->attack->dice;

	if (s->twist == STRANGER && dice_chance(d, 60))
		return names[dice_below(d, ARRAY_SIZE(names))];
	return person_names[dice_below(d, PERSONS)];
}

/* The digest of the prompt, or something close to it. */
static void pick_shown(const struct scene *s, char ret[static 80])
{
	struct dice *d = &s->attack->dice;
	const size_t at = dice_below(d, 64);

	(void)snprintf(ret, 80, "%s", s->asked->shown);
	if (s->twist != STALE || dice_chance(d, 30))
		return;
	switch (dice_below(d, 6)) {
	case 0: /* what stands there for eyes */
		ret[12] = '\0';
		break;
	case 1:
		ret[at] = ret[at] == '0' ? '1' : '0';
		break;
	case 2: /* that of another prompt */
		digest_sha256_hex(s->attack, sizeof s->attack->dice, ret);
		break;
	case 3:
		ret[0] = '\0';
		break;
	case 4:
		(void)snprintf(ret + 64, 16, "%s", dice_chance(d, 50) ? "0" : " ");
		break;
	default:
		for (size_t i = 0; i < 64; i++)
			if (ret[i] >= 'a')
				ret[i] = (char)(ret[i] - 'a' + 'A');
	}
}

static void click(struct scene *s, const char *who, bool is_yes)
{
	char shown[80];

	pick_shown(s, shown);
	const struct click c = { who, shown, is_yes };
	const bool wanted = model_click(s->asked, rules_of(s), &c, world_now_ms());
	const bool counted = play_click(s->attack->play, s->request, &c);

	if (counted != wanted)
		attack_differs(s->attack, counted ? "a click counted that should not have"
						  : "a good click did not count");
	/* At once the same again: never a second yes. */
	if (s->twist == TWICE || dice_chance(&s->attack->dice, 10)) {
		const bool again = model_click(s->asked, rules_of(s), &c, world_now_ms());

		if (play_click(s->attack->play, s->request, &c) != again)
			attack_differs(s->attack, "a double click was judged otherwise");
	}
}

/* ---- What comes in between ---- */

static bool may_end(const struct asked *a, const char *state)
{
	if (strcmp(state, "cancelled") == 0)
		return a->state == ASKED || a->state == AGREED;
	if (strcmp(state, "revoked") == 0 || strcmp(state, "lapsed") == 0)
		return a->state == AGREED;
	return a->state == ASKED; /* expired, superseded */
}

static void end(struct scene *s)
{
	static const char *const states[] = { "cancelled", "revoked", "lapsed", "expired",
					      "superseded" };
	const char *state = states[dice_below(&s->attack->dice, ARRAY_SIZE(states))];
	const bool wanted = may_end(s->asked, state);

	if (play_end(s->request, state) != wanted)
		attack_differs(s->attack, "it ended as it may not, or did not as it may");
	if (wanted)
		s->asked->state = OVER;
}

static void pass(const struct scene *s)
{
	static const int64_t long_ms[] = { 999,
					   1000,
					   5 * 60 * 1000 - 1,
					   5 * 60 * 1000,
					   10 * 60 * 1000 - 1000,
					   10 * 60 * 1000 };
	struct dice *d = &s->attack->dice;
	int64_t ms = (int64_t)dice_below(d, 1200);

	if (s->twist == TIMES && dice_chance(d, 40))
		ms = long_ms[dice_below(d, dice_chance(d, 80) ? 2 : ARRAY_SIZE(long_ms))];
	world_set_now(world_now_ms() + ms);
}

static void step(struct scene *s)
{
	struct dice *d = &s->attack->dice;

	if (s->twist == POLICY && dice_chance(d, 40))
		play_set_rules(s->attack->play, dice_below(d, RULES));
	if (s->twist == ENDS && dice_chance(d, 25))
		end(s);
	pass(s);
	click(s, pick_person(s), !dice_chance(d, 8));
}

/* A grant, exactly if the model allows one; and then it is good once. */
static void try_grant(struct scene *s)
{
	struct attack *a = s->attack;
	struct issue *is = &a->issues[dice_below(&a->dice, ISSUES)];
	const bool wanted = model_may_sign(s->asked, rules_of(s), world_now_ms());

	if (play_sign(a->play, s->request, 0, TTL_S, is) != wanted)
		attack_differs(a, wanted ? "what was approved is not signed"
					 : "it was signed, and nobody approved it");
	if (!wanted)
		return;
	s->asked->state = SIGNED;
	if (play_sign(a->play, s->request, 0, TTL_S, is))
		attack_differs(a, "it was signed twice");
	const struct presentation p = attack_good(is);
	(void)attack_spelled(a, &p);
	if (dice_chance(&a->dice, 30))
		(void)attack_spelled(a, &p);
	click(s, pick_person(s), true);
	end(s);
}

static void clicks(struct attack *a, enum twist twist)
{
	const unsigned who = attack_rules(a);
	/* Whose words stand in it, beside those of who asks. */
	const unsigned authors = dice_chance(&a->dice, 30)
					 ? (unsigned)dice_below(&a->dice, 1U << PERSONS)
					 : 0;
	const enum tool tool = dice_chance(&a->dice, 70) ? TOOL_PUT : TOOL_ROUTE;
	const struct meaning m = attack_meaning(a, tool);
	_cleanup_(request_freep) struct request *r = play_ask(
		a->play, dice_below(&a->dice, INSTANCES), &m, who, authors, &a->dice);
	struct scene s = { a, r, request_asked(r), twist };

	/* Often long enough to read, so that most of it is not about that. */
	if (twist != TIMES && dice_chance(&a->dice, 80))
		world_set_now(world_now_ms() + 1000);
	for (size_t n = 1 + dice_below(&a->dice, STEPS_MAX); n > 0; n--)
		step(&s);
	if (twist == ENDS && dice_chance(&a->dice, 30))
		end(&s);
	if (twist == TIMES && s.asked->state == AGREED)
		world_set_now(s.asked->good_until_ms - 1 +
			      (int64_t)dice_below(&a->dice, 2));
	try_grant(&s);
}

void clicks_any(struct attack *a)
{
	clicks(a, PLAIN);
}

void clicks_double(struct attack *a)
{
	clicks(a, TWICE);
}

void clicks_stranger(struct attack *a)
{
	clicks(a, STRANGER);
}

void clicks_stale(struct attack *a)
{
	clicks(a, STALE);
}

void clicks_times(struct attack *a)
{
	clicks(a, TIMES);
}

void clicks_policy(struct attack *a)
{
	clicks(a, POLICY);
}

void clicks_ends(struct attack *a)
{
	clicks(a, ENDS);
}
