/*
 * serving -- the inside of a service, and of one request under way; private to mcp.
 *
 * dispatch takes a request as far as its method, call decides what a tools/call
 * needs, and planning, execute and approvals do it. Requests of quick freed reads
 * stay in the loop's thread; all other calls move to a worker.
 */
#ifndef MCP_SERVING_H
#define MCP_SERVING_H

#include <stdatomic.h>

#include "guard/audit.h"
#include "guard/envelope.h"
#include "guard/limits.h"
#include "guard/token.h"
#include "link/coordination/coordination.h"
#include "link/http/http_client.h"
#include "mcp/ask.h"
#include "mcp/call.h"
#include "mcp/callers.h"
#include "mcp/catalog.h"
#include "mcp/legacy.h"
#include "mcp/listeners.h"
#include "mcp/metrics.h"
#include "mcp/oauth/oauth.h"
#include "mcp/result.h"
#include "mcp/revision.h"
#include "mcp/service.h"
#include "mcp/session.h"
#include "mcp/tasks.h"
#include "mcp/tool_table.h"
#include "proc/workers.h"
#include "wire/http_stream.h"
#include "wire/httpd_tls.h"

/* What /readyz last found out. */
struct readiness {
	pthread_mutex_t lock;
	int64_t checked_ms; /* monotonic; 0: never */
	bool is_good;
	unsigned checking;
	char why[320];
};

struct exchange;
struct ticker;

/* Quick reads that wait for the line in the audit log that they share. */
struct free_reads {
	pthread_mutex_t lock;
	struct exchange *first, **last;
	struct audit_lines lines; /* of each of them */
	int64_t count;
	bool is_draining; /* a worker is at it, and has 'writing' */
	struct audit_lines writing;
};

enum joining_state { JOINING_UNSAID, JOINING_REFUSED, JOINING_JOINED };

/* What the gate said of the store that this process has. */
struct joining {
	pthread_mutex_t turn; /* to ask it */
	pthread_mutex_t lock; /* of what follows */
	enum joining_state state;
	char said[DIGEST_ID_BYTES];   /* the store that it is about */
	char joined[DIGEST_ID_BYTES]; /* the last one that it agreed to; "": none */
	int64_t due_ms;               /* monotonic: when to tell it again */
	char why[320];
};

struct mcp_service {
	const struct mcp_server *server;
	const struct statedir *dir;
	struct server_config config;
	struct mcp_identity identity;
	struct tool_table tools;
	struct catalog catalog;
	struct listing tool_pages;
	unsigned features;      /* enum mcp_feature */
	char *discover_members; /* JSON text, ready to send */
	struct keyring *keys;
	struct token_index *tokens;
	struct oauth *oauth;    /* NULL: static tokens alone */
	struct caller admitted; /* who comes without a token; no principal: nobody may */
	struct secret *state_key;
	struct secret *gate_token; /* NULL: no gate */
	struct http_client *http;  /* towards the gate; NULL: no gate */
	void *context;             /* of the server's open */
	bool is_open;

	/* Until 'store' is open; NULL: embedded. */
	struct coord_redis_access *store_access;
	struct coordination *store;
	struct audit *audit;
	struct limiter *plan_limiter;    /* per requester */
	struct limiter *refusal_limiter; /* audit lines about refusals, per client */
	struct workers *workers;
	struct ticker *ticker; /* NULL: no tick, and no gate */
	struct httpd_tls *tls; /* NULL: plain HTTP; until it listens */
	struct httpd *httpd;
	struct callers callers;
	struct sessions *sessions; /* of legacy clients */
	struct listeners *listeners;
	struct tasks *tasks; /* NULL until it starts */
	struct metrics metrics;
	struct readiness readiness;
	struct free_reads free_reads;
	struct joining joining;
	atomic_int registering;   /* calls that wait for the gate */
	atomic_int waiting_pages; /* and for people, before a page */
	atomic_bool is_stopping;
	atomic_bool is_cancelled; /* patience is over: reads and plans give up */
};

