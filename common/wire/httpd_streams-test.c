/* Many streams, many threads, and the end of the server below them. */
#include "wire/httpd_stream_test.h"

enum { TALKERS = 4, SAID = 200 };

struct talker {
	struct http_stream *stream;
	char name;
	pthread_t thread;
};

static void *talk(void *context)
{
	struct talker *t = context;

	for (int i = 0; i < SAID; i++) {
		char text[16];
		(void)snprintf(text, sizeof text, "%c%d\n", t->name, i);
		assert_true(tell(t->stream, text));
	}
	return NULL;
}

/* Of each thread's texts none is missing, and they keep their order. */
static void several_threads_may_talk_on_one_stream(void **state)
{
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	struct stand *s = stand_new((struct httpd_config){ 0 });
	int fd = ask(s, "/plain"), next[TALKERS] = { 0 };
	struct talker t[TALKERS];

	(void)state;
	assert_true(read_until(fd, "\r\n\r\n", &got));
	wait_for(s, &s->count, 1);
	for (int i = 0; i < TALKERS; i++) {
		t[i] = (struct talker){ .stream = s->owned[0].stream,
					.name = (char)('a' + i) };
		assert_int_equal(pthread_create(&t[i].thread, NULL, talk, &t[i]), 0);
	}
	for (int i = 0; i < TALKERS; i++)
		(void)pthread_join(t[i].thread, NULL);
	http_stream_end(s->owned[0].stream);
	for (int i = 0; i < TALKERS * SAID; i++) {
		char *end;
		strbuf_clear(&got);
		assert_true(read_until(fd, "\n\r\n", &got));
		const char *text = strstr(got.data, "\r\n") + 2;
		int who = *text - 'a';
		assert_in_range(who, 0, TALKERS - 1);
		assert_int_equal(strtol(text + 1, &end, 10), next[who]++);
	}
	strbuf_clear(&got);
	assert_false(read_until(fd, "never", &got));
	assert_string_equal(got.data, "0\r\n\r\n");
	(void)close(fd);
	stand_end(s);
}

static void many_streams_are_told_at_once(void **state)
{
	static struct http_stream *all[STREAMS_MAX];
	static int fd[STREAMS_MAX];
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct stand *s = stand_new((struct httpd_config){ 0 });
	static const char text[] = "data: the same for all\n\n";
	struct shared_bytes *b = shared_bytes_new(text, strlen(text));

	(void)state;
	for (unsigned i = 0; i < STREAMS_MAX; i++)
		fd[i] = ask(s, "/events");
	wait_for(s, &s->count, STREAMS_MAX);
	int64_t start_ms = clock_mono_ms();
	for (unsigned i = 0; i < STREAMS_MAX; i++)
		all[i] = s->owned[i].stream;
	http_streams_send(all, STREAMS_MAX, b);
	/* and others are served meanwhile */
	test_exchange(httpd_port(s->h), "GET /now HTTP/1.1\r\n" TEST_HOST "\r\n", &r);
	assert_int_equal(r.status, 200);
	for (unsigned i = 0; i < STREAMS_MAX; i++) {
		strbuf_clear(&got);
		assert_true(read_until(fd[i],
				       "\r\n\r\n3\r\n:\n\n\r\n18\r\ndata: the same "
				       "for all\n\n\r\n",
				       &got));
	}
	assert_true(clock_mono_ms() - start_ms < 20000);
	shared_bytes_unref(b);
	for (unsigned i = 0; i < STREAMS_MAX; i++)
		(void)close(fd[i]);
	wait_for(s, &s->closed, STREAMS_MAX);
	stand_end(s);
}

/* ---- The end of the server ---- */

static void stopping_ends_streams(void **state)
{
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	struct stand *s = stand_new((struct httpd_config){ 0 });
	int fd[2] = { open_events(s, "/events"), open_events(s, "/events") };
	int64_t start_ms = clock_mono_ms();

	(void)state;
	/* one says its last word, the other does not know how to */
	assert_true(tell(s->owned[0].stream, "data: 1\n\n"));
	http_stream_end(s->owned[0].stream);
	httpd_stop(s->h, 200);
	assert_in_range(clock_mono_ms() - start_ms, 150, 5000);
	assert_false(read_until(fd[0], "never", &got));
	assert_string_equal(got.data, "9\r\ndata: 1\n\n\r\n0\r\n\r\n");
	strbuf_clear(&got);
	assert_false(read_until(fd[1], "never", &got));
	assert_string_equal(got.data, ""); /* cut, not ended */
	assert_int_equal(s->owned[0].why, HTTP_STREAM_ENDED);
	assert_int_equal(s->owned[1].why, HTTP_STREAM_STOPPED);
	assert_false(tell(s->owned[1].stream, "data: 1\n\n"));
	http_stream_end(s->owned[1].stream);
	s->h = NULL;
	(void)close(fd[0]);
	(void)close(fd[1]);
	stand_end(s);
}

