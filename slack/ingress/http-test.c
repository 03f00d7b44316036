/* Requests over HTTP, from bytes on a socket: what is judged, what is handed on, and what is
 * answered. What would be done with them is played. */
#include "slack/ingress/http.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/testing.h"
#include "wire/httpd_test.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

static const char secret_text[] = "8f742231b10e8888abcd99yyyzzz85a5";

static struct world {
	struct ingress_http *http;
	uint16_t port;
	struct secret *secret;
	int64_t now_s; /* 0: the clock's */
	atomic_int taken;
	atomic_bool refuse, unready;
	pthread_mutex_t lock;
	/* Of the last that was taken; under the lock. */
	enum slack_delivery kind;
	char raw[256], timestamp[32], signature[80];
	size_t length;
} world;

/* ---- What is behind it ------------------------------------------------------------ */

static bool take(void *context, const struct ingress_delivery *d, json_t **ret_ack,
		 struct error *err)
{
	assert_ptr_equal(context, &world);
	assert_null(*ret_ack);
	assert_non_null(d->payload);
	(void)pthread_mutex_lock(&world.lock);
	world.kind = d->kind;
	world.length = d->length;
	memcpy(world.raw, d->raw, d->length < 255 ? d->length : 255);
	world.raw[d->length < 255 ? d->length : 255] = '\0';
	(void)snprintf(world.timestamp, sizeof world.timestamp, "%s", d->timestamp);
	(void)snprintf(world.signature, sizeof world.signature, "%s", d->signature);
	(void)pthread_mutex_unlock(&world.lock);
	atomic_fetch_add(&world.taken, 1);
	if (json_get_string(d->payload, "challenge"))
		*ret_ack = json_pack("{s:O}", "challenge",
				     json_object_get(d->payload, "challenge"));
	return !atomic_load(&world.refuse) ||
	       error_set(err, ERR_BACKEND_UNAVAILABLE, "too much waits");
}

static bool check(void *context, const struct slack_evidence *e, struct error *err)
{
	const struct secret *secrets[] = { world.secret };

	(void)context;
	return slack_signature_check(
		e, secrets, 1, world.now_s ? world.now_s : clock_wall_ms() / 1000, err);
}

static const char *unready(void *context)
{
	(void)context;
	return atomic_load(&world.unready) ? "not yet\n" : NULL;
}

static void metrics(void *context, struct strbuf *sb)
{
	(void)context;
	strbuf_add_string(sb, "more 1\n");
}

static void begin(void)
{
	static const char *const hosts[] = { "wingman.example.com", NULL };
	const struct ingress_http_options options = {
		.address = "127.0.0.1",
		.hosts = hosts,
		.take = take,
		.check = check,
		.unready = unready,
		.metrics = metrics,
		.context = &world,
	};
	struct error err = ERROR_INIT;

	world.http = ingress_http_start(&options, &err);
	testing_no_error(&err);
	world.port = ingress_http_port(world.http);
}

static int set_up(void **state)
{
	char folder[TESTING_PATH_BYTES], path[TESTING_PATH_BYTES + 8];
	struct error err = ERROR_INIT;

	(void)state;
	testing_folder(folder);
	(void)snprintf(path, sizeof path, "%s/secret", folder);
	testing_put(path, secret_text, 0600);
	world.secret = secret_read(path, true, &err);
	testing_remove(folder);
	testing_no_error(&err);
	(void)pthread_mutex_init(&world.lock, NULL);
	begin();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ingress_http_stop(world.http);
	secret_free(world.secret);
	(void)pthread_mutex_destroy(&world.lock);
	return 0;
}

static int reset(void **state)
{
	(void)state;
	world.now_s = 0;
	atomic_store(&world.taken, 0);
	atomic_store(&world.refuse, false);
	atomic_store(&world.unready, false);
	return 0;
}

/* ---- What Slack sends ------------------------------------------------------------- */

static void sign(const char *at, const char *body, size_t length,
		 char ret[static SLACK_SIGNATURE_CHARACTERS + 1])
{
	_cleanup_strbuf_ struct strbuf base = STRBUF_INIT;
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	strbuf_add_format(&base, "v0:%s:", at);
	strbuf_add(&base, body, length);
	assert_non_null(HMAC(EVP_sha256(), secret_text, (int)strlen(secret_text),
			     (const unsigned char *)base.data, base.length, mac, &size));
	(void)snprintf(ret, 4, "v0=");
	for (unsigned i = 0; i < size; i++)
		(void)snprintf(ret + 3 + (size_t)i * 2, 3, "%02x", mac[i]);
}

