/*
 * outcome -- what a model is told of what it proposed: from the gate's word to a 'result'.
 *
 * What the schema says of arguments goes back whole. Of everything else that a server or
 * the gate refused, of a failed plan above all, only the bare code: the person sees the
 * rest. The outcome of a call that ran is handed on masked and cut. Pure.
 */
#ifndef ASSISTANT_HOST_OUTCOME_H
#define ASSISTANT_HOST_OUTCOME_H

#include "assistant/messages.h"
#include "base/json.h"

enum { OUTCOME_TEXT_MAX = 48 * 1024 };

/* The gate would not take the proposal: the same for each of 'count' calls. New. */
json_t *outcome_of_refusal(const struct error *why, size_t count) _must_use_;

/* How it stands by its record, one for each call; 'parts' are the records of several, else
 * NULL. New reference. */
json_t *outcome_of_record(const json_t *record, const json_t *parts,
			  size_t count) _must_use_;
/* Nothing more will come of it. */
bool outcome_is_end(const json_t *record);

#endif
