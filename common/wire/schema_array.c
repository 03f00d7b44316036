/* Arrays: their items, one by one and as a whole. */
#include "wire/schema_run.h"

#include "wire/schema_value.h"

static bool run_item(struct run *run, const struct node *parent, const char *keyword,
		     const struct node *node, json_t *value, const struct path *path)
{
	if (node->never)
		return fault(run, parent, path, keyword, "is one item too many");
	return run_node(run, node, value, path, NULL) || run->report;
}

static bool run_items(struct run *run, const struct node *node, json_t *value,
		      const struct path *path, struct evaluated *evaluated)
{
	const struct array_rules *a = node->array;
	size_t count = json_array_size(value);

	for (size_t i = 0; i < count; i++) {
		struct path item = { .outer = path, .index = i };
		bool prefix = i < a->prefix.count;
		const struct node *rule = prefix ? a->prefix.nodes[i] : a->items;

		if (!rule)
			break;
		if (evaluated)
			evaluated_mark(evaluated, i);
		if (!run_item(run, node, prefix ? "prefixItems" : "items", rule,
			      json_array_get(value, i), &item))
			return false;
	}
	return true;
}

static bool run_contains(struct run *run, const struct node *node, json_t *value,
			 const struct path *path, struct evaluated *evaluated)
{
	const struct array_rules *a = node->array;
	size_t count = json_array_size(value), found = 0;
	bool bounded = a->max_contains != SIZE_MAX;

	for (size_t i = 0; i < count && !run->stop; i++) {
		struct path item = { .outer = path, .index = i };

		if (found >= a->min_contains && !bounded && !evaluated)
			break;
		if (!run_quietly(run, a->contains, json_array_get(value, i), &item, NULL))
			continue;
		found++;
		if (evaluated)
			evaluated_mark(evaluated, i);
	}
	if (found < a->min_contains &&
	    !fault(run, node, path, a->min_contains == 1 ? "contains" : "minContains",
		   "must contain at least %zu item%s of the kind asked for",
		   a->min_contains, a->min_contains == 1 ? "" : "s"))
		return false;
	return found <= a->max_contains ||
	       fault(run, node, path, "maxContains",
		     "must contain at most %zu item%s of the kind asked for",
		     a->max_contains, a->max_contains == 1 ? "" : "s");
}

static bool run_unique(struct run *run, const struct node *node, const json_t *value,
		       const struct path *path)
{
	size_t first, second;

	switch (value_unique(value, run->schema->seed, &run->steps_left, &first,
			     &second)) {
	case VALUE_UNIQUE:
		return true;
	case VALUE_REPEATED:
		return fault(
			run, node, path, "uniqueItems",
			"must not contain an item twice (items %zu and %zu are equal)",
			first + 1, second + 1);
	case VALUE_TOO_COMPLEX:
		return run_stop(run, STOP_TOO_COMPLEX);
	case VALUE_NO_MEMORY:
		break;
	}
	return run_stop(run, STOP_NO_MEMORY);
}

static bool run_size(struct run *run, const struct node *node, const json_t *value,
		     const struct path *path)
{
	const struct array_rules *a = node->array;
	size_t size = json_array_size(value);

	if (size < a->min_items && a->min_items == 1 && size == 0)
		return fault(run, node, path, "minItems", "must not be empty");
	if (size < a->min_items && !fault(run, node, path, "minItems",
					  "must have at least %zu items", a->min_items))
		return false;
	return size <= a->max_items ||
	       fault(run, node, path, "maxItems", "must have at most %zu item%s",
		     a->max_items, a->max_items == 1 ? "" : "s");
}

bool run_array(struct run *run, const struct node *node, json_t *value,
	       const struct path *path, struct evaluated *evaluated)
{
	const struct array_rules *a = node->array;

	if (!run_size(run, node, value, path))
		return false;
	if ((a->items || a->prefix.count) &&
	    !run_items(run, node, value, path, evaluated))
		return false;
	if (a->contains && !run_contains(run, node, value, path, evaluated))
		return false;
	return !a->unique || run_unique(run, node, value, path);
}

bool run_unevaluated_items(struct run *run, const struct node *node, json_t *value,
			   const struct path *path, struct evaluated *evaluated)
{
	size_t count = json_array_size(value);

	for (size_t i = 0; i < count; i++) {
		struct path item = { .outer = path, .index = i };

		if (evaluated_has(evaluated, i))
			continue;
		evaluated_mark(evaluated, i);
		if (!run_item(run, node, "unevaluatedItems", node->unevaluated_items,
			      json_array_get(value, i), &item))
			return false;
	}
	return true;
}
