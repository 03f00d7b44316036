#include "wire/httpd_stream.h"

#include <assert.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"

/* ---- The head of the reply, which libmicrohttpd does not write here ---- */

static void add_date(struct strbuf *head)
{
	char text[64];
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;

	if (gmtime_r(&now, &tm) &&
	    strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm) > 0)
		strbuf_add_string(head, text);
}

static bool is_token(const char *text)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	const char *p = text;

	for (; *p != '\0'; p++)
		if (!((*p >= '0' && *p <= '9') ||
		      ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') || strchr(others, *p)))
			return false;
	return p != text;
}

static bool is_line(const char *text)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
			return false;
	return true;
}

static bool add_header(struct strbuf *head, const char *name, const char *value)
{
	if (!is_token(name) || !is_line(value))
		return false;
	if (*value != '\0')
		strbuf_add_format(head, "%s: %s\r\n", name, value);
	return true;
}

/* False if a header is not valid. */
static bool add_head(const struct http_stream *s, const struct http_request *req,
		     unsigned status, const char *type, const struct http_header *headers,
		     struct strbuf *head)
{
	struct http_header cors[HTTPD_CORS_HEADERS];
	size_t cors_count = httpd_cors_headers(req, cors);
	bool good = true;

	strbuf_add_format(head, "HTTP/1.1 %u %s\r\n", status,
			  MHD_get_reason_phrase_for(status));
	add_date(head);
	if (type)
		good = add_header(head, "Content-Type", type);
	if (s->is_events)
		strbuf_add_string(head, "Cache-Control: no-cache, no-transform\r\n"
					"X-Accel-Buffering: no\r\n");
	for (; good && headers && headers->name; headers++)
		good = add_header(head, headers->name, headers->value);
	for (size_t i = 0; good && i < cors_count; i++)
		good = add_header(head, cors[i].name, cors[i].value);
	strbuf_add_string(head, s->is_chunked ? "Connection: close\r\n"
						"Transfer-Encoding: chunked\r\n\r\n"
					      : "Connection: close\r\n\r\n");
	if (s->is_events) /* a first word, for those that hold heads back until there is one */
		strbuf_add_string(head, s->is_chunked ? "3\r\n:\n\n\r\n" : ":\n\n");
	return good;
}

/* ---- Life ---- */

struct http_stream *http_stream_ref(struct http_stream *s)
{
	(void)atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void http_stream_unref(struct http_stream *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	struct httpd_loop *l = s->loop;
	assert(STAILQ_EMPTY(&s->queue) && s->fd < 0);
	shared_bytes_unref(s->begin.bytes);
	shared_bytes_unref(s->end.bytes);
	free(s);
	httpd_loop_unpin(l);
}

static struct http_stream *stream_new(struct httpd_loop *l, http_stream_closed *closed,
				      void *context)
{
	struct httpd_shared *shared = l->shared;
	struct http_stream *s = NULL;

	if (atomic_fetch_add(&shared->streams, 1) < shared->config.stream_max)
		s = calloc(1, sizeof *s);
	if (!s) {
		(void)atomic_fetch_sub(&shared->streams, 1);
		return NULL;
	}
	s->watched = WATCH_STREAM;
	s->fd = -1;
	s->loop = l;
	s->closed = closed;
	s->context = context;
	STAILQ_INIT(&s->queue);
	s->begin.stream = s->end.stream = s;
	s->begin.bare = s->end.bare = true;
	atomic_init(&s->state, STREAM_OPEN);
	atomic_init(&s->refs, 2); /* the caller's and the loop's */
	httpd_loop_pin(l);
	return s;
}

/* One that no loop has seen. */
static void stream_undo(struct http_stream *s)
{
	(void)atomic_fetch_sub(&s->loop->shared->streams, 1);
	http_stream_unref(s);
	http_stream_unref(s);
}

static bool is_event_type(const char *type)
{
	static const char events[] = "text/event-stream";

	return type && strncasecmp(type, events, strlen(events)) == 0;
}

static void reply_unavailable(struct http_request *req)
{
	static const struct http_header headers[] = { { "Retry-After", "5" }, { 0 } };

	http_reply(req, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, headers, NULL);
}

struct http_stream *http_reply_stream(struct http_request *req, unsigned status,
				      const char *type, const struct http_header *headers,
				      http_stream_closed *closed, void *context)
{
	_cleanup_strbuf_ struct strbuf head = STRBUF_INIT;

	if (strcmp(http_request_method(req), "HEAD") == 0) {
		http_reply(req, status, type, headers, NULL);
		return NULL;
	}
	struct http_stream *s = stream_new(req->loop, closed, context);
	if (!s) {
		reply_unavailable(req);
		return NULL;
	}
	s->is_events = is_event_type(type);
	s->is_chunked = !req->http10;
	if (!add_head(s, req, status, type, headers, &head)) {
		log_error("http.bad_header", LOG_STR("path", http_request_path(req)));
		stream_undo(s);
		http_reply_text(req, MHD_HTTP_INTERNAL_SERVER_ERROR, "text/plain",
				"a header of the reply was not valid\n");
		return NULL;
	}
	s->begin.bytes = shared_bytes_take(&head);
	if (!s->begin.bytes) {
		stream_undo(s);
		reply_unavailable(req);
		return NULL;
	}
	req->stream = s;
	if (!httpd_hand_over(req)) {
		stream_undo(s);
		return NULL;
	}
	return s;
}

/* ---- Sending ---- */

#if !defined(__clang__)
/* gcc's analyzer does not see what STAILQ_INSERT_TAIL does with a pointer. */
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

void httpd_message_free(struct http_stream *s, struct http_message *m)
{
	size_t length;

	if (m == &s->begin || m == &s->end || m == &s->comment)
		return;
	(void)atomic_fetch_sub(&s->waiting, 1);
	(void)shared_bytes_text(m->bytes, &length);
	(void)atomic_fetch_sub(&s->waiting_bytes, length);
	shared_bytes_unref(m->bytes);
	free(m);
}

enum { PARCEL_MESSAGES = 512 };

/* Messages on their way into the mail of one loop, each with a reference to its stream. */
struct parcel {
	struct httpd_loop *loop;
	struct http_messages messages;
	unsigned count;
};

static void parcel_add(struct parcel *p, struct http_message *m)
{
	if (p->count++ == 0)
		STAILQ_INIT(&p->messages);
	(void)http_stream_ref(m->stream);
	STAILQ_INSERT_TAIL(&p->messages, m, next);
}

/* False if the loop takes no mail any more; the messages are gone then. */
static bool parcel_post(struct parcel *p)
{
	struct http_message *m;

	if (p->count == 0)
		return true;
	p->count = 0;
	(void)pthread_mutex_lock(&p->loop->lock);
	bool open = !p->loop->is_closed;
	if (open) {
		STAILQ_CONCAT(&p->loop->mail, &p->messages);
		httpd_loop_wake(p->loop);
	}
	(void)pthread_mutex_unlock(&p->loop->lock);
	while (!open && (m = STAILQ_FIRST(&p->messages))) {
		struct http_stream *s = m->stream;
		STAILQ_REMOVE_HEAD(&p->messages, next);
		httpd_message_free(s, m);
		http_stream_unref(s);
	}
	return open;
}

void http_stream_end(struct http_stream *s)
{
	struct parcel p = { .loop = s->loop };
	int open = STREAM_OPEN;

	if (!atomic_compare_exchange_strong(&s->state, &open, STREAM_ENDING))
		return;
	parcel_add(&p, &s->end);
	(void)parcel_post(&p);
}

static struct http_message *drop(struct http_stream *s)
{
	atomic_store(&s->too_slow, true);
	http_stream_end(s);
	return NULL;
}

/* NULL: the stream is not open, or was until this text. */
static struct http_message *message_new(struct http_stream *s, struct shared_bytes *text)
{
	size_t length;

