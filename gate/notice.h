/*
 * notice -- what people are told when an approval ends, and who is told.
 *
 *   {v:1, id, approval, state, server, tool, requester, at, by?, why?, error?: {code, message},
 *    to: [persons], emergency?: true, news?}
 *
 * A surface that draws prompts reads as well, whatever the end: what it has shown is over.
 * News come after the end: the words of a server, which may be anything. Those who asked and decided read them.
 *
 * Concerned are who asked, who said yes or no, and, when it ends undecided or is taken
 * back, whoever might have decided it: their prompt is dead. Whoever did it knows it and
 * is not told. Nobody is told of a freed read. Pure; the keeper keeps them until each
 * has been read (keeper_notice.c).
 */
#ifndef GATE_NOTICE_H
#define GATE_NOTICE_H

#include "gate/record.h"

/* The reader that is Slack; no person can be called so. */
#define NOTICE_SLACK "surface/slack"

/* 'body' is the record as it will be stored at its end 'to'; 'surface' draws it, or NULL.
 * New reference; json_null() when nobody is concerned; NULL without memory. */
json_t *notice_make(const json_t *body, enum record_state to, const char *surface,
		    int64_t now_ms, const char *by, const char *why) _must_use_;

/* What a server says later of a call that it executed ('body'; 'decision' is the record in which
 * people decided, often the same): a notice with "news", whose id is <approval>.<key>. New
 * reference; json_null() when nobody is concerned; NULL without memory. */
json_t *notice_news(const json_t *body, const json_t *decision, const char *surface,
		    int64_t now_ms, const char *key, const char *text) _must_use_;

/* Whether this person is among those it is for. */
bool notice_is_for(const json_t *notice, const char *person);
/* The notice as that person gets it: without who else does. New reference. */
json_t *notice_for_reading(const json_t *notice) _must_use_;
/* The notice without this person among its readers, NULL without memory. */
json_t *notice_without(const json_t *notice, const char *person) _must_use_;

#endif
