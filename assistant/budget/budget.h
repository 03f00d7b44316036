/*
 * budget -- what a day's and a person's share of the language model is, and what is left.
 *
 * A surface asks before it hands a request on, and books when the answer is whole or has
 * failed. A day runs from midnight to midnight UTC. What is used stands in the surface's
 * store, and survives a restart: in the coordination store, which all replicas share and
 * whose clock counts, or in documents (a console's own, and the caller's clock). Asking
 * takes its estimate out of the day in one step of the store, so that neither several turns
 * nor several replicas can each take the last of it; what a process that died had taken
 * stays taken. A store that cannot be asked refuses, if there is a limit.
 *
 * Tokens are what the provider counted, but by the worker's word; it is believed only
 * upwards of what its bytes must have cost (BUDGET_BYTES_A_TOKEN). Tokens read from the
 * provider's cache count a tenth, as their prices go.
 *
 * Of one thread at a time, and waits for the store.
 */
#ifndef ASSISTANT_BUDGET_H
#define ASSISTANT_BUDGET_H

#include "assistant/fields.h"
#include "link/coordination/coordination.h"
#include "link/documents/documents.h"

/* No tokenizer packs plain text closer than this on average. */
enum { BUDGET_BYTES_A_TOKEN = 8, BUDGET_CACHE_DIVISOR = 10, BUDGET_KEEP_DAYS = 35 };
enum { BUDGET_DAY_BYTES = 11 }; /* "2026-01-31" */

struct budget;

struct budget_options {
	/* One of them; borrowed. */
	struct documents *documents;
	struct coordination *coordination;
	int64_t per_day,
		per_person; /* tokens; 0: no limit, and nothing is counted for it */
};

/* What a request has taken of its day. */
struct budget_share {
	char day[BUDGET_DAY_BYTES];
	int64_t tokens;
};

struct budget *budget_new(const struct budget_options *o, struct error *err) _must_use_;
void budget_free(struct budget *b);
DEFINE_CLEANUP(struct budget, budget_free);

/*
 * May 'person' send a request of so many bytes now? True takes its estimate, until
 * budget_book. ERR_RATE_LIMITED: spent, for the day or the person as the message says
 * (words for people: assistant_words(ASSISTANT_BUDGET_SPENT)). Any other error: not known,
 * so refused (ASSISTANT_BUDGET_UNKNOWN).
 */
bool budget_ask(struct budget *b, const char *person, size_t body_bytes, int64_t now_ms,
		struct budget_share *ret, struct error *err);

/*
 * 'share' was taken and 'cost' is what was used, of the same day; 'share' NULL: 'cost' is
 * more of today. What the store does not take is owed, and booked before anything else is
 * asked for.
 */
bool budget_book(struct budget *b, const char *person, const struct budget_share *share,
		 int64_t cost, int64_t now_ms, struct error *err);

/* Tokens used today by 'person', or by all (NULL); 0 where there is no limit. */
bool budget_used(struct budget *b, const char *person, int64_t now_ms, int64_t *ret_used,
		 struct error *err);

/* Remove days that nobody asks about any more. Once a day is enough. */
bool budget_sweep(struct budget *b, int64_t now_ms, struct error *err);

/* What a request has cost: the greater of what 'usage' says (NULL: nothing) and what the
 * bytes both ways must have. Pure. */
int64_t budget_cost(const struct assistant_usage *usage, size_t sent_bytes,
		    size_t received_bytes);

#endif
