/* Heads of requests that are odd: names, addresses, Mcp-* headers. */
#include "wire/httpd_test.h"

enum { BODY_MAX = 1000 };

static void serve(void *context, struct http_request *req)
{
	const char *name = http_request_header(req, "Mcp-Name");
	struct strbuf out = STRBUF_INIT;

	(void)context;
	strbuf_add_format(&out, "%s %s", http_request_path(req), name ? name : "(none)");
	http_reply(req, 200, "text/plain", NULL, &out);
}

static int begin(void **state)
{
	static const char *const hosts[] = { "wingman.example", NULL };
	const struct httpd_config config = { .address = "127.0.0.1",
					     .loops = 1,
					     .body_max = BODY_MAX,
					     .allowed_hosts = hosts,
					     .handler = serve };
	struct error err = ERROR_INIT;

	*state = httpd_start(&config, &err);
	if (!*state)
		fail_msg("%s", err.message);
	return 0;
}

static int end(void **state)
{
	httpd_stop(*state, 1000);
	return 0;
}

/* A proxy that reads "Content-Length : 40" as what it looks like sends forty bytes more. */
static void names_are_tokens(void **state)
{
	static const struct {
		const char *line;
		int status;
	} rows[] = {
		{ "X-What: a\r\n", 200 },        { "!#$%&'*+-.^_`|~09azAZ: a\r\n", 200 },
		{ "X-What : a\r\n", 400 },       { "X-What\t: a\r\n", 400 },
		{ "X What: a\r\n", 400 },        { "X(What): a\r\n", 400 },
		{ "X-Wh\xc3\xa4t: a\r\n", 400 }, { "X\"What: a\r\n", 400 },
	};
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)snprintf(text, sizeof text,
			       "GET /a HTTP/1.1\r\n" TEST_HOST "%s\r\n", rows[i].line);
		test_exchange(httpd_port(*state), text, &r);
		if (r.status != rows[i].status)
			fail_msg("%d for %s", r.status, rows[i].line);
	}
}

static void a_second_request_is_not_smuggled(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	int fd = test_connect(httpd_port(*state));

	(void)test_send_text(fd, "POST /a HTTP/1.1\r\n" TEST_HOST
				 "Content-Length : 43\r\n\r\n"
				 "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n");
	test_receive(fd, &r);
	assert_int_equal(r.status, 400);
	test_receive(fd, &r);
	assert_int_equal(r.status, 0);
	(void)close(fd);
}

/* RFC 9112, section 3.2.2. */
static void whole_addresses_are_taken(void **state)
{
	static const struct {
		const char *target;
		int status;
		const char *path;
	} rows[] = {
		{ "/a", 200, "/a (none)" },
		{ "http://localhost/a", 200, "/a (none)" },
		{ "HTTP://127.0.0.1:80/a/b?q=1", 200, "/a/b (none)" },
		{ "https://wingman.example/a", 200, "/a (none)" },
		{ "http://localhost", 200, "/ (none)" },
		{ "http://evil.example/a", 403, NULL },
		{ "http://localhost@evil.example/a", 403, NULL },
		{ "http:///a", 403, NULL },
		{ "ftp://localhost/a", 200, "ftp://localhost/a (none)" },
		{ "*", 200, "* (none)" },
	};
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" TEST_HOST "\r\n",
			       rows[i].target);
		test_exchange(httpd_port(*state), text, &r);
		if (r.status != rows[i].status)
			fail_msg("%d for %s", r.status, rows[i].target);
		if (rows[i].path)
			assert_string_equal(r.body.data, rows[i].path);
	}
	/* Host counts all the same. */
	test_exchange(httpd_port(*state),
		      "GET http://localhost/a HTTP/1.1\r\nHost: evil.example\r\n\r\n",
		      &r);
	assert_int_equal(r.status, 403);
}

/* What they hold is the handler's to judge: it has better words for it. */
static void control_characters_of_mcp_headers_are_handed_on(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;

	test_exchange(httpd_port(*state),
		      "GET /a HTTP/1.1\r\n" TEST_HOST "Mcp-Name: a\x01\x7fz\r\n\r\n", &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body.data, "/a a\x01\x7fz");
	test_exchange(httpd_port(*state),
		      "GET /a HTTP/1.1\r\n" TEST_HOST "Mcpx: a\x01z\r\n\r\n", &r);
	assert_int_equal(r.status, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_tokens),
		cmocka_unit_test(a_second_request_is_not_smuggled),
		cmocka_unit_test(whole_addresses_are_taken),
		cmocka_unit_test(control_characters_of_mcp_headers_are_handed_on),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
