/* Replies from other threads, many connections, and the end of a server. */
#include "wire/httpd_test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "wire/httpd_private.h"

enum { KEPT_MAX = 600 };

/* Requests that a handler kept, for threads of the test to answer. */
struct desk {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct http_request *kept[KEPT_MAX];
	unsigned count;
	atomic_bool ending;
	pthread_t handler; /* the last thread that called it */
	atomic_uint elsewhere;
};

static void desk_init(struct desk *d)
{
	*d = (struct desk){ 0 };
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_cond_init(&d->changed, NULL);
}

static void keep(void *context, struct http_request *req)
{
	struct desk *d = context;

	if (strcmp(http_request_path(req), "/now") == 0) {
		http_reply_text(req, 200, "text/plain", "now");
		return;
	}
	(void)pthread_mutex_lock(&d->lock);
	assert_true(d->count < KEPT_MAX);
	d->handler = pthread_self();
	d->kept[d->count++] = req;
	(void)pthread_cond_broadcast(&d->changed);
	(void)pthread_mutex_unlock(&d->lock);
}

static struct http_request *take(struct desk *d)
{
	struct http_request *req = NULL;
	struct timespec until;

	(void)pthread_mutex_lock(&d->lock);
	while (d->count == 0 && !atomic_load(&d->ending)) {
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1;
		(void)pthread_cond_timedwait(&d->changed, &d->lock, &until);
	}
	if (d->count > 0)
		req = d->kept[--d->count];
	(void)pthread_mutex_unlock(&d->lock);
	return req;
}

static void wait_kept(struct desk *d, unsigned count)
{
	(void)pthread_mutex_lock(&d->lock);
	while (d->count < count)
		(void)pthread_cond_wait(&d->changed, &d->lock);
	(void)pthread_mutex_unlock(&d->lock);
}

static void answer(struct http_request *req)
{
	struct strbuf out = STRBUF_INIT;
	size_t length;
	const char *body = http_request_body(req, &length);

	strbuf_add_format(&out, "%s %s ", http_request_header(req, "X-Tag"),
			  http_request_path(req));
	strbuf_add(&out, body, length);
	http_reply(req, 200, "text/plain", NULL, &out);
}

static void *answer_all(void *context)
{
	struct desk *d = context;
	struct http_request *req;

	while ((req = take(d)))
		answer(req);
	return NULL;
}

/* ---- Going on where it came from ---- */

struct errand {
	struct desk *desk;
	struct http_request *req;
};

static void answer_here(void *context)
{
	struct errand *e = context;

	/* Of a server with one loop. */
	if (!pthread_equal(pthread_self(), e->desk->handler))
		atomic_fetch_add(&e->desk->elsewhere, 1);
	answer(e->req);
	free(e);
}

/* Whether the server took it; if not, it is answered here. */
static bool send_back(struct desk *d, struct http_request *req)
{
	struct errand *e = malloc(sizeof *e);

	assert_non_null(e);
	*e = (struct errand){ d, req };
	if (http_request_go_on(req, answer_here, e))
		return true;
	answer_here(e);
	return false;
}

static void *send_all_back(void *context)
{
	struct desk *d = context;
	struct http_request *req;

	while ((req = take(d)))
		(void)send_back(d, req);
	return NULL;
}

static struct httpd *start(struct desk *d, unsigned loops)
{
	struct httpd_config config = {
		.address = "127.0.0.1", .loops = loops, .handler = keep, .context = d
	};
	struct error err = ERROR_INIT;
	struct httpd *h = httpd_start(&config, &err);

	if (!h)
		fail_msg("%s", err.message);
	return h;
}

#define POST_HELLO                                                                       \
	"POST /later HTTP/1.1\r\n" TEST_HOST "X-Tag: t1\r\nContent-Length: "             \
	"5\r\n\r\nhello"

static void replies_from_other_threads_arrive(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct desk d;
	pthread_t thread[2];

	(void)state;
	desk_init(&d);
	struct httpd *h = start(&d, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, answer_all, &d), 0);
	int fd = test_connect(httpd_port(h));
	for (int i = 0; i < 500; i++) {
		assert_true(test_send_text(fd, POST_HELLO));
		test_receive(fd, &r);
		assert_int_equal(r.status, 200);
		assert_string_equal(r.body.data, "t1 /later hello");
	}
	(void)close(fd);
	atomic_store(&d.ending, true);
	for (int i = 0; i < 2; i++)
		(void)pthread_join(thread[i], NULL);
	httpd_stop(h, 1000);
}

