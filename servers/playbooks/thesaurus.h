/*
 * thesaurus -- what words of the field stand for one another.
 *
 * words/security.txt and words/everyday.txt are the maintained tables, compiled in; their
 * first lines say how they are written. A term that stands in a query brings its equals along; everyday wording brings
 * the terms of the field ("locked files" brings "ransomware"), and never the other way
 * round. Knows no index. Read-only once made, so that threads share it.
 */
#ifndef PLAYBOOKS_THESAURUS_H
#define PLAYBOOKS_THESAURUS_H

#include "base/error.h"
#include "servers/playbooks/lexicon.h"
#include "servers/playbooks/words.h"

enum { PHRASE_WORDS_MAX = 5, CLOSURE_MAX = 256 };

struct phrase {
	uint32_t stems[PHRASE_WORDS_MAX]; /* of the thesaurus */
	uint8_t count;
	bool is_everyday; /* brings others, is not brought */
	uint32_t concept;
};

struct thesaurus;

/* 'text' of 'length' bytes as words/security.txt has it. */
struct thesaurus *thesaurus_new(const char *text, size_t length,
				struct error *err) _must_use_;
struct thesaurus *thesaurus_built_in(struct error *err) _must_use_;
void thesaurus_free(struct thesaurus *t);
DEFINE_CLEANUP(struct thesaurus, thesaurus_free);

/* A word of a query: its stem, and how sure it is that it is meant (1: typed so). */
struct asked {
	const char *stem;
	double weight;
	unsigned place; /* among the words of the query */
};

struct brought {
	const struct phrase *phrase;
	double weight;
	uint32_t places; /* a bit for each place of the query that brought it */
};

/* The phrases that words bring, best first, none twice, what they say themselves among them.
 * Returns how many. */
size_t thesaurus_expand(const struct thesaurus *t, const struct asked *asked,
			size_t count, struct brought *ret, size_t room);

/* Words that say nearly the same in everyday language; 'fn' gets each stem. */
void thesaurus_similar(const struct thesaurus *t, const char *stem,
		       void (*fn)(void *context, const char *stem), void *context);

bool thesaurus_knows(const struct thesaurus *t, const char *stem);
const char *thesaurus_stem(const struct thesaurus *t, uint32_t stem);
size_t thesaurus_size(const struct thesaurus *t); /* phrases */

#endif
