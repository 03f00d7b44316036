/*
 * param_headers -- arguments of a tool that travel in a header too.
 *
 * A property of an inputSchema may have "x-mcp-header": "Region"; the call then
 * carries Mcp-Param-Region, and the two must say the same: an intermediary may
 * have routed on the header. Annotations are found once, when a tool is loaded.
 * Source: PROTOCOL 2.18.
 */
#ifndef MCP_PARAM_HEADERS_H
#define MCP_PARAM_HEADERS_H

#include "base/json.h"

enum { PARAM_HEADERS_MAX = 16, PARAM_HEADERS_DEPTH_MAX = 16 };

struct param_headers;

/* The annotations of an inputSchema, or NULL with 'err': a bad annotation
 * (name, type, place, used twice) makes the tool invalid. */
struct param_headers *param_headers_new(const json_t *input_schema,
					struct error *err) _must_use_;
void param_headers_free(struct param_headers *p);
DEFINE_CLEANUP(struct param_headers, param_headers_free);
size_t param_headers_count(const struct param_headers *p);

/* Append what a call with these arguments carries: for each header its name and its
 * encoded value, each ended by a NUL. Absent and null ones have none. */
void param_headers_write(const struct param_headers *p, const json_t *arguments,
			 struct strbuf *sb);

/* Compare with the headers of a request, as 'header' finds them by name (NULL:
 * absent). ERR_INVALID_ARGUMENT names the header that differs. */
bool param_headers_check(const struct param_headers *p, const json_t *arguments,
			 const char *(*header)(void *context, const char *name),
			 void *context, struct error *err);

#endif
