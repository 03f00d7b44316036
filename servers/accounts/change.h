/*
 * change -- one account blocked or unblocked, as planned and no other way.
 *
 * Reads what is there, records who does it and when a block ends by itself, acts only
 * while the account has the id and the lock that were planned for, reads again. What
 * cannot be settled by reading is ERR_UNKNOWN_OUTCOME. The caller holds the account's
 * turn (turns.h). Knows nothing of MCP.
 */
#ifndef ACCOUNTS_CHANGE_H
#define ACCOUNTS_CHANGE_H

#include "servers/accounts/record.h"

enum change_kind { CHANGE_BLOCK, CHANGE_UNBLOCK };

/* One account of a plan's data; borrowed. */
struct change {
	enum change_kind kind;
	const struct account_system *system;
	const char *identifier, *id, *lock;
	bool act; /* false: planned as already so */
	/* When the block ends by itself becomes 'expires_ms' (wall; 0: it does not). */
	bool reschedule;
	int64_t expires_ms;
};

struct change_outcome {
	enum account_state before, after;
	bool changed;  /* the account, or when its block ends */
	bool verified; /* 'after' was read back, and is what was wanted */
};

bool change_account(const struct change *change, struct documents *records,
		    const struct record_event *event, int64_t now_ms,
		    struct change_outcome *ret, struct error *err);

#endif
