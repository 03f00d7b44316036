/* One presentation, judged by the model and done by the server: they must agree. */
#include "attacks/attack.h"

#include <stdio.h>
#include <string.h>

#include "gate/outcome.h"

static const char *const verdicts[] = { "refused", "executed", "spent" };
static const char *const outcomes[] = { "succeeded", "failed", "unknown", "not run",
					"running" };

static _Noreturn void differ(const struct attack *a, const struct presentation *p,
			     const char *arguments, const char *what,
			     const json_t *answer)
{
	char *text = json_dumps(answer, JSON_COMPACT);

	(void)printf("not ok 1 - '%s' of item %llu: %s\n", a->kind,
		     (unsigned long long)a->item, what);
	(void)printf("# again with --seed %llu\n", (unsigned long long)a->seed);
	(void)printf("# %s at %s for %s: %s\n# word %s\n# answer %s\n1..1\n",
		     tool_word(p->tool), instance_names[p->instance],
		     p->requester ? p->requester : "the gate", arguments,
		     p->word ? p->word : "none", text ? text : "?");
	(void)fflush(stdout);
	_exit(1);
}

static bool is_same_call(const struct issue *is, const struct presentation *p)
{
	return is->instance == p->instance && is->meaning.tool == p->tool &&
	       p->is_readable && meaning_equal(&is->meaning, &p->meaning) &&
	       (!p->requester || strcmp(p->requester, is->requester) == 0);
}

/* What the one who presented it is told, and what the gate makes of that. */
static const char *judge_outcome(const struct presentation *p, const struct issue *is,
				 enum verdict verdict, const json_t *answer)
{
	static char why[96];
	const struct outcome o = outcome_read(answer, "fixture", is ? is->id : "none");
	enum outcome_kind wanted = OUTCOME_NOT_RUN;

	if (verdict == EXECUTE)
		wanted = OUTCOME_SUCCEEDED;
	else if (verdict == SPEND)
		wanted = p->begins_anew ? OUTCOME_UNKNOWN : OUTCOME_FAILED;
	else if (is && is->is_executed && is_same_call(is, p))
		wanted =
			OUTCOME_SUCCEEDED; /* a repeat gets the outcome, not a second run */
	else if (o.kind != OUTCOME_SUCCEEDED)
		return NULL; /* that it was not done can be said in several ways */
	if (o.kind == wanted)
		return NULL;
	(void)snprintf(why, sizeof why, "it was %s, and told '%s'", verdicts[verdict],
		       outcomes[o.kind]);
	return why;
}

static const char *judge_run(const struct attack *a, const struct issue *is,
			     enum verdict verdict, size_t runs)
{
	const struct run *run = world_last_run(a->world);
	static char why[96];

	if (runs != (verdict == EXECUTE ? 1 : 0)) {
		(void)snprintf(why, sizeof why,
			       "it should have been %s, and ran %zu times",
			       verdicts[verdict], runs);
		return why;
	}
	if (verdict != EXECUTE)
		return NULL;
	if (strcmp(run->id, is->id) != 0)
		return "it ran under another approval";
	if (strcmp(run->requester, is->requester) != 0)
		return "it ran for somebody else";
	return meaning_equal(&run->meaning, &is->meaning) ? NULL
							  : "something else was run";
}

bool attack_present(struct attack *a, const struct presentation *p, const char *arguments)
{
	const struct presented_call call = { .instance = p->instance,
					     .tool = p->tool,
					     .arguments = arguments,
					     .word = p->word ? p->word : "",
					     .state = p->state,
					     .requester = p->requester };
	struct issue *is = NULL;
	const enum verdict verdict = model_judge(a->issues, a->world, p, &is);
	const size_t before = world_runs(a->world);

	world_plan_takes(a->world, p->plan_takes_ms, p->begins_anew);
	json_auto_t *answer = world_call(a->world, &call);
	world_plan_takes(a->world, 0, false);
	const char *why = judge_run(a, is, verdict, world_runs(a->world) - before);

	if (!why)
		why = judge_outcome(p, is, verdict, answer);
	if (why)
		differ(a, p, arguments, why, answer);
	if (verdict != REFUSE)
		is->is_spent = true;
	if (verdict == EXECUTE)
		is->is_executed = true;
	return verdict == EXECUTE;
}
