/*
 * bridge_private -- what the files of the stdio bridge share. Private to bridge_*.c and
 * stdio_bridge.c.
 *
 * stdio_bridge.c    lines in, and how it ends
 * bridge_jobs.c     lines on their way, a thread each
 * bridge_lines.c    bytes into lines
 * bridge_output.c   lines out, by one thread at a time
 * bridge_headers.c  what HTTP wants to know of a message
 * bridge_answer.c   the server's messages as lines; what is still to be answered
 * bridge_ask.c      a request on its way, and its reply
 * bridge_tell.c     what is not answered: notifications, and responses
 * bridge_session.c  initialize, and the session that follows
 * bridge_inbound.c  the stream that the server speaks on unasked
 * bridge_tools.c    which arguments of which tool travel in headers too
 */
#ifndef MCP_BRIDGE_PRIVATE_H
#define MCP_BRIDGE_PRIVATE_H

#include <pthread.h>
#include <sys/queue.h>

#include "link/http/http_client_stream.h"
#include "mcp/bridge/bridge_answer.h"
#include "mcp/bridge/bridge_headers.h"
#include "mcp/bridge/stdio_bridge.h"
#include "wire/sse.h"

enum {
	BRIDGE_HEAD_MS = 10 * 60 * 1000,   /* a person may have to decide meanwhile */
	BRIDGE_SILENCE_MS = 5 * 60 * 1000, /* of a reply; streams are kept alive */
	BRIDGE_REPLY_MS = 60 * 60 * 1000,  /* of a whole reply, but those of listening */
	BRIDGE_TELL_MS = 10 * 1000,        /* for what is not answered */
	BRIDGE_BEGIN_MS = 60 * 1000,       /* for initialize */
	BRIDGE_END_MS = 1000, /* for the end of a session, and for last words */
	BRIDGE_STEP_MS = 20,  /* how late a pause notices that it is over */
	BRIDGE_SESSION_ID_MAX = 512,
};

struct bridge_inbound;
struct bridge_tools;
struct mcp_client;

struct bridge_session {
	unsigned number; /* counts, so that one is given up once; 0: none */
	char id[BRIDGE_SESSION_ID_MAX + 1]; /* "": the server gave none */
	char version[BRIDGE_VERSION_BYTES];
};

struct bridge {
	const struct stdio_bridge_options *o;
	struct http_client *http;
	int wake;             /* eventfd: a job has ended */
	atomic_bool stopping; /* nobody waits for answers any more */
	atomic_bool out_gone;
	pthread_mutex_t writing; /* held while lines go out */
	pthread_mutex_t
		renewing; /* held while a session begins or ends; guards 'inbound',
				   * 'initialize'; taken before 'lock' */
	struct bridge_inbound *inbound;
	struct strbuf initialize; /* the line that began the session */
	pthread_mutex_t lock;     /* guards all below */
	LIST_HEAD(bridge_running, bridge_job) running;
	LIST_HEAD(bridge_ended, bridge_job) ended; /* to be joined */
	unsigned count;                            /* in both */
	bool is_held; /* a job runs that lines must wait for */
	struct bridge_session session;
	unsigned session_count;
	struct bridge_tools *tools;
};

/* A line on its way. Made by the thread that reads, then its own thread's. */
struct bridge_job {
	LIST_ENTRY(bridge_job) next;
	struct bridge *b;
	pthread_t thread;
	char *line;
	size_t length;
	json_t *body;
	struct jsonrpc_message message; /* borrows from 'body'; of a batch: nothing */
	struct bridge_asked asked;
	bool is_modern;
	bool is_initialize;
	bool is_held;       /* lines behind it wait */
	atomic_bool silent; /* cancelled by the client: not answered */
	atomic_bool cancel; /* give up */
};

/* ---- bridge_jobs.c ---- */
void bridge_job_free(struct bridge_job *j);
DEFINE_CLEANUP(struct bridge_job, bridge_job_free);
/* Takes the job, or: false, there is no room or no thread for it. */
bool bridge_job_begin(struct bridge *b, struct bridge_job *j);
/* Join those that have ended. How many run, and whether lines must wait for one. */
unsigned bridge_jobs_reap(struct bridge *b, bool *ret_held);
/* Whatever runs, or nothing but what would listen for ever. */
void bridge_cancel_all(struct bridge *b, bool only_listens);
/* Give up the request of this id, and do not answer it. 'only_modern': unless it is one
 * that the server must be told of. Returns whether such a request runs. */
bool bridge_cancel(struct bridge *b, const json_t *id, bool only_modern);
void bridge_wake(struct bridge *b);

/* ---- bridge_output.c ---- */
/* All lines or, once stopped or with nobody to read them, none. */
void bridge_put(struct bridge *b, const struct strbuf *lines);
void bridge_put_error(struct bridge *b, const json_t *id, int code, const char *message);

/* ---- bridge_ask.c ---- */
/* Send, and write out the answers. */
void bridge_ask(struct bridge_job *j);
/* Begin a session anew with the words of the last; its answer goes nowhere. */
bool bridge_ask_again(struct bridge *b);
/* A sleep that ends when '*stop' does. */
void bridge_pause(int64_t pause_ms, const atomic_bool *stop);
static inline const char *bridge_bearer(const struct bridge *b)
{
	return b->o->token ? secret_bytes(b->o->token) : NULL;
}

/* ---- bridge_tell.c ---- */
void bridge_tell(struct bridge_job *j);

/* ---- bridge_session.c ---- */
/* A copy; false: there is none. */
bool bridge_session_get(struct bridge *b, struct bridge_session *ret);
/* Holds 'renewing' from here on; what was there before is ended. */
void bridge_session_prepare(struct bridge *b);
/* The server agreed: 'id' may be NULL. False: it cannot be used. */
bool bridge_session_begin(struct bridge *b, const char *id, const char *version);
/* After initialize, whatever came of it. */
void bridge_session_release(struct bridge *b);
/* notifications/initialized was taken: listen. */
void bridge_session_listen(struct bridge *b);
/* The server has forgotten session 'number': begin another, with the same words, unless
 * somebody did. False: it did not work. */
bool bridge_session_renew(struct bridge *b, unsigned number);
void bridge_session_end(struct bridge *b);

/* ---- bridge_inbound.c ---- */
struct bridge_inbound *bridge_inbound_start(struct bridge *b,
					    const struct bridge_session *session);
void bridge_inbound_stop(struct bridge_inbound *in);

/* ---- bridge_tools.c ---- */
void bridge_tools_free(struct bridge_tools *t);
/* Ask the server for its tools. False: it would not say. */
bool bridge_tools_learn(struct bridge *b);
/* What a tools/call carries beside its body, as param_headers_write has it. */
void bridge_tools_mirror(struct bridge *b, const struct jsonrpc_message *m,
			 struct strbuf *sb);

#endif
