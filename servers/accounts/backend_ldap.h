/*
 * backend_ldap -- accounts in a directory: OpenLDAP with the password-policy overlay,
 * Active Directory, 389 Directory Server, FreeIPA.
 *
 * What a block is, and what a directory compares before it changes anything, is its
 * dialect's (ldap_ppolicy.c, ldap_active_directory.c, ldap_389ds.c); the manual of a
 * dialect is struct ldap_dialect in ldap_directory.h. It is found out from the root DSE
 * when the directory answers first, and held against the configuration. In OpenLDAP
 * blocking is refused where no policy obeys locks: the person could still log in.
 *
 * Configuration ('ldap' and 'protected' of the server's backend; the schema judges):
 *   ldap:
 *     dialect: auto | ppolicy | active_directory | 389ds | freeipa
 *     uri: ldaps://directory.example.com       bind_dn: cn=wingman,ou=services,...
 *     password_file: accounts/ldap.password    (relative to the folder of the suite)
 *     people_base: dc=example,dc=com           where people are looked for
 *     default_policy: cn=default,ou=policies,...  (ppolicy_default of the overlay)
 *     start_tls, ca_file, timeout_ms, connections
 *   protected: { subtrees: [DN], groups: [DN], uids: [name], administrators: [DN] }
 */
#ifndef ACCOUNTS_BACKEND_LDAP_H
#define ACCOUNTS_BACKEND_LDAP_H

#include "base/json.h"
#include "base/statedir.h"
#include "servers/accounts/backend.h"

/* Copies what it needs. The directory need not answer yet; if it does, and is not what
 * the configuration says, that is ERR_PRECONDITION_FAILED. */
bool backend_ldap_open(const struct statedir *dir, const json_t *config,
		       struct account_system *ret, struct error *err);

#endif
