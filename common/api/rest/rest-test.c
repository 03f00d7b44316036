/* A scripted vendor: what is repeated, what is not, what an error says, and where
 * credentials go. No test waits: pauses are written down. */
#include "api/rest/rest.h"

#include "base/clock.h"
#include "base/testing.h"
#include "wire/httpd.h"

enum { REPLIES_MAX = 8, PAUSES_MAX = 16 };

struct scripted {
	int status;
	const char *type, *body;
	const char *name, *value;   /* a header; name NULL: none */
	const char *name2, *value2; /* and another */
};

struct world {
	struct httpd *server;
	uint16_t port;
	struct scripted replies[REPLIES_MAX];
	size_t reply_count;
	atomic_uint seen;
	char last[512]; /* method, path, authorization, body of the last one */
	int64_t pauses[PAUSES_MAX];
	size_t pause_count;
	atomic_bool cancel;
	bool cancel_in_pause;
};

static void serve(void *context, struct http_request *req)
{
	struct world *w = context;
	const unsigned index = atomic_fetch_add(&w->seen, 1);
	const struct scripted *s =
		&w->replies[index < w->reply_count ? index : w->reply_count - 1];
	struct http_header headers[3] = { { s->name, s->value },
					  { s->name2, s->value2 },
					  { 0 } };
	const char *authorization = http_request_header(req, "Authorization");
	const char *etag = http_request_header(req, "If-None-Match");
	const char *page = http_request_query(req, "page");
	struct strbuf out = STRBUF_INIT;
	size_t length;
	const char *body = http_request_body(req, &length);

	(void)snprintf(w->last, sizeof w->last, "%s %s%s%s [%s] %s %s",
		       http_request_method(req), http_request_path(req),
		       page ? " page=" : "", page ? page : "",
		       authorization ? authorization : "", etag ? etag : "", body);
	strbuf_add_string(&out, s->body ? s->body : "");
	http_reply(req, (unsigned)s->status, s->body ? s->type : NULL,
		   s->name ? headers : NULL, &out);
}

static int begin(void **state)
{
	static struct world w;
	struct error err = ERROR_INIT;
	const struct httpd_config config = {
		.address = "127.0.0.1", .loops = 1, .handler = serve, .context = &w
	};

	w.server = httpd_start(&config, &err);
	if (!w.server)
		return -1;
	w.port = httpd_port(w.server);
	*state = &w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	httpd_stop(w->server, 0);
	return 0;
}

static void note_pause(void *context, int64_t ms)
{
	struct world *w = context;

	if (w->pause_count < PAUSES_MAX)
		w->pauses[w->pause_count++] = ms;
	if (w->cancel_in_pause)
		atomic_store(&w->cancel, true);
}

static bool static_value(void *context, const struct rest_patience *patience,
			 struct strbuf *sb, struct error *err)
{
	(void)context, (void)patience, (void)err;
	strbuf_add_string(sb, "Bearer s3cret");
	return true;
}

static const struct rest_auth fixed = { .value = static_value };

static const struct rest_vendor vendor = {
	.name = "Acme",
	.remaining_header = "X-Left",
	.reset_header = "X-Reset",
	.write_gap_ms = 1000,
};

static struct rest *make(struct world *w, const struct rest_auth *auth,
			 const struct scripted *replies, size_t count)
{
	char base[64];
	const struct rest_options options = { .base = base,
					      .pause = note_pause,
					      .pause_context = w };
	struct error err = ERROR_INIT;

	(void)snprintf(base, sizeof base, "http://127.0.0.1:%u/api", w->port);
	memcpy(w->replies, replies, count * sizeof *replies);
	w->reply_count = count;
	atomic_store(&w->seen, 0);
	atomic_store(&w->cancel, false);
	w->cancel_in_pause = false;
	w->pause_count = 0;
	struct rest *r = rest_new(&vendor, auth, &options, &err);
	assert_non_null(r);
	return r;
}
#define MAKE(w, ...)                                                                     \
	make(w, &fixed, (const struct scripted[]){ __VA_ARGS__ },                        \
	     sizeof((const struct scripted[]){ __VA_ARGS__ }) / sizeof(struct scripted))

#define JSON "application/json"
#define GOOD                                                                             \
	{                                                                                \
		.status = 200, .type = JSON, .body = "{\"a\":1}"                         \
	}
