/*
 * httpd_private -- what the files of httpd share, and nobody else includes.
 *
 *   httpd.c          configuration, listening sockets, start and stop
 *   httpd_loop.c     a loop's thread and what libmicrohttpd calls
 *   httpd_request.c  a request: copied from libmicrohttpd, checked, looked up
 *   httpd_origin.c   whether a Host and an Origin may talk to us
 *   httpd_cors.c     what browsers may let pages of other origins do
 *   httpd_reply.c    the reply, from whichever thread
 *   httpd_stream.c   replies that go on, from whichever thread
 *   httpd_flow.c     what a loop does with its streams
 *   httpd_gone.c     peers that leave before the reply
 *   httpd_tls.c      all that knows GnuTLS
 *
 * Everything of a loop belongs to its thread, except what 'lock' guards. A
 * request belongs to its connection until somebody replies; only when the
 * server ends first does it outlive the connection (REQUEST_ABANDONED), and
 * then whoever replies at last frees it, and the loop after the last of them.
 */
#ifndef WIRE_HTTPD_PRIVATE_H
#define WIRE_HTTPD_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include <microhttpd.h>

#include "wire/http_stream.h"
#include "wire/httpd_tls.h"

enum {
	HTTPD_MEMORY_BYTES =
		8192, /* libmicrohttpd's, a connection: head of request and reply */
	HTTPD_FIELDS_MAX = 100, /* headers and query parameters of a request */
	HTTPD_LOOPS_MAX = 8,
	HTTPD_CONNECTIONS = 4096, /* unless configured */
	HTTPD_STREAMS = 10240,    /* unless configured */
	HTTPD_DRAIN_BYTES =
		1024 * 1024, /* read beyond body_max, so that the sender sees its 413 */
	HTTPD_REQUEST_S =
		2 * HTTPD_IDLE_S, /* from the last reply to the end of a request, or to
					     * take a reply: who trickles longer is dropped */
};

enum request_state {
	REQUEST_RUNNING,   /* being read, or its handler has not returned */
	REQUEST_SUSPENDED, /* the handler returned without reply */
	REQUEST_REPLIED,
	REQUEST_ABANDONED, /* the server ended; http_reply frees */
};

/* A header or query parameter; both texts are in http_request.text, NUL-terminated. */
struct http_field {
	uint32_t name_at, value_at;
	uint16_t name_length;
	bool query;
};

/* What a loop's own epoll set watches: the first member of both. */
enum httpd_watched { WATCH_CONNECTION, WATCH_STREAM };

struct httpd_conn;

struct http_request {
	struct httpd_loop *loop;
	struct MHD_Connection *connection;
	struct httpd_conn *conn;
	atomic_int state;                  /* enum request_state */
	struct http_request *next, **link; /* in loop->suspended */
	struct http_request *next_replied; /* in loop->replied, or in loop->spare */
	struct MHD_Response *response; /* NULL after REQUEST_REPLIED: no memory for one */
	unsigned status;
	unsigned refusal_status; /* not 0: refused before any handler */
	bool refuse_now;         /* without reading the body */
	struct strbuf refusal;
	struct strbuf text; /* method, path, fields */
	uint32_t path_at;
	unsigned field_count, field_room;
	struct http_field *field;
	size_t body_seen;
	struct strbuf body;
	char id[17];
	bool http10;       /* knows no chunks */
	http_go_on *go_on; /* while it is in loop->replied: it is no reply yet */
	void *go_on_context;
	struct http_stream *stream; /* the reply, until the loop has taken it */
	/* httpd_gone.c */
	bool watched;
	http_gone *gone;
	void *gone_context;
	atomic_bool is_gone;
	pthread_mutex_t gone_lock; /* held while 'gone' runs; guards: */
	bool replying;
};

/* A connection, to find those that are too slow. */
struct httpd_conn {
	enum httpd_watched watched;
	bool in_set;                     /* the loop's epoll set has it */
	bool is_gone;                    /* the peer */
	struct http_request *pending;    /* suspended and watched */
	char *client_name;               /* of its certificate, once somebody asked */
	struct httpd_conn *next, **link; /* in loop->conns */
	int fd;
	int64_t since_ms; /* its last reply ended, or its request was complete */
	bool waiting;     /* for a handler: may take as long as it takes */
	bool abandoned;   /* its request is the late replier's now */
};

/* Of all loops; outlives the server when late repliers do. */
struct httpd_shared {
	atomic_uint refs;
	struct httpd_config config;
	atomic_uint streams;
	bool is_tls, wants_clients; /* certificates of clients */
};

/* A text on its way to a stream. */
struct http_message {
	STAILQ_ENTRY(http_message) next;
	struct http_stream *stream;
	struct shared_bytes *bytes; /* NULL: the end */
	bool bare;                  /* not a chunk */
};
STAILQ_HEAD(http_messages, http_message);
TAILQ_HEAD(http_streams, http_stream);

struct httpd_loop {
	struct httpd_shared *shared;
	const struct httpd_config *config; /* shared->config */
	bool loopback;                     /* the address listened on */
	struct MHD_Daemon *daemon;
	pthread_t thread;
	bool started;
	int epoll_fd;  /* the daemon's */
	int events_fd; /* our epoll set: streams, connections of watched requests */
	int wake_fd;
	pthread_t self;   /* for those who got a request from this loop */
	bool woke_itself; /* has put something into 'replied' or 'mail' */
	int64_t now_ms;   /* of this turn */
	int64_t swept_ms, complained_ms;
	uint64_t random;
	unsigned active; /* requests begun and not completed */
	struct httpd_conn *conns;
	struct http_request *suspended;
	struct http_request *spare; /* to use again */
	unsigned spare_count;
	unsigned stream_count;
	struct http_streams
		streams; /* taken; the one that was looked at longest ago first */
	struct http_streams busy; /* have something to write, and may */
	struct shared_bytes *keepalive, *last_chunk;
	atomic_bool stop;
	atomic_llong patience_ms;

