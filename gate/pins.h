/*
 * pins -- the tools of each server as people accepted them.
 *
 * The first pin of a server is what was compiled in from schemas/; a later one was
 * approved (gate.pin_server) and is kept in the documents' collection "pins". What a
 * server lists now is compared with its pin: a tool that differs in anything is
 * 'changed' and cannot be proposed, and neither can one that was never pinned. Risk
 * and schemas always come from the pin, never from the server.
 */
#ifndef GATE_PINS_H
#define GATE_PINS_H

#include "gate/settings.h"
#include "guard/plan.h"
#include "link/documents/documents.h"
#include "mcp/definition.h"

enum { PINS_TOOLS_MAX = 256 }; /* of one server */

struct pins;

/* Borrows both until pins_free. */
struct pins *pins_open(const struct settings *settings, struct documents *documents,
		       struct error *err) _must_use_;
void pins_free(struct pins *p);
DEFINE_CLEANUP(struct pins, pins_free);

/*
 * The pinned definition, borrowed until the server is pinned again. ERR_NOT_FOUND with the
 * nearest name as a hint; ERR_PRECONDITION_FAILED where the server's tool has changed.
 */
const struct tool_definition *pins_find(const struct pins *p, const char *server,
					const char *tool, struct error *err) _must_use_;

/* What the server lists now (an array), or that it did not answer (NULL). '*ret_changed':
 * tools became changed by it, so what is pending for the server must be looked at. */
bool pins_learn(struct pins *p, const char *server, const json_t *tools,
		bool *ret_changed, struct error *err);

/* [{name, url, instance, up, pinned, tools: [definition]}] of one server or all (NULL). */
json_t *pins_describe(const struct pins *p, const char *server) _must_use_;
/* {differences: [{tool, what}], address, current, digest}. ERR_BACKEND_UNAVAILABLE when the
 * server has not been seen yet. */
json_t *pins_differences(const struct pins *p, const char *server,
			 struct error *err) _must_use_;

/* The plan of accepting the server as it is now: whole, or, where a plan cannot hold that,
 * long members by their digest, and a warning that says so. 'digest' must be the
 * difference's, else ERR_PRECONDITION_FAILED. */
struct plan *pins_plan(const struct pins *p, const char *server, const char *digest,
		       struct error *err) _must_use_;
/* Do it, by an approval: durable when it returns true. */
bool pins_accept(struct pins *p, const char *server, const char *digest,
		 const char *approval, int64_t now_ms, size_t *ret_tools,
		 struct error *err);
/* Whether the present pin of a server was accepted by this approval. */
bool pins_accepted_by(const struct pins *p, const char *server, const char *approval);

size_t pins_server_count(const struct pins *p);
/* Whether it answered when last asked. */
bool pins_is_up(const struct pins *p, const char *server);

#endif
