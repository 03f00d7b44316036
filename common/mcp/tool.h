/*
 * tool -- what an author of a server writes: rows and the functions they name.
 *
 * Everything that a tool *is* (schemas, hints, risk) stands in its schema file;
 * a row says what it *does*. By the time a function here runs, identity, rights,
 * schema, and for run functions of writes plan and grant, are settled.
 *
 * plan: arguments -> what would happen. Pure: no side effects, the same answer
 *   for the same arguments, backend state and mcp_call_now_ms. Only tools whose
 *   risk is write or destructive have one, and all of those must.
 * run: acts on the identifiers in the verified plan (mcp_call_plan), never
 *   resolving a name again; for a read it has the arguments alone. Afterwards it
 *   reads back what it claims: mcp_result_verified.
 * check: reads the backend to tell what became of a plan whose process died;
 *   says it in words (for the report of an unknown outcome). Optional.
 * quick: pure CPU, under about 50 microseconds: runs in the event loop's thread.
 *   All else runs on a worker, where it may block.
 *
 * A function fails by returning false with 'err' set: the caller gets a tool
 * result with isError and that code. ERR_UNKNOWN_OUTCOME from run is special: the
 * act may have happened.
 */
#ifndef MCP_TOOL_H
#define MCP_TOOL_H

#include "base/json.h"
#include "guard/plan.h"

struct mcp_call;
struct mcp_result;

struct mcp_tool {
	const char *name;
	bool (*plan)(struct mcp_call *call, struct plan *plan, struct error *err);
	bool (*run)(struct mcp_call *call, struct mcp_result *result, struct error *err);
	bool (*check)(struct mcp_call *call, struct strbuf *observed, struct error *err);
	bool quick;
};

/* --- the call: all borrowed, valid until the function returns --- */

/* Validated arguments, an object (empty if none came). Defaults are not filled in. */
const json_t *mcp_call_arguments(const struct mcp_call *call);
/* The verified plan; NULL in plan functions and reads. */
const struct plan *mcp_call_plan(const struct mcp_call *call);
/* What the server's 'open' returned. */
void *mcp_call_context(const struct mcp_call *call);
/* For whom: the person who asked. */
const char *mcp_call_requester(const struct mcp_call *call);
/* Approval id and the people who said yes, separated by ", "; "" for a freed read. */
const char *mcp_call_approval(const struct mcp_call *call);
const char *mcp_call_approvers(const struct mcp_call *call);
/*
 * For a plan of one of several calls in one decision: what an earlier call will have made
 * of this target of this system, the 'to' of its last effect on it, as the person is shown
 * it; the plan says then that it counts on it. NULL: no earlier call touches it, look at
 * the backend. When the call starts it is planned again, and then the backend is asked.
 */
const char *mcp_call_assume(const struct mcp_call *call, struct plan *plan,
			    const char *system, const char *target);
/* The instant that relative times refer to: planned_at for plan and run of a write. */
int64_t mcp_call_now_ms(const struct mcp_call *call);
/* Monotonic; give up by then. */
int64_t mcp_call_deadline_ms(const struct mcp_call *call);
/* The client is gone, or the server about to stop (never true after the burn). */
bool mcp_call_cancelled(const struct mcp_call *call);
/* The string/integer/bool argument or the fallback. */
const char *mcp_call_string(const struct mcp_call *call, const char *name,
			    const char *fallback);
int64_t mcp_call_int64(const struct mcp_call *call, const char *name, int64_t fallback);
bool mcp_call_bool(const struct mcp_call *call, const char *name, bool fallback);

/* --- saying something meanwhile: only while the function runs, in its own thread --- */

/* To whoever asked for it (else nothing is sent): 'progress' must grow; 'total' 0 and
 * 'message' NULL are left out. */
void mcp_call_progress(struct mcp_call *call, double progress, double total,
		       const char *message);

enum mcp_level {
	MCP_DEBUG,
	MCP_INFO,
	MCP_NOTICE,
	MCP_WARNING,
	MCP_ERROR,
	MCP_CRITICAL,
	MCP_ALERT,
	MCP_EMERGENCY,
};
/* To the client, if it asked for this level or a lower one and the server says 'logs'.
 * No secrets, no personal data. 'logger' may be NULL; steals 'data', any JSON. */
void mcp_call_log(struct mcp_call *call, enum mcp_level level, const char *logger,
		  json_t *data);

/* Close the connection and go on: a client that can come back for what follows does
 * (2025-11-25, which calls it polling), soon and as often as it likes. With all others
 * this does nothing. */
void mcp_call_hang_up(struct mcp_call *call);

/* --- going on as a task (mcp/server.h, 'tasks') --- */

/* What takes longer than a client likes to wait. True: go on, as a task by now, or
 * because the client knows no tasks and need not. False: return true at once; the
 * function begins again as a task with the answers so far, or, if 'is_required' and the
 * client knows none, the client is told what it lacks. Only in freed reads; what runs
 * with a grant goes on. */
