/* From a refusal to a token: every way there, and every one that leads elsewhere. */
#include "mcp/client/client_oauth_test.h"

static void the_whole_way(void **state)
{
	static const char *const lines[] = { "POST /mcp",      ("GET " PRM_PATH),
					     ("GET " AS_PATH), "POST /as/register",
					     "POST /as/token", "POST /mcp",
					     "POST /mcp",      NULL };
	struct world *w = *state;
	char text[256] = "";

	open_client(w);
	must_list(w);
	must_list(w); /* with the token, at once */
	check_log(w, lines);
	assert_int_equal(atomic_load(&w->people), 1);
	(void)snprintf(text, sizeof text, "%s/as/ask?response_type=code&", w->base);
	assert_memory_equal(w->asked_url, text, strlen(text));
	assert_true(form_value(w->asked_url, "scope", text, sizeof text));
	assert_string_equal(text, "read");
	assert_true(form_value(w->asked_url, "client_id", text, sizeof text));
	assert_string_equal(text, "id%20of%20as");
	assert_true(form_value(w->asked_url, "code_challenge_method", text, sizeof text));
	assert_string_equal(text, "S256");
	assert_true(form_value(w->asked_url, "resource", text, sizeof text));
	char resource[256];
	assert_true(form_value(w->token_body, "resource", resource, sizeof resource));
	assert_string_equal(resource, text);
	assert_non_null(strstr(text, "%2Fmcp"));
	assert_null(strstr(w->asked_url, "code_verifier"));
	assert_true(form_value(w->token_body, "code", text, sizeof text));
	assert_string_equal(text, "the-code");
	assert_string_equal(w->token_authorization, "");
	json_auto_t *sent = json_loads(w->registration, 0, NULL);
	assert_string_equal(json_get_string(sent, "application_type"), "native");
	assert_string_equal(json_get_string(sent, "client_name"), "the \"test\"");
	assert_string_equal(json_get_string(sent, "token_endpoint_auth_method"), "none");
}

static void where_the_resource_is_looked_for(void **state)
{
	static const char *const root[] = { "POST /mcp",
					    ("GET " PRM_PATH),
					    "GET /.well-known/oauth-protected-resource",
					    ("GET " AS_PATH),
					    "POST /as/register",
					    "POST /as/token",
					    "POST /mcp",
					    NULL };
	static const char *const named[] = { "POST /mcp",
					     "GET /elsewhere.json",
					     ("GET " AS_PATH),
					     "POST /as/register",
					     "POST /as/token",
					     "POST /mcp",
					     NULL };
	static const char *const gone[] = { "POST /mcp", "GET /nowhere.json", NULL };
	static const char *const trouble[] = { "POST /mcp", ("GET " PRM_PATH), NULL };
	struct world *w = *state;
	struct error err = ERROR_INIT;

	w->prm_at = "/.well-known/oauth-protected-resource";
	open_client(w);
	must_list(w);
	check_log(w, root);
	w->prm_at = "/elsewhere.json";
	w->challenge = "Bearer resource_metadata=\"%BASE%/elsewhere.json\"";
	w->good = 0;
	open_client(w);
	must_list(w);
	check_log(w, named);
	/* Who names a place is not asked elsewhere. */
	w->challenge = "Bearer resource_metadata=\"%BASE%/nowhere.json\"";
	w->good = 0;
	open_client(w);
	assert_false(list(w, &err));
	check_log(w, gone);
	w->challenge = "Bearer";
	w->prm_at = PRM_PATH;
	w->prm_status = 503;
	assert_false(list(w, &err));
	check_log(w, trouble);
	w->challenge = "Bearer resource_metadata=\"http://a.example/x\"";
	assert_false(list(w, &err));
	assert_int_equal(w->count, 1);
}

static void where_the_issuer_is_looked_for(void **state)
{
	static const char *const places[] = { AS_PATH,
					      "/.well-known/openid-configuration/as",
					      "/as/.well-known/openid-configuration" };
	struct world *w = *state;
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		w->as_at = places[i];
		w->good = 0;
		w->count = 0;
		open_client(w);
		must_list(w);
		for (size_t k = 0; k < ARRAY_SIZE(places); k++) {
			char line[LINE_MAX_BYTES];

			(void)snprintf(line, sizeof line, "GET %s", places[k]);
			assert_int_equal(asked(w, line), k <= i);
			if (k <= i)
				assert_string_equal(w->log[2 + k], line);
		}
	}
	w->as_at = NULL;
	w->good = 0;
	w->count = 0;
	open_client(w);
	assert_false(list(w, &err));
	assert_int_equal(w->count, 2 + ARRAY_SIZE(places));
}

