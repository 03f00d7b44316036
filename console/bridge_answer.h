/*
 * bridge_answer -- an HTTP reply as lines for a client on stdio. Pure.
 *
 * Whatever the server did, a request gets exactly one answer: its own, or an error
 * that says in a sentence what came instead. Notifications that an event stream
 * carries go before it. Bytes of the server's messages are kept as they are.
 */
#ifndef CONSOLE_BRIDGE_ANSWER_H
#define CONSOLE_BRIDGE_ANSWER_H

#include "link/http/http_client.h"
#include "wire/jsonrpc.h"

/* Append the lines, each with its newline, for the request 'id'. */
void bridge_answer(struct strbuf *lines, const json_t *id,
		   const struct http_client_reply *reply);
/* One error line; 'id' may be NULL. */
void bridge_error(struct strbuf *lines, const json_t *id, int code, const char *message);

#endif
