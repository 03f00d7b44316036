/*
 * rank -- which sections answer a query best, one for each document.
 */
#ifndef PLAYBOOKS_RANK_H
#define PLAYBOOKS_RANK_H

#include "servers/playbooks/index.h"
#include "servers/playbooks/query.h"

struct hit {
	uint32_t document, section;
	double score;
	double share; /* of what was typed, by how rare it is, that the document has */
};

/* How a document's own score and that of its best section make one. Words that the best
 * documents share (pseudo-relevance feedback) were tried and helped neither half of the
 * judged queries. */
struct rank_weights {
	double document, section;
	double coverage; /* how much of the score asks for all typed words */
};
extern const struct rank_weights rank_default;

/* May somebody see this document, and does it fit the call's filters? */
typedef bool rank_filter(void *context, const struct index_document *document);

/* Sorts 'hits', and picks the best that pass; how many. Of documents with the same text one
 * stands for all. */
size_t rank_pick(const struct index *x, struct hit *hits, size_t count,
		 rank_filter *filter, void *context, struct hit *ret, size_t room);

/* Whether a document that passes has this stem. */
bool rank_any(const struct index *x, uint32_t stem, rank_filter *filter, void *context);

/* Best first, at most 'room'; '*ret_count' of them. Of documents with the same text one
 * stands for all. False without memory. */
bool rank_search(const struct index *x, const struct query *q,
		 const struct rank_weights *weights, rank_filter *filter, void *context,
		 struct hit *ret, size_t room, size_t *ret_count, struct error *err);

#endif
