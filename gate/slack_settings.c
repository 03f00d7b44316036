#include "gate/slack_settings.h"

#include <stdlib.h>

static void copy(char *to, size_t size, const char *text)
{
	(void)snprintf(to, size, "%s", text ? text : "");
}

static bool is_true(const json_t *slack, const char *member)
{
	return json_is_true(json_object_get(slack, member));
}

void slack_settings_take_membership(struct slack_settings *s, const json_t *membership)
{
	copy(s->usergroup, sizeof s->usergroup, json_get_string(membership, "usergroup"));
	copy(s->membership_token, sizeof s->membership_token,
	     json_get_string(membership, "token_file"));
	copy(s->membership_url, sizeof s->membership_url,
	     json_get_string(membership, "url"));
	copy(s->membership_ca, sizeof s->membership_ca,
	     json_get_string(membership, "ca_file"));
}

void slack_settings_decode(struct slack_settings *s, const json_t *slack)
{
	const json_t *check = json_object_get(slack, "check_shown");
	size_t i;
	json_t *one;

	if (!slack)
		return;
	s->is_on = true;
	s->uid = (uid_t)json_get_int64(slack, "unix", 0);
	s->allow_shared_uid = is_true(slack, "allow_shared_uid");
	s->socket_mode = is_true(slack, "socket_mode");
	s->approvers_only = is_true(slack, "approvers_only");
	s->any_look = check && !json_is_true(check);
	s->any_channel = !json_object_get(slack, "channels");
	copy(s->app, sizeof s->app, json_get_string(slack, "app"));
	copy(s->approvals_channel, sizeof s->approvals_channel,
	     json_get_string(slack, "approvals_channel"));
	slack_settings_take_membership(s, json_object_get(slack, "membership"));
	json_array_foreach(json_object_get(slack, "teams"), i, one)
	{
		if (s->team_count < SLACK_TEAMS_MAX)
			copy(s->teams[s->team_count++], sizeof s->teams[0],
			     json_string_value(one));
	}
	json_array_foreach(json_object_get(slack, "channels"), i, one)
	{
		if (s->channel_count < SLACK_CHANNELS_MAX)
			copy(s->channels[s->channel_count++], sizeof s->channels[0],
			     json_string_value(one));
	}
	json_array_foreach(json_object_get(slack, "signing_secrets"), i, one)
	{
		if (s->secret_count < SLACK_SECRETS_MAX)
			copy(s->secrets[s->secret_count++], sizeof s->secrets[0],
			     json_string_value(one));
	}
}

bool slack_settings_check(const struct slack_settings *s, const struct policy *p,
			  struct error *err)
{
	const char *person = s->is_on ? policy_person_of_uid(p, s->uid) : NULL;

	if (!person || s->allow_shared_uid)
		return true;
	error_set(err, ERR_INVALID_ARGUMENT,
		  "uid %u is the Slack process's and '%s's: whoever takes over the one "
		  "decides as the other",
		  (unsigned)s->uid, person);
	return error_hint(err, "give the Slack process a user of its own, or say "
			       "allow_shared_uid: true, for a demonstration");
}

bool slack_settings_has_team(const struct slack_settings *s, const char *team)
{
	for (size_t i = 0; i < s->team_count; i++)
		if (strcmp(s->teams[i], team) == 0)
			return true;
	return false;
}

bool slack_settings_has_channel(const struct slack_settings *s, const char *channel)
{
	if (s->any_channel || strcmp(s->approvals_channel, channel) == 0)
		return *channel != '\0';
	for (size_t i = 0; i < s->channel_count; i++)
		if (strcmp(s->channels[i], channel) == 0)
			return true;
	return false;
}

/* --- secrets --- */

const char *slack_secrets_folder(const struct slack_settings *s)
{
	for (size_t i = 0; i < s->secret_count; i++)
		if (statedir_is_credential(s->secrets[i]))
			return statedir_credentials();
	return NULL;
}

void slack_secrets_done(struct slack_secrets *s)
{
	for (size_t i = 0; i < s->count; i++)
		secret_free(s->all[i]);
	s->count = 0;
}

