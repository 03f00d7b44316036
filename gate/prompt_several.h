/*
 * prompt_several -- what a person must see before saying yes to several calls at once.
 *
 *   {v:1, approval, requester, surface, asked_at, expires_at, good_for_s, outcome_to,
 *    approvers: {needed, who[], four_eyes}, warnings[],
 *    calls: [{run: n, prompt: <the whole prompt of that call>}]}
 *
 * 'calls' stand most severe first: destructive, write, read; 'run' says as which they
 * run, from 1. Its digest is the 'shown' of the decision and of every grant. Pure.
 */
#ifndef GATE_PROMPT_SEVERAL_H
#define GATE_PROMPT_SEVERAL_H

#include "base/canonical.h"

struct prompt_several {
	const char *approval, *requester, *surface, *outcome_to;
	json_t *prompts; /* array, in the order in which they run; borrowed */
	json_t *plans;   /* likewise; null for a read */
	int64_t asked_at_ms, expires_at_ms, good_for_ms;
	int64_t approvers_needed;
	bool four_eyes, too_few;
	const char *const *approvers; /* NULL-terminated */
};

json_t *prompt_several_build(const struct prompt_several *in,
			     char ret_shown[static DIGEST_HEX_BYTES],
			     struct error *err) _must_use_;

#endif
