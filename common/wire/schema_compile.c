#include "wire/schema_build.h"

#include <stdarg.h>

#include "base/digest.h"

/* ---- For those who compile keywords ---- */

bool build_refuse(struct builder *b, const struct node *node, const char *keyword,
		  const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	va_list args;

	va_start(args, format);
	strbuf_add_vformat(&why, format, args);
	va_end(args);
	return error_set(b->err, ERR_INVALID_ARGUMENT, "schema %s: '%s' %s",
			 node->pointer, keyword, why.data);
}

void *build_alloc(struct builder *b, size_t count, size_t size)
{
	/* Counts are those of a parsed document, but an empty one still wants an address. */
	void *p = count < SIZE_MAX / 2 / size
			  ? arena_alloc(&b->schema->arena, (count + 1) * size)
			  : NULL;

	if (!p)
		error_oom(b->err);
	return p;
}

struct number_rules *build_number(struct builder *b, struct node *node)
{
	if (!node->number)
		node->number = build_alloc(b, 1, sizeof *node->number);
	return node->number;
}

struct string_rules *build_string(struct builder *b, struct node *node)
{
	if (!node->string && (node->string = build_alloc(b, 1, sizeof *node->string)))
		node->string->max_length = SIZE_MAX;
	return node->string;
}

struct array_rules *build_array(struct builder *b, struct node *node)
{
	if (!node->array && (node->array = build_alloc(b, 1, sizeof *node->array)))
		*node->array = (struct array_rules){ .max_items = SIZE_MAX,
						     .min_contains = 1,
						     .max_contains = SIZE_MAX };
	return node->array;
}

struct object_rules *build_object(struct builder *b, struct node *node)
{
	if (!node->object && (node->object = build_alloc(b, 1, sizeof *node->object)))
		node->object->max_properties = SIZE_MAX;
	return node->object;
}

struct logic_rules *build_logic(struct builder *b, struct node *node)
{
	if (!node->logic)
		node->logic = build_alloc(b, 1, sizeof *node->logic);
	return node->logic;
}

const struct regex *build_regex(struct builder *b, const struct node *node,
				const char *keyword, const char *text, size_t length)
{
	_cleanup_(regex_freep) struct regex *regex = NULL;
	struct error why = ERROR_INIT;
	struct regex_list *row;

	regex = regex_new(text, length, &why);
	if (!regex) {
		build_refuse(b, node, keyword, "%s", why.message);
		return NULL;
	}
	row = build_alloc(b, 1, sizeof *row);
	if (!row)
		return NULL;
	*row = (struct regex_list){ b->schema->regexes, regex };
	b->schema->regexes = row;
	return TAKE(regex);
}

/* ---- Size ---- */

static bool measure(const json_t *value, unsigned depth, size_t *left)
{
	json_t *inner = (json_t *)(uintptr_t)value; /* jansson's iterators want it so */

	if (depth == 0 || *left == 0)
		return false;
	--*left;
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!measure(json_array_get(value, i), depth - 1, left))
			return false;
	for (void *it = json_object_iter(inner); it;
	     it = json_object_iter_next(inner, it))
		if (!measure(json_object_iter_value(it), depth - 1, left))
			return false;
	return true;
}

bool build_check_size(const json_t *document, struct error *err)
{
	enum { VALUES_MAX = 1000000 };
	size_t left = VALUES_MAX;

	if (!json_is_object(document) && !json_is_boolean(document))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a schema must be an object or a boolean");
	return measure(document, SCHEMA_NESTING_MAX, &left) ||
	       error_set(err, ERR_INVALID_ARGUMENT,
			 "a schema is too large or nested too deep");
}

/* ---- Circles ---- */

enum visit { VISIT_NEW, VISIT_OPEN, VISIT_DONE };

static bool visit(struct builder *b, struct node *node, unsigned depth);

static bool visit_list(struct builder *b, const struct node_list *list, unsigned depth)
{
	for (size_t i = 0; i < list->count; i++)
		if (!visit(b, list->nodes[i], depth))
			return false;
	return true;
}

