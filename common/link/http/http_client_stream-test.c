/* Replies read as they come, from our own server in the same process. */
#include "link/http/http_client_stream.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/testing.h"
#include "wire/http_stream.h"

struct world {
	struct httpd *server;
	struct http_client *client;
	_Atomic(struct http_stream *) stream; /* of the last request for /stream */
	atomic_int closed;                    /* enum http_stream_why + 1 */
	atomic_uint seen;
};

static void stream_closed(void *context, enum http_stream_why why)
{
	struct world *w = context;

	atomic_store(&w->closed, (int)why + 1);
}

static void serve(void *context, struct http_request *req)
{
	static const struct http_header headers[] = { { "X-A", "one" }, { 0 } };
	struct world *w = context;
	const char *path = http_request_path(req);

	atomic_fetch_add(&w->seen, 1);
	if (strcmp(path, "/stream") == 0) {
		atomic_store(&w->stream, http_reply_stream(req, 200, "text/plain",
							   headers, stream_closed, w));
	} else if (strcmp(path, "/big") == 0) {
		struct strbuf out = STRBUF_INIT;

		for (unsigned i = 0; i < 500000; i++)
			strbuf_add_format(&out, "%08u,", i);
		http_reply(req, 200, "text/plain", NULL, &out);
	} else {
		http_reply_text(req, 404, "Text/HTML; charset=x", "none");
	}
}

static int begin(void **state)
{
	static struct world w;
	struct error err = ERROR_INIT;
	const struct httpd_config config = {
		.address = "127.0.0.1", .loops = 1, .handler = serve, .context = &w
	};

	w.server = httpd_start(&config, &err);
	w.client = http_client_new("wingman-test/1", &err);
	*state = &w;
	return w.server && w.client ? 0 : -1;
}

static int end(void **state)
{
	struct world *w = *state;

	http_client_free(w->client);
	httpd_stop(w->server, 0);
	return 0;
}

static struct http_client_stream *open_path(struct world *w, const char *path,
					    const atomic_bool *cancel, struct error *err)
{
	static _Thread_local char url[100];
	struct http_client_request req = {
		.method = "GET", .url = url, .timeout_ms = 5000, .cancel = cancel
	};

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u%s", httpd_port(w->server),
		       path);
	atomic_store(&w->closed, 0);
	return http_client_stream_open(w->client, &req, NULL, err);
}

static void say(struct http_stream *s, const char *text)
{
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *b =
		shared_bytes_new(text, strlen(text));

	assert_true(http_stream_send(s, b));
}

static struct http_stream *server_side(struct world *w)
{
	for (int i = 0; i < 500 && !atomic_load(&w->stream); i++)
		(void)usleep(10000);
	struct http_stream *s = atomic_exchange(&w->stream, NULL);
	assert_non_null(s);
	return s;
}

static void pieces_are_read_as_they_come(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	const char *bytes;
	size_t length;
	_cleanup_(http_client_stream_closep) struct http_client_stream *s =
		open_path(w, "/stream", NULL, &err);

	assert_non_null(s);
	assert_int_equal(http_client_stream_status(s), 200);
	assert_string_equal(http_client_stream_type(s), "text/plain");
	assert_string_equal(http_client_stream_header(s, "x-a", 0), "one");
	assert_null(http_client_stream_header(s, "x-a", 1));
	struct http_stream *theirs = server_side(w);
	for (int i = 0; i < 3; i++) {
		say(theirs, "abc");
		assert_int_equal(http_client_stream_read(s, clock_mono_ms() + 5000,
							 &bytes, &length, &err),
				 HTTP_CLIENT_DATA);
		assert_int_equal(length, 3);
		assert_memory_equal(bytes, "abc", 3);
	}
	http_stream_end(theirs);
	http_stream_unref(theirs);
	assert_int_equal(
		http_client_stream_read(s, clock_mono_ms() + 5000, &bytes, &length, &err),
		HTTP_CLIENT_END);
}