	(void)shared_bytes_text(text, &length);
	if (atomic_load(&s->state) != STREAM_OPEN)
		return NULL;
	unsigned waiting = atomic_fetch_add(&s->waiting, 1);
	size_t bytes = atomic_fetch_add(&s->waiting_bytes, length);
	if (waiting >= HTTP_STREAM_MESSAGES_MAX ||
	    (waiting > 0 && bytes + length > HTTP_STREAM_BYTES_MAX))
		return drop(s);
	struct http_message *m = malloc(sizeof *m);
	if (!m)
		return drop(s);
	*m = (struct http_message){ .stream = s, .bytes = shared_bytes_ref(text) };
	return m;
}

static bool is_empty(const struct shared_bytes *text)
{
	size_t length;

	(void)shared_bytes_text(text, &length);
	return length == 0;
}

bool http_stream_send(struct http_stream *s, struct shared_bytes *text)
{
	struct parcel p = { .loop = s->loop };

	if (is_empty(text))
		return !http_stream_is_closed(s);
	struct http_message *m = message_new(s, text);
	if (!m)
		return false;
	parcel_add(&p, m);
	return parcel_post(&p);
}

/* The parcel for a loop: few servers have more loops than there is room for. */
static struct parcel *parcel_for(struct parcel parcel[static HTTPD_LOOPS_MAX],
				 struct httpd_loop *l)
{
	unsigned i = 0;

	while (i < HTTPD_LOOPS_MAX - 1 && parcel[i].loop && parcel[i].loop != l)
		i++;
	if (parcel[i].loop != l || parcel[i].count >= PARCEL_MESSAGES)
		(void)parcel_post(&parcel[i]);
	parcel[i].loop = l;
	return &parcel[i];
}

void http_streams_send(struct http_stream *const *streams, size_t count,
		       struct shared_bytes *text)
{
	struct parcel parcel[HTTPD_LOOPS_MAX] = { { 0 } };

	if (is_empty(text))
		return;
	for (size_t i = 0; i < count; i++) {
		struct http_message *m = message_new(streams[i], text);
		if (m)
			parcel_add(parcel_for(parcel, m->stream->loop), m);
	}
	for (unsigned i = 0; i < HTTPD_LOOPS_MAX; i++)
		(void)parcel_post(&parcel[i]);
}

bool http_stream_is_closed(const struct http_stream *s)
{
	return atomic_load(&s->state) != STREAM_OPEN;
}