static const char *now_text(char text[static 24], int64_t offset_s)
{
	(void)snprintf(text, 24, "%lld", (long long)clock_wall_ms() / 1000 + offset_s);
	return text;
}

/* 'headers' are those besides Host and Content-Length, each with its CRLF. */
static int send_bytes(const char *path, const char *headers, const char *body,
		      size_t length, struct test_reply *r)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int fd = test_connect(world.port);

	strbuf_add_format(
		&text, "POST %s HTTP/1.1\r\n" TEST_HOST "Content-Length: %zu\r\n%s\r\n",
		path, length, headers);
	strbuf_add(&text, body, length);
	(void)test_send(fd, text.data, text.length);
	test_receive(fd, r);
	(void)close(fd);
	return r->status;
}

static int post(const char *path, const char *headers, const char *body)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	int status = send_bytes(path, headers, body, strlen(body), &r);

	/* Whoever is refused reads nothing. */
	if (status >= 400)
		assert_null(strstr(r.body.data, "v0="));
	return status;
}

static void good_headers(const char *at, const char *body, size_t length,
			 struct strbuf *ret)
{
	char signature[SLACK_SIGNATURE_CHARACTERS + 1];

	sign(at, body, length, signature);
	strbuf_clear(ret);
	strbuf_add_format(ret,
			  "X-Slack-Request-Timestamp: %s\r\n"
			  "X-Slack-Signature: %s\r\n",
			  at, signature);
}

static int post_signed(const char *path, const char *body)
{
	_cleanup_strbuf_ struct strbuf headers = STRBUF_INIT;
	char at[24];

	good_headers(now_text(at, 0), body, strlen(body), &headers);
	return post(path, headers.data, body);
}

/* Bodies that are not alike, so that none is a replay. */
static const char *fresh(char text[static 128])
{
	static int number;

	(void)snprintf(text, 128, "{\"type\":\"event_callback\",\"event_id\":\"Ev%d\"}",
		       number++);
	return text;
}

/* ---- What is taken ---------------------------------------------------------------- */