/* One request under way. */
struct exchange {
	struct mcp_service *service;
	struct http_request *http;
	char request[32]; /* its id, for logs */
	struct caller caller;
	bool from_gate;
	bool frees_gate; /* a read by ticket, and freed_resources_for names the gate */
	bool is_oauth;   /* the caller came with an issuer's token */
	struct oauth_waiter waiter;        /* for the issuer's keys */
	void (*go_on)(struct exchange *x); /* then */
	json_t *body;                      /* owned */
	struct jsonrpc_message message;    /* borrows from it */
	enum mcp_method method;
	/* Set: the body is JSON, but breaks the contract profile. */
	struct error contract;

	/* What is asked for: one of these. */
	const struct tool_entry *tool;
	const struct resource_entry *resource;
	const struct prompt_entry *prompt;
	const char *name;        /* of the latter two, as the body says it */
	json_t *arguments;       /* owned; as the canonical bytes say */
	struct strbuf canonical; /* of the arguments */
	char args[DIGEST_HEX_BYTES];
	/* Borrowed from the body; NULL: none. */
	const char *grant, *ticket, *request_state, *trace;
	const json_t *assumes; /* META_ASSUMES, an array; NULL: none */
	bool is_look;          /* META_LOOK */
	bool is_revoked;       /* META_REVOKE */
	/* What the client wants to hear meanwhile. */
	json_t *progress_token; /* borrowed from the body; NULL: no progress */
	bool wants_log;
	enum mcp_level log_level;
	bool has_progress;
	double progress;
	int64_t progress_ms;
	struct http_stream *stream; /* the reply, once something was said */
	bool is_answered;           /* there is nobody to reply to any more */
	bool wants_events;          /* by its Accept the client reads nothing else */
	bool is_ended_by_leaving; /* who closes the connection cancels: the modern era */
	struct asking asking;
	bool has_tasks; /* the client declared the extension */
	bool is_task;   /* this is one at work: there is no 'http' */
	const atomic_bool *task_cancelled;
	bool wants_task; /* its function goes on as one */

	int64_t deadline_ms;   /* monotonic */
	bool is_entered;       /* counted in 'callers' */
	struct exchange *next; /* in 'free_reads' */

	enum legacy_revision revision;   /* LEGACY_NONE: a modern request */
	struct session *session;         /* counted; NULL: none */
	struct outlet *outlet;           /* its stream in there; NULL: not begun */
	LIST_ENTRY(exchange) in_session; /* of those under way, if 'is_listed' */
	bool is_listed;
	atomic_bool is_cancelled;   /* by its client's word */
	bool is_committed;          /* too late for that */
	unsigned rounds;            /* of questions */
	struct legacy_wait wait;    /* for answers */
	json_t *responses;          /* the last ones; owned */
	struct legacy_batch *batch; /* 'http' is then the whole batch's; NULL: alone */
	size_t index;               /* in 'batch' */
};

/* --- dispatch.c --- */

/* The httpd_handler of a service. */
void dispatch_request(void *context, struct http_request *http);
/* NULL without memory. */
struct exchange *exchange_new(struct mcp_service *s, struct http_request *http);
/* Count it and free it without a reply, which is then the caller's to give. */
struct http_request *exchange_leave(struct exchange *x, unsigned status);
/* Free it: there is nobody to reply to, and nothing to count. */
void exchange_drop(struct exchange *x);
/* Whether an Accept header allows 'type', which 'range' includes; NULL allows all. */
bool exchange_accepts(const char *accept, const char *type, const char *range);
/* The method is known: do it. */
void dispatch_run(struct exchange *x);
/* Do it once more, with the answers that came. */
void dispatch_again(struct exchange *x);
/* Steps 3 and 4 of a POST; each replies itself when it returns false. What is read is
 * 'body', then, unless that is an array, the message in it. */
