/*
 * form -- whether a record has the form that hostile-model records have: each member that is
 * known is of its kind and within what a clock can be set to. Pure.
 *
 * Members that are not known are passed over: a record may tell more than is played.
 */
#ifndef REPLAY_FORM_H
#define REPLAY_FORM_H

#include "base/json.h"

/* False: '*why' (of 'size') says which member, in words. */
bool form_check(const json_t *record, char *why, size_t size);

#endif
