#include "wire/schema_build.h"

#include "wire/schema_uri.h"

/* A reference in its pieces. 'fragment' is decoded. */
struct reference {
	const char *text;
	struct resource *resource;
	struct strbuf *fragment;
};

static bool refuse(struct builder *b, const struct node *node, const char *keyword,
		   const char *reference, const char *why)
{
	return build_refuse(b, node, keyword, "refers to '%s', %s", reference, why);
}

/* The resource that the part before the fragment names; it may have to be brought in. */
static bool find_resource(struct builder *b, struct node *node, const char *keyword,
			  struct reference *ref)
{
	_cleanup_strbuf_ struct strbuf uri = STRBUF_INIT;
	size_t length = strcspn(ref->text, "#");
	const json_t *document;
	bool is_builtin;

	ref->resource = node->resource;
	if (length == 0)
		return true;
	uri_resolve(&uri, node->resource->uri, ref->text, length);
	if (!strbuf_ok(&uri))
		return error_oom(b->err);
	ref->resource = table_get(&b->resources, b->schema->seed, uri.data, uri.length);
	if (ref->resource)
		return true;
	document = set_find(b->set, uri.data, &is_builtin);
	if (!document)
		return refuse(b, node, keyword, ref->text, "which is not known");
	ref->resource = index_document(b, uri.data, document, is_builtin);
	return ref->resource != NULL;
}

/* The next token of a JSON Pointer, unescaped; moves 'at' behind it. */
static bool take_token(const char **at, struct strbuf *ret)
{
	size_t n = strcspn(*at + 1, "/");
	const char *p = *at + 1;

	strbuf_clear(ret);
	*at = p + n;
	for (; p < *at; p++) {
		if (*p != '~') {
			strbuf_add_char(ret, *p);
		} else if (p[1] == '0' || p[1] == '1') {
			strbuf_add_char(ret, *++p == '0' ? '~' : '/');
		} else {
			return false;
		}
	}
	return strbuf_ok(ret);
}

static json_t *step(json_t *json, const struct strbuf *token)
{
	size_t index = 0;

	if (json_is_object(json))
		return json_object_getn(json, token->data, token->length);
	if (token->length == 0 || token->length > 9 ||
	    (token->data[0] == '0' && token->length > 1))
		return NULL;
	for (size_t i = 0; i < token->length; i++) {
		if (token->data[i] < '0' || token->data[i] > '9')
			return NULL;
		index = index * 10 + (size_t)(token->data[i] - '0');
	}
	return json_array_get(json, index);
}

static struct node *find_by_pointer(struct builder *b, const struct reference *ref)
{
	_cleanup_strbuf_ struct strbuf token = STRBUF_INIT, pointer = STRBUF_INIT;
	json_t *json = ref->resource->root;
	struct node *node = index_find(b, json), *last = node;

	/* An $id that is passed on the way changes what is below it. */
	for (const char *at = ref->fragment->data; *at;) {
		if (!take_token(&at, &token) || !(json = step(json, &token)))
			return NULL;
		index_add_token(&pointer, token.data, token.length);
		node = index_find(b, json);
		if (node) {
			last = node;
			strbuf_clear(&pointer);
		}
	}
	if (node || !last)
		return node;

	/* A place no keyword leads to, such as "#/components/schemas/Person". */
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT;

	strbuf_add_string(&whole, last->pointer);
	strbuf_add(&whole, pointer.data, pointer.length);
	return strbuf_ok(&whole) ? index_stray(b, json, last->resource, whole.data)
				 : NULL;
}

bool compile_ref(struct builder *b, struct node *node, const char *name, json_t *value)
{
	_cleanup_strbuf_ struct strbuf fragment = STRBUF_INIT;
	struct reference ref = { .text = json_string_value(value),
				 .fragment = &fragment };
	bool dynamic = !strcmp(name, "$dynamicRef"), anchor;
	struct node *target;

	if (!ref.text || strlen(ref.text) != json_string_length(value))
		return build_refuse(b, node, name, "must be a URI reference");

	const char *hash = strchr(ref.text, '#');

	if (hash && !uri_decode(&fragment, hash + 1, strlen(hash + 1)))
		return refuse(b, node, name, ref.text, "which is no URI reference");
	if (!find_resource(b, node, name, &ref))
		return false;
	anchor = fragment.length && fragment.data[0] != '/';
	if (anchor)
		target = table_get(&ref.resource->anchors, b->schema->seed, fragment.data,
				   fragment.length);
	else
		target = find_by_pointer(b, &ref);
	if (!target)
		return refuse(b, node, name, ref.text, "where there is no schema");
	if (!dynamic) {
		node->ref = target;
		return true;
	}
	node->dynamic = target;
	if (anchor && table_get(&ref.resource->dynamic_anchors, b->schema->seed,
				fragment.data, fragment.length) == target) {
		node->dynamic_name =
			arena_text(&b->schema->arena, fragment.data, fragment.length);
		if (!node->dynamic_name)
			return error_oom(b->err);
	}
	return true;
}
