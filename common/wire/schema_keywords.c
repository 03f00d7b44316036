#include "wire/schema_build.h"

#define CORE        VOCABULARY_CORE
#define APPLICATOR  VOCABULARY_APPLICATOR
#define UNEVALUATED VOCABULARY_UNEVALUATED
#define VALIDATION  VOCABULARY_VALIDATION
#define FORMAT      (VOCABULARY_FORMAT_ANNOTATION | VOCABULARY_FORMAT_ASSERTION)

/* Ordered by name. $id, $schema and the anchors are read when a document is indexed;
 * what is not here is an annotation. "definitions" and "dependencies" are of older drafts,
 * and the metaschema still has them: whoever writes them means something by it. */
static const struct keyword keywords[] = {
	{ "$defs", CORE, SHAPE_MAP, NULL },
	{ "$dynamicRef", CORE, SHAPE_VALUE, compile_ref },
	{ "$ref", CORE, SHAPE_VALUE, compile_ref },
	{ "additionalProperties", APPLICATOR, SHAPE_SCHEMA, compile_schema },
	{ "allOf", APPLICATOR, SHAPE_LIST, compile_list },
	{ "anyOf", APPLICATOR, SHAPE_LIST, compile_list },
	{ "const", VALIDATION, SHAPE_VALUE, compile_const },
	{ "contains", APPLICATOR, SHAPE_SCHEMA, compile_schema },
	{ "contentSchema", VOCABULARY_CONTENT, SHAPE_SCHEMA, NULL },
	{ "definitions", CORE, SHAPE_MAP, NULL },
	{ "dependencies", APPLICATOR, SHAPE_MIXED_MAP, compile_dependencies },
	{ "dependentRequired", VALIDATION, SHAPE_VALUE, compile_dependencies },
	{ "dependentSchemas", APPLICATOR, SHAPE_MAP, compile_dependencies },
	{ "else", APPLICATOR, SHAPE_SCHEMA, compile_schema },
	{ "enum", VALIDATION, SHAPE_VALUE, compile_enum },
	{ "exclusiveMaximum", VALIDATION, SHAPE_VALUE, compile_number },
	{ "exclusiveMinimum", VALIDATION, SHAPE_VALUE, compile_number },
	{ "format", FORMAT, SHAPE_VALUE, compile_format },
	{ "if", APPLICATOR, SHAPE_SCHEMA, compile_schema },
	{ "items", APPLICATOR, SHAPE_SCHEMA, compile_schema },
	{ "maxContains", VALIDATION, SHAPE_VALUE, compile_count },
	{ "maxItems", VALIDATION, SHAPE_VALUE, compile_count },
	{ "maxLength", VALIDATION, SHAPE_VALUE, compile_count },
	{ "maxProperties", VALIDATION, SHAPE_VALUE, compile_count },
	{ "maximum", VALIDATION, SHAPE_VALUE, compile_number },
	{ "minContains", VALIDATION, SHAPE_VALUE, compile_count },
	{ "minItems", VALIDATION, SHAPE_VALUE, compile_count },
	{ "minLength", VALIDATION, SHAPE_VALUE, compile_count },
	{ "minProperties", VALIDATION, SHAPE_VALUE, compile_count },
	{ "minimum", VALIDATION, SHAPE_VALUE, compile_number },
	{ "multipleOf", VALIDATION, SHAPE_VALUE, compile_number },
	{ "not", APPLICATOR, SHAPE_SCHEMA, compile_schema },
	{ "oneOf", APPLICATOR, SHAPE_LIST, compile_list },
	{ "pattern", VALIDATION, SHAPE_VALUE, compile_pattern },
	{ "patternProperties", APPLICATOR, SHAPE_MAP, compile_patterns },
	{ "prefixItems", APPLICATOR, SHAPE_LIST, compile_list },
	{ "properties", APPLICATOR, SHAPE_MAP, compile_properties },
	{ "propertyNames", APPLICATOR, SHAPE_SCHEMA, compile_schema },
	{ "required", VALIDATION, SHAPE_VALUE, compile_required },
	{ "then", APPLICATOR, SHAPE_SCHEMA, compile_schema },
	{ "type", VALIDATION, SHAPE_VALUE, compile_type },
	{ "unevaluatedItems", UNEVALUATED, SHAPE_SCHEMA, compile_schema },
	{ "unevaluatedProperties", UNEVALUATED, SHAPE_SCHEMA, compile_schema },
	{ "uniqueItems", VALIDATION, SHAPE_VALUE, compile_unique },
};

static int compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct keyword *)row)->name);
}

const struct keyword *keyword_find(const char *name, size_t length, unsigned vocabularies)
{
	const struct keyword *k =
		bsearch(name, keywords, ARRAY_SIZE(keywords), sizeof *keywords, compare);

	/* A name may hold a NUL, and is another one then. */
	return k && strlen(name) == length && (k->vocabularies & vocabularies) ? k : NULL;
}
