/*
 * intent -- what blocking, unblocking or ending sessions would do to a person's
 * accounts: the plan that people see, and the data that a saga is made of.
 *
 * Reads systems and records, changes nothing; the same for the same state and time.
 * Every effect that comes later under the same yes is named: the end of a block, and
 * until when what fails is tried again. Refused before anybody is asked: protected
 * accounts, and what cannot be done anywhere, each with its reason.
 */
#ifndef ACCOUNTS_INTENT_H
#define ACCOUNTS_INTENT_H

#include "guard/plan.h"
#include "servers/accounts/resolve.h"
#include "servers/accounts/saga.h"

struct intent {
	enum saga_kind kind;
	bool sessions;      /* a block ends sessions and tokens as well */
	int64_t expires_ms; /* a block ends by itself then; 0: it does not */
	int64_t now_ms;     /* when the plan is made */
};

/* Effects and warnings, state and data of 'plan'. */
bool intent_plan(struct documents *records, const struct intent *intent,
		 const struct person *person, struct plan *plan, struct error *err);
/* A person's yes may come after the end that it was for: ERR_PRECONDITION_FAILED. */
bool intent_check_end(const json_t *data, int64_t now_ms, struct error *err);
/* What such data, approved, makes a saga of; new reference, NULL without memory. 'event'
 * has everything but its action. */
json_t *intent_saga(const json_t *data, const struct record_event *event) _must_use_;

#endif