/* Without any metadata, as revision 2025-03-26 has it. */
static void the_old_way(void **state)
{
	struct world *w = *state;

	w->prm_at = NULL;
	w->challenge = "Bearer";
	open_client(w);
	must_list(w);
	assert_int_equal(asked(w, "GET /.well-known/oauth-authorization-server"), 1);
	assert_int_equal(asked(w, "POST /register"), 1);
	assert_int_equal(asked(w, "POST /token"), 1);
	assert_non_null(strstr(w->asked_url, "/authorize?"));
}

/* The same with metadata at the server's origin, which may be for an issuer on it. */
static void the_old_way_with_metadata(void **state)
{
	static const struct {
		const char *issuer;
		bool good;
	} rows[] = {
		{ "%BASE%", true },
		{ "%BASE%/as", true },
		{ "%BASE%.evil", false },
		{ "%BASE%0/as", false },
		{ "https://evil.example", false },
		{ "", false },
	};
	struct world *w = *state;
	struct error err = ERROR_INIT;

	w->prm_at = NULL;
	w->challenge = "Bearer";
	w->as_at = "/.well-known/oauth-authorization-server";
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		w->as_issuer = rows[i].issuer;
		w->good = 0;
		w->count = 0;
		open_client(w);
		if (list(w, &err) != rows[i].good)
			fail_msg("%s", rows[i].issuer);
		assert_int_equal(asked(w, "POST /as/token"), rows[i].good);
		error_clear(&err);
	}
}

/* Refused before anybody was asked or any credential was shown. */
static void refuses(struct world *w)
{
	struct error err = ERROR_INIT;

	w->good = 0;
	w->count = 0;
	open_client(w);
	assert_false(list(w, &err));
	assert_int_equal(err.code, ERR_PERMISSION_DENIED);
	assert_int_equal(atomic_load(&w->people), 0);
	assert_int_equal(asked(w, "POST /as/register"), 0);
	assert_int_equal(asked(w, "POST /as/token"), 0);
}

static void metadata_that_is_refused(void **state)
{
	static const char *const resources[] = {
		"{}",
		"{\"resource\":\"https://evil.example/mcp\",\"authorization_servers\":"
		"[\"%BASE%/as\"]}",
		"{\"resource\":\"%BASE%/mcp/x\",\"authorization_servers\":[\"%BASE%/"
		"as\"]}",
		"{\"resource\":\"%BASE%/mcp\"}",
		"{\"resource\":\"%BASE%/mcp\",\"authorization_servers\":[]}",
		"{\"resource\":\"%BASE%/mcp\",\"authorization_servers\":"
		"[\"http://a.example\",\"file:///x\",\"%BASE%/as?x\",1]}",
	};
	static const char *const issuers[] = {
		"%BASE%/as/", "%BASE%/AS", "%BASE%", "https://evil.example", "",
	};
	static const char *const more[] = {
		REGISTERS, /* no PKCE at all */
		REGISTERS ",\"code_challenge_methods_supported\":[\"plain\"]",
		S256 ",\"registration_endpoint\":\"http://a.example/register\"",
		S256 ",\"registration_endpoint\":\"ftp://127.0.0.1/\"",
		S256 ",\"registration_endpoint\":7",
		S256, /* nobody knows us */
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
		w->prm = resources[i];
		refuses(w);
	}
	w->prm = PRM("/as");
	for (size_t i = 0; i < ARRAY_SIZE(issuers); i++) {
		w->as_issuer = issuers[i];
		refuses(w);
	}
	w->as_issuer = NULL;
	for (size_t i = 2; i < ARRAY_SIZE(more); i++) {
		w->as_more = more[i];
		refuses(w);
	}
	w->options.client_id = "known";
	for (size_t i = 0; i < 2; i++) {
		w->as_more = more[i];
		refuses(w);
	}
}

