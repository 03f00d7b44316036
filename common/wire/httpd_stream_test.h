/*
 * httpd_stream_test -- a server whose streams the test talks on.
 *
 * "/now" is answered at once, "/later" is kept for the test, "/plain" becomes a stream of
 * text and all else one of events. Ending the stand checks that every stream was told
 * exactly once that it closed.
 */
#ifndef WIRE_HTTPD_STREAM_TEST_H
#define WIRE_HTTPD_STREAM_TEST_H

#include "wire/httpd_test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "wire/http_stream.h"

enum { STREAMS_MAX = 2000 };

/* A stream as its owner sees it. */
struct owned {
	struct http_stream *stream;
	struct stand *stand;
	atomic_int closed; /* how often */
	enum http_stream_why why;
};

/* Streams that a handler opened, for the test to talk on. */
struct stand {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct httpd *h;
	struct http_request *kept;
	unsigned slots, count, closed;
	struct owned owned[STREAMS_MAX];
};

static inline void closed(void *context, enum http_stream_why why)
{
	struct owned *o = context;
	struct stand *s = o->stand;

	(void)pthread_mutex_lock(&s->lock);
	(void)atomic_fetch_add(&o->closed, 1);
	o->why = why;
	s->closed++;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}

static inline void open_stream(struct stand *s, struct http_request *req)
{
	static const struct http_header headers[] = { { "X-One", "1" }, { 0 } };
	bool plain = strcmp(http_request_path(req), "/plain") == 0;

	(void)pthread_mutex_lock(&s->lock);
	struct owned *o = &s->owned[s->slots++];
	(void)pthread_mutex_unlock(&s->lock);
	o->stand = s;
	struct http_stream *stream = http_reply_stream(
		req, 200, plain ? "text/plain" : "text/event-stream", headers, closed, o);
	(void)pthread_mutex_lock(&s->lock);
	o->stream = stream;
	if (stream)
		s->count++;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}

static inline void serve(void *context, struct http_request *req)
{
	struct stand *s = context;

	if (strcmp(http_request_path(req), "/later") == 0) {
		(void)pthread_mutex_lock(&s->lock);
		s->kept = req;
		(void)pthread_cond_broadcast(&s->changed);
		(void)pthread_mutex_unlock(&s->lock);
	} else if (strcmp(http_request_path(req), "/now") == 0) {
		http_reply_text(req, 200, "text/plain", http_request_method(req));
	} else {
		open_stream(s, req);
	}
}

static inline struct stand *stand_new(struct httpd_config config)
{
	struct stand *s = calloc(1, sizeof *s);
	struct error err = ERROR_INIT;

	assert_non_null(s);
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->changed, NULL);
	config.address = "127.0.0.1";
	config.loops = config.loops ? config.loops : 2;
	config.handler = config.handler ? config.handler : serve;
	config.context = s;
	s->h = httpd_start(&config, &err);
	if (!s->h)
		fail_msg("%s", err.message);
	return s;
}

static inline void stand_end(struct stand *s)
{
	httpd_stop(s->h, 0);
	for (unsigned i = 0; i < s->slots; i++) {
		assert_int_equal(atomic_load(&s->owned[i].closed),
				 s->owned[i].stream != NULL);
		http_stream_unref(s->owned[i].stream);
	}
	free(s);
}

static inline void wait_for(struct stand *s, const unsigned *what, unsigned count)
{
	struct timespec until;
	int failed = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	(void)pthread_mutex_lock(&s->lock);
	while (*what < count && failed == 0)
		failed = pthread_cond_timedwait(&s->changed, &s->lock, &until);
	(void)pthread_mutex_unlock(&s->lock);
	assert_int_equal(failed, 0);
}

static inline struct http_request *take_kept(struct stand *s)
{
	(void)pthread_mutex_lock(&s->lock);
	while (!s->kept)
		(void)pthread_cond_wait(&s->changed, &s->lock);
	struct http_request *req = TAKE(s->kept);
	(void)pthread_mutex_unlock(&s->lock);
	return req;
}

static inline int ask(struct stand *s, const char *path)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int fd = test_connect(httpd_port(s->h));

	strbuf_add_format(&text, "GET %s HTTP/1.1\r\n" TEST_HOST "\r\n", path);
	assert_true(test_send_text(fd, text.data));
	return fd;
}

/* Read on until 'end' is at the end of what came; false when the peer hung up. */
static inline bool read_until(int fd, const char *end, struct strbuf *ret)
{
	size_t length = strlen(end);
	char c;

	while (ret->length < length ||
	       strcmp(ret->data + ret->length - length, end) != 0) {
		if (recv(fd, &c, 1, 0) != 1)
			return false;
		strbuf_add_char(ret, c);
	}
	return true;
}

static inline bool tell(struct http_stream *stream, const char *text)
{
	struct shared_bytes *b = shared_bytes_new(text, strlen(text));

	assert_non_null(b);
	bool sent = http_stream_send(stream, b);
	shared_bytes_unref(b);
	return sent;
}

/* The head and the first comment. */
static inline int open_events(struct stand *s, const char *path)
{
	_cleanup_strbuf_ struct strbuf head = STRBUF_INIT;
	unsigned count = s->count + 1;
	int fd = ask(s, path);

	wait_for(s, &s->count, count);
	assert_true(read_until(fd, "3\r\n:\n\n\r\n", &head));
	return fd;
}

#endif
