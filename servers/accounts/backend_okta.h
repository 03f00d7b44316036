/*
 * backend_okta -- accounts in Okta: suspended, their sessions ended, their tokens revoked.
 *
 *   sign-in      suspend and unsuspend. Okta suspends only who is ACTIVE; one in another
 *                status is refused with it, before anybody is asked.
 *   sessions     all of Okta's own, with the tokens that came of them. Okta does not show
 *                sessions, so that this is accepted and never verified; and sessions
 *                within applications go on until they end there.
 *   tokens       every client's tokens and every grant of the user; read back.
 *   memberships  groups stay: they serve nobody who cannot sign in.
 *
 * Super administrators are protected, and members of the configured groups.
 *
 * Configuration (the member 'okta' of the server's backend; the schema judges):
 *   api: $defs/okta_api
 *   protected_groups: [group id]
 *   protect_administrators: true (reads roles, scope okta.roles.read)
 */
#ifndef ACCOUNTS_BACKEND_OKTA_H
#define ACCOUNTS_BACKEND_OKTA_H

#include "base/statedir.h"
#include "servers/accounts/backend.h"

/* Copies what it needs. Okta need not answer yet. */
bool backend_okta_open(const struct statedir *dir, const json_t *config,
		       struct account_system *ret, struct error *err);

#endif
