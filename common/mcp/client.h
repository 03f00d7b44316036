/*
 * client -- our side of MCP towards a server, revision 2026-07-28.
 *
 * Blocking, for worker threads; one per server; thread-safe. Builds envelope and
 * headers, sends, reads JSON or a one-response event stream, checks the shape of
 * the answer. Never repeats a tools/call by itself.
 */
#ifndef MCP_CLIENT_H
#define MCP_CLIENT_H

#include "base/json.h"
#include "base/secret.h"
#include "link/http/http_client.h"

struct mcp_client;

/* 'token' and 'http' are borrowed and must outlive the client; 'token' may be NULL. */
struct mcp_client *mcp_client_new(const char *url, const struct secret *token,
				  struct http_client *http, const char *client_name,
				  struct error *err) _must_use_;
void mcp_client_free(struct mcp_client *c);
DEFINE_CLEANUP(struct mcp_client, mcp_client_free);

/* Results are new references to the JSON-RPC 'result'. A JSON-RPC error becomes
 * ERR_INVALID_ARGUMENT (or ERR_PERMISSION_DENIED on 401/403) with the server's
 * message as text; transport faults as http_client says. */
json_t *mcp_client_discover(struct mcp_client *c, int64_t timeout_ms,
			    struct error *err) _must_use_;
/* All pages (at most 100); the array of tools. */
json_t *mcp_client_list_tools(struct mcp_client *c, int64_t timeout_ms,
			      struct error *err) _must_use_;

struct mcp_client_call {
	const char *tool;
	const char *arguments;     /* canonical bytes, sent as they are */
	const char *request_state; /* NULL: none */
	const char *grant;         /* NULL: none */
	const char *ticket;        /* NULL: none */
	const char *traceparent;   /* NULL: none */
	int64_t timeout_ms;
	const atomic_bool *cancel;
	bool *ret_refused; /* may be NULL: true when the server refused the request as such
			    * (HTTP 4xx), so that nothing began though it was sent */
};
/* The result object: resultType complete or input_required. '*ret_sent' as in http_client_call. */
json_t *mcp_client_call(struct mcp_client *c, const struct mcp_client_call *call,
			bool *ret_sent, struct error *err) _must_use_;

#endif
