/*
 * result -- what a tool call comes to, before it is written for a revision.
 *
 * Filled by run functions through mcp/tool.h and by the dispatcher; private to
 * mcp. Knows nothing of JSON-RPC: a protocol fault is none of its states. A lack
 * of memory is remembered in 'broken'.
 */
#ifndef MCP_RESULT_H
#define MCP_RESULT_H

#include "mcp/tool.h"

enum mcp_verified { MCP_VERIFIED_UNSAID, MCP_VERIFIED_NO, MCP_VERIFIED_YES };

struct mcp_result {
	bool failed;
	bool broken;
	bool is_malformed; /* it ran, and what it returned is not what the schema declares */
	enum error_code
		code; /* of the failure; ERR_NONE for 'failed' with structure of its own */
	struct strbuf text;
	json_t *structured; /* NULL: none */
	json_t *blocks;     /* array of content blocks beside the text, NULL: none */
	enum mcp_verified verified;
	json_t *meta; /* members for result._meta, NULL: none */
	/* Either set: the result is 'input_required', and nothing else stands in it. */
	char *request_state;
	json_t *input_requests; /* by key */
	int protocol_code; /* not 0: an error of JSON-RPC with 'text' as its message */
	json_t *protocol_data; /* of it; NULL: none */
	json_t *task;          /* set: a task was made of it */
	json_t *missing; /* set: an error, naming the capabilities that the client lacks */
};

#define MCP_RESULT_INIT                                                                  \
	{                                                                                \
		.text = STRBUF_INIT                                                      \
	}
void mcp_result_done(struct mcp_result *r);

/* Make it a failure: forgets text, structure and blocks. 'details' (an object or
 * NULL) is stolen. */
void mcp_result_error(struct mcp_result *r, const struct error *err, json_t *details);

/* {code, message, retryable, hint?, details?}, new; 'details' as above. */
json_t *mcp_error_object(const struct error *err, json_t *details) _must_use_;

/* A member of result._meta; steals 'value'. */
void mcp_result_meta(struct mcp_result *r, const char *name, json_t *value);

/* Whether the text is shown: it is, unless it is empty and there are blocks. */
bool mcp_result_has_text(const struct mcp_result *r);

/* The array 'content': the text and the blocks. New reference. */
json_t *mcp_result_content(const struct mcp_result *r);

/* {content, structuredContent?, isError, verified?}: what a burn remembers. New reference,
 * NULL without memory. mcp_result_restore reads it back into an empty result; false
 * when it is no such object. */
json_t *mcp_result_record(const struct mcp_result *r);
bool mcp_result_restore(struct mcp_result *r, const json_t *record);

#endif