static void a_request_goes_on_where_it_came_from(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct desk d;
	pthread_t thread;
	int fd[8];

	(void)state;
	desk_init(&d);
	struct httpd *h = start(&d, 1);
	assert_int_equal(pthread_create(&thread, NULL, send_all_back, &d), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(fd); i++)
		fd[i] = test_connect(httpd_port(h));
	for (int round = 0; round < 100; round++) {
		for (unsigned i = 0; i < ARRAY_SIZE(fd); i++)
			assert_true(test_send_text(fd[i], POST_HELLO));
		for (unsigned i = 0; i < ARRAY_SIZE(fd); i++) {
			test_receive(fd[i], &r);
			assert_int_equal(r.status, 200);
			assert_string_equal(r.body.data, "t1 /later hello");
		}
	}
	assert_int_equal(atomic_load(&d.elsewhere), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(fd); i++)
		(void)close(fd[i]);
	atomic_store(&d.ending, true);
	(void)pthread_join(thread, NULL);
	httpd_stop(h, 1000);
}

/* One wait that returns exactly 128 events once stalled libmicrohttpd for good. */
static void many_busy_connections_do_not_stall(void **state)
{
	static const unsigned counts[] = { 127, 128, 129, 256, 512 };
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	static int fd[512];
	struct desk d;
	pthread_t thread;

	(void)state;
	desk_init(&d);
	struct httpd *h = start(&d, 1);
	assert_int_equal(pthread_create(&thread, NULL, answer_all, &d), 0);
	for (unsigned c = 0; c < ARRAY_SIZE(counts); c++) {
		for (unsigned i = 0; i < counts[c]; i++)
			fd[i] = test_connect(httpd_port(h));
		for (int round = 0; round < 4; round++) {
			for (unsigned i = 0; i < counts[c]; i++)
				assert_true(test_send_text(
					fd[i], round % 2
						       ? POST_HELLO
						       : "GET /now HTTP/1.1\r\n" TEST_HOST
							 "\r\n"));
			for (unsigned i = 0; i < counts[c]; i++) {
				test_receive(fd[i], &r);
				assert_int_equal(r.status, 200);
			}
		}
		for (unsigned i = 0; i < counts[c]; i++)
			(void)close(fd[i]);
	}
	atomic_store(&d.ending, true);
	(void)pthread_join(thread, NULL);
	httpd_stop(h, 1000);
}

static void clients_may_leave_before_the_reply(void **state)
{
	struct linger reset = { .l_onoff = 1 };
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct desk d;
	int fd[20];

	(void)state;
	desk_init(&d);
	struct httpd *h = start(&d, 1);
	for (int i = 0; i < 20; i++) {
		fd[i] = test_connect(httpd_port(h));
		assert_true(test_send_text(fd[i], POST_HELLO));
	}
	wait_kept(&d, 20);
	for (int i = 0; i < 20; i++) { /* some gently, some with a reset */
		if (i % 2)
			(void)setsockopt(fd[i], SOL_SOCKET, SO_LINGER, &reset,
					 sizeof reset);
		(void)close(fd[i]);
	}
	for (int i = 0; i < 20; i++)
		answer(take(&d));
	test_exchange(httpd_port(h), "GET /now HTTP/1.1\r\n" TEST_HOST "\r\n", &r);
	assert_int_equal(r.status, 200);
	httpd_stop(h, 1000);
}

struct stopper {
	struct httpd *h;
	int64_t patience_ms;
	pthread_t thread;
};

static void *stop(void *context)
{
	struct stopper *s = context;

	httpd_stop(s->h, s->patience_ms);
	return NULL;
}

static void stopping_waits_for_requests_under_way(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct stopper s = { .patience_ms = 10000 };
	struct desk d;

	(void)state;
	desk_init(&d);
	s.h = start(&d, 1);
	uint16_t port = httpd_port(s.h);
	int fd = test_connect(port), idle = test_connect(port);
	assert_true(test_send_text(fd, POST_HELLO));
	wait_kept(&d, 1);
	int64_t start_ms = clock_mono_ms();
	assert_int_equal(pthread_create(&s.thread, NULL, stop, &s), 0);
	(void)usleep(50 * 1000);
	/* it listens no more */
	int late = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(connect(late, (struct sockaddr *)&a, sizeof a), -1);
	(void)close(late);

	answer(take(&d));
	test_receive(fd, &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body.data, "t1 /later hello");
	assert_non_null(strcasestr(r.head.data, "connection: close"));
	(void)pthread_join(s.thread, NULL);
	assert_true(clock_mono_ms() - start_ms <
		    5000); /* the idle connection holds nobody up */
	assert_true(test_is_closed(fd));
	assert_true(test_is_closed(idle));
	(void)close(fd);
	(void)close(idle);
}

static void impatient_stop_answers_503_and_late_replies_are_harmless(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct desk d;
	int fd[5];

	(void)state;
	desk_init(&d);
	struct httpd *h = start(&d, 2);
	for (int i = 0; i < 5; i++) {
		fd[i] = test_connect(httpd_port(h));
		assert_true(test_send_text(fd[i], POST_HELLO));
	}
	wait_kept(&d, 5);
	httpd_stop(h, 20);
	for (int i = 0; i < 5; i++) {
		test_receive(fd[i], &r);
		assert_int_equal(r.status, 503);
		assert_true(test_is_closed(fd[i]));
		(void)close(fd[i]);
	}
	/* the handlers still have their requests, whole, but nowhere to go on */
	for (int i = 0; i < 4; i++)
		answer(take(&d));
	assert_false(send_back(&d, take(&d)));
	assert_int_equal(atomic_load(&d.elsewhere), 1);
}

