#include "wire/schema_build.h"

/* The node of a member that is a schema. */
static struct node *member_node(struct builder *b, struct node *node, const char *name,
				const json_t *value)
{
	struct node *found = index_find(b, value);

	if (!found)
		build_refuse(b, node, name, "must be a schema");
	return found;
}

/* ---- One schema ---- */

static bool put(struct node **to, struct node *node)
{
	*to = node;
	return true;
}

bool compile_schema(struct builder *b, struct node *node, const char *name, json_t *value)
{
	struct node *target = member_node(b, node, name, value);
	struct object_rules *object;
	struct array_rules *array;
	struct logic_rules *logic;

	if (!target)
		return false;
	if (!strcmp(name, "unevaluatedItems"))
		return put(&node->unevaluated_items, target);
	if (!strcmp(name, "unevaluatedProperties"))
		return put(&node->unevaluated_properties, target);
	if (!strcmp(name, "additionalProperties"))
		return (object = build_object(b, node)) &&
		       put(&object->additional, target);
	if (!strcmp(name, "propertyNames"))
		return (object = build_object(b, node)) && put(&object->names, target);
	if (!strcmp(name, "items"))
		return (array = build_array(b, node)) && put(&array->items, target);
	if (!strcmp(name, "contains"))
		return (array = build_array(b, node)) && put(&array->contains, target);
	logic = build_logic(b, node);
	if (!logic)
		return false;
	if (!strcmp(name, "not"))
		return put(&logic->not, target);
	if (!strcmp(name, "if"))
		return put(&logic->if_node, target);
	if (!strcmp(name, "then"))
		return put(&logic->then_node, target);
	return put(&logic->else_node, target);
}

/* ---- Lists ---- */

static struct node_list *find_list(struct builder *b, struct node *node, const char *name)
{
	if (!strcmp(name, "prefixItems")) {
		struct array_rules *array = build_array(b, node);

		return array ? &array->prefix : NULL;
	}

	struct logic_rules *logic = build_logic(b, node);

	if (!logic)
		return NULL;
	if (!strcmp(name, "allOf"))
		return &logic->all_of;
	return !strcmp(name, "anyOf") ? &logic->any_of : &logic->one_of;
}

bool compile_list(struct builder *b, struct node *node, const char *name, json_t *value)
{
	struct node_list *list = find_list(b, node, name);
	size_t count = json_array_size(value);

	if (!list)
		return false;
	if (count == 0)
		return build_refuse(b, node, name, "must be an array of schemas");
	list->nodes = build_alloc(b, count, sizeof(struct node *));
	if (!list->nodes)
		return false;
	for (size_t i = 0; i < count; i++) {
		list->nodes[i] = member_node(b, node, name, json_array_get(value, i));
		if (!list->nodes[i])
			return false;
	}
	list->count = count;
	return true;
}

/* ---- Members ---- */

/* What the node says about a name so far, to say more. */
static struct property *find_property(struct builder *b, struct node *node,
				      const char *name, size_t length)
{
	struct schema *s = b->schema;
	struct object_rules *rules = build_object(b, node);
	struct property *p;

	if (!rules)
		return NULL;
	p = table_get(&rules->properties, s->seed, name, length);
	if (p)
		return p;
	p = build_alloc(b, 1, sizeof *p);
	if (!p)
		return NULL;
	*p = (struct property){ .name = name, .length = length };
	if (table_put(&rules->properties, &s->arena, s->seed, name, length, p))
		return p;
	error_oom(b->err);
	return NULL;
}

bool compile_properties(struct builder *b, struct node *node, const char *name,
			json_t *value)
{
	if (!build_object(b, node))
		return false;
	for (void *it = json_object_iter(value); it;
	     it = json_object_iter_next(value, it)) {
		struct property *p = find_property(b, node, json_object_iter_key(it),
						   json_object_iter_key_len(it));

		if (!p ||
		    !(p->node = member_node(b, node, name, json_object_iter_value(it))))
			return false;
	}
	return true;
}

