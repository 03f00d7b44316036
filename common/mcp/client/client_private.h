/*
 * client_private -- what the files of the client share. Private to client*.c.
 *
 * client.c          the public face
 * client_open.c     making and ending one
 * client_request.c  one request: era, transport, what may be repeated
 * client_message.c  texts that go out, answers that came
 * client_http.c     POST, and its event stream, of both eras
 * client_probe.c    which era the server is of
 * client_legacy.c   initialize, and the session that follows
 * client_inbound.c  event streams that the server speaks on unasked
 * client_mail.c     answers that come on one channel for many who wait
 * client_stdio.c    a server that is our child
 * client_rounds.c   questions of the server within a request
 * client_tasks.c    calls that became tasks
 * client_listen.c   what changes (client_listen.h)
 * client_elicit.c   forms and addresses put to a person
 * client_cache.c    lists that are still fresh
 * client_output.c   results against what their tools declare
 * client_tools.c    what is remembered of listed tools
 * client_oauth*.c   tokens that servers want (client_oauth_private.h)
 */
#ifndef MCP_CLIENT_PRIVATE_H
#define MCP_CLIENT_PRIVATE_H

#include <pthread.h>

#include "mcp/client/client.h"
#include "mcp/client/client_oauth_private.h"
#include "mcp/revision.h"
#include "wire/jsonrpc.h"

enum {
	CLIENT_URL_MAX = 2000,
	CLIENT_MESSAGE_MAX = 16 * 1024 * 1024, /* bytes of one message of the server */
	CLIENT_STREAM_MAX = 64 * 1024 * 1024,  /* of all in reply to one request */
	CLIENT_SESSION_MAX = 512,              /* of a session's id */
	CLIENT_VERSION_BYTES = 16,
};

#define CLIENT_ACCEPT "application/json, text/event-stream"

struct client_cache;
struct client_tools;
struct client_mail;
struct client_inbound;
struct client_stdio;

/* What initialize agreed on. */
struct client_session {
	unsigned number; /* counts, so that a session is given up once; 0: none */
	bool is_sse;     /* HTTP+SSE of 2024-11-05 */
	char id[CLIENT_SESSION_MAX + 1]; /* "": the server gave none */
	char version[CLIENT_VERSION_BYTES];
};

struct mcp_client {
	char *url; /* NULL for stdio */
	char *name;
	char *capabilities; /* JSON text */
	char *envelope;     /* members of _meta, JSON text */
	char *log_level;
	char legacy_version[CLIENT_VERSION_BYTES];
	const struct secret *token;
	struct client_oauth *oauth; /* NULL: none */
	struct http_client *http;
	struct mcp_client_hooks hooks;
	bool is_plain;  /* made by mcp_client_new */
	bool is_forced; /* the era was told */
	bool wants_get;
	bool takes_tasks;
	int64_t probe_timeout_ms;
	atomic_llong next_id;
	atomic_bool closing;
	struct client_mail *mail;
	struct client_stdio *stdio;
	pthread_mutex_t opening;        /* held while era and session are found */
	struct client_inbound *inbound; /* guarded by 'opening' */
	pthread_mutex_t lock;           /* guards all below */
	enum mcp_era era;
	int64_t era_at_ms; /* clock_wall_ms */
	struct client_session session;
	unsigned session_count;
	char *endpoint; /* of HTTP+SSE */
	json_t *about;
	struct client_tools *tools;
	struct client_cache *cache; /* NULL: nothing is kept */
};

/* One request: what goes out, what belongs to it, and what came. */
struct client_request {
	const char *method;
	const char *name; /* for Mcp-Name; NULL: none */
	const char *traceparent;
	bool may_be_task;
	bool wants_progress; /* also without a hook for it */
	/* Gets the notifications of a subscription instead of the hook, with the id of the
	 * request; in the thread that waits for it. */
	void (*heard)(void *context, const struct jsonrpc_message *m, long long id);
	void *heard_context;
	struct strbuf params; /* members of params besides _meta, each behind a comma */
	struct strbuf meta;   /* members of _meta besides the envelope, likewise */
	struct strbuf mirror; /* as param_headers_write has it */
	int64_t until_ms;     /* clock_mono_ms */
	int64_t idle_ms;      /* 0: any */
	const atomic_bool *cancel;
	/* Of the last sending. */
	bool sent;
	int status;   /* of HTTP; 0: none came, or another transport */
	int64_t code; /* of a JSON-RPC error; 0: none */
	struct client_oauth_try authorization; /* of all sendings */
	json_t *answer; /* the whole response; NULL: none that can be read */
	char why[160];  /* there is none, for logs */
};
#define CLIENT_REQUEST_INIT(m)                                                           \
	{                                                                                \
		.method = (m), .params = STRBUF_INIT, .meta = STRBUF_INIT,               \
		.mirror = STRBUF_INIT                                                    \
	}
