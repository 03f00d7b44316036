/*
 * Who may read a space: what API v2 lists as its permissions, of which "read" of the "space"
 * counts. A group stands there by its id, whose name v1 tells. Roles and whatever else may be
 * granted to are nobody, because nobody here can tell who has them.
 */
#include "servers/playbooks/confluence_private.h"

#include <string.h>

/* The name of a group; NULL with 'err' empty: nobody tells. Kept until the next listing. */
static const char *group_name(struct wiki *w, const struct rest_patience *patience,
			      const char *id, struct error *err)
{
	const json_t *known = json_object_get(w->group_names, id);
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	json_auto_t *body = NULL;
	struct error why = ERROR_INIT;

	if (known)
		return json_string_value(known);
	strbuf_add_string(&path, "/wiki/rest/api/group/by-id?id=");
	rest_encode(&path, id);
	if (!strbuf_ok(&path)) {
		error_oom(err);
		return NULL;
	}
	if (!wiki_get(w, patience, "ask a group's name", path.data, &body, &why) &&
	    why.code != ERR_NOT_FOUND && why.code != ERR_PERMISSION_DENIED) {
		*err = why;
		return NULL;
	}
	const char *name = json_get_string(body, "name");
	if (!wiki_set(w->group_names, id, name ? json_string(name) : json_null()))
		error_oom(err);
	return error_is_set(err) ? NULL
				 : json_string_value(json_object_get(w->group_names, id));
}

struct reading {
	struct wiki *w;
	const struct rest_patience *patience;
	struct wiki_people *found;
};

static bool add_principal(const struct reading *r, const json_t *principal,
			  struct error *err)
{
	const char *type = json_get_string(principal, "type");
	const char *id = json_get_string(principal, "id");
	const char *person;

	if (!type || !id || !*id)
		return true;
	if (strcmp(type, "user") == 0) {
		person = json_get_string(json_object_get(r->w->config, "people"), id);
		return !person || wiki_add_name(r->found->readers, person) ||
		       error_oom(err);
	}
	if (strcmp(type, "group") != 0)
		return true;
	if (!wiki_knows_group(r->w, id)) {
		id = group_name(r->w, r->patience, id, err);
		if (error_is_set(err))
			return false;
	}
	return wiki_add_group(r->w, id, r->found) || error_oom(err);
}

static bool add_permissions(void *context, const json_t *body, struct error *err)
{
	const struct reading *r = context;
	const json_t *permission;
	size_t i;

	json_array_foreach(json_object_get(body, "results"), i, permission)
	{
		const json_t *operation = json_object_get(permission, "operation");
		const char *key = json_get_string(operation, "key");
		const char *target = json_get_string(operation, "targetType");

		if (key && target && strcmp(key, "read") == 0 &&
		    strcmp(target, "space") == 0 &&
		    !add_principal(r, json_object_get(permission, "principal"), err))
			return false;
	}
	return true;
}

/* Nobody tells who may read the space: whom the configuration names. */
static bool fall_back(const struct wiki *w, struct wiki_people *to)
{
	const json_t *group;
	size_t i;

	json_array_foreach(json_object_get(w->config, "fallback_groups"), i, group)
	{
		if (!wiki_add_group(w, json_string_value(group), to))
			return false;
	}
	return true;
}

json_t *wiki_space_readers(struct wiki *w, const struct rest_patience *patience,
			   const char *id, struct error *err)
{
	json_auto_t *readers = json_array();
	struct wiki_people found = { .readers = readers };
	struct reading reading = { w, patience, &found };
	struct error why = ERROR_INIT;
	char path[96];

	(void)snprintf(path, sizeof path, "/wiki/api/v2/spaces/%s/permissions?limit=250",
		       id);
	const struct rest_request request = { .what = "ask who may read a space",
					      .method = "GET",
					      .path = path };
	if (!readers) {
		error_oom(err);
		return NULL;
	}
	if (!rest_each_page(w->rest, &request, patience, add_permissions, &reading,
			    &why)) {
		if (why.code != ERR_NOT_FOUND && why.code != ERR_PERMISSION_DENIED) {
			*err = why;
			return NULL;
		}
		found.is_everybody = false;
		if (json_array_clear(readers) != 0 || !fall_back(w, &found)) {
			error_oom(err);
			return NULL;
		}
	}
	return found.is_everybody ? json_null() : TAKE(readers);
}
