/*
 * overlap -- which effects of earlier calls a later one in the same decision counts on.
 *
 * Plans are made before anything runs. What a plan counts on it names (guard/plan.h,
 * 'assumes'); and where an earlier call changes something that a later one touches
 * without counting on it, that is said too, because it will stop there if that matters:
 * each call is planned again when its turn comes. Pure.
 */
#ifndef GATE_OVERLAP_H
#define GATE_OVERLAP_H

#include "base/json.h"

/* Whether 'plan', of the call with index 'seq' in 'prompts' (as they run; those before it
 * at least), names only effects of earlier calls at its server. */
bool overlap_check(const json_t *plan, size_t seq, const json_t *const *plans,
		   const char *const *servers, struct error *err);

/* 'prompts' and 'plans' (null where there is none) of calls in the order in which they
 * run. An array of sentences in visible form; NULL without memory. */
json_t *overlap_warnings(const json_t *prompts, const json_t *plans) _must_use_;

#endif
