/*
 * approvals_gate -- what a server says to its gate about calls of direct clients.
 * Private to approvals*.c.
 *
 * No gate, no answer, an odd answer: an error, and nothing runs.
 */
#ifndef MCP_APPROVALS_GATE_H
#define MCP_APPROVALS_GATE_H

#include "link/http/http_client.h"
#include "mcp/serving.h"

/* What the gate answered, borrowed from 'json'. */
struct registration {
	json_t *json; /* owned */
	const char *approval, *state, *where, *page, *grant, *request_state;
	int64_t retry_after_ms;
	const char *error; /* bare code of a plan that failed */
	const char *message;
	json_t *outcome;
};
#define REGISTRATION_INIT                                                                \
	{                                                                                \
		.retry_after_ms = -1                                                     \
	}
void registration_done(struct registration *r);
/* "pending", of a list of states separated by spaces. False when there is none. */
bool registration_is(const struct registration *r, const char *states);
/* States of an approval whose call may still run. */
#define REGISTRATION_WAITING "proposed planned pending approved granted"
/* Whether it is in one of them, and has no grant yet. */
bool registration_waits(const struct registration *r);

/*
 * Register this call. 'approval' (NULL: none): ask what became of that one, and propose
 * no other. True: '*ret' has an error's code, or a state. '*ret' is to be ended by
 * registration_done, also after a failure.
 */
bool gate_register(struct exchange *x, const char *approval, struct registration *ret,
		   struct error *err);
/* One request to the gate with this server's token; '*reply' is to be ended either way. */
bool gate_post(const struct mcp_service *s, const char *path, const struct strbuf *body,
	       int64_t timeout_ms, struct http_client_reply *reply, struct error *err);
/* What became of the call that ran; tried again once, and logged if that is in vain. */
void gate_report(const struct exchange *x, const char *approval,
		 const struct execution_report *report, const struct mcp_result *r);

#endif