void client_request_done(struct client_request *r);
/* Forget what came of the last sending. */
void client_request_renew(struct client_request *r);
#define _cleanup_request_ _cleanup_(client_request_done)
void client_request_text(struct strbuf *sb, const char *name, const char *text);

/* ---- client_request.c ---- */
/* What goes out as Authorization, NULL for nothing; '*ret_owner' must live as long as it
 * is used. 't' may be NULL. */
bool client_bearer(struct mcp_client *c, struct client_oauth_try *t,
		   const atomic_bool *cancel, int64_t until_ms, const char **ret_bearer,
		   struct secret **ret_owner, struct error *err);
/* Whether 'r' was refused for its token and there is a better one now. Gives 'r' the time
 * back that a person took. */
bool client_authorize(struct mcp_client *c, struct client_request *r, struct error *err);
/* How long people took so far to authorize, in all: no time of a request. */
int64_t client_asked_ms(struct mcp_client *c);
/* Era, session, sending, and again what was refused before anything began. */
json_t *client_send(struct mcp_client *c, struct client_request *r, struct error *err);
/* Once, to a server whose era is known. */
json_t *client_send_once(struct mcp_client *c, struct client_request *r, enum mcp_era era,
			 struct error *err);

/* ---- client_message.c ---- */
bool client_write_request(const struct mcp_client *c, const struct client_request *r,
			  enum mcp_era era, long long id, struct strbuf *sb,
			  struct error *err);
json_t *client_read_result(struct client_request *r, enum mcp_era era, long long id,
			   struct error *err);
/* What a JSON-RPC error means; false. */
bool client_say_error(const json_t *error, int status, struct error *err);
/* Whether a message is the response to 'id'; an error without id is taken for one. */
bool client_is_answer(const struct jsonrpc_message *m, long long id);

/* ---- client_http.c ---- */
/* Sends 'body' and reads until the answer. True: r->status came, and r->answer may be
 * there. 'id' 0: a notification or response. */
bool client_http_exchange(struct mcp_client *c, struct client_request *r,
			  enum mcp_era era, long long id, const struct strbuf *body,
			  struct error *err);
/* The new session's id, if the reply to initialize has a good one. */
bool client_http_initialize(struct mcp_client *c, struct client_request *r, long long id,
			    const struct strbuf *body,
			    char ret_id[CLIENT_SESSION_MAX + 1], struct error *err);
/* Headers of a request of the session; returns the next free place. */
size_t client_http_session_headers(const struct client_session *s,
				   struct http_client_header *headers, size_t at);

/* ---- client_probe.c ---- */
/* The era, found out or known, with a session if it needs one; MCP_ERA_UNKNOWN with
 * 'err'. Gives 'r' the time back that a person took. */
enum mcp_era client_connect(struct mcp_client *c, struct client_request *r,
			    struct error *err);
void client_forget_era(struct mcp_client *c);
/* Whether a refusal has nothing of a modern server in it (PROTOCOL 4.2, 4). */
bool client_looks_legacy(const struct client_request *r);

/* ---- client_legacy.c ---- */
bool client_legacy_open(struct mcp_client *c, int64_t until_ms, const atomic_bool *cancel,
			struct error *err);
/* A copy of the session; false: there is none. */
bool client_legacy_session(struct mcp_client *c, struct client_session *ret);
/* Give up the session of this number, if it is still the one. */
void client_legacy_drop(struct mcp_client *c, unsigned number);
/* Where HTTP+SSE wants its messages; takes 'endpoint'. */
void client_legacy_send_to(struct mcp_client *c, char *endpoint);
/* Tell the server that the session ends. */
void client_legacy_close(struct mcp_client *c);
/* Send a notification or a response; what comes back does not matter. */
void client_legacy_tell(struct mcp_client *c, const struct strbuf *message);
void client_legacy_tell_cancelled(struct mcp_client *c, long long id);

