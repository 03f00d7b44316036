/*
 * slack_where -- where in Slack a prompt goes, who reads along there, and in which words
 * the prompt says so. Pure: record, configuration and policy in.
 *
 * What was asked for in a conversation is put there, under the message that asked. Where
 * anybody from outside the team is, or might be, or the configuration does not name the
 * conversation, nothing is put: it goes to the requester's direct messages. What was asked
 * for elsewhere goes to the approvals_channel, if there is one. Approvers may besides be
 * told in direct messages of their own.
 */
#ifndef GATE_SLACK_WHERE_H
#define GATE_SLACK_WHERE_H

#include "gate/slack_settings.h"
#include "slack/verify/payload.h"

enum slack_where_kind {
	SLACK_NOWHERE,
	SLACK_CONVERSATION, /* where it was asked for */
	SLACK_DIRECT,       /* the requester's direct messages */
	SLACK_CHANNEL,      /* the approvals_channel */
};

struct slack_where {
	enum slack_where_kind kind;
	char channel[SLACK_ID_BYTES], thread[SLACK_TS_BYTES]; /* "": not said */
	bool read_along; /* others than approvers do */
	const char *why; /* it goes to direct messages; or NULL */
};

struct slack_where slack_where_of(const json_t *record, const struct slack_settings *s);

/* {kind, channel?, thread?, users?: [ids], others_read_along, why?, requester?: [ids],
 * approvers: [{person, slack: [ids]}]}. New reference. */
json_t *slack_where_json(const struct slack_where *w, const json_t *record,
			 const struct policy *p) _must_use_;

/* A message with this prompt stands in 'channel', which is 'user's direct messages, or NULL.
 * Whether it may, and whether others read along there. */
bool slack_where_takes(const struct slack_where *w, const json_t *record,
		       const struct policy *p, const char *channel, const char *user,
		       bool *ret_read_along, struct error *err);

/* Whether this is the channel of direct messages with one person. */
bool slack_where_is_direct(const char *channel);

/* "Slack, ..." and where the outcome goes, of what was asked for there. */
void slack_where_words(const struct slack_where *w, const json_t *record,
		       struct strbuf *surface, struct strbuf *outcome_to);

#endif
