#include "wire/schema_build.h"

#include "base/json.h"
#include "wire/schema_uri.h"
#include "wire/schema_value.h"

#define STANDARD_DIALECT "https://json-schema.org/draft/2020-12/schema"

/* Where indexing stands: the resource, and the pointer so far. */
struct place {
	struct resource *resource;
	struct strbuf *pointer;
};

static bool index_schema(struct builder *b, struct place place, json_t *json, bool never);

struct node *index_find(const struct builder *b, const json_t *json)
{
	return table_get(&b->nodes, b->schema->seed, &json, sizeof(const json_t *));
}

size_t index_count_dynamic(const struct builder *b, const char *name)
{
	const size_t *count =
		table_get(&b->dynamics, b->schema->seed, name, strlen(name));

	return count ? *count : 0;
}

void index_add_token(struct strbuf *sb, const char *token, size_t length)
{
	strbuf_add_char(sb, '/');
	for (size_t i = 0; i < length; i++) {
		if (token[i] == '~' || token[i] == '/')
			strbuf_add_string(sb, token[i] == '~' ? "~0" : "~1");
		else
			strbuf_add_char(sb, token[i]);
	}
}

static bool refuse_at(struct builder *b, struct place place, const char *why)
{
	return error_set(b->err, ERR_INVALID_ARGUMENT, "schema %s: %s",
			 place.pointer->data, why);
}

static struct node *add_node(struct builder *b, struct place place, json_t *json,
			     bool never)
{
	struct schema *s = b->schema;
	struct node *node = ARENA_NEW(&s->arena, struct node);
	const char *pointer =
		arena_text(&s->arena, place.pointer->data, place.pointer->length);

	if (s->node_count++ == SCHEMA_NODES_MAX) {
		refuse_at(b, place, "there are too many subschemas");
		return NULL;
	}
	if (!node || !pointer || !strbuf_ok(place.pointer)) {
		error_oom(b->err);
		return NULL;
	}
	*node = (struct node){ .json = json,
			       .pointer = pointer,
			       .resource = place.resource,
			       .types = TYPE_ANY,
			       .never = never };
	if (!table_put(&b->nodes, &s->arena, s->seed, &node->json, sizeof(json_t *),
		       node)) {
		error_oom(b->err);
		return NULL;
	}
	if (s->last)
		s->last->next = node;
	else
		s->root = node;
	s->last = node;
	return node;
}

/* ---- URIs and anchors ---- */

/* 'uri' is in the arena. */
static bool name_resource(struct builder *b, struct place place,
			  struct resource *resource, const char *uri)
{
	struct schema *s = b->schema;
	const struct resource *other =
		table_get(&b->resources, s->seed, uri, strlen(uri));

	if (other && other != resource)
		return error_set(b->err, ERR_INVALID_ARGUMENT,
				 "schema %s: another schema has the $id '%s'",
				 place.pointer->data, uri);
	resource->uri = uri;
	return table_put(&b->resources, &s->arena, s->seed, uri, strlen(uri), resource) ||
	       error_oom(b->err);
}

static const char *resolve_id(struct builder *b, const struct resource *base,
			      const json_t *id)
{
	_cleanup_strbuf_ struct strbuf uri = STRBUF_INIT;
	const char *text = json_string_value(id);

	uri_resolve(&uri, base->uri, text, strcspn(text, "#"));
	return strbuf_ok(&uri) ? arena_text(&b->schema->arena, uri.data, uri.length)
			       : NULL;
}

/* A subschema with $id becomes a resource, maybe of another dialect. */
static bool enter_resource(struct builder *b, struct place *place, json_t *json,
			   const json_t *id)
{
	struct resource *outer = place->resource, *inner;
	const char *uri = resolve_id(b, outer, id);
	const char *dialect = json_get_string(json, "$schema");

	if (!uri)
		return error_oom(b->err);
	if (json == outer->root)
		return name_resource(b, *place, outer, uri);
	inner = ARENA_NEW(&b->schema->arena, struct resource);
	if (!inner)
		return error_oom(b->err);
	*inner = (struct resource){ .root = json,
				    .dialect = outer->dialect,
				    .vocabularies = outer->vocabularies };
	place->resource = inner;
	if (dialect && strcmp(dialect, outer->dialect) != 0) {
		inner->dialect = dialect;
		if (!set_dialect(b->set, dialect, &inner->vocabularies, b->err) ||
		    !set_check_document(b->set, dialect, json, place->pointer->data,
					b->err))
			return false;
	}
	return name_resource(b, *place, inner, uri);
}

