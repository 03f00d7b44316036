/*
 * backend_ldap -- accounts in OpenLDAP with the password-policy overlay.
 *
 * A block is pwdAccountLockedTime 000001010000Z, which slapd obeys where the
 * effective policy has pwdLockout TRUE; anywhere else blocking is refused, because
 * the person could still log in. Changes carry an assertion (RFC 4528) that the
 * entry is still the one, with the lock, that was planned for.
 *
 * Configuration ('ldap' and 'protected' of the server's backend; the schema judges):
 *   ldap:
 *     uri: ldaps://directory.example.com       bind_dn: cn=wingman,ou=services,...
 *     password_file: accounts/ldap.password    (relative to the folder of the suite)
 *     people_base: dc=example,dc=com           where people are looked for
 *     default_policy: cn=default,ou=policies,...  (ppolicy_default of the overlay)
 *     start_tls, ca_file, timeout_ms, connections
 *   protected: { subtrees: [DN], groups: [DN], uids: [name] }
 */
#ifndef ACCOUNTS_BACKEND_LDAP_H
#define ACCOUNTS_BACKEND_LDAP_H

#include "base/json.h"
#include "base/statedir.h"
#include "servers/accounts/backend.h"

/* Copies what it needs. The directory need not answer yet. */
bool backend_ldap_open(const struct statedir *dir, const json_t *config,
		       struct account_system *ret, struct error *err);

#endif
