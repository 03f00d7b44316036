/*
 * nicknames -- given names and what people make of them, in English and its neighbours.
 *
 * For people whose sources list no nicknames. Only a hint: whoever is found by it alone
 * is a candidate, never the answer.
 */
#ifndef PEOPLE_NICKNAMES_H
#define PEOPLE_NICKNAMES_H

#include <stddef.h>

/* Each name that 'word' may be short or long for; folded. Ends when it returns NULL;
 * '*at' begins as 0. */
const char *nickname_next(const char *word, size_t *at);

#endif
