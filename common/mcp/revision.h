/*
 * revision -- what differs between revisions of the protocol, one C file each.
 *
 * A revision checks the envelope of a request, names its methods, and writes
 * results in its shape. The rest of mcp has never heard of dates. Steps are those
 * of PROTOCOL 2.3.
 */
#ifndef MCP_REVISION_H
#define MCP_REVISION_H

#include "mcp/refusal.h"
#include "mcp/result.h"
#include "wire/httpd.h"

#define REVISION_2026            "2026-07-28"
#define META_PREFIX              "io.modelcontextprotocol/"
#define META_PROTOCOL_VERSION    META_PREFIX "protocolVersion"
#define META_CLIENT_CAPABILITIES META_PREFIX "clientCapabilities"
#define META_CLIENT_INFO         META_PREFIX "clientInfo"
#define META_SERVER_INFO         META_PREFIX "serverInfo"
#define META_LOG_LEVEL           META_PREFIX "logLevel"

enum mcp_method { MCP_DISCOVER, MCP_TOOLS_LIST, MCP_TOOLS_CALL, MCP_METHOD_COUNT };

/* Who we are, made once: "META_SERVER_INFO":{name, title?, version} as JSON text. */
struct mcp_identity {
	char *server_info;
	char *instructions; /* NULL: none */
};
bool mcp_identity_read(struct mcp_identity *me, const char *server, struct error *err);
void mcp_identity_done(struct mcp_identity *me);

/* Whether a request's version header means 2026-07-28 or later; NULL does not. */
bool revision_is_modern(const char *version);
/* Whether the body claims to be modern: the envelope key is there, with any value. */
bool revision_2026_is_claimed(const struct jsonrpc_message *m);
/* A request that no revision here serves: what to say (table of PROTOCOL 4.1). */
void revision_2026_refuse_legacy(const struct jsonrpc_message *m, const char *header,
				 struct refusal *ret);

/* Steps 6 to 9: envelope, version, Mcp-Method, Mcp-Name. */
bool revision_2026_check(const struct jsonrpc_message *m, const struct http_request *http,
			 struct refusal *ret);
/* Step 10; MCP_METHOD_COUNT for an unknown one, and 'ret' then says so. */
enum mcp_method revision_2026_method(const struct jsonrpc_message *m,
				     struct refusal *ret);

/* JSON text of results that never change while the server runs; NULL without memory. */
char *revision_2026_discover(const struct mcp_identity *me) _must_use_;
char *revision_2026_tools_list(const struct mcp_identity *me,
			       const json_t *tools) _must_use_;

/* A whole JSON-RPC response with the result of a tools/call. */
void revision_2026_write_call(struct strbuf *sb, const struct mcp_identity *me,
			      const json_t *id, const struct mcp_result *r);

#endif
