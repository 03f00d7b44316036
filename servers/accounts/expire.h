/*
 * expire -- blocks end when they were approved to.
 *
 * Gives back what the block changed (undo.h) and ends the lock that it set and no other:
 * the account's id and the lock's text must be those on record, or nothing is done, once
 * and for all. What cannot be
 * done now is tried again, ever more rarely. The audit chain of the server gets,
 * under the block's approval:
 *
 *   account.unblock_due      EXPIRE_FORETELL_MS before, or at once where less is left
 *   call.expired             it is due; before anything is done, once
 *   account.unblocked        it is done; 'verified' says whether that was read back
 *   account.unblock_failed   it could not be done and will be tried again; once
 *   account.unblock_dropped  it will not be done, and why
 *
 * If the log cannot be written, nothing is done.
 */
#ifndef ACCOUNTS_EXPIRE_H
#define ACCOUNTS_EXPIRE_H

#include <stdatomic.h>

#include "guard/audit.h"
#include "servers/accounts/expiry.h"
#include "servers/accounts/turns.h"

enum {
	EXPIRE_RETRY_MS = 5 * 1000,
	EXPIRE_RETRY_MAX_MS = 10 * 60 * 1000,
	EXPIRE_FORETELL_MS = 15 * 60 * 1000,
	EXPIRE_MISSING_MS = 24 * 60 * 60 * 1000, /* then it has gone for good */
};

struct expire {
	const struct account_system *systems;
	size_t system_count;
	struct documents *records;
	struct turns *turns;
	struct audit *audit;
	const atomic_bool *stopping; /* begin nothing more; NULL: never */
	int64_t now_ms;
	/* Also look at those that are not due: a lock that is gone, or another, is
	 * dropped now, so that a later one that reads the same is not taken for it. */
	bool watch;
};

/* Everything that is due. False: the records or the log failed (the first failure);
 * the rest was tried all the same. A system that fails is on record, not here. */
bool expire_blocks(const struct expire *e, struct error *err);

#endif
