/*
 * approvals -- what waits for somebody, and what somebody asked for, out of the gate.
 */
#ifndef SLACK_PROCESS_APPROVALS_H
#define SLACK_PROCESS_APPROVALS_H

#include "slack/process/front.h"

enum { APPROVALS_LOOKED_AT = 50 };

/* Pending, and this person may decide or asked: [{approval, server, tool, requester,
 * expires_ms, link?}], newest first; 'link' where this Slack user, or NULL, can read it. New. */
json_t *approvals_waiting(struct front *f, const char *principal, const char *user,
			  struct error *err) _must_use_;
/* Whether this person asked for it, or may decide it. */
bool approvals_concern(const json_t *record, const char *principal);
/* Asked for by this person: [{server, tool, state, at_ms, digest}], newest first. New. */
json_t *approvals_recent(struct front *f, const char *principal,
			 struct error *err) _must_use_;

#endif
