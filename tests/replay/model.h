/*
 * model -- what a record's model says, on its way to the gate. For tests.
 *
 * Two of them: model_direct.c hands on what the record has; model_worker.c has a provider say
 * it, the egress fetch it and a worker read it, with the turn's messages made as surfaces
 * make them (assistant/host), and hands on what comes out of that.
 */
#ifndef TESTS_REPLAY_MODEL_H
#define TESTS_REPLAY_MODEL_H

#include "replay/world.h"

struct model;

struct model_hooks {
	void (*said)(void *context, const char *text);
	/* A call as a record has it, or with "calls" several for one decision: its approval,
	 * or "" and why there is none. */
	void (*called)(void *context, const json_t *call,
		       char ret_approval[static RECORD_ID_BYTES], struct error *err);
	/* This call of the record was not handed on. */
	void (*dropped)(void *context, const json_t *call);
};

/* 'requester' is of the record, and so is 'channel'; both borrowed. */
struct model *model_new(struct world *w, const char *requester, const char *channel,
			const struct model_hooks *hooks, void *context,
			struct error *err) _must_use_;
void model_free(struct model *m);

/* NULL, or why this model cannot play the record: then it proves nothing here. */
const char *model_lacks(const json_t *record);

/* One output of the record: its text and calls, and of each "next" what it says when it has
 * the results of those. */
bool model_speak(struct model *m, const json_t *output, struct error *err);

/* The addresses that it asked for and was given, in order. Borrowed. */
const json_t *model_read(const struct model *m);

/* What worker and gate call several for one decision, and what they are. */
#define MODEL_TOGETHER "propose_together"

#endif
