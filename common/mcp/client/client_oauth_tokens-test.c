/* What becomes of tokens: they end, are not enough, are another issuer's, are kept. */
#include "base/clock.h"
#include "mcp/client/client_oauth_test.h"

static bool token_body_has(const struct world *w, const char *text)
{
	return strstr(w->token_body, text) != NULL;
}

static void a_dead_token_is_refreshed(void **state)
{
	struct world *w = *state;

	w->gives_refresh = true;
	open_client(w);
	must_list(w);
	w->good = 99; /* the server knows it no more */
	must_list(w);
	assert_int_equal(atomic_load(&w->people), 1);
	assert_true(token_body_has(w, "grant_type=refresh_token&refresh_token=r1&"));
	assert_true(token_body_has(w, "resource="));
	/* They rotate. */
	w->good = 99;
	must_list(w);
	assert_true(token_body_has(w, "refresh_token=r2&"));
	assert_int_equal(asked(w, "POST /as/register"), 1);
}

static void a_refresh_token_that_is_refused_is_forgotten(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;

	w->gives_refresh = true;
	open_client(w);
	must_list(w);
	w->good = 99;
	w->token_reply = "{\"error\":\"invalid_grant\"}";
	w->token_status = 400;
	assert_false(list(w, &err));
	assert_int_equal(asked(w, "POST /as/token"), 3); /* code, refresh, code */
	assert_int_equal(atomic_load(&w->people), 2);
	assert_false(list(w, &err));
	assert_int_equal(asked(w, "POST /as/token"), 4);
	assert_true(token_body_has(w, "grant_type=authorization_code"));
	/* Trouble there is no reason to bother somebody. */
	w->token_reply = NULL;
	must_list(w);
	assert_int_equal(atomic_load(&w->people), 4);
	w->good = 99;
	w->token_reply = "{\"error\":\"temporarily_unavailable\"}";
	w->token_status = 503;
	assert_false(list(w, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_int_equal(atomic_load(&w->people), 4);
	w->token_reply = NULL;
	must_list(w);
	assert_true(token_body_has(w, "grant_type=refresh_token"));
	assert_int_equal(atomic_load(&w->people), 4);
}

static void a_registration_that_is_gone_is_made_again(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;

	open_client(w);
	w->token_reply = "{\"error\":\"invalid_client\"}";
	w->token_status = 401;
	assert_false(list(w, &err));
	w->token_reply = NULL;
	must_list(w);
	assert_int_equal(asked(w, "POST /as/register"), 2);
}

static void a_token_that_ends_soon_is_renewed_before(void **state)
{
	static const char *const renewed[] = { "POST /mcp", "POST /as/token", "POST /mcp",
					       NULL };
	static const char *const once[] = { "POST /as/token", "POST /mcp", "POST /mcp",
					    NULL };
	struct world *w = *state;

	w->gives_refresh = true;
	w->life_s = 20;
	open_client(w);
	must_list(w);
	w->count = 0;
	must_list(w); /* there is time yet */
	w->client->oauth->tokens.renew_ms = clock_wall_ms();
	must_list(w);
	check_log(w, renewed);
	assert_true(token_body_has(w, "refresh_token=r1&"));
	/* While the server still takes it, what the issuer says does not matter. */
	w->token_reply = "{}";
	w->token_status = 500;
	w->client->oauth->tokens.renew_ms = clock_wall_ms();
	must_list(w);
	must_list(w);
	check_log(w, once);
	w->token_reply = NULL;
	w->good = 99;
	must_list(w);
	assert_int_equal(atomic_load(&w->people), 1);
}

static void more_scope_is_asked_for(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	char scope[100] = "";

	w->call_needs = "write";
	w->gives_refresh = true; /* which widens nothing */
	open_client(w);
	must_list(w);
	w->count = 0;
	if (!call_tool(w, &err))
		fail_msg("%s", err.message);
	assert_int_equal(asked(w, "POST /mcp"), 2);
	assert_int_equal(asked(w, "POST /as/register"), 0);
	assert_true(token_body_has(w, "grant_type=authorization_code"));
	assert_true(form_value(w->asked_url, "scope", scope, sizeof scope));
	assert_string_equal(scope, "read%20write");
	assert_true(call_tool(w, &err));
	assert_int_equal(atomic_load(&w->people), 2);
}

static void what_is_never_enough_is_given_up(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;

	w->never_enough = true;
	open_client(w);
	assert_false(call_tool(w, &err));
	assert_int_equal(err.code, ERR_PERMISSION_DENIED);
	assert_int_equal(asked(w, "POST /mcp"), 3); /* 401, 403, 403 */
	assert_int_equal(atomic_load(&w->people), 2);
	/* Nor is a person asked with every call. */
	assert_false(call_tool(w, &err));
	assert_int_equal(err.code, ERR_PERMISSION_DENIED);
	assert_int_equal(asked(w, "POST /mcp"), 4);
	assert_int_equal(atomic_load(&w->people), 2);
	/* Some minutes later it may be different. */
	w->client->oauth->fresh_ms -= 5 * 60 * 1000;
	w->never_enough = false;
	w->call_needs = "more";
	w->granted[0] = '\0';
	if (!call_tool(w, &err))
		fail_msg("%s", err.message);
	assert_int_equal(atomic_load(&w->people), 3);
}

static void a_token_that_is_never_taken_is_given_up(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;

	w->token_reply = "{\"access_token\":\"other\",\"token_type\":\"Bearer\"}";
	w->token_status = 200;
	open_client(w);
	assert_false(list(w, &err));
	assert_int_equal(asked(w, "POST /mcp"), 2);
	assert_int_equal(atomic_load(&w->people), 1);
}

/* A plain 403 is about the caller, and no token mends it. */
static void another_refusal_is_one(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;

	w->never_enough = true;
	open_client(w);
	must_list(w);
	struct client_oauth_try t = { 0 };
	assert_false(client_oauth_mend(w->client->oauth, &t, 403, NULL, INT64_MAX, &err));
	assert_false(error_is_set(&err));
	(void)snprintf(t.challenge.error, sizeof t.challenge.error, "invalid_token");
	assert_false(client_oauth_mend(w->client->oauth, &t, 403, NULL, INT64_MAX, &err));
	assert_false(client_oauth_mend(w->client->oauth, &t, 404, NULL, INT64_MAX, &err));
	assert_int_equal(atomic_load(&w->people), 1);
}

static void another_issuer_gets_nothing_of_the_first(void **state)
{
	struct world *w = *state;

	w->gives_refresh = true;
	w->as_more = ",\"registration_endpoint\":\"%BASE%/as2/register\"" S256 PUBLIC;
	w->prm = PRM("/as");
	open_client(w);
	w->as_more = REGISTERS S256 PUBLIC;
	must_list(w);
	w->good = 99;
	w->prm = PRM("/as2");
	w->as_more = ",\"registration_endpoint\":\"%BASE%/as2/register\"" S256 PUBLIC;
	must_list(w);
	assert_int_equal(asked(w, "POST /as/token"), 1);
	assert_int_equal(asked(w, "POST /as2/token"), 1);
	assert_int_equal(asked(w, "POST /as2/register"), 1);
	assert_true(token_body_has(w, "grant_type=authorization_code"));
	assert_true(token_body_has(w, "client_id=id%20of%20as2"));
	assert_non_null(strstr(w->asked_url, "client_id=id%20of%20as2&"));
}

static void a_secret_is_for_one_issuer(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	_cleanup_(secret_freep) struct secret *secret = secret_new("s:1", 3);
	char issuer[100];

	(void)snprintf(issuer, sizeof issuer, "%s/as", w->base);
	w->options.client_id = "we";
	w->options.client_secret = secret;
	w->options.issuer = issuer;
	w->as_more = S256; /* which takes the usual, Basic */
	open_client(w);
	must_list(w);
	assert_string_equal(w->token_authorization, "Basic d2U6cyUzQTE="); /* we:s%3A1 */
	assert_null(strstr(w->token_body, "s%3A1"));
	w->good = 99;
	w->prm = PRM("/as2");
	w->count = 0;
	assert_false(list(w, &err));
	assert_int_equal(asked(w, "POST /as2/token"), 0);
	assert_int_equal(atomic_load(&w->people), 1);
	/* Not said whose, it is the first one's. */
	w->options.issuer = NULL;
	w->prm = PRM("/as");
	open_client(w);
	must_list(w);
	w->good = 99;
	w->prm = PRM("/as2");
	assert_false(list(w, &err));
	assert_int_equal(asked(w, "POST /as2/token"), 0);
	/* One that is ours is chosen wherever it stands. */
	w->prm = "{\"resource\":\"%BASE%/mcp\",\"authorization_servers\":"
		 "[\"%BASE%/as2\",\"%BASE%/as\"]}";
	must_list(w);
	assert_int_equal(asked(w, "POST /as2/token"), 0);
	mcp_client_free(TAKE(w->client)); /* before what it borrows */
}

static void ways_to_say_who_we_are(void **state)
{
	static const struct {
		const char *methods, *registered, *basic, *body;
		bool good;
	} rows[] = {
		{ "\"none\"", "", "", "client_id=id%20of%20as", true },
		{ "\"client_secret_basic\"", ",\"client_secret\":\"S\"",
		  "Basic aWQlMjBvZiUyMGFzOlM=", "grant_type=", true },
		{ "\"client_secret_post\"", ",\"client_secret\":\"S\"", "",
		  "&client_secret=S", true },
		{ "\"none\"",
		  ",\"client_secret\":\"S\",\"token_endpoint_auth_method\":"
		  "\"client_secret_post\"",
		  "", "&client_secret=S", true },
		{ "\"client_secret_basic\"", "", "", "", false },
		{ "\"none\"", ",\"token_endpoint_auth_method\":\"tls_client_auth\"", "",
		  "", false },
		{ "\"none\"", ",\"client_secret\":\"\"", "", "", false },
		{ "\"none\"", ",\"client_secret\":\"a\\nb\"", "", "", false },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf more = STRBUF_INIT;
		struct error err = ERROR_INIT;

		strbuf_add_format(&more,
				  "%s,\"token_endpoint_auth_methods_supported\":[%s]",
				  REGISTERS S256, rows[i].methods);
		w->as_more = more.data;
		w->registered = rows[i].registered;
		w->good = 0;
		w->count = 0;
		open_client(w);
		assert_int_equal(list(w, &err), rows[i].good);
		assert_int_equal(asked(w, "POST /as/token"), rows[i].good);
		if (!rows[i].good)
			continue;
		assert_string_equal(w->token_authorization, rows[i].basic);
		assert_true(token_body_has(w, rows[i].body));
	}
}

static void a_document_says_who_we_are(void **state)
{
	struct world *w = *state;

	w->options.metadata_url = "https://client.example/me.json";
	w->as_more = REGISTERS S256 PUBLIC
		",\"client_id_metadata_document_supported\":true";
	open_client(w);
	must_list(w);
	assert_int_equal(asked(w, "POST /as/register"), 0);
	assert_true(
		token_body_has(w, "client_id=https%3A%2F%2Fclient.example%2Fme.json"));
}

static void nobody_is_asked_for_the_unattended(void **state)
{
	struct world *w = *state;
	_cleanup_(secret_freep) struct secret *secret = secret_new("s", 1);

	w->options.client_id = "we";
	w->options.client_secret = secret;
	w->options.is_unattended = true;
	w->as_more = "";
	open_client(w);
	must_list(w);
	assert_int_equal(atomic_load(&w->people), 0);
	assert_true(
		token_body_has(w, "grant_type=client_credentials&scope=read&resource="));
	mcp_client_free(TAKE(w->client));
}

static void refresh_tokens_are_asked_for_where_there_are_some(void **state)
{
	struct world *w = *state;

	w->options.is_offline = true;
	open_client(w);
	must_list(w);
	assert_null(strstr(w->asked_url, "offline_access"));
	assert_non_null(strstr(w->registration, "\"refresh_token\""));
	w->as_more = REGISTERS S256 PUBLIC ",\"scopes_supported\":[\"offline_access\"]";
	w->good = 0;
	open_client(w);
	must_list(w);
	assert_non_null(strstr(w->asked_url, "scope=read%20offline_access&"));
	assert_non_null(strstr(w->asked_url, "prompt=consent"));
}

static void tokens_are_kept(void **state)
{
	static const char *const begins[] = { "POST /mcp", NULL };
	struct world *w = *state;
	char before[sizeof w->kept];

	w->gives_refresh = true;
	w->options.load = load_kept;
	w->options.store = store_kept;
	open_client(w);
	must_list(w);
	assert_non_null(strstr(w->kept, "\"t1\""));
	assert_non_null(strstr(w->kept, "\"r1\""));
	w->count = 0;
	open_client(w);
	must_list(w);
	check_log(w, begins);
	/* The registration and the refresh token too. */
	w->good = 99;
	open_client(w);
	must_list(w);
	assert_int_equal(atomic_load(&w->people), 1);
	assert_int_equal(asked(w, "POST /as/register"), 0);
	assert_true(token_body_has(w, "refresh_token=r1&"));
	/* What is of another server, or is nothing, is nothing. */
	memcpy(before, w->kept, sizeof before);
	char *at = strstr(w->kept, "/mcp\"");
	assert_non_null(at);
	at[3] = 'q';
	open_client(w);
	must_list(w);
	assert_int_equal(atomic_load(&w->people), 2);
	(void)snprintf(w->kept, sizeof w->kept, "{\"format\":1}");
	open_client(w);
	must_list(w);
	assert_int_equal(atomic_load(&w->people), 3);
	memcpy(w->kept, before, sizeof before);
	w->options.redirect_uri = "http://127.0.0.1:7/back2";
	w->good = 99;
	open_client(w);
	assert_null(w->client->oauth->tokens.access);
	w->options.redirect_uri = "http://127.0.0.1:7/back";
	/* When the server leaves an issuer, what is kept of it goes. */
	memcpy(w->kept, before, sizeof before);
	w->refuses_people = true;
	w->prm = PRM("/as2");
	w->good = 99;
	open_client(w);
	struct error err = ERROR_INIT;
	assert_false(list(w, &err));
	assert_null(strstr(w->kept, "\"r2\""));
}

/* The next token may be somebody else's. */
static void private_lists_go_with_the_token(void **state)
{
	const struct client_freshness shared = { INT64_MAX, true },
				      private = { INT64_MAX, false };
	struct world *w = *state;
	struct mcp_client *c;

	open_client(w);
	c = w->client;
	must_list(w);
	json_auto_t *list_of_one = json_array();
	client_cache_put(c, "prompts/list", list_of_one, &private,
			 client_cache_generation(c));
	client_cache_put(c, "resources/list", list_of_one, &shared,
			 client_cache_generation(c));
	json_auto_t *mine = client_cache_get(c, "prompts/list");
	assert_non_null(mine);
	w->good = 99;
	must_list(w);
	assert_null(client_cache_get(c, "prompts/list"));
	json_auto_t *ours = client_cache_get(c, "resources/list");
	assert_non_null(ours);
}

static void *list_in_a_thread(void *context)
{
	struct error err = ERROR_INIT;

	return list(context, &err) ? context : NULL;
}

static void many_at_once_ask_once(void **state)
{
	struct world *w = *state;
	pthread_t threads[8];
	void *good;

	w->gives_refresh = true;
	open_client(w);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
			assert_int_equal(
				pthread_create(&threads[i], NULL, list_in_a_thread, w),
				0);
		for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
			assert_int_equal(pthread_join(threads[i], &good), 0);
			assert_ptr_equal(good, w);
		}
		assert_int_equal(atomic_load(&w->people), 1);
		assert_int_equal(asked(w, "POST /as/token"), 1 + round);
		(void)pthread_mutex_lock(&w->lock);
		w->good = 99; /* then one refreshes for all */
		(void)pthread_mutex_unlock(&w->lock);
	}
}

