/*
 * ldap_connection -- private to link/ldap: one handle, how it is made, and what
 * libldap's result codes mean in our words.
 */
#ifndef LINK_LDAP_CONNECTION_H
#define LINK_LDAP_CONNECTION_H

#include <ldap.h>

#include "link/ldap/ldap_link.h"

/* Before anything else of libldap: the system's ldap.conf is not ours. */
void ldap_connection_prepare(void);

/* Whether 'uris' are ldap, ldaps or ldapi, and a password may go there. */
bool ldap_connection_check_uris(const char *uris, bool start_tls, struct error *err);

/* A connected handle, not bound yet; 'config' gives address, TLS and times. */
LDAP *ldap_connection_open(const struct ldap_link_config *config,
			   struct error *err) _must_use_;
/* The result code of a simple bind. An empty password is never sent. */
int ldap_connection_bind(LDAP *ld, const char *dn, const void *password, size_t length);
void ldap_connection_close(LDAP *ld);
DEFINE_CLEANUP(LDAP, ldap_connection_close);

/* Whether the connection can be used no more after this code. */
bool ldap_code_is_broken(int code);
/* Set 'err' for a result code: "cannot WHAT: sentence". */
bool ldap_code_error(LDAP *ld, int code, const char *uri, const char *what,
		     struct error *err);

#endif
