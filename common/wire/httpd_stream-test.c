/* Replies that go on: what the peer reads, how they end, and their limits. */
#include "wire/httpd_stream_test.h"

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

/* A request on the connection of a stream is not answered, and does no harm. */
static void what_the_peer_goes_on_sending_is_not_read(void **state)
{
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	struct stand *s = stand_new((struct httpd_config){ 0 });
	int fd = test_connect(httpd_port(s->h));

	(void)state;
	assert_true(test_send_text(fd, "GET /events HTTP/1.1\r\n" TEST_HOST
				       "\r\nGET /now HTTP/1.1\r\n" TEST_HOST "\r\n"));
	wait_for(s, &s->count, 1);
	assert_true(test_send_text(fd, "GET /now HTTP/1.1\r\n" TEST_HOST "\r\n"));
	(void)usleep(50 * 1000);
	assert_true(tell(s->owned[0].stream, "data: 1\n\n"));
	http_stream_end(s->owned[0].stream);
	assert_false(read_until(fd, "never", &got));
	assert_non_null(strstr(got.data, "\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n"));
	assert_null(strstr(got.data + 1, "HTTP/1.1"));
	(void)close(fd);
	stand_end(s);
}

static void quiet_event_streams_are_kept_alive(void **state)
{
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	struct stand *s = stand_new((struct httpd_config){ .keepalive_ms = 100 });
	int fd = open_events(s, "/events");
	int64_t start_ms = clock_mono_ms();

	(void)state;
	for (int i = 0; i < 3; i++) {
		strbuf_clear(&got);
		assert_true(read_until(fd, "\n\n\r\n", &got));
		assert_string_equal(got.data, "d\r\n: keepalive\n\n\r\n");
	}
	assert_in_range(clock_mono_ms() - start_ms, 250, 5000);
	/* what is said counts as a sign of life */
	for (int i = 0; i < 8; i++) {
		assert_true(tell(s->owned[0].stream, "data: 1\n\n"));
		strbuf_clear(&got);
		assert_true(read_until(fd, "\n\n\r\n", &got));
		assert_string_equal(got.data, "9\r\ndata: 1\n\n\r\n");
		(void)usleep(30 * 1000);
	}
	(void)close(fd);
	stand_end(s);
}

/* ---- Limits ---- */

/* Sends until refused, on the loop's own thread, so that nothing is written meanwhile. */
struct flood {
	struct shared_bytes *text;
	unsigned sent;
	enum http_stream_why why;
	atomic_bool closed;
};

static void flood_closed(void *context, enum http_stream_why why)
{
	struct flood *f = context;

	f->why = why;
	atomic_store(&f->closed, true);
}

static void flood(void *context, struct http_request *req)
{
	struct flood *f = context;
	struct http_stream *s =
		http_reply_stream(req, 200, "text/event-stream", NULL, flood_closed, f);

	assert_non_null(s);
	while (f->sent < 2 * HTTP_STREAM_MESSAGES_MAX && http_stream_send(s, f->text))
		f->sent++;
	assert_true(http_stream_is_closed(s));
	assert_false(http_stream_send(s, f->text));
	http_stream_unref(s);
}

static unsigned sent_until_refused(size_t length)
{
	_cleanup_free_ char *text = calloc(1, length);
	struct flood f = { .text = shared_bytes_new(text, length) };
	struct httpd_config config = {
		.address = "127.0.0.1", .loops = 1, .handler = flood, .context = &f
	};
	struct error err = ERROR_INIT;
	struct httpd *h = httpd_start(&config, &err);

	assert_non_null(h);
	int fd = test_connect(httpd_port(h));
	assert_true(test_send_text(fd, "GET / HTTP/1.1\r\n" TEST_HOST "\r\n"));
	assert_true(test_is_closed(fd)); /* it gets nothing of all that */
	(void)close(fd);
	httpd_stop(h, 0);
	assert_true(atomic_load(&f.closed));
	assert_int_equal(f.why, HTTP_STREAM_TOO_SLOW);
	shared_bytes_unref(f.text);
	return f.sent;
}

static void texts_and_bytes_that_wait_are_limited(void **state)
{
	(void)state;
	assert_int_equal(sent_until_refused(1), HTTP_STREAM_MESSAGES_MAX);
	assert_int_equal(sent_until_refused(HTTP_STREAM_BYTES_MAX / 4), 4);
	assert_int_equal(sent_until_refused(HTTP_STREAM_BYTES_MAX / 4 + 1), 3);
	assert_int_equal(sent_until_refused(HTTP_STREAM_BYTES_MAX), 1);
	assert_int_equal(sent_until_refused(HTTP_STREAM_BYTES_MAX + 1), 1);
}

static void who_does_not_read_is_dropped(void **state)
{
	enum { PIECE = 64 * 1024 };
	static char piece[PIECE];
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	struct stand *s = stand_new((struct httpd_config){ 0 });
	int slow = open_events(s, "/events"), other = open_events(s, "/events");
	struct shared_bytes *b = shared_bytes_new(piece, PIECE);
	unsigned sent = 0;

	(void)state;
	/* as much as the kernel takes, then as much as we do */
	while (sent < 1000 && http_stream_send(s->owned[0].stream, b)) {
		(void)usleep(1000);
		sent++;
	}
	shared_bytes_unref(b);
	assert_in_range(sent, HTTP_STREAM_BYTES_MAX / PIECE, 999);
	wait_for(s, &s->closed, 1);
	assert_int_equal(s->owned[0].why, HTTP_STREAM_TOO_SLOW);
	/* nobody else is the worse for it */
	assert_true(tell(s->owned[1].stream, "data: 1\n\n"));
	assert_true(read_until(other, "9\r\ndata: 1\n\n\r\n", &got));
	(void)close(slow);
	(void)close(other);
	stand_end(s);
}