static void who_gives_up_does_not_wait_for_others(void **state)
{
	struct world *w = *state;
	struct client_oauth_try t = { 0 };
	struct error err = ERROR_INIT;
	atomic_bool cancel = true;

	open_client(w);
	assert_int_equal(pthread_mutex_lock(&w->client->oauth->flow), 0);
	assert_false(
		client_oauth_mend(w->client->oauth, &t, 401, &cancel, INT64_MAX, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_int_equal(pthread_mutex_unlock(&w->client->oauth->flow), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
		TEST(a_dead_token_is_refreshed),
		TEST(a_refresh_token_that_is_refused_is_forgotten),
		TEST(a_registration_that_is_gone_is_made_again),
		TEST(a_token_that_ends_soon_is_renewed_before),
		TEST(more_scope_is_asked_for),
		TEST(what_is_never_enough_is_given_up),
		TEST(a_token_that_is_never_taken_is_given_up),
		TEST(another_refusal_is_one),
		TEST(another_issuer_gets_nothing_of_the_first),
		TEST(a_secret_is_for_one_issuer),
		TEST(ways_to_say_who_we_are),
		TEST(a_document_says_who_we_are),
		TEST(nobody_is_asked_for_the_unattended),
		TEST(refresh_tokens_are_asked_for_where_there_are_some),
		TEST(tokens_are_kept),
		TEST(private_lists_go_with_the_token),
		TEST(many_at_once_ask_once),
		TEST(who_gives_up_does_not_wait_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
