/*
 * nearest -- the word that was probably meant.
 */
#ifndef CONSOLE_NEAREST_H
#define CONSOLE_NEAREST_H

#include <stddef.h>

/*
 * The candidate that is fewest edits away from 'word', borrowed; NULL when none is
 * nearer than three edits and half of the word's length.
 */
const char *nearest_find(const char *word, const char *const *candidates, size_t count);

#endif
