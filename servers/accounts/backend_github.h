/*
 * backend_github -- members of a GitHub organisation: taken out and brought back; on
 * Enterprise Server suspended.
 *
 *   sign-in      Enterprise Server: suspend and unsuspend. On github.com accounts belong
 *                to people: nobody else can lock them.
 *   sessions     GitHub has no way to end them.
 *   tokens       credentials that the member authorised for single sign-on lose that,
 *                where the plan has it ('credentials'). Never given back.
 *   memberships  github.com: the membership is removed, and its invitation taken back; role
 *                and teams are remembered. Giving back invites with that role and puts into
 *                those teams; until the person accepts it is pending, and says so. Forks,
 *                access to single repositories and the like do not come back.
 *
 * An account is known by its login, and is the same only with the same numeric id. By
 * e-mail it is found where the organisation knows it: SAML identities, and addresses in
 * verified domains; a public address is anybody's claim. Logins of people who do not
 * belong to the organisation are nobody here. Owners are protected.
 *
 * Configuration (the member 'github' of the server's backend; the schema judges):
 *   api: $defs/github_api
 *   credentials: false
 *   protected_teams: [slug]
 */
#ifndef ACCOUNTS_BACKEND_GITHUB_H
#define ACCOUNTS_BACKEND_GITHUB_H

#include "base/statedir.h"
#include "servers/accounts/backend.h"

/* Copies what it needs. GitHub need not answer yet. */
bool backend_github_open(const struct statedir *dir, const json_t *config,
			 struct account_system *ret, struct error *err);

#endif