static bool count_dynamic(struct builder *b, const char *name)
{
	struct schema *s = b->schema;
	size_t *count = table_get(&b->dynamics, s->seed, name, strlen(name));

	if (!count) {
		count = ARENA_NEW(&s->arena, size_t);
		if (!count || !table_put(&b->dynamics, &s->arena, s->seed, name,
					 strlen(name), count))
			return error_oom(b->err);
	}
	++*count;
	return true;
}

static bool add_anchor(struct builder *b, struct place place, struct node *node,
		       const char *keyword)
{
	struct schema *s = b->schema;
	const char *name = json_get_string(node->json, keyword);
	struct resource *r = place.resource;

	if (!name)
		return true;

	size_t length = strlen(name);
	struct node *other = table_get(&r->anchors, s->seed, name, length);

	/* One schema may have the same name as both kinds of anchor. */
	if (other && other != node)
		return refuse_at(b, place,
				 "another schema of this document has its anchor");
	if (!table_put(&r->anchors, &s->arena, s->seed, name, length, node))
		return error_oom(b->err);
	if (strcmp(keyword, "$dynamicAnchor") != 0)
		return true;
	if (!table_put(&r->dynamic_anchors, &s->arena, s->seed, name, length, node))
		return error_oom(b->err);
	return count_dynamic(b, name);
}

/* ---- Subschemas ---- */

/*
 * jansson has one value 'true' for all, but each subschema wants a place of its
 * own. This is our copy, so a boolean becomes {} and the node remembers which.
 */
static bool own_boolean(json_t **value, bool *ret_never)
{
	*ret_never = json_is_false(*value);
	if (!json_is_boolean(*value))
		return false;
	*value = json_object();
	return true;
}

static bool index_value(struct builder *b, struct place place, json_t *value, bool never,
			bool stored)
{
	if (!value || !stored)
		return error_oom(b->err);
	if (!json_is_object(value))
		return refuse_at(b, place, "must be a schema");
	return index_schema(b, place, value, never);
}

static bool index_member(struct builder *b, struct place place, json_t *object,
			 const char *name, size_t length)
{
	size_t mark = place.pointer->length;
	json_t *value = json_object_getn(object, name, length);
	bool never, stored = true, good;

	if (own_boolean(&value, &never))
		stored = json_object_setn_new(object, name, length, value) == 0;
	index_add_token(place.pointer, name, length);
	good = index_value(b, place, value, never, stored);
	strbuf_truncate(place.pointer, mark);
	return good;
}

static bool index_list(struct builder *b, struct place place, json_t *list)
{
	size_t mark = place.pointer->length;

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *value = json_array_get(list, i);
		bool never, stored = true;

		if (own_boolean(&value, &never))
			stored = json_array_set_new(list, i, value) == 0;
		strbuf_add_format(place.pointer, "/%zu", i);
		if (!index_value(b, place, value, never, stored))
			return false;
		strbuf_truncate(place.pointer, mark);
	}
	return true;
}

static bool index_map(struct builder *b, struct place place, json_t *map, bool is_mixed)
{
	/* A member's value may be exchanged meanwhile, which jansson's iterators stand. */
	for (void *it = json_object_iter(map); it; it = json_object_iter_next(map, it))
		if (!(is_mixed && json_is_array(json_object_iter_value(it))) &&
		    !index_member(b, place, map, json_object_iter_key(it),
				  json_object_iter_key_len(it)))
			return false;
	return true;
}

static bool index_keyword(struct builder *b, struct place place, json_t *json,
			  const struct keyword *keyword)
{
	json_t *value = json_object_get(json, keyword->name);
	size_t mark = place.pointer->length, length = strlen(keyword->name);
	bool good = true;

	if (keyword->shape == SHAPE_VALUE)
		return true;
	if (keyword->shape == SHAPE_SCHEMA)
		return index_member(b, place, json, keyword->name, length);
	index_add_token(place.pointer, keyword->name, length);
	if (json_is_array(value) && keyword->shape == SHAPE_LIST)
		good = index_list(b, place, value);
	else if (json_is_object(value) && keyword->shape >= SHAPE_MAP)
		good = index_map(b, place, value, keyword->shape == SHAPE_MIXED_MAP);
	else
		good = refuse_at(b, place, "is of the wrong type");
	strbuf_truncate(place.pointer, mark);
	return good;
}

