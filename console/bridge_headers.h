/*
 * bridge_headers -- what the HTTP side of a message needs beside its body.
 *
 * A modern message names its revision in the envelope; the headers repeat it, the
 * method and what the method is about (PROTOCOL 2.2). Pure.
 */
#ifndef CONSOLE_BRIDGE_HEADERS_H
#define CONSOLE_BRIDGE_HEADERS_H

#include "link/http/http_client.h"
#include "wire/jsonrpc.h"

enum { BRIDGE_HEADERS_MAX = 6 };

struct bridge_headers {
	struct http_client_header list[BRIDGE_HEADERS_MAX]; /* ends with NULLs */
	size_t count;
	struct strbuf name; /* value of Mcp-Name */
};

/* Borrows from 'message'. */
void bridge_headers_init(struct bridge_headers *h, const struct jsonrpc_message *message);
void bridge_headers_done(struct bridge_headers *h);

#endif
