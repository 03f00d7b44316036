/*
 * ldap_wait -- private to link/ldap: no read or write on a connection waits for ever.
 *
 * libldap's own times cover connecting and waiting for a message to begin. They do not
 * cover a TLS handshake with a server that stands still (libldap 2.5 on GnuTLS then
 * calls it again and again, for ever) nor the rest of a message that has begun. A layer
 * below TLS waits for the socket itself, at most the connection's time, and then fails
 * as a broken connection does; until the first bind is over, all of it together has
 * that time.
 */
#ifndef LINK_LDAP_WAIT_H
#define LINK_LDAP_WAIT_H

#include <ldap.h>

#include "base/error.h"

/* Before the handle connects. LDAP_OPT_NETWORK_TIMEOUT is the time, and is set already. */
bool ldap_wait_install(LDAP *ld, struct error *err);
/* Connected, TLS agreed, bound: from now on each wait has the whole time. */
void ldap_wait_settled(LDAP *ld);

#endif
