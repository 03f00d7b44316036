/*
 * fake_backend -- a system in memory, for tests: exact matches without case, a
 * compare-and-set, and faults on demand.
 */
#ifndef ACCOUNTS_FAKE_BACKEND_H
#define ACCOUNTS_FAKE_BACKEND_H

#include "servers/accounts/backend.h"

struct fake_account {
	const char *id, *identifier, *uid, *name, *mail;
	char lock[ACCOUNT_LOCK_BYTES];
};

struct fake_system {
	struct fake_account *accounts; /* ends with a row of NULLs */
	enum error_code lookup_fails;  /* every lookup and read */
	/* The next change: refused with this, or done and then reported so. */
	enum error_code change_fails;
	bool change_happens;
	bool gone;   /* read finds nothing any more */
	int changes; /* asked for */
	/* Called before each; NULL: nothing. */
	void (*changing)(void *context);
	void *context;
};

extern const struct account_backend fake_backend;

#endif
