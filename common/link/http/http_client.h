/*
 * http_client -- our calls out over HTTP, on libcurl.
 *
 * Blocking, for worker threads; connections are kept and reused. No redirects,
 * no proxies from the environment, no compression, only http and https, TLS
 * verified. Every reply has a size limit and every call a deadline; a call can
 * be given up through its cancel flag. Header values with control characters
 * are refused. Nothing is retried here.
 */
#ifndef LINK_HTTP_CLIENT_H
#define LINK_HTTP_CLIENT_H

#include <stdatomic.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "link/http/http_tls.h"

struct http_client;

struct http_client_header {
	const char *name, *value;
};

struct http_client_request {
	const char *method; /* "POST" */
	const char *url;
	const struct http_client_header *headers; /* ends with NULLs; may be NULL */
	const char *bearer; /* sent as Authorization; never logged; may be NULL */
	const void *body;
	size_t body_bytes;
	int64_t timeout_ms;        /* whole call; connecting at most 5 s of it */
	size_t reply_max;          /* 0: 16 MiB */
	const atomic_bool *cancel; /* may be NULL */
	/* Send nothing to an address that is not of the public internet (loopback, private,
	 * link-local and the like), whatever the name in the URL: for URLs that a stranger
	 * chose. Judged by the address of the connection that stands, so that a name that
	 * changes its mind gains nothing; fails as what cannot be reached does. */
	bool public_only;
	bool keep_head; /* for http_client_reply_header */
};

struct http_client_reply {
	int status;
	char content_type[96];  /* lower case, without parameters */
	int64_t retry_after_ms; /* -1: none */
	struct strbuf body;
	struct strbuf
		head; /* names and values in turn, each with a NUL; if it was kept */
};
#define HTTP_CLIENT_REPLY_INIT                                                           \
	{                                                                                \
		.retry_after_ms = -1, .body = STRBUF_INIT, .head = STRBUF_INIT           \
	}
void http_client_reply_done(struct http_client_reply *r);
/* The header of this name (without case) that is number 'index' from 0, or NULL. Only of
 * a request with 'keep_head'. Borrowed. */
const char *http_client_reply_header(const struct http_client_reply *r, const char *name,
				     size_t index);
/* A date as headers have it (RFC 9110, 5.6.7), in milliseconds since 1970; -1: none. */
int64_t http_client_date_ms(const char *text);

/* Load what a client stands on, which http_client_new does at the latest: for a program
 * that will be in a sandbox by then. */
bool http_client_load(struct error *err);

struct http_client *http_client_new(const char *user_agent, struct error *err) _must_use_;
void http_client_free(struct http_client *c);
DEFINE_CLEANUP(struct http_client, http_client_free);
/* Before the first call; takes 'tls', NULL for what is the case without. */
void http_client_use_tls(struct http_client *c, struct http_tls *tls);

/*
 * True when a whole reply of any status came. ERR_BACKEND_UNAVAILABLE: nothing
 * was sent (refused, no such host, TLS). ERR_TIMEOUT and ERR_UNKNOWN_OUTCOME:
 * the request may have been received. '*ret_sent' (may be NULL) tells whether
 * any byte of it left. Thread-safe.
 */
bool http_client_call(struct http_client *c, const struct http_client_request *req,
		      struct http_client_reply *reply, bool *ret_sent, struct error *err);

#endif
