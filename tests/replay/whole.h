/*
 * whole -- what a world of processes has beyond world.h: turns that a model speaks in.
 */
#ifndef TESTS_REPLAY_WHOLE_H
#define TESTS_REPLAY_WHOLE_H

#include "replay/world.h"

/* This user says 'text' in the record's thread; what is
 * proposed from then on is proposed in that turn. False: the gate does not take it. */
bool whole_turn(struct world *w, const char *user, const char *channel, const char *text,
		struct error *err);
/* The gate's name of it; "": there is none. */
const char *whole_turn_id(const struct world *w);
/* What goes with proposals of the turn as their sources; NULL: nothing. */
void whole_sources(struct world *w, json_t *stolen);
/* Ask the gate, as Slack's process: its answer, or NULL. 'stolen' may be NULL. New. */
json_t *whole_ask(struct world *w, const char *name, json_t *stolen,
		  struct error *err) _must_use_;
/* {record, parts?}; NULL: there is none. New. */
json_t *whole_show(struct world *w, const char *approval) _must_use_;

#endif
