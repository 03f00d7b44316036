/*
 * budget_private -- where counts stand, and how they are added to.
 */
#ifndef ASSISTANT_BUDGET_PRIVATE_H
#define ASSISTANT_BUDGET_PRIVATE_H

#include "assistant/budget/budget.h"
#include "base/digest.h"

/* "DAY SHA-256 of the person", or "DAY all". */
enum { BUDGET_ID_BYTES = BUDGET_DAY_BYTES + 2 * DIGEST_BYTES + 1, BUDGET_OWED_MAX = 64 };

struct budget_store {
	/* The clock that counts; 'now_ms' is the caller's. */
	bool (*now)(struct budget *b, int64_t now_ms, int64_t *ret, struct error *err);
	/* Add to a count, in one step for all who share the store; 'ret' is what it is then. */
	bool (*add)(struct budget *b, const char *id, const char *person, int64_t by,
		    int64_t *ret, struct error *err);
	/* Remove what is of a day before this one. */
	bool (*sweep)(struct budget *b, const char *day, struct error *err);
};

/* What the store did not take. */
struct budget_owed {
	char id[BUDGET_ID_BYTES];
	char person[ASSISTANT_NAME_MAX + 1]; /* "": of all */
	int64_t tokens;                      /* 0: free */
};

struct budget {
	struct budget_options o;
	const struct budget_store *store;
	struct budget_owed owed[BUDGET_OWED_MAX];
};

extern const struct budget_store budget_documents, budget_coordination;

#endif
