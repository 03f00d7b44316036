/*
 * client_oauth_test -- a server that wants tokens, two issuers of them and a person, for
 * tests of the client. All in one process and on one port: the server is /mcp (revision
 * 2026-07-28), the issuers are /as and /as2.
 *
 * What they say is the script in struct world; what they were asked is its log.
 */
#ifndef MCP_CLIENT_OAUTH_TEST_H
#define MCP_CLIENT_OAUTH_TEST_H

#include "base/testing.h"
#include "mcp/client/client_oauth_private.h"
#include "mcp/client/client_private.h"
#include "wire/httpd.h"

enum { LOG_MAX = 128, LINE_MAX_BYTES = 96, ISSUED_MAX = 32 };

struct world {
	struct httpd *httpd;
	struct http_client *http;
	char base[64]; /* http://127.0.0.1:port */
	pthread_mutex_t lock;
	/* ---- The script. Texts may hold "%BASE%". ---- */
	const char *challenge; /* of a 401 */
	const char *prm_at;    /* path of the resource's metadata; NULL: none */
	const char *prm;       /* JSON */
	unsigned prm_status;   /* 200 */
	const char *as_at;     /* path of the metadata of /as */
	const char *as_more; /* members behind the endpoints, each with a comma before */
	const char *as_issuer;   /* NULL: the right one */
	const char *token_reply; /* instead of a token; its status follows */
	unsigned token_status;
	const char *registered;    /* members of the answer besides client_id */
	const char *call_needs;    /* scope that tools/call needs; NULL: none */
	const char *redirect_more; /* behind code and state */
	bool gives_refresh, never_enough, refuses_people;
	int life_s; /* 0: not told */
	/* ---- What happened ---- */
	char log[LOG_MAX][LINE_MAX_BYTES];
	size_t count;
	unsigned issued;   /* tokens "t1", "t2", ... with refresh tokens "r1", ... */
	unsigned good;     /* the token that is taken */
	char granted[256]; /* its scope */
	char asked_url[4096];
	char challenge_s256[OAUTH_PKCE_BYTES];
	char token_body[4096], token_authorization[512], registration[1024];
	char kept[4096]; /* what 'store' got; "": nothing, or forgotten */
	unsigned stored;
	atomic_uint people; /* how often somebody was asked */
	struct mcp_client_oauth options;
	struct mcp_client *client;
};

static inline void expand(const struct world *w, const char *text, struct strbuf *sb)
{
	for (const char *mark; (mark = strstr(text, "%BASE%")); text = mark + 6) {
		strbuf_add(sb, text, (size_t)(mark - text));
		strbuf_add_string(sb, w->base);
	}
	strbuf_add_string(sb, text);
}

static inline void answer(const struct world *w, struct http_request *req,
			  unsigned status, const char *text)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;

	expand(w, text, &body);
	http_reply(req, status, "application/json", NULL, &body);
}

/* ---- The issuers ---- */

static inline void answer_metadata(const struct world *w, struct http_request *req,
				   const char *as)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	char issuer[64];

	(void)snprintf(issuer, sizeof issuer, "%%BASE%%%s", as);
	strbuf_add_format(
		&sb,
		"{\"issuer\":\"%s\",\"authorization_endpoint\":\"%%BASE%%%s/ask\","
		"\"token_endpoint\":\"%%BASE%%%s/token\"%s}",
		w->as_issuer ? w->as_issuer : issuer, as, as, w->as_more);
	answer(w, req, 200, sb.data);
}

/* The value of a name in a form, decoded no further than what tests need. */
static inline bool form_value(const char *form, const char *name, char *ret, size_t size)
{
	const size_t length = strlen(name);

	for (const char *at = form; at; at = strchr(at, '&')) {
		at += *at == '&';
		if (strncmp(at, name, length) != 0 || at[length] != '=')
			continue;
		(void)snprintf(ret, size, "%.*s", (int)strcspn(at + length + 1, "&"),
			       at + length + 1);
		return true;
	}
	return false;
}

/* Whether the code's verifier is that of the authorization request. */
static inline bool is_proven(const struct world *w)
{
	char verifier[128] = "", challenge[OAUTH_PKCE_BYTES];
	struct error err = ERROR_INIT;

	if (!strstr(w->token_body, "grant_type=authorization_code"))
		return true;
	return form_value(w->token_body, "code_verifier", verifier, sizeof verifier) &&
	       oauth_pkce_challenge(verifier, challenge, &err) &&
	       strcmp(challenge, w->challenge_s256) == 0;
}

