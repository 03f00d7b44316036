/*
 * http_stream -- replies that go on: server-sent events, or any other text.
 *
 * A stream is the reply to a request whose handler wants to say more than one
 * thing, now or in an hour, from whichever thread. What is sent is queued and
 * never blocks; a loop of httpd writes it. A stream holds no memory of
 * libmicrohttpd and no thread: idle ones cost half a KB (with TLS: a connection).
 *
 * Who does not read is dropped: a stream has at most HTTP_STREAM_MESSAGES_MAX texts
 * and HTTP_STREAM_BYTES_MAX bytes waiting (one text alone may be longer), and what
 * waits must move within HTTP_STREAM_STALL_S. A quiet stream may last for ever:
 * event streams get the comment ": keepalive" every 15 s, which also finds peers
 * that vanished. A peer that sends FIN has left, even if it had only closed its
 * sending half, which nobody can tell apart and HTTP clients do not do.
 *
 * A struct http_stream is counted. Every function may be called by every thread that
 * holds a reference, also after the stream has closed and after the server stopped.
 */
#ifndef WIRE_HTTP_STREAM_H
#define WIRE_HTTP_STREAM_H

#include "wire/httpd.h"
#include "wire/shared_bytes.h"

struct http_stream;

enum {
	HTTP_STREAM_MESSAGES_MAX = 1024,
	HTTP_STREAM_BYTES_MAX = 4 * 1024 * 1024,
	HTTP_STREAM_STALL_S = 60,
	HTTP_STREAM_KEEPALIVE_MS = 15000,
};

enum http_stream_why {
	HTTP_STREAM_ENDED,    /* http_stream_end, and all was written */
	HTTP_STREAM_GONE,     /* the peer left, or its connection broke */
	HTTP_STREAM_TOO_SLOW, /* a limit was passed, or there was no memory to queue */
	HTTP_STREAM_STOPPED,  /* httpd_stop found it open when its patience was over */
};

/* Told exactly once, by a thread of httpd, which must not be kept waiting; it may
 * call anything here and http_reply. It can come before http_reply_stream returns to
 * another thread, and never comes if that returned NULL. */
typedef void http_stream_closed(void *context, enum http_stream_why why);

/*
 * Reply with a stream; 'req' is gone afterwards. The head is sent at once; when
 * 'type' is text/event-stream also a first comment, Cache-Control: no-cache,
 * no-transform and X-Accel-Buffering: no. The connection closes with the stream.
 * 'closed' may be NULL. Returns the caller's reference.
 *
 * NULL: there is no stream and 'req' was answered otherwise: 503 with Retry-After when
 * there are stream_max streams, no memory, or the server ends; 500 for a header with
 * control characters; without a body when the method was HEAD.
 */
struct http_stream *http_reply_stream(struct http_request *req, unsigned status,
				      const char *type, const struct http_header *headers,
				      http_stream_closed *closed,
				      void *context) _must_use_;

/* Queue a text; takes a reference of its own. False when the stream is ending or closed
 * (or just was, by this text). True says that it is queued, not that anybody reads it. */
bool http_stream_send(struct http_stream *s, struct shared_bytes *text);
/* The same for many, which is cheaper than one by one; those that are not open are left out. */
void http_streams_send(struct http_stream *const *streams, size_t count,
		       struct shared_bytes *text);
/* Close after what is queued. Further calls do nothing. */
void http_stream_end(struct http_stream *s);
/* No longer open for http_stream_send; a hint, as it may change at once. */
bool http_stream_is_closed(const struct http_stream *s);

struct http_stream *http_stream_ref(struct http_stream *s);
/* Gives up a reference; an open stream stays open until it is ended or its peer leaves. */
void http_stream_unref(struct http_stream *s);
DEFINE_CLEANUP(struct http_stream, http_stream_unref);

#endif