#define STATUS(n)                                                                        \
	{                                                                                \
		.status = (n), .type = JSON, .body = "{}"                                \
	}

static bool go_with(struct world *w, struct rest *r, struct rest_request q,
		    int64_t patience_ms, struct rest_reply *reply, struct error *err)
{
	struct rest_patience p = rest_patience(patience_ms);

	p.cancel = &w->cancel;
	q.what = "do it";
	if (!q.method)
		q.method = "GET";
	if (!q.path)
		q.path = "/x";
	error_clear(err);
	return rest_call(r, &q, &p, reply, err);
}

/* Go, and forget the reply. */
static bool go(struct world *w, struct rest *r, struct rest_request q, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;

	return go_with(w, r, q, 600 * 1000, &reply, err);
}

#define _cleanup_rest_ _cleanup_(rest_freep)

static void a_request_carries_who_we_are_and_no_more(void **state)
{
	struct world *w = *state;
	_cleanup_rest_ struct rest *r = MAKE(w, GOOD);
	json_auto_t *body = json_pack("{s:i}", "b", 2);
	struct error err = ERROR_INIT;

	assert_true(go(w, r, (struct rest_request){ 0 }, &err));
	assert_string_equal(w->last, "GET /api/x [Bearer s3cret]  ");
	assert_true(go(
		w, r, (struct rest_request){ .method = "PUT", .json = body, .etag = "e" },
		&err));
	assert_string_equal(w->last, "PUT /api/x [Bearer s3cret] e {\"b\":2}");
	assert_true(go(w, r, (struct rest_request){ .authorization = "" }, &err));
	assert_string_equal(w->last, "GET /api/x []  ");
}

static void reads_that_failed_there_are_repeated_and_writes_are_not(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	static const int broken[] = { 500, 502, 503, 504 };

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		_cleanup_rest_ struct rest *r =
			MAKE(w, STATUS(broken[i]), STATUS(broken[i]), GOOD);
		assert_true(go(w, r, (struct rest_request){ 0 }, &err));
		assert_int_equal(w->seen, 3);
		assert_int_equal(w->pause_count, 2);
		assert_true(w->pauses[0] >= 150 && w->pauses[0] < 300);
		assert_true(w->pauses[1] >= 300 && w->pauses[1] < 600);
		atomic_store(&w->seen, 0);
		assert_false(go(w, r, (struct rest_request){ .method = "POST" }, &err));
		assert_int_equal(w->seen, 1);
		assert_int_equal(err.code, ERR_UNKNOWN_OUTCOME);
		atomic_store(&w->seen, 0);
		assert_true(go(w, r,
			       (struct rest_request){ .method = "POST", .reads = true },
			       &err));
		atomic_store(&w->seen, 0);
		assert_true(
			go(w, r,
			   (struct rest_request){ .method = "PUT", .may_repeat = true },
			   &err));
		assert_int_equal(w->seen, 3);
	}
}

static void a_vendor_that_stays_broken_is_given_up(void **state)
{
	struct world *w = *state;
	_cleanup_rest_ struct rest *r = MAKE(w, STATUS(503));
	struct error err = ERROR_INIT;

	assert_false(go(w, r, (struct rest_request){ 0 }, &err));
	assert_int_equal(w->seen, REST_TRIES_MAX);
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	atomic_store(&w->seen, 0);
	assert_false(go(w, r,
			(struct rest_request){ .method = "PUT", .may_repeat = true },
			&err));
	assert_int_equal(err.code, ERR_UNKNOWN_OUTCOME);
}

