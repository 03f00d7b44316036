/*
 * plan_check -- whether JSON is a plan: exactly the members, types and limits.
 *
 * Private to guard: plan.c judges by it both what was built here and what came in
 * a message.
 */
#ifndef GUARD_PLAN_CHECK_H
#define GUARD_PLAN_CHECK_H

#include "base/json.h"

/* ERR_INVALID_ARGUMENT naming the member and the rule. Does not know PLAN_MAX. */
bool plan_check(const json_t *json, struct error *err);

#endif
