/*
 * httpd_stream -- a stream, as httpd_stream.c (any thread) and httpd_flow.c (the
 * loop's thread) know it. Nobody else includes this.
 *
 * Texts travel through the loop's mail into the stream's queue, which is the loop's
 * alone. Only the atomic members are shared. References: the owner's, the loop's until
 * the stream has closed, and one for each message in the mail.
 */
#ifndef WIRE_HTTPD_STREAM_H
#define WIRE_HTTPD_STREAM_H

#include "wire/httpd_private.h"

enum stream_state { STREAM_OPEN, STREAM_ENDING, STREAM_CLOSED };

struct http_stream {
	enum httpd_watched watched; /* WATCH_STREAM */
	int fd;                     /* -1: not taken yet, or closed */
	struct http_request
		*request; /* with TLS: whose connection is still libmicrohttpd's */
	struct httpd_loop *loop;
	http_stream_closed *closed;
	void *context;
	TAILQ_ENTRY(http_stream) in_loop;
	TAILQ_ENTRY(http_stream) in_busy;
	struct http_messages queue;
	size_t sent;                    /* of the first in the queue */
	int64_t looked_at_ms;           /* its place in loop->streams */
	int64_t moved_ms;               /* when something was written */
	struct http_message begin, end; /* the head, and the last chunk */
	struct http_message comment;    /* of a quiet stream, whose queue is empty */
	bool is_events, is_chunked;
	bool is_end_queued;
	bool is_busy;    /* in loop->busy */
	bool is_blocked; /* waits for the socket */
	bool is_again;   /* TLS keeps what the socket did not take */
	atomic_bool too_slow;
	atomic_int state; /* enum stream_state */
	atomic_uint refs;
	atomic_uint waiting; /* messages */
	atomic_size_t waiting_bytes;
};

/* Neither in the mail nor in a queue any more. */
void httpd_message_free(struct http_stream *s, struct http_message *m);

#endif
