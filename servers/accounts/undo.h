/*
 * undo -- how what our blocks changed is given back: planned for people, and done by
 * itself when a block ends.
 *
 * Memberships first and sign-in last: who can sign in again finds everything in place.
 * Only what the snapshots say (held.h), as far as it still is as the block left it.
 */
#ifndef ACCOUNTS_UNDO_H
#define ACCOUNTS_UNDO_H

#include "servers/accounts/held.h"
#include "servers/accounts/record.h"

enum { UNDO_STEPS_MAX = FACET_COUNT * HELD_MAX };

struct undo_step {
	enum account_facet facet;
	char *holding; /* the approval whose snapshot it gives back; NULL: none of ours */
	struct facet_step step;
};

struct undo_plan {
	struct undo_step steps[UNDO_STEPS_MAX];
	size_t count;
};
void undo_plan_done(struct undo_plan *p);

/*
 * What giving back would do to this account, as it was just read. 'facets' is a set of
 * bits, 1u << facet. A lock that is not ours is lifted only if 'also_others', and only
 * when there is no snapshot of ours of that facet. Steps without 'act' are in it, for
 * what they have to say.
 */
bool undo_plan_make(struct documents *d, const struct account_system *system,
		    const struct account *account, unsigned facets, bool also_others,
		    int64_t now_ms, struct undo_plan *ret, struct error *err);
/* The facet whose change sets the account's lock. */
enum account_facet undo_lock_facet(const struct account_system *system);

struct undo_outcome {
	bool changed;  /* something was applied, or may have been */
	bool verified; /* all of it was read back */
};
/*
 * Plan and do it, under what was approved with the block. The caller holds the account's
 * turn, has the account as it was just read, and calls again after a failure (the first
 * one; the rest was tried all the same). What cannot be given back any more is let go.
 */
bool undo_account(struct documents *d, const struct account_system *system,
		  const struct account *account, int64_t now_ms, struct undo_outcome *ret,
		  struct error *err);
/* Whether the giving back of the lock began, and reads as done. */
bool undo_lock_is_done(struct documents *d, const struct account_system *system,
		       const struct account *account, int64_t now_ms, bool *ret,
		       struct error *err);

#endif
