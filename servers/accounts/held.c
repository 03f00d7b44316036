#include "servers/accounts/held.h"

#define COLLECTION "held"

static bool write_id(char text[static DOCUMENT_ID_MAX + 1], const char *system,
		     const char *id, struct error *err)
{
	int n = snprintf(text, DOCUMENT_ID_MAX + 1, "%s:%s", system, id);

	return (n > 0 && n <= DOCUMENT_ID_MAX) ||
	       error_set(err, ERR_INTERNAL, "an account's id is too long to be recorded");
}

/* A body to edit, new where there is none; NULL without 'err' cannot be. */
static json_t *load(struct documents *d, const struct held_key *key, struct error *err)
{
	_cleanup_(document_done) struct document doc = { 0 };
	char id[DOCUMENT_ID_MAX + 1];
	json_t *body = NULL;
	bool found = false;

	if (!write_id(id, key->system, key->id, err) ||
	    !documents_get(d, COLLECTION, id, &doc, &found, err))
		return NULL;
	body = found ? json_deep_copy(doc.body)
		     : json_pack("{s:s, s:s, s:s, s:{}}", "system", key->system, "id",
				 key->id, "identifier", key->identifier, "facets");
	if (!body)
		error_oom(err);
	return body;
}

static bool save(struct documents *d, const struct held_key *key, const json_t *body,
		 struct error *err)
{
	char id[DOCUMENT_ID_MAX + 1];
	int64_t revision;
	bool existed;

	if (!write_id(id, key->system, key->id, err))
		return false;
	if (json_object_size(json_object_get(body, "facets")) == 0)
		return documents_delete(d, COLLECTION, id, &existed, err);
	return documents_put(d, COLLECTION, id, body, DOCUMENT_ANY, &revision, err);
}

static json_t *find(const json_t *list, const char *approval, size_t *ret_index)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i);
		const char *of = json_get_string(one, "approval");

		if (of && strcmp(of, approval) == 0) {
			*ret_index = i;
			return one;
		}
	}
	return NULL;
}

bool held_add(struct documents *d, const struct held_key *key, enum account_facet facet,
	      const char *approval, const json_t *snapshot, bool replaces,
	      struct error *err)
{
	json_auto_t *body = load(d, key, err), *copy = json_deep_copy(snapshot);
	json_t *facets, *list, *one;
	size_t at;

	if (!body)
		return false;
	facets = json_object_get(body, "facets");
	list = json_object_get(facets, account_facet_name(facet));
	if (!list) {
		list = json_array();
		if (json_object_set_new(facets, account_facet_name(facet), list) != 0)
			return error_oom(err);
	}
	if (replaces)
		(void)json_array_clear(list);
	if (find(list, approval, &at))
		(void)json_array_remove(list, at);
	while (json_array_size(list) >= HELD_MAX)
		(void)json_array_remove(list, 0);
	one = copy ? json_pack("{s:s, s:O}", "approval", approval, "snapshot", copy)
		   : NULL;
	if (!one || json_array_append_new(list, one) != 0)
		return error_oom(err);
	return save(d, key, body, err);
}

bool held_drop(struct documents *d, const struct held_key *key, enum account_facet facet,
	       const char *approval, struct error *err)
{
	json_auto_t *body = load(d, key, err);
	json_t *facets, *list;
	size_t at;

	if (!body)
		return false;
	facets = json_object_get(body, "facets");
	list = json_object_get(facets, account_facet_name(facet));
	if (!find(list, approval, &at))
		return true;
	(void)json_array_remove(list, at);
	if (json_array_size(list) == 0)
		(void)json_object_del(facets, account_facet_name(facet));
	return save(d, key, body, err);
}

bool held_begin_undo(struct documents *d, const struct held_key *key,
		     enum account_facet facet, const char *approval, const json_t *change,
		     struct error *err)
{
	json_auto_t *body = load(d, key, err), *copy = json_deep_copy(change);
	json_t *one;
	size_t at;

	if (!body)
		return false;
	one = find(json_object_get(json_object_get(body, "facets"),
				   account_facet_name(facet)),
		   approval, &at);
	if (!one)
		return true;
	if (!copy || json_object_set(one, "undo", copy) != 0)
		return error_oom(err);
	return save(d, key, body, err);
}

bool held_list(struct documents *d, const char *system, const char *id,
	       enum account_facet facet, json_t **ret, struct error *err)
{
	const struct held_key key = { .system = system, .identifier = "", .id = id };
	json_auto_t *body = load(d, &key, err);
	const json_t *list;

	if (!body)
		return false;
	list = json_object_get(json_object_get(body, "facets"),
			       account_facet_name(facet));
	*ret = list ? json_deep_copy(list) : json_array();
	return *ret || error_oom(err);
}
