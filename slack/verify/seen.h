/*
 * seen -- what stood before a person who pressed, as Slack says it, as a digest.
 *
 * A press brings the message or the view along, as Slack holds it and signs it. That is
 * the same as what was drawn (slack/render), but for what Slack adds to blocks that are
 * sent to it: ids of blocks, and its defaults. Two digests are equal exactly if the blocks
 * are, those additions left out. So whoever posts a prompt in other words than the
 * gate's gets no decision on it. Pure.
 */
#ifndef SLACK_SEEN_H
#define SLACK_SEEN_H

#include "base/digest.h"
#include "base/json.h"

/* 'blocks' is an array. False: it is none, or deeper than what we draw. */
bool slack_seen_digest(const json_t *blocks, char ret[static DIGEST_HEX_BYTES],
		       struct error *err);

#endif
