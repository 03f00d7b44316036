/*
 * intent_private -- what intent.c and intent_words.c share.
 */
#ifndef ACCOUNTS_INTENT_PRIVATE_H
#define ACCOUNTS_INTENT_PRIVATE_H

#include "servers/accounts/intent.h"
#include "servers/accounts/undo.h"

/* One account, and what is to come of it. */
struct target {
	const struct intent *intent;
	const struct account_system *system;
	const struct account *account;
	bool is_ours;    /* its lock was set here */
	int64_t ends_ms; /* when that lock ends by itself now; 0: it does not */
	json_t *open;    /* owned: approvals with open steps for it */
	/* Of a block and of sessions, by facet; of an unblock, in its order. */
	struct facet_step steps[FACET_COUNT];
	struct undo_plan undo;
	bool sets_lock;                /* a step acts that does */
	char lock[ACCOUNT_LOCK_BYTES]; /* as it reads then */
	bool reschedule; /* when it ends becomes the intent's 'expires_ms' */
	bool acts;       /* any step does */
};

static inline const char *target_system(const struct target *t)
{
	return t->system->backend->system;
}

/* Effects and warnings of one account. */
bool intent_say(const struct target *t, struct plan *plan, struct error *err);

#endif
