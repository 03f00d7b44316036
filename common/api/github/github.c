#include "api/github/github.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "api/github/github_private.h"

#define PUBLIC_URL  "https://api.github.com"
#define SERVER_PATH "/api/v3"

enum {
	WRITE_GAP_MS = 1000,
	SECONDARY_WAIT_MS = 60 * 1000,
	LOGIN_MAX = 48, /* 39, and the suffix of managed users */
};

static const struct http_client_header headers[] = {
	{ "Accept", "application/vnd.github+json" },
	{ "X-GitHub-Api-Version", "2022-11-28" },
	{ 0 }
};

/* Whether a 403 is one of rates: it says when, has none left, or says so. */
static bool is_limit(const struct http_client_reply *reply, const char *message)
{
	const char *left = http_client_reply_header(reply, "x-ratelimit-remaining", 0);

	return reply->retry_after_ms >= 0 || (left && strcmp(left, "0") == 0) ||
	       (message && (strcasestr(message, "secondary rate limit") ||
			    strcasestr(message, "abuse detection")));
}

/* {"message":"...","documentation_url":"...","errors":[{"code":"..."}]} */
static void judge(const struct http_client_reply *reply, const json_t *body,
		  struct rest_fault *f)
{
	const char *message = json_get_string(body, "message");
	const json_t *errors = json_object_get(body, "errors");
	const char *left = http_client_reply_header(reply, "x-ratelimit-remaining", 0);

	if (f->verdict == REST_GOOD)
		return;
	rest_fault_name(f->name, json_get_string(json_array_get(errors, 0), "code"));
	rest_fault_name(f->id, http_client_reply_header(reply, "x-github-request-id", 0));
	if (message)
		rest_fault_text(f, message);
	if ((reply->status == 403 || reply->status == 429) && is_limit(reply, message)) {
		f->verdict = REST_LATER;
		f->code = ERR_RATE_LIMITED;
		f->hint = NULL;
		/* Without a time it is the secondary limit, which wants a minute. */
		if (f->wait_ms < 0 && !(left && strcmp(left, "0") == 0))
			f->wait_ms = SECONDARY_WAIT_MS;
	} else if (http_client_reply_header(reply, "X-GitHub-SSO", 0)) {
		f->code = ERR_PERMISSION_DENIED;
		f->hint = "authorize the token for the organisation's single sign-on";
	}
}

static const struct rest_vendor vendor = {
	.name = "GitHub",
	.headers = headers,
	.remaining_header = "x-ratelimit-remaining",
	.reset_header = "x-ratelimit-reset",
	.write_gap_ms = WRITE_GAP_MS,
	.judge = judge,
};

void github_close(struct github *g)
{
	if (!g)
		return;
	rest_free(g->rest);
	rest_credential_free(g->credential);
	jwt_signer_free(g->signer);
	free(g->organization);
	free(g->graphql);
	free(g);
}

struct settings {
	const char *organization, *url, *token_file, *key_file, *ca_file;
	int64_t app_id, installation_id, timeout_ms;
};

static const struct json_field fields[] = {
	{ "organization", JSON_FIELD_STRING, offsetof(struct settings, organization),
	  JSON_FIELD_REQUIRED },
	{ "url", JSON_FIELD_STRING, offsetof(struct settings, url), 0 },
	{ "token_file", JSON_FIELD_STRING, offsetof(struct settings, token_file), 0 },
	{ "app_id", JSON_FIELD_INT64, offsetof(struct settings, app_id), 0 },
	{ "installation_id", JSON_FIELD_INT64, offsetof(struct settings, installation_id),
	  0 },
	{ "key_file", JSON_FIELD_STRING, offsetof(struct settings, key_file), 0 },
	{ "ca_file", JSON_FIELD_STRING, offsetof(struct settings, ca_file), 0 },
	{ "timeout_ms", JSON_FIELD_INT64, offsetof(struct settings, timeout_ms), 0 },
	{ 0 }
};

static struct jwt_signer *read_signer(const struct statedir *dir, const char *file,
				      struct error *err)
{
	_cleanup_free_ char *path = statedir_file(dir, file);
	_cleanup_(secret_freep) struct secret *pem = NULL;

	if (!path) {
		error_oom(err);
		return NULL;
	}
	pem = secret_read(path, false, err);
	return pem ? jwt_signer_new(pem, NULL, JWT_SIGN_RS256, err) : NULL;
}

