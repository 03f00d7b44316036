/* Attacks by processes that should have shared a store, and by taking back too late. */
#include "attacks/kinds.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { RACERS = 4, SLOW_S = 12 };

/* Signed again with members of a process that is set up wrong. */
static void sign_elsewhere(struct attack *a, struct issue *is, const char *store,
			   const char *gate_store)
{
	struct grant g;

	attack_read(a, is->word, &g);
	if (store)
		(void)snprintf(g.store, sizeof g.store, "%s", store);
	if (gate_store)
		(void)snprintf(g.gate_store, sizeof g.gate_store, "%s", gate_store);
	attack_sign_again(a, is, &g);
	is->is_elsewhere = true;
}

static struct issue *fresh_issue(struct attack *a, enum tool t)
{
	return attack_issue_aged(a, t, 0, TTL_S);
}

/* A replica with a store of its own, behind the same address. */
void attack_other_store(struct attack *a)
{
	static const char *const others[] = { "elsewhere", "a", "-" };
	struct issue *is = fresh_issue(a, attack_tool(a));
	const size_t n = dice_below(&a->dice, ARRAY_SIZE(others) + 1);

	sign_elsewhere(a, is,
		       n < ARRAY_SIZE(others) ? others[n]
					      : world_store(a->world, 1 - is->instance),
		       NULL);
	struct presentation p = attack_good(is);
	if (dice_chance(&a->dice, 30))
		p.requester = is->requester;
	(void)attack_spelled(a, &p);
	(void)attack_spelled(a, &p);
}

void attack_other_gate(struct attack *a)
{
	static const char *const others[] = { "thegatesow", "thegatesown1", "another" };
	struct issue *is = fresh_issue(a, attack_tool(a));
	const struct meaning m = attack_meaning(a, TOOL_ROUTE);
	const unsigned who = attack_rules(a);

	a->kept = is;
	const struct presentation good =
		attack_good(attack_issue_of(a, &m, is->instance, who, 0, TTL_S));
	a->kept = NULL;

	/* Its own gate was first, and at this very instance: another has not heard of it. */
	attack_must(a, attack_spelled(a, &good));
	sign_elsewhere(a, is, NULL, others[dice_below(&a->dice, ARRAY_SIZE(others))]);
	const struct presentation p = attack_good(is);
	(void)attack_spelled(a, &p);
}

/* From then on a gate that runs on the store of before (a copy of it) is refused. */
void attack_gate_begins_anew(struct attack *a)
{
	const int64_t before_ms = play_gate_epoch_ms(a->play);
	const unsigned who = attack_rules(a);
	struct issue *is;
	struct grant g;

	play_begin_anew(a->play);
	for (size_t i = 0; i < INSTANCES; i++) {
		const struct meaning m = attack_meaning(a, TOOL_ROUTE);

		is = attack_issue_of(a, &m, i, who, 0, TTL_S);
		const struct presentation p = attack_good(is);
		attack_must(a, attack_spelled(a, &p));
	}
	model_gate_epoch_ms = play_gate_epoch_ms(a->play);
	is = fresh_issue(a, attack_tool(a));
	attack_read(a, is->word, &g);
	g.gate_epoch_ms = is->gate_epoch_ms = before_ms;
	g.iat += (int64_t)dice_below(&a->dice, SLOW_S);
	is->iat_s = g.iat;
	attack_sign_again(a, is, &g);
	const struct presentation p = attack_good(is);
	(void)attack_spelled(a, &p);
}

/* ---- Taken back ---- */

struct racer {
	pthread_t thread;
	const struct attack *attack;
	struct presented_call call;
	json_t *answer;
};

static void *race(void *argument)
{
	struct racer *r = argument;

	r->answer = world_call(r->attack->world, &r->call);
	return NULL;
}

static bool is_revoked(const json_t *answer)
{
	const json_t *error =
		json_object_get(json_object_get(answer, "structuredContent"), "error");
	const char *state = json_get_string(json_object_get(error, "details"), "state");

	return state && strcmp(state, "revoked") == 0;
}

/* Some want it to run, some that it never does, and some only ask: one of the first two is
 * first, and all are told the same. */
void attack_taken_back(struct attack *a)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct issue *is = fresh_issue(a, attack_tool(a));
	const struct presentation p = attack_good(is);
	const size_t before = world_runs(a->world);
	struct racer racers[RACERS];
	bool is_back = false;

	meaning_spell(&p.meaning, &a->dice, &text);
	for (size_t i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){
			.attack = a,
			.call = { .instance = p.instance,
				  .tool = p.tool,
				  .arguments = text.data,
				  .word = p.word,
				  .state = p.state,
				  .take_back = i == 0 ||
					       (i == 3 && dice_chance(&a->dice, 50)),
				  .look = i == 2 }
		};
		if (pthread_create(&racers[i].thread, NULL, race, &racers[i]) != 0)
			broken("no thread");
	}
	for (size_t i = 0; i < RACERS; i++) {
		(void)pthread_join(racers[i].thread, NULL);
		is_back = is_back ||
			  (racers[i].call.take_back && is_revoked(racers[i].answer));
		json_decref(racers[i].answer);
	}
	if (world_runs(a->world) - before != (is_back ? 0 : 1))
		attack_differs(a,
			       is_back ? "it ran, and was told to be taken back"
				       : "it was not taken back, and did not run once");
	is->is_spent = true;
	is->is_executed = !is_back;
	(void)attack_spelled(a, &p);
}
