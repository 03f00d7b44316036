/*
 * budget -- what a day's and a person's share of the language model is, and what is left.
 *
 * A surface asks before it hands a request on, and books when the answer is whole or has
 * failed. A day runs from midnight to midnight UTC. What is used stands in documents
 * ("assistant_budget", one of the whole and one a person, by day) and survives a restart;
 * a store that cannot be read refuses. Between asking and booking the estimate counts, so
 * that several turns at once cannot each take the last of it.
 *
 * Tokens are what the provider counted, but by the worker's word; it is believed only
 * upwards of what its bytes must have cost (BUDGET_BYTES_A_TOKEN). Tokens read from the
 * provider's cache count a tenth, as their prices go.
 */
#ifndef ASSISTANT_BUDGET_H
#define ASSISTANT_BUDGET_H

#include "assistant/fields.h"
#include "link/documents/documents.h"

/* No tokenizer packs plain text closer than this on average. */
enum { BUDGET_BYTES_A_TOKEN = 8, BUDGET_CACHE_DIVISOR = 10, BUDGET_KEEP_DAYS = 35 };

struct budget;

/* 'd' is borrowed. Limits in tokens, 0: none. Single-threaded, one for each store. */
struct budget *budget_new(struct documents *d, int64_t per_day, int64_t per_person,
			  struct error *err) _must_use_;
void budget_free(struct budget *b);
DEFINE_CLEANUP(struct budget, budget_free);

/*
 * May 'person' send a request of so many bytes now? True reserves its estimate until
 * budget_book; '*ret_reserved' is what. ERR_RATE_LIMITED: spent, for the day or the
 * person as the message says (words for people: assistant_words(ASSISTANT_BUDGET_SPENT)).
 * Any other error: not known, so refused.
 */
bool budget_ask(struct budget *b, const char *person, size_t body_bytes, int64_t now_ms,
		int64_t *ret_reserved, struct error *err);

/* Give the reservation back and book what was used: the greater of what 'usage' says
 * (NULL: nothing) and what the bytes both ways must have cost. */
bool budget_book(struct budget *b, const char *person, int64_t reserved,
		 const struct assistant_usage *usage, size_t sent_bytes,
		 size_t received_bytes, int64_t now_ms, struct error *err);

/* Tokens used today by 'person', or by all (NULL). */
bool budget_used(struct budget *b, const char *person, int64_t now_ms, int64_t *ret_used,
		 struct error *err);

/* Remove days that nobody asks about any more. Once a day is enough. */
bool budget_sweep(struct budget *b, int64_t now_ms, struct error *err);

/* What a request has cost, as budget_book reckons. */
int64_t budget_cost(const struct assistant_usage *usage, size_t sent_bytes,
		    size_t received_bytes);

#endif
