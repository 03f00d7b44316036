/*
 * backend -- what a system that has accounts must be able to do for this server.
 *
 * One struct of functions a system: OpenLDAP here; Active Directory, 389-DS, Okta
 * and the like come as further rows, without change above this line. A backend
 * knows its own system alone: not tools, plans, people of other systems, nor our
 * record of who blocked whom. It resolves nothing by likeness: only exact matches.
 * Functions may block and run on several threads at once.
 */
#ifndef ACCOUNTS_BACKEND_H
#define ACCOUNTS_BACKEND_H

#include "base/error.h"
#include "base/strbuf.h"

/* More matches than this are only counted as "more". */
enum { ACCOUNT_MATCHES_MAX = 10, ACCOUNT_LIST_MAX = 5000, ACCOUNT_LOCK_BYTES = 64 };

enum account_state { ACCOUNT_ACTIVE, ACCOUNT_BLOCKED, ACCOUNT_ABSENT, ACCOUNT_UNKNOWN };
/* "active", "blocked", "absent", "unknown" */
const char *account_state_name(enum account_state state);

/* An account as its system has it now. All texts are owned; none is NULL. */
struct account {
	char *id;                /* never given to another account: entryUUID */
	char *identifier;        /* what people know it by: the DN */
	char *uid, *name, *mail; /* "" where there is none */
	enum account_state state;
	/* The system's own text of the lock, "" for none: what compare-and-set compares. */
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
	ACCOUNT_BY_UID,
	ACCOUNT_BY_IDENTIFIER,
	ACCOUNT_BY_NAME
};

struct account_backend {
	const char *system; /* "ldap" */
	/* What a block here does not end, for warnings and outcomes. */
	const char *not_ended;
	/* How a lock reads that 'block' sets. */
	const char *block_lock;

	/* All accounts with exactly this key (the system's own rules of case), at most
	 * ACCOUNT_MATCHES_MAX. 'now_ms' judges locks that end by themselves. */
	bool (*lookup)(void *self, enum account_key key, const char *value,
		       int64_t now_ms, struct account_list *ret, struct error *err);
	/* The account with this id, if it still has this identifier. '*ret_found' false
	 * when it moved, went or was replaced; 'ret' is then untouched. */
	bool (*read)(void *self, const char *identifier, const char *id, int64_t now_ms,
		     struct account *ret, bool *ret_found, struct error *err);
	/* Whether configuration keeps our hands off it, and by which rule. */
	bool (*is_protected)(void *self, const struct account *account,
			     bool *ret_protected, struct strbuf *why, struct error *err);
	/* Block or unblock, only while the account has this id and its lock reads 'lock'
	 * (ERR_CONFLICT otherwise, nothing changed). ERR_UNKNOWN_OUTCOME: it may have
	 * happened; the caller reads. */
	bool (*block)(void *self, const char *identifier, const char *id,
		      const char *lock, struct error *err);
	bool (*unblock)(void *self, const char *identifier, const char *id,
			const char *lock, struct error *err);
	/* Every account that is blocked now, at most ACCOUNT_LIST_MAX. */
	bool (*list_blocked)(void *self, int64_t now_ms, struct account_list *ret,
			     struct error *err);
	/* Whether it answers. */
	bool (*ready)(void *self, struct error *err);
	void (*close)(void *self);
};

/* A backend together with what its functions work on. */
struct account_system {
	const struct account_backend *backend;
	void *self;
};

#endif
