/*
 * legacy -- the era of 'initialize': handshake, sessions, streams, questions, batches.
 *
 * On /mcp over Streamable HTTP, and on /sse and /messages as 2024-11-05 has it. A request
 * within a session may be talked about before its response: its own stream of events
 * carries what it says (SSE: the session's), and goes on without a connection. Who closes
 * the connection cancels nothing; notifications/cancelled does, until the burn. What a
 * function asks (mcp/ask.h) goes to the client as requests of ours, and the function runs
 * again with the answers, as it does in the modern era.
 */
#ifndef MCP_LEGACY_H
#define MCP_LEGACY_H

#include <sys/queue.h>

#include "mcp/revision_legacy.h"

enum {
	LEGACY_BATCH_MAX = 32,  /* messages */
	LEGACY_ROUNDS_MAX = 16, /* of questions of one request */
	LEGACY_WAITS_MAX = 64,  /* requests of a client that wait for answers */
	LEGACY_ANSWER_MS = 10 * 60 * 1000, /* that a client has for one */
};

struct exchange;
struct legacy_batch;
struct mcp_result;
struct outlet;
struct session;

/* What a request asked its client; in the exchange, under the lock of sessions. */
struct legacy_wait {
	LIST_ENTRY(legacy_wait) entry; /* of its session's */
	struct exchange *x;
	json_t *keys; /* {id of our request: key}: those without an answer; NULL: none */
	json_t *answers; /* {key: answer} */
	size_t bytes;    /* of all answers to this request, earlier ones included */
	int64_t until_ms;
};

/* --- legacy.c: each but the first and legacy_enter replies, now or later, and takes the exchange --- */

/* Whom a refusal before any era is known goes to, as its header or session tells. */
enum legacy_revision legacy_peer(const struct exchange *x);
void legacy_get(struct exchange *x);
void legacy_delete(struct exchange *x);
/* A message that table 4.1 calls legacy. */
void legacy_post(struct exchange *x);
/* The session that the headers name; false: there is none, and that was replied. */
bool legacy_enter(struct exchange *x);
/* The same as legacy_post, of a session that is known: x->session. */
void legacy_message(struct exchange *x);
/* A request of such, which is not 'initialize'. */
void legacy_request(struct exchange *x);

/* --- legacy_batch.c --- */

/* A body that is an array. */
void legacy_post_batch(struct exchange *x);
/* Run one of its messages, in an exchange of its own, which this takes. */
void legacy_member(struct exchange *m, const json_t *value);
/* legacy_open of the reply that its members share; any thread. */
bool legacy_batch_open(struct legacy_batch *batch);
/* Whose reply that is; its stream is there once legacy_batch_open said so. */
struct exchange *legacy_batch_whole(struct legacy_batch *batch);
/* A member of a batch has its answer, which is empty for none; takes the text. */
void legacy_collect(struct legacy_batch *batch, size_t index, struct strbuf *body);

/* --- legacy_sse.c: replies --- */

/* GET /sse and POST /messages, and all else there. */
void legacy_sse(struct exchange *x);

/* --- legacy_subscribe.c: both reply --- */

void legacy_subscribe(struct exchange *x);
void legacy_unsubscribe(struct exchange *x);

/* --- legacy_stream.c: talking about a request before its response --- */

/* A request within a session: from now on it can be cancelled. */
void legacy_begin(struct exchange *x);
/* Counterpart of it, for every exchange that ends. */
void legacy_leave(struct exchange *x);
/* A notification; false: there is no stream for it. */
bool legacy_say(struct exchange *x, const struct strbuf *message);
/* Whether it can be talked about; then the reply is a stream, if it was none. */
bool legacy_open(struct exchange *x);
/* The same of one that is open, cancelled or not. */
bool legacy_talk(const struct exchange *x, const struct strbuf *message);
/* Its stream once it is open; NULL: the session's standing one. */
struct outlet *legacy_outlet(const struct exchange *x);
/* Close the connection: the client comes back for what follows, if it knows how to. */
void legacy_hang_up(struct exchange *x);
/* notifications/cancelled of its client. */
void legacy_cancel(struct session *s, const json_t *params);
/* It was cancelled in time: nothing more is said about it. */
bool legacy_is_silenced(const struct exchange *x);
/* The response ('body' NULL: none); takes the exchange, unless it returns false: then it
 * is the reply of x->http alone. */
bool legacy_send(struct exchange *x, unsigned status, const struct strbuf *body);

/* --- legacy_questions.c --- */

/* Ask what the result wants to know; takes the exchange and empties the result. */
void legacy_ask(struct exchange *x, struct mcp_result *r);
/* A response of the client; what nobody asked for is ignored. */
void legacy_answer(struct session *s, const struct jsonrpc_message *m);
/* What is needed, the client did not declare; steals 'missing'. */
void legacy_refuse_missing(struct exchange *x, json_t *missing);
/* The request cannot go on: says so, and takes the exchange. */
void legacy_fail(struct exchange *x, const struct error *err);

#endif
