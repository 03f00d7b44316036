/*
 * keeper_sources -- the pieces of a conversation that come with a proposal of the assistant.
 *
 * Of what a surface hands over the gate believes what it saw itself: turns of Slack, whose
 * words it kept, what it read for a conversation, and what calls gave. Everything else is
 * the surface's word: on a console also what its person typed; from the Slack process
 * never that.
 *
 *   {turn: id}   in Slack: what that turn said, by whomever
 *   {read: id}   what the gate read for the same person
 *   {call: approval}   what a call gave that the same person asked for
 *   {from: "requester"|"person"|"assistant"|"log"|"playbook"|"ticket"|"resource"|"result",
 *    label?, text}
 *
 * What is not there any more adds nothing: its values stand nowhere then.
 */
#ifndef GATE_KEEPER_SOURCES_H
#define GATE_KEEPER_SOURCES_H

#include "gate/keeper.h"
#include "gate/provenance.h"

enum { SOURCES_WORDS_MAX = 16 * 1024 }; /* bytes that are kept of one turn */

/* 'sources' may be NULL. New. */
struct provenance *keeper_sources_console(struct keeper *k, const char *person,
					  const json_t *sources,
					  struct error *err) _must_use_;
/* The same, with the words of the turn itself: of 'user', as the gate kept them. */
struct provenance *keeper_sources_slack(struct keeper *k, const char *person,
					const json_t *turn, const json_t *sources,
					struct error *err) _must_use_;

/* The words of a Slack event, as a turn keeps them: decoded, cut at a character, with the
 * names of persons for their mentions behind. NULL when there are none. New string. */
json_t *keeper_sources_words(const struct keeper *k, const json_t *payload) _must_use_;

#endif