static void stopping_waits_for_no_stream_that_was_ended(void **state)
{
	struct stand *s = stand_new((struct httpd_config){ 0 });
	int fd[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		fd[i] = open_events(s, "/events");
		http_stream_end(s->owned[i].stream);
	}
	int64_t start_ms = clock_mono_ms();
	httpd_stop(s->h, 60000);
	assert_true(clock_mono_ms() - start_ms < 5000);
	s->h = NULL;
	for (int i = 0; i < 3; i++)
		(void)close(fd[i]);
	stand_end(s);
}

static void a_request_that_was_given_up_has_no_stream(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct stand *s = stand_new((struct httpd_config){ 0 });
	int fd = ask(s, "/later");

	(void)state;
	struct http_request *req = take_kept(s);
	httpd_stop(s->h, 0);
	s->h = NULL;
	open_stream(s, req);
	assert_int_equal(s->count, 0);
	test_receive(fd, &r);
	assert_int_equal(r.status, 503);
	(void)close(fd);
	stand_end(s);
}

struct pest {
	struct stand *stand;
	atomic_bool enough;
	pthread_t thread;
};

static void tell_twice(struct http_stream *stream)
{
	struct http_stream *both[] = { stream, stream };
	struct shared_bytes *b = shared_bytes_new("data: y\n\n", 9);

	assert_non_null(b);
	http_streams_send(both, 2, b);
	shared_bytes_unref(b);
}

/* Talks on all streams there are, and ends some. */
static void *pester(void *context)
{
	struct pest *p = context;
	struct stand *s = p->stand;

	for (unsigned i = 0; !atomic_load(&p->enough); i++) {
		(void)pthread_mutex_lock(&s->lock);
		struct http_stream *stream = s->slots > 0 ? s->owned[i % s->slots].stream
							  : NULL;
		if (stream)
			(void)http_stream_ref(stream);
		(void)pthread_mutex_unlock(&s->lock);
		if (!stream)
			continue;
		if (i % 7 == 0)
			tell_twice(stream);
		else
			(void)tell(stream, "data: x\n\n");
		if (i % 97 == 0)
			http_stream_end(stream);
		http_stream_unref(stream);
	}
	return NULL;
}

/* Peers come and go, threads talk, the server ends: all at once. */
static void talking_races_every_end(void **state)
{
	(void)state;
	for (int round = 0; round < 10; round++) {
		struct stand *s = stand_new((struct httpd_config){ .keepalive_ms = 1 });
		struct pest p[3];
		int fd[48];
		for (int i = 0; i < 3; i++) {
			p[i] = (struct pest){ .stand = s };
			assert_int_equal(
				pthread_create(&p[i].thread, NULL, pester, &p[i]), 0);
		}
		for (unsigned i = 0; i < ARRAY_SIZE(fd); i++)
			fd[i] = ask(s, "/events");
		for (unsigned i = 0; i < ARRAY_SIZE(fd); i += 3)
			(void)close(TAKE_FD(fd[i]));
		if (round % 2)
			(void)usleep(20 * 1000);
		httpd_stop(s->h, round % 3);
		s->h = NULL;
		for (int i = 0; i < 3; i++) {
			atomic_store(&p[i].enough, true);
			(void)pthread_join(p[i].thread, NULL);
		}
		for (unsigned i = 0; i < ARRAY_SIZE(fd); i++)
			if (fd[i] >= 0)
				(void)close(fd[i]);
		stand_end(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_threads_may_talk_on_one_stream),
		cmocka_unit_test(many_streams_are_told_at_once),
		cmocka_unit_test(stopping_ends_streams),
		cmocka_unit_test(stopping_waits_for_no_stream_that_was_ended),
		cmocka_unit_test(a_request_that_was_given_up_has_no_stream),
		cmocka_unit_test(talking_races_every_end),
	};

	return cmocka_run_group_tests_name("httpd_streams", tests, NULL, NULL);
}
