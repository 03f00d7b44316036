/*
 * lexicon -- short texts, each once, numbered from 0 in the order of coming.
 */
#ifndef PLAYBOOKS_LEXICON_H
#define PLAYBOOKS_LEXICON_H

#include "base/cleanup.h"

enum { LEXICON_MAX = 16 * 1024 * 1024 };

struct lexicon {
	char *texts; /* one behind the other, each with its NUL */
	size_t used, room;
	uint32_t *offsets; /* by number */
	uint32_t count, capacity;
	uint32_t *slots; /* hash table: number + 1, or 0 */
	uint32_t slot_count;
};

/* The number of a text, which is added if it is new; false without memory, or with
 * LEXICON_MAX of them. */
bool lexicon_add(struct lexicon *l, const char *text, uint32_t *ret);
bool lexicon_find(const struct lexicon *l, const char *text, uint32_t *ret);
static inline const char *lexicon_text(const struct lexicon *l, uint32_t number)
{
	return l->texts + l->offsets[number];
}
void lexicon_done(struct lexicon *l);

#endif
