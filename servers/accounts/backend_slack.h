/*
 * backend_slack -- members of a Slack workspace: sessions ended, deactivated by SCIM.
 *
 *   sign-in      deactivation by SCIM v2, where the plan has it and the configuration says
 *                so ('deactivate'); else Slack has no way to lock a member.
 *   sessions     admin.users.session.reset (Enterprise), where 'reset_sessions' says so.
 *                Slack does not show it, so that it is accepted and never verified.
 *   tokens       go with the deactivation; apps that a member installed live on.
 *   memberships  channels stay.
 *
 * An account is known by its id alone (U..., W...): handles are chosen by their owners.
 * A member is found by the e-mail address, if Slack does not say that it is unconfirmed.
 * Owners and bots are protected. Both changes want an owner's token.
 *
 * Configuration (the member 'slack' of the server's backend; the schema judges):
 *   api: $defs/slack_api
 *   deactivate: false, reset_sessions: false
 */
#ifndef ACCOUNTS_BACKEND_SLACK_H
#define ACCOUNTS_BACKEND_SLACK_H

#include "base/statedir.h"
#include "servers/accounts/backend.h"

/* Copies what it needs. Slack need not answer yet. */
bool backend_slack_open(const struct statedir *dir, const json_t *config,
			struct account_system *ret, struct error *err);

#endif