static void test_taken(void **state)
{
	static const struct {
		const char *path, *body;
		enum slack_delivery kind;
	} cases[] = {
		{ "/slack/events", "{\"type\":\"event_callback\"}", SLACK_EVENT },
		{ "/slack/interactions", "payload=%7B%22type%22:%22shortcut%22%7D",
		  SLACK_INTERACTION },
		{ "/slack/options", "payload=%7B%22type%22:%22block_suggestion%22%7D",
		  SLACK_INTERACTION },
		{ "/slack/commands", "command=%2Fwingman&text=", SLACK_COMMAND },
		/* What a body is, its content says, and not the path. */
		{ "/slack/commands", "{\"type\":\"event_callback\",\"a\":1}",
		  SLACK_EVENT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(post_signed(cases[i].path, cases[i].body), 200);
		assert_int_equal(atomic_load(&world.taken), i + 1);
		assert_int_equal(world.kind, cases[i].kind);
		assert_string_equal(world.raw, cases[i].body);
		assert_int_equal(world.length, strlen(cases[i].body));
		assert_int_equal(strlen(world.signature), SLACK_SIGNATURE_CHARACTERS);
		assert_true(world.timestamp[0] != '\0');
	}
}

static void test_what_is_answered(void **state)
{
	static const char body[] =
		"{\"type\":\"url_verification\",\"challenge\":\"3eZ\"}";
	_cleanup_strbuf_ struct strbuf headers = STRBUF_INIT;
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	char at[24], text[128];

	(void)state;
	good_headers(now_text(at, 0), body, strlen(body), &headers);
	assert_int_equal(
		send_bytes("/slack/events", headers.data, body, strlen(body), &r), 200);
	assert_string_equal(r.body.data, "{\"challenge\":\"3eZ\"}");
	assert_non_null(strcasestr(r.head.data, "content-type: application/json"));
	atomic_store(&world.refuse, true);
	assert_int_equal(post_signed("/slack/events", fresh(text)), 503);
}

/* Names in any case, and what stands around a value. */
static void test_headers_in_any_case(void **state)
{
	_cleanup_strbuf_ struct strbuf headers = STRBUF_INIT;
	char signature[SLACK_SIGNATURE_CHARACTERS + 1], at[24], text[128];
	const char *body = fresh(text);

	(void)state;
	sign(now_text(at, 0), body, strlen(body), signature);
	strbuf_add_format(&headers,
			  "x-slack-request-timestamp:  %s \r\nX-SLACK-SIGNATURE:%s\r\n",
			  at, signature);
	assert_int_equal(post("/slack/events", headers.data, body), 200);
}

/* ---- What is not Slack's ---------------------------------------------------------- */

/* '@' is the time and '#' a good signature, '~' that without its last character, and '^' without
 * its version. */
static void fill(const char *headers, const char *at, const char *signature,
		 struct strbuf *ret)
{
	for (; *headers; headers++)
		if (*headers == '@')
			strbuf_add_string(ret, at);
		else if (*headers == '#')
			strbuf_add_string(ret, signature);
		else if (*headers == '~')
			strbuf_add(ret, signature, strlen(signature) - 1);
		else if (*headers == '^')
			strbuf_add_string(ret, signature + strlen("v0"));
		else
			strbuf_add_char(ret, *headers);
	assert_true(strbuf_ok(ret));
}

static void test_hostile_headers(void **state)
{
	static const struct {
		const char *headers; /* as 'fill' reads it */
		int status;
	} cases[] = {
		{ "", 401 },
		{ "X-Slack-Request-Timestamp: @\r\n", 401 },
		{ "X-Slack-Signature: #\r\n", 401 },
		{ "X-Slack-Request-Timestamp: +@\r\nX-Slack-Signature: #\r\n", 401 },
		{ "X-Slack-Request-Timestamp: 0x10\r\nX-Slack-Signature: #\r\n", 401 },
		{ "X-Slack-Request-Timestamp: @.0\r\nX-Slack-Signature: #\r\n", 401 },
		{ "X-Slack-Request-Timestamp: 1@000\r\nX-Slack-Signature: #\r\n", 401 },
		{ "X-Slack-Request-Timestamp: -1\r\nX-Slack-Signature: #\r\n", 401 },
		{ "X-Slack-Request-Timestamp:\r\nX-Slack-Signature: #\r\n", 401 },
		{ "X-Slack-Request-Timestamp: @\r\nX-Slack-Signature:\r\n", 401 },
		{ "X-Slack-Request-Timestamp: @\r\nX-Slack-Signature: #0\r\n", 401 },
		{ "X-Slack-Request-Timestamp: @\r\nX-Slack-Signature: v1^\r\n", 401 },
		{ "X-Slack-Request-Timestamp: @\r\nX-Slack-Signature: ~\r\n", 401 },
		/* There twice, whichever would be good. */
		{ "X-Slack-Request-Timestamp: @\r\nX-Slack-Signature: #\r\n"
		  "X-Slack-Signature: #\r\n",
		  400 },
		{ "X-Slack-Request-Timestamp: @\r\nX-Slack-Request-Timestamp: 1\r\n"
		  "X-Slack-Signature: #\r\n",
		  400 },
		{ "x-slack-request-timestamp: 1\r\nX-Slack-Request-Timestamp: @\r\n"
		  "X-Slack-Signature: #\r\n",
		  400 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char signature[SLACK_SIGNATURE_CHARACTERS + 1], at[24], text[128];
		const char *body = fresh(text);
		_cleanup_strbuf_ struct strbuf headers = STRBUF_INIT;
		int status;

		sign(now_text(at, 0), body, strlen(body), signature);
		fill(cases[i].headers, at, signature, &headers);
		status = post("/slack/events", headers.data, body);
		if (status != cases[i].status)
			fail_msg("%zu: %d", i, status);
	}
	assert_int_equal(atomic_load(&world.taken), 0);
}

/* Exactly five minutes in either direction are taken, and a second more is not. */
static void test_window(void **state)
{
	static const struct {
		int64_t off;
		int status;
	} cases[] = { { 0, 200 },    { -300, 200 }, { 300, 200 },
		      { -301, 401 }, { 301, 401 },  { -1000000, 401 } };

	(void)state;
	world.now_s = clock_wall_ms() / 1000;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf headers = STRBUF_INIT;
		char at[24], text[128];
		const char *body = fresh(text);

		(void)snprintf(at, sizeof at, "%lld",
			       (long long)world.now_s + cases[i].off);
		good_headers(at, body, strlen(body), &headers);
		assert_int_equal(post("/slack/events", headers.data, body),
				 cases[i].status);
	}
	assert_int_equal(atomic_load(&world.taken), 3);
}

/* The same request again is acknowledged, and nothing is done; another body under the same
 * signature is no request of Slack's at all. */
static void test_replay(void **state)
{
	_cleanup_strbuf_ struct strbuf headers = STRBUF_INIT;
	char at[24], text[128];
	const char *body = fresh(text);

	(void)state;
	good_headers(now_text(at, 0), body, strlen(body), &headers);
	assert_int_equal(post("/slack/events", headers.data, body), 200);
	for (int i = 0; i < 3; i++)
		assert_int_equal(post("/slack/interactions", headers.data, body), 200);
	assert_int_equal(atomic_load(&world.taken), 1);
	assert_int_equal(post("/slack/events", headers.data, fresh(text)), 401);
	assert_int_equal(atomic_load(&world.taken), 1);
	/* What Slack itself sends anew says when, and so is another request. */
	strbuf_add_string(&headers, "X-Slack-Retry-Num: 1\r\n");
	assert_int_equal(post("/slack/events", headers.data, text), 401);
}

/* What was answered 503 is taken when it comes again, be it within the same second. */
static void test_sent_again(void **state)
{
	_cleanup_strbuf_ struct strbuf headers = STRBUF_INIT;
	char at[24], text[128];
	const char *body = fresh(text);

	(void)state;
	good_headers(now_text(at, 0), body, strlen(body), &headers);
	atomic_store(&world.refuse, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(post("/slack/events", headers.data, body), 503);
	assert_int_equal(atomic_load(&world.taken), 3); /* each was asked about */
	atomic_store(&world.refuse, false);
	for (int i = 0; i < 3; i++)
		assert_int_equal(post("/slack/events", headers.data, body), 200);
	assert_int_equal(atomic_load(&world.taken), 4);
}

/* ---- Bodies ----------------------------------------------------------------------- */

static void test_bodies(void **state)
{
	static const char *const bodies[] = { "",
					      "{",
					      "[]",
					      "null",
					      "payload=%7B",
					      "payload=x&payload=y",
					      "a=b",
					      "{\"type\":1,\"type\":2}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
		if (post_signed("/slack/events", bodies[i]) != 400)
			fail_msg("'%s' was read", bodies[i]);
	assert_int_equal(atomic_load(&world.taken), 0);
}

/* Raw bytes are what is signed: NUL, CR LF, UTF-8. */
static void test_raw_bytes(void **state)
{
	static const char body[] = "command=%2Fw&text=a\0b\r\n\xc3\xa4";
	_cleanup_strbuf_ struct strbuf headers = STRBUF_INIT;
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	char at[24];

	(void)state;
	good_headers(now_text(at, 0), body, sizeof body - 1, &headers);
	/* It is Slack's, and no form of Slack's. */
	assert_int_equal(
		send_bytes("/slack/commands", headers.data, body, sizeof body - 1, &r),
		400);
	/* As far as the NUL it is another body. */
	good_headers(at, body, strlen(body), &headers);
	assert_int_equal(
		send_bytes("/slack/commands", headers.data, body, sizeof body - 1, &r),
		401);
}

/* 1 MiB, and one byte more, which nobody looks at. */
static void test_the_largest_body(void **state)
{
	const char begins[] = "{\"type\":\"event_callback\",\"a\":\"";
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT, headers = STRBUF_INIT;
	char at[24];

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;

		strbuf_clear(&body);
		strbuf_add_string(&body, begins);
		while (body.length < SLACK_BODY_MAX + more - 2)
			strbuf_add_char(&body, 'x');
		strbuf_add_string(&body, "\"}");
		assert_int_equal(body.length, SLACK_BODY_MAX + more);
		good_headers(now_text(at, 0), body.data, body.length, &headers);
		assert_int_equal(send_bytes("/slack/events", headers.data, body.data,
					    body.length, &r),
				 more ? 413 : 200);
	}
	assert_int_equal(atomic_load(&world.taken), 1);
}

/* ---- What is no request of Slack's ------------------------------------------------ */

static int get(const char *path, struct test_reply *r)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_format(&text, "GET %s HTTP/1.1\r\n" TEST_HOST "\r\n", path);
	test_exchange(world.port, text.data, r);
	return r->status;
}

static void test_paths(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;
	char text[128];

	(void)state;
	assert_int_equal(post_signed("/slack/other", fresh(text)), 404);
	assert_int_equal(post_signed("/slack/events/", fresh(text)), 404);
	assert_int_equal(post_signed("/SLACK/events", fresh(text)), 404);
	assert_int_equal(post_signed("/healthz", fresh(text)), 404);
	assert_int_equal(get("/slack/events", &r), 405);
	assert_int_equal(get("/", &r), 404);
	assert_int_equal(atomic_load(&world.taken), 0);
	assert_int_equal(get("/healthz", &r), 200);
	assert_int_equal(get("/readyz", &r), 200);
	atomic_store(&world.unready, true);
	assert_int_equal(get("/readyz", &r), 503);
	assert_string_equal(r.body.data, "not yet\n");
	assert_int_equal(get("/healthz", &r), 200);
}

/* Of a command's address Slack asks from time to time, unsigned; nothing else is so. */
static void test_health_calls(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;

	(void)state;
	assert_int_equal(post("/slack/commands", "", "ssl_check=1&token=x"), 200);
	assert_int_equal(post("/slack/commands", "", "token=x&ssl_check=1"), 200);
	assert_int_equal(get("/slack/commands?ssl_check=1", &r), 200);
	assert_int_equal(post("/slack/commands", "", "ssl_check=2"), 401);
	assert_int_equal(post("/slack/commands", "", "xssl_check=1"), 401);
	assert_int_equal(post("/slack/commands", "", "ssl_check=11"), 401);
	assert_int_equal(post("/slack/events", "", "ssl_check=1"), 401);
	assert_int_equal(post("/slack/interactions", "", "ssl_check=1"), 401);
	assert_int_equal(atomic_load(&world.taken), 0);
}

static void test_other_hosts(void **state)
{
	static const struct {
		const char *host;
		int status;
	} cases[] = { { "wingman.example.com", 200 },
		      { "127.0.0.1", 200 },
		      { "evil.example", 403 },
		      { "wingman.example.com.evil.example", 403 } };
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		strbuf_add_format(&text, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n",
				  cases[i].host);
		test_exchange(world.port, text.data, &r);
		assert_int_equal(r.status, cases[i].status);
	}
}

