/* The part of doctor that asks Slack: tokens, scopes, the user group, the clock. */
#include "console/doctor.h"

#include "api/slack/slack.h"
#include "base/clock.h"

enum { PATIENCE_MS = 10 * 1000, APART_WARN_S = 10, APART_FAIL_S = 240 };

/* What the surface asks for: the scopes of deploy/slack/manifest.yaml, and of
 * manifest-thread-history.yaml, which a test compares. */
static const struct {
	const char *name, *why;
	bool of_history; /* only where 'thread_history' is on */
} scopes[] = {
	{ "app_mentions:read", "nobody can mention it", false },
	{ "assistant:write", "there is no agent view", false },
	{ "channels:history", "threads in channels cannot be read", true },
	{ "channels:read", "in channels nobody knows who reads along", false },
	{ "chat:write", "it cannot say anything", false },
	{ "commands", "there is no command", false },
	{ "files:write", "long results cannot be shown", false },
	{ "groups:history", "threads in private channels cannot be read", true },
	{ "groups:read", "in private channels nobody knows who reads along", false },
	{ "im:history", "nobody can write to it directly", false },
	{ "im:write", "it cannot open a conversation with one person", false },
	{ "usergroups:read", "nobody knows who is in the user group", false },
	{ "users:read", "nobody knows who is a guest or was deactivated", false },
};

/* Whether 'name' is one of "a,b,c". */
static bool is_listed(const char *list, const char *name, size_t length)
{
	while (*list) {
		const size_t each = strcspn(list, ",");

		if (each == length && memcmp(list, name, length) == 0)
			return true;
		list += each + (list[each] == ',');
	}
	return false;
}

static bool is_wanted(const char *name, size_t length, bool reads_threads)
{
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
		if ((!scopes[i].of_history || reads_threads) &&
		    strlen(scopes[i].name) == length &&
		    memcmp(scopes[i].name, name, length) == 0)
			return true;
	return false;
}

