/*
 * httpd -- an HTTP server that strangers may talk to, on libmicrohttpd.
 *
 * One event loop thread per core around a daemon each (own epoll loop, because
 * libmicrohttpd's internal epoll thread stalls at 128 busy connections), sharing
 * one port. A handler is called once the whole request is here and within its
 * limits; it replies at once, or keeps the request and replies later from any
 * thread (the connection is suspended meanwhile). Oversized bodies (413) and
 * headers (431) are answered before any handler runs. Every request gets
 * exactly one reply, which may be a stream (http_stream.h). Any method reaches the
 * handler, OPTIONS and DELETE too.
 *
 * Host and Origin are checked here, because no handler may forget it: on a
 * loopback address Host must be localhost, 127.0.0.1 or [::1] with any port, or
 * one of 'allowed_hosts'; an Origin must be one of 'allowed_origins' or a
 * loopback origin; else 403 and a log line that names the value and the option.
 */
#ifndef WIRE_HTTPD_H
#define WIRE_HTTPD_H

#include "base/error.h"
#include "base/strbuf.h"

struct httpd;
struct httpd_tls;
struct http_request;

typedef void httpd_handler(void *context, struct http_request *req);

/* What browsers are told about pages of the origins that may talk to us; all borrowed. */
struct httpd_cors {
	const char *methods;        /* "GET, POST" */
	const char *const *headers; /* of requests; NULL-terminated */
	const char *prefix;         /* and those that begin like this; NULL: none */
	const char *expose;         /* of replies: "WWW-Authenticate" */
};

struct httpd_config {
	const char *address;                /* "127.0.0.1", "::1", "0.0.0.0" */
	uint16_t port;                      /* 0: a free one, see httpd_port */
	unsigned loops;                     /* 0: one a core, at most 8 */
	size_t body_max;                    /* 0: HTTPD_BODY_MAX */
	unsigned connection_max;            /* 0: 4096; streams not counted */
	unsigned stream_max;                /* 0: 10240 */
	unsigned keepalive_ms;              /* of event streams; 0: every 15 s */
	const struct httpd_tls *tls;        /* httpd_tls.h; NULL: none. Until started. */
	const char *const *allowed_hosts;   /* NULL-terminated, or NULL */
	const char *const *allowed_origins; /* NULL-terminated, or NULL */
	const struct httpd_cors *cors;      /* NULL: browsers keep replies from pages. It
					* answers preflights, before any handler. */
	httpd_handler *handler;
	void *context;
};

enum { HTTPD_BODY_MAX = 4 * 1024 * 1024, HTTPD_IDLE_S = 75 };

/* Listening when it returns. Strings are borrowed until httpd_stop. */
struct httpd *httpd_start(const struct httpd_config *config,
			  struct error *err) _must_use_;
uint16_t httpd_port(const struct httpd *h);
/* Refuses new connections, waits up to 'patience_ms' for requests under way and for
 * streams to be ended by their owners, then ends and frees. Streams that last for ever
 * are to be ended before; those that were not, end now without a last word. */
void httpd_stop(struct httpd *h, int64_t patience_ms);

/* Of a request; borrowed, valid until the reply. Methods and paths with case;
 * header names without. The path has no query; a duplicate header that matters
 * (Host, Origin, Authorization, Content-Type, Mcp-*, X-Slack-*) was refused before (400). */
const char *http_request_method(const struct http_request *req);
const char *http_request_path(const struct http_request *req);
const char *http_request_query(const struct http_request *req, const char *name);
const char *http_request_header(const struct http_request *req, const char *name);
const char *http_request_body(const struct http_request *req, size_t *ret_length);
/* The subject of the certificate that the client showed (RFC 4514: "CN=ci,O=Example"),
 * which one of the configured authorities vouches for; NULL without such. In the handler
 * alone, before it returns. */
const char *http_request_client_name(struct http_request *req);
/* Random 16 hex digits made for this request, for logs. */
const char *http_request_id(const struct http_request *req);

/*
 * Learn that nobody waits for the reply any more. 'gone' (may be NULL) is called at
 * most once, by a thread of httpd, which must not be kept waiting: when the peer has
 * closed or reset the connection, or the server ends before the reply. It may reply
 * to 'req'. It has returned, or will never be called, when http_reply returns; so do
 * not reply while holding a lock that 'gone' takes. To be asked for by the handler
 * before it returns; a handler that itself takes long is not interrupted.
 *
 * A FIN counts as gone, as it does for most servers: a client that merely closes its
 * sending half looks the same, and could not be told from one that died. A reply is
 * due nevertheless, and is still sent.
 */
typedef void http_gone(void *context);
void http_request_on_gone(struct http_request *req, http_gone *gone, void *context);
/* Whether that happened; any thread, until the reply. False if nobody asked. */
bool http_request_is_gone(const struct http_request *req);

/*
 * From any thread, once for a request that the handler has not replied to: have 'fn'
 * called by the thread that called the handler, which replies then, or hands 'req' on
 * again. What belongs to the request never leaves that thread so. False: the server has
 * ended meanwhile, and the caller is to do it.
 */
typedef void http_go_on(void *context);
bool http_request_go_on(struct http_request *req, http_go_on *fn, void *context);

/* Further header lines of a reply; ends with a row of NULLs. An empty value
 * leaves the line out; one with control characters turns the reply into a 500. */
struct http_header {
	const char *name, *value;
};

/* Reply and forget: 'req' is gone afterwards. Takes the memory of 'body' (may be
 * NULL or empty) and leaves it empty. 'type' NULL: no Content-Type. Any thread. */
void http_reply(struct http_request *req, unsigned status, const char *type,
		const struct http_header *headers, struct strbuf *body);
/* The same with a constant text. */
void http_reply_text(struct http_request *req, unsigned status, const char *type,
		     const char *text);

#endif
