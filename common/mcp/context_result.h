/*
 * context_result -- what reads of context fill; private to mcp.
 *
 * Like struct mcp_result: knows nothing of JSON-RPC, and remembers a lack of memory
 * in 'broken'.
 */
#ifndef MCP_CONTEXT_RESULT_H
#define MCP_CONTEXT_RESULT_H

#include "mcp/resource.h"

enum { MCP_VALUES_MAX = 100 };

struct mcp_contents {
	const char *uri; /* borrowed */
	json_t *list;
	int64_t ttl_ms;
	bool is_public, broken;
};

struct mcp_messages {
	json_t *list;
	bool broken;
};

struct mcp_values {
	json_t *list;
	int64_t total;
	bool broken;
};

#endif
