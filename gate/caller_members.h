/*
 * caller_members -- asks Slack who of some users is in the team's user group, now. Private
 * to caller.
 *
 * With a token of the gate's own, which nobody else has, over the network, on threads of
 * its own; nothing is kept between two questions. Members are those whom the group lists
 * and Slack knows as people of the workspace: not deactivated, no bot, guest or stranger.
 */
#ifndef GATE_CALLER_MEMBERS_H
#define GATE_CALLER_MEMBERS_H

#include "base/json.h"
#include "base/statedir.h"
#include "gate/slack_settings.h"
#include "proc/loop.h"

enum { CALLER_MEMBERS_MS = 10 * 1000 };

struct caller_members;
/* Reads its token at once. 'settings' is borrowed. 'tell' is called on the loop with an
 * answer as messages have it, borrowed. */
struct caller_members *caller_members_new(struct loop *loop, const struct statedir *dir,
					  const struct slack_settings *settings,
					  void (*tell)(void *context,
						       const json_t *membered),
					  void *context, struct error *err) _must_use_;
/* Its threads: once the sandbox is closed. */
bool caller_members_start(struct caller_members *m, struct error *err);
/* Ends in one 'tell', perhaps at once. False: no memory even for that. */
bool caller_members_ask(struct caller_members *m, const char *approval,
			const json_t *users);

#endif
