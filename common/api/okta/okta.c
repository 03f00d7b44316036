#include "api/okta/okta.h"

#include <string.h>

#include "api/okta/okta_private.h"

enum { SCOPES_MAX = 1024, ID_MAX = 64 };

static const struct http_client_header headers[] = { { "Accept", "application/json" },
						     { 0 } };

/* {"errorCode":"E0000006","errorSummary":"...","errorId":"oae...","errorCauses":[...]};
 * of the token endpoint {"error":"...","error_description":"..."}. */
static void judge(const struct http_client_reply *reply, const json_t *body,
		  struct rest_fault *f)
{
	const json_t *causes = json_object_get(body, "errorCauses");
	const char *cause = json_get_string(json_array_get(causes, 0), "errorSummary");
	const char *summary = json_get_string(body, "errorSummary");
	const char *code = json_get_string(body, "errorCode");

	(void)reply;
	if (f->verdict == REST_GOOD)
		return;
	if (!code)
		code = json_get_string(body, "error");
	if (!summary)
		summary = json_get_string(body, "error_description");
	rest_fault_name(f->name, code);
	rest_fault_name(f->id, json_get_string(body, "errorId"));
	if (cause || summary)
		rest_fault_text(f, cause ? cause : summary);
	/* Of validation, under whatever status: the user is not as the call wants it. */
	if (strcmp(f->name, "E0000001") == 0 && f->verdict == REST_FAILED) {
		f->code = ERR_PRECONDITION_FAILED;
		f->hint = NULL;
	}
	if (strcmp(f->name, "invalid_dpop_proof") == 0)
		f->hint = "the service app asks for DPoP, which Wingman has not: "
			  "switch it off in the app's settings";
}

static const struct rest_vendor vendor = {
	.name = "Okta",
	.headers = headers,
	.remaining_header = "X-Rate-Limit-Remaining",
	.reset_header = "X-Rate-Limit-Reset",
	.judge = judge,
};

void okta_close(struct okta *o)
{
	if (!o)
		return;
	rest_free(o->rest);
	rest_credential_free(o->credential);
	jwt_signer_free(o->signer);
	free(o->client_id);
	free(o->scopes);
	free(o);
}

struct settings {
	const char *url, *token_file, *client_id, *key_file, *key_id, *ca_file;
	const json_t *scopes;
	int64_t timeout_ms;
};

static const struct json_field fields[] = {
	{ "url", JSON_FIELD_STRING, offsetof(struct settings, url), JSON_FIELD_REQUIRED },
	{ "token_file", JSON_FIELD_STRING, offsetof(struct settings, token_file), 0 },
	{ "client_id", JSON_FIELD_STRING, offsetof(struct settings, client_id), 0 },
	{ "key_file", JSON_FIELD_STRING, offsetof(struct settings, key_file), 0 },
	{ "key_id", JSON_FIELD_STRING, offsetof(struct settings, key_id), 0 },
	{ "scopes", JSON_FIELD_ARRAY, offsetof(struct settings, scopes), 0 },
	{ "ca_file", JSON_FIELD_STRING, offsetof(struct settings, ca_file), 0 },
	{ "timeout_ms", JSON_FIELD_INT64, offsetof(struct settings, timeout_ms), 0 },
	{ 0 }
};

static char *join_scopes(const json_t *scopes, const char *otherwise)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	if (json_array_size(scopes) == 0)
		return strdup(otherwise);
	for (size_t i = 0; i < json_array_size(scopes); i++)
		strbuf_add_format(&sb, "%s%s", i ? " " : "",
				  json_string_value(json_array_get(scopes, i)));
	return strbuf_take(&sb);
}

static struct jwt_signer *read_signer(const struct statedir *dir,
				      const struct settings *s, struct error *err)
{
	_cleanup_free_ char *path = statedir_file(dir, s->key_file);
	_cleanup_(secret_freep) struct secret *pem = NULL;

	if (!path) {
		error_oom(err);
		return NULL;
	}
	pem = secret_read(path, false, err);
	return pem ? jwt_signer_new(pem, s->key_id, JWT_SIGN_ES256 | JWT_SIGN_RS256, err)
		   : NULL;
}

