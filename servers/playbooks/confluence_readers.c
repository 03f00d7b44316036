/*
 * Who may see a page of Confluence: who may see its space, it, and everything that it stands
 * under. What cannot be asked is for nobody; of a space whose permissions cannot be read, for
 * the people of 'fallback_groups' alone.
 */
#include <stdio.h>
#include <string.h>

#include "servers/playbooks/confluence_private.h"

enum { PARENTS_MAX = 64 };

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
	struct wiki_people found = { .readers = readers };
	if (!readers || !wiki_add_users(w, users, &found) ||
	    !wiki_add_groups(w, groups, &found)) {
		error_oom(err);
		return NULL;
	}
	return found.is_everybody ? json_null() : TAKE(readers);
}

/* Who may see this node by what restricts it, and by its space. New. */
static json_t *readers_here(struct wiki *w, const struct rest_patience *patience,
			    const char *id, const json_t *node, struct error *err)
{
	const json_t *space = json_object_get(node, "space");
	json_auto_t *own = own_readers(w, patience, id, err);

	if (!own || !space)
		return TAKE(own);
	json_t *readers = wiki_both(own, space);
	if (!readers)
		error_oom(err);
	return readers;
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
	json_auto_t *own = readers_here(w, patience, id, node, err);
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
	json_t *readers = above ? wiki_both(own, above) : NULL;
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
