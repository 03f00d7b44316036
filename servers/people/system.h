/*
 * system -- the systems that people have accounts in, and the sources they are read from.
 *
 * A source is what is read: a directory, an organisation, or a file in which somebody
 * wrote down who is who. What it holds are accounts, each of one system; a file holds
 * accounts of all of them, and of each person an entry of its own (SYSTEM_FILE), which
 * is no account.
 */
#ifndef PEOPLE_SYSTEM_H
#define PEOPLE_SYSTEM_H

#include "base/cleanup.h"

/* In the order in which they say who somebody is. */
enum people_system {
	SYSTEM_FILE,
	SYSTEM_LDAP,
	SYSTEM_OKTA,
	SYSTEM_SLACK,
	SYSTEM_GITHUB,
	SYSTEM_COUNT
};

/* "ldap"; borrowed for ever. */
const char *system_name(enum people_system s);
/* False for a name that is none. */
bool system_find(const char *name, enum people_system *ret);

#endif
