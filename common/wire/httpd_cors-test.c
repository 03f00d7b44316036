/* Pages of other origins: what browsers are told. */
#include "wire/httpd_private.h"
#include "wire/httpd_test.h"

static const char *const names[] = { "Content-Type", "Mcp-Method", NULL };
static const struct httpd_cors cors = { "GET, POST", names, "Mcp-Param-",
					"Mcp-Session-Id" };

static void choose(const char *wanted, const char *chosen)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	httpd_cors_choose(&cors, wanted, &sb);
	assert_string_equal(sb.data, chosen);
}

static void known_names_alone_are_allowed(void **state)
{
	_cleanup_strbuf_ struct strbuf many = STRBUF_INIT, one = STRBUF_INIT;

	(void)state;
	choose(NULL, "");
	choose("", "");
	choose("content-type", "content-type");
	choose("content-type,mcp-method , mcp-param-region",
	       "content-type, mcp-method, mcp-param-region");
	choose("mcp-param-", "");
	choose("x-other, cookie", "");
	choose("content-type\r\nx: y", "");
	choose("mcp-param-a b", "mcp-param-a");
	choose("mcp-param-<b>", "");
	strbuf_add_string(&one, "mcp-param-");
	while (one.length < 128)
		strbuf_add_char(&one, 'a');
	choose(one.data, one.data);
	strbuf_add_char(&one, 'a');
	choose(one.data, "");
	for (int i = 0; i < 33; i++)
		strbuf_add_string(&many, "mcp-method,");
	_cleanup_strbuf_ struct strbuf chosen = STRBUF_INIT;
	httpd_cors_choose(&cors, many.data, &chosen);
	assert_int_equal(chosen.length, 32 * strlen("mcp-method, ") - 2);
}

/* ---- Served ---- */

static void on_request(void *context, struct http_request *req)
{
	(void)context;
	if (strcmp(http_request_path(req), "/events") == 0) {
		struct http_stream *stream = http_reply_stream(
			req, 200, "text/event-stream", NULL, NULL, NULL);

		http_stream_end(stream);
		http_stream_unref(stream);
	} else {
		http_reply_text(req, 401, "text/plain", "no\n");
	}
}

static struct httpd *serve(const struct httpd_cors *with)
{
	static const char *const origins[] = { "https://console.example", NULL };
	struct error err = ERROR_INIT;
	const struct httpd_config config = { .address = "127.0.0.1",
					     .loops = 1,
					     .allowed_origins = origins,
					     .cors = with,
					     .handler = on_request };
	struct httpd *h = httpd_start(&config, &err);

	assert_non_null(h);
	return h;
}

#define ORIGIN "Origin: https://console.example\r\n"

static void exchange(struct httpd *h, const char *line, const char *headers,
		     struct test_reply *ret)
{
	_cleanup_strbuf_ struct strbuf request = STRBUF_INIT;

	strbuf_add_format(&request, "%s HTTP/1.1\r\n" TEST_HOST "%s\r\n", line, headers);
	test_exchange(httpd_port(h), request.data, ret);
}

static void a_preflight_is_answered(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct httpd *h = serve(&cors);

	(void)state;
	exchange(h, "OPTIONS /mcp",
		 ORIGIN "Access-Control-Request-Method: POST\r\n"
			"Access-Control-Request-Headers: mcp-method,x-evil\r\n",
		 &r);
	assert_int_equal(r.status, 204);
	assert_non_null(
		strstr(r.head.data,
		       "\r\nAccess-Control-Allow-Origin: https://console.example\r\n"));
	assert_non_null(
		strstr(r.head.data, "\r\nAccess-Control-Allow-Methods: GET, POST\r\n"));
	assert_non_null(
		strstr(r.head.data, "\r\nAccess-Control-Allow-Headers: mcp-method\r\n"));
	assert_non_null(strstr(r.head.data, "\r\nVary: Origin\r\n"));
	assert_null(strstr(r.head.data, "evil"));
	/* Cookies are nobody's business here. */
	assert_null(strcasestr(r.head.data, "allow-credentials"));
	httpd_stop(h, 0);
}

static void replies_name_the_origin(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct httpd *h = serve(&cors);

	(void)state;
	exchange(h, "POST /mcp", ORIGIN "Content-Length: 0\r\n", &r);
	assert_int_equal(r.status, 401);
	assert_non_null(
		strstr(r.head.data, "Access-Control-Allow-Origin: https://console"));
	assert_non_null(
		strstr(r.head.data, "Access-Control-Expose-Headers: Mcp-Session-Id\r\n"));
	exchange(h, "GET /events", ORIGIN, &r);
	assert_int_equal(r.status, 200);
	assert_non_null(
		strstr(r.head.data, "Access-Control-Allow-Origin: https://console"));
	exchange(h, "GET /x", "", &r); /* no page asks */
	assert_null(strstr(r.head.data, "Access-Control-"));
	assert_non_null(strstr(r.head.data, "\r\nVary: Origin\r\n"));
	exchange(h, "OPTIONS /x", ORIGIN, &r); /* no preflight */
	assert_int_equal(r.status, 401);
	httpd_stop(h, 0);
}

static void others_learn_nothing(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	struct httpd *h = serve(&cors), *without = serve(NULL);

	(void)state;
	exchange(
		h, "OPTIONS /mcp",
		"Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n",
		&r);
	assert_int_equal(r.status, 403);
	assert_null(strstr(r.head.data, "Access-Control-"));
	exchange(without, "OPTIONS /mcp",
		 ORIGIN "Access-Control-Request-Method: POST\r\n", &r);
	assert_int_equal(r.status, 401);
	assert_null(strstr(r.head.data, "Access-Control-"));
	assert_null(strstr(r.head.data, "Vary"));
	httpd_stop(h, 0);
	httpd_stop(without, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_names_alone_are_allowed),
		cmocka_unit_test(a_preflight_is_answered),
		cmocka_unit_test(replies_name_the_origin),
		cmocka_unit_test(others_learn_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
