/*
 * The oracle. It is small so that it can be read, and it must not become clever: the
 * numbers stand here once more, from APPROVALS.md, and not from the headers.
 */
#include "attacks/attack.h"

#include <string.h>

enum {
	LONGEST_S = 120, /* exp - iat */
	AHEAD_S = 30,    /* of a clock that is fast */
	OVERLAP_S = 5,   /* of a gate that stops after the next has begun */
	READ_FIRST_MS = 1000,
};

/* ---- What was given out ---- */

static struct issue *find(const struct issue *issues, const char *word)
{
	for (size_t i = 0; word && i < ISSUES; i++)
		if (issues[i].word && strcmp(issues[i].word, word) == 0)
			return (struct issue *)(uintptr_t)&issues[i];
	return NULL;
}

/* The sealed word is that of a plan for the very same call by the same person. */
static bool is_its_state(const struct issue *issues, const struct issue *is,
			 const char *state, int64_t now_ms)
{
	for (size_t i = 0; state && i < ISSUES; i++) {
		const struct issue *of = &issues[i];

		if (of->state && strcmp(of->state, state) == 0)
			return of->instance == is->instance &&
			       strcmp(of->requester, is->requester) == 0 &&
			       meaning_equal(&of->meaning, &is->meaning) &&
			       strcmp(of->before, is->before) == 0 &&
			       now_ms < of->state_until_ms;
	}
	return false;
}

static bool is_in_time(const struct issue *is, int64_t now_ms)
{
	const int64_t now_s = now_ms / 1000;

	return now_s < is->exp_s && is->iat_s <= now_s + AHEAD_S &&
	       is->exp_s - is->iat_s <= LONGEST_S && is->iat_s * 1000 >= world_epoch_ms();
}

int64_t model_gate_epoch_ms;

static bool is_of_the_gate(const struct issue *is)
{
	return !is->is_elsewhere && (is->gate_epoch_ms >= model_gate_epoch_ms ||
				     is->iat_s <= model_gate_epoch_ms / 1000 + OVERLAP_S);
}

static bool is_for(const struct issue *is, const struct presentation *p)
{
	return is->instance == p->instance && is->meaning.tool == p->tool &&
	       p->is_readable && meaning_equal(&is->meaning, &p->meaning) &&
	       (!p->requester || strcmp(p->requester, is->requester) == 0) &&
	       strcmp(is->requester, person_names[MALLORY]) != 0;
}

enum verdict model_judge(const struct issue *issues, const struct world *w,
			 const struct presentation *p, struct issue **ret_issue)
{
	struct issue *is = find(issues, p->word);
	const int64_t now_ms = world_now_ms();

	*ret_issue = is;
	if (!is || is->is_spent || !is_for(is, p) || !is_in_time(is, now_ms) ||
	    !is_of_the_gate(is))
		return REFUSE;
	if (is->approvers == 0) /* echo_text alone is freed on both sides */
		return is->is_freed && p->tool == TOOL_ECHO ? EXECUTE : REFUSE;
	if (p->tool != TOOL_PUT)
		return EXECUTE;
	if (!is_its_state(issues, is, p->state, now_ms))
		return REFUSE;
	if (strcmp(world_value(w, is->meaning.key), is->before) != 0)
		return SPEND;
	if (is->meaning.key[0] >= 'z' && is->approvers < NEEDED_MAX)
		return REFUSE;
	/* While the plan was made again, things may have happened. */
	if (!is_in_time(is, now_ms + p->plan_takes_ms))
		return REFUSE;
	return p->begins_anew ? SPEND : EXECUTE;
}

/* ---- Who may decide ---- */

const char *const person_names[PERSONS] = { "alice@example.org", "bob@example.org",
					    "carol@example.org", "dave@example.org",
					    "mallory@example.org" };

#define BIT(person) (1U << (person))
#define TRIO        (BIT(ALICE) | BIT(BOB) | BIT(CAROL))
const struct rules rule_sets[RULES] = {
	{ NULL, TRIO, false, true, 1 },
	{ NULL, BIT(ALICE) | BIT(CAROL), false, true, 1 },
	{ NULL, BIT(ALICE) | BIT(BOB) | BIT(DAVE), false, true, 1 },
	{ "rules:\n  - {name: strict, four_eyes: true}\n", TRIO, true, true, 1 },
	{ "rules:\n  - {name: two, needed: 2}\n", TRIO, false, true, 2 },
	{ "rules:\n  - {name: elsewhere, server: other}\n", TRIO, false, false, 1 },
};

static unsigned person_of(const char *name)
{
	for (unsigned i = 0; i < PERSONS; i++)
		if (strcmp(person_names[i], name) == 0)
			return i;
	return PERSONS;
}

static bool counts_now(const struct asked *a, const struct rules *now, unsigned person)
{
	return person < PERSONS && (now->team & BIT(person)) && now->allows &&
	       (now->team & BIT(a->requester)) && (a->frozen & BIT(person)) &&
	       !((now->four_eyes || a->four_eyes) && (a->authors & BIT(person)));
}

static bool is_agreed(const struct asked *a, const struct rules *now)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PERSONS; i++) {
		if (!(a->said_yes & BIT(i)))
			continue;
		if (!counts_now(a, now, i))
			return false;
		count++;
	}
	return count >= a->needed && count >= now->needed;
}

bool model_click(struct asked *a, const struct rules *now, const struct click *c,
		 int64_t now_ms)
{
	const unsigned person = person_of(c->who);

	if (a->state != ASKED || now_ms >= a->until_ms ||
	    now_ms < a->posted_ms + READ_FIRST_MS || strcmp(c->shown, a->shown) != 0 ||
	    !counts_now(a, now, person))
		return false;
	if (!c->is_yes) {
		a->state = OVER;
		return true;
	}
	if (a->said_yes & BIT(person))
		return false;
	a->said_yes |= BIT(person);
	if (is_agreed(a, now)) {
		a->state = AGREED;
		a->good_until_ms = now_ms + 5 * 60 * 1000;
	}
	return true;
}

bool model_may_sign(const struct asked *a, const struct rules *now, int64_t now_ms)
{
	return a->state == AGREED && now_ms < a->good_until_ms && is_agreed(a, now);
}
