/* Peers that leave before the reply: who is told, when, and what is still allowed. */
#include "wire/httpd_test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"

/* A request that the handler kept, and what it heard of its peer. */
struct wait {
	struct desk *desk;
	struct http_request *req;
	atomic_int gone; /* how often */
};

enum { WAITS_MAX = 64 };

struct desk {
	struct httpd *h;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned count;
	struct wait wait[WAITS_MAX];
};

static void note(void *context)
{
	struct wait *w = context;

	(void)pthread_mutex_lock(&w->desk->lock);
	(void)atomic_fetch_add(&w->gone, 1);
	(void)pthread_cond_broadcast(&w->desk->changed);
	(void)pthread_mutex_unlock(&w->desk->lock);
}

static void note_and_reply(void *context)
{
	struct wait *w = context;
	struct http_request *req = w->req;

	assert_true(http_request_is_gone(req));
	note(w);
	http_reply_text(req, 499, NULL, "");
}

static void keep(void *context, struct http_request *req)
{
	struct desk *d = context;
	const char *path = http_request_path(req);

	if (strcmp(path, "/now") == 0) {
		http_reply_text(req, 200, "text/plain", "now");
		return;
	}
	(void)pthread_mutex_lock(&d->lock);
	assert_true(d->count < WAITS_MAX);
	struct wait *w = &d->wait[d->count++];
	w->desk = d;
	w->req = req;
	if (strcmp(path, "/reply") == 0)
		http_request_on_gone(req, note_and_reply, w);
	else if (strcmp(path, "/flag") == 0)
		http_request_on_gone(req, NULL, NULL);
	else if (strcmp(path, "/unasked") != 0)
		http_request_on_gone(req, note, w);
	(void)pthread_cond_broadcast(&d->changed);
	(void)pthread_mutex_unlock(&d->lock);
}

static struct desk *desk_new(void)
{
	struct desk *d = calloc(1, sizeof *d);
	struct httpd_config config = {
		.address = "127.0.0.1", .loops = 1, .handler = keep, .context = d
	};
	struct error err = ERROR_INIT;

	assert_non_null(d);
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_cond_init(&d->changed, NULL);
	d->h = httpd_start(&config, &err);
	if (!d->h)
		fail_msg("%s", err.message);
	return d;
}

static void desk_end(struct desk *d)
{
	httpd_stop(d->h, 0);
	free(d);
}

static void wait_kept(struct desk *d, unsigned count)
{
	(void)pthread_mutex_lock(&d->lock);
	while (d->count < count)
		(void)pthread_cond_wait(&d->changed, &d->lock);
	(void)pthread_mutex_unlock(&d->lock);
}

static bool is_told_within(struct wait *w, int64_t patience_ms)
{
	int64_t end_ms = clock_mono_ms() + patience_ms;

	while (atomic_load(&w->gone) == 0 && clock_mono_ms() < end_ms)
		(void)usleep(1000);
	return atomic_load(&w->gone) == 1;
}

static int ask(struct desk *d, const char *path)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	unsigned count = d->count + 1;
	int fd = test_connect(httpd_port(d->h));

	strbuf_add_format(&text, "GET %s HTTP/1.1\r\n" TEST_HOST "\r\n", path);
	assert_true(test_send_text(fd, text.data));
	wait_kept(d, count);
	return fd;
}

static void reply(struct wait *w)
{
	http_reply_text(w->req, 200, "text/plain", "done");
}

static void a_peer_that_closes_is_gone(void **state)
{
	struct linger reset = { .l_onoff = 1 };
	struct desk *d = desk_new();
	int gentle = ask(d, "/"), rude = ask(d, "/");

	(void)state;
	(void)usleep(50 * 1000);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(atomic_load(&d->wait[i].gone), 0);
		assert_false(http_request_is_gone(d->wait[i].req));
	}
	(void)close(gentle);
	(void)setsockopt(rude, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	(void)close(rude);
	for (int i = 0; i < 2; i++) {
		assert_true(is_told_within(&d->wait[i], 5000));
		assert_true(http_request_is_gone(d->wait[i].req));
		reply(&d->wait[i]); /* into the void */
	}
	desk_end(d);
}

static void the_flag_alone_will_do(void **state)
{
	struct desk *d = desk_new();
	int fd = ask(d, "/flag"), unasked = ask(d, "/unasked");

	(void)state;
	(void)close(fd);
	(void)close(unasked);
	for (int i = 0; i < 5000 && !http_request_is_gone(d->wait[0].req); i++)
		(void)usleep(1000);
	assert_true(http_request_is_gone(d->wait[0].req));
	assert_false(http_request_is_gone(d->wait[1].req));
	reply(&d->wait[0]);
	reply(&d->wait[1]);
	desk_end(d);
}

static void the_one_who_is_told_may_reply(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct desk *d = desk_new();

	(void)state;
	for (int i = 0; i < 20; i++) {
		int fd = ask(d, "/reply");
		(void)close(fd);
		assert_true(is_told_within(&d->wait[i], 5000));
	}
	test_exchange(httpd_port(d->h), "GET /now HTTP/1.1\r\n" TEST_HOST "\r\n", &r);
	assert_int_equal(r.status, 200);
	desk_end(d);
}

