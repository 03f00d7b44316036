/*
 * http_transfer -- what whole calls and streamed ones share. Private to
 * common/link/http.
 *
 * A line is a connection pool with an easy handle in it, taken for one call and given
 * back; a transfer is that call, as curl's callbacks see it.
 */
#ifndef LINK_HTTP_TRANSFER_H
#define LINK_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "link/http/http_client.h"

/* Curl's handles belong to one thread at a time. */
struct http_line {
	struct http_line *next;
	CURL *easy;
	CURLM *multi;
};

struct http_transfer {
	const struct http_client_request *req;
	struct strbuf *body; /* of a stream: what came and was not read yet */
	size_t reply_max;    /* bytes in 'body' */
	size_t head_bytes;
	bool sent;      /* bytes of the request may have left */
	bool again;     /* curl wanted to send it a second time */
	bool too_long;  /* the reply */
	bool head_ends; /* the last line of a head, maybe that of a 100, was seen */
	bool is_stream; /* its deadlines are the reader's */
	bool is_paused; /* a stream of which enough waits to be read */
	bool repeatable;
	bool is_private; /* the address that the request went to, or would have */
	char reason[CURL_ERROR_SIZE];
};

/* ---- http_tls.c ---- */
bool http_tls_apply(const struct http_tls *t, CURL *easy);

struct http_line *http_line_take(struct http_client *c);
void http_line_return(struct http_client *c, struct http_line *line);

bool http_transfer_check(const struct http_client_request *req, struct error *err);
bool http_transfer_prepare(const struct http_client *c, CURL *easy,
			   struct curl_slist *headers, struct http_transfer *t);
bool http_transfer_is_cancelled(const struct http_client_request *req);
bool http_transfer_repeatable(const struct http_client_request *req);
/* Says why in 'err'; returns false. */
bool http_transfer_fail(const struct http_transfer *t, CURLcode result,
			struct error *err);
void http_transfer_type(CURL *easy, char type[static 96]);
int64_t http_transfer_retry_after(CURL *easy);

#endif