static void a_private_address_is_told_and_can_be_refused(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	char url[100];
	bool sent = true;
	struct http_client_request req = {
		.method = "GET", .url = url, .timeout_ms = 5000, .public_only = true
	};
	struct http_client_stream *s = open_path(w, "/none", NULL, &err);

	assert_non_null(s);
	assert_true(http_client_stream_is_private(s));
	http_client_stream_close(s);
	unsigned seen = atomic_load(&w->seen);
	/* The name alone says nothing; a connection that is kept is no way around. */
	(void)snprintf(url, sizeof url, "http://localhost:%u/none",
		       httpd_port(w->server));
	for (int i = 0; i < 2; i++) {
		error_clear(&err);
		assert_false(http_client_call(w->client, &req, &reply, &sent, &err));
		assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
		assert_false(sent);
		(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/none",
			       httpd_port(w->server));
	}
	assert_null(http_client_stream_open(w->client, &req, &sent, &err));
	assert_int_equal(atomic_load(&w->seen), seen);
	req.public_only = false;
	error_clear(&err);
	assert_true(http_client_call(w->client, &req, &reply, &sent, &err));
	http_client_reply_done(&reply);
}

static void silence_has_a_limit(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	const char *bytes;
	size_t length;
	struct http_client_stream *s = open_path(w, "/stream", NULL, &err);
	int64_t began_ms = clock_mono_ms();

	assert_non_null(s);
	struct http_stream *theirs = server_side(w);
	assert_int_equal(
		http_client_stream_read(s, began_ms + 100, &bytes, &length, &err),
		HTTP_CLIENT_FAILED);
	assert_true(clock_mono_ms() - began_ms >= 100);
	testing_error(&err, ERR_TIMEOUT, "no reply in time");
	/* Closing is what tells the server. */
	http_client_stream_close(s);
	for (int i = 0; i < 500 && !atomic_load(&w->closed); i++)
		(void)usleep(10000);
	assert_int_equal(atomic_load(&w->closed), HTTP_STREAM_GONE + 1);
	http_stream_unref(theirs);
}

static void *raise_later(void *flag)
{
	(void)usleep(100000);
	atomic_store((atomic_bool *)flag, true);
	return NULL;
}

static void a_reader_can_be_called_off(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	atomic_bool cancel = false;
	const char *bytes;
	size_t length;
	pthread_t thread;
	_cleanup_(http_client_stream_closep) struct http_client_stream *s =
		open_path(w, "/stream", &cancel, &err);

	assert_non_null(s);
	struct http_stream *theirs = server_side(w);
	assert_int_equal(pthread_create(&thread, NULL, raise_later, &cancel), 0);
	assert_int_equal(
		http_client_stream_read(s, clock_mono_ms() + 5000, &bytes, &length, &err),
		HTTP_CLIENT_FAILED);
	testing_error(&err, ERR_UNKNOWN_OUTCOME, "no reply awaited");
	assert_int_equal(pthread_join(thread, NULL), 0);
	http_stream_unref(theirs);
}

static void long_replies_come_whole(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	enum http_client_got got;
	size_t at = 0, length, wrong = 0;
	const char *bytes;
	char expected[16];
	_cleanup_(http_client_stream_closep) struct http_client_stream *s =
		open_path(w, "/big", NULL, &err);

	assert_non_null(s);
	while ((got = http_client_stream_read(s, clock_mono_ms() + 5000, &bytes, &length,
					      &err)) == HTTP_CLIENT_DATA) {
		assert_true(length <= HTTP_CLIENT_PIECES_MAX);
		for (size_t i = 0; i < length; i++, at++) {
			if (i == 0 || at % 9 == 0)
				(void)snprintf(expected, sizeof expected, "%08u,",
					       (unsigned)(at / 9));
			wrong += bytes[i] != expected[at % 9];
		}
	}
	testing_no_error(&err);
	assert_int_equal(got, HTTP_CLIENT_END);
	assert_int_equal(at, 4500000);
	assert_int_equal(wrong, 0);
}

static void refusals(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	bool sent = true;
	const struct http_client_request nobody = { .method = "GET",
						    .url = "http://127.0.0.1:1/",
						    .timeout_ms = 2000 };
	const struct http_client_request endless = { .method = "GET",
						     .url = "http://127.0.0.1:1/" };
	_cleanup_(http_client_stream_closep) struct http_client_stream *s =
		open_path(w, "/other", NULL, &err);

	assert_int_equal(http_client_stream_status(s), 404);
	assert_string_equal(http_client_stream_type(s), "text/html");
	assert_null(http_client_stream_open(w->client, &nobody, &sent, &err));
	assert_false(sent);
	testing_error(&err, ERR_BACKEND_UNAVAILABLE, "cannot reach");
	assert_null(http_client_stream_open(w->client, &endless, &sent, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "time limit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_read_as_they_come),
		cmocka_unit_test(a_private_address_is_told_and_can_be_refused),
		cmocka_unit_test(silence_has_a_limit),
		cmocka_unit_test(a_reader_can_be_called_off),
		cmocka_unit_test(long_replies_come_whole),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
