/*
 * header_value -- text of a JSON value in an HTTP header, and back.
 *
 * Mcp-Name and Mcp-Param-* carry values that also stand in the body. What cannot
 * stand in a header as it is travels as "=?base64?" + padded base64 + "?=" (the
 * marker is lower case; half a marker is a literal). Source: PROTOCOL 2.18.
 */
#ifndef MCP_HEADER_VALUE_H
#define MCP_HEADER_VALUE_H

#include "base/error.h"
#include "base/strbuf.h"

/* Append what the header's value means: white space around it dropped, the base64
 * form decoded. False for a forbidden character, a bad alphabet or padding, or
 * bytes that are no UTF-8. */
bool header_value_decode(const char *value, struct strbuf *ret);

/* Append 'text' as a header value that header_value_decode reads back. */
void header_value_encode(struct strbuf *sb, const char *text, size_t length);

/* Whether the header's value means exactly this text. */
bool header_value_is(const char *value, const char *text, size_t length);

#endif
