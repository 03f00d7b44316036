/*
 * people_answer -- what the people server says of a name becomes a person with accounts.
 *
 * The answer is find_person's (schemas/people/find_person.json). For what changes
 * accounts only 'unique' via 'identifier' will do, and no answer that is too old; any
 * other is ERR_AMBIGUOUS with the candidates, each with the 'choice' of arguments that
 * means it, for a person to pick from. A read may also rest on a whole name that one
 * person alone has; on a likeness, nothing may.
 *
 * The answer is not believed in what can be looked up: each account is read in its own
 * system by the identifier that the answer gives, and must be the one with the id, user
 * name or e-mail address that it gives. One that is another is ERR_PRECONDITION_FAILED.
 * What is not there, or not in reach, becomes a note for the plan.
 */
#ifndef ACCOUNTS_PEOPLE_ANSWER_H
#define ACCOUNTS_PEOPLE_ANSWER_H

#include "servers/accounts/resolve.h"

struct people_question {
	const struct account_system *systems;
	size_t count;
	const bool *wanted; /* by system */
	const char *text;   /* what was asked for */
	bool is_change;     /* accounts are going to be changed */
	int64_t max_age_s;  /* of an answer for that */
	int64_t now_ms;
};

/* '*ret_candidates' as in resolve_person. A person without accounts in reach has none. */
bool people_answer_read(const struct people_question *q, const json_t *answer,
			struct person *ret, json_t **ret_candidates, struct error *err);

#endif