static inline void answer_token(struct world *w, struct http_request *req)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	if (w->token_reply || !is_proven(w)) {
		answer(w, req, w->token_reply ? w->token_status : 400,
		       w->token_reply ? w->token_reply : "{\"error\":\"invalid_grant\"}");
		return;
	}
	w->good = ++w->issued;
	strbuf_add_format(&sb, "{\"access_token\":\"t%u\",\"token_type\":\"bearer\"",
			  w->issued);
	if (w->gives_refresh)
		strbuf_add_format(&sb, ",\"refresh_token\":\"r%u\"", w->issued);
	if (w->life_s)
		strbuf_add_format(&sb, ",\"expires_in\":%d", w->life_s);
	strbuf_add_char(&sb, '}');
	answer(w, req, 200, sb.data);
}

static inline void answer_registration(struct world *w, struct http_request *req,
				       const char *as)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strbuf_add_format(&sb, "{\"client_id\":\"id of %s\"%s}", as + 1, w->registered);
	answer(w, req, 201, sb.data);
}

/* ---- The server ---- */

static inline void refuse_call(const struct world *w, struct http_request *req,
			       unsigned status, const char *challenge)
{
	_cleanup_strbuf_ struct strbuf field = STRBUF_INIT, none = STRBUF_INIT;

	expand(w, challenge, &field);
	const struct http_header headers[] = { { "WWW-Authenticate", field.data },
					       { 0 } };
	http_reply(req, status, NULL, headers, &none);
}

static inline bool has_scope(const struct world *w)
{
	return !w->call_needs || oauth_scope_has(w->granted, w->call_needs);
}

static inline void serve_mcp(struct world *w, struct http_request *req)
{
	const char *authorization = http_request_header(req, "Authorization");
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;
	size_t length;
	const char *text = http_request_body(req, &length);
	json_auto_t *body = json_parse(text, length, JSON_SYNTAX, &err);
	bool is_call = strcmp(json_get_string(body, "method") ?: "", "tools/call") == 0;
	char want[32], scope[300];

	(void)snprintf(want, sizeof want, "Bearer t%u", w->good);
	(void)snprintf(scope, sizeof scope,
		       "Bearer error=\"insufficient_scope\", scope=\"%s\"",
		       w->call_needs ? w->call_needs : "more");
	if (w->good == 0 || !authorization || strcmp(authorization, want) != 0) {
		refuse_call(w, req, 401, w->challenge);
	} else if (is_call && (w->never_enough || !has_scope(w))) {
		refuse_call(w, req, 403, scope);
	} else {
		strbuf_add_format(
			&sb,
			"{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{"
			"\"resultType\":\"complete\",\"tools\":[],\"content\":[]}}",
			(long long)json_get_int64(body, "id", 0));
		answer(w, req, 200, sb.data);
	}
}

static inline void note_bodies(struct world *w, struct http_request *req,
			       const char *path)
{
	size_t length;
	const char *text = http_request_body(req, &length);

	if (strstr(path, "/token")) {
		(void)snprintf(w->token_body, sizeof w->token_body, "%.*s", (int)length,
			       text);
		(void)snprintf(w->token_authorization, sizeof w->token_authorization,
			       "%s", http_request_header(req, "Authorization") ?: "");
	} else if (strstr(path, "/register")) {
		(void)snprintf(w->registration, sizeof w->registration, "%.*s",
			       (int)length, text);
	}
}

static inline void serve_world(void *context, struct http_request *req)
{
	struct world *w = context;
	const char *path = http_request_path(req);
	const char *as = strncmp(path, "/as2", 4) == 0 ? "/as2" : "/as";

	(void)pthread_mutex_lock(&w->lock);
	assert_true(w->count < LOG_MAX);
	(void)snprintf(w->log[w->count++], LINE_MAX_BYTES, "%s %s",
		       http_request_method(req), path);
	note_bodies(w, req, path);
	if (strcmp(path, "/mcp") == 0)
		serve_mcp(w, req);
	else if (w->prm_at && strcmp(path, w->prm_at) == 0)
		answer(w, req, w->prm_status, w->prm);
	else if (w->as_at && strcmp(path, w->as_at) == 0)
		answer_metadata(w, req, "/as");
	else if (strcmp(path, "/.well-known/oauth-authorization-server/as2") == 0)
		answer_metadata(w, req, "/as2");
	else if (strstr(path, "/token"))
		answer_token(w, req);
	else if (strstr(path, "/register"))
		answer_registration(w, req, as);
	else
		answer(w, req, 404, "{}");
	(void)pthread_mutex_unlock(&w->lock);
}

/* ---- The person ---- */

static inline bool person(void *context, const char *url, const atomic_bool *cancel,
			  struct strbuf *ret, struct error *err)
{
	struct world *w = context;
	char state[OAUTH_PKCE_BYTES] = "", scope[256] = "";

