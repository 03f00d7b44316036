/*
 * sse_read -- the one JSON document that a response stream ends with.
 *
 * For whole bodies of a single request: finds the last event that is a JSON-RPC
 * response. Lines end in CR, LF or CRLF, a leading BOM is dropped, comments and
 * unknown fields are skipped, several data lines join with LF, events without data
 * and an event without its blank line do not count. Source: PROTOCOL 2.5.
 */
#ifndef MCP_SSE_READ_H
#define MCP_SSE_READ_H

#include "base/json.h"

/* The response (an object with "result" or "error"), or NULL with ERR_INVALID_ARGUMENT
 * when the stream holds none; notifications before it are passed over. */
json_t *sse_read_response(const char *text, size_t length, struct error *err) _must_use_;

#endif
