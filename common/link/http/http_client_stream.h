/*
 * http_client_stream -- a reply read as it comes.
 *
 * For event streams: the head first, then pieces of the body, each with a deadline of
 * the reader's own, so that a limit on silence and one on the whole can be kept apart.
 * Closing one that has not ended closes its connection, which is how a request is
 * cancelled. Otherwise as http_client.h says: blocking, no redirects, nothing retried.
 * A stream belongs to one thread at a time.
 */
#ifndef LINK_HTTP_CLIENT_STREAM_H
#define LINK_HTTP_CLIENT_STREAM_H

#include "link/http/http_client.h"

struct http_client_stream;

enum { HTTP_CLIENT_PIECES_MAX = 1024 * 1024 }; /* bytes that wait to be read */

/*
 * Send, and wait at most timeout_ms for the head of the reply. What 'req' points to is
 * borrowed until the close; its reply_max does not count. NULL as http_client_call
 * fails; '*ret_sent' (may be NULL) tells whether any byte of the request left.
 */
struct http_client_stream *http_client_stream_open(struct http_client *c,
						   const struct http_client_request *req,
						   bool *ret_sent,
						   struct error *err) _must_use_;
void http_client_stream_close(struct http_client_stream *s);
DEFINE_CLEANUP(struct http_client_stream, http_client_stream_close);

int http_client_stream_status(const struct http_client_stream *s);
/* Lower case, without parameters; "" if there is none. */
const char *http_client_stream_type(const struct http_client_stream *s);
int64_t http_client_stream_retry_after_ms(const struct http_client_stream *s); /* -1 */
/* Whether the other end has an address that is not of the public internet. */
bool http_client_stream_is_private(const struct http_client_stream *s);
/* The header of this name that is number 'index' from 0, or NULL. Borrowed until the
 * next call for this stream. */
const char *http_client_stream_header(struct http_client_stream *s, const char *name,
				      size_t index);

enum http_client_got { HTTP_CLIENT_DATA, HTTP_CLIENT_END, HTTP_CLIENT_FAILED };

/* The next piece, borrowed until the next call. HTTP_CLIENT_END: the reply was whole.
 * ERR_TIMEOUT when nothing came until 'until_ms' (clock_mono_ms). */
enum http_client_got http_client_stream_read(struct http_client_stream *s,
					     int64_t until_ms, const char **ret_bytes,
					     size_t *ret_length, struct error *err);

#endif
