/* Replies that go on: what the peer reads, who may send, and every way they end. */
#include "wire/httpd_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "wire/httpd_private.h"

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
	unsigned count, closed;
	struct owned owned[STREAMS_MAX];
};

static void closed(void *context, enum http_stream_why why)
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

static void open_stream(struct stand *s, struct http_request *req)
{
	static const struct http_header headers[] = { { "X-One", "1" }, { 0 } };
	bool plain = strcmp(http_request_path(req), "/plain") == 0;

	(void)pthread_mutex_lock(&s->lock);
	struct owned *o = &s->owned[s->count];
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

static void serve(void *context, struct http_request *req)
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

static struct stand *stand_new(struct httpd_config config)
{
	struct stand *s = calloc(1, sizeof *s);
	struct error err = ERROR_INIT;

	assert_non_null(s);
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->changed, NULL);
	config.address = "127.0.0.1";
	config.loops = config.loops ? config.loops : 2;
	config.handler = serve;
	config.context = s;
	s->h = httpd_start(&config, &err);
	if (!s->h)
		fail_msg("%s", err.message);
	return s;
}

static void stand_end(struct stand *s)
{
	httpd_stop(s->h, 0);
	for (unsigned i = 0; i < s->count; i++) {
		assert_int_equal(atomic_load(&s->owned[i].closed), 1);
		http_stream_unref(s->owned[i].stream);
	}
	free(s);
}

static void wait_for(struct stand *s, const unsigned *what, unsigned count)
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

static struct http_request *take_kept(struct stand *s)
{
	(void)pthread_mutex_lock(&s->lock);
	while (!s->kept)
		(void)pthread_cond_wait(&s->changed, &s->lock);
	struct http_request *req = TAKE(s->kept);
	(void)pthread_mutex_unlock(&s->lock);
	return req;
}

static int ask(struct stand *s, const char *path)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int fd = test_connect(httpd_port(s->h));

	strbuf_add_format(&text, "GET %s HTTP/1.1\r\n" TEST_HOST "\r\n", path);
	assert_true(test_send_text(fd, text.data));
	return fd;
}

/* Read on until 'end' is at the end of what came; false when the peer hung up. */
static bool read_until(int fd, const char *end, struct strbuf *ret)
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

static bool tell(struct http_stream *stream, const char *text)
{
	struct shared_bytes *b = shared_bytes_new(text, strlen(text));

	assert_non_null(b);
	bool sent = http_stream_send(stream, b);
	shared_bytes_unref(b);
	return sent;
}

/* The head and the first comment. */
static int open_events(struct stand *s, const char *path)
{
	_cleanup_strbuf_ struct strbuf head = STRBUF_INIT;
	unsigned count = s->count + 1;
	int fd = ask(s, path);

	wait_for(s, &s->count, count);
	assert_true(read_until(fd, "3\r\n:\n\n\r\n", &head));
	return fd;
}

/* ---- What the peer reads ---- */

