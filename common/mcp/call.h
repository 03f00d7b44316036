/*
 * call -- what stands behind mcp/tool.h's accessors; private to mcp.
 *
 * A struct mcp_call lives on the stack of whoever runs a function of a row;
 * everything in it but 'error_details' is borrowed.
 */
#ifndef MCP_CALL_H
#define MCP_CALL_H

#include <stdatomic.h>

#include "mcp/tool.h"

struct exchange;
struct asking;

struct mcp_call {
	void *context;
	const json_t *arguments;
	const struct plan *plan; /* NULL in plan functions and reads */
	const char *uri;         /* NULL: no resource is read */
	const char *requester;
	const json_t *assumes;        /* of a plan; NULL: nothing */
	const char *approval;         /* "" for a freed read */
	const char *approvers;        /* separated by ", " */
	int64_t now_ms;               /* wall: planned_at for writes */
	int64_t deadline_ms;          /* monotonic */
	const atomic_bool *cancelled; /* NULL after a burn: nothing stops it then */
	struct exchange *exchange;    /* to be talked to, or that may go; NULL: nobody */
	struct asking *asking;        /* NULL: nothing can be asked */
	json_t *error_details;        /* owned */
};

void mcp_call_done(struct mcp_call *call);

#endif