	pthread_mutex_t lock; /* guards the rest */
	struct http_request *replied;
	struct http_messages mail; /* to streams */
	bool is_woken;             /* 'wake_fd' is written */
	bool is_closed;            /* to mail */
	unsigned pins; /* abandoned requests and streams, which need the loop's memory */
	bool orphan;   /* httpd_stop is through: the last of them frees the loop */
};

/* httpd.c */
void httpd_shared_unref(struct httpd_shared *shared);

/* httpd_loop.c */
struct httpd_loop *httpd_loop_new(struct httpd_shared *shared,
				  const struct httpd_tls *tls, bool loopback,
				  int listen_fd, unsigned connection_max,
				  struct error *err) _must_use_;
bool httpd_loop_start(struct httpd_loop *l, struct error *err);
void httpd_loop_stop(struct httpd_loop *l, int64_t patience_ms); /* asks */
void httpd_loop_join(struct httpd_loop *l);                      /* waits and frees */
void httpd_loop_release(struct httpd_loop *l);                   /* memory alone */
/* With 'lock' held. A loop that wakes itself does no system call. */
void httpd_loop_wake(struct httpd_loop *l);
void httpd_loop_pin(struct httpd_loop *l);
void httpd_loop_unpin(struct httpd_loop *l);
/* Drop connections that have been at one request for longer than HTTPD_REQUEST_S. */
unsigned httpd_drop_slow(const struct httpd_conn *conns, int64_t now_ms);

/* httpd_request.c */
struct http_request *httpd_request_take(struct httpd_loop *l);
void httpd_request_return(struct httpd_loop *l,
			  struct http_request *r); /* to the spare ones */
void httpd_request_free(struct http_request *r);
void httpd_request_shrink(struct http_request *r); /* it is replied to, but stays */
/* Copy and check everything before the body. False without memory. */
bool httpd_request_begin(struct http_request *r, const char *method, const char *path);
void httpd_request_refuse(struct http_request *r, unsigned status, const char *format,
			  ...) _printf_(3, 4);

/* httpd_origin.c */
/* 'host' NULL: there was none. On refusal 'why' gets a text that names value and option. */
bool httpd_check_host(const char *host, bool loopback, const char *const *allowed,
		      struct strbuf *why);
bool httpd_check_origin(const char *origin, const char *const *allowed,
			struct strbuf *why);

/* httpd_cors.c */
enum { HTTPD_CORS_HEADERS = 3 };
/* Header lines for the reply to 'r'; returns how many. Borrowed from it. */
size_t httpd_cors_headers(const struct http_request *r,
			  struct http_header ret[static HTTPD_CORS_HEADERS]);
/* Of a list of header names those that pages may send. */
void httpd_cors_choose(const struct httpd_cors *cors, const char *wanted,
		       struct strbuf *ret);
/* Reply to a browser that asks before it lets a page send; false: it is no such request. */
bool httpd_cors_preflight(struct http_request *r);

/* httpd_reply.c */
struct MHD_Response *httpd_refusal(const char *text);
/* 'req' has its reply. False when the server had given it up before: 'stream' is then
 * the caller's again. */
bool httpd_hand_over(struct http_request *req);

/* httpd_gone.c: all but the last by the loop's thread */
bool httpd_gone_watch(struct http_request *r); /* now suspended; false if gone already */
void httpd_gone_tell(struct http_request *r);
void httpd_gone_event(struct httpd_conn *conn);
void httpd_gone_forget(struct httpd_loop *l,
		       struct httpd_conn *conn); /* its fd is closed */
void httpd_gone_replying(struct http_request *r);

/* httpd_flow.c: by the loop's thread */
bool httpd_flow_init(struct httpd_loop *l);
void httpd_flow_done(struct httpd_loop *l);
/* Of the epoll set, without waiting. */
void httpd_flow_events(struct httpd_loop *l);
/* Write what is queued, and keep quiet streams alive. */
void httpd_flow_run(struct httpd_loop *l);
/* Milliseconds until httpd_flow_run has something to do; -1: nothing foreseen. */
int httpd_flow_wait_ms(const struct httpd_loop *l);
/* libmicrohttpd is in the callback of a request that was replied to with a stream:
 * what the callback returns. */
enum MHD_Result httpd_flow_take(struct http_request *r);
/* The connection ended before its stream was taken. */
void httpd_flow_drop(struct http_request *r);
void httpd_flow_stop(struct httpd_loop *l);

/* httpd_tls.c */
enum { HTTPD_TLS_OPTIONS = 5 };
bool httpd_tls_wants_clients(const struct httpd_tls *t);
void httpd_tls_options(const struct httpd_tls *t,
		       struct MHD_OptionItem ret[static HTTPD_TLS_OPTIONS]);
bool httpd_tls_require_client(struct MHD_Connection *connection);
/* As write(2). After EAGAIN call with 'again' until it is not EAGAIN. */
ssize_t httpd_tls_write(struct MHD_Connection *connection, const void *bytes,
			size_t length, bool again);
/* The subject of the client's certificate (RFC 4514), newly allocated; NULL if none. */
char *httpd_tls_client_name(struct MHD_Connection *connection);

#endif