static void nobody_is_told_after_the_reply(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct desk *d = desk_new();
	int fd = ask(d, "/");

	(void)state;
	reply(&d->wait[0]);
	test_receive(fd, &r);
	assert_int_equal(r.status, 200);
	/* the same connection, the next request: told for that one */
	assert_true(test_send_text(fd, "GET / HTTP/1.1\r\n" TEST_HOST "\r\n"));
	wait_kept(d, 2);
	assert_false(http_request_is_gone(d->wait[1].req));
	(void)close(fd);
	assert_true(is_told_within(&d->wait[1], 5000));
	assert_int_equal(atomic_load(&d->wait[0].gone), 0);
	reply(&d->wait[1]);
	desk_end(d);
}

/* It looks as if it had left, and is told so; and it gets its replies all the same. */
static void a_half_closed_peer_counts_as_gone(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct desk *d = desk_new();
	int fd = test_connect(httpd_port(d->h));

	(void)state;
	assert_true(test_send_text(fd, "GET /1 HTTP/1.1\r\n" TEST_HOST
				       "\r\nGET /2 HTTP/1.1\r\n" TEST_HOST "\r\n"));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	for (unsigned i = 0; i < 2; i++) {
		wait_kept(d, i + 1);
		assert_true(is_told_within(&d->wait[i], 5000));
		reply(&d->wait[i]);
		test_receive(fd, &r);
		assert_int_equal(r.status, 200);
		assert_string_equal(r.body.data, "done");
	}
	(void)close(fd);
	desk_end(d);
}

static void pipelined_requests_do_not_look_like_leaving(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct desk *d = desk_new();
	int fd = ask(d, "/");

	(void)state;
	assert_true(test_send_text(fd, "GET /now HTTP/1.1\r\n" TEST_HOST "\r\n"));
	(void)usleep(50 * 1000);
	assert_int_equal(atomic_load(&d->wait[0].gone), 0);
	reply(&d->wait[0]);
	test_receive(fd, &r);
	assert_string_equal(r.body.data, "done");
	test_receive(fd, &r);
	assert_string_equal(r.body.data, "now");
	(void)close(fd);
	desk_end(d);
}

static void the_end_of_the_server_is_told_too(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct desk *d = desk_new();
	int fd = ask(d, "/"), other = ask(d, "/reply");

	(void)state;
	httpd_stop(d->h, 10);
	assert_int_equal(atomic_load(&d->wait[0].gone), 1);
	assert_int_equal(atomic_load(&d->wait[1].gone), 1);
	test_receive(fd, &r);
	assert_int_equal(r.status, 503);
	test_receive(other, &r);
	assert_int_equal(r.status, 499);
	assert_true(http_request_is_gone(d->wait[0].req));
	reply(&d->wait[0]);
	(void)close(fd);
	(void)close(other);
	d->h = NULL;
	desk_end(d);
}

/* What http_reply promises: afterwards the context may be freed. */
static void told_one(void *context)
{
	int *alive = context;

	(*alive)++;
}

struct racer {
	struct http_request *req;
	int *alive;
};

static void *reply_and_free(void *context)
{
	struct racer *r = context;

	http_reply_text(r->req, 200, "text/plain", "done");
	free(r->alive);
	free(r);
	return NULL;
}

static void race(void *context, struct http_request *req)
{
	struct racer *r = malloc(sizeof *r);
	pthread_t thread;

	(void)context;
	assert_non_null(r);
	*r = (struct racer){ .req = req, .alive = calloc(1, sizeof(int)) };
	http_request_on_gone(req, told_one, r->alive);
	assert_int_equal(pthread_create(&thread, NULL, reply_and_free, r), 0);
	(void)pthread_detach(thread);
}

static void leaving_races_the_reply(void **state)
{
	struct httpd_config config = { .address = "127.0.0.1",
				       .loops = 2,
				       .handler = race };
	struct error err = ERROR_INIT;
	struct httpd *h = httpd_start(&config, &err);

	(void)state;
	assert_non_null(h);
	for (int i = 0; i < 400; i++) {
		int fd = test_connect(httpd_port(h));
		assert_true(test_send_text(fd, "GET / HTTP/1.1\r\n" TEST_HOST "\r\n"));
		for (int spin = 0; spin < i % 20; spin++)
			(void)sched_yield();
		(void)close(fd);
	}
	httpd_stop(h, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_that_closes_is_gone),
		cmocka_unit_test(the_flag_alone_will_do),
		cmocka_unit_test(the_one_who_is_told_may_reply),
		cmocka_unit_test(nobody_is_told_after_the_reply),
		cmocka_unit_test(a_half_closed_peer_counts_as_gone),
		cmocka_unit_test(pipelined_requests_do_not_look_like_leaving),
		cmocka_unit_test(the_end_of_the_server_is_told_too),
		cmocka_unit_test(leaving_races_the_reply),
	};

	return cmocka_run_group_tests_name("httpd_gone", tests, NULL, NULL);
}
