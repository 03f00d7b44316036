/* Groups, and who is in them. */
#include <string.h>

#include "api/okta/okta_private.h"

struct group_walk {
	okta_group_fn *fn;
	void *context;
};

static bool on_group(void *context, const json_t *item, struct error *err)
{
	const struct group_walk *w = context;
	const struct okta_group group = {
		.id = json_get_string(item, "id"),
		.name = json_get_string(json_object_get(item, "profile"), "name"),
		.type = json_get_string(item, "type"),
	};
	struct error why = ERROR_INIT;

	if (!group.id || !okta_check_id(group.id, &why) || !group.name || !group.type)
		return okta_fail_shape("group", err);
	return w->fn(w->context, &group, err);
}

bool okta_each_group(struct okta *o, const struct rest_patience *patience,
		     okta_group_fn *fn, void *context, struct error *err)
{
	struct group_walk walk = { fn, context };

	return okta_each(o, "list the groups", "/api/v1/groups?limit=200", "groups",
			 patience, on_group, &walk, err);
}

bool okta_each_group_of_user(struct okta *o, const char *user_id,
			     const struct rest_patience *patience, okta_group_fn *fn,
			     void *context, struct error *err)
{
	struct group_walk walk = { fn, context };
	char path[128];

	if (!okta_check_id(user_id, err))
		return false;
	(void)snprintf(path, sizeof path, "/api/v1/users/%s/groups", user_id);
	return okta_each(o, "list the user's groups", path, "user-groups", patience,
			 on_group, &walk, err);
}

struct role_walk {
	okta_role_fn *fn;
	void *context;
};

static bool on_role(void *context, const json_t *item, struct error *err)
{
	const struct role_walk *w = context;
	const char *type = json_get_string(item, "type");

	return type ? w->fn(w->context, type, err) : okta_fail_shape("role", err);
}

bool okta_each_role_of_user(struct okta *o, const char *user_id,
			    const struct rest_patience *patience, okta_role_fn *fn,
			    void *context, struct error *err)
{
	struct role_walk walk = { fn, context };
	char path[128];

	if (!okta_check_id(user_id, err))
		return false;
	(void)snprintf(path, sizeof path, "/api/v1/users/%s/roles", user_id);
	return okta_each(o, "list the user's roles", path, "roles", patience, on_role,
			 &walk, err);
}

struct member_walk {
	okta_user_fn *fn;
	void *context;
};

static bool on_member(void *context, const json_t *item, struct error *err)
{
	const struct member_walk *w = context;
	struct okta_user user = { 0 };

	return okta_user_read(item, &user, err) && w->fn(w->context, &user, err);
}

bool okta_each_member(struct okta *o, const char *group_id,
		      const struct rest_patience *patience, okta_user_fn *fn,
		      void *context, struct error *err)
{
	struct member_walk walk = { fn, context };
	char path[128];

	if (!okta_check_id(group_id, err))
		return false;
	(void)snprintf(path, sizeof path, "/api/v1/groups/%s/users?limit=200", group_id);
	return okta_each(o, "list the group's members", path, "group-users", patience,
			 on_member, &walk, err);
}

static bool change(struct okta *o, const char *what, const char *method,
		   const char *group_id, const char *user_id,
		   const struct rest_patience *patience, struct error *err)
{
	char path[192];

	if (!okta_check_id(group_id, err) || !okta_check_id(user_id, err))
		return false;
	(void)snprintf(path, sizeof path, "/api/v1/groups/%s/users/%s", group_id,
		       user_id);
	return okta_do(o, what, method, path, "group-users", true, patience, err);
}

bool okta_add_to_group(struct okta *o, const char *group_id, const char *user_id,
		       const struct rest_patience *patience, struct error *err)
{
	return change(o, "add the user to the group", "PUT", group_id, user_id, patience,
		      err);
}

bool okta_remove_from_group(struct okta *o, const char *group_id, const char *user_id,
			    const struct rest_patience *patience, struct error *err)
{
	return change(o, "remove the user from the group", "DELETE", group_id, user_id,
		      patience, err);
}
