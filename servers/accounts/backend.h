/*
 * backend -- what a system that has accounts must be able to do for this server.
 *
 * One struct of functions a system: OpenLDAP, Active Directory, 389-DS, Okta, GitHub,
 * Slack are rows, without change above this line. A backend knows its own system
 * alone: not tools, plans, people of other systems, nor our record of who blocked
 * whom. It resolves nothing by likeness: only exact matches. Functions may block and
 * run on several threads at once.
 *
 * Facets. Access to an account has four sides, always worked on in this order: sign-in,
 * sessions, tokens, memberships. What a system has no notion of it *says* ('notion'); it
 * goes into every plan and outcome, so that nobody takes silence for success.
 *
 * Steps. A facet is changed by a step, which is planned first and applied later, maybe
 * by another process:
 *   plan_block   reads, changes nothing: what blocking would do (struct facet_step)
 *   plan_undo    reads: how exactly what a block changed is given back
 *   apply        does what a step's 'change' says, and nothing else
 *   read_back    reads: whether what 'change' wanted is so now
 * 'change' and 'snapshot' are JSON objects that only the backend understands. They are
 * shown to people as the plan's details, digested with the plan, kept in our record and
 * handed back as they were: no secrets, no floats, no values that differ from one
 * reading to the next (a time of last login), lists sorted, at most FACET_JSON_MAX bytes
 * each as compact JSON. Planning is a pure function of the account's state and 'now_ms':
 * it is repeated before anything runs, and any difference refuses.
 *
 *   change    all that apply and read_back need beside identifier and id: what to set,
 *             and what must still be there for it (the compare of compare-and-set)
 *   snapshot  what the block will overwrite or take away, as it is now, in full: role
 *             and teams, the old userAccountControl, the status. plan_undo gets it back
 *             and nothing else about the block, so it must also tell what the block
 *             leaves, where that is not always the same
 *
 * A block of the sign-in of LDAP: change {"expect": "", "set": "000001010000Z"},
 * snapshot {"lock": ""}; the undo: change {"expect": "000001010000Z", "set": ""}.
 *
 * Undo restores what the block changed, not what somebody else changed meanwhile: what
 * no longer is as the block left it stays as it is and is a warning ("team 'ops' was
 * deleted meanwhile"); an undo with nothing left to do has act false.
 */
#ifndef ACCOUNTS_BACKEND_H
#define ACCOUNTS_BACKEND_H

#include "base/error.h"
#include "base/json.h"
#include "base/strbuf.h"

enum {
	ACCOUNT_MATCHES_MAX = 10, /* more matches than this are only counted as "more" */
	ACCOUNT_LIST_MAX = 5000,
	ACCOUNT_LOCK_BYTES = 64,
	FACET_JSON_MAX = 6 * 1024,
	FACET_WARNINGS_MAX = 4,
};

/* ---- Accounts ----------------------------------------------------------------------- */

/* BLOCKED: of no use to the person. ABSENT: it is there, but has no place here, as one
 * that was taken out of the organisation, or never was in it. */
enum account_state { ACCOUNT_ACTIVE, ACCOUNT_BLOCKED, ACCOUNT_ABSENT, ACCOUNT_UNKNOWN };
/* "active", "blocked", "absent", "unknown" */
const char *account_state_name(enum account_state state);

/* An account as its system has it now. All texts are owned; none is NULL. */
struct account {
	char *id;                /* never given to another account: entryUUID, Okta id */
	char *identifier;        /* what people know it by: the DN, the login */
	char *uid, *name, *mail; /* "" where there is none */
	enum account_state state;
	/* The system's own text of what keeps the person out, "" for nothing: a lock, a
	 * status ("SUSPENDED"), "none" for no membership. It changes when a block is made,
	 * undone or replaced by somebody: by it our record knows its own blocks again. */
	char lock[ACCOUNT_LOCK_BYTES];
	bool permanent;   /* blocked until somebody unblocks it */
	int64_t since_ms; /* blocked since then; 0: not known */
	int64_t until_ms; /* ends by itself then; 0: it does not */
	bool obeyed;      /* whether a block would keep the person out */
	char *detail;     /* a sentence for people, or "" */
};
void account_done(struct account *a);

struct account_list {
	struct account *items;
	size_t count, capacity;
	bool more; /* there were more than are listed */
};
#define ACCOUNT_LIST_INIT                                                                \
	{                                                                                \
		0                                                                        \
	}
void account_list_done(struct account_list *list);
/* A new zeroed place at the end; NULL without memory. */
struct account *account_list_add(struct account_list *list) _must_use_;

enum account_key {
	ACCOUNT_BY_MAIL,
	ACCOUNT_BY_UID, /* user name, login, handle */
	/* account.identifier; where it cannot be mistaken for one, account.id as well:
	 * DN; Okta id or login; GitHub login; Slack user id */
	ACCOUNT_BY_IDENTIFIER,
	ACCOUNT_BY_NAME
};

/* ---- Facets ------------------------------------------------------------------------- */

enum account_facet {
	FACET_SIGN_IN,
	FACET_SESSIONS,
	FACET_TOKENS,
	FACET_MEMBERSHIPS,
	FACET_COUNT
};
/* "sign_in", "sessions", "tokens", "memberships"; and back: false for another name. */
const char *account_facet_name(enum account_facet facet);
bool account_facet_from_name(const char *name, enum account_facet *ret);

/* What a step would do. Zero it first; facet_step_done ends it. Texts are short (up to
 * 200 bytes), for people, about this facet alone. */
