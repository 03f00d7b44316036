/*
 * httpd_private -- what the files of httpd share, and nobody else includes.
 *
 *   httpd.c          configuration, listening sockets, start and stop
 *   httpd_loop.c     a loop's thread and what libmicrohttpd calls
 *   httpd_request.c  a request: copied from libmicrohttpd, checked, looked up
 *   httpd_origin.c   whether a Host and an Origin may talk to us
 *   httpd_reply.c    the reply, from whichever thread
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

#include <microhttpd.h>

#include "wire/httpd.h"

enum {
	HTTPD_MEMORY_BYTES =
		8192, /* libmicrohttpd's, a connection: head of request and reply */
	HTTPD_FIELDS_MAX = 100, /* headers and query parameters of a request */
	HTTPD_LOOPS_MAX = 8,
	HTTPD_CONNECTIONS = 4096, /* unless configured */
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
};

/* A connection, to find those that are too slow. */
struct httpd_conn {
	struct httpd_conn *next, **link; /* in loop->conns */
	int fd;
	int64_t since_ms; /* its last reply ended, or its request was complete */
	bool waiting;     /* for a handler: may take as long as it takes */
	bool abandoned;   /* its request is the late replier's now */
};

struct httpd_loop {
	const struct httpd_config *config;
	bool loopback; /* the address listened on */
	struct MHD_Daemon *daemon;
	pthread_t thread;
	bool started;
	int epoll_fd; /* the daemon's */
	int wake_fd;
	int64_t now_ms; /* of this turn */
	int64_t swept_ms, complained_ms;
	uint64_t random;
	unsigned active; /* requests begun and not completed */
	struct httpd_conn *conns;
	struct http_request *suspended;
	struct http_request *spare; /* to use again */
	unsigned spare_count;
	atomic_bool stop;
	atomic_llong patience_ms;

	pthread_mutex_t lock; /* guards the rest */
	struct http_request *replied;
	unsigned abandoned;
	bool orphan; /* httpd_stop is through: the last late reply frees the loop */
};

/* httpd_loop.c */
struct httpd_loop *httpd_loop_new(const struct httpd_config *config, bool loopback,
				  int listen_fd, unsigned connection_max,
				  struct error *err) _must_use_;
bool httpd_loop_start(struct httpd_loop *l, struct error *err);
void httpd_loop_stop(struct httpd_loop *l, int64_t patience_ms); /* asks */
void httpd_loop_join(struct httpd_loop *l);                      /* waits and frees */
void httpd_loop_release(struct httpd_loop *l);                   /* memory alone */
/* Drop connections that have been at one request for longer than HTTPD_REQUEST_S. */
unsigned httpd_drop_slow(const struct httpd_conn *conns, int64_t now_ms);

/* httpd_request.c */
struct http_request *httpd_request_take(struct httpd_loop *l);
void httpd_request_return(struct httpd_loop *l,
			  struct http_request *r); /* to the spare ones */
void httpd_request_free(struct http_request *r);
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

/* httpd_reply.c */
struct MHD_Response *httpd_refusal(const char *text);

#endif
