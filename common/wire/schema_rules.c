#include "wire/schema_build.h"

/* ---- type, enum, const ---- */

static const struct {
	const char *name;
	unsigned bits;
} types[] = {
	{ "null", TYPE_NULL },       { "boolean", TYPE_BOOLEAN },
	{ "object", TYPE_OBJECT },   { "array", TYPE_ARRAY },
	{ "string", TYPE_STRING },   { "number", TYPE_NUMBER },
	{ "integer", TYPE_INTEGER },
};

static unsigned type_bits(const json_t *name)
{
	for (size_t i = 0; json_is_string(name) && i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].name, json_string_value(name)))
			return types[i].bits;
	return 0;
}

bool compile_type(struct builder *b, struct node *node, const char *name, json_t *value)
{
	size_t count = json_is_array(value) ? json_array_size(value) : 1;

	node->types = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned bits = type_bits(json_is_array(value) ? json_array_get(value, i)
							       : value);

		if (!bits)
			return build_refuse(b, node, name, "names an unknown type");
		node->types |= bits;
	}
	return true;
}

bool compile_enum(struct builder *b, struct node *node, const char *name, json_t *value)
{
	enum { LINEAR_MAX = 8 };
	struct schema *s = b->schema;
	size_t count = json_array_size(value);
	struct enum_rule *rule = build_alloc(b, 1, sizeof *rule);

	if (!json_is_array(value))
		return build_refuse(b, node, name, "must be an array");
	if (!rule || !(rule->values = build_alloc(b, count, sizeof(json_t *))))
		return false;
	rule->count = count;
	rule->only_strings = true;
	for (size_t i = 0; i < count; i++) {
		json_t *item = json_array_get(value, i);

		rule->values[i] = item;
		if (!json_is_string(item)) {
			rule->only_strings = false;
		} else if (count > LINEAR_MAX &&
			   !table_put(&rule->strings, &s->arena, s->seed,
				      json_string_value(item), json_string_length(item),
				      item)) {
			return error_oom(b->err);
		}
	}
	node->enumeration = rule;
	return true;
}

bool compile_const(struct builder *b, struct node *node, const char *name, json_t *value)
{
	(void)b;
	(void)name;
	node->constant = value;
	return true;
}

/* ---- Numbers ---- */

bool compile_number(struct builder *b, struct node *node, const char *name, json_t *value)
{
	struct number_rules *rules = build_number(b, node);

	if (!rules)
		return false;
	if (!json_is_number(value))
		return build_refuse(b, node, name, "must be a number");
	if (!strcmp(name, "minimum")) {
		rules->minimum = value;
	} else if (!strcmp(name, "exclusiveMinimum")) {
		rules->exclusive_minimum = value;
	} else if (!strcmp(name, "maximum")) {
		rules->maximum = value;
	} else if (!strcmp(name, "exclusiveMaximum")) {
		rules->exclusive_maximum = value;
	} else {
		rules->multiple_of = value;
		rules->divisor = number_decimal(value);
		if (rules->divisor.digits == 0 || json_number_value(value) < 0)
			return build_refuse(b, node, name, "must be more than 0");
	}
	return true;
}

/* ---- Counts ---- */

static size_t *find_count(struct builder *b, struct node *node, const char *name)
{
	bool least = name[1] == 'i'; /* min..., max... */
	const char *what = name + 3;

	if (!strcmp(what, "Length")) {
		struct string_rules *s = build_string(b, node);

		return !s ? NULL : least ? &s->min_length : &s->max_length;
	}
	if (!strcmp(what, "Properties")) {
		struct object_rules *o = build_object(b, node);

		return !o ? NULL : least ? &o->min_properties : &o->max_properties;
	}

	struct array_rules *a = build_array(b, node);

	if (!a)
		return NULL;
	if (!strcmp(what, "Items"))
		return least ? &a->min_items : &a->max_items;
	return least ? &a->min_contains : &a->max_contains;
}

bool compile_count(struct builder *b, struct node *node, const char *name, json_t *value)
{
	size_t *count = find_count(b, node, name);

	if (!count)
		return false;
	return number_to_size(value, count) ||
	       build_refuse(b, node, name, "must be a whole number of at least 0");
}

bool compile_unique(struct builder *b, struct node *node, const char *name, json_t *value)
{
	struct array_rules *rules = build_array(b, node);

	if (!rules)
		return false;
	rules->unique = json_is_true(value);
	return json_is_boolean(value) || build_refuse(b, node, name, "must be a boolean");
}

/* ---- Texts ---- */

bool compile_pattern(struct builder *b, struct node *node, const char *name,
		     json_t *value)
{
	struct string_rules *rules = build_string(b, node);

	if (!rules)
		return false;
	if (!json_is_string(value))
		return build_refuse(b, node, name, "must be a string");
	rules->pattern_text = json_string_value(value);
	rules->pattern = build_regex(b, node, name, json_string_value(value),
				     json_string_length(value));
	return rules->pattern != NULL;
}

bool compile_format(struct builder *b, struct node *node, const char *name, json_t *value)
{
	bool asserted = node->resource->vocabularies & VOCABULARY_FORMAT_ASSERTION;
	const struct format *format =
		json_is_string(value) ? format_find(json_string_value(value)) : NULL;
	struct string_rules *rules;

	if (!json_is_string(value))
		return build_refuse(b, node, name, "must be a string");
	/* A dialect that asserts formats promises to know them all. */
	if (asserted && !format)
		return build_refuse(b, node, name, "names an unknown format");
	if (!format || (!asserted && !(b->schema->flags & SCHEMA_ASSERT_FORMAT)))
		return true;
	rules = build_string(b, node);
	if (!rules)
		return false;
	rules->format = format;
	return true;
}
