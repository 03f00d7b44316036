/*
 * context_entries -- a conversation as the list of entries that a worker is told.
 *
 * First a run of it that the next turn will have again to the byte, so that what a provider
 * keeps of it is good for that: nothing in it changes once it was told, and how a proposal
 * ended stands where it ended. Then 'now', and behind it what belongs to this turn: older
 * parts that share words with the question, what others wrote in the thread, and what is to
 * be answered.
 */
#ifndef ASSISTANT_HOST_CONTEXT_ENTRIES_H
#define ASSISTANT_HOST_CONTEXT_ENTRIES_H

#include "assistant/host/context.h"

/* 'conversation' of the message 'turn'. New reference; NULL without memory. */
json_t *context_entries(const struct context_input *in) _must_use_;

#endif
