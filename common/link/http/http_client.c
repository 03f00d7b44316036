#include "link/http/http_client.h"

#include <ctype.h>
#include <pthread.h>
#include <strings.h>

#include "base/clock.h"
#include "link/http/curl_late.h"
#include "link/http/http_address.h"
#include "link/http/http_headers.h"
#include "link/http/http_transfer.h"

enum {
	IDLE_MAX = 64, /* kept handles, each with its connections */
	CONNECTIONS_A_HANDLE = 4,
	CONNECT_MAX_MS = 5000,
	/* Below what servers keep an idle connection for (75 s, here): sending into one that
	 * is just being closed leaves the outcome unknown. */
	CONNECTION_AGE_MAX_S = 30,
	REPLY_MAX = 16 * 1024 * 1024,
	REPLY_HEAD_MAX = 64 * 1024,
	RETRY_AFTER_MAX_S = 24 * 3600,
	CANCEL_POLL_MS = 25,
	WAIT_MAX_MS = 1000,
};

struct http_client {
	pthread_mutex_t lock; /* guards the two below */
	struct http_line *idle;
	unsigned idle_count;
	char *user_agent;
	struct http_tls *tls; /* NULL: the system's authorities, no certificate */
};

static void http_line_free(struct http_line *line)
{
	if (!line)
		return;
	if (line->easy)
		curl_easy_cleanup(line->easy);
	if (line->multi)
		(void)curl_multi_cleanup(line->multi);
	free(line);
}

struct http_line *http_line_take(struct http_client *c)
{
	(void)pthread_mutex_lock(&c->lock);
	struct http_line *line = c->idle;
	if (line) {
		c->idle = line->next;
		c->idle_count--;
	}
	(void)pthread_mutex_unlock(&c->lock);
	if (line)
		return line;
	line = calloc(1, sizeof *line);
	if (!line)
		return NULL;
	line->easy = curl_easy_init();
	line->multi = curl_multi_init();
	if (line->easy && line->multi) {
		(void)curl_multi_setopt(line->multi, CURLMOPT_MAXCONNECTS,
					(long)CONNECTIONS_A_HANDLE);
		return line;
	}
	http_line_free(line);
	return NULL;
}

void http_line_return(struct http_client *c, struct http_line *line)
{
	curl_easy_reset(line->easy); /* forgets the request, keeps the connections */
	(void)pthread_mutex_lock(&c->lock);
	bool room = c->idle_count < IDLE_MAX;
	if (room) {
		line->next = c->idle;
		c->idle = line;
		c->idle_count++;
	}
	(void)pthread_mutex_unlock(&c->lock);
	if (!room)
		http_line_free(line);
}

bool http_client_load(struct error *err)
{
	return curl_need(err);
}

struct http_client *http_client_new(const char *user_agent, struct error *err)
{
	struct http_client *c = http_client_load(err) ? calloc(1, sizeof *c) : NULL;

	if (!c || !(c->user_agent = strdup(user_agent)) ||
	    curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		if (c)
			free(c->user_agent);
		free(c);
		error_set(err, ERR_INTERNAL, "cannot prepare the HTTP client");
		return NULL;
	}
	(void)pthread_mutex_init(&c->lock, NULL);
	return c;
}

void http_client_use_tls(struct http_client *c, struct http_tls *tls)
{
	http_tls_free(c->tls);
	c->tls = tls;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	while (c->idle) {
		struct http_line *line = c->idle;
		c->idle = line->next;
		http_line_free(line);
	}
	(void)pthread_mutex_destroy(&c->lock);
	http_tls_free(c->tls);
	free(c->user_agent);
	free(c);
	curl_global_cleanup(); /* counted */
}

void http_client_reply_done(struct http_client_reply *r)
{
	strbuf_done(&r->body);
	strbuf_done(&r->head);
	*r = (struct http_client_reply)HTTP_CLIENT_REPLY_INIT;
}

/* ---- Curl's callbacks ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_transfer *t = context;

	if (t->is_stream && t->body->length > 0 &&
	    size * count > t->reply_max - t->body->length) {
		t->is_paused = true; /* curl keeps it, and gives it again */
		return CURL_WRITEFUNC_PAUSE;
	}
	if (size * count > t->reply_max - t->body->length) {
		t->too_long = true;
		return 0;
	}
	strbuf_add(t->body, bytes, size * count);
	return strbuf_ok(t->body) ? size * count : 0;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct http_transfer *t = context;

	t->head_bytes += size * count;
	t->head_ends = size * count <= 2 && *bytes != '\0' && strchr("\r\n", *bytes);
	t->too_long = t->too_long || t->head_bytes > REPLY_HEAD_MAX;
	return t->too_long ? 0 : size * count;
}

/* Just before the request goes out on a connection that stands. Curl sends it once more
 * when a kept connection dies before any reply; whether it was received then is not known. */
