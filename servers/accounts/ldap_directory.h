/*
 * ldap_directory -- private to backend_ldap: a directory, and what differs from one
 * kind to the next.
 *
 * A dialect is a table of functions and filters. What they share (searching, lists,
 * protection, life) is in backend_ldap.c, ldap_accounts.c and ldap_protected.c; which
 * one a directory speaks is found out by ldap_dialect.c. Functions of a dialect read
 * entries that the shared code found, and change nothing but by their 'apply'.
 */
#ifndef ACCOUNTS_LDAP_DIRECTORY_H
#define ACCOUNTS_LDAP_DIRECTORY_H

#include <pthread.h>

#include "link/ldap/ldap_link.h"
#include "servers/accounts/backend_ldap.h"
#include "servers/accounts/ppolicy.h"

struct ldap_directory;

enum { LDAP_POLICIES_MAX = 32 };

/* Password policies that one search has read, so that a list does not read one again
 * for each of its people. */
struct ldap_policies {
	size_t count;
	struct {
		char *dn; /* owned */
		struct ppolicy policy;
	} items[LDAP_POLICIES_MAX];
};

/* An entry that is being judged. */
struct ldap_judging {
	struct ldap_directory *directory;
	struct ldap_policies *policies;
	int64_t now_ms;
	struct strbuf *detail; /* a sentence for people, or nothing */
};

struct ldap_dialect {
	const char *name;  /* in the configuration: "active_directory" */
	const char *title; /* in sentences: "Active Directory" */
	bool demands_tls;  /* also on this machine */
	/* It finds names that only look alike: what it found is compared again. */
	bool compares_loosely;

	const char *person;            /* the filter of people's entries */
	const char *blocked;           /* a filter of those that may be blocked */
	const char *able;              /* a filter of those that are not */
	const char *member_of;         /* "memberOf", or how it is asked */
	const char *const *attributes; /* for 'judge', ended by NULL */
	/* Attributes of an account's texts. */
	const char *uid, *name_attribute, *mail;
	/* Attributes that hold each key; NULL ends a list. Any of them matches. */
	const char *const *by_mail, *const *by_uid, *const *by_name;
	/* Why there is nothing to change in the other facets. */
	const char *notions[FACET_COUNT];

	/* Add the assertion that an entry has this id; false: it is no id. */
	bool (*add_id)(struct strbuf *filter, const char *id);
	/* The entry's id, new string, "" where it cannot be seen; NULL without memory. */
	char *(*get_id)(const struct ldap_entry *e);
	/* Set state, lock, permanent, since_ms, until_ms and obeyed of 'ret'. */
	bool (*judge)(const struct ldap_judging *j, const struct ldap_entry *e,
		      struct account *ret, struct error *err);
	/* Whether the account is in a group in ways that the group's own list does not
	 * show; NULL: there are none. */
	bool (*in_group)(struct ldap_directory *d, const struct account *account,
			 const char *group, bool *ret, struct error *err);
	/* Whether the directory itself calls an entry untouchable; NULL: it has no such
	 * notion. */
	bool (*is_builtin)(struct ldap_directory *d, const struct account *account,
			   bool *ret, struct error *err);
	/* The group of administrators, if none is configured: new string, "" for none. */
	char *(*administrators)(struct ldap_directory *d, struct error *err);

	/* As of struct account_backend, for sign-in alone. */
	bool (*plan_block)(struct ldap_directory *d, const struct account *account,
			   struct facet_step *ret, struct error *err);
	bool (*plan_undo)(struct ldap_directory *d, const struct account *account,
			  const json_t *snapshot, int64_t now_ms, struct facet_step *ret,
			  struct error *err);
	bool (*apply)(struct ldap_directory *d, const char *identifier, const char *id,
		      const json_t *change, struct error *err);
	/* Whether an account reads as 'change' wanted it. */
	bool (*is_done)(struct ldap_directory *d, const struct account *now,
			const json_t *change, bool *ret, struct error *err);
};

extern const struct ldap_dialect ldap_ppolicy, ldap_active_directory, ldap_389ds,
	ldap_freeipa;

struct ldap_directory {
	struct ldap_link *link;
	json_t *config; /* keeps the texts below alive */
	const char *people_base;
	const char *default_policy; /* NULL: none is known */
	bool start_tls;
	const json_t *subtrees, *groups, *uids, *administrators; /* arrays or NULL */

	pthread_mutex_t lock;
	const struct ldap_dialect *wanted; /* configured; NULL: whichever it is */
	const struct ldap_dialect *found;  /* NULL: not known yet; under 'lock' */
};

/* ---- ldap_dialect.c ----------------------------------------------------------------- */

/* By its name in the configuration; "auto" gives NULL. False: there is none such. */
bool ldap_dialect_named(const char *name, const struct ldap_dialect **ret);
/* Whether passwords will travel as the dialect wants it. */
bool ldap_dialect_check_tls(const struct ldap_directory *d,
			    const struct ldap_dialect *dialect, struct error *err);
/* What the directory speaks; asks it the first time. NULL sets 'err': it does not answer
 * (not found out then, and asked again), cannot be told, or is not what was configured
 * (ERR_PRECONDITION_FAILED). */
const struct ldap_dialect *ldap_dialect_of(struct ldap_directory *d, struct error *err);

/* ---- ldap_accounts.c ---------------------------------------------------------------- */

/* What to look for. */
struct ldap_quest {
	const char *base;
	enum ldap_link_scope scope;
	const char *filter;
	size_t limit;
	int64_t now_ms;
	/* A directory that compares loosely must have found 'value' in one of these. */
	const char *const *attributes;
	const char *value;
};

/* Search, and add each entry to 'list', judged. */
bool ldap_accounts_search(struct ldap_directory *d, const struct ldap_dialect *dialect,
			  const struct ldap_quest *quest, struct account_list *list,
			  struct error *err);
/* The entry with this DN and this id, or NULL: '*ret_found' false, no error. New. */
bool ldap_accounts_entry(struct ldap_directory *d, const struct ldap_dialect *dialect,
			 const char *identifier, const char *id, struct ldap_entry **ret,
			 struct error *err);
/* Whether an entry answers to 'filter' at or below 'base'. */
bool ldap_directory_has(struct ldap_directory *d, const char *base,
			enum ldap_link_scope scope, const char *filter, bool *ret,
			struct error *err);

/* ---- ldap_protected.c --------------------------------------------------------------- */

/* The backend's is_protected: the configured lists, the directory's own entries, and
 * the last administrator. A configured subtree or group that does not exist is an
 * error: a name misspelt must not open what it closed. */
bool ldap_directory_is_protected(void *self, const struct account *account,
				 bool *ret_protected, struct strbuf *why,
				 struct error *err);

/* ---- What dialects share ------------------------------------------------------------ */

/* A step that takes the lock from 'expect' to 'set'. */
bool ldap_step_set(struct facet_step *step, const char *expect, const char *set,
		   const char *lock, struct error *err);
/* The two texts of such a change; ERR_INTERNAL if it has none. */
bool ldap_step_read(const json_t *change, const char **ret_expect, const char **ret_set,
		    struct error *err);

#endif