/* ---- client_inbound.c ---- */
/* The GET stream of a session, or HTTP+SSE (waits for its endpoint). */
struct client_inbound *client_inbound_start(struct mcp_client *c,
					    const struct client_session *s,
					    int64_t until_ms, struct error *err);
void client_inbound_stop(struct client_inbound *in);

/* ---- client_mail.c ---- */
struct client_mail *client_mail_new(struct mcp_client *c, struct error *err);
/* Serves no more; frees. */
void client_mail_free(struct client_mail *m);
/* Sends by 'send' and waits for the answer in r->answer. */
typedef bool client_mail_send(struct mcp_client *c, const struct strbuf *message,
			      struct client_request *r, struct error *err);
bool client_mail_exchange(struct client_mail *m, struct client_request *r, long long id,
			  const struct strbuf *body, client_mail_send *send,
			  struct error *err);
/* A message or a batch came. */
void client_mail_take(struct client_mail *m, const char *text, size_t length);
/* The channel broke, or works again: those who wait have no answer. */
void client_mail_set_broken(struct client_mail *m, bool is_broken);

/* ---- client_stdio.c ---- */
struct client_stdio *client_stdio_new(struct mcp_client *c, const char *const *argv,
				      const char *const *env, struct error *err);
void client_stdio_free(struct client_stdio *s);
/* Run it unless it runs; 'fresh': not the one that ran before. */
bool client_stdio_start(struct client_stdio *s, bool fresh, struct error *err);
bool client_stdio_runs(struct client_stdio *s);
client_mail_send client_stdio_send;

/* ---- client_rounds.c ---- */
/* client_send, answering input_required until it is complete. */
json_t *client_rounds(struct mcp_client *c, struct client_request *r, struct error *err);
/* The result of one request of the server, or NULL. */
json_t *client_answer(struct mcp_client *c, const char *method, const json_t *params,
		      struct error *err);
/* The response to a request that a legacy server sent. */
void client_serve(struct mcp_client *c, const struct jsonrpc_message *m,
		  struct strbuf *ret);
void client_notified(struct mcp_client *c, const struct jsonrpc_message *m);

/* ---- client_tasks.c ---- */
/* Whether a result makes a task. */
bool client_is_task(const json_t *result);
/* Its result in the end. */
json_t *client_await_task(struct mcp_client *c, const json_t *task, int64_t until_ms,
			  const atomic_bool *cancel, struct error *err);

/* ---- client_elicit.c ---- */
json_t *client_elicit(const struct mcp_client_hooks *hooks, const json_t *params,
		      struct error *err);

/* ---- client_cache.c ---- */
struct client_cache *client_cache_new(void);
void client_cache_free(struct client_cache *k);
/* A copy of the list that this method gave, if it is fresh. */
json_t *client_cache_get(struct mcp_client *c, const char *method);
/* How long, and for whom, a list may be kept: the least that its pages say. */
struct client_freshness {
	int64_t until_ms; /* clock_mono_ms */
	bool is_public;
};
#define CLIENT_FRESHNESS_INIT                                                            \
	{                                                                                \
		.until_ms = INT64_MAX, .is_public = true                                 \
	}
void client_freshness_take(struct client_freshness *f, const json_t *page);
/* 'generation' is client_cache_generation of before the request. */
void client_cache_put(struct mcp_client *c, const char *method, const json_t *list,
		      const struct client_freshness *f, uint64_t generation);
uint64_t client_cache_generation(struct mcp_client *c);
/* A change was told by a notification of this method. */
void client_cache_drop(struct mcp_client *c, const char *notification);

/* ---- client_output.c ---- */
/* False: 'result' is not what the tool declares. May take structuredContent away. */
bool client_check_output(struct mcp_client *c, const char *tool, json_t *result,
			 struct error *err);

/* ---- client_tools.c ---- */
/* A copy of the outputSchema that was listed; '*ret' NULL: none. False without memory. */
bool client_tools_output(struct mcp_client *c, const char *tool, json_t **ret);
void client_tools_free(struct client_tools *t);
/* Remember; drop from 'tools' what must not be used. */
bool client_tools_learn(struct mcp_client *c, json_t *tools, struct error *err);
/* What the call's headers must mirror; nothing for a tool that was not listed. */
void client_tools_mirror(struct mcp_client *c, const char *tool, const char *arguments,
			 struct strbuf *sb);

#endif
