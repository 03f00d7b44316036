/*
 * index_private -- what index.c, index_build.c, join.c and index_search.c share.
 */
#ifndef PEOPLE_INDEX_PRIVATE_H
#define PEOPLE_INDEX_PRIVATE_H

#include "servers/people/index.h"

/* A text and whose it is; sorted by text, then by owner. 'prefix' is the text's first
 * eight bytes as a number, so that most comparisons touch nothing else. */
struct entry {
	uint64_t prefix;
	uint32_t text;
	uint32_t
		owner; /* an account with its kind above ENTRY_KIND_SHIFT; of words a person */
};
enum { ENTRY_KIND_SHIFT = 24, ENTRY_OWNER_MASK = (1 << 24) - 1 };

struct entries {
	struct entry *items;
	size_t count, capacity;
};
uint64_t entry_prefix(const char *text);
bool entries_add(struct entries *e, uint32_t text, const char *string, uint32_t owner);
void entries_sort(struct entries *e, const char *text);
/* The first entry that is not before 'string'. */
size_t entries_find(const struct entries *e, const char *text, const char *string);

/* What joins accounts, in the order in which it is believed. */
enum claim_kind { CLAIM_FILE, CLAIM_MAIL, CLAIM_LOGIN, CLAIM_NUMBER, CLAIM_KINDS };

struct conflict {
	uint32_t account, text;
};

struct distinct {
	uint32_t *forward;  /* first entry of each text, in their order */
	uint32_t *backward; /* the same in the order of their texts from the end */
	size_t count;
};

struct people_index {
	char *text;
	size_t text_length, text_capacity;
	struct index_account *accounts;
	size_t account_count, account_capacity;
	struct entries ids, words;
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
	struct entries claims[CLAIM_KINDS];
	struct stored_link *links;
	size_t link_count, link_capacity;
};

/* A new text, NUL and all, copied; false without memory or past INDEX_TEXT_MAX. */
bool index_add_text(struct people_index *x, const char *text, size_t length,
		    uint32_t *ret);
/* Let 'items' of 'size' bytes have room for one more. */
bool index_grow(void **items, size_t count, size_t *capacity, size_t size);
bool index_add_conflict(struct people_index *x, uint32_t account, uint32_t text);

/* Whose accounts belong together: sets 'person' of each to a representative account,
 * 'joined', 'evidence' and conflicts. 'ids' must be sorted. */
bool join_accounts(struct index_builder *b, struct error *err);
bool index_make_distinct(struct people_index *x, struct error *err);

#endif