static void answers_to_the_browser(void **state)
{
	static const struct {
		const char *as_more, *redirect_more;
		bool good;
	} rows[] = {
		{ "", "&iss=%BASE%/as", true },
		{ ",\"authorization_response_iss_parameter_supported\":true",
		  "&iss=%BASE%/as", true },
		{ ",\"authorization_response_iss_parameter_supported\":true", "", false },
		{ ",\"authorization_response_iss_parameter_supported\":true",
		  "&iss=%BASE%/as/", false },
		{ "", "&iss=%BASE%/as2", false },
		{ "", "&state=x", false },
		{ "", "&error=access_denied", false },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf more = STRBUF_INIT;
		struct error err = ERROR_INIT;

		strbuf_add_format(&more, "%s%s", REGISTERS S256 PUBLIC, rows[i].as_more);
		w->as_more = more.data;
		w->redirect_more = rows[i].redirect_more;
		w->good = 0;
		w->count = 0;
		open_client(w);
		assert_int_equal(list(w, &err), rows[i].good);
		assert_int_equal(asked(w, "POST /as/token"), rows[i].good);
	}
}

static void token_answers_that_are_refused(void **state)
{
	static const struct {
		unsigned status;
		const char *reply;
	} rows[] = {
		{ 200, "" },
		{ 200, "[]" },
		{ 200, "{}" },
		{ 200, "{\"access_token\":\"SECRET\"}" },
		{ 200, "{\"access_token\":\"SECRET\",\"token_type\":\"DPoP\"}" },
		{ 200, "{\"access_token\":\"\",\"token_type\":\"Bearer\"}" },
		{ 200, "{\"access_token\":\"SECRET x\",\"token_type\":\"Bearer\"}" },
		{ 200,
		  "{\"access_token\":\"SECRET\\r\\nX: y\",\"token_type\":\"Bearer\"}" },
		{ 200, "{\"access_token\":[\"SECRET\"],\"token_type\":\"Bearer\"}" },
		{ 400, "{\"error\":\"SECRET\"}" },
		{ 400, "{\"error\":\"invalid_grant\",\"error_description\":\"SECRET\"}" },
		{ 500, "{\"access_token\":\"SECRET\",\"token_type\":\"Bearer\"}" },
		{ 302, "{\"access_token\":\"SECRET\",\"token_type\":\"Bearer\"}" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;

		w->token_reply = rows[i].reply;
		w->token_status = rows[i].status;
		w->count = 0;
		open_client(w);
		assert_false(list(w, &err));
		assert_int_equal(asked(w, "POST /mcp"), 1);
		assert_null(strstr(err.message, "SECRET"));
		assert_null(strstr(err.cause, "SECRET"));
		assert_null(strstr(err.hint, "SECRET"));
	}
}

static void nobody_to_ask(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;

	w->refuses_people = true;
	open_client(w);
	assert_false(list(w, &err));
	assert_string_equal(err.message, "nobody is there");
	assert_int_equal(asked(w, "POST /as/token"), 0);
	w->options.authorize = NULL;
	open_client(w);
	assert_false(list(w, &err));
	assert_int_equal(err.code, ERR_PERMISSION_DENIED);
}

static void a_server_on_the_internet_cannot_send_us_home(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	char url[128];

	open_client(w);
	struct client_oauth *o = w->client->oauth;
	const struct oauth_flow f = { .o = o, .until_ms = INT64_MAX };
	(void)snprintf(url, sizeof url, "%s%s", w->base, PRM_PATH);
	assert_null(oauth_fetch(&f, url, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_int_equal(w->count, 0);
	/* One that is at home may; so it is after its first answer. */
	error_clear(&err);
	atomic_store(&o->is_private, true);
	json_auto_t *document = oauth_fetch(&f, url, &err);
	assert_non_null(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
		TEST(the_whole_way),
		TEST(where_the_resource_is_looked_for),
		TEST(where_the_issuer_is_looked_for),
		TEST(the_old_way),
		TEST(the_old_way_with_metadata),
		TEST(metadata_that_is_refused),
		TEST(answers_to_the_browser),
		TEST(token_answers_that_are_refused),
		TEST(nobody_to_ask),
		TEST(a_server_on_the_internet_cannot_send_us_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
