/*
 * text -- what Slack does to text, and how to keep it from doing it. Pure.
 *
 * Slack reads markup in mrkdwn and in a message's 'text': mentions, links, dates, emoji,
 * bold. Nothing that somebody else wrote is put there. It stands in preformatted
 * rich text (slack/render), which is literal; what must be in 'text' all the same is made
 * of our words and of names that are plain (slack_text_is_plain).
 */
#ifndef SLACK_TEXT_H
#define SLACK_TEXT_H

#include "base/json.h"

/* Append 'text' with & < > as entities, for mrkdwn and 'text': nothing in it is a link, a
 * mention or a date then. Bold and emoji stay what they are. */
void slack_text_escape(struct strbuf *sb, const char *text, size_t length);

/* 1 to 64 of [A-Za-z0-9_.-], where no markup can hide: not "_" or the like at its ends, and
 * not two of them in a row, which would be italics or the end of them. */
bool slack_text_is_plain(const char *text);

/* As Slack counts: UTF-16 units, the larger of the ways it is known to count. */
size_t slack_text_units(const char *text, size_t length);

/* Append the visible form of 'text' (base/text.h), cut with "…" where it takes more than
 * 'units'; an escape, or a character with its marks, is never cut in two. For what may be
 * cut: never for what somebody approves. */
void slack_text_words(struct strbuf *sb, const char *text, size_t units);

/* Whether this has the form of a user's id (U..., W...), a channel's (C..., D..., G...). */
bool slack_text_is_user(const char *id);
bool slack_text_is_channel(const char *id);

#endif