static bool open_credential(struct okta *o, const struct statedir *dir,
			    const struct settings *s, const char *scopes,
			    struct error *err)
{
	if (s->token_file && !s->client_id && !s->key_file) {
		o->credential = rest_credential_file("SSWS", dir, s->token_file, err);
		return o->credential != NULL;
	}
	if (s->token_file || !s->client_id || !s->key_file)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "Okta wants a token_file, or a client_id and a "
				 "key_file, and not both");
	o->client_id = strdup(s->client_id);
	o->scopes = join_scopes(s->scopes, scopes);
	if (!o->client_id || !o->scopes)
		return error_oom(err);
	o->signer = read_signer(dir, s, err);
	o->credential =
		o->signer ? rest_credential_fetched("Bearer", okta_fetch_token, o, err)
			  : NULL;
	return o->credential != NULL;
}

struct okta *okta_open(const struct statedir *dir, const json_t *config,
		       const char *scopes, struct error *err)
{
	_cleanup_(okta_closep) struct okta *o = calloc(1, sizeof *o);
	struct settings s = { 0 };

	if (!o) {
		error_oom(err);
		return NULL;
	}
	if (!json_decode(config, fields, &s, "okta", err) ||
	    !open_credential(o, dir, &s, scopes, err))
		return NULL;
	_cleanup_free_ char *ca_file = s.ca_file ? statedir_file(dir, s.ca_file) : NULL;
	if (s.ca_file && !ca_file) {
		error_oom(err);
		return NULL;
	}
	const struct rest_options options = { .base = s.url,
					      .ca_file = ca_file,
					      .timeout_ms = s.timeout_ms };
	o->rest = rest_new(&vendor, rest_credential_auth(o->credential), &options, err);
	return o->rest ? TAKE(o) : NULL;
}

struct rest *okta_rest(const struct okta *o)
{
	return o->rest;
}

bool okta_check_id(const char *id, struct error *err)
{
	const size_t length = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return (length > 0 && length <= ID_MAX && id[length] == '\0') ||
	       error_set(err, ERR_INVALID_ARGUMENT, "that is no id of Okta");
}

bool okta_fail_shape(const char *what, struct error *err)
{
	return error_set(err, ERR_BACKEND_UNAVAILABLE, "what Okta sent is no %s", what);
}

bool okta_do(struct okta *o, const char *what, const char *method, const char *path,
	     const char *bucket, bool may_repeat, const struct rest_patience *patience,
	     struct error *err)
{
	const struct rest_request request = { .what = what,
					      .method = method,
					      .path = path,
					      .bucket = bucket,
					      .may_repeat = may_repeat };
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;

	return rest_call(o->rest, &request, patience, &reply, err);
}

struct items {
	bool (*fn)(void *context, const json_t *item, struct error *err);
	void *context;
};

static bool on_page(void *context, const json_t *body, struct error *err)
{
	const struct items *items = context;

	if (!json_is_array(body))
		return okta_fail_shape("list", err);
	for (size_t i = 0; i < json_array_size(body); i++)
		if (!items->fn(items->context, json_array_get(body, i), err))
			return false;
	return true;
}

bool okta_each(struct okta *o, const char *what, const char *path, const char *bucket,
	       const struct rest_patience *patience,
	       bool (*fn)(void *context, const json_t *item, struct error *err),
	       void *context, struct error *err)
{
	const struct rest_request request = {
		.what = what, .method = "GET", .path = path, .bucket = bucket
	};
	struct items items = { fn, context };

	return rest_each_page(o->rest, &request, patience, on_page, &items, err);
}

bool okta_ping(struct okta *o, const struct rest_patience *patience, struct error *err)
{
	return okta_do(o, "ask for one user", "GET", "/api/v1/users?limit=1", "users",
		       false, patience, err);
}
