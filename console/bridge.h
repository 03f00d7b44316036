/*
 * bridge -- an MCP server on stdio that is really the running server.
 *
 * One JSON-RPC message a line from stdin, each posted to the server's URL with the
 * person's token; answers go to stdout, a line each, in the order they come. It
 * opens no backend and holds no other secret; without TLS it talks to loopback only. Several requests run at once;
 * notifications/cancelled ends the request that it names. At the end of stdin what
 * runs is finished.
 */
#ifndef CONSOLE_BRIDGE_H
#define CONSOLE_BRIDGE_H

#include "base/secret.h"

enum {
	BRIDGE_LINE_MAX = 4 * 1024 * 1024,
	BRIDGE_THREADS = 16,
	BRIDGE_QUEUE_MAX = 64,
	BRIDGE_TIMEOUT_MS = 10 * 60 * 1000, /* a person may have to decide meanwhile */
};

/* Serves until stdin ends. False: 'err' says why it could not begin, or that stdout is gone. */
bool bridge_run(const char *url, const struct secret *token, struct error *err);

#endif
