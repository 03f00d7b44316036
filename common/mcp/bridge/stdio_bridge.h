/*
 * stdio_bridge -- an MCP server on stdio that is really a running server.
 *
 * Reads one JSON-RPC message a line, sends each to the server's URL with the person's
 * token, and writes what comes back a line each, in the order in which it comes: of
 * event streams message by message. It opens no backend, holds no other secret, and
 * without TLS it talks to loopback only. Whatever the server does, a request gets
 * exactly one answer: its own, or an error that says in a sentence what came instead.
 *
 * 2026-07-28: each request is a POST of its own with the headers that HTTP wants
 *   (Mcp-Method, Mcp-Name, what a tool's x-mcp-header asks for). notifications/cancelled
 *   closes the request's connection, which is how one cancels over HTTP.
 * Older ones: 'initialize' begins a session, whose id and version all that follows
 *   carries; after notifications/initialized its GET stream is read too, resumed with
 *   Last-Event-ID, and what the server asks is answered by a POST. A stream that breaks
 *   before the answer is resumed. A session that the server has forgotten is an error
 *   for the request that finds out, and the next request has a new one. Batches are for
 *   2025-03-26 alone. The session is ended at the end.
 *
 * Several requests run at once, a thread each; what is no request, and 'initialize',
 * is sent in order and before anything behind it. Logs go to stderr.
 */
#ifndef MCP_STDIO_BRIDGE_H
#define MCP_STDIO_BRIDGE_H

#include "base/secret.h"
#include "link/http/http_client.h"

enum {
	STDIO_BRIDGE_LINE_MAX = 4 * 1024 * 1024,     /* bytes, without the line's end */
	STDIO_BRIDGE_MESSAGE_MAX = 16 * 1024 * 1024, /* of one message of the server */
	STDIO_BRIDGE_REQUESTS_MAX = 64,              /* at once; more are refused */
	STDIO_BRIDGE_BATCH_MAX = 128,                /* messages in an array */
	STDIO_BRIDGE_DRAIN_MS = 30 * 1000,           /* for what runs when stdin ends */
};

struct stdio_bridge_options {
	const char *url;            /* https, or http on loopback */
	const struct secret *token; /* borrowed; may be NULL */
	struct http_client *http;   /* borrowed; NULL: one of its own */
	int in, out;                /* descriptors, left open */
	int stop_fd;                /* readable: end promptly; -1: none */
	const char *down_hint;  /* what to do when nobody answers at the URL; or NULL */
	const char *token_hint; /* what to do when the token is refused; or NULL */
	int64_t drain_ms;       /* 0: STDIO_BRIDGE_DRAIN_MS */
};

/*
 * Serves until 'in' ends or 'stop_fd' is readable: then what runs is finished within
 * drain_ms, or, stopped, given up at once, and the session is ended. SIGPIPE must be
 * ignored, for 'out' may be a pipe that nobody reads any more. False: 'err' says why it
 * could not begin, or that 'out' is gone.
 */
bool stdio_bridge_run(const struct stdio_bridge_options *options, struct error *err);

/* A descriptor for stop_fd that SIGTERM, SIGINT and SIGHUP make readable from now on,
 * instead of ending the process; SIGPIPE is ignored. To be called before there are
 * threads; -1 with 'err'. The caller closes it. */
int stdio_bridge_catch_signals(struct error *err) _must_use_;

#endif
