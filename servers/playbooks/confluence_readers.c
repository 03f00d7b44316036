/*
 * Who may see a page of Confluence: who may see it and everything that it stands under.
 * People of the wiki are ours by 'people', 'groups', or an address that it shows; whom nobody
 * can tell sees nothing, and what cannot be asked is for nobody.
 */
#include <stdio.h>
#include <string.h>

#include "servers/playbooks/confluence_private.h"

enum { PARENTS_MAX = 64 };

bool wiki_add_name(json_t *readers, const char *person)
{
	const json_t *known;
	size_t i;

	json_array_foreach(readers, i, known)
	{
		if (strcmp(json_string_value(known), person) == 0)
			return true;
	}
	return json_array_append_new(readers, json_string(person)) == 0;
}

static bool add_users(const struct wiki *w, const json_t *users, json_t *readers)
{
	const json_t *people = json_object_get(w->config, "people"), *user;
	size_t i;

	json_array_foreach(users, i, user)
	{
		const char *account = json_get_string(user, "accountId");
		const char *email = json_get_string(user, "email");
		const char *person = account ? json_get_string(people, account) : NULL;

		if (!person && email && *email)
			person = email;
		if (person && !wiki_add_name(readers, person))
			return false;
	}
	return true;
}

static bool add_groups(const struct wiki *w, const json_t *groups, json_t *readers)
{
	const json_t *known = json_object_get(w->config, "groups"), *group, *person;
	size_t i, k;

	json_array_foreach(groups, i, group)
	{
		const char *name = json_get_string(group, "name");

		json_array_foreach(name ? json_object_get(known, name) : NULL, k, person)
		{
			if (!wiki_add_name(readers, json_string_value(person)))
				return false;
		}
	}
	return true;
}

/* What restricts this very page: null, or who may. What cannot be asked is for nobody. */
static json_t *own_readers(struct wiki *w, const struct rest_patience *patience,
			   const char *id, struct error *err)
{
	char path[128];
	json_auto_t *body = NULL, *readers = json_array();
	struct error why = ERROR_INIT;

	(void)snprintf(path, sizeof path,
		       "/wiki/rest/api/content/%s/restriction/byOperation/read", id);
	if (!wiki_get(w, patience, "ask who may see a page", path, &body, &why)) {
		if (why.code == ERR_NOT_FOUND || why.code == ERR_PERMISSION_DENIED)
			return TAKE(readers);
		*err = why;
		return NULL;
	}
	const json_t *all = json_object_get(body, "restrictions");
	const json_t *users = json_object_get(json_object_get(all, "user"), "results");
	const json_t *groups = json_object_get(json_object_get(all, "group"), "results");
	if (json_is_array(users) && json_is_array(groups) &&
	    json_array_size(users) == 0 && json_array_size(groups) == 0)
		return json_null();
	if (!readers || !add_users(w, users, readers) ||
	    !add_groups(w, groups, readers)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(readers);
}

/* Who is in both; null is everybody. New. */
static json_t *both(const json_t *a, const json_t *b)
{
	json_auto_t *list = json_array();
	const json_t *person;
	size_t i;

	if (json_is_null(a) || json_is_null(b))
		return json_deep_copy(json_is_null(a) ? b : a);
	json_array_foreach(a, i, person)
	{
		const json_t *other;
		size_t k;

		json_array_foreach(b, k, other)
		{
			if (json_equal(person, other) &&
			    !wiki_add_name(list, json_string_value(person)))
				return NULL;
		}
	}
	return TAKE(list);
}

/* What a page stands under that was not listed: a folder, a page of elsewhere. NULL with
 * no error: it is nothing that can be asked. */
static json_t *fetch_parent(struct wiki *w, const struct rest_patience *patience,
			    const char *id, const char *kind, struct error *err)
{
	char path[128];
	json_auto_t *body = NULL;
	struct error why = ERROR_INIT;
	json_t *node;

	if (!wiki_is_id(id) || (strcmp(kind, "page") != 0 && strcmp(kind, "folder") != 0))
		return NULL;
	(void)snprintf(path, sizeof path, "/wiki/api/v2/%ss/%s", kind, id);
	if (!wiki_get(w, patience, "read what a page stands under", path, &body, &why)) {
		if (why.code != ERR_NOT_FOUND && why.code != ERR_PERMISSION_DENIED)
			*err = why;
		return NULL;
	}
	node = wiki_node(body);
	if (!node || json_object_set_new(w->nodes, id, node) != 0) {
		error_oom(err);
		return NULL;
	}
	return node;
}

/* Who may see a node and all that it stands under, kept with it. Borrowed; NULL with 'err'. */
static const json_t *find_readers(struct wiki *w, const struct rest_patience *patience,
				  const char *id, json_t *node, int depth,
				  struct error *err)
{
	const json_t *known = json_object_get(node, "readers"), *above = NULL;
	const char *parent = json_get_string(node, "parent");
	json_auto_t *nobody = json_array(), *everybody = json_null();

	if (known)
		return known;
	json_auto_t *own = own_readers(w, patience, id, err);
	if (!own)
		return NULL;
	if (!parent || !*parent)
		above = everybody;
	else {
		json_t *up = json_object_get(w->nodes, parent);

		if (!up)
			up = fetch_parent(w, patience, parent,
					  json_get_string(node, "kind"), err);
		if (error_is_set(err))
			return NULL;
		above = up && depth < PARENTS_MAX
				? find_readers(w, patience, parent, up, depth + 1, err)
				: nobody;
	}
	json_t *readers = above ? both(own, above) : NULL;
	if (!readers || json_object_set_new(node, "readers", readers) != 0) {
		if (!error_is_set(err))
			error_oom(err);
		return NULL;
	}
	return readers;
}

bool wiki_find_readers(struct wiki *w, const struct rest_patience *patience,
		       struct error *err)
{
	json_auto_t *ids = json_array();
	const char *id;
	json_t *node;
	size_t i;

	/* Parents are added meanwhile, so this walks along a list of its own. */
	json_object_foreach(w->nodes, id, node)
	{
		if (json_is_true(json_object_get(node, "wanted")) &&
		    json_array_append_new(ids, json_string(id)) != 0)
			return error_oom(err);
	}
	json_array_foreach(ids, i, node)
	{
		id = json_string_value(node);
		if (!find_readers(w, patience, id, json_object_get(w->nodes, id), 0, err))
			return false;
	}
	return true;
}