bool compile_required(struct builder *b, struct node *node, const char *name,
		      json_t *value)
{
	struct object_rules *rules = build_object(b, node);
	size_t count = json_array_size(value);

	if (!rules)
		return false;
	if (!json_is_array(value))
		return build_refuse(b, node, name, "must be an array of strings");
	rules->required = build_alloc(b, count, sizeof(struct property *));
	if (!rules->required)
		return false;
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(value, i);
		struct property *p;

		if (!json_is_string(item))
			return build_refuse(b, node, name, "must be an array of strings");
		p = find_property(b, node, json_string_value(item),
				  json_string_length(item));
		if (!p)
			return false;
		if (!p->required)
			rules->required[rules->required_count++] = p;
		p->required = true;
	}
	return true;
}

bool compile_patterns(struct builder *b, struct node *node, const char *name,
		      json_t *value)
{
	struct object_rules *rules = build_object(b, node);

	if (!rules)
		return false;
	rules->patterns =
		build_alloc(b, json_object_size(value), sizeof *rules->patterns);
	if (!rules->patterns)
		return false;
	for (void *it = json_object_iter(value); it;
	     it = json_object_iter_next(value, it)) {
		struct pattern_property *p = &rules->patterns[rules->pattern_count];

		p->regex = build_regex(b, node, name, json_object_iter_key(it),
				       json_object_iter_key_len(it));
		if (!p->regex ||
		    !(p->node = member_node(b, node, name, json_object_iter_value(it))))
			return false;
		rules->pattern_count++;
	}
	return true;
}

/* ---- Members that depend on members ---- */

/* Room for 'more' rows behind those there are. */
static struct dependency *add_dependencies(struct builder *b, struct object_rules *rules,
					   size_t more)
{
	struct dependency *all = build_alloc(b, rules->dependency_count + more,
					     sizeof *rules->dependencies);

	if (!all)
		return NULL;
	if (rules->dependency_count)
		memcpy(all, rules->dependencies, rules->dependency_count * sizeof *all);
	rules->dependencies = all;
	return all + rules->dependency_count;
}

static bool fill_required(struct builder *b, struct node *node, const char *name,
			  struct dependency *d, const json_t *list)
{
	size_t count = json_array_size(list);
	struct property *required = build_alloc(b, count, sizeof *required);

	if (!json_is_array(list))
		return build_refuse(b, node, name, "must hold arrays of strings");
	if (!required)
		return false;
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);

		if (!json_is_string(item))
			return build_refuse(b, node, name, "must hold arrays of strings");
		required[i].name = json_string_value(item);
		required[i].length = json_string_length(item);
	}
	d->required = required;
	d->required_count = count;
	return true;
}

/* In "dependencies", which was split in two, a list is of names and all else a schema. */
static bool is_of_names(const char *keyword, const json_t *member)
{
	return !strcmp(keyword, "dependentRequired") ||
	       (!strcmp(keyword, "dependencies") && json_is_array(member));
}

bool compile_dependencies(struct builder *b, struct node *node, const char *name,
			  json_t *value)
{
	struct object_rules *rules = build_object(b, node);
	struct dependency *d;

	if (!rules)
		return false;
	if (!json_is_object(value))
		return build_refuse(b, node, name, "must be an object");
	d = add_dependencies(b, rules, json_object_size(value));
	if (!d)
		return false;
	for (void *it = json_object_iter(value); it;
	     it = json_object_iter_next(value, it), d++) {
		json_t *member = json_object_iter_value(it);

		d->keyword = name;
		d->name = json_object_iter_key(it);
		d->length = json_object_iter_key_len(it);
		if (is_of_names(name, member)
			    ? !fill_required(b, node, name, d, member)
			    : !(d->node = member_node(b, node, name, member)))
			return false;
		rules->dependency_count++;
	}
	return true;
}
