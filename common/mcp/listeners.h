/*
 * listeners -- open subscriptions/listen streams, and telling them what changed.
 *
 * Each has what it asked for and may hear, and the id of its request, which every
 * message on it carries. Thread-safe; nothing here blocks.
 */
#ifndef MCP_LISTENERS_H
#define MCP_LISTENERS_H

#include "base/json.h"
#include "mcp/revision.h"

enum { LISTEN_URIS_MAX = 256 };

struct listeners;
struct listener;

struct listeners *listeners_new(void); /* NULL without memory */
/* After listeners_close and after httpd has ended. */
void listeners_free(struct listeners *all);
DEFINE_CLEANUP(struct listeners, listeners_free);

/* What one wants; the library's own, filled before it begins. */
struct listen_filter {
	bool tools, prompts, resources;
	json_t *uris;  /* array of strings, NULL: none; owned */
	json_t *tasks; /* the same, of task ids */
};
void listen_filter_done(struct listen_filter *f);
bool listen_filter_is_empty(const struct listen_filter *f);

/*
 * Make the reply a stream: acknowledged first, then listening. With an empty filter it
 * ends at once, as it does when the server stops: with its result. Takes the filter.
 * ERR_RATE_LIMITED: this client has 'max' already, or ERR_BACKEND_UNAVAILABLE: the
 * server is about to stop; then 'http' is still there. Else 'http' is gone.
 */
bool listeners_begin(struct listeners *all, const struct mcp_identity *me,
		     struct http_request *http, const json_t *id, const char *principal,
		     const char *client, size_t max, struct listen_filter *filter,
		     struct error *err);

/* notifications/... */
const char *listeners_method(enum mcp_change what);
/* 'uri' is for MCP_CHANGED_RESOURCE alone. */
void listeners_tell(struct listeners *all, enum mcp_change what, const char *uri);
/* To those of this person and client that asked for this task; 'params' is the task. */
void listeners_tell_task(struct listeners *all, const char *principal, const char *client,
			 const char *task, const json_t *params);
/* End them all, each with its result; no more begin. */
void listeners_close(struct listeners *all);

#endif
