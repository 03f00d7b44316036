/*
 * record -- our own memory of who blocked and unblocked what, when and why.
 *
 * A system's lock does not say who set it. An event is written before the act, so
 * that no block can come about that nobody is on record for, and taken back when
 * the act did not happen. The truth about whether an account is blocked stays with
 * its system; the record only says how it came to be.
 *
 * Documents of the collection "accounts", id "<system>:<id>": {system, id,
 * identifier, uid, display_name, email, events: [{action, at, by, approved_by,
 * approval, reason, incident?, ticket?, lock?, expires_at?}]}, the latest last,
 * RECORD_EVENTS_MAX kept.
 */
#ifndef ACCOUNTS_RECORD_H
#define ACCOUNTS_RECORD_H

#include "link/documents/documents.h"
#include "servers/accounts/backend.h"

enum { RECORD_EVENTS_MAX = 50 };

struct record_event {
	/* "blocked", "unblocked", "changed_elsewhere"; and what leaves the lock as it is:
	 * "rescheduled", "sessions_ended", "restored" */
	const char *action;
	int64_t at_ms;
	const char *by, *approved_by, *approval, *reason;
	const char *incident, *ticket; /* NULL: none */
	const char *lock;   /* how the lock reads that a block sets; NULL: none is set */
	int64_t expires_ms; /* when the block is to end by itself; 0: it is not */
};

/* Durable when true. */
bool record_add(struct documents *d, const char *system, const struct account *account,
		const struct record_event *event, struct error *err);
/* Take back what record_add wrote under this approval. */
bool record_remove(struct documents *d, const char *system, const struct account *account,
		   const struct record_event *event, struct error *err);
/* The event that explains the lock that an account has now: the last one, if it is a
 * block that set a lock which reads so. New reference, or NULL ('*ret_event') when
 * nobody set it here. Where all locks read the same, one that was taken away and set
 * again elsewhere is not told from ours, unless somebody saw it gone. */
bool record_explain(struct documents *d, const char *system,
		    const struct account *account, json_t **ret_event, struct error *err);

#endif