bool mcp_call_as_task(struct mcp_call *call, bool is_required);

/* --- telling everybody who listens (mcp/server.h, 'changes') --- */

enum mcp_change {
	MCP_CHANGED_TOOLS,
	MCP_CHANGED_PROMPTS,
	MCP_CHANGED_RESOURCES, /* the list of them */
	MCP_CHANGED_RESOURCE   /* the content of one, 'uri' */
};
struct mcp_service;
/* Any thread, never blocks; NULL does nothing. 'uri' NULL except for the last. */
void mcp_service_changed(struct mcp_service *s, enum mcp_change what, const char *uri);
/* What became of telling. */
enum mcp_told {
	MCP_TOLD,
	MCP_TOLD_LATER, /* the gate cannot be reached, or has too much of it: later */
	MCP_TOLD_NOBODY, /* and never will be: there is no gate, or it does not want this */
};
/*
 * What is known later of a call that ran with a grant: its gate tells those who asked and
 * decided. 'key' (1 to 64 of [a-z0-9_-]) names it: whoever does not know whether it was
 * told tells it again. 'text' has at most 1,000 bytes and is shown as this server's words.
 * Blocks, for a tick. Other than MCP_TOLD with 'err'.
 */
enum mcp_told mcp_service_tell(struct mcp_service *s, const char *approval,
			       const char *key, const char *text, struct error *err);
/* The service that runs this call; NULL in plans and checks. */
struct mcp_service *mcp_call_service(const struct mcp_call *call);

/* --- asking: the person (a form, a page to open), their model, their folders --- */

/*
 * The good answer under this key, or NULL: then the question is put when the function
 * returns, which it should do at once (with true; what it filled is forgotten), after
 * other questions that it has as well. The call comes again with the answers and the
 * function begins anew, so ask before doing. An answer that does not fit is asked for
 * again. An elicitation answers {action: accept|decline|cancel, content?}, where
 * 'content' satisfies the schema. A client that did not declare to be able to answer
 * gets an error that says so. Freed reads, resources and prompts may ask; what runs with
 * a grant may not: nobody could repeat it. Steals 'request', one of mcp_ask_*.
 */
const json_t *mcp_call_ask(struct mcp_call *call, const char *key, json_t *request);

enum mcp_question {
	MCP_ASK_FORM,
	MCP_ASK_URL,
	MCP_ASK_SAMPLE,
	MCP_ASK_SAMPLE_TOOLS,
	MCP_ASK_ROOTS
};
/* Whether such a question could be answered at all. */
bool mcp_call_can_ask(const struct mcp_call *call, enum mcp_question kind);

/* 'schema' is a flat object schema; stolen. Never for secrets. */
json_t *mcp_ask_form(const char *message, json_t *schema) _must_use_;
json_t *mcp_ask_url(const char *message, const char *url) _must_use_;
/* Parameters of sampling/createMessage; stolen. */
json_t *mcp_ask_sample(json_t *params) _must_use_;
json_t *mcp_ask_roots(void) _must_use_;

/* Kept by the client, sealed, until the call is over, or another value is remembered under
 * this name. Steals. */
void mcp_call_remember(struct mcp_call *call, const char *name, json_t *value);
/* Borrowed until another value is remembered; NULL: nothing of that name. */
const json_t *mcp_call_recall(const struct mcp_call *call, const char *name);

/* Extra 'details' for the error that is about to be returned (candidates, …). Steals. */
void mcp_call_error_details(struct mcp_call *call, json_t *details);

/* --- the result --- */

/* Short Markdown that a person can read alone: content[0]. Replaces. */
void mcp_result_text(struct mcp_result *r, const char *format, ...) _printf_(2, 3);
/* structuredContent; must satisfy the outputSchema. Steals. */
void mcp_result_structured(struct mcp_result *r, json_t *value);
/* A result that is a failure as a whole though it has structure (nothing succeeded). */
void mcp_result_failed(struct mcp_result *r);
/* A fault of the protocol, not of the tool: the call is answered with this error of
 * JSON-RPC instead of a result. 'code' is none of -32768..-32000 unless MCP says so. */
void mcp_result_protocol_error(struct mcp_result *r, int code, const char *message);
/* What was written has been read back and is so (true), or could not be read back or is not so. */
void mcp_result_verified(struct mcp_result *r, bool verified);
/* A resource_link beside the text. */
void mcp_result_link(struct mcp_result *r, const char *uri, const char *name);
/* Any content block beside the text, or instead of an empty one. Steals. */
void mcp_result_block(struct mcp_result *r, json_t *block);

/* --- content blocks, new; NULL without memory or for what is not UTF-8, which the
 * functions that take a block remember --- */

json_t *mcp_block_text(const char *text) _must_use_;
/* 'type' is "image" or "audio". */
json_t *mcp_block_data(const char *type, const char *mime_type, const void *bytes,
		       size_t length) _must_use_;
/* An embedded resource with a text. */
json_t *mcp_block_resource(const char *uri, const char *mime_type,
			   const char *text) _must_use_;

#endif
