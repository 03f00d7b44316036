/* Slack's user groups. Members are those whom the group lists and Slack knows as people of
 * the workspace: not deactivated, no bot, guest or stranger. */
#include "gate/members.h"

#include "api/slack/slack.h"

struct group {
	const struct slack_settings *settings;
	struct slack *slack;
};

static json_t *config_of(const struct slack_settings *s)
{
	json_auto_t *config = json_pack("{s:s}", "token_file", s->membership_token);

	if (!config ||
	    (s->membership_url[0] &&
	     json_object_set_new(config, "url", json_string(s->membership_url)) != 0) ||
	    (s->membership_ca[0] &&
	     json_object_set_new(config, "ca_file", json_string(s->membership_ca)) != 0))
		return NULL;
	return TAKE(config);
}

static void *open_slack(const struct statedir *dir, const struct settings *settings,
			struct error *err)
{
	_cleanup_free_ struct group *g = calloc(1, sizeof *g);
	json_auto_t *config = config_of(&settings->slack);

	if (!g || !config) {
		error_oom(err);
		return NULL;
	}
	g->settings = &settings->slack;
	g->slack = slack_open(dir, config, err);
	return g->slack ? TAKE(g) : NULL;
}

static void close_slack(void *self)
{
	struct group *g = self;

	slack_close(g->slack);
	free(g);
}

static bool lists(const json_t *group, const char *id)
{
	size_t i;
	json_t *one;

	json_array_foreach(group, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), id) == 0)
			return true;
	}
	return false;
}

static bool is_of_workspace(const struct group *g, const struct slack_user *u)
{
	return !u->deleted && !u->is_bot && !u->is_guest && !u->is_stranger &&
	       u->team_id && slack_settings_has_team(g->settings, u->team_id);
}

static bool look_slack(void *self, const json_t *ids,
		       const struct rest_patience *patience, json_t *found,
		       struct error *err)
{
	const struct group *g = self;
	json_auto_t *group = NULL;
	size_t i;
	json_t *one;

	if (!slack_usergroup_members(g->slack, g->settings->usergroup, patience, &group,
				     err))
		return false;
	json_array_foreach(ids, i, one)
	{
		const char *id = json_string_value(one);
		json_auto_t *json = NULL;
		struct slack_user user;

		if (!id || !lists(group, id))
			continue;
		if (!slack_get_user(g->slack, id, patience, &json, &user, err))
			return false;
		if (is_of_workspace(g, &user) &&
		    json_array_append_new(found, json_string(id)) != 0)
			return error_oom(err);
	}
	return true;
}

const struct members_kind members_slack = {
	.open = open_slack,
	.close = close_slack,
	.look = look_slack,
};