	(void)cancel;
	atomic_fetch_add(&w->people, 1);
	if (w->refuses_people)
		return error_set(err, ERR_PERMISSION_DENIED, "nobody is there");
	(void)pthread_mutex_lock(&w->lock);
	(void)snprintf(w->asked_url, sizeof w->asked_url, "%s", url);
	(void)form_value(url, "state", state, sizeof state);
	(void)form_value(url, "code_challenge", w->challenge_s256,
			 sizeof w->challenge_s256);
	(void)form_value(url, "scope", scope, sizeof scope);
	for (char *at = scope; (at = strstr(at, "%20")); at++) {
		*at = ' ';
		memmove(at + 1, at + 3, strlen(at + 3) + 1);
	}
	(void)snprintf(w->granted, sizeof w->granted, "%s", scope);
	strbuf_add_format(ret, "http://127.0.0.1:7/back?code=the-code&state=%s", state);
	expand(w, w->redirect_more, ret);
	(void)pthread_mutex_unlock(&w->lock);
	return true;
}

static inline struct secret *load_kept(void *context, const char *server)
{
	const struct world *w = context;

	assert_non_null(strstr(server, "/mcp"));
	return *w->kept ? secret_new(w->kept, strlen(w->kept)) : NULL;
}

static inline void store_kept(void *context, const char *server,
			      const struct secret *value)
{
	struct world *w = context;

	assert_non_null(strstr(server, "/mcp"));
	w->stored++;
	(void)snprintf(w->kept, sizeof w->kept, "%s",
		       value ? (const char *)secret_bytes(value) : "");
}

/* ---- Set-up ---- */

#define PRM_PATH "/.well-known/oauth-protected-resource/mcp"
#define AS_PATH  "/.well-known/oauth-authorization-server/as"
#define PRM(issuer)                                                                      \
	"{\"resource\":\"%BASE%/mcp\",\"authorization_servers\":[\"%BASE%" issuer "\"]}"
#define REGISTERS ",\"registration_endpoint\":\"%BASE%/as/register\""
#define S256      ",\"code_challenge_methods_supported\":[\"S256\"]"
#define PUBLIC    ",\"token_endpoint_auth_methods_supported\":[\"none\"]"

static inline int open_world(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	const struct httpd_config config = {
		.address = "127.0.0.1", .loops = 1, .handler = serve_world, .context = w
	};
	struct error err = ERROR_INIT;

	(void)pthread_mutex_init(&w->lock, NULL);
	w->httpd = httpd_start(&config, &err);
	w->http = http_client_new("test", &err);
	if (!w->httpd || !w->http)
		return -1;
	(void)snprintf(w->base, sizeof w->base, "http://127.0.0.1:%u",
		       httpd_port(w->httpd));
	w->challenge = "Bearer scope=\"read\"";
	w->prm_at = PRM_PATH;
	w->prm = PRM("/as");
	w->prm_status = 200;
	w->as_at = AS_PATH;
	w->as_more = REGISTERS S256 PUBLIC;
	w->registered = "";
	w->redirect_more = "";
	w->options = (struct mcp_client_oauth){ .context = w,
						.redirect_uri = "http://127.0.0.1:7/back",
						.authorize = person };
	*state = w;
	return 0;
}

static inline int close_world(void **state)
{
	struct world *w = *state;

	mcp_client_free(w->client);
	http_client_free(w->http);
	httpd_stop(w->httpd, 1000);
	free(w);
	return 0;
}

/* The client of w->options, new. */
static inline void open_client(struct world *w)
{
	struct error err = ERROR_INIT;
	char url[80];

	mcp_client_free(w->client);
	(void)snprintf(url, sizeof url, "%s/mcp", w->base);
	const struct mcp_client_options options = {
		.url = url,
		.http = w->http,
		.name = "the \"test\"",
		.era = MCP_ERA_MODERN,
		.oauth = &w->options,
	};
	w->client = mcp_client_open(&options, &err);
	if (!w->client)
		fail_msg("%s", err.message);
}

static inline bool list(struct world *w, struct error *err)
{
	error_clear(err);
	json_auto_t *tools = mcp_client_list_tools(w->client, 10000, err);

	return tools != NULL;
}

static inline bool call_tool(struct world *w, struct error *err)
{
	const struct mcp_client_call call = { .tool = "go", .timeout_ms = 10000 };
	bool sent;

	error_clear(err);
	json_auto_t *result = mcp_client_call(w->client, &call, &sent, err);
	return result != NULL;
}

static inline void must_list(struct world *w)
{
	struct error err = ERROR_INIT;

	if (!list(w, &err))
		fail_msg("%s (%s)", err.message, err.cause);
}

/* How often something was asked, "GET /x". */
static inline unsigned asked(const struct world *w, const char *line)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->count; i++)
		n += strcmp(w->log[i], line) == 0;
	return n;
}

/* The whole log, and forget it. 'lines' ends with NULL. */
static inline void check_log(struct world *w, const char *const *lines)
{
	size_t i = 0;

	for (; i < w->count && lines[i]; i++)
		assert_string_equal(w->log[i], lines[i]);
	if (lines[i] || i < w->count)
		fail_msg("%s", lines[i] ? lines[i] : w->log[i]);
	w->count = 0;
}

#endif
