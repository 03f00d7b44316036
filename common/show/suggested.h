/*
 * suggested -- the call that a playbook's step suggests, on its way to become a proposal.
 *
 * Whoever wrote the page wrote the suggestion: it is only what a form begins with. A person
 * names the step, sees every value, and proposes; then the call goes the way of any other.
 * The same for every surface: a console's "/playbook PAGE 4" and a button whose value is
 * "PAGE 4" both call get_playbook for PAGE as that person, take the step out of its structured
 * answer, and open the surface's own form with what suggested_arguments() leaves. Pure.
 */
#ifndef SHOW_SUGGESTED_H
#define SHOW_SUGGESTED_H

#include "base/json.h"

/* "first steps.md 4": the page's id, which may have spaces, new, and the step from 1. A page
 * alone has step 0. False with 'err' for anything else. */
bool suggested_read(const char *text, char **ret_page, int64_t *ret_step,
		    struct error *err);

/* The step of an answer of get_playbook; borrowed. ERR_NOT_FOUND. */
const json_t *suggested_step(const json_t *answer, int64_t step, struct error *err);
/* Its suggestion {tool, arguments}, borrowed: one that names a tool and has no fault. Else
 * ERR_NOT_FOUND, or ERR_INVALID_ARGUMENT with what is wrong. */
const json_t *suggested_call(const json_t *step, struct error *err);

/* Whether a value stands there to be filled in: text like "<person>". */
bool suggested_is_blank(const json_t *value);
/* What a form may begin with: without what is blank, or no argument by the tool's schema.
 * New; NULL without memory. */
json_t *suggested_arguments(const json_t *schema, const json_t *call);

#endif