static void what_never_left_is_repeated_even_for_writes(void **state)
{
	struct world *w = *state;
	const struct rest_options options = { .base = "http://127.0.0.1:1",
					      .pause = note_pause,
					      .pause_context = w };
	struct error err = ERROR_INIT;
	_cleanup_rest_ struct rest *r = rest_new(&vendor, &fixed, &options, &err);

	w->pause_count = 0;
	atomic_store(&w->cancel, false);
	assert_non_null(r);
	assert_false(go(w, r, (struct rest_request){ .method = "POST" }, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_true(w->pause_count >= REST_TRIES_MAX - 1);
}

static void refused_for_its_rate_even_a_write_comes_again(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_rest_ struct rest *r =
		MAKE(w, { .status = 429, .name = "Retry-After", .value = "7" }, GOOD);

	assert_true(go(w, r, (struct rest_request){ .method = "POST" }, &err));
	assert_int_equal(w->seen, 2);
	/* The pause itself; then the bucket, which is closed as the pause took no time. */
	assert_true(w->pauses[0] >= 7000 && w->pauses[0] < 8000);
}

static void a_rate_beyond_the_patience_is_said_at_once(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_rest_ struct rest *r =
		MAKE(w, { .status = 429, .name = "Retry-After", .value = "300" }, GOOD);
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;

	assert_false(go_with(w, r, (struct rest_request){ 0 }, 5000, &reply, &err));
	assert_int_equal(err.code, ERR_RATE_LIMITED);
	assert_string_equal(err.hint, "ask again in 300 s");
	assert_int_equal(reply.status, 429);
	assert_int_equal(w->pause_count, 0);
	assert_true(rest_wait_ms(r) > 299 * 1000);
	/* Nobody else asks meanwhile, of this bucket. */
	assert_false(go_with(w, r, (struct rest_request){ 0 }, 5000, &reply, &err));
	assert_int_equal(err.code, ERR_RATE_LIMITED);
	assert_int_equal(w->seen, 1);
	assert_true(go_with(w, r, (struct rest_request){ .bucket = "other" }, 5000,
			    &reply, &err));
}

static void windows_are_judged_by_the_vendors_clock(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	/* A vendor that lives in 2001: 30 s until its reset. */
	_cleanup_rest_ struct rest *r = MAKE(w,
					     { .status = 429,
					       .name = "Date",
					       .value = "Sun, 09 Sep 2001 01:46:40 GMT",
					       .name2 = "X-Reset",
					       .value2 = "1000000030" },
					     GOOD);

	assert_true(go(w, r, (struct rest_request){ 0 }, &err));
	assert_true(w->pauses[0] > 28000 && w->pauses[0] < 31000);
	assert_true(rest_vendor_now_ms(r) > clock_wall_ms() - 5000); /* of the second */
}

static void none_left_closes_until_the_reset(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	char reset[24];
	struct scripted last = { .status = 200,
				 .type = JSON,
				 .body = "{}",
				 .name = "X-Left",
				 .value = "0",
				 .name2 = "X-Reset",
				 .value2 = reset };

	(void)snprintf(reset, sizeof reset, "%lld",
		       (long long)clock_wall_ms() / 1000 + 40);
	_cleanup_rest_ struct rest *r = make(w, &fixed, &last, 1);
	assert_true(go(w, r, (struct rest_request){ 0 }, &err));
	assert_int_equal(w->pause_count, 0);
	assert_true(go(w, r, (struct rest_request){ 0 }, &err));
	assert_int_equal(w->pause_count, 1);
	assert_true(w->pauses[0] > 35000 && w->pauses[0] < 42000);
}

static void a_window_of_years_is_no_reason_to_wait_for_years(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_rest_ struct rest *r = MAKE(w, { .status = 200,
						  .type = JSON,
						  .body = "{}",
						  .name = "X-Left",
						  .value = "0",
						  .name2 = "X-Reset",
						  .value2 = "999999999999" });

	assert_true(go(w, r, (struct rest_request){ 0 }, &err));
	assert_true(rest_wait_ms(r) <= 3700 * 1000);
}

static void writes_begin_apart(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_rest_ struct rest *r = MAKE(w, GOOD);

	for (int i = 0; i < 3; i++)
		assert_true(go(w, r, (struct rest_request){ .method = "PUT" }, &err));
	assert_int_equal(w->pause_count, 2);
	assert_true(w->pauses[0] > 500 && w->pauses[0] <= 1000);
	assert_true(w->pauses[1] > 1500 && w->pauses[1] <= 2000);
	assert_true(go(w, r, (struct rest_request){ 0 }, &err));
	assert_int_equal(w->pause_count, 2);
}

static void errors_have_our_codes_and_no_secrets(void **state)
{
	struct world *w = *state;
	static const struct {
		int status;
		enum error_code code;
	} rows[] = {
		{ 400, ERR_PRECONDITION_FAILED },
		{ 401, ERR_PERMISSION_DENIED },
		{ 403, ERR_PERMISSION_DENIED },
		{ 404, ERR_NOT_FOUND },
		{ 409, ERR_CONFLICT },
		{ 410, ERR_NOT_FOUND },
		{ 412, ERR_PRECONDITION_FAILED },
		{ 422, ERR_PRECONDITION_FAILED },
		{ 451, ERR_PRECONDITION_FAILED },
		{ 302, ERR_BACKEND_UNAVAILABLE },
		{ 304, ERR_BACKEND_UNAVAILABLE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_rest_ struct rest *r = MAKE(w, STATUS(rows[i].status));
		struct error err = ERROR_INIT;
		char status[24];

		(void)snprintf(status, sizeof status, "HTTP %d", rows[i].status);
		assert_false(go(w, r, (struct rest_request){ .path = "/x?k=v" }, &err));
		assert_int_equal(err.code, rows[i].code);
		assert_int_equal(w->seen, 1);
		assert_non_null(strstr(err.message, "cannot do it: Acme"));
		assert_non_null(strstr(err.message, status));
		assert_null(strstr(err.message, "s3cret"));
	}
}

static void replies_that_cannot_be_read_fail(void **state)
{
	struct world *w = *state;
	static const struct scripted odd[] = {
		{ .status = 200, .type = "text/html", .body = "<p>log in" },
		{ .status = 200, .type = JSON, .body = "{\"a\":1" },
		{ .status = 200, .type = JSON, .body = "{\"a\":1,\"a\":2}" },
		{ .status = 200, .type = JSON, .body = "{\"a\":\"\\ud800\"}" },
		{ .status = 200, .type = JSON, .body = "{} {}" },
		{ .status = 200,
		  .type = JSON,
		  .body = "{}",
		  .name = "Link",
		  .value = "<https://elsewhere.example/x>; rel=\"next\"" },
		{ .status = 200,
		  .type = JSON,
		  .body = "{}",
		  .name = "Link",
		  .value = "nonsense" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		_cleanup_rest_ struct rest *r = make(w, &fixed, &odd[i], 1);
		struct error err = ERROR_INIT;

		assert_false(go(w, r, (struct rest_request){ 0 }, &err));
		assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
		/* Of a write: it was done, as far as anybody knows. */
		if (i >= 5)
			continue;
		assert_false(go(w, r, (struct rest_request){ .method = "POST" }, &err));
		assert_int_equal(err.code, ERR_UNKNOWN_OUTCOME);
	}
}

static void a_reply_has_a_limit(void **state)
{
	struct world *w = *state;
	_cleanup_rest_ struct rest *r = MAKE(w, GOOD);
	struct error err = ERROR_INIT;

	assert_true(go(w, r, (struct rest_request){ .reply_max = strlen("{\"a\":1}") },
		       &err));
	assert_false(go(w, r,
			(struct rest_request){ .reply_max = strlen("{\"a\":1}") - 1 },
			&err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
}

static void only_within_its_origin_a_redirect_is_followed(void **state)
{
	struct world *w = *state;
	char away[128], here[128];
	struct error err = ERROR_INIT;
	struct scripted replies[2] = {
		{ .status = 301, .name = "Location", .value = "/api/y" }, GOOD
	};

	_cleanup_rest_ struct rest *r = make(w, &fixed, replies, 2);
	assert_true(go(w, r, (struct rest_request){ 0 }, &err));
	assert_string_equal(w->last, "GET /api/y [Bearer s3cret]  ");

	(void)snprintf(here, sizeof here, "http://127.0.0.1:%u/elsewhere", w->port);
	replies[0].value = here;
	_cleanup_rest_ struct rest *second = make(w, &fixed, replies, 2);
	assert_true(go(w, second, (struct rest_request){ 0 }, &err));
	assert_string_equal(w->last, "GET /elsewhere [Bearer s3cret]  ");

	/* Another name for the same machine is another origin. */
	(void)snprintf(away, sizeof away, "http://localhost:%u/x", w->port);
	const char *const others[] = { away, "https://evil.example/x", "//evil.example/x",
				       "javascript:1", "" };
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		replies[0].value = others[i];
		_cleanup_rest_ struct rest *other = make(w, &fixed, replies, 2);
		assert_false(go(w, other, (struct rest_request){ 0 }, &err));
		assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
		assert_int_equal(w->seen, 1);
	}
	/* A write is sent nowhere else. */
	replies[0].value = "/api/y";
	_cleanup_rest_ struct rest *writer = make(w, &fixed, replies, 2);
	assert_false(go(w, writer, (struct rest_request){ .method = "POST" }, &err));
	assert_int_equal(w->seen, 1);
	/* Round and round ends. */
	_cleanup_rest_ struct rest *round = make(w, &fixed, replies, 1);
	assert_false(go(w, round, (struct rest_request){ 0 }, &err));
	assert_int_equal(w->seen, 1 + REST_REDIRECTS_MAX);
}

static void an_etag_makes_304_good(void **state)
{
	struct world *w = *state;
	_cleanup_rest_ struct rest *r = MAKE(w,
					     { .status = 200,
					       .type = JSON,
					       .body = "{}",
					       .name = "ETag",
					       .value = "W/\"1\"" },
					     { .status = 304 });
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	struct error err = ERROR_INIT;

	assert_true(go_with(w, r, (struct rest_request){ 0 }, 9000, &reply, &err));
	assert_string_equal(reply.etag, "W/\"1\"");
	assert_true(go_with(w, r, (struct rest_request){ .etag = "W/\"1\"" }, 9000,
			    &reply, &err));
	assert_int_equal(reply.status, 304);
	assert_null(reply.body);
}

static bool count_page(void *context, const json_t *body, struct error *err)
{
	unsigned *pages = context;

	(void)err;
	*pages += json_is_array(body);
	return true;
}

static void pages_are_followed_to_their_end(void **state)
{
	struct world *w = *state;
	char next[128];
	const struct rest_request q = { .what = "list", .method = "GET", .path = "/l" };
	const struct rest_patience p = rest_patience(60000);
	struct scripted replies[3] = {
		{ .status = 200,
		  .type = JSON,
		  .body = "[]",
		  .name = "Link",
		  .value = next },
		{ .status = 200, .type = JSON, .body = "[1]" },
	};
	struct error err = ERROR_INIT;
	unsigned pages = 0;

	(void)snprintf(next, sizeof next,
		       "<http://127.0.0.1:%u/api/l>; rel=\"self\", "
		       "<http://127.0.0.1:%u/api/l?page=2>; rel=\"next\"",
		       w->port, w->port);
	_cleanup_rest_ struct rest *r = make(w, &fixed, replies, 2);
	assert_true(rest_each_page(r, &q, &p, count_page, &pages, &err));
	assert_int_equal(pages, 2);
	assert_string_equal(w->last, "GET /api/l page=2 [Bearer s3cret]  ");
	/* A next page that is always the same one. */
	_cleanup_rest_ struct rest *round = make(w, &fixed, replies, 1);
	pages = 0;
	assert_false(rest_each_page(round, &q, &p, count_page, &pages, &err));
	assert_int_equal(pages, 2);
	assert_non_null(strstr(err.message, "no last page"));
}

static void giving_up_ends_the_repetitions(void **state)
{
	struct world *w = *state;
	_cleanup_rest_ struct rest *r = MAKE(w, STATUS(503));
	struct error err = ERROR_INIT;

	w->cancel_in_pause = true;
	assert_false(go(w, r, (struct rest_request){ 0 }, &err));
	assert_int_equal(w->seen, 1);
	assert_int_equal(w->pause_count, 1);
	assert_false(go(w, r, (struct rest_request){ 0 }, &err));
	assert_int_equal(w->seen, 1);
}

struct renewed {
	unsigned asked, refused;
};

static bool renewed_value(void *context, const struct rest_patience *patience,
			  struct strbuf *sb, struct error *err)
{
	struct renewed *n = context;

	(void)patience, (void)err;
	strbuf_add_format(sb, "Bearer t%u", ++n->asked);
	return true;
}

static bool renewed_refused(void *context)
{
	struct renewed *n = context;

	n->refused++;
	return true;
}

static void credentials_that_ended_are_renewed_once(void **state)
{
	struct world *w = *state;
	struct renewed n = { 0 };
	const struct rest_auth auth = { renewed_value, renewed_refused, &n };
	const struct scripted replies[] = { STATUS(401), GOOD };
	struct error err = ERROR_INIT;

	_cleanup_rest_ struct rest *r = make(w, &auth, replies, 2);
	assert_true(go(w, r, (struct rest_request){ .method = "POST" }, &err));
	assert_string_equal(w->last, "POST /api/x [Bearer t2]  ");
	_cleanup_rest_ struct rest *other = make(w, &auth, replies, 1);
	assert_false(go(w, other, (struct rest_request){ 0 }, &err));
	assert_int_equal(w->seen, 2);
	assert_int_equal(err.code, ERR_PERMISSION_DENIED);
}

static void addresses_that_are_refused(void **state)
{
	static const char *const bad[] = {
		"http://api.example.com", "https://api.example.com/", "ftp://x", "",
		"https://u:p@x.example",  "https://x.example?a",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct rest_options options = { .base = bad[i] };
		struct error err = ERROR_INIT;

		assert_null(rest_new(&vendor, &fixed, &options, &err));
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	}
}

static void paths_stay_within_their_limit(void **state)
{
	struct world *w = *state;
	_cleanup_rest_ struct rest *r = MAKE(w, GOOD);
	struct error err = ERROR_INIT;
	char path[REST_PATH_MAX + 2];

	memset(path, 'a', sizeof path);
	path[0] = '/';
	path[REST_PATH_MAX] = '\0';
	assert_true(go(w, r, (struct rest_request){ .path = path }, &err));
	path[REST_PATH_MAX] = 'a';
	path[REST_PATH_MAX + 1] = '\0';
	assert_false(go(w, r, (struct rest_request){ .path = path }, &err));
	assert_false(
		go(w, r, (struct rest_request){ .path = "https://a.example/" }, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
}

static void what_is_encoded_is_one_segment(void **state)
{
	static const struct {
		const char *text, *encoded;
	} rows[] = {
		{ "a-Z.0_~", "a-Z.0_~" },
		{ "a@b/../c?d#e", "a%40b%2F..%2Fc%3Fd%23e" },
		{ ".", "%2E" },
		{ "..", "%2E%2E" },
		{ "\xc3\xa4 +", "%C3%A4%20%2B" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		rest_encode(&sb, rows[i].text);
		assert_string_equal(sb.data, rows[i].encoded);
	}
}

static void a_vendors_words_are_shown_whole_or_cut(void **state)
{
	struct rest_fault f;
	char name[REST_NAME_BYTES], long_text[500];

	(void)state;
	rest_fault_text(&f, "no\n\x1b[31m way \xe2\x80\xae!");
	assert_string_equal(f.text, "no\\n\\u001B[31m way \\u202E!");
	rest_fault_text(&f, NULL);
	assert_string_equal(f.text, "");
	rest_fault_text(&f, "token xoxb-123456789012-abcdefghijkl is bad");
	assert_null(strstr(f.text, "abcdefghijkl"));
	for (size_t i = 0; i + 2 < sizeof long_text; i += 2)
		memcpy(long_text + i, "\xc3\xa4", 3);
	rest_fault_text(&f, long_text);
	assert_int_equal(strlen(f.text), sizeof f.text - 2); /* 159 is half a letter */
	rest_fault_name(name, "E0000\"};\n<b>07");
	assert_string_equal(name, "E0000b07");
	rest_fault_name(name, NULL);
	assert_string_equal(name, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_carries_who_we_are_and_no_more),
		cmocka_unit_test(reads_that_failed_there_are_repeated_and_writes_are_not),
		cmocka_unit_test(a_vendor_that_stays_broken_is_given_up),
		cmocka_unit_test(what_never_left_is_repeated_even_for_writes),
		cmocka_unit_test(refused_for_its_rate_even_a_write_comes_again),
		cmocka_unit_test(a_rate_beyond_the_patience_is_said_at_once),
		cmocka_unit_test(windows_are_judged_by_the_vendors_clock),
		cmocka_unit_test(none_left_closes_until_the_reset),
		cmocka_unit_test(a_window_of_years_is_no_reason_to_wait_for_years),
		cmocka_unit_test(writes_begin_apart),
		cmocka_unit_test(errors_have_our_codes_and_no_secrets),
		cmocka_unit_test(replies_that_cannot_be_read_fail),
		cmocka_unit_test(a_reply_has_a_limit),
		cmocka_unit_test(only_within_its_origin_a_redirect_is_followed),
		cmocka_unit_test(an_etag_makes_304_good),
		cmocka_unit_test(pages_are_followed_to_their_end),
		cmocka_unit_test(giving_up_ends_the_repetitions),
		cmocka_unit_test(credentials_that_ended_are_renewed_once),
		cmocka_unit_test(addresses_that_are_refused),
		cmocka_unit_test(paths_stay_within_their_limit),
		cmocka_unit_test(what_is_encoded_is_one_segment),
		cmocka_unit_test(a_vendors_words_are_shown_whole_or_cut),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