static int on_send(void *context, char *ip, char *local_ip, int port, int local_port)
{
	struct http_transfer *t = context;

	(void)local_ip;
	(void)port;
	(void)local_port;
	t->is_private = !http_address_is_public(ip);
	if (t->is_private && t->req->public_only)
		return CURL_PREREQFUNC_ABORT;
	if (t->sent && !t->repeatable) {
		t->again = true;
		return CURL_PREREQFUNC_ABORT;
	}
	t->sent = true;
	return CURL_PREREQFUNC_OK;
}

/* ---- A call ---- */

static bool set_method(CURL *easy, const struct http_client_request *req)
{
	if (strcmp(req->method, "HEAD") == 0)
		return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
	if (!req->body && strcmp(req->method, "POST") != 0)
		return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, req->method) ==
			       CURLE_OK;
	return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, req->method) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_POSTFIELDS, req->body ? req->body : "") ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				(curl_off_t)(req->body ? req->body_bytes : 0)) ==
		       CURLE_OK;
}

bool http_transfer_prepare(const struct http_client *c, CURL *easy,
			   struct curl_slist *headers, struct http_transfer *t)
{
	const struct http_client_request *req = t->req;
	long connect_ms = req->timeout_ms < CONNECT_MAX_MS ? (long)req->timeout_ms
							   : CONNECT_MAX_MS;
	bool good = set_method(easy, req);

#define SET(option, value)                                                               \
	(good = good && curl_easy_setopt(easy, CURLOPT_##option, value) == CURLE_OK)
	SET(URL, req->url);
	SET(HTTPHEADER, headers);
	SET(USERAGENT, c->user_agent);
	SET(NOSIGNAL, 1L);
	SET(QUICK_EXIT, 1L); /* do not wait for a resolver that hangs */
	SET(PROTOCOLS_STR, "http,https");
	SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(FOLLOWLOCATION, 0L);
	SET(PROXY, "");
	SET(NETRC, (long)CURL_NETRC_IGNORED);
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, 2L);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(MAXAGE_CONN, (long)CONNECTION_AGE_MAX_S);
	if (!t->is_stream)
		SET(TIMEOUT_MS, (long)req->timeout_ms);
	SET(CONNECTTIMEOUT_MS, connect_ms);
	SET(ERRORBUFFER, t->reason);
	SET(WRITEFUNCTION, on_body);
	SET(WRITEDATA, t);
	SET(HEADERFUNCTION, on_header);
	SET(HEADERDATA, t);
	SET(PREREQFUNCTION, on_send);
	SET(PREREQDATA, t);
#undef SET
	return good && (!c->tls || http_tls_apply(c->tls, easy));
}

bool http_transfer_is_cancelled(const struct http_client_request *req)
{
	return req->cancel && atomic_load_explicit(req->cancel, memory_order_relaxed);
}

bool http_transfer_repeatable(const struct http_client_request *req)
{
	return strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0;
}

/* CURLE_ABORTED_BY_CALLBACK for a call that was given up. */
static CURLcode perform(const struct http_line *line,
			const struct http_client_request *req)
{
	CURLcode result = CURLE_ABORTED_BY_CALLBACK;
	int running = 1, left;

	if (curl_multi_add_handle(line->multi, line->easy) != CURLM_OK)
		return CURLE_FAILED_INIT;
	while (!http_transfer_is_cancelled(req)) {
		if (curl_multi_perform(line->multi, &running) != CURLM_OK)
			break;
		if (running == 0) {
			CURLMsg *message = curl_multi_info_read(line->multi, &left);
			result = message && message->msg == CURLMSG_DONE
					 ? message->data.result
					 : CURLE_FAILED_INIT;
			break;
		}
		if (curl_multi_poll(line->multi, NULL, 0,
				    req->cancel ? CANCEL_POLL_MS : WAIT_MAX_MS,
				    NULL) != CURLM_OK)
			break;
	}
	(void)curl_multi_remove_handle(line->multi, line->easy);
	return result;
}

/* scheme://host:port/path: neither a query nor a user may be told, they can be secrets. */
static void plain_url(const char *url, char text[static 160])
{
	const char *host = strstr(url, "://");
	size_t authority = host ? strcspn(host + 3, "/?#") : 0;
	const char *at = host ? memrchr(host + 3, '@', authority) : NULL;

	if (!host) {
		(void)snprintf(text, 160, "%.*s", (int)strcspn(url, "?#@"), url);
		return;
	}
	int scheme = (int)(host - url);
	const char *rest = at ? at + 1 : host + 3;
	(void)snprintf(text, 160, "%.*s://%.*s", scheme, url, (int)strcspn(rest, "?#"),
		       rest);
}

bool http_transfer_fail(const struct http_transfer *t, CURLcode result, struct error *err)
{
	const char *reason = *t->reason ? t->reason : curl_easy_strerror(result);
	const char *what = "no reply";
	enum error_code code = ERR_UNKNOWN_OUTCOME;
	char url[160];

	plain_url(t->req->url, url);
	if (http_transfer_is_cancelled(t->req)) {
		reason = "the call was given up";
		what = "no reply awaited";
	} else if (t->too_long) {
		reason = "the reply is too long";
		what = "the reply was not read";
	} else if (t->is_private && t->req->public_only) {
		reason = "its address is not of the public internet";
	} else if (t->again) {
		reason = "the connection was closed before a reply came";
	}
	if (!t->sent) {
		error_set(err, ERR_BACKEND_UNAVAILABLE, "cannot reach '%s'", url);
	} else {
		if (result == CURLE_OPERATION_TIMEDOUT &&
		    !http_transfer_is_cancelled(t->req)) {
			code = ERR_TIMEOUT;
			what = "no reply in time";
		}
		error_set(err, code, "%s from '%s'", what, url);
		error_hint(err, "the request may have been received");
	}
	return error_cause(err, "%s", reason);
}

/* ---- The reply ---- */

void http_transfer_type(CURL *easy, char type[static 96])
{
	const char *value = NULL;
	size_t length = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &value);
	for (; value && value[length] && value[length] != ';' && length < 95; length++)
		type[length] = (char)tolower((unsigned char)value[length]);
	while (length > 0 && (type[length - 1] == ' ' || type[length - 1] == '\t'))
		length--;
	type[length] = '\0';
}

