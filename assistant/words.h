/*
 * words -- what people are told when the assistant cannot go on.
 *
 * One sentence for each code, ours alone: nothing of what a provider said is in it. It
 * says what still works, since without a model everything else does.
 */
#ifndef ASSISTANT_WORDS_H
#define ASSISTANT_WORDS_H

#include "assistant/messages.h"

/* Plain text, at most 240 bytes; never NULL. */
const char *assistant_words(enum assistant_code code);

#endif
