/*
 * client_listen -- hear of what changes at a server (PROTOCOL 2.9). Part of mcp/client/client.h.
 *
 * For servers of 2026-07-28; older ones tell through hooks.notification what they tell
 * unasked. A thread of its own holds the stream open, and opens it again with
 * pauses that grow. Servers replay nothing, so whenever it was opened again everything
 * that can be heard counts as changed.
 */
#ifndef MCP_CLIENT_LISTEN_H
#define MCP_CLIENT_LISTEN_H

#include "mcp/client/client.h"

enum mcp_client_change {
	MCP_CLIENT_TOOLS, /* the list of them */
	MCP_CLIENT_PROMPTS,
	MCP_CLIENT_RESOURCES,
	MCP_CLIENT_RESOURCE, /* the contents of one, or of something below it */
};

enum { MCP_CLIENT_LISTEN_URIS_MAX = 64 };

struct mcp_client_listen {
	bool tools, prompts, resources;
	const char *const *uris; /* of resources; ends with NULL; NULL: none */
	bool again; /* there was another before: once it is open, all counts as changed */
	void *context;
	/* Called by the listener's thread, which may use the client. 'uri' is the server's
	 * word, NULL but for MCP_CLIENT_RESOURCE. */
	void (*changed)(void *context, enum mcp_client_change what, const char *uri);
	/* The last word: the server will tell nothing (any more), and why. May be NULL. */
	void (*ended)(void *context, const struct error *why);
};

struct mcp_client_listener;

/* Begins; '*what' is copied. 'c' must outlive it. ERR_INVALID_ARGUMENT for nothing or too
 * much to hear of. */
struct mcp_client_listener *mcp_client_listen(struct mcp_client *c,
					      const struct mcp_client_listen *what,
					      struct error *err) _must_use_;
/* Ends, unless it has; no hook is called afterwards. Not from a hook. */
void mcp_client_unlisten(struct mcp_client_listener *l);
DEFINE_CLEANUP(struct mcp_client_listener, mcp_client_unlisten);

#endif
