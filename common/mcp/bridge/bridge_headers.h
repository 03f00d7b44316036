/*
 * bridge_headers -- what the HTTP side of a message needs beside its body.
 *
 * A modern message names its revision in the envelope; the headers repeat it, the
 * method, what the method is about (PROTOCOL 2.2), and arguments that the tool asks for
 * (2.18). An older one tells its session and the revision that was agreed. Pure.
 */
#ifndef MCP_BRIDGE_HEADERS_H
#define MCP_BRIDGE_HEADERS_H

#include "link/http/http_client.h"
#include "mcp/param_headers.h"
#include "wire/jsonrpc.h"

enum { BRIDGE_HEADERS_MAX = 6 + PARAM_HEADERS_MAX };

struct bridge_headers {
	struct http_client_header list[BRIDGE_HEADERS_MAX + 1]; /* ends with NULLs */
	size_t count;
	struct strbuf name;   /* value of Mcp-Name */
	struct strbuf mirror; /* as param_headers_write has it; filled by the caller */
};

/* Content-Type and Accept alone. */
void bridge_headers_init(struct bridge_headers *h);
/* Borrows from 'message' and from h->mirror. */
void bridge_headers_modern(struct bridge_headers *h,
			   const struct jsonrpc_message *message);
/* Borrows both; an empty 'id' is left out. */
void bridge_headers_session(struct bridge_headers *h, const char *version,
			    const char *id);
void bridge_headers_done(struct bridge_headers *h);

#endif
