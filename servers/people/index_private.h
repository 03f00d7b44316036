/*
 * index_private -- what index.c, index_build.c, join.c and index_search.c share.
 *
 * Every text is kept once and has a number; whose it is, and who has the word, are lists of
 * numbers, by text. So nothing but the neighbourhoods for misspelt words is ever sorted
 * as text.
 */
#ifndef PEOPLE_INDEX_PRIVATE_H
#define PEOPLE_INDEX_PRIVATE_H

#include "servers/people/index.h"

struct texts {
	char *data;
	size_t length, capacity;
	uint32_t *at; /* where each begins */
	size_t count, at_capacity;
	uint32_t *slots;   /* by hash: number + 1, or 0 */
	size_t slot_count; /* a power of two */
	uint64_t seed;
};
/* The number of a text, a new one if need be; false without memory or past INDEX_TEXT_MAX. */
bool texts_add(struct texts *t, const char *text, size_t length, uint32_t *ret);
bool texts_find(const struct texts *t, const char *text, uint32_t *ret);
static inline const char *texts_get(const struct texts *t, uint32_t text)
{
	return t->data + t->at[text];
}

/* A text above, and whose it is below: an account, of identifiers with its kind above
 * PAIR_KIND_SHIFT. */
struct pairs {
	uint64_t *items;
	size_t count, capacity;
};
enum { PAIR_KIND_SHIFT = 24, PAIR_OWNER_MASK = (1 << 24) - 1 };
bool pairs_add(struct pairs *p, uint32_t text, uint32_t owner);
bool pairs_sort(struct pairs *p);
static inline uint32_t pair_text(uint64_t pair)
{
	return (uint32_t)(pair >> 32);
}
static inline uint32_t pair_owner(uint64_t pair)
{
	return (uint32_t)pair;
}

/* The owners of each text, side by side. */
struct lists {
	uint32_t *starts; /* one more than texts */
	uint32_t *owners;
	size_t text_count;
};
/* Of sorted pairs, each once; they are freed. */
bool lists_make(struct lists *l, struct pairs *p, size_t text_count);
void lists_done(struct lists *l);
/* Those of a text. */
static inline const uint32_t *lists_get(const struct lists *l, uint32_t text,
					size_t *ret_count)
{
	if (text >= l->text_count) {
		*ret_count = 0;
		return NULL;
	}
	*ret_count = l->starts[text + 1] - l->starts[text];
	return l->owners + l->starts[text];
}

/* What joins accounts, in the order in which it is believed. */
enum claim_kind { CLAIM_FILE, CLAIM_MAIL, CLAIM_LOGIN, CLAIM_NUMBER, CLAIM_KINDS };

struct conflict {
	uint32_t account, text;
};

/* Texts that may be meant by others near them. */
struct distinct {
	uint32_t *forward;  /* in their order */
	uint32_t *backward; /* in the order of their texts from the end */
	size_t count;
};

struct people_index {
	struct texts texts;
	struct index_account *accounts;
	size_t account_count, account_capacity;
	struct lists ids, words; /* owners of words are people */
	struct distinct near_ids, near_words;
	uint32_t *members; /* accounts by person */
	uint32_t *starts;  /* of each person in 'members'; one more than people */
	size_t person_count;
	struct conflict *conflicts;
	size_t conflict_count, conflict_capacity;
};

struct stored_link {
	uint32_t key, anchor_key, evidence; /* texts */
	enum people_system system, anchor_system;
	bool is_parted;
};

struct index_builder {
	struct people_index *index;
	struct index_rules rules;
	struct pairs ids, words; /* owners of words are accounts */
	struct pairs claims[CLAIM_KINDS];
	struct stored_link *links;
	size_t link_count, link_capacity;
};

/* Let 'items' of 'size' bytes have room for one more. */
bool index_grow(void **items, size_t count, size_t *capacity, size_t size);
bool index_add_conflict(struct people_index *x, uint32_t account, uint32_t text);
/* The account of a system with this key. */
bool index_find_key(const struct people_index *x, enum people_system system,
		    uint32_t text, uint32_t *ret);

/* Whose accounts belong together: sets 'person' of each to a representative account,
 * 'joined', 'evidence' and conflicts. The index's 'ids' must be made. */
bool join_accounts(struct index_builder *b, struct error *err);
bool index_make_distinct(struct people_index *x, struct error *err);

#endif
