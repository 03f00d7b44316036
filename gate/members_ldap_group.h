/*
 * members_ldap_group -- private to gate/members_ldap*.c: whether a group has a member, asked
 * of the directory by filter, because a long group is never given whole.
 *
 * With nested_base groups may be members of it: whatever has the person is looked for, then
 * whatever has that, level by level. Each group is looked at once, so that circles end;
 * past the limits of members_ldap_group.c nobody is a member.
 */
#ifndef GATE_MEMBERS_LDAP_GROUP_H
#define GATE_MEMBERS_LDAP_GROUP_H

#include "gate/members_ldap.h"

/* ERR_NOT_FOUND: there is no such group, or we may not see it. */
bool members_group_is_there(const struct members_directory *d,
			    const struct rest_patience *patience, struct error *err);
/* 'uid' NULL: the entry has none. False: it is not known. */
bool members_group_has(const struct members_directory *d, const char *dn, const char *uid,
		       const struct rest_patience *patience, bool *ret,
		       struct error *err);

#endif