/* 'place' is a copy: what follows the subschema is in the outer resource again. */
static bool index_schema(struct builder *b, struct place place, json_t *json, bool never)
{
	const json_t *id = json_object_get(json, "$id");
	const char *dialect = json_get_string(json, "$schema");

	if (json_is_string(id) && !enter_resource(b, &place, json, id))
		return false;
	if (dialect && place.resource->root != json &&
	    strcmp(dialect, place.resource->dialect) != 0)
		return refuse_at(b, place, "changes its $schema without an $id");

	struct node *node = add_node(b, place, json, never);

	if (!node || !add_anchor(b, place, node, "$anchor") ||
	    !add_anchor(b, place, node, "$dynamicAnchor"))
		return false;
	for (void *it = json_object_iter(json); it;
	     it = json_object_iter_next(json, it)) {
		const struct keyword *keyword = keyword_find(
			json_object_iter_key(it), json_object_iter_key_len(it),
			place.resource->vocabularies);

		if (keyword && !index_keyword(b, place, json, keyword))
			return false;
	}
	return true;
}

struct node *index_stray(struct builder *b, json_t *json, struct resource *resource,
			 const char *pointer)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct place place = { resource, &text };
	const json_t *found = json;
	bool never;

	strbuf_add_string(&text, pointer);
	if (own_boolean(&json, &never) &&
	    json_array_append_new(b->schema->documents, json) != 0) {
		error_oom(b->err);
		return NULL;
	}
	if (!set_check_document(b->set, resource->dialect, found, pointer, b->err) ||
	    !index_value(b, place, json, never, true))
		return NULL;
	return index_find(b, json);
}

/* Which dialect a document is in, and whether it is sound in it. */
static bool read_dialect(struct builder *b, struct resource *resource,
			 const json_t *document, bool is_builtin)
{
	const json_t *named = json_object_get(document, "$schema");
	const char *where = b->schema->root ? resource->uri : "";

	if (named && !json_is_string(named))
		return error_set(b->err, ERR_INVALID_ARGUMENT,
				 "schema %s#/$schema: must be a string", where);
	resource->dialect = named ? json_string_value(named) : STANDARD_DIALECT;
	resource->vocabularies = VOCABULARY_STANDARD;
	/* Ours are what others are held against. */
	if (is_builtin)
		return true;
	if (!set_dialect(b->set, resource->dialect, &resource->vocabularies, b->err))
		return false;
	/* That is said of the document itself, not of those that it refers to. */
	if (!b->schema->root && b->schema->flags & SCHEMA_PROVEN)
		return true;
	return set_check_document(b->set, resource->dialect, document, where, b->err);
}

struct resource *index_document(struct builder *b, const char *uri,
				const json_t *document, bool is_builtin)
{
	_cleanup_strbuf_ struct strbuf pointer = STRBUF_INIT;
	struct schema *s = b->schema;
	struct resource *resource = ARENA_NEW(&s->arena, struct resource);
	const char *own_uri = arena_text(&s->arena, uri, strlen(uri));
	struct place place = { resource, &pointer };
	bool never;
	json_t *copy;

	if (!build_check_size(document, b->err))
		return NULL;
	copy = value_copy(document);
	if (!copy || !resource || !own_uri) {
		json_decref(copy);
		error_oom(b->err);
		return NULL;
	}
	/* Complaints about the main document need no URI. */
	if (s->root)
		strbuf_add_string(&pointer, uri);
	strbuf_add_char(&pointer, '#');
	resource->uri = own_uri;
	own_boolean(&copy, &never);
	if (!copy || json_array_append_new(s->documents, copy) != 0) {
		error_oom(b->err);
		return NULL;
	}
	resource->root = copy;
	if (!read_dialect(b, resource, document, is_builtin) ||
	    !name_resource(b, place, resource, own_uri) ||
	    !index_value(b, place, copy, never, true))
		return NULL;
	return resource;
}
