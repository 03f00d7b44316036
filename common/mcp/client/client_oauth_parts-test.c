/* What the browser brings back, what a resource covers, what options are refused, and
 * where strangers cannot send us. */
#include "base/testing.h"
#include "mcp/client/client_oauth_private.h"

#define BACK   "http://127.0.0.1:7/back"
#define ISSUER "https://as.example/t1"

/* The code, or NULL. */
static struct secret *read_back(const char *url, bool tells_issuer, struct error *err)
{
	struct oauth_place place = { .tells_issuer = tells_issuer };

	(void)snprintf(place.issuer, sizeof place.issuer, "%s", ISSUER);
	error_clear(err);
	return oauth_read_redirect(&place, BACK, url, "S-1_x", err);
}

static void redirects_that_are_answers(void **state)
{
	static const struct {
		const char *url;
		bool tells_issuer;
		const char *code;
	} rows[] = {
		{ BACK "?code=c&state=S-1_x", false, "c" },
		{ BACK "?state=S-1_x&code=a%2Fb+c", false, "a/b c" },
		{ BACK "?x=%&code=c&&state=S-1_x&y#z", false, "c" },
		{ BACK "?code=c&state=S%2d1_x", false, "c" },
		{ BACK "?code=c&state=S-1_x&iss=https%3A%2F%2Fas.example%2Ft1", true,
		  "c" },
		{ BACK "?code=c&state=S-1_x&iss=" ISSUER, true, "c" },
		{ BACK "?code=c&state=S-1_x&iss=" ISSUER, false, "c" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		struct secret *code = read_back(rows[i].url, rows[i].tells_issuer, &err);

		if (!code)
			fail_msg("%s: %s", rows[i].url, err.message);
		assert_string_equal(secret_bytes(code), rows[i].code);
		secret_free(code);
	}
}

static void redirects_that_are_none(void **state)
{
	static const struct {
		const char *url;
		bool tells_issuer;
	} rows[] = {
		{ "", false },
		{ BACK, false },
		{ BACK "?", false },
		{ BACK "/?code=c&state=S-1_x", false },
		{ "http://127.0.0.1:70/back?code=c&state=S-1_x", false },
		{ "http://evil.example/?code=c&state=S-1_x", false },
		{ BACK "?code=c", false },
		{ BACK "?code=c&state=", false },
		{ BACK "?code=c&state=s-1_x", false },
		{ BACK "?code=c&state=S-1_", false },
		{ BACK "?code=c&state=S-1_xx", false },
		{ BACK "?code=c&state=S-1_x&state=S-1_x", false },
		{ BACK "?code=c&code=d&state=S-1_x", false },
		{ BACK "?state=S-1_x", false },
		{ BACK "?code=&state=S-1_x", false },
		{ BACK "?code&state=S-1_x", false },
		{ BACK "?code=%&state=S-1_x", false },
		{ BACK "?code=%0a&state=S-1_x", false },
		{ BACK "?code=%00&state=S-1_x", false },
		{ BACK "?code=%2&state=S-1_x", false },
		{ BACK "#code=c&state=S-1_x", false },
		{ BACK "?x#&code=c&state=S-1_x", false },
		{ BACK "?error=access_denied&code=c&state=S-1_x", false },
		/* Nothing is made equal before it is compared. */
		{ BACK "?code=c&state=S-1_x", true },
		{ BACK "?code=c&state=S-1_x&iss=", true },
		{ BACK "?code=c&state=S-1_x&iss=https://as.example/t1/", true },
		{ BACK "?code=c&state=S-1_x&iss=https://as.example/t1/", false },
		{ BACK "?code=c&state=S-1_x&iss=https://AS.example/t1", true },
		{ BACK "?code=c&state=S-1_x&iss=https://as.example:443/t1", true },
		{ BACK "?code=c&state=S-1_x&iss=https://as.example/%2574%2531", true },
		{ BACK "?code=c&state=S-1_x&iss=" ISSUER "&iss=" ISSUER, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		struct secret *code = read_back(rows[i].url, rows[i].tells_issuer, &err);

		if (code)
			fail_msg("taken: %s", rows[i].url);
		assert_int_equal(err.code, ERR_PERMISSION_DENIED);
	}
}

static void a_refusal_is_shown_only_of_whom_was_asked(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_null(read_back(BACK "?error=access_denied&state=S-1_x", false, &err));
	assert_non_null(strstr(err.message, "(access_denied)"));
	assert_null(read_back(BACK "?error=Buy%20now&state=S-1_x", false, &err));
	assert_null(strstr(err.message, "Buy"));
	assert_null(read_back(BACK "?error=shown_never&state=wrong", false, &err));
	assert_null(strstr(err.message, "shown_never"));
	assert_null(read_back(BACK "?error=shown_never&state=S-1_x", true, &err));
	assert_null(strstr(err.message, "shown_never"));
}

static void a_redirect_has_a_limit(void **state)
{
	_cleanup_strbuf_ struct strbuf url = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	strbuf_add_string(&url, BACK "?state=S-1_x&code=c&x=");
	while (url.length < CLIENT_OAUTH_REDIRECT_MAX)
		strbuf_add_char(&url, 'x');
	struct secret *code = read_back(url.data, false, &err);
	assert_non_null(code);
	secret_free(code);
	strbuf_add_char(&url, 'x');
	assert_null(read_back(url.data, false, &err));
}

static void what_a_resource_covers(void **state)
{
	static const struct {
		const char *resource, *server;
		bool covers;
	} rows[] = {
		{ "https://a.example/mcp", "https://a.example/mcp", true },
		{ "https://a.example", "https://a.example/mcp", true },
		{ "https://a.example/", "https://a.example/mcp", true },
		{ "https://a.example/mcp/", "https://a.example/mcp", true },
		{ "https://a.example/mcp", "https://a.example/mcp/", true },
		{ "https://a.example/x", "https://a.example/x/mcp", true },
		{ "https://A.Example/mcp", "https://a.example/mcp", true },
		{ "https://a.example/mcp", "https://a.example/mcp?x=y", true },
		{ "https://a.example/mcp?x=y", "https://a.example/mcp?x=y", true },
		{ "https://a.example/mc", "https://a.example/mcp", false },
		{ "https://a.example/mcp/x", "https://a.example/mcp", false },
		{ "https://a.example/Mcp", "https://a.example/mcp", false },
		{ "https://a.example/mcp?x=y", "https://a.example/mcp", false },
		{ "https://a.example:443/mcp", "https://a.example/mcp", false },
		{ "https://a.example.evil/mcp", "https://a.example/mcp", false },
		{ "https://a.exampl", "https://a.example/mcp", false },
		{ "https://evil.example/mcp", "https://a.example/mcp", false },
		{ "http://a.example/mcp", "https://a.example/mcp", false },
		{ "https://a.example/mcp#x", "https://a.example/mcp", false },
		{ "urn:a", "https://a.example/mcp", false },
		{ "", "https://a.example/mcp", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (oauth_resource_covers(rows[i].resource, rows[i].server) !=
		    rows[i].covers)
			fail_msg("%s, %s", rows[i].resource, rows[i].server);
}

static struct secret *load_nothing(void *context, const char *server)
{
	(void)context, (void)server;
	return NULL;
}

/* What is wrong, as a refusal; "" when it is taken. */
static const char *try_options(const struct mcp_client_oauth *options, const char *url,
			       struct error *err)
{
	struct client_oauth *o;

	error_clear(err);
	o = client_oauth_new(options, url, "test", NULL, err);
	client_oauth_free(o);
	assert_true(!o == error_is_set(err));
	return err->message;
}

static void options_that_are_refused(void **state)
{
	_cleanup_(secret_freep) struct secret *text = secret_new("s", 1);
	_cleanup_(secret_freep) struct secret *empty = secret_new("", 0);
	const struct mcp_client_oauth rows[] = {
		{ 0 },
		{ .redirect_uri = "http://a.example/" },
		{ .redirect_uri = "app:/back" },
		{ .redirect_uri = BACK, .metadata_url = "http://127.0.0.1/x" },
		{ .redirect_uri = BACK, .metadata_url = "https://a.example/" },
		{ .redirect_uri = BACK, .client_id = "" },
		{ .redirect_uri = BACK, .client_secret = text },
		{ .redirect_uri = BACK, .issuer = ISSUER },
		{ .redirect_uri = BACK, .client_id = "c", .issuer = "a.example" },
		{ .redirect_uri = BACK, .client_id = "c", .client_secret = empty },
		{ .redirect_uri = BACK, .client_id = "c", .signing_key = text },
		{ .redirect_uri = BACK, .load = load_nothing },
		{ .is_unattended = true, .client_id = "c" },
	};
	const struct mcp_client_oauth plain = { .redirect_uri = BACK };
	const struct mcp_client_oauth unattended = { .is_unattended = true,
						     .client_id = "c",
						     .client_secret = text };
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!*try_options(&rows[i], "https://a.example/mcp", &err))
			fail_msg("row %zu is taken", i);
	assert_string_equal(try_options(&plain, "https://a.example/mcp", &err), "");
	assert_string_equal(try_options(&unattended, "https://a.example/mcp", &err), "");
	assert_string_equal(try_options(&plain, "http://[::1]:80/mcp", &err), "");
	/* Anybody on the way could read the token. */
	assert_string_not_equal(try_options(&plain, "http://a.example/mcp", &err), "");
}

static void where_a_server_with_https_cannot_send_us(void **state)
{
	const struct mcp_client_oauth options = { .redirect_uri = BACK };
	struct error err = ERROR_INIT;
	struct client_oauth *o =
		client_oauth_new(&options, "https://a.example/mcp", "test", NULL, &err);

	(void)state;
	assert_non_null(o);
	assert_true(oauth_may_fetch(o, "https://b.example/x"));
	assert_false(oauth_may_fetch(o, "http://127.0.0.1/x"));
	assert_false(oauth_may_fetch(o, "http://b.example/x"));
	assert_false(oauth_may_fetch(o, "file:///etc/passwd"));
	client_oauth_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redirects_that_are_answers),
		cmocka_unit_test(redirects_that_are_none),
		cmocka_unit_test(a_refusal_is_shown_only_of_whom_was_asked),
		cmocka_unit_test(a_redirect_has_a_limit),
		cmocka_unit_test(what_a_resource_covers),
		cmocka_unit_test(options_that_are_refused),
		cmocka_unit_test(where_a_server_with_https_cannot_send_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
