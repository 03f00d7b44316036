/*
 * ldap_entry -- private to link/ldap: entries as they come off a connection.
 */
#ifndef LINK_LDAP_ENTRY_H
#define LINK_LDAP_ENTRY_H

#include <ldap.h>

#include "link/ldap/ldap_link.h"

/* A copy of an entry of a result. NULL without memory. */
struct ldap_entry *ldap_entry_read(LDAP *ld, LDAPMessage *message,
				   struct error *err) _must_use_;

#endif