static void check_scopes(struct doctor *d, const char *granted, bool reads_threads)
{
	_cleanup_strbuf_ struct strbuf more = STRBUF_INIT;
	bool has_all = true;

	if (!*granted) {
		doctor_say(d, DOCTOR_WARN, "scopes", NULL,
			   "Slack does not say what the token may");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
		if ((!scopes[i].of_history || reads_threads) &&
		    !is_listed(granted, scopes[i].name, strlen(scopes[i].name))) {
			has_all = false;
			doctor_say(
				d, DOCTOR_FAIL, "scopes",
				"add it under OAuth & Permissions, and install the app "
				"again",
				"%s is missing: %s", scopes[i].name, scopes[i].why);
		}
	while (*granted) {
		const size_t length = strcspn(granted, ",");

		if (length > 0 && !is_wanted(granted, length, reads_threads))
			strbuf_add_format(&more, " %.*s", (int)length, granted);
		granted += length + (granted[length] == ',');
	}
	if (more.length > 0)
		doctor_say(d, DOCTOR_WARN, "scopes",
			   "take away what nothing needs, and install the app again",
			   "the token may more than it needs:%s", more.data);
	else if (has_all)
		doctor_say(d, DOCTOR_OK, "scopes", NULL, "what it needs, and no more");
}

static bool is_of(const json_t *list, const char *name)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

static void check_clock(struct doctor *d, const struct slack *s)
{
	const int64_t apart_s = (slack_now_ms(s) - clock_wall_ms()) / 1000;
	const long long shown = apart_s < 0 ? -apart_s : apart_s;
	const enum doctor_level level = shown >= APART_FAIL_S   ? DOCTOR_FAIL
					: shown >= APART_WARN_S ? DOCTOR_WARN
								: DOCTOR_OK;

	if (level == DOCTOR_OK)
		doctor_say(d, level, "clock", NULL, "that of Slack");
	else
		doctor_say(d, level, "clock",
			   "set it right: a signature five minutes old is no good",
			   "%lld s %s that of Slack", shown,
			   apart_s < 0 ? "ahead of" : "behind");
}

static void check_group(struct doctor *d, struct slack *s, const char *group)
{
	const struct rest_patience patience = rest_patience(PATIENCE_MS);
	struct error err = ERROR_INIT;
	json_t *members = NULL;

	if (!group)
		return;
	if (!slack_usergroup_members(s, group, &patience, &members, &err))
		doctor_say(d, DOCTOR_FAIL, "group",
			   "put the id of a user group (S...) that is there into "
			   "config/slack.yaml; nobody is let in until then",
			   "%s: %s", group, err.message);
	else if (json_array_size(members) == 0)
		doctor_say(d, DOCTOR_FAIL, "group",
			   "put the team into it: nobody is let in", "%s is empty",
			   group);
	else
		doctor_say(d, DOCTOR_OK, "group", NULL, "%zu members in %s",
			   json_array_size(members), group);
	json_decref(members);
}

static void check_token(struct doctor *d, const json_t *root)
{
	const struct rest_patience patience = rest_patience(PATIENCE_MS);
	struct slack_identity who = { .team_id = "" };
	struct error err = ERROR_INIT;
	_cleanup_(slack_closep) struct slack *s =
		slack_open(d->console->dir, json_object_get(root, "api"), &err);

	if (!s || !slack_test(s, &patience, &who, &err)) {
		doctor_say(d, DOCTOR_FAIL, "token",
			   err.hint[0]
				   ? err.hint
				   : "put the app's bot token (xoxb-...) into the file "
				     "that 'api' in config/slack.yaml names",
			   "%s%s%s", err.message, err.cause[0] ? ": " : "", err.cause);
		return;
	}
	if (is_of(json_object_get(root, "teams"), who.team_id) ||
	    is_of(json_object_get(root, "teams"), who.enterprise_id))
		doctor_say(d, DOCTOR_OK, "token", NULL, "it is %s in %s", who.user_id,
			   who.team_id);
	else
		doctor_say(
			d, DOCTOR_FAIL, "token",
			"put the workspace into 'teams', or another token into its file",
			"it is of the workspace %s, and that is none of 'teams'",
			who.team_id);
	check_scopes(d, who.scopes,
		     json_is_true(json_object_get(root, "thread_history")));
	check_clock(d, s);
	check_group(d, s, json_get_string(root, "usergroup"));
}

/* A ticket that nobody uses. */
static void check_app_token(struct doctor *d, const json_t *root)
{
	const char *file = json_get_string(json_object_get(root, "socket"), "token_file");
	const struct rest_patience patience = rest_patience(PATIENCE_MS);
	_cleanup_slack_answer_ struct slack_answer a = SLACK_ANSWER_INIT;
	_cleanup_(slack_closep) struct slack *s = NULL;
	json_auto_t *api = json_copy(json_object_get(root, "api"));
	struct error err = ERROR_INIT;

	if (!json_object_get(root, "socket"))
		return;
	(void)json_object_del(api, "admin_token_file");
	(void)json_object_del(api, "scim_url");
	if (!json_put_string(api, "token_file", file))
		error_set(&err, ERR_INVALID_ARGUMENT, "'socket' names no token_file");
	else
		s = slack_open(d->console->dir, api, &err);
	if (s && slack_call(s, "apps.connections.open", NULL, &patience, &a, &err) &&
	    json_get_string(a.body, "url"))
		doctor_say(d, DOCTOR_OK, "app token", NULL,
			   "Slack gives tickets for Socket Mode");
	else
		doctor_say(d, DOCTOR_FAIL, "app token",
			   "Basic Information, App-Level Tokens: one with "
			   "connections:write (xapp-...); and Socket Mode must be on",
			   "%s", err.message[0] ? err.message : "Slack gives no address");
}

void doctor_slack_api(struct doctor *d, const json_t *root)
{
	check_token(d, root);
	check_app_token(d, root);
}
