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
 * approval, reason, incident?, ticket?}]}, the latest last, RECORD_EVENTS_MAX kept.
 */
#ifndef ACCOUNTS_RECORD_H
#define ACCOUNTS_RECORD_H

#include "link/documents/documents.h"
#include "servers/accounts/backend.h"

enum { RECORD_EVENTS_MAX = 50 };

struct record_event {
	const char *action; /* "blocked", "unblocked" */
	int64_t at_ms;
	const char *by, *approved_by, *approval, *reason;
	const char *incident, *ticket; /* NULL: none */
};

/* Durable when true. */
bool record_add(struct documents *d, const char *system, const struct account *account,
		const struct record_event *event, struct error *err);
/* Take back what record_add wrote under this approval. */
bool record_remove(struct documents *d, const char *system, const struct account *account,
		   const struct record_event *event, struct error *err);
/* The event that explains why an account is blocked: the last one, if it is a block.
 * New reference, or NULL ('*ret_event') when nobody blocked it here. */
bool record_explain(struct documents *d, const char *system, const char *id,
		    json_t **ret_event, struct error *err);

#endif
