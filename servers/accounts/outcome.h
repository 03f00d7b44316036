/*
 * outcome -- what came of a saga so far, for the caller: JSON and words, system by
 * system and facet by facet, with what is still open and how a block is undone.
 */
#ifndef ACCOUNTS_OUTCOME_H
#define ACCOUNTS_OUTCOME_H

#include "servers/accounts/accounts.h"
#include "servers/accounts/saga.h"

/*
 * Reads each account once more for its state. False: nothing succeeded, and 'err' is why
 * (the first failure, with until when it is tried again), or there is no memory.
 */
bool outcome_report(const struct saga_env *env, const json_t *saga,
		    struct mcp_result *result, struct error *err);

#endif
