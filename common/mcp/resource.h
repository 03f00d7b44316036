/*
 * resource -- rows for resources, resource templates and prompts.
 *
 * What they *are* stands in schemas/<server>/server.json, under "resources",
 * "resourceTemplates" and "prompts", as MCP lists them; a row says what they *do*.
 * Every declaration has a row and every row a declaration, or the server does not
 * start. They are context, and never change anything; still each read, prompt,
 * completion and subscription needs a person's yes unless the server's configuration
 * frees it by exact name (freed_resources: the uri or uriTemplate, for everybody or for
 * the principals in freed_resources_for; freed_prompts).
 *
 * Functions run on a worker, may block, report progress, log and ask as tools do
 * (mcp/tool.h), and fail by returning false with 'err' set: ERR_NOT_FOUND is a
 * resource that does not exist.
 */
#ifndef MCP_RESOURCE_H
#define MCP_RESOURCE_H

#include "mcp/tool.h"

struct mcp_contents;
struct mcp_values;
struct mcp_messages;

/* 'value' is what was typed so far for 'argument' (a variable of the template or an
 * argument of the prompt); mcp_call_string has those given already. */
typedef bool mcp_completer(struct mcp_call *call, const char *argument, const char *value,
			   struct mcp_values *values, struct error *err);

struct mcp_resource {
	/* As declared: a uri, or a uriTemplate with {name} (no '/' in its value) and
	 * {+name} (with) in it; the variables are the call's arguments. */
	const char *uri;
	bool (*read)(struct mcp_call *call, struct mcp_contents *contents,
		     struct error *err);
	/* Of a template: what there is at the moment, for resources/list; asked only when
	 * the template is freed. Optional. Appends Resource objects to 'list'. */
	bool (*list)(struct mcp_call *call, json_t *list, struct error *err);
	mcp_completer *complete; /* of a template; optional */
};

struct mcp_prompt {
	const char *name;
	bool (*get)(struct mcp_call *call, struct mcp_messages *messages,
		    struct error *err);
	mcp_completer *complete; /* optional */
};

/* The uri that is read. */
const char *mcp_call_uri(const struct mcp_call *call);

/* One content; its uri is the one that is read. 'mime_type' NULL: unsaid. */
void mcp_contents_text(struct mcp_contents *c, const char *mime_type, const char *text,
		       size_t length);
void mcp_contents_blob(struct mcp_contents *c, const char *mime_type, const void *bytes,
		       size_t length);
/* A TextResourceContents or BlobResourceContents as it is. Steals. */
void mcp_contents_add(struct mcp_contents *c, json_t *content);
/* How long it may be kept, and whether by anybody; else not at all. */
void mcp_contents_cache(struct mcp_contents *c, int64_t ttl_ms, bool is_public);

/* 'role' is "user" or "assistant". */
void mcp_messages_text(struct mcp_messages *m, const char *role, const char *format, ...)
	_printf_(3, 4);
/* Any content block (see mcp_block_* in mcp/tool.h). Steals. */
void mcp_messages_block(struct mcp_messages *m, const char *role, json_t *block);

/* One more value; those beyond 100 are counted, and not sent. */
void mcp_values_add(struct mcp_values *v, const char *value);

#endif
