/*
 * overlap -- which effects of earlier calls a later one in the same decision touches.
 *
 * Plans are made before anything runs, so each assumes that what it names is as it is
 * now. Where an earlier call changes the same thing, that is said: the later call is
 * planned again when its turn comes, and stops unless its plan is still what was shown.
 * Pure.
 */
#ifndef GATE_OVERLAP_H
#define GATE_OVERLAP_H

#include "base/json.h"

/* 'prompts' of calls in the order in which they run. An array of sentences in visible
 * form, at most OVERLAP_MAX; NULL without memory. */
enum { OVERLAP_MAX = 16 };
json_t *overlap_warnings(const json_t *prompts) _must_use_;

#endif
