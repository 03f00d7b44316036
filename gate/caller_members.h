/*
 * caller_members -- asks who of some people is in the team's group, now. Private to caller.
 *
 * Over the network, with a credential of the gate's own (gate/members.h), on threads of its
 * own, so that whoever is slow to answer holds up nothing else.
 */
#ifndef GATE_CALLER_MEMBERS_H
#define GATE_CALLER_MEMBERS_H

#include "gate/fields.h"
#include "gate/members.h"
#include "proc/loop.h"

struct caller_members;
/* Reads its credential at once. 'settings' are borrowed. 'tell' is called on the loop with
 * an answer as messages have it, borrowed. */
struct caller_members *caller_members_new(struct loop *loop, const struct statedir *dir,
					  const struct settings *settings,
					  void (*tell)(void *context,
						       const json_t *membered),
					  void *context, struct error *err) _must_use_;
/* Its threads: once the sandbox is closed. */
bool caller_members_start(struct caller_members *m, struct error *err);
/* A question as messages have it. Ends in one 'tell', perhaps at once. False: no memory
 * even for that. */
bool caller_members_ask(struct caller_members *m, const struct fields *question);

#endif
