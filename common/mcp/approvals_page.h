/*
 * approvals_page -- clients that can show their person a page, and know no tasks
 * (APPROVALS, 'Direct clients'). Private to approvals*.c.
 *
 * A modern client gets input_required with the address of the gate's page of status and
 * a sealed word that names the approval. It comes again with the word, waits here for up
 * to PAGE_WAIT_MS, is told to come again, and so on for PAGE_ROUNDS_MAX rounds. That the
 * page was opened ('accept') means nothing; 'decline' takes the call back. A client of
 * 2025-11-25 gets that revision's error with the address, and repeats its call.
 */
#ifndef MCP_APPROVALS_PAGE_H
#define MCP_APPROVALS_PAGE_H

#include "mcp/approvals_gate.h"

enum {
	PAGE_WAIT_MS = 50 * 1000,
	PAGE_ROUNDS_MAX = 8,
	PAGE_TTL_MS = 24 * 3600 * 1000, /* of the word: outlives approval and claim */
};

/* Where a call stands that came again. */
struct page_round {
	char approval[81];
	int64_t number; /* of the rounds that it waited; 0: it is new */
};

/* Read it from what came with the call, and take the call back if its person declined.
 * False: the call is new, and 'ret' says so. */
bool page_read(struct exchange *x, struct page_round *ret);
/* Ask the gate again until '*reg' waits no longer, the round is over, nobody listens any
 * more, or too many wait like this. False with 'err': the gate failed, or nobody listens. */
bool page_wait(struct exchange *x, const struct page_round *round,
	       struct registration *reg, struct error *err);
/* Fill the result with what lets the client wait; false: it cannot, or has come too
 * often, or (with 'err') there is no memory. */
bool page_show(struct exchange *x, const struct registration *reg,
	       const struct page_round *round, struct mcp_result *r, struct error *err);

#endif
