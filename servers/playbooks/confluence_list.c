/*
 * Which pages the wiki has: those of the configured spaces, as they are now, each with who may
 * read its space.
 */
#include "servers/playbooks/confluence_private.h"

#include <string.h>

enum { WIKI_PAGES_MAX = 20 * 1000 };

json_t *wiki_node(const json_t *page)
{
	json_auto_t *node = json_object();
	const json_t *version = json_object_get(page, "version");
	const char *title = json_get_string(page, "title");
	const char *parent = json_get_string(page, "parentId");
	const char *kind = json_get_string(page, "parentType");
	const char *url = json_get_string(json_object_get(page, "_links"), "webui");
	const char *at = json_get_string(version, "createdAt");

	if (!wiki_set(node, "title", json_string(title ? title : "")) ||
	    !wiki_set(node, "version",
		      json_integer(json_get_int64(version, "number", 0))) ||
	    !wiki_set(node, "at", json_string(at ? at : "")) ||
	    !wiki_set(node, "url", json_string(url ? url : "")) ||
	    !wiki_set(node, "parent", json_string(parent ? parent : "")) ||
	    !wiki_set(node, "kind", json_string(kind ? kind : "page")))
		return NULL;
	return TAKE(node);
}

struct listing {
	struct wiki *w;
	json_t *readers; /* of the space; null: everybody */
};

static bool add_pages(void *context, const json_t *body, struct error *err)
{
	const struct listing *listing = context;
	struct wiki *w = listing->w;
	const json_t *page;
	size_t i;

	json_array_foreach(json_object_get(body, "results"), i, page)
	{
		const char *id = json_get_string(page, "id");
		const char *status = json_get_string(page, "status");
		json_t *node;

		if (!wiki_is_id(id) || (status && strcmp(status, "current") != 0))
			continue;
		if (json_object_size(w->nodes) >= WIKI_PAGES_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "the spaces have more than %d pages",
					 WIKI_PAGES_MAX);
		node = wiki_node(page);
		if (!node || !wiki_set(node, "wanted", json_true()) ||
		    !wiki_set(node, "space", json_incref(listing->readers)) ||
		    !wiki_set(w->nodes, id, node))
			return error_oom(err);
	}
	return true;
}

static bool list_space(struct wiki *w, const struct rest_patience *patience,
		       const char *key, struct error *err)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	json_auto_t *found = NULL;

	strbuf_add_string(&path, "/wiki/api/v2/spaces?limit=1&keys=");
	rest_encode(&path, key);
	if (!wiki_get(w, patience, "find the space", path.data, &found, err))
		return false;
	const char *id = json_get_string(
		json_array_get(json_object_get(found, "results"), 0), "id");
	if (!wiki_is_id(id))
		return error_set(err, ERR_NOT_FOUND, "Confluence has no space '%s'", key);
	json_auto_t *readers = wiki_space_readers(w, patience, id, err);
	if (!readers)
		return false;
	strbuf_clear(&path);
	strbuf_add_format(&path, "/wiki/api/v2/spaces/%s/pages?status=current&limit=250",
			  id);
	const struct rest_request request = { .what = "list the pages",
					      .method = "GET",
					      .path = path.data };
	struct listing listing = { w, readers };

	return rest_each_page(w->rest, &request, patience, add_pages, &listing, err);
}

/* ---- Labels ---- */

static bool keep_labelled(void *context, const json_t *body, struct error *err)
{
	json_t *ids = context;
	const json_t *result;
	size_t i;

	json_array_foreach(json_object_get(body, "results"), i, result)
	{
		const char *id =
			json_get_string(json_object_get(result, "content"), "id");

		if (wiki_is_id(id) && !wiki_set(ids, id, json_true()))
			return error_oom(err);
	}
	return true;
}

/* Names of labels and spaces have no quotes: the schema sees to that. */
static void add_list(struct strbuf *cql, const json_t *names)
{
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		strbuf_add_format(cql, "%s\"%s\"", i ? "," : "", json_string_value(name));
	}
}

/* Only pages with one of the labels are wanted. */
static bool filter_labels(struct wiki *w, const struct rest_patience *patience,
			  struct error *err)
{
	const json_t *labels = json_object_get(w->config, "labels");
	_cleanup_strbuf_ struct strbuf cql = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	json_auto_t *ids = json_object();
	const char *id;
	json_t *node;

	if (json_array_size(labels) == 0)
		return true;
	strbuf_add_string(&cql, "type=page and space in (");
	add_list(&cql, json_object_get(w->config, "spaces"));
	strbuf_add_string(&cql, ") and label in (");
	add_list(&cql, labels);
	strbuf_add_char(&cql, ')');
	strbuf_add_string(&path, "/wiki/rest/api/search?limit=100&cql=");
	rest_encode(&path, cql.data);
	const struct rest_request request = { .what = "find pages by label",
					      .method = "GET",
					      .path = path.data };
	if (!ids || !strbuf_ok(&path))
		return error_oom(err);
	if (!rest_each_page(w->rest, &request, patience, keep_labelled, ids, err))
		return false;
	json_object_foreach(w->nodes, id, node)
	{
		if (!json_object_get(ids, id) && !wiki_set(node, "wanted", json_false()))
			return error_oom(err);
	}
	return true;
}

bool wiki_list(struct wiki *w, const struct rest_patience *patience, struct error *err)
{
	const json_t *space;
	size_t i;

	json_array_foreach(json_object_get(w->config, "spaces"), i, space)
	{
		if (!list_space(w, patience, json_string_value(space), err))
			return false;
	}
	return filter_labels(w, patience, err);
}
