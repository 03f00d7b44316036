/* People and user groups. */
#include <string.h>

#include "api/slack/slack_private.h"

enum { ID_MAX = 31, EMAIL_MAX = 320, GROUP_MEMBERS_MAX = 20000 };

static bool has_id_form(const char *text, const char *first)
{
	const size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	return length > 1 && length <= ID_MAX && text[length] == '\0' &&
	       strchr(first, *text);
}

bool slack_is_user_id(const char *text)
{
	return has_id_form(text, "UW");
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_get_string(object, name);

	return text ? text : "";
}

static bool is_set(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

bool slack_user_read(const json_t *object, struct slack_user *ret, struct error *err)
{
	const json_t *profile = json_object_get(object, "profile");
	const char *id = json_get_string(object, "id");
	const char *real_name = json_get_string(profile, "real_name");

	if (!id || !slack_is_user_id(id)) {
		slack_fail_shape("user", err);
		return false;
	}
	*ret = (struct slack_user){
		.id = id,
		.team_id = text_of(object, "team_id"),
		.name = text_of(object, "name"),
		.real_name = real_name ? real_name : text_of(object, "real_name"),
		.email = text_of(profile, "email"),
		.email_confirmed = is_set(object, "is_email_confirmed"),
		.deleted = is_set(object, "deleted"),
		.is_bot = is_set(object, "is_bot") || strcmp(id, "USLACKBOT") == 0,
		.is_guest = is_set(object, "is_restricted") ||
			    is_set(object, "is_ultra_restricted"),
		.is_stranger = is_set(object, "is_stranger"),
		.is_admin = is_set(object, "is_admin"),
		.is_owner = is_set(object, "is_owner"),
		.is_primary_owner = is_set(object, "is_primary_owner"),
		.updated_s = json_get_int64(object, "updated", 0),
		.object = object,
	};
	return true;
}

/* One user by one argument. */
static bool get_user(struct slack *s, const char *method, const char *name,
		     const char *value, const struct rest_patience *patience,
		     json_t **ret_json, struct slack_user *ret, struct error *err)
{
	_cleanup_slack_answer_ struct slack_answer a = SLACK_ANSWER_INIT;
	json_auto_t *arguments = json_pack("{s:s}", name, value);

	if (!arguments) {
		error_oom(err);
		return false;
	}
	if (!slack_call(s, method, arguments, patience, &a, err))
		return false;
	if (!slack_user_read(json_object_get(a.body, "user"), ret, err))
		return false;
	*ret_json = TAKE(a.body);
	return true;
}

bool slack_get_user(struct slack *s, const char *id, const struct rest_patience *patience,
		    json_t **ret_json, struct slack_user *ret, struct error *err)
{
	json_auto_t *json = NULL;
	struct slack_user user = { 0 };

	if (!slack_is_user_id(id))
		return error_set(err, ERR_INVALID_ARGUMENT, "that is no user's id");
	if (!get_user(s, "users.info", "user", id, patience, &json, &user, err))
		return false;
	if (strcmp(user.id, id) != 0)
		return error_set(err, ERR_NOT_FOUND,
				 "Slack answered about another user than was asked for");
	*ret = user;
	*ret_json = TAKE(json);
	return true;
}

bool slack_get_user_by_email(struct slack *s, const char *email,
			     const struct rest_patience *patience, json_t **ret_json,
			     struct slack_user *ret, struct error *err)
{
	json_auto_t *json = NULL;
	struct slack_user user = { 0 };

	if (*email == '\0' || strlen(email) > EMAIL_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "that is no e-mail address");
	if (!get_user(s, "users.lookupByEmail", "email", email, patience, &json, &user,
		      err))
		return false;
	if (strcasecmp(user.email, email) != 0)
		return error_set(err, ERR_NOT_FOUND,
				 "Slack answered about another user than was asked for");
	*ret = user;
	*ret_json = TAKE(json);
	return true;
}

struct user_walk {
	slack_user_fn *fn;
	void *context;
};

static bool on_user(void *context, const json_t *item, struct error *err)
{
	const struct user_walk *w = context;
	struct slack_user user = { 0 };

	return slack_user_read(item, &user, err) && w->fn(w->context, &user, err);
}

bool slack_each_user(struct slack *s, const struct rest_patience *patience,
		     slack_user_fn *fn, void *context, struct error *err)
{
	struct user_walk walk = { fn, context };
	json_auto_t *arguments = json_object();

	if (!arguments || (s->team && json_object_set_new(arguments, "team_id",
							  json_string(s->team)) != 0))
		return error_oom(err);
	return slack_each(s, "users.list", arguments, "members", patience, on_user, &walk,
			  err);
}

/* ---- User groups ---- */

struct usergroup_walk {
	slack_usergroup_fn *fn;
	void *context;
};

static bool on_usergroup(void *context, const json_t *item, struct error *err)
{
	const struct usergroup_walk *w = context;
	const struct slack_usergroup group = {
		.id = json_get_string(item, "id"),
		.name = text_of(item, "name"),
		.handle = text_of(item, "handle"),
		.is_disabled = json_get_int64(item, "date_delete", 0) != 0,
	};

	if (!group.id || !has_id_form(group.id, "S"))
		return slack_fail_shape("user group", err);
	return w->fn(w->context, &group, err);
}

bool slack_each_usergroup(struct slack *s, const struct rest_patience *patience,
			  slack_usergroup_fn *fn, void *context, struct error *err)
{
	struct usergroup_walk walk = { fn, context };
	json_auto_t *arguments = json_pack("{s:b}", "include_disabled", 1);

	if (!arguments || (s->team && json_object_set_new(arguments, "team_id",
							  json_string(s->team)) != 0))
		return error_oom(err);
	return slack_each(s, "usergroups.list", arguments, "usergroups", patience,
			  on_usergroup, &walk, err);
}

static bool are_user_ids(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *id = json_string_value(json_array_get(list, i));
		if (!id || !slack_is_user_id(id))
			return false;
	}
	return json_is_array(list) && json_array_size(list) <= GROUP_MEMBERS_MAX;
}

bool slack_usergroup_members(struct slack *s, const char *group_id,
			     const struct rest_patience *patience, json_t **ret,
			     struct error *err)
{
	_cleanup_slack_answer_ struct slack_answer a = SLACK_ANSWER_INIT;
	json_auto_t *arguments = json_pack("{s:s}", "usergroup", group_id);

	if (!has_id_form(group_id, "S"))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a user group is named by its id (S...)");
	if (!arguments || (s->team && json_object_set_new(arguments, "team_id",
							  json_string(s->team)) != 0))
		return error_oom(err);
	if (!slack_call(s, "usergroups.users.list", arguments, patience, &a, err))
		return false;
	json_t *users = json_object_get(a.body, "users");
	if (!are_user_ids(users))
		return slack_fail_shape("list of users", err);
	*ret = json_incref(users);
	return true;
}