bool exchange_check_media(struct exchange *x);
bool exchange_parse(struct exchange *x);
bool exchange_read(struct exchange *x);
/* Each of these replies and frees the exchange. 'body' may be NULL. */
void exchange_send(struct exchange *x, unsigned status, const struct http_header *headers,
		   struct strbuf *body);
void exchange_refuse(struct exchange *x, struct refusal *refusal);
void exchange_challenge(struct exchange *x, unsigned status, const char *challenge);
void exchange_body(struct exchange *x, const struct mcp_body *body);
void exchange_finish(struct exchange *x, struct mcp_result *r);
/* -32021: the client did not declare what is needed. Steals 'missing'. */
void exchange_refuse_missing(struct exchange *x, json_t *missing);

/* --- talk.c --- */

/* Nobody waits for the reply any more. */
bool exchange_is_gone(const struct exchange *x);
/* From now on the reply is a stream, with status 200 whatever comes. False: it cannot be. */
bool exchange_open_stream(struct exchange *x);
/* One JSON document on the stream that the reply is. */
bool exchange_send_event(struct exchange *x, const struct strbuf *message);

/* --- questions.c: of the functions of an exchange --- */

/* Read the client's answers; false with the reason: what came cannot be used. */
bool questions_read(struct exchange *x, struct error *err);
/* What 'asking' holds as a sealed word, bound to this call; NULL when there is nothing. */
bool questions_seal(const struct exchange *x, char **ret, struct error *err);
/* After the function returned: fills the result if there are questions, and says so. */
bool questions_put(struct exchange *x, struct mcp_result *r, struct error *err);

/* --- authorize.c: who calls --- */

/* Fill 'caller' and 'from_gate', then call 'go_on', now or later and in any thread; or
 * reply. */
void authorize(struct exchange *x, void (*go_on)(struct exchange *x));
/* Whether the caller has the scopes for this tool; replies itself when it returns false. */
bool authorize_tool(struct exchange *x);
/* The same for what is only read: resources, prompts. */
bool authorize_context(struct exchange *x);
/* The metadata of the protected resource; false: the path is not its. */
bool authorize_metadata(struct mcp_service *s, struct http_request *http);

/* --- status.c: /healthz, /readyz, /metrics --- */

void readiness_init(struct readiness *r);
void readiness_done(struct readiness *r);
/* False: the path is none of these. */
bool status_request(struct mcp_service *s, struct http_request *http);

/* --- tools.c --- */

/* Replies now or later, and frees the exchange then. */
void tools_call(struct exchange *x);
/* Whether the caller may do this at all by this server's own configuration. */
bool tools_check_rights(const struct exchange *x, const char *principal,
			struct error *err);
/* Run the row's function and judge what it returns; the result is the failure's if it fails. */
bool tools_run(struct exchange *x, struct mcp_call *call, struct mcp_result *r,
	       struct error *err);
/* An audit line about a call that was refused; at most so many a minute and client. */
void tools_audit_refusal(const struct exchange *x, const char *approval,
			 const struct error *why);

/* Is the server sound, is there time, do the arguments fit? Fills 'arguments', and what is
 * needed beside: 'args', or 'canonical' too. */
enum tools_need { TOOLS_NEED_NOTHING, TOOLS_NEED_DIGEST, TOOLS_NEED_BYTES };
bool tools_accept(struct exchange *x, enum tools_need need, struct error *err);
/* Reply with a failure, or with 'too busy', and free the exchange. */
void tools_finish_error(struct exchange *x, const struct error *err);
void tools_finish_busy(struct exchange *x);

/* --- context.c: each replies now or later --- */

void context_read(struct exchange *x);
void context_prompt(struct exchange *x);
void context_complete(struct exchange *x);
/* An error of a read: its code of JSON-RPC, and ours in 'data'. Steals 'details'. */
void context_refuse(struct exchange *x, const struct error *err, json_t *details);
/* resources/list where freed templates list what there is. */
void context_list(struct exchange *x);

/* --- listen.c --- */

