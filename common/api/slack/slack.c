#include "api/slack/slack.h"

#include <string.h>

#include "api/slack/slack_private.h"

#define WEB_URL  "https://slack.com/api"
#define SCIM_URL "https://api.slack.com/scim/v2"

struct settings {
	const char *token_file, *admin_token_file, *url, *scim_url, *team, *ca_file;
	int64_t timeout_ms;
};

static const struct json_field fields[] = {
	{ "token_file", JSON_FIELD_STRING, offsetof(struct settings, token_file),
	  JSON_FIELD_REQUIRED },
	{ "admin_token_file", JSON_FIELD_STRING,
	  offsetof(struct settings, admin_token_file), 0 },
	{ "url", JSON_FIELD_STRING, offsetof(struct settings, url), 0 },
	{ "scim_url", JSON_FIELD_STRING, offsetof(struct settings, scim_url), 0 },
	{ "team", JSON_FIELD_STRING, offsetof(struct settings, team), 0 },
	{ "ca_file", JSON_FIELD_STRING, offsetof(struct settings, ca_file), 0 },
	{ "timeout_ms", JSON_FIELD_INT64, offsetof(struct settings, timeout_ms), 0 },
	{ 0 }
};

void slack_close(struct slack *s)
{
	if (!s)
		return;
	rest_free(s->rest);
	rest_free(s->admin_rest);
	rest_free(s->scim);
	rest_credential_free(s->token);
	rest_credential_free(s->admin);
	free(s->team);
	free(s);
}

static bool open_rests(struct slack *s, const struct settings *settings,
		       const char *ca_file, struct error *err)
{
	struct rest_options options = {
		.base = settings->url ? settings->url : WEB_URL,
		.ca_file = ca_file,
		.timeout_ms = settings->timeout_ms,
	};

	s->rest = rest_new(&slack_web_vendor, rest_credential_auth(s->token), &options,
			   err);
	if (!s->rest || !s->admin)
		return s->rest != NULL;
	s->admin_rest = rest_new(&slack_web_vendor, rest_credential_auth(s->admin),
				 &options, err);
	if (!s->admin_rest)
		return false;
	options.base = settings->scim_url ? settings->scim_url : SCIM_URL;
	s->scim = rest_new(&slack_scim_vendor, rest_credential_auth(s->admin), &options,
			   err);
	return s->scim != NULL;
}

struct slack *slack_open(const struct statedir *dir, const json_t *config,
			 struct error *err)
{
	_cleanup_(slack_closep) struct slack *s = calloc(1, sizeof *s);
	_cleanup_free_ char *ca_file = NULL;
	struct settings settings = { 0 };

	if (!s) {
		error_oom(err);
		return NULL;
	}
	if (!json_decode(config, fields, &settings, "slack", err))
		return NULL;
	if ((settings.team && !(s->team = strdup(settings.team))) ||
	    (settings.ca_file && !(ca_file = statedir_file(dir, settings.ca_file)))) {
		error_oom(err);
		return NULL;
	}
	s->token = rest_credential_file("Bearer", dir, settings.token_file, err);
	if (!s->token)
		return NULL;
	if (settings.admin_token_file)
		s->admin = rest_credential_file("Bearer", dir, settings.admin_token_file,
						err);
	if (settings.admin_token_file && !s->admin)
		return NULL;
	return open_rests(s, &settings, ca_file, err) ? TAKE(s) : NULL;
}

bool slack_has_admin(const struct slack *s)
{
	return s->admin != NULL;
}

int64_t slack_wait_ms(const struct slack *s)
{
	struct rest *const rests[] = { s->rest, s->admin_rest, s->scim };
	int64_t longest_ms = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rests); i++) {
		const int64_t ms = rests[i] ? rest_wait_ms(rests[i]) : 0;
		if (ms > longest_ms)
			longest_ms = ms;
	}
	return longest_ms;
}

bool slack_is_loopback(const struct slack *s)
{
	return rest_base_is_loopback(s->rest);
}

int64_t slack_now_ms(const struct slack *s)
{
	return rest_vendor_now_ms(s->rest);
}

const char *slack_team(const struct slack *s)
{
	return s->team;
}

bool slack_fail_shape(const char *what, struct error *err)
{
	return error_set(err, ERR_BACKEND_UNAVAILABLE, "what Slack sent is no %s", what);
}

bool slack_fail_admin(struct error *err)
{
	error_set(err, ERR_PERMISSION_DENIED, "Wingman has no owner's token for Slack");
	return error_hint(err, "name one as admin_token_file");
}
