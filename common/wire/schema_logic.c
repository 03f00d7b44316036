/* Subschemas for the very same value: allOf, anyOf, oneOf, not, if. */
#include "wire/schema_run.h"

static bool run_all_of(struct run *run, const struct node_list *list, json_t *value,
		       const struct path *path, struct evaluated *evaluated)
{
	for (size_t i = 0; i < list->count; i++)
		if (!run_node(run, list->nodes[i], value, path, evaluated) &&
		    !run->report)
			return false;
	return true;
}

/* Ask an alternative; what it evaluates counts only if it fits. */
static bool run_alternative(struct run *run, const struct node *node, json_t *value,
			    const struct path *path, struct evaluated *evaluated)
{
	struct evaluated own;
	bool good;

	if (!evaluated)
		return run_quietly(run, node, value, path, NULL);
	if (!evaluated_init(&own, evaluated->count))
		return run_stop(run, STOP_NO_MEMORY);
	good = run_quietly(run, node, value, path, &own);
	if (good)
		evaluated_join(evaluated, &own);
	evaluated_done(&own);
	return good;
}

static bool run_any_of(struct run *run, const struct node *node, json_t *value,
		       const struct path *path, struct evaluated *evaluated)
{
	const struct node_list *list = &node->logic->any_of;
	bool any = false;

	/* All of them, where it matters what each evaluates. */
	for (size_t i = 0; i < list->count && (!any || evaluated); i++)
		any |= run_alternative(run, list->nodes[i], value, path, evaluated);
	return any || fault_alternatives(run, node, list, value, path, "anyOf");
}

static bool run_one_of(struct run *run, const struct node *node, json_t *value,
		       const struct path *path, struct evaluated *evaluated)
{
	const struct node_list *list = &node->logic->one_of;
	size_t fits = 0;

	for (size_t i = 0; i < list->count && fits < 2; i++)
		fits += run_alternative(run, list->nodes[i], value, path, evaluated);
	if (fits == 0)
		return fault_alternatives(run, node, list, value, path, "oneOf");
	return fits == 1 || fault(run, node, path, "oneOf",
				  "must fit exactly one of %zu alternatives, not several",
				  list->count);
}

static bool run_if(struct run *run, const struct node *node, json_t *value,
		   const struct path *path, struct evaluated *evaluated)
{
	const struct logic_rules *l = node->logic;
	const struct node *next;

	if (!l->then_node && !l->else_node && !evaluated)
		return true;
	next = run_alternative(run, l->if_node, value, path, evaluated) ? l->then_node
									: l->else_node;
	return !next || run_node(run, next, value, path, evaluated) || run->report;
}

bool run_logic(struct run *run, const struct node *node, json_t *value,
	       const struct path *path, struct evaluated *evaluated)
{
	const struct logic_rules *l = node->logic;

	if (!run_all_of(run, &l->all_of, value, path, evaluated))
		return false;
	if (l->any_of.count && !run_any_of(run, node, value, path, evaluated))
		return false;
	if (l->one_of.count && !run_one_of(run, node, value, path, evaluated))
		return false;
	if (l->not &&run_quietly(run, l->not, value, path, NULL) &&
	    !fault(run, node, path, "not", "is of a kind that is not allowed"))
		return false;
	return !l->if_node || run_if(run, node, value, path, evaluated);
}