static void stop_drops_who_is_still_sending(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct desk d;

	(void)state;
	desk_init(&d);
	struct httpd *h = start(&d, 1);
	int fd = test_connect(httpd_port(h));
	assert_true(test_send_text(fd, "POST /x HTTP/1.1\r\n" TEST_HOST
				       "Content-Length: 100\r\n\r\nabc"));
	test_exchange(httpd_port(h), "GET /now HTTP/1.1\r\n" TEST_HOST "\r\n", &r);
	int64_t start_ms = clock_mono_ms();
	httpd_stop(h, 50);
	assert_in_range(clock_mono_ms() - start_ms, 50, 3000);
	assert_true(test_is_closed(fd));
	(void)close(fd);
}

/* Replies race the end: whichever wins, nobody hangs and nothing is used after it was freed. */
static void replies_race_the_end(void **state)
{
	(void)state;
	for (int round = 0; round < 30; round++) {
		struct stopper s = { .patience_ms = round % 3 };
		struct desk d;
		int fd[16];
		desk_init(&d);
		s.h = start(&d, 2);
		for (unsigned i = 0; i < ARRAY_SIZE(fd); i++) {
			fd[i] = test_connect(httpd_port(s.h));
			assert_true(test_send_text(fd[i], POST_HELLO));
		}
		wait_kept(&d, ARRAY_SIZE(fd));
		assert_int_equal(pthread_create(&s.thread, NULL, stop, &s), 0);
		for (unsigned i = 0; i < ARRAY_SIZE(fd); i++) {
			if (i % 2)
				answer(take(&d));
			else
				(void)send_back(&d, take(&d));
		}
		(void)pthread_join(s.thread, NULL);
		for (unsigned i = 0; i < ARRAY_SIZE(fd); i++) {
			_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
			test_receive(fd[i], &r);
			assert_true(r.status == 200 || r.status == 503);
			(void)close(fd[i]);
		}
	}
}

static void look_at_mask(void *context, struct http_request *req)
{
	(void)pthread_sigmask(SIG_SETMASK, NULL, context);
	http_reply(req, 200, NULL, NULL, NULL);
}

static void loops_block_signals(void **state)
{
	sigset_t mask;
	struct httpd_config config = { .address = "127.0.0.1",
				       .loops = 1,
				       .handler = look_at_mask,
				       .context = &mask };
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	sigemptyset(&mask);
	struct httpd *h = httpd_start(&config, &err);
	assert_non_null(h);
	test_exchange(httpd_port(h), "GET / HTTP/1.1\r\n" TEST_HOST "\r\n", &r);
	assert_int_equal(r.status, 200);
	httpd_stop(h, 0);
	assert_true(sigismember(&mask, SIGTERM));
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
	assert_false(sigismember(&mask, SIGTERM));
}

static void connections_are_limited(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct desk d;
	desk_init(&d);
	struct httpd_config config = { .address = "127.0.0.1",
				       .loops = 1,
				       .handler = keep,
				       .context = &d,
				       .connection_max = 3 };
	struct error err = ERROR_INIT;
	struct httpd *h = httpd_start(&config, &err);
	int fd[4];

	(void)state;
	assert_non_null(h);
	for (int i = 0; i < 4; i++) {
		fd[i] = test_connect(httpd_port(h)); /* the fourth waits in the backlog */
		assert_true(
			test_send_text(fd[i], "GET /now HTTP/1.1\r\n" TEST_HOST "\r\n"));
	}
	for (int i = 0; i < 3; i++) {
		test_receive(fd[i], &r);
		assert_int_equal(r.status, 200);
	}
	struct pollfd p = { .fd = fd[3], .events = POLLIN };
	assert_int_equal(poll(&p, 1, 100), 0);
	(void)close(fd[0]);
	test_receive(fd[3], &r);
	assert_int_equal(r.status, 200);
	for (int i = 1; i < 4; i++)
		(void)close(fd[i]);
	httpd_stop(h, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_from_other_threads_arrive),
		cmocka_unit_test(a_request_goes_on_where_it_came_from),
		cmocka_unit_test(many_busy_connections_do_not_stall),
		cmocka_unit_test(clients_may_leave_before_the_reply),
		cmocka_unit_test(stopping_waits_for_requests_under_way),
		cmocka_unit_test(
			impatient_stop_answers_503_and_late_replies_are_harmless),
		cmocka_unit_test(stop_drops_who_is_still_sending),
		cmocka_unit_test(replies_race_the_end),
		cmocka_unit_test(loops_block_signals),
		cmocka_unit_test(connections_are_limited),
	};

	return cmocka_run_group_tests_name("httpd_threads", tests, NULL, NULL);
}
