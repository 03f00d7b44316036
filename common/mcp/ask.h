/*
 * ask -- what a function asks the person behind the client, and the answers.
 *
 * A server sends no requests: it answers the call with its questions, and the client
 * repeats the call with the answers. So the function runs again from its beginning, and
 * mcp_call_ask gives it what was answered before. Those answers, and what the function
 * wanted to remember, travel sealed in the requestState, bound to the caller, the
 * method, its parameters and a time. Belongs to one exchange and its thread.
 */
#ifndef MCP_ASK_H
#define MCP_ASK_H

#include "base/secret.h"
#include "mcp/tool.h"

enum {
	ASK_STATE_MAX = 48 * 1024, /* bytes of a requestState */
	ASK_TTL_MS = 30 * 60 * 1000,
	ASK_KEYS_MAX = 32,
};

struct asking {
	const json_t *capabilities; /* of the client, borrowed; NULL: none */
	const json_t *responses;    /* of this request, borrowed; NULL: none */
	json_t *answers;            /* by key: good ones, also of earlier rounds */
	json_t *memory;             /* by name: mcp_call_remember */
	json_t *requests;           /* by key: to be answered next */
	json_t *missing;            /* capabilities that were wanted and not declared */
	int64_t ttl_ms;             /* of the sealed word; 0: ASK_TTL_MS */
	bool is_allowed;            /* else nobody could answer: after a grant was used */
	bool is_asked_in_vain, is_broken;
};

/* Whom and what a sealed word belongs to. */
struct ask_binding {
	const char *principal, *client, *method;
	char params[DIGEST_HEX_BYTES];
};
bool ask_bind(struct ask_binding *b, const char *principal, const char *client,
	      const char *method, const json_t *params, struct error *err);

/* Whether a word is one of these at all. */
bool ask_is_state(const char *word);
/* Adds what the word holds to 'a'. ERR_INVALID_ARGUMENT: altered, late, or somebody
 * else's. */
bool ask_open(struct asking *a, const char *word, const struct ask_binding *b,
	      const struct secret *key, int64_t now_ms, struct error *err);
/* '*ret' stays NULL when there is nothing to keep. */
bool ask_seal(const struct asking *a, const struct ask_binding *b,
	      const struct secret *key, int64_t now_ms, char **ret, struct error *err);

/* The answer to a request under this key if it is there and good; borrowed. */
const json_t *ask_answer(struct asking *a, const char *key, const json_t *request);
/* Whether it is a good answer to this request, as to be kept: new, NULL if not. */
json_t *ask_judge(const json_t *request, const json_t *answer) _must_use_;
/* Questions stand open, or cannot be put. */
bool ask_is_open(const struct asking *a);
void ask_done(struct asking *a);

#endif