/* Follow whatever is applied to the same value; to meet a node again is a circle. */
static bool visit(struct builder *b, struct node *node, unsigned depth)
{
	const struct logic_rules *l;
	bool good = true;

	if (!node || node->visit == VISIT_DONE)
		return true;
	if (node->visit == VISIT_OPEN)
		return build_refuse(b, node, "$ref", "leads back to itself");
	if (depth == SCHEMA_DEPTH_MAX / 2)
		return build_refuse(b, node, "$ref",
				    "is reached through too many others");
	node->visit = VISIT_OPEN;
	depth++;
	good = visit(b, node->ref, depth) &&
	       (node->dynamic_name || visit(b, node->dynamic, depth));
	l = node->logic;
	if (l)
		good = good && visit_list(b, &l->all_of, depth) &&
		       visit_list(b, &l->any_of, depth) &&
		       visit_list(b, &l->one_of, depth) && visit(b, l->not, depth) &&
		       visit(b, l->if_node, depth) && visit(b, l->then_node, depth) &&
		       visit(b, l->else_node, depth);
	for (size_t i = 0; good && node->object && i < node->object->dependency_count;
	     i++)
		good = visit(b, node->object->dependencies[i].node, depth);
	node->visit = VISIT_DONE;
	return good;
}

/* ---- The whole ---- */

static bool compile_node(struct builder *b, struct node *node)
{
	for (void *it = json_object_iter(node->json); it;
	     it = json_object_iter_next(node->json, it)) {
		const struct keyword *keyword = keyword_find(
			json_object_iter_key(it), json_object_iter_key_len(it),
			node->resource->vocabularies);

		if (keyword && keyword->compile &&
		    !keyword->compile(b, node, keyword->name, json_object_iter_value(it)))
			return false;
	}
	return true;
}

/* A dynamic reference with one place to go to is a plain one. */
static void settle_dynamic(struct builder *b)
{
	for (struct node *node = b->schema->root; node; node = node->next) {
		if (node->dynamic_name && index_count_dynamic(b, node->dynamic_name) == 1)
			node->dynamic_name = NULL;
		b->schema->has_dynamic |= node->dynamic_name != NULL;
	}
}

static bool compile_all(struct builder *b, const char *uri, const json_t *document,
			bool is_builtin)
{
	if (!index_document(b, uri, document, is_builtin))
		return false;
	/* References append the nodes of further documents, which come in their turn. */
	for (struct node *node = b->schema->root; node; node = node->next)
		if (!compile_node(b, node))
			return false;
	settle_dynamic(b);
	for (struct node *node = b->schema->root; node; node = node->next)
		if (!visit(b, node, 0))
			return false;
	return true;
}

struct schema *build_schema(struct schema_set *set, const json_t *document,
			    const char *uri, unsigned flags, bool is_builtin,
			    struct error *err)
{
	_cleanup_(schema_freep) struct schema *schema = calloc(1, sizeof *schema);
	struct builder b = { .schema = schema, .set = set, .err = err };

	if (!schema || !(schema->documents = json_array())) {
		error_oom(err);
		return NULL;
	}
	digest_random(&schema->seed, sizeof schema->seed);
	schema->flags = flags;
	return compile_all(&b, uri, document, is_builtin) ? TAKE(schema) : NULL;
}

struct schema *schema_compile(struct schema_set *set, const json_t *document,
			      const char *base_uri, unsigned flags, struct error *err)
{
	_cleanup_(schema_set_freep) struct schema_set *own = set ? NULL
								 : schema_set_new();
	_cleanup_free_ char *base = NULL;

	if (!set)
		set = own;
	base = base_uri ? strndup(base_uri, strcspn(base_uri, "#")) : strdup("");
	if (!set || !base) {
		error_oom(err);
		return NULL;
	}
	return build_schema(set, document, base, flags, false, err);
}

bool schema_needs_icu(const struct schema *schema)
{
	for (const struct regex_list *row = schema->regexes; row; row = row->next)
		if (regex_needs_icu(row->regex))
			return true;
	return false;
}

void schema_free(struct schema *schema)
{
	if (!schema)
		return;
	for (struct regex_list *row = schema->regexes; row; row = row->next)
		regex_free(row->regex);
	json_decref(schema->documents);
	arena_done(&schema->arena);
	free(schema);
}