static void one_long_text_arrives_whole(void **state)
{
	enum { LENGTH = HTTP_STREAM_BYTES_MAX + 12345 };
	_cleanup_free_ char *text = malloc(LENGTH), *back = malloc(LENGTH);
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	struct stand *s = stand_new((struct httpd_config){ 0 });
	int fd = open_events(s, "/events");

	(void)state;
	for (int i = 0; i < LENGTH; i++)
		text[i] = (char)('a' + i % 23);
	struct shared_bytes *b = shared_bytes_new(text, LENGTH);
	assert_true(http_stream_send(s->owned[0].stream, b));
	shared_bytes_unref(b);
	http_stream_end(s->owned[0].stream);
	assert_true(read_until(fd, "403039\r\n", &got));
	for (ssize_t at = 0, n; at < LENGTH; at += n) {
		n = recv(fd, back + at, (size_t)(LENGTH - at), 0);
		assert_true(n > 0);
	}
	assert_memory_equal(text, back, LENGTH);
	strbuf_clear(&got);
	assert_false(read_until(fd, "never", &got));
	assert_string_equal(got.data, "\r\n0\r\n\r\n");
	wait_for(s, &s->closed, 1);
	assert_int_equal(s->owned[0].why, HTTP_STREAM_ENDED);
	(void)close(fd);
	stand_end(s);
}

static void streams_are_limited(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct stand *s = stand_new((struct httpd_config){ .stream_max = 3 });
	int fd[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		fd[i] = open_events(s, "/events");
	test_exchange(httpd_port(s->h), "GET /events HTTP/1.1\r\n" TEST_HOST "\r\n", &r);
	assert_int_equal(r.status, 503);
	assert_non_null(strstr(r.head.data, "\r\nRetry-After: 5\r\n"));
	assert_int_equal(s->count, 3);
	(void)close(fd[1]);
	wait_for(s, &s->closed, 1);
	fd[1] = open_events(s, "/events");
	for (int i = 0; i < 3; i++)
		(void)close(fd[i]);
	stand_end(s);
}

static void refuse(void *context, struct http_request *req)
{
	static const struct http_header bad[] = { { "X-One", "a\r\nSet-Cookie: b" },
						  { 0 } };
	static const struct http_header worse[] = { { "X One", "a" }, { 0 } };
	bool head = strcmp(http_request_method(req), "HEAD") == 0;
	bool first = strcmp(http_request_path(req), "/first") == 0;

	assert_null(http_reply_stream(req, 200, "text/event-stream",
				      head    ? NULL
				      : first ? bad
					      : worse,
				      flood_closed, context));
}

static void bad_headers_and_head_have_no_stream(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct flood f = { .closed = false };
	struct httpd_config config = { .address = "127.0.0.1",
				       .loops = 1,
				       .stream_max = 1,
				       .handler = refuse,
				       .context = &f };
	struct error err = ERROR_INIT;
	struct httpd *h = httpd_start(&config, &err);

	(void)state;
	assert_non_null(h);
	test_exchange(httpd_port(h), "GET /first HTTP/1.1\r\n" TEST_HOST "\r\n", &r);
	assert_int_equal(r.status, 500);
	test_exchange(httpd_port(h), "GET /second HTTP/1.1\r\n" TEST_HOST "\r\n", &r);
	assert_int_equal(r.status, 500);
	test_exchange(httpd_port(h), "HEAD /x HTTP/1.1\r\n" TEST_HOST "\r\n", &r);
	assert_int_equal(r.status, 200);
	httpd_stop(h, 0);
	assert_false(atomic_load(&f.closed));
}

static void every_method_reaches_the_handler(void **state)
{
	static const char *const methods[] = { "GET", "POST",  "DELETE",  "OPTIONS",
					       "PUT", "PATCH", "M-SEARCH" };
	struct stand *s = stand_new((struct httpd_config){ 0 });

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		strbuf_add_format(&text,
				  "%s /now HTTP/1.1\r\n" TEST_HOST
				  "Content-Length: 2\r\n\r\n{}",
				  methods[i]);
		test_exchange(httpd_port(s->h), text.data, &r);
		assert_int_equal(r.status, 200);
		assert_string_equal(r.body.data, methods[i]);
	}
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
		cmocka_unit_test(what_the_peer_goes_on_sending_is_not_read),
		cmocka_unit_test(quiet_event_streams_are_kept_alive),
		cmocka_unit_test(texts_and_bytes_that_wait_are_limited),
		cmocka_unit_test(who_does_not_read_is_dropped),
		cmocka_unit_test(one_long_text_arrives_whole),
		cmocka_unit_test(streams_are_limited),
		cmocka_unit_test(bad_headers_and_head_have_no_stream),
		cmocka_unit_test(every_method_reaches_the_handler),
	};

	return cmocka_run_group_tests_name("httpd_stream", tests, NULL, NULL);
}
