/* security_words -- the tables in words/, compiled in; see thesaurus.h. */
#ifndef PLAYBOOKS_SECURITY_WORDS_H
#define PLAYBOOKS_SECURITY_WORDS_H

#include <stddef.h>

extern const char security_words[];
extern const size_t security_words_length;

#endif