struct facet_step {
	/* Not in its present state, and why: "status LOCKED_OUT cannot be suspended". NULL: it
	 * can. With a reason, 'act' is false and only warnings count. */
	char *refused;
	bool act;        /* false: it is so already, there is nothing to change */
	bool reversible; /* an undo restores all of it */
	char *from, *to; /* of the plan's effect: "active", "suspended"; not NULL */
	json_t *change;  /* see above; NULL only without 'act' */
	json_t *snapshot; /* see above; NULL where there is nothing to restore, and in undos */
	/* How account.lock reads when it is done, "" for unlocked; only if 'sets_lock'. */
	bool sets_lock;
	char lock[ACCOUNT_LOCK_BYTES];
	/* What this does not end or cannot give back, what differs from the snapshot. */
	char *warnings[FACET_WARNINGS_MAX];
	size_t warning_count;
};
void facet_step_done(struct facet_step *step);
/* Set the words (copied); false without memory. */
bool facet_step_words(struct facet_step *step, const char *from, const char *to,
		      struct error *err);
bool facet_step_refuse(struct facet_step *step, struct error *err, const char *format,
		       ...) _printf_(3, 4);
/* Beyond FACET_WARNINGS_MAX the last one says that there were more. */
bool facet_step_warn(struct facet_step *step, struct error *err, const char *format, ...)
	_printf_(3, 4);

/* What a system told when it was asked to apply a step. */
struct facet_applied {
	bool has_count; /* 'count' says how many sessions or tokens it ended */
	int64_t count;
	/* With ERR_RATE_LIMITED: not before then (length, from now); 0: it did not say. */
	int64_t retry_after_ms;
};

enum facet_seen {
	FACET_SEEN_DONE,    /* it is as the step wanted: "verified" */
	FACET_SEEN_PENDING, /* accepted, and not shown yet, as vendors do who act later:
			     * "requested"; it is read again */
	FACET_SEEN_NOT,     /* it is not so */
	/* The system accepts this and has no way of showing it (Okta's sessions):
	 * "accepted", never "verified". */
	FACET_SEEN_BLIND,
};

struct documents;

/* ---- The system --------------------------------------------------------------------- */

struct account_backend {
	const char *system; /* "ldap" */

	/* NULL: the system knows this facet, here and as configured. Else why there is
	 * nothing to change, for people: "a directory knows no sessions: ...". Static or
	 * as long-lived as 'self'. Such a facet is never planned nor applied. */
	const char *(*notion)(void *self, enum account_facet facet);

	/* All accounts with exactly this key (the system's own rules of case), at most
	 * ACCOUNT_MATCHES_MAX. What the system answered is compared with what was asked.
	 * 'now_ms' judges locks that end by themselves. */
	bool (*lookup)(void *self, enum account_key key, const char *value,
		       int64_t now_ms, struct account_list *ret, struct error *err);
	/* The account with this id, if it still has this identifier. '*ret_found' false
	 * when it moved, went or was replaced; 'ret' is then untouched. */
	bool (*read)(void *self, const char *identifier, const char *id, int64_t now_ms,
		     struct account *ret, bool *ret_found, struct error *err);
	/* Whether our hands are kept off it, and by which rule: the configured list, what
	 * the system itself must not lose (its owners, its last administrator). */
	bool (*is_protected)(void *self, const struct account *account,
			     bool *ret_protected, struct strbuf *why, struct error *err);

	/* Only for facets with a notion; 'account' is as it was just read. For sessions
	 * and tokens a block and revoke_sessions are the same step. */
	bool (*plan_block)(void *self, enum account_facet facet,
			   const struct account *account, int64_t now_ms,
			   struct facet_step *ret, struct error *err);
	/* 'snapshot' is that of the block which is to be undone. NULL, and then the facet
	 * is the one that sets 'lock': blocked by others; let the person in, as an
	 * administrator would. Never asked of sessions and tokens. */
	bool (*plan_undo)(void *self, enum account_facet facet,
			  const struct account *account, const json_t *snapshot,
			  int64_t now_ms, struct facet_step *ret, struct error *err);
	/*
	 * Do it, only while the account has this id and is as 'change' expects.
	 * ERR_CONFLICT, ERR_NOT_FOUND: it is not, nothing changed, and repeating is
	 * useless. ERR_RATE_LIMITED, ERR_BACKEND_UNAVAILABLE, ERR_TIMEOUT: nothing
	 * changed, try later. ERR_UNKNOWN_OUTCOME: it may have happened; the caller reads,
	 * and applies again if that does not show it, so a repetition must be harmless: a
	 * compare-and-set, or the same effect twice. Of several requests that a step
	 * needs, those done before one that failed are done again. 'ret' is zeroed by the
	 * caller.
	 */
	bool (*apply)(void *self, enum account_facet facet, const char *identifier,
		      const char *id, const json_t *change, struct facet_applied *ret,
		      struct error *err);
	/* ERR_NOT_FOUND: there is no such account any more. */
	bool (*read_back)(void *self, enum account_facet facet, const char *identifier,
			  const char *id, const json_t *change, int64_t now_ms,
			  enum facet_seen *ret, struct error *err);

	/* Every account that is blocked now, at most ACCOUNT_LIST_MAX. NULL: the system
	 * cannot be asked for them; those of our record are read one by one. */
	bool (*list_blocked)(void *self, int64_t now_ms, struct account_list *ret,
			     struct error *err);
	/* Whether it answers. */
	bool (*ready)(void *self, struct error *err);
	void (*close)(void *self);
};

/* A backend together with what its functions work on. 'records' (may be NULL; borrowed) is
 * where accounts are looked for that the system finds no more: remembered.h. */
struct account_system {
	const struct account_backend *backend;
	void *self;
	struct documents *records;
};

#endif
