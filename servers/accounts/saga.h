/*
 * saga -- a block, an unblock or an ending of sessions, over systems and facets.
 *
 * Everything that people approved is one document, written before anything is done.
 * Sign-in comes first in every system, then sessions, tokens, memberships; giving back
 * goes the other way round. What fails in one system stops no other. Each step is on
 * record before it begins and when it ended, so that whoever finds the document after a
 * crash knows which steps may have happened: those are read first, and done again only
 * where reading does not show them (backend.h: repeating is harmless).
 *
 *   planned    not begun
 *   started    it may have happened
 *   verified   read back, and so
 *   accepted   the system said yes and has no way of showing it
 *   requested  the system said yes and does not show it yet; read again
 *   retry      nothing happened, or it cannot be read; tried again at 'retry_ms'
 *   refused    it cannot be done as approved; nothing was done
 *   given_up   time is over; 'sent' says whether it may have happened
 *   superseded a later decision about this account took its place
 *
 * Open are planned, started, requested, retry. Trying again was approved with the plan,
 * which named until when; after that only reading is left, and then giving up, which
 * says exactly what is open.
 *
 * Documents of the collection "sagas", id the approval's: {approval, kind, state: open|
 * closed, by, approved_by, reason, incident?, ticket?, at_ms, retry_until_ms, person,
 * accounts: [{system, identifier, id, uid, display_name, email, act, expires_ms,
 * reschedule, lock?, overtaken?: [{facet, holding}]}], steps: [{account, facet, change, snapshot?, lock?, holding?,
 * phase, sent, attempts, retry_ms, code?, message?, count?}]}; 'account' is an index,
 * 'holding' the approval whose snapshot an unblock gives back.
 */
#ifndef ACCOUNTS_SAGA_H
#define ACCOUNTS_SAGA_H

#include <stdatomic.h>

#include "guard/audit.h"
#include "servers/accounts/record.h"
#include "servers/accounts/turns.h"

enum {
	SAGA_RETRY_MS = 5 * 1000, /* doubled each time */
	SAGA_RETRY_MAX_MS = 10 * 60 * 1000,
	SAGA_RETRY_FOR_MS = 60 * 60 * 1000, /* after the plan was made */
	SAGA_STEPS_MAX = 64,
	SAGA_FORGET_MAX = 100,
};

enum saga_kind { SAGA_BLOCK, SAGA_UNBLOCK, SAGA_REVOKE };
/* How long those that are closed are kept. */
#define SAGA_KEEP_MS (90LL * 24 * 60 * 60 * 1000)

/* "block", "unblock", "revoke" */
const char *saga_kind_name(enum saga_kind kind);

/* What it works with; everything is borrowed. */
struct saga_env {
	const struct account_system *systems;
	size_t system_count;
	struct documents *records;
	struct turns *turns; /* of accounts */
	struct turns *sagas; /* of sagas: one at a time works on one */
	/* The chain that what runs by itself is told to, before and after. NULL: a call is
	 * under way, and its caller tells. */
	struct audit *audit;
	const atomic_bool *stopping; /* begin nothing more; NULL: never */
	int64_t now_ms;
	int64_t deadline_mono_ms; /* what has not begun by then is left for later; 0: none */
	/* Tests: places where a process may die. NULL: nothing. */
	void (*point)(void *context, const char *where);
	void *point_context;
	/* Told of every account that was changed by a step. NULL: nobody. */
	void (*changed)(void *context, const json_t *account);
	void *changed_context;
};
const struct account_system *saga_system(const struct saga_env *env, const char *name);

/*
 * Put on record what is to be done: a body as above with steps that are planned, of
 * which older sagas' open steps of the same accounts and facets are superseded. Events,
 * ends and snapshots follow where they belong. Nothing is done yet. Steals 'body'.
 */
bool saga_begin(const struct saga_env *env, json_t *body, struct error *err);
/* Work on all steps that are due, once each; '*ret' (may be NULL): the document as it is
 * then, a new reference. False: the record or the log failed; steps may be open. */
bool saga_work(const struct saga_env *env, const char *approval, json_t **ret,
	       struct error *err);
/* All that are open. False: the record or the log failed (the first failure). */
bool saga_work_all(const struct saga_env *env, struct error *err);

/* The document; '*ret' NULL if there is none. New reference. */
bool saga_get(struct documents *d, const char *approval, json_t **ret, struct error *err);
/* Approvals of the open sagas that have an open step for this account ('system' NULL: of
 * all that are open): a new array of texts, sorted. */
bool saga_list_open(struct documents *d, const char *system, const char *id, json_t **ret,
		    struct error *err);

/* The latest first (ids of approvals are in the order of their making), at most 'limit';
 * ends early when 'fn' returns false. */
bool saga_each(struct documents *d, size_t limit,
	       bool (*fn)(void *context, const json_t *saga), void *context,
	       struct error *err);

/* Forget the oldest that are closed and began before 'before_ms', at most SAGA_FORGET_MAX;
 * snapshots that an unblock needs stand elsewhere (held.h), the story in the audit log. */
bool saga_forget(struct documents *d, int64_t before_ms, struct error *err);

bool saga_step_is_open(const json_t *step);
/* Whether the step did what it was to do, as far as can be known. */
bool saga_step_is_done(const json_t *step);

#endif
