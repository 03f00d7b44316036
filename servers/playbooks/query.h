/*
 * query -- what somebody typed, as groups of words that mean the same.
 *
 * A word that the index does not know is corrected (edit distance, the sound, how often
 * the other word stands there), split or joined; one that it knows is never touched. Then
 * the thesaurus and the "Name (ABC)" patterns of the pages bring words and phrases along.
 */
#ifndef PLAYBOOKS_QUERY_H
#define PLAYBOOKS_QUERY_H

#include "servers/playbooks/index.h"
#include "servers/playbooks/thesaurus.h"

enum {
	QUERY_BYTES_MAX = 1000,
	QUERY_WORDS_MAX = 32,
	GROUPS_MAX = 64,
	VARIANTS_MAX = 16,
};

/* A word, or several that stand together: stems of the index. */
struct variant {
	uint32_t stems[PHRASE_WORDS_MAX];
	uint8_t count;
	float weight;
};

/* A section's score for a group is that of its best variant. */
struct group {
	struct variant variants[VARIANTS_MAX];
	uint8_t count;
	bool is_typed; /* a word of the query; else something brought along */
	float weight;
};

/* 'to' may be a word that stands only in pages which the asker may not see: before it is
 * told, rank_any() says whether its stems are theirs to know. */
struct correction {
	char from[WORD_BYTES_MAX + 1], to[WORD_BYTES_MAX + 1];
	uint32_t stems[2];
	uint8_t stem_count;
};

struct query {
	struct group groups[GROUPS_MAX];
	size_t group_count;
	/* Words in the order they were typed, for what looks at their neighbourhood. */
	char words[QUERY_WORDS_MAX][WORD_BYTES_MAX + 1];
	size_t word_count;
	struct correction corrections[QUERY_WORDS_MAX];
	size_t correction_count;
};

/* Text past QUERY_BYTES_MAX is left out. False without memory. */
bool query_read(const struct index *x, const struct thesaurus *t, const char *text,
		struct query *ret, struct error *err);

#endif