static void test_counted(void **state)
{
	_cleanup_reply_ struct test_reply r = TEST_REPLY_INIT;

	(void)state;
	assert_int_equal(get("/metrics", &r), 200);
	assert_non_null(strstr(r.body.data,
			       "wingman_slack_requests_total{outcome=\"refused\"} "));
	assert_non_null(strstr(r.body.data, "more 1\n# EOF\n"));
	assert_null(strstr(r.body.data, secret_text));
}

/* ---- At once --------------------------------------------------------------------- */

static void *send_many(void *context)
{
	const char *at = context;

	for (int i = 0; i < 20; i++) {
		_cleanup_strbuf_ struct strbuf headers = STRBUF_INIT;
		char body[128];

		(void)snprintf(body, sizeof body,
			       "{\"type\":\"event_callback\",\"at_once\":%d}", i);
		good_headers(at, body, strlen(body), &headers);
		assert_int_equal(post("/slack/events", headers.data, body), 200);
	}
	return NULL;
}

/* The same twenty from eight threads at once: each is taken once. */
static void test_at_once(void **state)
{
	pthread_t threads[8];
	char at[24];

	(void)state;
	(void)now_text(at, 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_many, at), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		(void)pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&world.taken), 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, reset)
	const struct CMUnitTest tests[] = {
		TEST(test_taken),
		TEST(test_what_is_answered),
		TEST(test_headers_in_any_case),
		TEST(test_hostile_headers),
		TEST(test_window),
		TEST(test_replay),
		TEST(test_sent_again),
		TEST(test_bodies),
		TEST(test_raw_bytes),
		TEST(test_the_largest_body),
		TEST(test_paths),
		TEST(test_health_calls),
		TEST(test_other_hosts),
		TEST(test_counted),
		TEST(test_at_once),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