/* The file of the secret that comes or goes need not be there; one must be. */
bool slack_secrets_read(struct slack_secrets *ret, const struct slack_settings *s,
			const struct statedir *dir, struct error *err)
{
	struct slack_secrets found = { { NULL }, 0 };
	struct error why = ERROR_INIT;

	for (size_t i = 0; i < s->secret_count; i++) {
		struct secret *one = statedir_secret(dir, s->secrets[i], &why);

		if (one && secret_length(one) > SLACK_SECRET_BYTES_MAX) {
			error_set(&why, ERR_INVALID_ARGUMENT,
				  "the signing secret in '%s' is too long",
				  s->secrets[i]);
			secret_free(one);
		} else if (one) {
			found.all[found.count++] = one;
		}
	}
	if (found.count == 0) {
		error_set(err, ERR_INTERNAL, "Slack's signing secret cannot be read: %s",
			  s->secret_count > 0 ? why.message : "none is configured");
		return false;
	}
	*ret = found;
	return true;
}

/* --- wingman config check --- */

_printf_(3, 4) static void find(json_t *findings, const char *level, const char *format,
				...)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	va_list args;

	va_start(args, format);
	strbuf_add_vformat(&text, format, args);
	va_end(args);
	(void)json_array_append_new(
		findings, json_pack("{s:s, s:s}", "level", level, "text", text.data));
}

static size_t count_in_slack(const struct policy *p, size_t *ret_team)
{
	size_t mapped = 0;
	const char *person;

	for (*ret_team = 0; (person = policy_member(p, *ret_team)); (*ret_team)++)
		mapped += policy_slack_of(p, person) != NULL;
	return mapped;
}

/* What systemd passes to the gate alone cannot be looked at by whoever checks. */
static bool is_unpassed(const struct slack_settings *s)
{
	for (size_t i = 0; i < s->secret_count; i++)
		if (!statedir_is_credential(s->secrets[i]))
			return false;
	return !statedir_credentials();
}

void slack_settings_find(const struct slack_settings *s, const struct policy *p,
			 const struct statedir *dir, bool no_yes_by_console,
			 json_t *findings)
{
	struct slack_secrets secrets = { { NULL }, 0 };
	struct error err = ERROR_INIT;
	size_t team, mapped = count_in_slack(p, &team);

	if (!s->is_on) {
		if (mapped > 0)
			find(findings, "warning",
			     "persons have Slack ids, and there is no 'slack': nobody "
			     "can "
			     "decide there");
		return;
	}
	if (s->secret_count > 0 && !slack_secrets_read(&secrets, s, dir, &err))
		find(findings, is_unpassed(s) ? "warning" : "error", "%s", err.message);
	slack_secrets_done(&secrets);
	if (mapped == 0)
		find(findings, no_yes_by_console ? "error" : "warning",
		     "nobody of the team has a Slack id: nobody could approve anything "
		     "in "
		     "Slack");
	else if (mapped < team)
		find(findings, "warning",
		     "%zu of %zu members of the team have no Slack id: they can neither "
		     "ask nor decide there",
		     team - mapped, team);
	if (mapped == 1 && team > 1)
		find(findings, "warning",
		     "one person of the team has a Slack id: what wants a second person "
		     "cannot be approved in Slack alone");
	if (s->usergroup[0] && mapped < team)
		find(findings, "warning",
		     "whoever has no Slack id is in no user group: what they ask or "
		     "approve "
		     "anywhere is never signed");
	if (s->socket_mode)
		find(findings, "warning",
		     "socket_mode: nobody signs what comes that way, so whoever takes "
		     "over "
		     "the Slack process can press every button");
	if (s->any_look)
		find(findings, "warning",
		     "check_shown is off: whoever takes over the Slack process can have "
		     "people approve what they were not shown");
	if (s->allow_shared_uid && policy_person_of_uid(p, s->uid))
		find(findings, "warning",
		     "the Slack process runs under the uid of '%s': this demonstrates, "
		     "it "
		     "does not protect",
		     policy_person_of_uid(p, s->uid));
}
