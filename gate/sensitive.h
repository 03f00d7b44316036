/*
 * sensitive -- which arguments only approvers may read along (x-wingman-sensitive).
 *
 * Pure: schemas in, judgement out. The prompt marks them, the audit log keeps keyed
 * digests of them.
 */
#ifndef GATE_SENSITIVE_H
#define GATE_SENSITIVE_H

#include "base/json.h"

/* Whether this schema, or anything below it, says so. NULL: no. */
bool sensitive_is(const json_t *schema);

/* Said of no argument by name ($defs and the like), so that it may be said of any. */
bool sensitive_is_any(const json_t *input_schema);

#endif
