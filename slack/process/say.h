/*
 * say -- how something is told: in a conversation, to one person there, to one person
 * alone. Everything goes through the outbox, so it is said once and survives a restart;
 * what only makes sense now is not said later.
 */
#ifndef SLACK_PROCESS_SAY_H
#define SLACK_PROCESS_SAY_H

#include "slack/process/front.h"

enum { SAY_NOW_MS = 60 * 1000, SAY_LINK_BYTES = 320 };

/* The address of a message, made of what Slack says of its own; false: it is not known. */
bool say_link(const struct front *f, const char *channel, const char *ts,
	      char ret[static SAY_LINK_BYTES]);

/* A message of one sentence of ours, and what others wrote ('texts': an array of strings,
 * stolen, or NULL) preformatted below it. New. */
json_t *say_words(const char *words, json_t *texts) _must_use_;
/* What failed, in a message. New. */
json_t *say_failure(const char *words, const struct error *why) _must_use_;

/* All steal 'message' ({text, blocks, ...}; NULL: there was no memory), and log what fails. */

/* To who did this, seen by nobody else: where it was done, or, where that cannot be shown
 * there, in direct messages. For refusals of ours, which tell nothing. */
void say_aside(const struct delivery *d, json_t *message);
/* The same, but in direct messages as well where anybody from outside the team reads. */
void say_privately(const struct delivery *d, json_t *message);
/* The answer to what was asked: a command's privately; a mention's in its thread, unless
 * anybody from outside the team reads that; a direct message's below it. */
void say_answer(const struct delivery *d, json_t *message);
/* In direct messages. 'key' NULL: now or not at all, under a key of its own. */
void say_to_person(struct front *f, const char *user, const char *key, json_t *message);

/* A view for a trigger: "views.open", or "views.push" onto the open one. The id of the view
 * in 'ret' ("" on failure). Steals 'view'. */
bool say_view(const struct delivery *d, bool push, json_t *view,
	      char ret[static INBOUND_ID_BYTES], struct error *err);
/* Another view in its place. Steals 'view'. */
bool say_view_instead(struct front *f, const char *id, json_t *view, struct error *err);
/* A view that only says something. 'why' NULL: nothing failed. New. */
json_t *say_notice_view(const char *title, const char *words,
			const struct error *why) _must_use_;

#endif
