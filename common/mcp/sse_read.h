/*
 * sse_read -- the one JSON document that a response stream ends with.
 *
 * For whole bodies of a single request: finds the first event that is a JSON-RPC
 * response; notifications before it are passed over. wire/sse.h reads the events.
 */
#ifndef MCP_SSE_READ_H
#define MCP_SSE_READ_H

#include "base/json.h"

/* The response (an object with "result" or "error"), or NULL with ERR_INVALID_ARGUMENT
 * when the stream holds none; notifications before it are passed over. */
json_t *sse_read_response(const char *text, size_t length, struct error *err) _must_use_;

#endif
