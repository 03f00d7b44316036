/*
 * expiry -- our record of the blocks that end by themselves.
 *
 * Written before the block is, so that no block outlasts what was approved for it.
 * It names the account by its id and the lock by its text: it ends that lock and no
 * other. One an account; a later one takes its place. What happens at the end is
 * expire.h's.
 *
 * Documents of the collection "expiries", id "<system>:<id>", the members as below.
 */
#ifndef ACCOUNTS_EXPIRY_H
#define ACCOUNTS_EXPIRY_H

#include "link/documents/documents.h"
#include "servers/accounts/backend.h"

struct expiry {
	const char *system, *id, *identifier, *lock;
	const char *by, *approved_by, *approval; /* of the block that is to end */
	int64_t at_ms;
	/* How the end goes. */
	bool foretold;    /* the audit log knows that it will be due soon */
	bool announced;   /* the audit log knows that it is due */
	bool ending;      /* the unblock may have happened */
	bool reported;    /* the audit log knows that it failed */
	int64_t attempts; /* that failed */
	int64_t retry_ms; /* not before then; 0: at once */
	const char *why;  /* the last failure, "" for none */
	json_t *body;     /* owned: what the texts of one that was read point into */
};
void expiry_done(struct expiry *x);

/* Durable when true; takes the place of the one before. */
bool expiry_put(struct documents *d, const struct expiry *x, struct error *err);
/* There is none afterwards. */
bool expiry_remove(struct documents *d, const char *system, const char *id,
		   struct error *err);
bool expiry_get(struct documents *d, const char *system, const char *id,
		struct expiry *ret, bool *ret_found, struct error *err);
/* The one that will end the lock that this account has now. */
bool expiry_find(struct documents *d, const char *system, const struct account *account,
		 struct expiry *ret, bool *ret_found, struct error *err);
/* All of them, as a new array of {system, id}. */
bool expiry_list(struct documents *d, json_t **ret, struct error *err);

#endif
