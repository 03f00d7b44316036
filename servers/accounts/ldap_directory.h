/*
 * ldap_directory -- private to backend_ldap: the connection, what to look for, and
 * what is protected.
 */
#ifndef ACCOUNTS_LDAP_DIRECTORY_H
#define ACCOUNTS_LDAP_DIRECTORY_H

#include "link/ldap/ldap_link.h"
#include "servers/accounts/backend_ldap.h"

struct ldap_directory {
	struct ldap_link *link;
	json_t *config; /* keeps the texts below alive */
	const char *people_base;
	const char *default_policy;             /* NULL: none is known */
	const json_t *subtrees, *groups, *uids; /* arrays or NULL */
};

/* Whether an entry answers to 'filter' at or below 'base'. */
bool ldap_directory_has(struct ldap_directory *d, const char *base,
			enum ldap_link_scope scope, const char *filter, bool *ret,
			struct error *err);

/* The backend's is_protected, in ldap_protected.c. A configured subtree or group
 * that does not exist is an error: a name misspelt must not open what it closed. */
bool ldap_directory_is_protected(void *self, const struct account *account,
				 bool *ret_protected, struct strbuf *why,
				 struct error *err);

#endif
