/*
 * gate_store -- gates that share a key share one store.
 *
 * Two gates with one key and a store each would know nothing of each other's denials,
 * rates and records. Each grant says which store its gate had, and since when that store
 * runs (its epoch); a server keeps, by key, what it saw: "gate/<kid>" is "<store> <epoch>".
 *
 * Refused is a grant from another store than the first one seen under its key, and one
 * that was signed under an epoch when a later one had long begun: there is a copy of the
 * store then, or the process that has the older one should be dead. A new key begins anew
 * (wingman keys rotate), and so does a gate whose store was lost.
 */
#ifndef GUARD_GATE_STORE_H
#define GUARD_GATE_STORE_H

#include "guard/grant.h"
#include "link/coordination/coordination.h"

/* A gate that stops signs for so long, at the most, after the next one has begun. */
enum { GATE_STORE_OVERLAP_S = 5 };

/* ERR_APPROVAL_INVALID: as above. A grant that does not say is taken. 'c' is the server's. */
bool gate_store_check(struct coordination *c, const struct grant *g, struct error *err);

#endif
