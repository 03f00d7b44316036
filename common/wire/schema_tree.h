/*
 * schema_tree -- what a schema document is compiled into.
 *
 * A node is one subschema. Rules for one type of value hang off it in a part of
 * their own, NULL where there are none, so that validating touches only what the
 * value's type concerns. Everything is in the schema's arena and constant once
 * schema_compile has returned. Private to the schema files.
 */
#ifndef WIRE_SCHEMA_TREE_H
#define WIRE_SCHEMA_TREE_H

#include "wire/schema.h"
#include "wire/schema_format.h"
#include "wire/schema_number.h"
#include "wire/schema_regex.h"
#include "wire/schema_table.h"

/* Bits of node.types. An integer has both of the last two. */
enum type_bit {
	TYPE_NULL = 1,
	TYPE_BOOLEAN = 2,
	TYPE_OBJECT = 4,
	TYPE_ARRAY = 8,
	TYPE_STRING = 16,
	TYPE_NUMBER = 32,
	TYPE_INTEGER = 64,
	TYPE_ANY = 127,
};

/* Bits of resource.vocabularies. */
enum vocabulary {
	VOCABULARY_CORE = 1,
	VOCABULARY_APPLICATOR = 2,
	VOCABULARY_UNEVALUATED = 4,
	VOCABULARY_VALIDATION = 8,
	VOCABULARY_META_DATA = 16,
	VOCABULARY_FORMAT_ANNOTATION = 32,
	VOCABULARY_FORMAT_ASSERTION = 64,
	VOCABULARY_CONTENT = 128,
	VOCABULARY_STANDARD = 255 - VOCABULARY_FORMAT_ASSERTION,
};

struct node;

/* A schema with a URI of its own: a document, or a subschema with $id. */
struct resource {
	const char *uri; /* no fragment */
	json_t *root;    /* borrowed from schema.documents */
	const char *dialect;
	unsigned vocabularies;
	struct table anchors;         /* name to node: $anchor and $dynamicAnchor */
	struct table dynamic_anchors; /* name to node: $dynamicAnchor alone */
};

/* Nodes that are applied in turn. */
struct node_list {
	struct node **nodes;
	size_t count;
};

struct enum_rule {
	struct table strings; /* the texts, if there are many; 'values' has all */
	const json_t **values;
	size_t count;
	bool only_strings;
};

struct number_rules {
	const json_t *minimum, *exclusive_minimum, *maximum, *exclusive_maximum;
	const json_t *multiple_of;
	struct decimal divisor;
};

struct string_rules {
	size_t min_length, max_length;
	const struct regex *pattern;
	const char *pattern_text;
	const struct format *format;
};

struct array_rules {
	struct node_list prefix;
	struct node *items, *contains;
	size_t min_items, max_items, min_contains, max_contains;
	bool unique;
};

/* What is said about one name: by 'properties', by 'required', or by both. */
struct property {
	const char *name;
	size_t length;
	struct node *node;
	bool required;
};

struct pattern_property {
	const struct regex *regex;
	struct node *node;
};

/* If 'name' is there: these too ('dependentRequired'), or that schema ('dependentSchemas').
 * 'dependencies' of older drafts has both. */
struct dependency {
	const char *keyword;
	const char *name;
	size_t length;
	const struct property *required;
	size_t required_count;
	struct node *node;
};

struct object_rules {
	struct table properties; /* name to struct property */
	const struct property **required;
	size_t required_count;
	struct pattern_property *patterns;
	size_t pattern_count;
	struct dependency *dependencies;
	size_t dependency_count;
	struct node *additional, *names;
	size_t min_properties, max_properties;
};

/* Schemas for the very same value. */
struct logic_rules {
	struct node_list all_of, any_of, one_of;
	struct node * not, *if_node, *then_node, *else_node;
};

struct node {
	json_t *json; /* the subschema, borrowed; an object, also for true and false */
	const char
		*pointer; /* "#/properties/name", or with its document's URI in front */
	struct resource *resource;
	struct node *next; /* in the order they were found */
	unsigned types;    /* permitted ones */
	bool never;        /* the schema 'false' */
	char visit; /* for the search for circles: 0 new, 1 being visited, 2 done */

	struct node *ref, *dynamic;
	const char *
		dynamic_name; /* what to look for in the dynamic scope, before 'dynamic' */
	const json_t *constant;
	struct enum_rule *enumeration;
	struct number_rules *number;
	struct string_rules *string;
	struct array_rules *array;
	struct object_rules *object;
	struct logic_rules *logic;
	struct node *unevaluated_items, *unevaluated_properties;
};

struct regex_list {
	struct regex_list *next;
	struct regex *regex;
};

struct schema {
	struct arena arena;
	uint64_t seed;
	unsigned flags;
	json_t *documents; /* array of private copies, main document first */
	struct regex_list *regexes;
	struct node *root, *last; /* first and last of all nodes */
	size_t node_count;
	bool has_dynamic; /* some node has dynamic_name */
};

#endif
