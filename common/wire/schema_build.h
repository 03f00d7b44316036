/*
 * schema_build -- how a schema is compiled, in steps.
 *
 *   schema_set.c       documents and dialects: what is known besides the schema itself
 *   schema_index.c     a document's subschemas become nodes; their URIs and anchors are noted
 *   schema_keywords.c  the table of keywords: which hold subschemas, and who compiles them
 *   schema_rules.c     keywords that assert: numbers, texts, types
 *   schema_apply.c     keywords that apply subschemas
 *   schema_resolve.c   references, which may bring in further documents
 *   schema_compile.c   the whole, and the search for circles
 *
 * A builder lives during one schema_compile. Functions return false, or NULL, with
 * its error set. Private to the schema files.
 */
#ifndef WIRE_SCHEMA_BUILD_H
#define WIRE_SCHEMA_BUILD_H

#include "base/strbuf.h"
#include "wire/schema_tree.h"

struct builder {
	struct schema *schema;
	struct schema_set *set;
	struct table resources; /* URI to resource */
	struct table nodes;     /* json_t pointer to node */
	struct table dynamics;  /* name of a $dynamicAnchor to how many there are */
	struct error *err;
};

/* ---- schema_set.c ---- */

/* Borrowed; NULL when nobody gave a document of this URI. */
const json_t *set_find(struct schema_set *set, const char *uri, bool *ret_is_builtin);
/* The vocabularies a metaschema declares; an unknown dialect is an error. */
bool set_dialect(struct schema_set *set, const char *uri, unsigned *ret_vocabularies,
		 struct error *err);
/* Hold 'document' against the metaschema 'dialect'; 'where' begins complaints. */
bool set_check_document(struct schema_set *set, const char *dialect,
			const json_t *document, const char *where, struct error *err);

/* ---- schema_index.c ---- */

/* Make a private copy of 'document' known under 'uri'; its root resource is returned. */
struct resource *index_document(struct builder *b, const char *uri,
				const json_t *document, bool is_builtin);
/* The node of a subschema at 'pointer' that no keyword led to; it is indexed now. */
struct node *index_stray(struct builder *b, json_t *json, struct resource *resource,
			 const char *pointer);
struct node *index_find(const struct builder *b, const json_t *json);
/* How many schemas have this $dynamicAnchor. */
size_t index_count_dynamic(const struct builder *b, const char *name);
/* Append "/token", escaped. */
void index_add_token(struct strbuf *sb, const char *token, size_t length);

/* ---- schema_keywords.c ---- */

/* A mixed map has lists among its schemas, which are none. */
enum keyword_shape { SHAPE_VALUE, SHAPE_SCHEMA, SHAPE_LIST, SHAPE_MAP, SHAPE_MIXED_MAP };

struct keyword {
	const char *name;
	unsigned vocabularies; /* any of them makes it known */
	enum keyword_shape shape;
	/* NULL where there is nothing to compile. */
	bool (*compile)(struct builder *b, struct node *node, const char *name,
			json_t *value);
};

/* NULL when it is unknown, or not of the resource's vocabularies. */
const struct keyword *keyword_find(const char *name, size_t length,
				   unsigned vocabularies);

/* ---- schema_compile.c ---- */

/* schema_compile; a builtin document is not held against its metaschema. */
struct schema *build_schema(struct schema_set *set, const json_t *document,
			    const char *uri, unsigned flags, bool is_builtin,
			    struct error *err) _must_use_;
/* Refuse what is nested too deep or too large to be copied. */
bool build_check_size(const json_t *document, struct error *err);

/* "schema #/properties/a: 'minLength' must be ...". Returns false. */
bool build_refuse(struct builder *b, const struct node *node, const char *keyword,
		  const char *format, ...) _printf_(4, 5);
/* A zeroed part of the tree; an error is set when it is NULL. */
void *build_alloc(struct builder *b, size_t count, size_t size) _must_use_;
/* The part of a node, made with its defaults when it is first asked for. */
struct number_rules *build_number(struct builder *b, struct node *node);
struct string_rules *build_string(struct builder *b, struct node *node);
struct array_rules *build_array(struct builder *b, struct node *node);
struct object_rules *build_object(struct builder *b, struct node *node);
struct logic_rules *build_logic(struct builder *b, struct node *node);
/* Compiled and owned by the schema. */
const struct regex *build_regex(struct builder *b, const struct node *node,
				const char *keyword, const char *text, size_t length);

/* ---- schema_rules.c ---- */

bool compile_type(struct builder *b, struct node *node, const char *name, json_t *value);
bool compile_enum(struct builder *b, struct node *node, const char *name, json_t *value);
bool compile_const(struct builder *b, struct node *node, const char *name, json_t *value);
bool compile_number(struct builder *b, struct node *node, const char *name,
		    json_t *value);
bool compile_count(struct builder *b, struct node *node, const char *name, json_t *value);
bool compile_pattern(struct builder *b, struct node *node, const char *name,
		     json_t *value);
bool compile_format(struct builder *b, struct node *node, const char *name,
		    json_t *value);
bool compile_unique(struct builder *b, struct node *node, const char *name,
		    json_t *value);

/* ---- schema_apply.c ---- */

bool compile_schema(struct builder *b, struct node *node, const char *name,
		    json_t *value);
bool compile_list(struct builder *b, struct node *node, const char *name, json_t *value);
bool compile_properties(struct builder *b, struct node *node, const char *name,
			json_t *value);
bool compile_patterns(struct builder *b, struct node *node, const char *name,
		      json_t *value);
bool compile_required(struct builder *b, struct node *node, const char *name,
		      json_t *value);
bool compile_dependencies(struct builder *b, struct node *node, const char *name,
			  json_t *value);

/* ---- schema_resolve.c ---- */

bool compile_ref(struct builder *b, struct node *node, const char *name, json_t *value);

#endif