int64_t http_client_date_ms(const char *text)
{
	const time_t at = curl_getdate(text, NULL);

	return at < 0 ? -1 : (int64_t)at * 1000;
}

int64_t http_transfer_retry_after(CURL *easy)
{
	struct curl_header *header = NULL;
	int64_t seconds;

	if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) !=
	    CURLHE_OK)
		return -1;
	size_t digits = strspn(header->value, "0123456789");
	if (digits > 0 && header->value[digits] == '\0') {
		seconds = digits > 9 ? RETRY_AFTER_MAX_S
				     : strtoll(header->value, NULL, 10);
	} else {
		const int64_t at_ms = http_client_date_ms(header->value);
		if (at_ms < 0)
			return -1;
		seconds = at_ms / 1000 - clock_wall_ms() / 1000;
	}
	return (seconds < 0                   ? 0
		: seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S
					      : seconds) *
	       1000;
}

/* curl refuses a head with a NUL in it. */
static void keep_head(CURL *easy, struct strbuf *head)
{
	struct curl_header *h = NULL;

	while ((h = curl_easy_nextheader(easy, CURLH_HEADER, -1, h))) {
		strbuf_add(head, h->name, strlen(h->name) + 1);
		strbuf_add(head, h->value, strlen(h->value) + 1);
	}
}

const char *http_client_reply_header(const struct http_client_reply *r, const char *name,
				     size_t index)
{
	const char *end = r->head.data + r->head.length;

	for (const char *at = r->head.data; at < end;) {
		const char *value = at + strlen(at) + 1;
		if (strcasecmp(at, name) == 0 && index-- == 0)
			return value;
		at = value + strlen(value) + 1;
	}
	return NULL;
}

bool http_transfer_check(const struct http_client_request *req, struct error *err)
{
	if (!http_headers_token(req->method))
		return error_set(err, ERR_INVALID_ARGUMENT, "bad HTTP method");
	if (http_headers_control(req->url) || strchr(req->url, ' '))
		return error_set(err, ERR_INVALID_ARGUMENT, "bad characters in a URL");
	if (req->timeout_ms <= 0 || req->timeout_ms > INT32_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "a call needs a time limit");
	return true;
}

static bool call_on(const struct http_client *c, const struct http_line *line,
		    struct http_transfer *t, struct http_client_reply *reply,
		    struct error *err)
{
	_cleanup_(http_headers_free) struct curl_slist *headers = NULL;
	long status = 0;

	if (!http_headers_build(t->req, &headers, err))
		return false;
	if (!http_transfer_prepare(c, line->easy, headers, t))
		return error_set(err, ERR_INTERNAL, "cannot prepare an HTTP request");
	CURLcode result = perform(line, t->req);
	if (result != CURLE_OK)
		return http_transfer_fail(t, result, err);
	(void)curl_easy_getinfo(line->easy, CURLINFO_RESPONSE_CODE, &status);
	reply->status = (int)status;
	http_transfer_type(line->easy, reply->content_type);
	reply->retry_after_ms = http_transfer_retry_after(line->easy);
	strbuf_clear(&reply->head);
	if (t->req->keep_head)
		keep_head(line->easy, &reply->head);
	if (!strbuf_ok(&reply->head))
		return error_oom(err);
	strbuf_done(&reply->body);
	reply->body = *t->body;
	strbuf_init(t->body);
	return true;
}

bool http_client_call(struct http_client *c, const struct http_client_request *req,
		      struct http_client_reply *reply, bool *ret_sent, struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct http_transfer t = {
		.req = req,
		.body = &body,
		.reply_max = req->reply_max ? req->reply_max : REPLY_MAX,
		.repeatable = http_transfer_repeatable(req),
	};
	bool good = false;

	if (http_transfer_check(req, err)) {
		struct http_line *line = http_line_take(c);
		if (line) {
			good = call_on(c, line, &t, reply, err);
			http_line_return(c, line);
		} else {
			error_oom(err);
		}
	}
	if (ret_sent)
		*ret_sent = t.sent;
	return good;
}
