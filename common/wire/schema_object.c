/* Objects: their members, and the names of these. */
#include "wire/schema_run.h"

/* Apply a member's schema. 'keyword' leads to it from 'parent'. */
static bool run_member(struct run *run, const struct node *parent, const char *keyword,
		       const struct node *node, json_t *value, const struct path *path)
{
	if (node->never)
		return fault(run, parent, path, keyword, "is not a known member");
	return run_node(run, node, value, path, NULL) || run->report;
}

static bool run_name(struct run *run, const struct node *node, const struct path *member)
{
	json_auto_t *name = json_stringn_nocheck(member->key, member->key_length);

	if (!name)
		return run_stop(run, STOP_NO_MEMORY);
	return run_quietly(run, node->object->names, name, member, NULL) ||
	       fault_member(run, node, member->outer, "propertyNames", member->key,
			    member->key_length, "must not have a member of the name", "");
}

/* One member against everything that is said about it. */
static bool run_one(struct run *run, const struct node *node, json_t *value,
		    const struct path *member, size_t *found, bool *ret_evaluated)
{
	const struct object_rules *o = node->object;
	const struct property *p = table_get(&o->properties, run->schema->seed,
					     member->key, member->key_length);
	bool matched = p && p->node;

	*found += p && p->required;
	if (matched && !run_member(run, node, "properties", p->node, value, member))
		return false;
	for (size_t i = 0; i < o->pattern_count; i++) {
		if (!run_pattern(run, o->patterns[i].regex, member->key,
				 member->key_length)) {
			if (run->stop)
				return false;
			continue;
		}
		matched = true;
		if (!run_member(run, node, "patternProperties", o->patterns[i].node,
				value, member))
			return false;
	}
	*ret_evaluated = matched || o->additional;
	if (!matched && o->additional &&
	    !run_member(run, node, "additionalProperties", o->additional, value, member))
		return false;
	return !o->names || run_name(run, node, member);
}

static bool has_member(const json_t *value, const char *name, size_t length)
{
	return json_object_getn(value, name, length) != NULL;
}

static bool run_members(struct run *run, const struct node *node, json_t *value,
			const struct path *path, struct evaluated *evaluated)
{
	const struct object_rules *o = node->object;
	size_t index = 0, found = 0;
	bool marked = false;

	for (void *it = json_object_iter(value); it;
	     it = json_object_iter_next(value, it), index++) {
		struct path member = { .outer = path,
				       .key = json_object_iter_key(it),
				       .key_length = json_object_iter_key_len(it) };

		if (!run_one(run, node, json_object_iter_value(it), &member, &found,
			     &marked))
			return false;
		if (evaluated && marked)
			evaluated_mark(evaluated, index);
	}
	for (size_t i = 0; found < o->required_count && i < o->required_count; i++) {
		const struct property *p = o->required[i];

		if (!has_member(value, p->name, p->length) &&
		    !fault_member(run, node, path, "required", p->name, p->length,
				  "must have", ""))
			return false;
	}
	return true;
}

static bool run_size(struct run *run, const struct node *node, const json_t *value,
		     const struct path *path)
{
	const struct object_rules *o = node->object;
	size_t size = json_object_size(value);

	if (size < o->min_properties &&
	    !fault(run, node, path, "minProperties", "must have at least %zu member%s",
		   o->min_properties, o->min_properties == 1 ? "" : "s"))
		return false;
	return size <= o->max_properties ||
	       fault(run, node, path, "maxProperties", "must have at most %zu member%s",
		     o->max_properties, o->max_properties == 1 ? "" : "s");
}

static bool run_dependency(struct run *run, const struct node *node,
			   const struct dependency *d, json_t *value,
			   const struct path *path, struct evaluated *evaluated)
{
	if (!has_member(value, d->name, d->length))
		return true;
	for (size_t i = 0; i < d->required_count; i++)
		if (!has_member(value, d->required[i].name, d->required[i].length) &&
		    !fault_member(run, node, path, d->keyword, d->required[i].name,
				  d->required[i].length, "must have",
				  " because of another member it has"))
			return false;
	return !d->node || run_node(run, d->node, value, path, evaluated) || run->report;
}

bool run_object(struct run *run, const struct node *node, json_t *value,
		const struct path *path, struct evaluated *evaluated)
{
	const struct object_rules *o = node->object;

	if (!run_size(run, node, value, path) ||
	    !run_members(run, node, value, path, evaluated))
		return false;
	for (size_t i = 0; i < o->dependency_count; i++)
		if (!run_dependency(run, node, &o->dependencies[i], value, path,
				    evaluated))
			return false;
	return true;
}

bool run_unevaluated_properties(struct run *run, const struct node *node, json_t *value,
				const struct path *path, struct evaluated *evaluated)
{
	size_t index = 0;

	for (void *it = json_object_iter(value); it;
	     it = json_object_iter_next(value, it), index++) {
		struct path member = { .outer = path,
				       .key = json_object_iter_key(it),
				       .key_length = json_object_iter_key_len(it) };

		if (evaluated_has(evaluated, index))
			continue;
		evaluated_mark(evaluated, index);
		if (!run_member(run, node, "unevaluatedProperties",
				node->unevaluated_properties, json_object_iter_value(it),
				&member))
			return false;
	}
	return true;
}
