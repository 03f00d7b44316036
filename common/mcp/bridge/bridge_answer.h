/*
 * bridge_answer -- what the server says as lines for a client on stdio. Pure.
 *
 * Keeps which requests still wait for an answer. Each gets exactly one: its own, or an
 * error that says what came instead. Answers to others are dropped, and what is no MCP.
 * Bytes of the server's messages are kept as they are, but for line ends between tokens.
 */
#ifndef MCP_BRIDGE_ANSWER_H
#define MCP_BRIDGE_ANSWER_H

#include "base/strbuf.h"
#include "wire/jsonrpc.h"

enum { BRIDGE_VERSION_BYTES = 16 };

struct bridge_asked {
	json_t *open;       /* ids without an answer; an array, owned; NULL: none */
	bool is_legacy;     /* the server may ask too, and answer in arrays */
	bool is_listen;     /* subscriptions/listen, which stdio ends in its own way */
	bool is_initialize; /* 'version' gets what was agreed */
	char version[BRIDGE_VERSION_BYTES];
};
void bridge_asked_done(struct bridge_asked *a);
/* One more that waits. False without memory. */
bool bridge_asked_add(struct bridge_asked *a, const json_t *id) _must_use_;
static inline bool bridge_asked_is_open(const struct bridge_asked *a)
{
	return json_array_size(a->open) > 0;
}

/* Append what the client may see of one message of the server, or of an array. */
void bridge_answer_take(struct bridge_asked *a, const char *text, size_t length,
			struct strbuf *lines);
/* Append an error for each that has no answer yet. */
void bridge_answer_fail(struct bridge_asked *a, int code, const char *message,
			struct strbuf *lines);
/* The code of a JSON-RPC error, 0 for anything else. */
int64_t bridge_answer_code(const char *text, size_t length);

/* One error line; 'id' may be NULL. */
void bridge_answer_error(struct strbuf *lines, const json_t *id, int code,
			 const char *message);

#endif
