/*
 * held -- what our blocks changed and have not given back: the basis of restoring.
 *
 * Written before a facet is changed and dropped when it was given back, so that there
 * is a snapshot for whatever may have happened. The newest block of a facet that sets
 * the lock takes the place of an older one, whose lock is gone; of other facets all are
 * kept, for each took away something else (at most HELD_MAX, then the oldest goes).
 *
 * Documents of the collection "held", id "<system>:<id>": {system, id, identifier,
 * facets: {<facet>: [{approval, snapshot, undo?}]}}; 'undo' is the change that is
 * giving it back, if one has begun. The caller holds the account's turn (turns.h).
 */
#ifndef ACCOUNTS_HELD_H
#define ACCOUNTS_HELD_H

#include "link/documents/documents.h"
#include "servers/accounts/backend.h"

enum { HELD_MAX = 8 };

/* Whose. Borrowed. */
struct held_key {
	const char *system, *identifier, *id;
};

/* Durable when true. The same approval's earlier one is replaced. */
bool held_add(struct documents *d, const struct held_key *key, enum account_facet facet,
	      const char *approval, const json_t *snapshot, bool replaces,
	      struct error *err);
/* There is none of this approval afterwards. */
bool held_drop(struct documents *d, const struct held_key *key, enum account_facet facet,
	       const char *approval, struct error *err);
/* That it is being given back, by this change. */
bool held_begin_undo(struct documents *d, const struct held_key *key,
		     enum account_facet facet, const char *approval, const json_t *change,
		     struct error *err);
/* All of a facet, the oldest first: a new array, empty for none. */
bool held_list(struct documents *d, const char *system, const char *id,
	       enum account_facet facet, json_t **ret, struct error *err);

#endif