static bool open_credential(struct github *g, const struct statedir *dir,
			    const struct settings *s, struct error *err)
{
	const bool is_app = s->app_id > 0 && s->installation_id > 0 && s->key_file;

	if (s->token_file && s->app_id == 0 && s->installation_id == 0 && !s->key_file) {
		g->credential = rest_credential_file("Bearer", dir, s->token_file, err);
		return g->credential != NULL;
	}
	if (s->token_file || !is_app)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "GitHub wants a token_file, or an app_id with an "
				 "installation_id and a key_file, and not both");
	g->app_id = s->app_id;
	g->installation_id = s->installation_id;
	g->signer = read_signer(dir, s->key_file, err);
	g->credential =
		g->signer ? rest_credential_fetched("Bearer", github_fetch_token, g, err)
			  : NULL;
	return g->credential != NULL;
}

/* https://api.github.com has it at /graphql, https://HOST/api/v3 at /api/graphql. */
static bool set_graphql(struct github *g, const char *url, struct error *err)
{
	const size_t length = strlen(url), path = strlen(SERVER_PATH);
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	g->is_server = length > path && strcmp(url + length - path, SERVER_PATH) == 0;
	strbuf_add(&sb, url, g->is_server ? length - strlen("/v3") : length);
	strbuf_add_string(&sb, "/graphql");
	g->graphql = strbuf_take(&sb);
	return g->graphql || error_oom(err);
}

struct github *github_open(const struct statedir *dir, const json_t *config,
			   struct error *err)
{
	_cleanup_(github_closep) struct github *g = calloc(1, sizeof *g);
	_cleanup_free_ char *ca_file = NULL;
	struct settings s = { .url = PUBLIC_URL };

	if (!g) {
		error_oom(err);
		return NULL;
	}
	if (!json_decode(config, fields, &s, "github", err) ||
	    !github_check_login(s.organization, err) ||
	    !open_credential(g, dir, &s, err) || !set_graphql(g, s.url, err))
		return NULL;
	g->organization = strdup(s.organization);
	if (!g->organization ||
	    (s.ca_file && !(ca_file = statedir_file(dir, s.ca_file)))) {
		error_oom(err);
		return NULL;
	}
	const struct rest_options options = { .base = s.url,
					      .ca_file = ca_file,
					      .timeout_ms = s.timeout_ms };
	g->rest = rest_new(&vendor, rest_credential_auth(g->credential), &options, err);
	return g->rest ? TAKE(g) : NULL;
}

const char *github_organization(const struct github *g)
{
	return g->organization;
}

bool github_is_server(const struct github *g)
{
	return g->is_server;
}

struct rest *github_rest(const struct github *g)
{
	return g->rest;
}

bool github_is_login(const char *text)
{
	const size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return length > 0 && length <= LOGIN_MAX && text[length] == '\0';
}

bool github_check_login(const char *login, struct error *err)
{
	return github_is_login(login) ||
	       error_set(err, ERR_INVALID_ARGUMENT, "that is no login of GitHub");
}

bool github_fail_shape(const char *what, struct error *err)
{
	return error_set(err, ERR_BACKEND_UNAVAILABLE, "what GitHub sent is no %s", what);
}

/* ---- Requests ---- */

bool github_do(struct github *g, const char *what, const char *method, const json_t *body,
	       bool may_repeat, const struct rest_patience *patience,
	       struct rest_reply *reply, struct error *err, const char *path, ...)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	va_list args;

	va_start(args, path);
	strbuf_add_vformat(&text, path, args);
	va_end(args);
	if (!strbuf_ok(&text))
		return error_oom(err);
	const struct rest_request request = {
		.what = what,
		.method = method,
		.path = text.data,
		.json = body,
		.bucket = "core",
		.may_repeat = may_repeat,
	};
	return rest_call(g->rest, &request, patience, reply, err);
}

struct items {
	github_item_fn *fn;
	void *context;
};

static bool on_page(void *context, const json_t *body, struct error *err)
{
	const struct items *items = context;

	if (!json_is_array(body))
		return github_fail_shape("list", err);
	for (size_t i = 0; i < json_array_size(body); i++)
		if (!items->fn(items->context, json_array_get(body, i), err))
			return false;
	return true;
}

bool github_each(struct github *g, const char *what, const struct rest_patience *patience,
		 github_item_fn *fn, void *context, struct error *err, const char *path,
		 ...)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct items items = { fn, context };
	va_list args;

	va_start(args, path);
	strbuf_add_vformat(&text, path, args);
	va_end(args);
	if (!strbuf_ok(&text))
		return error_oom(err);
	const struct rest_request request = {
		.what = what, .method = "GET", .path = text.data, .bucket = "core"
	};
	return rest_each_page(g->rest, &request, patience, on_page, &items, err);
}

bool github_ping(struct github *g, const struct rest_patience *patience,
		 struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;

	return github_do(g, "ask for the organisation", "GET", NULL, false, patience,
			 &reply, err, "/orgs/%s", g->organization);
}
