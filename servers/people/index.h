/*
 * index -- all accounts of all sources, joined to people, so that one is found at once.
 *
 * Derived data: built whole out of accounts (index_add) and of what people linked or
 * parted by hand (index_link), in any order with the same result; afterwards it never
 * changes, and any number of threads may read it. It holds what is searched (identifiers,
 * words of names) and who belongs together, not the records: those stay where 'row' says.
 * Sorted arrays, so that a look-up is a handful of comparisons and nothing is scanned but
 * the neighbourhood of a misspelt word. How accounts are joined stands in join.h.
 */
#ifndef PEOPLE_INDEX_H
#define PEOPLE_INDEX_H

#include "servers/people/account.h"

enum { INDEX_ACCOUNTS_MAX = (1 << 24) - 1, INDEX_TEXT_MAX = 1 << 30 };

/* What an identifier is. */
enum index_kind {
	INDEX_KEY, /* of an account in its system; for ids of people, not for queries */
	INDEX_PERSON, /* a file's id of a person; the same */
	INDEX_ID,
	INDEX_LOGIN,
	INDEX_DN,
	INDEX_MAIL,
	INDEX_OTHER_MAIL, /* its system does not vouch for it */
	INDEX_KINDS
};

/* How mail addresses are compared when accounts are joined. */
struct index_rules {
	/* Pairs of domains, "alias", "main", ..., NULL: folded. NULL: none. Borrowed while building. */
	const char *const *domains;
	bool keep_plus_tags; /* a+x@y is not a@y */
};

/* Somebody's word about one account and one person. Texts are borrowed while building. */
struct index_link {
	enum people_system system; /* the account */
	const char *key;
	enum people_system
		anchor_system; /* an account of the person, or its entry in a file */
	const char *anchor_key;
	const char *evidence; /* who, when and why, for people */
	bool is_parted;       /* it is not this person's, and nobody's by inference */
};

struct index_builder;
struct index_builder *index_builder_new(const struct index_rules *rules,
					struct error *err) _must_use_;
void index_builder_free(struct index_builder *b);
DEFINE_CLEANUP(struct index_builder, index_builder_free);
/* 'fields' as account.h writes them, copied; 'row' is the caller's. */
bool index_add(struct index_builder *b, enum people_system system, const char *key,
	       uint32_t row, const char *fields, size_t length, struct error *err);
bool index_link(struct index_builder *b, const struct index_link *link,
		struct error *err);

struct people_index;
/* Ends the builder, also on failure. */
struct people_index *index_build(struct index_builder *b, struct error *err) _must_use_;
void index_free(struct people_index *x);
DEFINE_CLEANUP(struct people_index, index_free);

/* ---- People and their accounts ---- */

enum index_joined {
	INDEX_ALONE,
	INDEX_BY_LINK,
	INDEX_BY_FILE,
	INDEX_BY_MAIL,
	INDEX_BY_CLAIM,
	INDEX_BY_NUMBER
};

struct index_account {
	uint32_t row, person;
	uint32_t key;      /* text */
	uint32_t label;    /* text that people know it by: its login, or else the key */
	uint32_t evidence; /* text: the address, the link, ... */
	uint8_t system;    /* enum people_system */
	uint8_t joined;    /* enum index_joined */
	bool is_closed, is_suspended, is_parted;
};

size_t index_person_count(const struct people_index *x);
size_t index_account_count(const struct people_index *x);
/* A person's accounts in the order of the systems; '*ret_count' is at least 1. Indexes. */
const uint32_t *index_accounts(const struct people_index *x, uint32_t person,
			       size_t *ret_count);
const struct index_account *index_account(const struct people_index *x, uint32_t account);
const char *index_text(const struct people_index *x, uint32_t text);
/* Append the person's id: a file's own, or "ldap~KEY" of the first account. */
void index_person_id(const struct people_index *x, uint32_t person, struct strbuf *sb);
/* The person of an id, also of one that was formed from another of the accounts. */
bool index_by_id(const struct people_index *x, const char *id, uint32_t *ret_person);
/* Texts about the account that contradict each other; ends when false. '*at' begins as 0. */
bool index_conflict(const struct people_index *x, uint32_t account, size_t *at,
		    const char **ret_text);
size_t index_conflict_count(const struct people_index *x);

/* ---- Search ---- */

struct index_hit {
	uint32_t account;
	enum index_kind kind;
};
/* Accounts with exactly this identifier (folded as identifier.h does), in 'ret' (at most
 * 'max'); how many. Without those that passed it on: closed ones where an open one has
 * it; and without those that merely say that an address is theirs, where a system vouches
 * for somebody's. */
size_t index_identifier(const struct people_index *x, const char *folded,
			struct index_hit *ret, size_t max);

/* People as a sorted list without repeats. */
struct index_people {
	uint32_t *items;
	size_t count, capacity;
	bool failed; /* no memory */
};
void index_people_done(struct index_people *p);
void index_people_add(struct index_people *p, uint32_t person);
void index_people_sort(struct index_people *p); /* after adding */
/* Keep those who are in 'other' as well. */
void index_people_keep(struct index_people *p, const struct index_people *other);
void index_people_add_all(struct index_people *p, const struct index_people *other);

/* Words of names, and what is made of them: with one of these before it. */
enum index_mark {
	INDEX_WORD = 0,
	INDEX_INITIAL = 1,    /* of a first name */
	INDEX_PART_BREAK = 2, /* between the parts of a word with hyphens */
	INDEX_FIRST_NAME = 3, /* of somebody whose source lists no nicknames */
};
/* Add (unsorted) who has the word. */
void index_word(const struct people_index *x, enum index_mark mark, const char *word,
		struct index_people *ret);
/* The same with all words within one edit; and with logins and ids of five characters
 * or more within one edit. */
void index_near_words(const struct people_index *x, const char *word,
		      struct index_people *ret);
void index_near_identifiers(const struct people_index *x, const char *folded,
			    struct index_people *ret);

#endif
