/*
 * jsonrpc -- JSON-RPC 2.0 messages as MCP uses them: read, and written.
 *
 * Reading checks the shape alone (PROTOCOL 1.1): an object with "jsonrpc":"2.0";
 * an id is a string or an integer, never null, fractional, boolean or an
 * object; params, if there, is an object. Unknown members are ignored. The one
 * leniency: an error with "id":null, which older peers send, reads as one without
 * id. Writing
 * goes straight into a strbuf, because building trees for it costs more than
 * the rest of a trivial call.
 */
#ifndef WIRE_JSONRPC_H
#define WIRE_JSONRPC_H

#include "base/json.h"

enum jsonrpc_kind {
	JSONRPC_REQUEST,
	JSONRPC_NOTIFICATION,
	JSONRPC_RESULT,
	JSONRPC_ERROR
};

enum jsonrpc_code {
	JSONRPC_PARSE_ERROR = -32700,
	JSONRPC_INVALID_REQUEST = -32600,
	JSONRPC_METHOD_NOT_FOUND = -32601,
	JSONRPC_INVALID_PARAMS = -32602,
	JSONRPC_INTERNAL_ERROR = -32603,
	JSONRPC_HEADER_MISMATCH = -32020,
	JSONRPC_MISSING_CAPABILITY = -32021,
	JSONRPC_URL_ELICITATION = -32042, /* 2025-11-25 alone */
	JSONRPC_UNSUPPORTED_VERSION = -32022,
};

/* All borrowed from the parsed body. */
struct jsonrpc_message {
	enum jsonrpc_kind kind;
	const json_t *id;     /* NULL for notifications and errors without */
	const char *method;   /* requests and notifications */
	const json_t *params; /* NULL when absent */
	const json_t *result; /* JSONRPC_RESULT */
	const json_t *error;  /* JSONRPC_ERROR */
};

/* ERR_INVALID_ARGUMENT: the caller answers -32600. '*ret_id' (may be NULL on
 * return) is set even then if an id could be read. Both borrow from 'body'. */
bool jsonrpc_read(const json_t *body, struct jsonrpc_message *ret, const json_t **ret_id,
		  struct error *err);

/* {"jsonrpc":"2.0","id":ID,"result":RESULT} where RESULT is JSON text. Failure
 * (memory alone) is in the strbuf. */
void jsonrpc_write_result(struct strbuf *sb, const json_t *id, const char *result,
			  size_t length);
/* 'id' NULL: left out. 'data' NULL: left out; JSON value otherwise, borrowed. */
void jsonrpc_write_error(struct strbuf *sb, const json_t *id, int code,
			 const char *message, const json_t *data);
/* The id alone, with its JSON type; "null" for anything that is none. */
void jsonrpc_write_id(struct strbuf *sb, const json_t *id);

#endif
