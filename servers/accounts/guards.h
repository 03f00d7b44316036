/*
 * guards -- what is refused, or wants a second person, before anybody is asked.
 *
 * Protected people by any of their names, in every system at once (what a system
 * protects by itself is its backend's: subtrees, groups, owners, the last
 * administrator); the caller himself; and many people in a short time, which needs a
 * second approver: one who blocks a whole department is wrong or taken over.
 *
 * Configuration (members of the server's backend; the schema judges):
 *   protected: { people: [e-mail, user name or identifier] }
 *   mass_action: { people_per_hour: 5, all_per_hour: 20 }
 *
 * Who was acted on when: documents of the collection "moments", id
 * "<wall ms, 15 digits>-<approval>": {by, person, kind}.
 */
#ifndef ACCOUNTS_GUARDS_H
#define ACCOUNTS_GUARDS_H

#include "guard/plan.h"
#include "servers/accounts/resolve.h"
#include "servers/accounts/saga.h"

enum {
	GUARD_PEOPLE_PER_HOUR = 5,
	GUARD_ALL_PER_HOUR = 20,
	GUARD_WINDOW_MS = 60 * 60 * 1000,
	GUARD_MOMENTS_MAX = 2000, /* looked at */
};

struct guards {
	const json_t *people; /* of 'protected'; borrowed; NULL: none */
	int64_t people_per_hour, all_per_hour;
};
/* Borrows 'config', which may be NULL. */
bool guards_read(const json_t *config, struct guards *ret, struct error *err);

/* ERR_PROTECTED with the reason; or what the plan then requires. */
bool guards_check(const struct guards *g, struct documents *records, enum saga_kind kind,
		  const char *requester, const struct person *person, int64_t now_ms,
		  struct plan *plan, struct error *err);
/* That it is done, before it is. */
bool guards_note(struct documents *records, enum saga_kind kind, const char *requester,
		 const char *approval, const char *person, int64_t now_ms,
		 struct error *err);

#endif
