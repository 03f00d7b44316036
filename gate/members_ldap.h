/*
 * members_ldap -- private to gate/members_ldap*.c: a directory, and how it is asked.
 */
#ifndef GATE_MEMBERS_LDAP_H
#define GATE_MEMBERS_LDAP_H

#include "api/rest/rest.h"
#include "link/ldap/ldap_link.h"

struct members_directory {
	struct ldap_link *link;
	/* All borrowed from the settings. */
	const char *people, *filter, *mail, *group;
	const char *member; /* NULL: member or uniqueMember */
	const char *nested; /* NULL: groups are no members of the group */
};

/* ldap_link_search, but not when the patience is at its end: ERR_TIMEOUT. */
bool members_directory_search(const struct members_directory *d, const char *base,
			      enum ldap_link_scope scope, const char *filter,
			      const char *const *attributes, size_t limit,
			      bool (*fn)(void *context, struct ldap_entry *entry),
			      void *context, bool *ret_more,
			      const struct rest_patience *patience, struct error *err);

#endif
