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
#define META_SUBSCRIPTION        META_PREFIX "subscriptionId"

enum mcp_method {
	MCP_DISCOVER,
	MCP_TOOLS_LIST,
	MCP_TOOLS_CALL,
	MCP_RESOURCES_LIST,
	MCP_TEMPLATES_LIST,
	MCP_RESOURCES_READ,
	MCP_PROMPTS_LIST,
	MCP_PROMPTS_GET,
	MCP_COMPLETE,
	MCP_LISTEN,
	MCP_TASKS_GET,
	MCP_TASKS_UPDATE,
	MCP_TASKS_CANCEL,
	MCP_METHOD_COUNT
};

/* What a server has beside tools; its methods are unknown without. */
enum mcp_feature {
	MCP_HAS_RESOURCES = 1,
	MCP_HAS_PROMPTS = 2,
	MCP_HAS_COMPLETION = 4,
	MCP_HAS_LOGGING = 8,
	MCP_HAS_CHANGES = 16, /* of any kind */
	MCP_HAS_TOOL_CHANGES = 32,
	MCP_HAS_PROMPT_CHANGES = 64,
	MCP_HAS_RESOURCE_CHANGES = 128,
	MCP_HAS_SUBSCRIPTIONS = 256,
	MCP_HAS_TASKS = 512,
};

/* What a result says, whichever revision writes it. */
struct mcp_body {
	const char *type;    /* of the result; NULL: complete */
	const char *members; /* JSON text: "tools":[...] */
	size_t length;
	bool is_cacheable, is_public;
	int64_t ttl_ms;
};

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
/* A request with a modern header and no envelope: what to say (table of PROTOCOL 4.1). */
void revision_2026_refuse_legacy(const struct jsonrpc_message *m, struct refusal *ret);
/* One of the eight; NULL is none. */
bool mcp_is_log_level(const char *text);

/* Steps 6 to 9: envelope, version, Mcp-Method, Mcp-Name. */
bool revision_2026_check(const struct jsonrpc_message *m, const struct http_request *http,
			 struct refusal *ret);
/* Step 10, for a server with these features; MCP_METHOD_COUNT for an unknown one, and
 * 'ret' then says so. */
enum mcp_method revision_2026_method(const struct jsonrpc_message *m, unsigned features,
				     struct refusal *ret);
/* What the client wants to hear while the request runs; 'token' is borrowed. */
void revision_2026_wants(const struct jsonrpc_message *m, json_t **ret_token,
			 bool *ret_log, enum mcp_level *ret_level);
/* Whether it declared this extension. */
bool revision_2026_declares(const struct jsonrpc_message *m, const char *extension);
bool mcp_level_parse(const char *text, enum mcp_level *ret);
/* The name of a method, for logs and metrics; "other" for MCP_METHOD_COUNT. */
const char *mcp_method_name(enum mcp_method method);

/* JSON text of a result that never changes while the server runs; NULL without memory. */
char *revision_2026_discover(const struct mcp_identity *me, unsigned features) _must_use_;

/* A whole JSON-RPC response. */
void revision_2026_write_body(struct strbuf *sb, const struct mcp_identity *me,
			      const json_t *id, const struct mcp_body *b);
/* What a resource that is not there is answered with. */
enum { REVISION_2026_NOT_FOUND = JSONRPC_INVALID_PARAMS };

/* A whole JSON-RPC response with the result of a tools/call. */
void revision_2026_write_call(struct strbuf *sb, const struct mcp_identity *me,
			      const json_t *id, const struct mcp_result *r);

#endif
