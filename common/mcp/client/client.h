/*
 * client -- our side of MCP towards a server, of any era and over any transport.
 *
 * Blocking, for worker threads; one per server; thread-safe. Two ways to make one:
 *
 * mcp_client_new speaks revision 2026-07-28 over HTTP and nothing else: one request
 *   out, one answer in. It never asks twice, never repeats a tools/call and answers no
 *   questions of the server; input_required is its caller's to handle.
 * mcp_client_open finds out what the server speaks (PROTOCOL 4.2 and 4.3), falls back
 *   to the handshake revisions, to HTTP+SSE of 2024-11-05, or runs the server as a
 *   child over stdio. It answers what the hooks can answer, in rounds, and repeats what
 *   was refused before anything began: a version, a header, a session that is gone.
 *   What may have begun is never repeated. With 'oauth' it gets the tokens that the
 *   server wants (mcp/client/client_oauth.h).
 *
 * Everything a server says is a stranger's word: limits hold, and what is not MCP is an
 * error.
 */
#ifndef MCP_CLIENT_H
#define MCP_CLIENT_H

#include "base/digest.h"
#include "base/json.h"
#include "base/secret.h"
#include "link/http/http_client.h"
#include "mcp/client/client_oauth.h"

struct mcp_client;

enum mcp_era {
	MCP_ERA_UNKNOWN,
	MCP_ERA_MODERN, /* 2026-07-28 */
	MCP_ERA_LEGACY, /* initialize, 2024-11-05 to 2025-11-25 */
};

/*
 * What the server may ask or tell. Called by whichever thread reads, one that waits for
 * an answer or one of the client's own; may take long; must not free the client. What is
 * NULL is not declared to the server, and refused if it asks nevertheless.
 */
struct mcp_client_hooks {
	void *context;
	/* Progress, log messages, changed lists. */
	void (*notification)(void *context, const char *method, const json_t *params);
	/* {"action":"accept","content":{...}}, "decline" or "cancel"; a new reference.
	 * Omitted fields get their defaults, and the whole is checked against the form.
	 * NULL without an error means cancel. */
	json_t *(*elicit_form)(void *context, const json_t *params, struct error *err);
	/* The address is https, or http on loopback; it is shown in full, never fetched.
	 * {"action":...} alone. */
	json_t *(*elicit_url)(void *context, const json_t *params, struct error *err);
	/* A call became a task, or one has another status: as the server shows it, with its
	 * "taskId", by which mcp_client_await_task finds it again. */
	void (*task)(void *context, const json_t *task);
	/* Results of sampling/createMessage and roots/list as they stand. */
	json_t *(*sample)(void *context, const json_t *params, struct error *err);
	json_t *(*roots)(void *context, const json_t *params, struct error *err);
};

struct mcp_client_options {
	const char *url; /* this, */
	const char *const
		*argv;          /* or this: a program that speaks over stdin and stdout */
	const char *const *env; /* further "NAME=value" for it; NULL: none. It inherits
				  * PATH, HOME, USER, LANG, TMPDIR and TERM alone. */
	const struct secret *token; /* borrowed; may be NULL */
	const struct mcp_client_oauth
		*oauth;             /* borrowed; NULL: none. Not with 'token'; the
					       * URL is https, or http on loopback. */
	struct http_client *http;   /* borrowed; NULL for argv */
	const char *name;           /* ours, told to the server */
	const char *log_level;      /* of messages wanted; NULL: none */
	const char *legacy_version; /* what initialize offers; NULL: 2025-11-25 */
	enum mcp_era era;           /* MCP_ERA_UNKNOWN: find out */
	int64_t probe_timeout_ms;   /* stdio, where silence means legacy; 0: 3 s */
	bool no_get_stream;         /* of legacy Streamable HTTP */
	bool takes_tasks;           /* calls may become tasks (PROTOCOL 7) */
	struct mcp_client_hooks hooks;
};

/* 'token' and 'http' are borrowed and must outlive the client; 'token' may be NULL. */
struct mcp_client *mcp_client_new(const char *url, const struct secret *token,
				  struct http_client *http, const char *client_name,
				  struct error *err) _must_use_;
/* Speaks to nobody yet. */
struct mcp_client *mcp_client_open(const struct mcp_client_options *options,
				   struct error *err) _must_use_;
/* Ends a session and a child; takes up to some seconds. No call may be under way. */
void mcp_client_free(struct mcp_client *c);
DEFINE_CLEANUP(struct mcp_client, mcp_client_free);

/* What is known of the server's era, and when (clock_wall_ms) it was found out. */
enum mcp_era mcp_client_era(struct mcp_client *c, int64_t *ret_since_ms);

/* Results are new references to the JSON-RPC 'result'. A JSON-RPC error becomes
 * ERR_INVALID_ARGUMENT (ERR_NOT_FOUND for a missing resource, ERR_PERMISSION_DENIED on
 * 401/403) with the server's message as text; transport faults as http_client says. */

