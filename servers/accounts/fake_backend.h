/*
 * fake_backend -- a system in memory, for tests: exact matches without case, a
 * compare-and-set, all four facets, and faults on demand.
 */
#ifndef ACCOUNTS_FAKE_BACKEND_H
#define ACCOUNTS_FAKE_BACKEND_H

#include "servers/accounts/backend.h"

enum { FAKE_TEAMS_BYTES = 16 };

struct fake_account {
	const char *id, *identifier, *uid, *name, *mail;
	char lock[ACCOUNT_LOCK_BYTES]; /* of its sign-in; "locked" by a block */
	int sessions, tokens;
	char teams[FAKE_TEAMS_BYTES]; /* a letter each, sorted */
};

/* One that has a sign-in alone. */
#define FAKE_ACCOUNT(id_, identifier_, uid_, name_, mail_, lock_)                        \
	{                                                                                \
		.id = (id_), .identifier = (identifier_), .uid = (uid_),                 \
		.name = (name_), .mail = (mail_), .lock = lock_                          \
	}

struct fake_system {
	struct fake_account *accounts; /* ends with a row of NULLs */
	/* What it knows beside sign-in, a bit each (1u << FACET_SESSIONS, ...). */
	unsigned facets;
	unsigned late; /* facets whose effect shows only when 'shown' has their bit */
	unsigned shown;
	unsigned blind;               /* facets that cannot be read back */
	const char *refuses;          /* the sign-in cannot be blocked, and why */
	enum error_code lookup_fails; /* every lookup and read */
	/* The next change: refused with this, or done and then reported so. */
	enum error_code change_fails;
	bool change_happens;
	int64_t retry_after_ms; /* told with a change that fails */
	bool gone;              /* read finds nothing any more */
	int changes;            /* asked for */
	/* Called before each, and may set what becomes of it; NULL: nothing. */
	void (*changing)(void *context);
	void *context;
};

/* "fake"; and under the names of systems that there are. */
extern const struct account_backend fake_backend;
extern const struct account_backend fake_ldap, fake_okta, fake_github, fake_slack;

#endif
