/*
 * refusal -- a request that is turned away as a whole: HTTP status and JSON-RPC error.
 */
#ifndef MCP_REFUSAL_H
#define MCP_REFUSAL_H

#include "base/json.h"
#include "wire/jsonrpc.h"

struct refusal {
	unsigned status; /* of HTTP */
	int code;        /* of JSON-RPC */
	char message[320];
	json_t *data; /* owned; NULL: none */
};

static inline void refusal_done(struct refusal *r)
{
	json_decref(r->data);
	r->data = NULL;
}

/* Fill it; returns false, so that 'return refusal_set(...)' reads as what it is. */
_printf_(4, 5) bool refusal_set(struct refusal *r, unsigned status, int code,
				const char *format, ...);

#endif