/* subscriptions/listen: replies now or later. */
void listen_begin(struct exchange *x);

/* --- free_reads.c: freed reads where no gate is configured --- */

bool free_read_is(const struct exchange *x);
/* On a worker: with its line in the audit log. */
void free_read_run(struct exchange *x, struct mcp_result *r);
/* A quick one in place, without any line. Replies. */
void free_read_answer(struct exchange *x);
/* A quick one whose line is written together with those of others. Replies later. */
void free_reads_add(struct exchange *x);
void free_reads_init(struct free_reads *f);
void free_reads_done(struct free_reads *f);

/* --- planning.c --- */

/* Make the plan as of 'now_ms'. On failure '*ret_details' (owned by the caller) may be set. */
struct plan *planning_make(const struct exchange *x, const char *requester,
			   int64_t now_ms, json_t **ret_details,
			   struct error *err) _must_use_;
/* The gate asks for a plan with its ticket. */
void planning_answer(struct exchange *x, struct mcp_result *r);
/* Whether the state's plan was made on the store that this process has. */
struct request_state;
bool planning_check_store(const struct mcp_service *s, const struct request_state *state,
			  struct error *err);

/* --- execute.c --- */

struct presented {
	const char *grant;
	const char *request_state; /* NULL: none */
	const char *requester; /* whom this request is for; NULL: whom the grant names */
	bool is_look;          /* nothing runs: what became of it is told */
	bool is_revoked;       /* the same, and nothing ever will */
};
/* What became of it, for the gate. */
struct execution_report {
	char approval[81];             /* "" when the grant could not be read */
	const char *state;             /* succeeded, failed, unknown, refused */
	char result[DIGEST_HEX_BYTES]; /* digest of the recorded result, "" for none */
};
/* Check the grant, burn it, run, record, and fill the result. 'report' may be NULL. */
void execute_grant(struct exchange *x, const struct presented *given,
		   struct mcp_result *r, struct execution_report *report);
/* {program, seq, hash}: the head of this server's audit chain. New; NULL without memory. */
json_t *execute_head(const struct mcp_service *s) _must_use_;

/* --- approvals.c --- */

/* A direct client's call: registered with the gate, run when people said yes. */
void approvals_answer(struct exchange *x, struct mcp_result *r);
/* A task that waits as 'approval': runs it if it may now, and fills the result if it has
 * ended in whatever way; else says that it still waits. */
void approvals_continue(struct exchange *x, const char *approval, struct mcp_result *r,
			bool *ret_waiting);
/* Take it back; false: it was too late, or the gate cannot be reached. */
bool approvals_cancel(const struct exchange *x, const char *approval);

/* --- joining.c: replicas of a server share one store --- */

void joining_init(struct joining *j);
void joining_done(struct joining *j);
/* At start: false when the gate says no, and so when another replica has another store. A
 * gate that is not there is asked again by the ticker. */
bool joining_start(struct mcp_service *s, struct error *err);
/* Tell the gate again, when it is time; how long until then. */
int64_t joining_tick(struct mcp_service *s);
/* Whether this process may plan and run with the store of that name: the gate is asked if
 * it has not been told of it. ERR_CONFLICT. One that cannot be reached has no grants. */
bool joining_check(struct mcp_service *s, const char *store, struct error *err);
/* What the gate said against this process; false: nothing. */
bool joining_is_refused(struct mcp_service *s, struct error *err);

/* --- recover.c --- */

/* What a process that died left 'started' becomes 'unknown'; backends are asked by a worker. */
bool recover_started(struct mcp_service *s, struct error *err);

/* --- ticker.c --- */

/* Call the server's 'tick', if it has one, and tell the gate of the store, if there is one,
 * from now on until 'is_stopping'. */
bool ticker_start(struct mcp_service *s, struct error *err);
/* 'is_stopping' has been set: no need to sleep on. */
void ticker_wake(struct mcp_service *s);
/* Waits for the tick that runs. */
void ticker_end(struct mcp_service *s);

#endif
