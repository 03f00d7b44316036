/*
 * server -- a whole MCP server program out of one table.
 *
 *   int main(int argc, char **argv)
 *   {
 *           static const struct mcp_server server = {
 *                   .name = "accounts", .tools = tools, .tool_count = ARRAY_SIZE(tools),
 *                   .open = accounts_open, .close = accounts_close,
 *           };
 *           return mcp_server_main(&server, argc, argv);
 *   }
 *
 * Reads --dir and config/<name>.yaml, checks that every row has a compiled-in
 * schema and every schema a row (and so for what server.json declares), opens keys and tokens, calls 'open', opens the
 * audit chain, enters the sandbox, opens the store, listens, says so on stdout
 * ({"ready":true,"server":"accounts","url":"http://127.0.0.1:4711/mcp"}), serves
 * until SIGTERM or SIGINT, finishes what runs, leaves. --help, --version, --check-config.
 */
#ifndef MCP_SERVER_H
#define MCP_SERVER_H

#include <stdatomic.h>

#include "base/config.h"
#include "base/statedir.h"
#include "guard/audit.h"
#include "mcp/resource.h"

/* The moment of a tick; borrowed until it returns. */
struct mcp_tick {
	int64_t now_ms;              /* the store's time, as in mcp_call_now_ms */
	struct audit *audit;         /* this server's own chain */
	const atomic_bool *stopping; /* begin nothing more; NULL: never */
	struct mcp_service *service; /* for mcp_service_changed; may be NULL */
};

/* What mcp_service_changed will tell of; nobody can listen to anything else. */
enum mcp_may_change {
	MCP_TOOLS_MAY_CHANGE = 1,
	MCP_PROMPTS_MAY_CHANGE = 2,
	MCP_RESOURCES_MAY_CHANGE = 4,
	MCP_CONTENTS_MAY_CHANGE = 8,
};

struct mcp_server {
	const char *name;
	const struct mcp_tool *tools;
	size_t tool_count;
	const struct mcp_resource *resources; /* and templates */
	size_t resource_count;
	const struct mcp_prompt *prompts;
	size_t prompt_count;
	/* 'config' is the member "backend" of the server's configuration, checked
	 * against #/$defs/<name>_backend of schemas/config.schema.json; NULL if absent.
	 * Returns the context, or NULL with 'err'. Must not fail because a backend is down,
	 * and must not start threads: the sandbox would not hold for them. */
	void *(*open)(const struct statedir *dir, const json_t *config,
		      struct error *err);
	void (*close)(void *context);
	/* Whether a backend configured like this is reached by a Unix socket; NULL: never.
	 * Only then may the process make any: the gate's own stands beside. */
	bool (*unix_sockets)(const json_t *config);
	/* Files and folders of others that a backend configured like this reads (all below
	 * included): new strings into 'paths', at most 'room'; returns how many. The sandbox
	 * lets the process read these, its own folder, and nothing else. NULL: none. */
	size_t (*reads)(const struct statedir *dir, const json_t *config, char **paths,
			size_t room);
	/* Whether the backend answers, for /readyz; may block; NULL: always. */
	bool (*ready)(void *context, struct error *err);
	/* What falls due without anybody calling: runs after the sandbox was entered, soon
	 * after the start and then every 'tick_ms' (0: 5000), on a thread of its own beside
	 * the calls, never twice at once. It may block. What it does to a backend, people
	 * approved before: it says in the audit chain under which approval, before it acts
	 * and after. NULL: nothing does. */
	void (*tick)(void *context, const struct mcp_tick *tick);
	unsigned tick_ms;
	unsigned changes;   /* enum mcp_may_change */
	bool tasks;         /* its functions call mcp_call_as_task */
	bool logs;          /* its functions call mcp_call_log */
	bool needs_network; /* the backend is reached over the network */
};

/* Returns the exit status. */
int mcp_server_main(const struct mcp_server *server, int argc, char **argv);

#endif