static void events_are_chunks_after_a_head_that_comes_at_once(void **state)
{
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	struct stand *s = stand_new((struct httpd_config){ 0 });
	int fd = ask(s, "/events");

	(void)state;
	assert_true(read_until(fd, "\r\n\r\n3\r\n:\n\n\r\n", &got));
	assert_memory_equal(got.data, "HTTP/1.1 200 OK\r\nDate: ", 23);
	assert_non_null(strstr(got.data, "\r\nContent-Type: text/event-stream\r\n"));
	assert_non_null(
		strstr(got.data, "\r\nCache-Control: no-cache, no-transform\r\n"));
	assert_non_null(strstr(got.data, "\r\nX-Accel-Buffering: no\r\n"));
	assert_non_null(strstr(got.data, "\r\nX-One: 1\r\n"));
	assert_non_null(strstr(got.data, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(got.data, "\r\nTransfer-Encoding: chunked\r\n"));
	wait_for(s, &s->count, 1);
	assert_true(tell(s->owned[0].stream, "data: 1\n\n"));
	assert_true(tell(s->owned[0].stream, "")); /* nothing, not the end */
	assert_true(tell(s->owned[0].stream, "data: twelve more\n\n"));
	strbuf_clear(&got);
	assert_true(read_until(fd, "more\n\n\r\n", &got));
	assert_string_equal(got.data,
			    "9\r\ndata: 1\n\n\r\n13\r\ndata: twelve more\n\n\r\n");
	http_stream_end(s->owned[0].stream);
	strbuf_clear(&got);
	assert_false(read_until(fd, "never", &got));
	assert_string_equal(got.data, "0\r\n\r\n");
	wait_for(s, &s->closed, 1);
	assert_int_equal(s->owned[0].why, HTTP_STREAM_ENDED);
	assert_false(tell(s->owned[0].stream, "late"));
	assert_true(http_stream_is_closed(s->owned[0].stream));
	http_stream_end(s->owned[0].stream);
	(void)close(fd);
	stand_end(s);
}

static void any_other_text_can_be_streamed(void **state)
{
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	struct stand *s = stand_new((struct httpd_config){ .keepalive_ms = 20 });
	int fd = ask(s, "/plain");

	(void)state;
	assert_true(read_until(fd, "\r\n\r\n", &got));
	assert_null(strstr(got.data, "Cache-Control"));
	wait_for(s, &s->count, 1);
	(void)usleep(60 * 1000); /* no comments in there */
	assert_true(tell(s->owned[0].stream, "half"));
	http_stream_end(s->owned[0].stream);
	strbuf_clear(&got);
	assert_false(read_until(fd, "never", &got));
	assert_string_equal(got.data, "4\r\nhalf\r\n0\r\n\r\n");
	(void)close(fd);
	stand_end(s);
}

static void old_clients_get_no_chunks(void **state)
{
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	struct stand *s = stand_new((struct httpd_config){ 0 });
	int fd = test_connect(httpd_port(s->h));

	(void)state;
	assert_true(test_send_text(fd, "GET /events HTTP/1.0\r\n" TEST_HOST "\r\n"));
	assert_true(read_until(fd, "\r\n\r\n:\n\n", &got));
	assert_null(strstr(got.data, "chunked"));
	wait_for(s, &s->count, 1);
	assert_true(tell(s->owned[0].stream, "data: 1\n\n"));
	http_stream_end(s->owned[0].stream);
	strbuf_clear(&got);
	assert_false(read_until(fd, "never", &got));
	assert_string_equal(got.data, "data: 1\n\n");
	(void)close(fd);
	stand_end(s);
}

static void a_kept_request_may_become_a_stream(void **state)
{
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	struct stand *s = stand_new((struct httpd_config){ 0 });
	int fd = ask(s, "/later");

	(void)state;
	open_stream(s, take_kept(s));
	/* before the loop can have taken it */
	assert_true(tell(s->owned[0].stream, "data: 1\n\n"));
	http_stream_end(s->owned[0].stream);
	assert_false(read_until(fd, "never", &got));
	assert_non_null(
		strstr(got.data, "\r\n\r\n3\r\n:\n\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n"));
	(void)close(fd);
	stand_end(s);
}

/* ---- How streams end ---- */

static void the_owner_hears_that_the_peer_left(void **state)
{
	struct linger reset = { .l_onoff = 1 };
	struct stand *s = stand_new((struct httpd_config){ 0 });
	int gentle = open_events(s, "/events"), rude = open_events(s, "/events");

	(void)state;
	(void)close(gentle);
	wait_for(s, &s->closed, 1);
	assert_int_equal(s->owned[0].why, HTTP_STREAM_GONE);
	(void)setsockopt(rude, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	(void)close(rude);
	wait_for(s, &s->closed, 2);
	assert_int_equal(s->owned[1].why, HTTP_STREAM_GONE);
	assert_false(tell(s->owned[1].stream, "data: 1\n\n"));
	stand_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_chunks_after_a_head_that_comes_at_once),
		cmocka_unit_test(any_other_text_can_be_streamed),
		cmocka_unit_test(old_clients_get_no_chunks),
		cmocka_unit_test(a_kept_request_may_become_a_stream),
		cmocka_unit_test(the_owner_hears_that_the_peer_left),
	};

	return cmocka_run_group_tests_name("httpd_stream", tests, NULL, NULL);
}
