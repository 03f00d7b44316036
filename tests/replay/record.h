/*
 * record -- one hostile record: played, and held against what must come of it. For tests.
 *
 * A model, a person or the network does to the gate what 'model_output' and 'then' say, in
 * order; 'expect' says what servers may have carried out, what was asked, shown and warned
 * of. Nothing is ever alive in what is posted, whatever the record asks for.
 */
#ifndef TESTS_REPLAY_RECORD_H
#define TESTS_REPLAY_RECORD_H

#include "base/json.h"

/* True: it passed. 'why' says what was expected and what came instead. */
bool record_replay(const json_t *record, const json_t *toolset, struct strbuf *why);

#endif
