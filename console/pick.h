/*
 * pick -- a person picks among the candidates that a refused call came back with.
 *
 * Each candidate that can be meant has a 'choice': the arguments that mean it, which the
 * gate puts over those that were first said.
 */
#ifndef CONSOLE_PICK_H
#define CONSOLE_PICK_H

#include "base/json.h"

/* Ask on the controlling terminal; the choice, a new reference. NULL: there is nothing
 * to pick from, or nobody picked. */
json_t *pick_candidate(const json_t *record) _must_use_;

#endif