/* What the server says of itself; of a legacy one the result of initialize, with
 * "supportedVersions" holding the version that was agreed. */
json_t *mcp_client_discover(struct mcp_client *c, int64_t timeout_ms,
			    struct error *err) _must_use_;
/* Lists that a server lets be kept for a while are not asked for again meanwhile, unless
 * it tells of a change (mcp_client_new: always asked for). */
/* All pages (at most 100); the array of tools. Tools that ask for headers in a way that
 * they must not (PROTOCOL 2.18) are left out over HTTP, and the second of one name. */
json_t *mcp_client_list_tools(struct mcp_client *c, int64_t timeout_ms,
			      struct error *err) _must_use_;
json_t *mcp_client_list_resources(struct mcp_client *c, int64_t timeout_ms,
				  struct error *err) _must_use_;
json_t *mcp_client_list_templates(struct mcp_client *c, int64_t timeout_ms,
				  struct error *err) _must_use_;
json_t *mcp_client_list_prompts(struct mcp_client *c, int64_t timeout_ms,
				struct error *err) _must_use_;
json_t *mcp_client_read_resource(struct mcp_client *c, const char *uri,
				 int64_t timeout_ms, struct error *err) _must_use_;
/* For the gate: as the person of this requester ticket (guard/ticket.h), which is for this
 * read: request_digest(server, "resources/read", digest of {"uri": uri}). */
json_t *mcp_client_read_for(struct mcp_client *c, const char *uri, const char *ticket,
			    int64_t timeout_ms, struct error *err) _must_use_;
/* 'arguments' an object of strings, or NULL. */
json_t *mcp_client_get_prompt(struct mcp_client *c, const char *name,
			      const json_t *arguments, int64_t timeout_ms,
			      struct error *err) _must_use_;
/* 'ref' as in PROTOCOL 2.16; the result's "completion". */
json_t *mcp_client_complete(struct mcp_client *c, const json_t *ref, const char *argument,
			    const char *value, int64_t timeout_ms,
			    struct error *err) _must_use_;

struct mcp_client_call {
	const char *tool;
	const char *arguments;     /* canonical bytes, sent as they are */
	const char *request_state; /* NULL: none */
	const char *grant;         /* NULL: none */
	bool is_look;              /* with a grant: see META_LOOK */
	bool is_revoked;           /* with a grant: see META_REVOKE */
	const char *ticket;        /* NULL: none */
	const json_t *assumes;     /* with a ticket: see META_ASSUMES; NULL: none */
	const char *traceparent;   /* NULL: none */
	/* NULL: any. Digest of the definition that this call was made for, as
	 * tool_definition_read and mcp_client_pin give it: ERR_PRECONDITION_FAILED, with
	 * nothing sent, when the last list has another. */
	const char *pin;
	int64_t timeout_ms; /* of the whole, but for what a person takes to authorize */
	int64_t idle_ms;    /* of silence between two messages about it; 0: any */
	const atomic_bool *cancel;
	/* NULL, or how far the server says it is, in the thread that waits: 'done' grows,
	 * 'total' 0 and 'words' NULL are not said. Over Streamable HTTP alone. */
	void (*progressed)(void *context, double done, double total, const char *words);
	void *progress_context;
	bool *ret_refused; /* may be NULL: true when the server refused the request as such
			    * (HTTP 4xx), so that nothing began though it was sent */
};
/* Not of mcp_client_new: a result of a tool that was listed with an outputSchema is
 * checked, and what is not as it says is ERR_UNKNOWN_OUTCOME, for the tool did run; where
 * the schema itself cannot be used, structuredContent is left out, and "content" is what
 * there is. */
/* The result object: resultType complete or input_required (that only when no hook
 * answers). '*ret_sent' as in http_client_call. A call that became a task is waited for:
 * the server is asked as often as it wants, its questions go to the hooks, and what is
 * given up, by 'cancel' or for lack of time, is cancelled there; then, and when the task
 * is lost, the outcome is not known. */
json_t *mcp_client_call(struct mcp_client *c, const struct mcp_client_call *call,
			bool *ret_sent, struct error *err) _must_use_;

/* The result of a task that an earlier call became, maybe in another process. */
json_t *mcp_client_await_task(struct mcp_client *c, const char *id, int64_t timeout_ms,
			      const atomic_bool *cancel, struct error *err) _must_use_;
/* True when the server was told; whether it stops is its own business. */
bool mcp_client_cancel_task(struct mcp_client *c, const char *id, int64_t timeout_ms,
			    struct error *err);

/* The digest of a tool's definition as last listed; false when it was not. */
bool mcp_client_pin(struct mcp_client *c, const char *tool,
		    char ret[static DIGEST_HEX_BYTES]);

#endif
